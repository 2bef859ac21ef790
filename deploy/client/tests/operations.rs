//! Every method of the client is an operation of the OpenAPI document: the one whose `operationId` is its name, sent with
//! that operation's verb, to its path, and with no parameter that it does not have.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use badlambda_client::{
    Client, Code, DeadLetterFilter, Error, ExecutionFilter, FunctionContent, OneShot, PageRange, Submit,
    SubmitMap,
};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::{Alias, FunctionName, VersionRef};
use badlambda_shared::map::MapId;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a server was asked for.
#[derive(Clone, Debug)]
struct Asked {
    verb: String,
    path: String,
    /// Names of parameters in query and headers.
    parameters: Vec<String>,
}

type Last = Arc<Mutex<Option<Asked>>>;

/// Headers that any request may have.
const USUAL: [&str; 5] = ["host", "accept", "content-type", "content-length", "authorization"];

async fn record(State(last): State<Last>, request: Request) -> StatusCode {
    let query = request.uri().query().unwrap_or_default().split('&');
    let query = query.filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
    let headers = request.headers().keys().map(|name| name.as_str()).filter(|name| !USUAL.contains(name));
    *last.lock().unwrap() = Some(Asked {
        verb: request.method().as_str().to_lowercase(),
        path: request.uri().path().to_owned(),
        parameters: query.chain(headers).map(str::to_owned).collect(),
    });
    StatusCode::IM_A_TEAPOT
}

struct Recorder {
    client: Client,
    last: Last,
    document: Value,
    /// The methods that were called.
    called: Vec<&'static str>,
}

impl Recorder {
    async fn start() -> Self {
        let last = Last::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(record).with_state(last.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::new(address.parse().unwrap(), Some("secret")).unwrap();
        let document = serde_json::from_str(badlambda_api::openapi_document()).unwrap();
        Self { client, last, document, called: vec![] }
    }

    async fn check<T>(&mut self, method: &'static str, called: impl Future<Output = Result<T, Error>>) {
        // Whatever is answered with a 418 is no answer of the API's.
        assert!(matches!(called.await, Err(Error::NotOurs { status: 418, .. })), "{method}");
        let asked = self.last.lock().unwrap().take().unwrap_or_else(|| panic!("{method} sent nothing"));
        let operation = self.operation(&asked);
        let name = match method {
            // The same operations with `dry_run`, of which the answer is another one.
            "count_dead_letters_to_redrive" => "redrive_dead_letters",
            "count_dead_letters_to_delete" => "delete_dead_letters",
            method => method,
        };
        assert_eq!(snake_case(operation["operationId"].as_str().unwrap()), name, "{asked:?}");
        let known: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        for parameter in &asked.parameters {
            let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(parameter));
            assert!(is_known, "{method} sends {parameter}, and its operation has {known:?}");
        }
        self.called.push(method);
    }

    /// The operation of this verb whose path fits best: a segment's own name before a parameter.
    fn operation(&self, asked: &Asked) -> &Value {
        let fits = |template: &str| {
            let (template, path) = (template.split('/'), asked.path.split('/'));
            template.clone().count() == path.clone().count()
                && template.zip(path).all(|(name, segment)| name.starts_with('{') || name == segment)
        };
        let paths = self.document["paths"].as_object().unwrap();
        let fitting =
            paths.iter().filter(|(template, item)| fits(template) && item.get(&asked.verb).is_some());
        let best = fitting.min_by_key(|(template, _)| template.matches('{').count());
        &best.unwrap_or_else(|| panic!("no operation is {asked:?}")).1[&asked.verb]
    }
}

