// The life of a function, lived with AWS's SDK for JavaScript.
//
// The arguments are the function's name and the paths of two zips. The environment says where Lambda is, and who asks.
// The working directory has the SDK. What was seen is printed as one line of JSON.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const aws = createRequire(`${process.cwd()}/`)("@aws-sdk/client-lambda");

const [name, first, second] = [process.argv[2], readFileSync(process.argv[3]), readFileSync(process.argv[4])];
const client = new aws.Lambda();
const seen = {};

const createdAs = (FunctionName, more = {}) =>
  client.createFunction({
    FunctionName,
    Role: "arn:aws:iam::000000000000:role/any",
    Runtime: "ruby3.4",
    Handler: "function.handler",
    Code: { ZipFile: first },
    ...more,
  });

const parsed = (payload) => JSON.parse(Buffer.from(payload).toString());

async function invoked(more = {}) {
  const answer = await client.invoke({ FunctionName: name, Payload: '{"name": "Ada"}', ...more });
  return { version: answer.ExecutedVersion, payload: parsed(answer.Payload) };
}

const waitFor = (waiter) => waiter({ client, minDelay: 1, maxWaitTime: 30 }, { FunctionName: name });

async function pages(paginate, input = {}) {
  const all = [];
  for await (const page of paginate({ client, pageSize: 1 }, input)) all.push(page);
  return all;
}

/** The class of the error, or its code where the SDK has no class for it. */
async function errorOf(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof (aws[error.name] ?? aws.LambdaServiceException))) throw error;
    return error.name;
  }
  return null;
}

seen.created = (await createdAs(name, { Environment: { Variables: { GREETING: "Hello" } } })).State;
await createdAs("other");
await waitFor(aws.waitUntilFunctionActiveV2);

const logged = await client.invoke({ FunctionName: name, Payload: '{"name": "Ada"}', LogType: "Tail" });
seen.invoked = parsed(logged.Payload);
seen.tail = logged.LogResult;
const failed = await client.invoke({ FunctionName: name, Payload: "{}" });
const failure = parsed(failed.Payload);
seen.failed = [failed.StatusCode, failed.FunctionError, failure.errorType, failure.errorMessage];
seen.dry_run = (await client.invoke({ FunctionName: name, InvocationType: "DryRun" })).StatusCode;
const event = await client.invoke({ FunctionName: name, InvocationType: "Event", Payload: '{"name": "Eve"}' });
seen.event = event.StatusCode;
const execution = `v1/functions/${name}/executions/${event.$metadata.requestId}`;
const polled = await fetch(new URL(execution, process.env.AWS_ENDPOINT_URL_LAMBDA), { headers: { Prefer: "wait=30" } });
seen.polled = (await polled.json()).result;

await client.updateFunctionConfiguration({
  FunctionName: name,
  Environment: { Variables: { GREETING: "Good day" } },
});
await waitFor(aws.waitUntilFunctionUpdatedV2);
seen.published = (await client.publishVersion({ FunctionName: name })).Version;
await client.updateFunctionCode({ FunctionName: name, ZipFile: second });
await waitFor(aws.waitUntilFunctionUpdatedV2);
seen.published_again = (await client.publishVersion({ FunctionName: name })).Version;
seen.of_versions = [await invoked({ Qualifier: "1" }), await invoked({ Qualifier: "2" }), await invoked()];

// All of the weight, so that what is run is no matter of chance.
const alias = { FunctionName: name, Name: "live" };
const RoutingConfig = { AdditionalVersionWeights: { 2: 1.0 } };
const live = await client.createAlias({ ...alias, FunctionVersion: "1", RoutingConfig });
seen.weights = live.RoutingConfig.AdditionalVersionWeights;
seen.of_alias = [(await invoked({ Qualifier: "live" })).version];
await client.updateAlias({ ...alias, RoutingConfig: { AdditionalVersionWeights: {} } });
seen.of_alias.push((await invoked({ Qualifier: "live" })).version);

const functions = await pages(aws.paginateListFunctions);
seen.functions = functions.map((page) => page.Functions.map((item) => item.FunctionName));
const versions = await pages(aws.paginateListVersionsByFunction, { FunctionName: name });
seen.versions = versions.map((page) => page.Versions.map((item) => item.Version));
const aliases = await pages(aws.paginateListAliases, { FunctionName: name });
seen.aliases = aliases.map((page) => page.Aliases.map((item) => item.Name));

await client.putFunctionConcurrency({ FunctionName: name, ReservedConcurrentExecutions: 0 });
seen.reserved = (await client.getFunctionConcurrency({ FunctionName: name })).ReservedConcurrentExecutions;
seen.errors = { switched_off: await errorOf(() => client.invoke({ FunctionName: name })) };
await client.deleteFunctionConcurrency({ FunctionName: name });
seen.switched_on = (await invoked()).version;

const RevisionId = "00000000-0000-4000-8000-000000000000";
Object.assign(seen.errors, {
  unsupported: await errorOf(() => client.listCodeSigningConfigs()),
  missing: await errorOf(() => client.getFunction({ FunctionName: "missing" })),
  taken: await errorOf(() => createdAs(name)),
  runtime: await errorOf(() => createdAs("third", { Runtime: "ruby1.8" })),
  payload: await errorOf(() => client.invoke({ FunctionName: name, Payload: "{" })),
  revision: await errorOf(() => client.updateFunctionCode({ FunctionName: name, ZipFile: first, RevisionId })),
});

seen.deleted = (await client.deleteFunction({ FunctionName: name })).$metadata.httpStatusCode;
seen.errors.deleted = await errorOf(() => client.invoke({ FunctionName: name }));
console.log(JSON.stringify(seen));
