"""Layers, published and used with boto3.

The argument says whether to make a function with layers, or to run once more what was made. The environment says where
Lambda is, and who asks. What was seen is printed as one line of JSON.
"""

import io
import json
import sys
import zipfile
from urllib.request import urlopen

import boto3

NAME = "layered"
SHOUT = """Gem::Specification.new do |s|
  s.name = "shout"
  s.version = "1.0"
  s.summary = ""
  s.authors = [""]
  s.files = ["lib/shout.rb"]
end
"""
CODE = """require "shout"
require "greeting"
def handler(event:, context:)
  words = File.read(File.join(ENV.fetch("BADLAMBDA_LAYERS_ROOT"), "data/words"))
  Shout.of("#{GREETING}, #{event["name"]}#{words}")
end
"""
client = boto3.client("lambda")


def zipped(files):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return written.getvalue()


def published(layer, files):
    zip_file = zipped(files)
    answer = client.publish_layer_version(
        LayerName=layer, Content={"ZipFile": zip_file}, CompatibleRuntimes=["ruby3.3", "ruby3.4"]
    )
    with urlopen(answer["Content"]["Location"]) as stored:
        assert stored.read() == zip_file
    return answer["LayerVersionArn"]


def invoked():
    answer = client.invoke(FunctionName=NAME, Payload=b'{"name": "Ada"}')
    return json.loads(answer["Payload"].read())


def pages(operation, member, **arguments):
    listed = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **arguments)
    return [page[member] for page in listed]


def layers():
    shown = client.get_function_configuration(FunctionName=NAME)["Layers"]
    return [layer["Arn"].rsplit(":", 2)[1:] for layer in shown]


def made():
    # The folder is called by Ruby's version, whichever runs here.
    gem = {}
    for version in ["3.1.0", "3.2.0", "3.3.0", "3.4.0"]:
        gem[f"ruby/gems/{version}/specifications/shout-1.0.gemspec"] = SHOUT
        gem[f"ruby/gems/{version}/gems/shout-1.0/lib/shout.rb"] = "module Shout\n  def self.of(text) = text.upcase\nend\n"
    first = {"ruby/lib/greeting.rb": 'GREETING = "Hello"\n', "data/words": "?"}
    arns = [published("base", {**gem, **first}), published("over", {"ruby/lib/greeting.rb": 'GREETING = "Good day"\n'})]
    published("over", {"data/words": "!"})
    client.create_function(
        FunctionName=NAME,
        Role="arn:aws:iam::000000000000:role/any",
        Runtime="ruby3.4",
        Handler="function.handler",
        Code={"ZipFile": zipped({"function.rb": CODE})},
        Timeout=30,
        Layers=arns,
    )
    seen = {"first": invoked(), "shown": layers()}
    seen["layers"] = [[item["LayerName"] for item in page] for page in pages("list_layers", "Layers")]
    versions = pages("list_layer_versions", "LayerVersions", LayerName="over")
    seen["versions"] = [[item["Version"] for item in page] for page in versions]
    newest = client.get_layer_version_by_arn(Arn=arns[1].replace(":1", ":2"))["LayerVersionArn"]
    client.update_function_configuration(FunctionName=NAME, Layers=[arns[0], newest])
    seen["updated"] = invoked()
    deleted = client.delete_layer_version(LayerName="over", VersionNumber=2)
    seen["deleted"] = deleted["ResponseMetadata"]["HTTPStatusCode"]
    try:
        client.get_layer_version(LayerName="over", VersionNumber=2)
    except client.exceptions.ResourceNotFoundException as error:
        seen["gone"] = error.response["Error"]["Message"]
    return seen


print(json.dumps(made() if sys.argv[1] == "make" else {"again": [invoked(), invoked()], "shown": layers()}))