fn snake_case(operation_id: &str) -> String {
    let mut name = String::new();
    for c in operation_id.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

#[tokio::test]
async fn every_method_is_the_operation_of_its_name() {
    let mut recorder = Recorder::start().await;
    let client = recorder.client.clone();
    let function: FunctionName = "hello".parse().unwrap();
    let (id, alias): (ExecutionId, Alias) = (ExecutionId::issue(&function), "live".parse().unwrap());
    let version = VersionRef::Latest;
    let content = FunctionContent { code: &Code::Ruby("1".to_owned()), config: &json!({}) };
    let range = PageRange { limit: Some(2), cursor: Some("c".to_owned()) };
    let filter = ExecutionFilter {
        status: Some("failed".to_owned()),
        kind: Some("timeout".to_owned()),
        version: Some(1),
        since: Some("2h".to_owned()),
        until: Some("1h".to_owned()),
    };
    let submit = Submit {
        version: Some(version.clone()),
        delay: Some(Duration::from_secs(1)),
        idempotency_key: Some("k".to_owned()),
        wait: Some(Duration::from_secs(1)),
    };
    let map =
        SubmitMap { version: Some(version.clone()), chunk: Some(10), idempotency_key: Some("k".to_owned()) };
    let map_id = MapId::issue(&function);
    let one_shot = OneShot { code: "1", input: None, config: &json!({}) };
    let unversioned = Submit { version: None, ..submit.clone() };
    let replay = Submit { delay: None, ..submit.clone() };
    let letters = DeadLetterFilter { reason: Some("r".to_owned()), function: Some("f".to_owned()) };
    macro_rules! check {
        ($($method:ident($($argument:expr),*))*) => {
            $(recorder.check(stringify!($method), client.$method($($argument),*)).await;)*
        };
    }
    check! {
        create_function(&function, &content, true)
        put_function(&function, &content, Some("\"tag\""), true)
        list_functions(&range)
        get_function(&function)
        delete_function(&function)
        list_versions(&function, &range)
        get_version(&function, &version)
        get_version_code(&function, &version)
        put_alias(&function, &alias, 1, &json!({"2": 0.5}))
        delete_alias(&function, &alias)
        execute_function(&function, "1".to_owned(), &submit)
        run_once(&one_shot, &unversioned)
        get_execution(&function, &id, Some(Duration::from_secs(1)))
        list_executions(&filter, &range)
        list_function_executions(&function, &filter, &range)
        get_execution_input(&function, &id)
        get_execution_result(&function, &id)
        get_execution_logs(&function, &id)
        cancel_execution(&function, &id)
        replay_execution(&function, &id, None, &replay)
        listen_to_execution(&function, &id, Some("1.queued.0"))
        create_map(&function, "1", &map)
        get_map(&function, &map_id, Some(Duration::from_secs(1)))
        get_map_results(&function, &map_id, 3)
        cancel_map(&function, &map_id)
        list_dead_letters(&letters, Some(2))
        get_dead_letter("a")
        redrive_dead_letter("a")
        delete_dead_letter("a")
        redrive_dead_letters(&letters, Some(5))
        count_dead_letters_to_redrive(&letters)
        delete_dead_letters(&letters)
        count_dead_letters_to_delete(&letters)
        get_stats()
        get_function_stats(&function)
    }
    assert_eq!(recorder.called, methods(), "every method is called here, in the order of the sources");
}

/// The names of the client's methods that are operations, as the sources have them.
fn methods() -> Vec<&'static str> {
    let sources = [
        include_str!("../src/functions.rs"),
        include_str!("../src/versions.rs"),
        include_str!("../src/executions.rs"),
        include_str!("../src/events.rs"),
        include_str!("../src/maps.rs"),
        include_str!("../src/dead_letters.rs"),
        include_str!("../src/stats.rs"),
    ];
    let name = |line: &'static str| line.strip_prefix("    pub async fn ")?.split('(').next();
    let methods = sources.iter().flat_map(|source| source.lines().filter_map(name));
    methods.filter(|name| *name != "next_event").collect()
}

#[tokio::test]
async fn nobody_there_and_somebody_else_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(address.parse().unwrap(), None).unwrap();
    let error = client.get_stats().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("{address} does not answer: ")), "{error}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(|| async { "<html>\nhello" });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = Client::new(address.parse().unwrap(), None).unwrap();
    let error = client.get_stats().await.unwrap_err().to_string();
    assert_eq!(error, format!("{address} answered 200 with \"<html>\"; is it the URL of a Bad Lambda API?"));
}
