"""Makes calls to SQS as any program with boto3 does.

The argument is the addresses that `badlambda up` printed. Standard input holds a JSON list of calls, each an operation
and its arguments but for the queue. What SQS answered to each, or the code it refused it with, is printed as a JSON
list.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError

addresses = json.loads(sys.argv[1])
sqs = boto3.client(
    "sqs",
    endpoint_url=addresses["aws"],
    region_name=addresses["region"],
    aws_access_key_id=addresses["access_key_id"],
    aws_secret_access_key=addresses["secret_access_key"],
)


def answer(operation, arguments):
    try:
        answered = getattr(sqs, operation)(QueueUrl=addresses["queue_url"], **arguments)
    except ClientError as refused:
        return {"Refused": refused.response["Error"]["Code"]}
    del answered["ResponseMetadata"]
    return answered


print(json.dumps([answer(*call) for call in json.load(sys.stdin)]))
