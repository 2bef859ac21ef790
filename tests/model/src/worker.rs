//! What a worker does, step by step, and what its faults do.

use crate::actions::{Action, Advance, Fault, WorkerIndex};
use crate::bucket::{Etag, Keys, Record, USUAL};
use crate::state::{AttemptHistory, Copied, Delivery, State, Step};
use crate::{Bug, Protocol};

/// Why a message is given back, which is what its copy's history says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GivenBack {
    /// S3 does not answer.
    StoreDown,
    /// The worker stops.
    Stopped,
    /// The function failed, and is to be tried again.
    Failed,
    /// The attempt got no outcome.
    Lost,
}

impl Protocol {
    /// Lets an event happen.
    pub fn apply(&self, action: Action, state: &mut State) {
        match action {
            Action::Receive(worker, message) => {
                let capped = self.bug == Bug::CarriedLossesAreCapped;
                let cap = if capped { self.bounds.max_attempts - 1 } else { u8::MAX };
                state.workers[worker] = Some(state.receive(message, cap));
            }
            Action::EndLease(message) => {
                if state.is_held(message) {
                    state.faults -= 1;
                }
                state.make_visible(message);
            }
            Action::Cancel(execution) => state.executions[execution].cancel(),
            Action::Advance(worker, advance) => {
                self.go_on(state, worker, |delivery, state| self.advance(advance, delivery, state));
            }
            Action::Fail(worker, fault) => {
                state.faults -= 1;
                self.go_on(state, worker, |delivery, state| self.fail(fault, delivery, state));
            }
        }
    }

    /// Gives a worker's delivery its next step, or ends it.
    fn go_on(
        &self,
        state: &mut State,
        worker: WorkerIndex,
        next_step: impl FnOnce(&mut Delivery, &mut State) -> Option<Step>,
    ) {
        if let Some(mut delivery) = state.workers[worker] {
            let step = next_step(&mut delivery, state);
            state.workers[worker] = step.map(|step| Delivery { step, ..delivery });
        }
    }

    /// The step after the present one, which is carried out.
    fn advance(&self, advance: Advance, delivery: &mut Delivery, state: &mut State) -> Option<Step> {
        match (delivery.step, advance) {
            // A record that is there already refuses the write of the outcome.
            (Step::Claim, Advance::BeginUnseen) => Some(Step::Run { known: Etag::default() }),
            (Step::Claim, _) => Some(self.claim(delivery, state)),
            (Step::Run { known }, Advance::Succeed) => Some(Step::StoreResult { known }),
            (Step::Run { .. }, Advance::FailToRun) if delivery.history.failed < self.bounds.retries => {
                Some(self.give_back(delivery, GivenBack::Failed))
            }
            (Step::Run { known }, Advance::FailToRun) => {
                Some(Step::WriteRecord { record: Record::Failed, known })
            }
            (Step::Run { .. }, _) => Some(Step::List),
            (Step::StoreResult { known }, advance) => {
                let has_same_bytes = advance == Advance::StoreResult { has_same_bytes: true };
                let key = state.execution_of(delivery).store_result(has_same_bytes);
                Some(Step::WriteRecord { record: Record::Succeeded(key), known })
            }
            (Step::DeadLetter { known }, _) => {
                state.execution_of(delivery).dead_lettered = true;
                let record = Record::WorkerLost;
                let is_last = self.bug == Bug::RecordBeforeDeadLetter;
                Some(if is_last { DELETE } else { Step::WriteRecord { record, known } })
            }
            (Step::WriteRecord { record, known }, _) => Some(self.write(delivery, state, record, known)),
            (Step::ReadRecord { record }, _) => Some(self.read(delivery, state, record)),
            (Step::CleanUp { mut superfluous }, _) => {
                let key = superfluous.pop()?;
                state.execution_of(delivery).results.remove(key);
                Some(clean_up(superfluous))
            }
            (Step::List, _) => {
                state.execution_of(delivery).is_listed = true;
                Some(DELETE)
            }
            (Step::SendCopy(copied), _) => {
                state.send_copy(delivery, copied);
                // Else the message was deleted before.
                (self.bug != Bug::DeleteBeforeCopy).then_some(DELETE)
            }
            (Step::Release, _) => {
                state.make_visible(delivery.message);
                None
            }
            (Step::Delete { copy_after }, advance) => {
                if advance != (Advance::Delete { is_ignored: true }) {
                    state.delete(delivery);
                }
                copy_after.map(Step::SendCopy)
            }
        }
    }

