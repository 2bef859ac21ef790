// A run as a command or a program, to be copied.

/** @import { Execution } from "./execution.js" */
import { token } from "../base/session.js";
import { copy } from "../base/toast.js";

/** Longer inputs are read from a file. */
const LONGEST = 16 * 1024;

/**
 * The items of the menu.
 * @param {Execution} execution
 * @param {string | null} text the input; null where it is not at hand
 */
export function copyAs({ function: name, version }, text) {
  const input = text !== null && text.length <= LONGEST ? text : null;
  const url = `${location.origin}/v1/functions/${name}/executions`;
  const exact = version ? `${url}?version=${version}` : url;
  const programs = {
    curl: [`curl ${shell(exact)} -H 'Prefer: wait=30'`, ...secret(['-H "Authorization: Bearer $BADLAMBDA_TOKEN"']),
      `--data-binary ${input === null ? "@input.json" : shell(input)}\n`].join(" \\\n  "),
    CLI: [`badlambda invoke ${name}`, input === null ? "-" : shell(input), ...(version ? [`--version ${version}`] : []),
      `--url ${shell(location.origin)}`, input === null ? "< input.json\n" : "\n"].join(" "),
    "boto3 over SQS": boto3(version ? `${name}:${version}` : name, url, input),
    Ruby: ruby(exact, input),
  };
  return Object.entries(programs).map(([label, program]) => ({ label, act: () => copy(program, `it as ${label}`) }));
}

/** A word of a shell, whatever stands in it. @param {string} text */
function shell(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What sends the token, where the API wants one. The token itself is not copied. @param {string[]} code */
function secret(code) {
  return token() ? code : [];
}

/** @param {string} url @param {string | null} input */
function ruby(url, input) {
  const body = input === null ? 'File.read("input.json")' : `'${input.replace(/[\\']/g, "\\$&")}'`;
  return `require "json"
require "net/http"

headers = { "Prefer" => "wait=30"${secret([', "Authorization" => "Bearer #{ENV.fetch("BADLAMBDA_TOKEN")}"'])} }
answer = Net::HTTP.post(URI("${url}"), ${body}, headers)
puts JSON.parse(answer.body).values_at("status", "result", "error")
`;
}

/** @param {string} target @param {string} url @param {string | null} input */
function boto3(target, url, input) {
  return `import json, os, time, urllib.error, urllib.request
import boto3

sent = boto3.client("sqs").send_message(
    QueueUrl=os.environ["BADLAMBDA_QUEUE_URL"],
    MessageBody=${input === null ? 'open("input.json").read()' : JSON.stringify(input)},
    MessageAttributes={"function": {"DataType": "String", "StringValue": "${target}"}},
)
headers = {"Prefer": "wait=30"${secret([', "Authorization": "Bearer " + os.environ["BADLAMBDA_TOKEN"]'])}}
request = urllib.request.Request("${url}/" + sent["MessageId"], headers=headers)
execution = {"finished_at": None}
while not execution["finished_at"]:
    try:
        execution = json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        if error.code != 404:  # so it is until a worker has taken the message
            raise
        time.sleep(1)
print(execution["status"], execution["result"], execution["error"])
`;
}
