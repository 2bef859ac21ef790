//! What the AWS CLI sees of a function's life. It is called as people call it, each call a process.

use serde_json::{Map, Value, json};
use tokio::join;

use super::life::{NAME, Zips};
use super::programs::Settings;

/// The CLI, and where it has what it sends and gets.
struct Cli<'a> {
    settings: &'a Settings<'a>,
    zips: &'a Zips,
}

/// Lives a function's life.
pub async fn live(settings: &Settings<'_>, zips: &Zips) -> Value {
    let cli = Cli { settings, zips };
    let mut seen = Map::new();
    cli.create_and_invoke(&mut seen).await;
    cli.change(&mut seen).await;
    cli.put_alias(&mut seen).await;
    let (functions, versions, aliases) = join!(
        cli.pages("list-functions", "Functions", "FunctionName"),
        cli.pages("list-versions-by-function", "Versions", "Version"),
        cli.pages("list-aliases", "Aliases", "Name"),
    );
    for (member, pages) in [("functions", functions), ("versions", versions), ("aliases", aliases)] {
        seen.insert(member.to_owned(), pages);
    }
    cli.refuse_and_delete(&mut seen).await;
    seen.into()
}

impl Cli<'_> {
    async fn create_and_invoke(&self, seen: &mut Map<String, Value>) {
        let environment = ["--environment", "Variables={GREETING=Hello}"];
        let (created, other) =
            join!(self.create(NAME, "ruby3.4", &environment), self.create("other", "ruby3.4", &[]));
        seen.insert("created".to_owned(), created.unwrap()["State"].clone());
        other.unwrap();
        self.of_function("wait", &["function-active-v2"]).await;

        let (answer, payload) = self.invoke(&["--log-type", "Tail"], r#"{"name": "Ada"}"#).await;
        seen.insert("invoked".to_owned(), payload);
        seen.insert("tail".to_owned(), answer["LogResult"].clone());
        let (answer, payload) = self.invoke(&[], "{}").await;
        let failed = [
            &answer["StatusCode"],
            &answer["FunctionError"],
            &payload["errorType"],
            &payload["errorMessage"],
        ];
        seen.insert("failed".to_owned(), json!(failed));
        let (answer, _) = self.invoke(&["--invocation-type", "DryRun"], "{}").await;
        seen.insert("dry_run".to_owned(), answer["StatusCode"].clone());

        // It shows the id of a request only to those who debug.
        let event = ["--invocation-type", "Event", "--payload", r#"{"name": "Eve"}"#, "--debug"];
        let out = self.zips.path("payload.json");
        let invoke = [&["invoke", "--function-name", NAME, &out], event.as_slice()].concat();
        let (printed, said) = self.settings.aws(&invoke).await;
        let answer: Value = serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{said}"));
        seen.insert("event".to_owned(), answer["StatusCode"].clone());
        let polled = format!("/v1/functions/{NAME}/executions/{}", request_id(&said));
        seen.insert("polled".to_owned(), self.settings.fleet.finished(&polled).await["result"].clone());
    }

    async fn change(&self, seen: &mut Map<String, Value>) {
        let environment = ["--environment", "Variables={GREETING=Good day}"];
        self.of_function("update-function-configuration", &environment).await;
        self.of_function("wait", &["function-updated-v2"]).await;
        let published = self.of_function("publish-version", &[]).await;
        seen.insert("published".to_owned(), published["Version"].clone());
        self.of_function("update-function-code", &["--zip-file", &self.zip("second")]).await;
        self.of_function("wait", &["function-updated-v2"]).await;
        let published = self.of_function("publish-version", &[]).await;
        seen.insert("published_again".to_owned(), published["Version"].clone());
        let (first, second, latest) = join!(self.run("1"), self.run("2"), self.run("$LATEST"));
        let versions = [first, second, latest];
        seen.insert("of_versions".to_owned(), json!(versions));
    }

    /// All of the weight, so that what is run is no matter of chance.
    async fn put_alias(&self, seen: &mut Map<String, Value>) {
        let weights = "AdditionalVersionWeights={2=1.0}";
        let alias = ["--name", "live", "--function-version", "1", "--routing-config", weights];
        let alias = self.of_function("create-alias", &alias).await;
        seen.insert("weights".to_owned(), alias["RoutingConfig"]["AdditionalVersionWeights"].clone());
        let weighted = self.run("live").await["version"].take();
        let none = ["--name", "live", "--routing-config", "AdditionalVersionWeights={}"];
        self.of_function("update-alias", &none).await;
        seen.insert("of_alias".to_owned(), json!([weighted, self.run("live").await["version"]]));
    }

    /// Pages of one item.
    async fn pages(&self, operation: &str, items: &str, item: &str) -> Value {
        let (mut pages, mut next) = (vec![], None::<String>);
        loop {
            let mut arguments = vec![operation, "--max-items", "1", "--page-size", "1"];
            if operation != "list-functions" {
                arguments.extend(["--function-name", NAME]);
            }
            if let Some(token) = &next {
                arguments.extend(["--starting-token", token]);
            }
            let page = self.aws(&arguments).await.unwrap();
            let names = page[items].as_array().unwrap().iter().map(|listed| listed[item].clone());
            pages.push(names.collect::<Value>());
            next = page["NextToken"].as_str().map(str::to_owned);
            if next.is_none() {
                return json!(pages);
            }
        }
    }

    async fn refuse_and_delete(&self, seen: &mut Map<String, Value>) {
        self.of_function("put-function-concurrency", &["--reserved-concurrent-executions", "0"]).await;
        let reserved = self.of_function("get-function-concurrency", &[]).await;
        seen.insert("reserved".to_owned(), reserved["ReservedConcurrentExecutions"].clone());
        let (out, first) = (self.zips.path("payload.json"), self.zip("first"));
        let invoke = ["invoke", "--function-name", NAME, &out];
        let switched_off = self.aws(&invoke).await.unwrap_err();
        self.of_function("delete-function-concurrency", &[]).await;
        seen.insert("switched_on".to_owned(), self.run("$LATEST").await["version"].take());

        let wrong = "00000000-0000-4000-8000-000000000000";
        let of_revision =
            ["update-function-code", "--function-name", NAME, "--zip-file", &first, "--revision-id", wrong];
        let bad_payload = [invoke.as_slice(), &["--payload", "{"]].concat();
        let (unsupported, missing, taken, runtime, payload, revision) = join!(
            self.aws(&["list-code-signing-configs"]),
            self.aws(&["get-function", "--function-name", "missing"]),
            self.create(NAME, "ruby3.4", &[]),
            self.create("third", "ruby1.8", &[]),
            self.aws(&bad_payload),
            self.aws(&of_revision),
        );
        // It says nothing of a status; it fails unless that is a success.
        self.of_function("delete-function", &[]).await;
        seen.insert("deleted".to_owned(), json!(204));
        let deleted = self.aws(&invoke).await.unwrap_err();
        let errors = json!({
            "switched_off": switched_off,
            "unsupported": unsupported.unwrap_err(),
            "missing": missing.unwrap_err(),
            "taken": taken.unwrap_err(),
            "runtime": runtime.unwrap_err(),
            "payload": payload.unwrap_err(),
            "revision": revision.unwrap_err(),
            "deleted": deleted,
        });
        seen.insert("errors".to_owned(), errors);
    }

    async fn create(&self, name: &str, runtime: &str, more: &[&str]) -> Result<Value, String> {
        let zip = self.zip("first");
        let role = "arn:aws:iam::000000000000:role/any";
        let create = ["create-function", "--function-name", name, "--runtime", runtime, "--role", role];
        let code = ["--handler", "function.handler", "--zip-file", &zip];
        self.aws(&[create.as_slice(), &code, more].concat()).await
    }

    /// What came of a version or an alias.
    async fn run(&self, qualifier: &str) -> Value {
        let (answer, payload) = self.invoke(&["--qualifier", qualifier], r#"{"name": "Ada"}"#).await;
        json!({"version": answer["ExecutedVersion"], "payload": payload})
    }

    /// The answer, and what the function returned.
    async fn invoke(&self, arguments: &[&str], event: &str) -> (Value, Value) {
        let out = tempfile::NamedTempFile::new().unwrap();
        let path = out.path().to_str().unwrap();
        let invoke = ["invoke", "--function-name", NAME, "--payload", event, path];
        let answer = self.aws(&[invoke.as_slice(), arguments].concat()).await.unwrap();
        let payload = std::fs::read_to_string(path).unwrap();
        (answer, serde_json::from_str(&payload).unwrap_or_default())
    }

    /// What an operation upon the function answers, which must succeed.
    async fn of_function(&self, operation: &str, arguments: &[&str]) -> Value {
        self.aws(&[[operation].as_slice(), arguments, &["--function-name", NAME]].concat()).await.unwrap()
    }

    /// What is answered, or the code of the error.
    async fn aws(&self, arguments: &[&str]) -> Result<Value, String> {
        let (printed, said) = self.settings.aws(arguments).await;
        match said.split_once("An error occurred (") {
            Some((_, error)) => Err(error.split(')').next().unwrap().to_owned()),
            None if said.is_empty() => Ok(serde_json::from_str(&printed).unwrap_or_default()),
            None => panic!("aws lambda {}: {said}", arguments.join(" ")),
        }
    }

    fn zip(&self, name: &str) -> String {
        format!("fileb://{}", self.zips.path(&format!("{name}.zip")))
    }
}

/// The id of the request, as `--debug` shows the headers of the answer.
pub fn request_id(said: &str) -> &str {
    let (_, id) = said.split_once("x-amzn-requestid': '").unwrap_or_else(|| panic!("no id: {said}"));
    id.split('\'').next().unwrap()
}
