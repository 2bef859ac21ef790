//! One dead letter on its way out: `POST …/{id}/redrive` and `DELETE …/{id}`.

use axum::extract::State;
use badlambda_shared::dead_letters::{Redriven, RedrivenDeadLetter};
use badlambda_shared::execution::record::url_of;
use badlambda_shared::limits;
use serde_json::json;

use crate::app::AppState;
use crate::dead_letters::look::in_turn;
use crate::dead_letters::query::{DeadLetterPath, only};
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};
use crate::tokens::Caller;

/// Send a dead letter back to the queue.
#[utoipa::path(
    post, path = "/v1/dead-letters/{id}/redrive", operation_id = "RedriveDeadLetter", tag = "dead letters",
    params(DeadLetterPath),
    responses(
        (status = 202, description = "It is in the queue again.", body = RedrivenDeadLetter, headers(("Location"))),
        (status = 409, description = "SQS moved it here from another queue."),
    ),
)]
pub(crate) async fn redrive(
    State(app): AppState,
    caller: Caller,
    DeadLetterPath(id): DeadLetterPath,
) -> ApiResult {
    let selection = only(&caller, id);
    let looked = in_turn(&app, async move |app, progress| {
        let per_second = limits::MAX_REDRIVES_PER_SECOND;
        let redriven = app.dead_letters.redrive(&selection, per_second, &progress).await?;
        Ok((redriven.into_iter().next(), progress.counts().skipped > 0))
    })
    .await?;
    let missing = looked.missing();
    match looked.found {
        (Some(redriven), _) => Ok(accepted(redriven)),
        (None, true) => Err(ApiError::DeadLetterOfAnotherQueue),
        (None, false) => Err(missing),
    }
}

fn accepted(redriven: Redriven) -> ApiResponse {
    let Redriven { message_id, execution } = redriven;
    let url = execution.as_ref().map(|(function, id)| url_of(function, id));
    let (function, execution) = execution.unzip();
    let redriven = RedrivenDeadLetter { id: message_id, function, execution, url: url.clone() };
    ApiResponse::Redriven(json!(redriven), url)
}

/// Delete a dead letter.
#[utoipa::path(
    delete, path = "/v1/dead-letters/{id}", operation_id = "DeleteDeadLetter", tag = "dead letters",
    params(DeadLetterPath),
    responses((status = 204, description = "It is gone.")),
)]
pub(crate) async fn delete(
    State(app): AppState,
    caller: Caller,
    DeadLetterPath(id): DeadLetterPath,
) -> ApiResult {
    let selection = only(&caller, id);
    let looked =
        in_turn(&app, async move |app, progress| app.dead_letters.purge(&selection, &progress).await).await?;
    match looked.found {
        1.. => Ok(ApiResponse::Deleted),
        0 => Err(looked.missing()),
    }
}
