//! One delivery of a message, among those before it.
//!
//! SQS counts deliveries, but not what became of them. What a worker gave back on purpose, it has noted in the
//! execution's record; any other delivery that ended without an outcome is an attempt that was lost.

use std::time::Duration;

use badlambda_shared::execution::{Execution, Status, Tally};
use badlambda_shared::id::ExecutionId;
use badlambda_shared::message::ExecutionRequest;
use badlambda_shared::name::FunctionName;
use badlambda_shared::queue::Message;
use badlambda_shared::records::{Found, Transition};
use badlambda_shared::timestamp::Timestamp;

use crate::Worker;
use crate::patience::patiently;

/// How long noting something may hold up that a message is given back.
const NOTE_PATIENCE: Duration = Duration::from_secs(3);

const MOST_TROUBLE_CHARACTERS: usize = 300;

/// The worker stops.
#[derive(Debug)]
pub(crate) struct Stopped;

/// The execution's record, if it has one that can be read; looked for until the worker stops.
pub(crate) async fn record_of(
    worker: &Worker,
    function: &FunctionName,
    id: &ExecutionId,
) -> Result<Option<Found>, Stopped> {
    let find = || worker.records.find(function, id);
    patiently("look for a record", &worker.stop, |_| true, find).await.map_err(|_| Stopped)
}

/// The present delivery.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) request: ExecutionRequest,
    /// Which attempt this is, from 1 on.
    pub(crate) number: u32,
    /// Attempts before it that got no outcome.
    pub(crate) lost: u32,
    /// Attempts before it that failed.
    pub(crate) failed: u32,
    /// Why the last attempt got no outcome, where that is known.
    pub(crate) trouble: Option<String>,
    receives: u32,
    noted: Option<Tally>,
    /// Of the record as it was last seen.
    pub(crate) etag: Option<String>,
}

/// Why a message is given back.
#[derive(Debug)]
pub(crate) enum GivenBack {
    /// It was not begun.
    NotBegun,
    /// This worker stops.
    Stopping,
    /// Function code failed, and is to be tried again.
    Failed,
    /// Our side failed.
    Trouble(String),
}

impl Turn {
    /// The delivery of `message`, whose execution has this record so far.
    pub(crate) fn of(message: &Message, request: ExecutionRequest, found: Option<Found>) -> Self {
        let (etag, noted) = found.map_or((None, None), |found| (Some(found.etag), found.record.tally));
        // Anybody may send a message that says it was received before; a copy of ours has had its receives noted.
        let before = message.receives_before.min(noted.as_ref().map_or(0, |tally| tally.receives));
        Self::after(before.saturating_add(message.receive_count), request, etag, noted)
    }

    fn after(receives: u32, request: ExecutionRequest, etag: Option<String>, noted: Option<Tally>) -> Self {
        let before = noted.clone().unwrap_or_default();
        let unaccounted = receives.saturating_sub(1).saturating_sub(before.receives);
        Self {
            request,
            number: before.attempts.saturating_add(unaccounted).saturating_add(1),
            lost: before.lost.saturating_add(unaccounted),
            failed: before.failed,
            trouble: if unaccounted == 0 { before.trouble } else { None },
            receives,
            noted,
            etag,
        }
    }

    /// The record of this attempt, so far that of a queued execution.
    pub(crate) fn record(&self, version: Option<u32>) -> Execution {
        let request = &self.request;
        let (id, function) = (request.id.clone(), request.function.clone());
        let queued = Execution::queued(id, function, version, request.submitted_at);
        Execution { attempts: self.number, ..queued }
    }

    /// Records that the attempt runs. True where the execution has its final record meanwhile.
    pub(crate) async fn note_running(&mut self, worker: &Worker, version: u32, since: Timestamp) -> bool {
        let record = Execution {
            status: Status::Running,
            started_at: Some(since),
            tally: self.noted.clone(),
            ..self.record(Some(version))
        };
        self.write(worker, &record).await
    }

    /// Notes why the message is given back. True where the execution has its final record meanwhile.
    pub(crate) async fn note_given_back(&mut self, worker: &Worker, why: &GivenBack) -> bool {
        let tally = self.tally(why);
        let record = Execution { attempts: tally.attempts, tally: Some(tally), ..self.record(None) };
        let noted = tokio::time::timeout(NOTE_PATIENCE, self.write(worker, &record)).await;
        noted.unwrap_or_else(|_| {
            tracing::warn!(execution = %record.id, "could not note in time why a message is given back");
            false
        })
    }

    fn tally(&self, why: &GivenBack) -> Tally {
        let begun = !matches!(why, GivenBack::NotBegun);
        Tally {
            receives: self.receives,
            attempts: if begun { self.number } else { self.number - 1 },
            lost: self.lost + u32::from(matches!(why, GivenBack::Trouble(_))),
            failed: self.failed + u32::from(matches!(why, GivenBack::Failed)),
            trouble: match why {
                GivenBack::Trouble(trouble) => Some(printable(trouble)),
                _ => self.trouble.clone(),
            },
        }
    }

    /// A note that can't be written costs nothing but the news.
    async fn write(&mut self, worker: &Worker, record: &Execution) -> bool {
        match worker.records.write(record, self.etag.as_deref()).await {
            Ok(Transition::Stored(etag)) => {
                self.etag = Some(etag);
                false
            }
            Ok(Transition::Final(_)) => true,
            Ok(Transition::Superseded) => false,
            Err(error) => {
                tracing::warn!(%error, "could not note where an execution stands");
                false
            }
        }
    }
}

/// What goes into a record, though function code may have had a hand in it: one line, and not a long one.
fn printable(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).take(MOST_TROUBLE_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use badlambda_shared::message::Received;
    use badlambda_shared::trace::Trace;

    use super::*;

    fn turn(receives: u32, noted: Option<Tally>) -> Turn {
        let (body, function, sent_at) = ("1", Some("hello"), Timestamp::now());
        let received = Received { message_id: "m-1", body, function, sent_at, trace: &Trace::NONE };
        Turn::after(receives, received.parse(None).unwrap(), None, noted)
    }

    #[test]
    fn a_delivery_that_nobody_noted_was_a_lost_attempt() {
        let first = turn(1, None);
        assert_eq!((first.number, first.lost, first.failed), (1, 0, 0));
        let third = turn(3, None);
        assert_eq!((third.number, third.lost), (3, 2));
    }

    #[test]
    fn trouble_is_bounded_and_printable() {
        let trouble =
            turn(1, None).tally(&GivenBack::Trouble("\u{1b}[2J\n".repeat(100_000))).trouble.unwrap();
        assert!(trouble.len() <= 300 && trouble.starts_with("\\u{1b}[2J\\n"), "{trouble}");
    }

    #[test]
    fn what_was_given_back_on_purpose_is_not_lost() {
        let not_begun = turn(1, None).tally(&GivenBack::NotBegun);
        let second = turn(2, Some(not_begun));
        assert_eq!((second.number, second.lost), (1, 0));
        let stopping = second.tally(&GivenBack::Stopping);
        let third = turn(3, Some(stopping));
        assert_eq!((third.number, third.lost), (2, 0));
        let failed = third.tally(&GivenBack::Failed);
        let fourth = turn(4, Some(failed));
        assert_eq!((fourth.number, fourth.lost, fourth.failed), (3, 0, 1));
        let trouble = fourth.tally(&GivenBack::Trouble("no zygote".to_owned()));
        // The fifth delivery was lost with its worker.
        let sixth = turn(6, Some(trouble));
        assert_eq!((sixth.number, sixth.lost, sixth.failed, sixth.trouble), (5, 2, 1, None));
    }
}
