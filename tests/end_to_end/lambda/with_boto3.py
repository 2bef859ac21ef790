"""The life of a function, lived with boto3.

The arguments are the function's name and the paths of two zips. The environment says where Lambda is, and who asks.
What was seen is printed as one line of JSON.
"""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import boto3

name, first, second = sys.argv[1], Path(sys.argv[2]).read_bytes(), Path(sys.argv[3]).read_bytes()
client = boto3.client("lambda")
seen = {}


def created_as(function, **more):
    return client.create_function(
        FunctionName=function,
        Role="arn:aws:iam::000000000000:role/any",
        Handler="function.handler",
        Code={"ZipFile": first},
        **{"Runtime": "ruby3.4", **more},
    )


def invoked(event={"name": "Ada"}, **more):
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    payload = json.loads(answer["Payload"].read())
    return {"version": answer["ExecutedVersion"], "payload": payload}


def wait_for(state):
    client.get_waiter(state).wait(FunctionName=name)


def pages(operation, **arguments):
    return list(client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **arguments))


def error_of(call, **arguments):
    """The class of the error, or its code where boto3 has no class for it."""
    try:
        call(**arguments)
    except client.exceptions.ClientError as error:
        kind = type(error).__name__
        return error.response["Error"]["Code"] if kind == "ClientError" else kind
    return None


seen["created"] = created_as(name, Environment={"Variables": {"GREETING": "Hello"}})["State"]
created_as("other")
wait_for("function_active_v2")

logged = client.invoke(FunctionName=name, Payload=b'{"name": "Ada"}', LogType="Tail")
seen["invoked"] = json.loads(logged["Payload"].read())
seen["tail"] = logged["LogResult"]
failed = client.invoke(FunctionName=name, Payload=b"{}")
failure = json.loads(failed["Payload"].read())
seen["failed"] = [failed["StatusCode"], failed["FunctionError"], failure["errorType"], failure["errorMessage"]]
seen["dry_run"] = client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"]
event = client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"name": "Eve"}')
seen["event"] = event["StatusCode"]
url = f"{client.meta.endpoint_url}/v1/functions/{name}/executions/{event['ResponseMetadata']['RequestId']}"
with urlopen(Request(url, headers={"Prefer": "wait=30"})) as execution:
    seen["polled"] = json.load(execution)["result"]

client.update_function_configuration(FunctionName=name, Environment={"Variables": {"GREETING": "Good day"}})
wait_for("function_updated_v2")
seen["published"] = client.publish_version(FunctionName=name)["Version"]
client.update_function_code(FunctionName=name, ZipFile=second)
wait_for("function_updated_v2")
seen["published_again"] = client.publish_version(FunctionName=name)["Version"]
seen["of_versions"] = [invoked(Qualifier="1"), invoked(Qualifier="2"), invoked()]

# All of the weight, so that what is run is no matter of chance.
weights = {"AdditionalVersionWeights": {"2": 1.0}}
alias = client.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
seen["weights"] = alias["RoutingConfig"]["AdditionalVersionWeights"]
seen["of_alias"] = [invoked(Qualifier="live")["version"]]
client.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
seen["of_alias"].append(invoked(Qualifier="live")["version"])

seen["functions"] = [[item["FunctionName"] for item in page["Functions"]] for page in pages("list_functions")]
of_function = {"FunctionName": name}
listed = pages("list_versions_by_function", **of_function)
seen["versions"] = [[item["Version"] for item in page["Versions"]] for page in listed]
listed = pages("list_aliases", **of_function)
seen["aliases"] = [[item["Name"] for item in page["Aliases"]] for page in listed]

client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
seen["reserved"] = client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
seen["errors"] = {"switched_off": error_of(client.invoke, FunctionName=name)}
client.delete_function_concurrency(FunctionName=name)
seen["switched_on"] = invoked()["version"]

wrong = "00000000-0000-4000-8000-000000000000"
seen["errors"] |= {
    "unsupported": error_of(client.list_code_signing_configs),
    "missing": error_of(client.get_function, FunctionName="missing"),
    "taken": error_of(created_as, function=name),
    "runtime": error_of(created_as, function="third", Runtime="ruby1.8"),
    "payload": error_of(client.invoke, FunctionName=name, Payload=b"{"),
    "revision": error_of(client.update_function_code, FunctionName=name, ZipFile=first, RevisionId=wrong),
}

seen["deleted"] = client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"]
seen["errors"]["deleted"] = error_of(client.invoke, FunctionName=name)
print(json.dumps(seen))
