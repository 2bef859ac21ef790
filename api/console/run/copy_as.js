// A run as a command or a program, to be copied.

/** @import { Execution } from "./execution.js" */
import { token } from "../base/token.js";
import { copy } from "../base/toast.js";
import { textOf } from "./execution.js";

/** The items of the menu. An input that is not at hand is read from a file; the token itself is not copied. @param {Execution} execution */
export function copyAs(execution) {
  const { origin } = location;
  const { function: name, version } = execution;
  const text = textOf(execution, "input");
  const [shell, python, ruby] = text === null ? ["@input.json", 'open("input.json").read()', 'File.read("input.json")']
    : [quoted(text, "'", `'\\''`), JSON.stringify(text), quoted(text, /[\\']/g, "\\$&")];
  const url = `${origin}/v1/functions/${name}/executions`;
  const exact = version ? `${url}?version=${version}` : url;
  const target = version ? `${name}:${version}` : name;
  const secret = (/** @type {string} */ code) => (token() ? code : "");
  const programs = {
    curl: `curl '${exact}' -H 'Prefer: wait=30'${secret(' -H "Authorization: Bearer $BADLAMBDA_TOKEN"')} --data-binary ${shell}`,
    CLI: ["badlambda invoke", name, text === null ? "- < input.json" : shell, version && `--version ${version}`, `--url '${origin}'`]
      .filter(Boolean).join(" "),
    "boto3 over SQS": `import os
import boto3

sent = boto3.client("sqs").send_message(
    QueueUrl=os.environ["BADLAMBDA_QUEUE_URL"],
    MessageBody=${python},
    MessageAttributes={"function": {"DataType": "String", "StringValue": "${target}"}},
)
print("${url}/" + sent["MessageId"])
`,
    "boto3 over Lambda": `import boto3

answer = boto3.client("lambda", endpoint_url="${origin}").invoke(FunctionName="${target}", Payload=${python})
print(answer["Payload"].read().decode())
`,
    Ruby: `require "net/http"

headers = { "Prefer" => "wait=30"${secret(', "Authorization" => "Bearer #{ENV.fetch("BADLAMBDA_TOKEN")}"')} }
puts Net::HTTP.post(URI("${exact}"), ${ruby}, headers).body
`,
  };
  return Object.entries(programs).map(([label, program]) => ({ label, act: () => copy(program, `it as ${label}`) }));
}

/** Text in single quotes. @param {string} text @param {string | RegExp} special what can't stand there @param {string} escaped */
function quoted(text, special, escaped) {
  return `'${text.replaceAll(special, escaped)}'`;
}
