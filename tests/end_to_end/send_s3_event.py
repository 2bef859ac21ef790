"""Sends a body with the attribute `function`, as any system with boto3 does, and prints the MessageId."""

import json
import sys

import boto3

addresses, body = json.loads(sys.argv[1]), sys.argv[2]
sqs = boto3.client(
    "sqs",
    endpoint_url=addresses["aws"],
    region_name=addresses["region"],
    aws_access_key_id=addresses["access_key_id"],
    aws_secret_access_key=addresses["secret_access_key"],
)
sent = sqs.send_message(
    QueueUrl=addresses["queue_url"],
    MessageBody=body,
    MessageAttributes={"function": {"DataType": "String", "StringValue": "s3_event"}},
)
print(sent["MessageId"])
