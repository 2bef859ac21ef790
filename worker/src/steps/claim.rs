//! The first step: whether this delivery is to be run at all.
//!
//! The record of an execution is looked for before a function with network is run, since what that does outside can't be
//! taken back, and before a later attempt, since there may well be one. The first attempt of another function begins
//! without a look. It has no effect but its outcome, and that is dropped if there is a final record: the write of the
//! outcome is refused, or a look while it runs finds it (see `run`).

use std::time::Duration;

use badlambda_shared::aws::queue::Message;
use badlambda_shared::execution::history::{AttemptHistory, GivenBack};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::message::{BadMessage, ExecutionRequest};
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::records::{Found, Records};
use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::function::catalog::Runnable;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::timestamp::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::settle::{Refused, Settlement};
use crate::steps::kept_input;
use crate::steps::retry::{STORE_DELAY, STORE_PATIENCE, delay_unless_stopped, retry_until, stopped_or_after};

/// An execution that this delivery may run.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) request: &'a mut ExecutionRequest,
    pub(crate) history: &'a AttemptHistory,
    /// Of the execution's record as it was last seen.
    pub(crate) etag: Option<String>,
    /// Whether the record was looked for.
    pub(crate) has_looked: bool,
}

impl Claim<'_> {
    /// Whether the record must be looked for before this is run.
    pub(crate) fn needs_look(&self, runnable: &Runnable) -> bool {
        runnable.config.network || self.attempt() > 1
    }

    /// Which attempt this is, from 1 on.
    pub(crate) fn attempt(&self) -> u32 {
        self.history.attempts.saturating_add(1)
    }

    /// The execution's record, as far as it is known before it is run. It holds or names the input, where the config
    /// keeps inputs, unless that has still to be stored.
    pub(crate) fn record(&self, runnable: Option<&Runnable>, attempts: u32) -> Record {
        let ExecutionRequest { id, function, version, revision, input, submitted_at, replay_of, .. } =
            &*self.request;
        let (number, revision) = match runnable {
            Some(runnable) => (runnable.version, Some(runnable.revision.clone())),
            // What did not run has no version. A revision that was asked for alone is kept, for a replay to run it.
            None => (None, revision.clone().filter(|_| version.is_none())),
        };
        let queued = Record::queued(id.clone(), function.clone(), number, *submitted_at);
        let keeps = runnable.is_some_and(|runnable| runnable.config.keep_input);
        let (input, input_key) = kept_input::in_record(input, keeps);
        let replay_of = replay_of.clone();
        Record { attempts, input, input_key, revision, replay_of, ..queued }
    }

    /// Ends the execution, which can't be run. Its input goes with the message.
    pub(crate) fn dead_letter(&self, error: ExecutionError) -> Settlement {
        let record = self.record(None, self.history.attempts);
        let refused = Refused { record, etag: self.etag.clone() };
        Settlement::DeadLetter { refused: Some(Box::new(refused)), error }
    }
}

/// What the step needs.
pub(crate) struct Claimer {
    pub(crate) records: Records,
    pub(crate) limits: AttemptLimits,
    pub(crate) stop: CancellationToken,
}

/// Where an execution is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptLimits {
    /// How many attempts may get lost.
    pub(crate) max_attempts: u32,
    /// For how long the queue keeps a message. Copies of it are not kept for longer.
    pub(crate) retention: Duration,
}

impl Claimer {
    /// Decides by the message alone whether its execution may be run.
    pub(crate) async fn claim<'a>(
        &self,
        message: &Message,
        request: &'a mut Result<ExecutionRequest, BadMessage>,
        history: &'a AttemptHistory,
    ) -> Result<Claim<'a>, Settlement> {
        let request = match request {
            Ok(request) => request,
            Err(bad) => return Err(self.reject(message, bad).await?),
        };
        let mut claim = Claim { request, history, etag: None, has_looked: false };
        match next_step(history, self.limits, Timestamp::now()) {
            NextStep::Wait(after) => Err(Settlement::Retry { after, because: GivenBack::NotStarted }),
            NextStep::GiveUp(error) => {
                self.look(&mut claim).await?;
                Err(claim.dead_letter(error))
            }
            NextStep::Run => Ok(claim),
        }
    }

    /// Looks whether the execution has its final record already: then there is nothing to run.
    pub(crate) async fn look(&self, claim: &mut Claim<'_>) -> Result<(), Settlement> {
        let found = self.unfinished(&claim.request.function, &claim.request.id).await?;
        claim.etag = found.map(|found| found.etag);
        claim.has_looked = true;
        Ok(())
    }

    /// A message that can't be read goes to the dead-letter queue, and is recorded where it names an execution.
    async fn reject(&self, message: &Message, bad: &BadMessage) -> Result<Settlement, Settlement> {
        let error = ExecutionError::new(ErrorKind::BadMessage, bad.reason.clone());
        let Some((function, id)) = &bad.known else {
            return Ok(Settlement::DeadLetter { refused: None, error });
        };
        let etag = self.unfinished(function, id).await?.map(|found| found.etag);
        let record = Record::queued(id.clone(), function.clone(), None, message.sent_at);
        let refused = Some(Box::new(Refused { record, etag }));
        Ok(Settlement::DeadLetter { refused, error })
    }

    /// The execution's record, if there is one, unless it is final.
    async fn unfinished(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
    ) -> Result<Option<Found>, Settlement> {
        let find = || self.records.find(function, id);
        let give_up = stopped_or_after(&self.stop, STORE_PATIENCE);
        match retry_until("look for a record", give_up, |_| true, find).await {
            Ok(Some(found)) if found.record.status.is_final() => {
                Err(Settlement::Done { record: Box::new(found.record), is_own: false })
            }
            Ok(found) => Ok(found),
            Err(_) => Err(self.not_started()),
        }
    }

    /// The message is given back by a worker that has not begun to run it: at once where the worker stops, else later,
    /// since S3 does not answer.
    pub(crate) fn not_started(&self) -> Settlement {
        let after = delay_unless_stopped(&self.stop, STORE_DELAY);
        Settlement::Retry { after, because: GivenBack::NotStarted }
    }
}

