"""Invokes a function once with boto3, which retries by itself.

The arguments are the function's name, the type of invocation, the event, and for how many seconds an answer is waited
for. What came of it is printed as one line of JSON.
"""

import json
import sys

import boto3
from botocore.config import Config

name, invocation_type, event, read_timeout = sys.argv[1:]
client = boto3.client("lambda", config=Config(read_timeout=float(read_timeout)))
answer = client.invoke(FunctionName=name, InvocationType=invocation_type, Payload=event)
metadata = answer["ResponseMetadata"]
payload = answer["Payload"].read()
print(json.dumps({"id": metadata["RequestId"], "payload": json.loads(payload) if payload else None}))
