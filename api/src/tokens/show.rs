//! `GET /v1/token`: what the token may be used for that the request bears.

use badlambda_shared::function::name::FunctionName;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Caller, Scope};
use crate::http::response::{ApiResponse, ApiResult};

/// A token, as its bearer is told of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShownToken {
    /// Its name; null where the API has no tokens, and anybody may do everything.
    name: Option<String>,
    /// What it may be used for: `read`, `execute`, `manage`.
    scopes: Vec<&'static str>,
    /// The functions that it may be used for; null means all.
    functions: Option<Vec<FunctionName>>,
    /// How many requests it may make a second; null where that is not bounded.
    per_second: Option<u32>,
}

/// Show the token that the request bears.
///
/// For clients that show only what it may be used for. Any token will do.
#[utoipa::path(
    get, path = "/v1/token", operation_id = "GetToken", tag = "tokens",
    responses((status = 200, description = "The token, without anything that is secret.", body = ShownToken)),
)]
pub(crate) async fn show(caller: Caller) -> ApiResult {
    let token = caller.token();
    let scopes = Scope::ALL.into_iter().filter(|scope| token.is_none_or(|token| token.has(*scope)));
    Ok(ApiResponse::Token(json!(ShownToken {
        name: token.map(|token| token.name().to_owned()),
        scopes: scopes.map(Scope::name).collect(),
        functions: caller.functions().map(|functions| functions.iter().cloned().collect()),
        per_second: token.and_then(|token| token.per_second()),
    })))
}
