//! `GET /v1/dead-letters`, and one of them.

use axum::extract::State;
use badlambda_shared::dead_letters::DeadLetter;
use badlambda_shared::limits;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::AppState;
use crate::dead_letters::look::in_turn;
use crate::dead_letters::query::{DeadLetterPath, only, selection};
use crate::http::page::page_limit;
use crate::http::request::Query;
use crate::http::response::{ApiResponse, ApiResult};
use crate::tokens::Caller;

/// The query of `GET /v1/dead-letters`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    limit: Option<usize>,
    reason: Option<String>,
    function: Option<String>,
}

/// `GET /v1/dead-letters`, in SQS's order, which is none. So there is no next page; `complete` tells whether there may be
/// more than are shown.
pub(crate) async fn list(State(app): AppState, caller: Caller, Query(query): Query<ListQuery>) -> ApiResult {
    let limit = page_limit(query.limit, limits::MAX_PAGE)?;
    let selection = selection(&caller, query.reason, query.function.as_deref())?;
    let looked = in_turn(&app, async move |app, progress| {
        let mut found = vec![];
        // One more, to see whether there is more.
        let look =
            app.dead_letters.look(&selection, limit + 1, &progress, |letter| found.push(in_list(letter)));
        look.await.map(|()| found)
    })
    .await?;
    let mut found = looked.found;
    let is_complete = looked.is_complete && found.len() <= limit;
    found.truncate(limit);
    Ok(ApiResponse::Page(json!({ "dead_letters": found, "next": null, "complete": is_complete }), None))
}

/// `GET /v1/dead-letters/{id}`
pub(crate) async fn get(
    State(app): AppState,
    caller: Caller,
    DeadLetterPath(id): DeadLetterPath,
) -> ApiResult {
    let selection = only(&caller, id);
    let looked = in_turn(&app, async move |app, progress| {
        let mut found = None;
        let look = app.dead_letters.look(&selection, 1, &progress, |letter| found = Some(letter));
        look.await.map(|()| found)
    })
    .await?;
    let missing = looked.missing();
    looked.found.map(|letter| ApiResponse::DeadLetter(in_full(letter))).ok_or(missing)
}

/// As a list shows it: a long body is left out, so that a page of them is not huge.
fn in_list(mut letter: DeadLetter) -> Value {
    let is_long = letter.body.len() > limits::INLINE_DEAD_LETTER_BYTES;
    if is_long {
        letter.body.clear();
    }
    let mut shown = in_full(letter);
    if is_long {
        shown["body"] = Value::Null;
    }
    shown
}

fn in_full(letter: DeadLetter) -> Value {
    let (function, execution) = letter.execution.unzip();
    json!({
        "id": letter.message_id,
        "reason": letter.reason,
        "kind": letter.kind,
        "function": function,
        "execution": execution,
        "received_at": letter.sent_at,
        "body": letter.body,
    })
}
