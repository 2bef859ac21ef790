//! What is to go wrong, and how often.

use std::time::Duration;

use hyper::Method;
use hyper::http::request::Parts;
use rand::Rng;
use rand::rngs::StdRng;

/// Something that goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is answered late.
    Delay,
    /// It is refused for being one too many.
    Throttle,
    /// It is answered with an internal error.
    Fail,
    /// The connection is dropped, and nothing happens.
    Drop,
    /// It takes effect, and the connection is dropped.
    LoseAnswer,
    /// It takes effect twice.
    Twice,
    /// A receive is answered as the one before it was.
    Repeat,
    /// A conditional write is refused as if its condition did not hold.
    Refuse,
    /// A conditional write is refused since another is said to be under way.
    Conflict,
    /// There is never an answer.
    Hang,
    /// It is answered as one that may not be made.
    Deny,
}

/// How long a round trip to each service takes on the network: each request by chance 30 % more or less.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latency {
    /// To SQS.
    pub sqs: Duration,
    /// To S3.
    pub s3: Duration,
}

impl Latency {
    /// About what AWS's take within a region.
    pub const AWS: Self = Self { sqs: Duration::from_millis(8), s3: Duration::from_millis(25) };
}

/// The share of requests that each fault befalls, from 0 to 1.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What every request takes, whatever else befalls it.
    pub latency: Latency,
    /// See [`Fault::Delay`].
    pub delay: f64,
    /// See [`Fault::Throttle`].
    pub throttle: f64,
    /// See [`Fault::Fail`].
    pub fail: f64,
    /// See [`Fault::Drop`].
    pub drop: f64,
    /// See [`Fault::LoseAnswer`].
    pub lose_answer: f64,
    /// See [`Fault::Twice`]; of sent messages alone.
    pub twice: f64,
    /// Every so many conditional writes one is refused, by turns with either answer; 0 for none.
    pub refuse_every: u64,
    /// S3 answers everything with errors.
    pub s3_is_down: bool,
    /// S3 answers everything as if it were not allowed.
    pub s3_denies: bool,
    /// Receives are never answered.
    pub receives_hang: bool,
    /// Every so many receives one brings what the one before it brought; 0 for none.
    pub repeat_every: u64,
    /// SQS never answers anything.
    pub sqs_hangs: bool,
    /// Of the renewals of leases, one in so many is answered; 0 for all.
    pub renewals_answered_every: u64,
}

impl Plan {
    /// A bad day: everything at once, none of it rare.
    pub fn storm() -> Self {
        Self {
            delay: 0.05,
            throttle: 0.03,
            fail: 0.03,
            drop: 0.02,
            lose_answer: 0.03,
            twice: 0.05,
            refuse_every: 10,
            ..Self::default()
        }
    }
}

/// A request, as far as it matters to what may go wrong with it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) of_sqs: bool,
    sends: bool,
    pub(crate) receives: bool,
    renews: bool,
    conditional_write: bool,
}

impl Asked {
    pub(crate) fn of(parts: &Parts) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let names = |operation: &str| target.is_some_and(|target| target.contains(operation));
        let has = |name: &str| parts.headers.contains_key(name);
        Self {
            of_sqs: target.is_some(),
            sends: names("SendMessage"),
            receives: names("ReceiveMessage"),
            renews: names("ChangeMessageVisibility"),
            conditional_write: parts.method == Method::PUT && (has("if-match") || has("if-none-match")),
        }
    }
}

/// What is left to chance.
pub(crate) struct Dice {
    rng: StdRng,
    conditional_writes: u64,
    renewals: u64,
    receives: u64,
}

impl Dice {
    pub(crate) fn new(rng: StdRng) -> Self {
        Self { rng, conditional_writes: 0, renewals: 0, receives: 0 }
    }

    pub(crate) fn draw(&mut self, plan: &Plan, asked: &Asked) -> Option<Fault> {
        if (plan.receives_hang && asked.receives) || (plan.sqs_hangs && asked.of_sqs) {
            return Some(Fault::Hang);
        }
        if plan.repeat_every > 0 && asked.receives {
            self.receives += 1;
            return self.receives.is_multiple_of(plan.repeat_every).then_some(Fault::Repeat);
        }
        if plan.renewals_answered_every > 0 && asked.renews {
            self.renewals += 1;
            let answered = self.renewals.is_multiple_of(plan.renewals_answered_every);
            return (!answered).then_some(Fault::Hang);
        }
        if plan.s3_is_down && !asked.of_sqs {
            return Some(Fault::Fail);
        }
        if plan.s3_denies && !asked.of_sqs {
            return Some(Fault::Deny);
        }
        if plan.refuse_every > 0 && asked.conditional_write {
            self.conditional_writes += 1;
            if self.conditional_writes.is_multiple_of(plan.refuse_every) {
                let odd = (self.conditional_writes / plan.refuse_every).is_multiple_of(2);
                return Some(if odd { Fault::Conflict } else { Fault::Refuse });
            }
        }
        let shares = [
            (plan.delay, Fault::Delay),
            (plan.throttle, Fault::Throttle),
            (plan.fail, Fault::Fail),
            (plan.drop, Fault::Drop),
            (plan.lose_answer, Fault::LoseAnswer),
            (if asked.sends { plan.twice } else { 0.0 }, Fault::Twice),
        ];
        let mut drawn: f64 = self.rng.random();
        for (share, fault) in shares {
            if drawn < share {
                return Some(fault);
            }
            drawn -= share;
        }
        None
    }

    /// How long the round trip of this request takes.
    pub(crate) fn latency(&mut self, plan: &Plan, asked: &Asked) -> Duration {
        let usual = if asked.of_sqs { plan.latency.sqs } else { plan.latency.s3 };
        if usual.is_zero() { usual } else { usual.mul_f64(self.rng.random_range(0.7..1.3)) }
    }

    pub(crate) fn delay(&mut self) -> Duration {
        Duration::from_millis(self.rng.random_range(50..1500))
    }
}
