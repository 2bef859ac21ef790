//! The API that commands ask: which it is, whether it answers, and what the token may do there.

use badlambda_client::{Client, Error};
use serde_json::Value;

use super::Check;
use crate::connection::ConnectionArguments;

/// A request for each scope that changes nothing, whether it is allowed or not.
const SCOPES: [(&str, &str, &str); 3] = [
    ("read", "GET", "/v1/functions?limit=1"),
    ("execute", "POST", "/v1/run"),
    ("manage", "POST", "/v1/functions?dry_run=true"),
];

/// What a token may do.
enum Allowed {
    /// Nothing: the token is none of this API's, or none was shown.
    Refused(String),
    Scopes(Vec<&'static str>),
}

pub(super) async fn examine(connection: &ConnectionArguments) -> Vec<Check> {
    let target = match connection.find() {
        Ok(Some(target)) => target,
        Ok(None) => {
            let advice = "start `badlambda up` in this folder, or say which with --url URL, --profile NAME or BADLAMBDA_URL";
            return vec![Check::absent("api", "none to ask", advice)];
        }
        Err(failure) => {
            return vec![Check::wrong("api", failure.to_string(), "say with --url URL which it is")];
        }
    };
    let from = format!("{} (from {})", target.url, target.from);
    let client = match target.client() {
        Ok(client) => client,
        Err(failure) => return vec![Check::wrong("api", from, failure.to_string())],
    };
    let version = match version(&client).await {
        Ok(version) => version,
        Err(error) => {
            return vec![Check::wrong(
                "api",
                from,
                format!("{error}; is the URL right, and does the API run?"),
            )];
        }
    };
    let mut checks = vec![Check::right("api", from), compare(&version)];
    checks.push(match ask(&client, "GET", "/readyz", None).await {
        Ok(()) => Check::right("readiness", "queue and bucket answer"),
        Err(error) => {
            Check::wrong("readiness", error.to_string(), "look at the API's log, and at SQS and S3")
        }
    });
    checks.push(match allowed(&client).await {
        Ok(Allowed::Scopes(scopes)) => {
            let who = if target.token.is_some() {
                "it may"
            } else {
                "none, and the API asks for none: anybody may"
            };
            Check::right("token", format!("{who} {}", scopes.join(", ")))
        }
        Ok(Allowed::Refused(reason)) => {
            Check::wrong("token", reason, "give a token with --token, BADLAMBDA_TOKEN or a profile")
        }
        Err(error) => Check::wrong("token", error.to_string(), "try again"),
    });
    checks
}

async fn version(client: &Client) -> Result<String, Error> {
    let answer = client.request("GET", "/openapi.json", &[], None).await?.succeeded().await?;
    let (status, body) = (answer.status().as_u16(), answer.bytes().await?);
    let document: Value = serde_json::from_slice(&body).unwrap_or_default();
    let version = document["info"]["version"].as_str().filter(|_| document["info"]["title"] == "Bad Lambda");
    version.map(str::to_owned).ok_or_else(|| Error::NotOurs {
        address: client.address().to_string(),
        status,
        what: "another document".to_owned(),
    })
}

fn compare(version: &str) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    match version == own {
        true => Check::right("version", version),
        false => {
            let advice = "take the same version of both, if a command is refused";
            Check::absent("version", format!("{version}, and this command is {own}"), advice)
        }
    }
}

/// Makes a request, and is content with a success.
async fn ask(client: &Client, method: &str, path: &str, body: Option<&str>) -> Result<(), Error> {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let answer = client.request(method, path, &headers, body.map(str::to_owned)).await?;
    answer.succeeded().await.map(drop)
}

/// What is refused for another reason than its scope was allowed: the bodies are none that could be taken.
async fn allowed(client: &Client) -> Result<Allowed, Error> {
    let mut scopes = vec![];
    for (scope, method, path) in SCOPES {
        match ask(client, method, path, (method == "POST").then_some("{}")).await {
            Err(Error::Problem(problem)) if problem.status == 401 => {
                return Ok(Allowed::Refused(problem.detail));
            }
            Err(Error::Problem(problem)) if problem.slug == "insufficient_scope" => {}
            Ok(()) => scopes.push(scope),
            Err(Error::Problem(problem)) if problem.status < 500 => scopes.push(scope),
            Err(error) => return Err(error),
        }
    }
    Ok(Allowed::Scopes(scopes))
}
