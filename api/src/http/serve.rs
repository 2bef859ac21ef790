//! The listener: so many connections at once, and none that is held open by half a request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::http::pace::{Pace, Paced};

/// Connections at once; those beyond wait to be accepted.
const CONNECTIONS: u64 = 8_192;
/// Descriptors that are kept for everything else.
const OTHER_DESCRIPTORS: u64 = 256;
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Serves until `stop`, then lets what is under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(most_connections()));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                let (router, watcher) = (router.clone(), graceful.watcher());
                tokio::spawn(async move {
                    serve_connection(stream, peer, router, watcher).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

/// As many as there are descriptors for, beside those of calls to S3 and SQS.
fn most_connections() -> usize {
    let most = (descriptors().saturating_sub(OTHER_DESCRIPTORS) / 2).clamp(64, CONNECTIONS);
    usize::try_from(most).unwrap_or(64)
}

/// How many descriptors this process may have, after it has asked for as many as it has a use for. A shell gives 1,024, for
/// the sake of programs that call select(2).
fn descriptors() -> u64 {
    let wanted = 2 * CONNECTIONS + OTHER_DESCRIPTORS;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    let raised = wanted.min(hard).max(soft);
    match setrlimit(Resource::RLIMIT_NOFILE, raised, hard) {
        Ok(()) => raised,
        Err(_) => soft,
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>)> {
    let permit = Arc::clone(room).acquire_owned().await.ok();
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, router: Router, graceful: Watcher) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let pace = Pace::new();
    let service = service_fn({
        let pace = pace.clone();
        move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let answered = pace.answering();
            let router = router.clone();
            async move {
                let response = router.oneshot(request.map(Body::new)).await;
                drop(answered);
                response.map_err(|never: Infallible| never)
            }
        }
    });
    let io = TokioIo::new(Paced { stream, pace: pace.clone() });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // It would end what lies idle, too; the pace tells the two apart.
        .header_read_timeout(None)
        .serve_connection(io, service);
    tokio::select! {
        ended = graceful.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = pace.too_slow() => tracing::debug!("a connection brought no request in time"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::routing::get;
    use futures::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::Instant;

    use super::*;
    use crate::http::pace::{HEADERS, IDLE};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    async fn started() -> (std::net::SocketAddr, CancellationToken) {
        serving(Router::new().route("/", get(async || "here"))).await
    }

    async fn serving(router: Router) -> (std::net::SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(serve(listener, router, stop.clone()));
        (address, stop)
    }

    /// How long the server leaves a connection open on which these bytes came.
    async fn left_open(sent: &[&[u8]]) -> Duration {
        let (address, _stop) = started().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        for bytes in sent {
            stream.write_all(bytes).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let (since, mut all) = (Instant::now(), Vec::new());
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&all).matches("here").count(),
            sent.concat().windows(4).filter(|window| window == b"\r\n\r\n").count()
        );
        since.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_request_does_not_hold_a_connection() {
        let half: &[u8] = b"GET / HT";
        for sent in [&[][..], &[half], &[REQUEST, half]] {
            let open = left_open(sent).await;
            assert!(open < HEADERS * 2, "{open:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_a_connection_may_lie_idle() {
        let open = left_open(&[REQUEST, REQUEST]).await;
        assert!((IDLE / 2..IDLE * 2).contains(&open), "{open:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_be_streamed_for_longer_than_a_connection_may_lie_idle() {
        let tick = || async { tokio::time::sleep(IDLE / 3).await };
        let lines = stream::unfold(0, move |n| async move {
            tick().await;
            (n < 10).then(|| (Ok::<_, Infallible>("line\n"), n + 1))
        });
        let body = Arc::new(Mutex::new(Some(Body::from_stream(lines))));
        let router = Router::new().route("/", get(async move || body.lock().unwrap().take().unwrap()));
        let address = serving(router).await.0;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&all).matches("line").count(), 10);
    }

    #[tokio::test]
    async fn what_is_under_way_ends_and_idle_connections_close() {
        let (address, stop) = started().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.unwrap();
        stop.cancel();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(String::from_utf8_lossy(&rest).contains("here"));
    }
}
