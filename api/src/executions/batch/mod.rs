//! `POST …/executions/batch`: takes on one execution for each of many inputs.
//!
//! The batch has an id like an execution's, of which the ids of its executions are made, place by place. So an
//! `Idempotency-Key` stands for the batch as it does for an execution, and a repeated request answers the same ids. Where
//! the queue did not take all of them, a repeated request sends all again: a worker drops what has a final record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::alias::AliasTarget;
use badlambda_shared::function::name::{FunctionName, Revision};
use badlambda_shared::limits;
use badlambda_shared::problem::ProblemInAnswer;
use badlambda_shared::process::telemetry;
use badlambda_shared::timestamp::Timestamp;
use futures::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::{App, AppState};
use crate::executions::idempotency::{self, Claim, Unsent};
use crate::executions::send::send;
use crate::executions::submit::SubmitQuery;
use crate::executions::ticket::Ticket;
use crate::http::admission::BodyPermit;
use crate::http::body::{self, Received};
use crate::http::error::ApiError;
use crate::http::request::{FunctionPath, Query};
use crate::http::response::{ApiResponse, ApiResult};
use crate::http::trace::trace;
use crate::schema::AnyJson;
use crate::schema::parameters::IdempotencyKeyHeader;

mod inputs;

use self::inputs::{BatchInput, read};

/// What became of each input, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    executions: Vec<BatchItem>,
}

/// What became of one input.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BatchItem {
    /// It is taken on as this execution.
    Id(ExecutionId),
    /// It is not.
    Error(ProblemInAnswer),
}

/// A batch that is to be sent.
struct Batch {
    function: FunctionName,
    ticket: Ticket,
    /// What shares the inputs out among versions.
    target: AliasTarget,
    /// The revision of each of these versions.
    revisions: BTreeMap<u32, Revision>,
    inputs: Vec<BatchInput>,
    delay: Duration,
    trace: Trace,
    /// The room that the inputs take.
    _permit: BodyPermit,
}

/// Execute a function once for each of many inputs.
///
/// An array of inputs, or one on each line. A line that is no JSON, or can't be an input, is an `error` of its own.
#[utoipa::path(
    post, path = "/v1/functions/{function}/executions/batch", operation_id = "ExecuteBatch", tag = "executions",
    params(FunctionPath, SubmitQuery, IdempotencyKeyHeader),
    request_body(content(
        (Vec<AnyJson> = "application/json", example = json!([{"name": "Ada"}, {"name": "Grace"}])),
        (String = "application/x-ndjson", example = json!("{\"name\": \"Ada\"}\n{\"name\": \"Grace\"}\n")),
    )),
    responses((status = 200, description = "What became of each input, in their order.", body = BatchAnswer)),
)]
pub(crate) async fn batch(
    State(app): AppState,
    FunctionPath(function): FunctionPath,
    Query(query): Query<SubmitQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let (wanted, delay, key) = (query.version()?, query.delay()?, idempotency::key(&headers)?);
    let most = limits::MAX_BATCH_BYTES.max(app.max_input_bytes);
    let Received { bytes, permit } =
        body::receive(&app.admission, body, most, ApiError::BodyTooLarge(most)).await?;
    let inputs = read(&app, &headers, &bytes)?;
    let target = app.catalog.target(&function, wanted.as_ref()).await?;
    let revisions = revisions_of(&app, &function, &target).await?;
    let issue = || Ticket {
        id: ExecutionId::issue(&function),
        version: Some(target.version),
        revision: revisions.get(&target.version).cloned(),
        submitted_at: Timestamp::now(),
        replay_of: None,
    };
    let (ticket, claim) = match key {
        None => (issue(), None),
        Some(key) => {
            let version = wanted.map(|version| version.to_string()).unwrap_or_default();
            let delay = delay.as_secs().to_string();
            let fingerprint =
                idempotency::fingerprint(&[b"batch", version.as_bytes(), delay.as_bytes(), &bytes]);
            let (ticket, claim) = idempotency::claim(&app, &function, &key, &fingerprint, issue).await?;
            (ticket, Some(claim))
        }
    };
    // The version as which the batch was taken on stays, wherever the alias points by now.
    let (target, revisions) = match ticket.version {
        Some(version) if version != target.version => {
            let revision = ticket.revision.clone().map(|revision| (version, revision));
            (AliasTarget::whole(version), revision.into_iter().collect())
        }
        _ => (target, revisions),
    };
    drop(bytes);
    let batch = Batch {
        function,
        ticket,
        target,
        revisions,
        inputs,
        delay,
        trace: telemetry::from_here(trace(&headers)),
        _permit: permit,
    };
    let items = match claim {
        Some(Claim::Sent) => batch.items_of_sent(),
        Some(Claim::ToSend(unsent)) => batch.send_all(app, Some(unsent)).await?,
        None => batch.send_all(app, None).await?,
    };
    Ok(ApiResponse::Batch(json!(BatchAnswer { executions: items })))
}

/// The revision of each version that takes a share.
async fn revisions_of(
    app: &App,
    function: &FunctionName,
    target: &AliasTarget,
) -> Result<BTreeMap<u32, Revision>, ApiError> {
    let versions = app.catalog.versions_of(function, target).await?;
    Ok(target.versions().zip(versions.iter().map(|version| version.revision.clone())).collect())
}

impl Batch {
    /// What an earlier request was answered: what can't be an input never could.
    fn items_of_sent(self) -> Vec<BatchItem> {
        let id = |place| self.ticket.id.at_place(&self.function, place);
        let items = self.inputs.into_iter().enumerate();
        items.map(|(place, input)| input.map(|_| id(place)).into()).collect()
    }

    /// Sends everything, even if the client goes away meanwhile: he would come again, and it would be sent twice.
    async fn send_all(self, app: Arc<App>, unsent: Option<Unsent>) -> Result<Vec<BatchItem>, ApiError> {
        let sending = tokio::spawn(async move {
            let Self { function, ticket, target, revisions, inputs, delay, trace, _permit } = self;
            let mut is_sent = true;
            let sends = inputs.into_iter().enumerate().map(|(place, input)| {
                let id = ticket.id.at_place(&function, place);
                let version = target.choose(&id);
                let revision = revisions.get(&version).cloned();
                let ticket = Ticket { version: Some(version), revision, id, ..ticket.clone() };
                let request = input.map(|input| ticket.request(&function, input, trace.clone()));
                let app = &app;
                async move {
                    let request = request?;
                    send(app, request, delay).await?;
                    Ok(ticket.id)
                }
            });
            let sent: Vec<Result<ExecutionId, ApiError>> =
                stream::iter(sends).buffered(limits::BATCH_SENDS).collect().await;
            let failed = sent.iter().filter_map(|sent| sent.as_ref().err()).find(|error| error.is_ours());
            if let Some(error) = failed {
                tracing::error!(%function, %error, "a batch was not sent as a whole");
                is_sent = false;
            }
            if let Some(unsent) = unsent.filter(|_| is_sent) {
                unsent.note_sent(&app).await;
            }
            sent.into_iter().map(BatchItem::from).collect()
        });
        sending.await.map_err(|error| ApiError::Internal(format!("a batch was not sent: {error}")))
    }
}

impl From<Result<ExecutionId, ApiError>> for BatchItem {
    fn from(sent: Result<ExecutionId, ApiError>) -> Self {
        match sent {
            Ok(id) => Self::Id(id),
            Err(error) => Self::Error(error.in_answer()),
        }
    }
}
