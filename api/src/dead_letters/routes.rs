//! `GET /v1/dead-letters`, and one of them.

use axum::extract::State;
use badlambda_shared::dead_letters::{DeadLetter, ShownDeadLetter};
use badlambda_shared::limits;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::dead_letters::look::in_turn;
use crate::dead_letters::query::{DeadLetterPath, only, selection};
use crate::http::page::page_limit;
use crate::http::request::Query;
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema;
use crate::tokens::Caller;

/// The query of `GET /v1/dead-letters`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// How many entries a page may have.
    #[param(schema_with = schema::page_limit)]
    limit: Option<usize>,
    /// Those with this `kind`, or with this in their reason's sentence.
    #[param(schema_with = schema::reason)]
    reason: Option<String>,
    /// Those of this function.
    #[param(schema_with = schema::function_name)]
    function: Option<String>,
}

/// Dead letters, in SQS's order, which is none.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeadLetterPage {
    dead_letters: Vec<ShownDeadLetter>,
    /// Always null, since SQS has no pages.
    #[schema(schema_with = schema::null)]
    next: Option<String>,
    /// Whether there are no more than these.
    complete: bool,
}

/// List dead letters.
///
/// SQS has no order and no pages. `complete` tells whether there may be more than are shown.
#[utoipa::path(
    get, path = "/v1/dead-letters", operation_id = "ListDeadLetters", tag = "dead letters",
    params(ListQuery),
    responses((status = 200, description = "Dead letters.", body = DeadLetterPage)),
)]
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
    let page = DeadLetterPage { dead_letters: found, next: None, complete: is_complete };
    Ok(ApiResponse::Page(json!(page), None))
}

/// Show a dead letter.
#[utoipa::path(
    get, path = "/v1/dead-letters/{id}", operation_id = "GetDeadLetter", tag = "dead letters",
    params(DeadLetterPath),
    responses((status = 200, description = "The dead letter, with its whole body.", body = ShownDeadLetter)),
)]
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
    looked.found.map(|letter| ApiResponse::DeadLetter(json!(in_full(letter)))).ok_or(missing)
}

/// As a list shows it: a long body is left out, so that a page of them is not huge.
fn in_list(mut letter: DeadLetter) -> ShownDeadLetter {
    let is_long = letter.body.len() > limits::INLINE_DEAD_LETTER_BYTES;
    if is_long {
        letter.body.clear();
    }
    let shown = in_full(letter);
    if is_long { ShownDeadLetter { body: None, ..shown } } else { shown }
}

fn in_full(letter: DeadLetter) -> ShownDeadLetter {
    let (function, execution) = letter.execution.unzip();
    ShownDeadLetter {
        id: letter.message_id,
        reason: letter.reason,
        kind: letter.kind,
        function,
        execution,
        received_at: letter.sent_at,
        body: Some(letter.body),
    }
}
