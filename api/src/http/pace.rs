//! The pace of a connection: how long it may take to bring a request, and to lie idle between two.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// From a connection's begin, or the first byte of a later request, to the end of that request's headers.
pub(super) const HEADERS: Duration = Duration::from_secs(10);
/// How long a connection may lie idle between requests: longer than load balancers keep theirs, which would otherwise
/// send requests into connections that are being closed. An ALB's default is 60 s.
pub(super) const IDLE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a connection stands between its requests.
#[derive(Clone, Debug)]
pub(super) struct Pace(Arc<Mutex<Standing>>);

#[derive(Clone, Copy, Debug)]
enum Standing {
    /// A request's headers are to be there by then.
    Headers(Instant),
    /// Nothing of another request has come yet.
    Idle(Instant),
    /// A request is being answered.
    Answering,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Standing::Headers(Instant::now() + HEADERS))))
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came.
    fn read(&self) {
        let mut standing = self.lock();
        if let Standing::Idle(_) = *standing {
            *standing = Standing::Headers(Instant::now() + HEADERS);
        }
    }

    /// Who reads a long answer, such as one that is streamed, is not idle.
    fn note_write(&self, polled: &Poll<std::io::Result<usize>>) {
        let mut standing = self.lock();
        if let (Standing::Idle(_), Poll::Ready(Ok(1..))) = (*standing, polled) {
            *standing = Standing::Idle(Instant::now() + IDLE);
        }
    }

    /// A request is being answered until what this returns is dropped.
    pub(super) fn answering(&self) -> Answering {
        *self.lock() = Standing::Answering;
        Answering(self.clone())
    }

    /// Returns once the connection has kept everybody waiting for too long.
    pub(super) async fn too_slow(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let standing = *self.lock();
            match standing {
                Standing::Headers(until) | Standing::Idle(until) if Instant::now() > until => return,
                _ => {}
            }
        }
    }
}

pub(super) struct Answering(Pace);

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.lock() = Standing::Idle(Instant::now() + IDLE);
    }
}

/// A stream whose reads and writes are noticed.
pub(super) struct Paced {
    pub(super) stream: TcpStream,
    pub(super) pace: Pace,
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pace.read();
        }
        polled
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.pace.note_write(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.pace.note_write(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