/// What is to be done with an execution, as far as earlier attempts say.
#[derive(Debug, PartialEq)]
pub(crate) enum NextStep {
    Run,
    /// It is not to be run before this time has passed.
    Wait(Duration),
    GiveUp(ExecutionError),
}

/// Decides by the history alone.
pub(crate) fn next_step(history: &AttemptHistory, limits: AttemptLimits, now: Timestamp) -> NextStep {
    let is_over = history.first_sent_at.is_some_and(|sent_at| sent_at.plus(limits.retention) < now);
    if is_over {
        return NextStep::GiveUp(ExecutionError::expired(limits.retention));
    }
    if history.lost >= limits.max_attempts {
        return NextStep::GiveUp(worker_lost(history.lost, history.last_error.as_deref()));
    }
    match history.not_before {
        Some(at) if at > now => NextStep::Wait(now.until(at)),
        _ => NextStep::Run,
    }
}

/// The failure of what so many attempts gave no outcome for.
pub(crate) fn worker_lost(attempts: u32, last_error: Option<&str>) -> ExecutionError {
    let attempts = match attempts {
        1 => "one attempt".to_owned(),
        lost => format!("{lost} attempts"),
    };
    let why = match last_error {
        Some(error) => format!("; the last of them: {error}"),
        None => ": the workers that made them were lost".to_owned(),
    };
    ExecutionError::new(ErrorKind::WorkerLost, format!("{attempts} ended without an answer{why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const LIMITS: AttemptLimits = AttemptLimits { max_attempts: 5, retention: DAY };

    fn next(history: AttemptHistory) -> NextStep {
        next_step(&history, LIMITS, Timestamp::from_unix_ms(1_000_000_000).unwrap())
    }

    fn at(unix_ms: i64) -> Option<Timestamp> {
        Timestamp::from_unix_ms(unix_ms)
    }

    #[test]
    fn what_was_tried_too_often_is_given_up() {
        assert_eq!(next(AttemptHistory { lost: 4, failed: 8, ..Default::default() }), NextStep::Run);
        // It may say anything.
        let made_up = AttemptHistory { attempts: u32::MAX, lost: u32::MAX, ..Default::default() };
        assert!(matches!(next(made_up), NextStep::GiveUp(_)));
        let lost = AttemptHistory { lost: 5, last_error: Some("no zygote".to_owned()), ..Default::default() };
        let NextStep::GiveUp(error) = next(lost) else { panic!("it is run") };
        assert_eq!(error.kind, ErrorKind::WorkerLost);
        assert_eq!(error.message, "5 attempts ended without an answer; the last of them: no zygote");
    }

    #[test]
    fn what_is_to_wait_waits() {
        let history = AttemptHistory { not_before: at(1_000_060_000), ..Default::default() };
        assert_eq!(next(history), NextStep::Wait(Duration::from_secs(60)));
        assert_eq!(next(AttemptHistory { not_before: at(999_999_999), ..Default::default() }), NextStep::Run);
    }

    #[test]
    fn what_has_outlived_the_queue_is_expired() {
        let sent_at = at(1_000_000_000 - DAY.as_millis() as i64 - 1);
        let NextStep::GiveUp(error) = next(AttemptHistory { first_sent_at: sent_at, ..Default::default() })
        else {
            panic!("it is run")
        };
        assert_eq!(error.kind, ErrorKind::Expired);
        assert!(error.message.contains("within the 1.0 days"), "{error:?}");
    }
}
