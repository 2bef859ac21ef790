//! Executions for which somebody listens. One task looks at the record of each, for all of its listeners.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::name::FunctionName;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::App;
use crate::executions::looks::Looks;
use crate::executions::poll::{as_it_stands, submitted_at};
use crate::http::error::ApiError;

/// How long a look waits after one that failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// No look waits longer for an execution's end, since whoever listens is also told that it runs, and of its logs.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How much longer than a poll that waits a listener may wait for news, as a share of the time for which somebody has
/// listened, and at most.
const LATER_BY: u32 = 20;
const LATEST_BY: Duration = Duration::from_secs(4);

/// The executions for which somebody listens, each with its record as it was last seen.
#[derive(Debug, Default)]
pub(crate) struct Watched(Mutex<HashMap<Subject, watch::Sender<Arc<Record>>>>);

type Subject = (FunctionName, ExecutionId);

/// The record of this execution, as it changes: its last form is final, unless the API stops. `record` is its present
/// form.
pub(super) fn watch_record(app: &Arc<App>, record: Record) -> watch::Receiver<Arc<Record>> {
    let subject = (record.function.clone(), record.id.clone());
    let mut watched = app.watched.lock();
    if let Some(sender) = watched.get(&subject) {
        return sender.subscribe();
    }
    let (sender, receiver) = watch::channel(Arc::new(record));
    watched.insert(subject.clone(), sender.clone());
    drop(watched);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = look(&app, &subject, &sender).await {
            tracing::debug!(%error, execution = %subject.1, "an execution for which somebody listened is gone");
        }
        app.watched.remove(&subject, &sender);
    });
    receiver
}

/// Looks until the execution is final or gone, or nobody listens any more, or the API stops.
async fn look(app: &App, subject: &Subject, sender: &watch::Sender<Arc<Record>>) -> Result<(), ApiError> {
    let (function, id) = subject;
    let version = sender.borrow().version;
    let submitted_at = submitted_at(function, id)?;
    let listening_since = Instant::now();
    let looking = async {
        let mut looks = Looks::begin(app, function, id, version, submitted_at, Duration::MAX).await;
        loop {
            let found = match looks.next(LOOK_EVERY).await {
                Err(error) if error.is_ours() => {
                    tracing::warn!(%error, "could not look at a record for which somebody listens");
                    tokio::time::sleep(RETRY_AFTER).await;
                    continue;
                }
                found => {
                    Box::pin(as_it_stands(app, function.clone(), id.clone(), submitted_at, found?)).await?
                }
            };
            let is_final = found.status.is_final();
            sender.send_replace(Arc::new(found));
            if is_final {
                return Ok(());
            }
            tokio::time::sleep((listening_since.elapsed() / LATER_BY).min(LATEST_BY)).await;
        }
    };
    tokio::select! {
        looked = looking => looked,
        () = app.watched.abandoned(subject, sender) => Ok(()),
        () = app.shutdown.soft.cancelled() => Ok(()),
    }
}

impl Watched {
    /// Returns once nobody listens any more, and nobody can begin to.
    async fn abandoned(&self, subject: &Subject, sender: &watch::Sender<Arc<Record>>) {
        loop {
            sender.closed().await;
            let mut watched = self.lock();
            // Somebody may have come at the last moment.
            if sender.receiver_count() == 0 {
                watched.remove(subject);
                return;
            }
        }
    }

    fn remove(&self, subject: &Subject, sender: &watch::Sender<Arc<Record>>) {
        let mut watched = self.lock();
        if watched.get(subject).is_some_and(|found| found.same_channel(sender)) {
            watched.remove(subject);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, watch::Sender<Arc<Record>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use badlambda_shared::timestamp::Timestamp;

    use super::*;
    use crate::app::tests::app;

    #[tokio::test(start_paused = true)]
    async fn one_task_looks_for_all_who_listen_and_ends_with_the_last() {
        let app = app();
        let record =
            |id: &str| Record::queued(id.parse().unwrap(), "hello".parse().unwrap(), None, Timestamp::now());
        let one = [watch_record(&app, record("order-1")), watch_record(&app, record("order-1"))];
        let other = watch_record(&app, record("order-2"));
        assert_eq!(app.watched.lock().len(), 2);
        let [first, second] = one;
        drop((first, other));
        while app.watched.lock().len() == 2 {
            tokio::time::sleep(RETRY_AFTER).await;
        }
        assert!(app.watched.lock().contains_key(&("hello".parse().unwrap(), "order-1".parse().unwrap())));
        drop(second);
        while !app.watched.lock().is_empty() {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}
