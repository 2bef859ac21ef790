//! One listener for both services.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use s3s::Body;
use s3s::service::S3Service;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::credentials::Credentials;
use crate::sqs::{Sqs, protocol};

const ACCEPT_RETRY: Duration = Duration::from_millis(50);
const DRAIN: Duration = Duration::from_secs(3);

/// What is served.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) sqs: Arc<Sqs>,
    pub(crate) s3: S3Service,
    pub(crate) credentials: Credentials,
}

/// Serves until `stop`, then lets what is under way end. When this has ended, or is dropped, so has every connection.
pub(crate) async fn serve(listener: TcpListener, services: Services, stop: CancellationToken) {
    let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(
                    stream,
                    services.clone(),
                    stop.clone(),
                    graceful.watcher(),
                ));
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests to the embedded servers were still under way at the end");
    }
    connections.shutdown().await;
}

async fn serve_connection(stream: TcpStream, services: Services, stop: CancellationToken, graceful: Watcher) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let (services, stop) = (services.clone(), stop.clone());
        async move { Ok::<_, Infallible>(answer(request, &services, &stop).await) }
    });
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = graceful.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// SQS's JSON protocol names its operation in a header; everything else is S3's.
async fn answer(request: Request<Incoming>, services: &Services, stop: &CancellationToken) -> Response<Body> {
    match protocol::operation(&request) {
        Some(operation) => {
            protocol::answer(request, &operation, &services.sqs, &services.credentials, stop).await
        }
        None => services.s3.call(request.map(Body::from)).await.unwrap_or_else(|error| {
            tracing::error!(?error, "the embedded S3 failed");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            response
        }),
    }
}
