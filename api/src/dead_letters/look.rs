//! A look at the dead-letter queue, or something short that is done there, to its end.

use std::sync::Arc;

use badlambda_shared::dead_letters::{DeadLetterError, Progress};
use badlambda_shared::limits;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::http::error::ApiError;

/// What came of it, and whether it came to an end, or ran out of time.
pub(super) struct Looked<T> {
    pub(super) found: T,
    pub(super) is_complete: bool,
}

impl<T> Looked<T> {
    /// Why one that was looked for is not there.
    pub(super) fn missing(&self) -> ApiError {
        if self.is_complete { ApiError::DeadLetterNotFound } else { ApiError::TooManyDeadLetters }
    }
}

/// Does `work` once it is this request's turn, in a task of its own. It is stopped, and gives back what it holds, when
/// the client goes away, when the API stops, and when it takes longer than clients wait.
pub(super) async fn in_turn<T: Send + 'static, F>(
    app: &Arc<App>,
    work: impl FnOnce(Arc<App>, Progress) -> F,
) -> Result<Looked<T>, ApiError>
where
    F: Future<Output = Result<T, DeadLetterError>> + Send + 'static,
{
    let give_up_at = Instant::now() + limits::DEAD_LETTER_LOOK;
    let turn = timeout_at(give_up_at, Arc::clone(&app.dead_letter_turn).lock_owned()).await;
    let turn = turn.map_err(|_| ApiError::Busy)?;
    let progress = Progress::stopped_by(app.shutdown.soft.child_token());
    let _stopped_with_this_future = progress.stop.clone().drop_guard();
    let work = work(Arc::clone(app), progress.clone());
    let mut task = app.tasks.spawn(async move {
        let done = work.await;
        drop(turn);
        done
    });
    let done = match timeout_at(give_up_at, &mut task).await {
        Ok(done) => done,
        Err(_) => {
            progress.stop.cancel();
            task.await
        }
    };
    let found = done.map_err(|error| ApiError::Internal(error.to_string()))??;
    if app.shutdown.soft.is_cancelled() {
        return Err(ApiError::Draining);
    }
    Ok(Looked { found, is_complete: !progress.stop.is_cancelled() })
}
