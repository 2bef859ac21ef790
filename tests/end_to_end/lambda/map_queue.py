"""An event source mapping of the fleet's own queue, from its creation to its end, with boto3.

The arguments are the URLs of SQS, of the queue, of its dead-letter queue and of the API, and the name of a function that
returns its event. What was seen is printed as one line of JSON.
"""

import json
import sys
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3

aws, queue, dead_letters, api, function = sys.argv[1:]
client = boto3.client("lambda")
sqs = boto3.client("sqs", endpoint_url=aws)
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
seen = {}


def error_of(call, **arguments):
    try:
        call(**arguments)
    except client.exceptions.ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
    return None


def polled(execution):
    """The execution, once it has ended; a 404 until a worker has taken it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        request = Request(f"{api}/v1/functions/{function}/executions/{execution}", headers={"Prefer": "wait=5"})
        try:
            answer = json.load(urlopen(request))
        except HTTPError as error:
            assert error.code == 404, error
            continue
        if answer["status"] in ("succeeded", "failed"):
            return answer
    raise TimeoutError(execution)


mapping = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, BatchSize=5)
uuid = mapping["UUID"]
seen["created"] = [mapping[name] for name in ("State", "BatchSize", "FunctionArn")] + [mapping["EventSourceArn"] == arn]
shown = client.get_event_source_mapping(UUID=uuid)
seen["listed"] = [page["UUID"] == uuid for page in client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]]
seen["shown"] = all(shown[name] == mapping[name] for name in mapping if name != "ResponseMetadata")
seen["second"] = error_of(client.create_event_source_mapping, EventSourceArn=arn, FunctionName=function)[0]
other = arn + "-other"
seen["other"] = error_of(client.create_event_source_mapping, EventSourceArn=other, FunctionName=function)

sent = sqs.send_message(
    QueueUrl=queue,
    MessageBody="plain text",
    MessageAttributes={
        "kind": {"DataType": "String", "StringValue": "order"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x01\x02"},
    },
)
execution = polled(sent["MessageId"])
[record] = execution["result"]["Records"]
times = {name: record["attributes"].pop(name) for name in ("SentTimestamp", "ApproximateReceiveCount")}
record.pop("attributes")
seen["is_ours"] = [record.pop("messageId") == sent["MessageId"], record.pop("eventSourceARN") == arn]
seen["md5"] = record.pop("md5OfBody") == sent["MD5OfMessageBody"]
seen["record"], seen["received"] = record, times["ApproximateReceiveCount"]
# An envelope goes its own way all the same.
enveloped = sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"function": function, "input": 1}))
seen["enveloped"] = polled(enveloped["MessageId"])["result"]

seen["disabled"] = client.update_event_source_mapping(UUID=uuid, Enabled=False)["State"]
# Until the worker knows, what is sent is still an event.
letters = []
deadline = time.monotonic() + 60
while not letters and time.monotonic() < deadline:
    sqs.send_message(QueueUrl=queue, MessageBody="nobody's")
    received = sqs.receive_message(QueueUrl=dead_letters, WaitTimeSeconds=1, MessageAttributeNames=["All"])
    letters = received.get("Messages", [])
seen["letter"] = letters[0]["Body"]
seen["deleted"] = client.delete_event_source_mapping(UUID=uuid)["State"]
seen["gone"] = error_of(client.get_event_source_mapping, UUID=uuid)[0]
print(json.dumps(seen))
