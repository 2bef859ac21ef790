//! One dead letter on its way out: `POST …/{id}/redrive` and `DELETE …/{id}`.

use axum::extract::State;
use badlambda_shared::dead_letters::Redriven;
use badlambda_shared::limits;
use badlambda_shared::record::url_of;
use serde_json::json;

use crate::app::AppState;
use crate::dead_letters::look::in_turn;
use crate::dead_letters::query::{DeadLetterPath, only};
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};
use crate::tokens::Caller;

/// `POST /v1/dead-letters/{id}/redrive`
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
    let body = json!({ "id": message_id, "function": function, "execution": execution, "url": url });
    ApiResponse::Redriven(body, url)
}

/// `DELETE /v1/dead-letters/{id}`
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
