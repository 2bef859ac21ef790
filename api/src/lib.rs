//! Bad Lambda's HTTP API: it takes functions and executions in, and tells what became of them. It runs nothing
//! itself. A worker takes the executions from the queue, and leaves their records in the bucket.
//!
//! A tour, along the path of a request:
//! - [`Config`] is read once, and [`run`] serves until it is told to stop.
//! - `router` lists every route with the scope that it needs, which `tokens` checks. Around all of them stand
//!   `http::problem` (request ids, and errors as `application/problem+json`) and `http::access` (the guard against other
//!   sites' pages). A handler
//!   reads its request by `http::request` (paths and queries) and `http::body`, and returns an `http::response` or an
//!   `http::error`; the HTTP status of either is chosen in `http::status`, nowhere else. `http::serve` accepts
//!   connections, and ends those that bring no request.
//! - A function comes in through `functions::draft` (what the request asks for), is checked by [`functions::syntax`]
//!   without being run, and is written by `functions::publish`, whose doc says why a version never means two contents.
//!   `functions::routes` and `functions::versions` read what is there; `functions::manifest` reads and replaces the one
//!   object of a function that changes.
//! - An execution comes in through `executions::submit`, and is put on the queue by `executions::send`, in calls to SQS
//!   that concurrent submits share. `executions::idempotency` makes a repeated request harmless. `executions::poll` finds
//!   its record or waits for it, `expire` tells where its message has outlived the queue, `results` redirects to what it
//!   left behind, and `cancel` ends it before its time.
//! - `executions::list` lists what `index` finds of the executions that ended, or run. `stats` adds it up.
//! - `maps` takes on one function over many inputs, counts and streams what came of them.
//! - `lambda` is AWS Lambda's own wire API over the same functions and executions.
//! - `console` serves the page that people use all of this by.
//! - `dead_letters` shows what workers gave up, and sends it back to the queue or away.
//! - `health` answers probes and scrapes, [`metrics`] names what is counted. `openapi` describes all of this: what each call
//!   takes and answers stands beside its handler.

#![forbid(unsafe_code)]

mod app;
mod config;
mod console;
mod dead_letters;
mod executions;
pub mod functions;
mod health;
mod http;
mod index;
mod lambda;
mod maps;
pub mod metrics;
mod openapi;
mod readiness;
mod router;
mod schema;
mod stats;
mod tokens;

use std::sync::Arc;

use anyhow::Context as _;
use badlambda_shared::aws::AwsClients;
use badlambda_shared::limits;
use badlambda_shared::process::metrics::keep_up;
use badlambda_shared::process::shutdown::Shutdown;
use tokio::net::TcpListener;

pub use crate::config::{Config, DEFAULT_LISTEN};
pub use crate::tokens::{TokenSummary, summarize_tokens};

/// The API's OpenAPI 3.1 document, in JSON.
pub fn openapi_document() -> &'static str {
    &openapi::DOCUMENT.json
}

/// Serves the API on `listener` until `shutdown`.
///
/// On its soft stage nothing more is accepted, waiting polls are answered with what there is, and requests under
/// way may end, for at most [`limits::API_DRAIN`]. Its hard stage ends everything at once.
///
/// # Errors
/// When `listener` can be reached from elsewhere and no token is configured.
pub async fn run(
    config: Config,
    aws: AwsClients,
    listener: TcpListener,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    config.check_exposure(address)?;
    config.log(address);
    metrics::start_counting();
    tokio::spawn(keep_up(shutdown.soft.clone()));
    let app = Arc::new(app::App::new(&config, &aws, address, shutdown.clone()));
    let tasks = app.tasks.clone();
    let (sampled, stop) = (Arc::clone(&app), shutdown.soft.clone());
    tokio::spawn(async move { sampled.samples.take(&sampled.queue, &stop).await });
    let server = async {
        http::serve::serve(listener, router::router(app), shutdown.soft.clone()).await;
        tasks.close();
        tasks.wait().await;
    };
    let drained_too_long = async {
        shutdown.soft.cancelled().await;
        tracing::info!("the API drains");
        tokio::time::sleep(limits::API_DRAIN).await;
    };
    tokio::select! {
        biased;
        () = shutdown.hard.cancelled() => tracing::warn!("the API stops at once"),
        () = server => {}
        () = drained_too_long => tracing::warn!("requests were still under way at the end of the drain"),
    }
    tracing::info!("the API has stopped");
    Ok(())
}
