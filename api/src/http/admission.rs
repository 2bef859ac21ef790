//! Room for requests and for their bodies. What there is no room for is refused with `503` at once, since what waits takes
//! room, too.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use badlambda_shared::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::guarded_body::until_sent;

/// How much more may be under way.
#[derive(Debug)]
pub(crate) struct Admission {
    requests: Arc<Semaphore>,
    body_bytes: Arc<Semaphore>,
}

/// The room that one body takes, until it is dropped.
#[derive(Debug)]
pub(crate) struct BodyPermit {
    free: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Admission {
    pub(crate) fn new() -> Self {
        Self {
            requests: Arc::new(Semaphore::new(limits::MAX_REQUESTS)),
            body_bytes: Arc::new(Semaphore::new(limits::MAX_BODY_BYTES_UNDER_WAY)),
        }
    }

    /// How many more requests there is room for.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.requests.available_permits()
    }

    /// Takes the room of so many requests.
    #[cfg(test)]
    pub(crate) fn take(&self, requests: u32) -> OwnedSemaphorePermit {
        Arc::clone(&self.requests).try_acquire_many_owned(requests).unwrap()
    }

    /// For a body of which nothing has come yet.
    pub(crate) fn for_body(&self) -> BodyPermit {
        BodyPermit { free: Arc::clone(&self.body_bytes), taken: None }
    }
}

impl BodyPermit {
    /// Takes room for so many more bytes.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), ApiError> {
        let bytes = u32::try_from(bytes).map_err(|_| ApiError::Busy)?;
        let more = Arc::clone(&self.free).try_acquire_many_owned(bytes).map_err(|_| ApiError::Busy)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }

    /// Gives all of it back: nothing is kept of the body.
    pub(crate) fn clear(&mut self) {
        self.taken = None;
    }
}

/// Lets a request in if there is room for one. It takes the room until its answer is sent.
pub(crate) async fn admit(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let requests = Arc::clone(&app.admission.requests);
    let permit = requests.try_acquire_owned().map_err(|_| ApiError::Busy)?;
    Ok(until_sent(next.run(request).await, permit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_take_room_until_they_are_gone() {
        let admission = Admission::new();
        let (mut large, mut other) = (admission.for_body(), admission.for_body());
        large.take(limits::MAX_BODY_BYTES_UNDER_WAY - 10).unwrap();
        other.take(4).unwrap();
        other.take(6).unwrap();
        assert!(matches!(other.take(1), Err(ApiError::Busy)));
        large.clear();
        other.take(1).unwrap();
        drop((large, other));
        assert_eq!(admission.body_bytes.available_permits(), limits::MAX_BODY_BYTES_UNDER_WAY);
    }
}
