// Invokes a function once with AWS's SDK for JavaScript, which retries by itself.
//
// The arguments are the function's name, the type of invocation, the event, and for how many seconds an answer is waited
// for. The working directory has the SDK. What came of it is printed as one line of JSON.

import { createRequire } from "node:module";

const { Lambda } = createRequire(`${process.cwd()}/`)("@aws-sdk/client-lambda");

const [FunctionName, InvocationType, Payload, readTimeout] = process.argv.slice(2);
const requestHandler = { requestTimeout: Number(readTimeout) * 1000, throwOnRequestTimeout: true };
const client = new Lambda({ requestHandler });
const answer = await client.invoke({ FunctionName, InvocationType, Payload });
const payload = Buffer.from(answer.Payload ?? []).toString();
console.log(JSON.stringify({ id: answer.$metadata.requestId, payload: payload ? JSON.parse(payload) : null }));