    /// What a fault leads to. A crash ends the delivery.
    fn fail(&self, fault: Fault, delivery: &mut Delivery, state: &mut State) -> Option<Step> {
        match (delivery.step, fault) {
            (_, Fault::Crash) => None,
            (Step::List, Fault::StoreDown) => Some(Step::Release),
            (_, Fault::StoreDown) => Some(self.give_back(delivery, GivenBack::StoreDown)),
            (_, Fault::Drain) => Some(self.give_back(delivery, GivenBack::Stopped)),
            (_, Fault::AttemptLost) => Some(self.give_back(delivery, GivenBack::Lost)),
            (Step::WriteRecord { record, known }, Fault::AnswerLost) => {
                self.write(delivery, state, record, known);
                Some(delivery.step)
            }
            (Step::Run { .. }, Fault::RecordRunning) => {
                let execution = state.execution_of(delivery);
                if execution.is_final() {
                    return Some(Step::List);
                }
                // A refused write is followed by others, with the ETags that are read meanwhile.
                execution.write(Record::Running);
                Some(Step::Run { known: execution.etag })
            }
            (Step::SendCopy(copied), Fault::CopyRefused { arrives }) => {
                if arrives {
                    state.send_copy(delivery, copied);
                }
                Some(Step::Release)
            }
            (step, Fault::AnswerLost | Fault::RecordRunning | Fault::CopyRefused { .. }) => Some(step),
        }
    }

    fn claim(&self, delivery: &mut Delivery, state: &mut State) -> Step {
        let execution = state.execution_of(delivery);
        let (is_final, known) = (execution.is_final(), execution.etag);
        delivery.was_final = is_final;
        if is_final && self.bug != Bug::ClaimWithoutRecord {
            return if self.bug == Bug::ReturnedIsNotListed { DELETE } else { Step::List };
        }
        if delivery.history.lost < self.bounds.max_attempts {
            return Step::Run { known };
        }
        match self.bug {
            Bug::RecordBeforeDeadLetter => Step::WriteRecord { record: Record::WorkerLost, known },
            _ => Step::DeadLetter { known },
        }
    }

    /// Writes the final record.
    fn write(&self, delivery: &Delivery, state: &mut State, record: Record, known: Etag) -> Step {
        let execution = state.execution_of(delivery);
        if self.bug == Bug::UnconditionalRecord {
            execution.write(record);
        } else if !execution.write_if(known, record) {
            return Step::ReadRecord { record };
        }
        self.after_final(record, known, superfluous(record, record))
    }

    /// Reads the record after a refused write. It is another's, or this worker's own if an answer got lost.
    fn read(&self, delivery: &Delivery, state: &mut State, own: Record) -> Step {
        let execution = state.execution_of(delivery);
        let known = execution.etag;
        let Some(winner) = execution.record.filter(|found| found.is_final()) else {
            return Step::WriteRecord { record: own, known };
        };
        let mut superfluous = superfluous(winner, own);
        if self.bug == Bug::LoserDeletesWinnersResult {
            own.result().into_iter().for_each(|key| superfluous.insert(key));
        }
        self.after_final(own, known, superfluous)
    }

    /// The step once the execution has its final record, where these results are superfluous.
    fn after_final(&self, own: Record, known: Etag, superfluous: Keys) -> Step {
        match own {
            Record::WorkerLost if self.bug == Bug::RecordBeforeDeadLetter => Step::DeadLetter { known },
            Record::WorkerLost => Step::List,
            _ => clean_up(superfluous),
        }
    }

    /// Gives the message back on purpose: its copy says what became of the attempt.
    fn give_back(&self, delivery: &Delivery, because: GivenBack) -> Step {
        let AttemptHistory { lost, failed } = delivery.history;
        let was_lost = because == GivenBack::Lost;
        let counts_as_lost =
            was_lost || because == GivenBack::StoreDown && self.bug == Bug::OutageCountsAsLost;
        let history = AttemptHistory {
            lost: lost + u8::from(counts_as_lost),
            failed: failed + u8::from(because == GivenBack::Failed),
        };
        let copied = Copied { history, losses: delivery.losses + u8::from(was_lost) };
        match self.bug {
            Bug::DeleteBeforeCopy => Step::Delete { copy_after: Some(copied) },
            _ => Step::SendCopy(copied),
        }
    }
}

/// The last step of the protocol.
const DELETE: Step = Step::Delete { copy_after: None };

/// The results that no record names once `winner` is final: what this attempt stored, if another was first, and what an
/// attempt that got lost may have left under the usual key.
fn superfluous(winner: Record, own: Record) -> Keys {
    let (named, stored) = (winner.result(), own.result());
    let mut keys = Keys::default();
    for key in stored.into_iter().chain([USUAL]).filter(|key| Some(*key) != named) {
        keys.insert(key);
    }
    keys
}

fn clean_up(superfluous: Keys) -> Step {
    if superfluous.is_empty() { Step::List } else { Step::CleanUp { superfluous } }
}
