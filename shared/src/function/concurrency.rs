//! How many executions of a function with reserved concurrency there may be at once, over the whole fleet. One object for
//! each such function says how many of them each worker may run, and until when: the workers' shares. A worker changes
//! it only on condition that nobody else has in between, so that the shares never add up to more than the function has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::store::{Condition, JSON, Store, StoreError, Written};
use crate::function::name::FunctionName;
use crate::limits;
use crate::timestamp::Timestamp;

/// Bytes of the shares of a function: of some ten thousand workers.
const MOST_BYTES: u64 = 1 << 20;

/// What workers may run of a function, as S3 holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shares {
    /// By the worker's name.
    pub shares: BTreeMap<String, Share>,
    /// How long its runs took lately, in milliseconds.
    pub run_ms: u64,
}

/// What one worker may run of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// So many at once.
    pub executions: u32,
    /// A worker that has not renewed it until then has lost it.
    pub until: Timestamp,
}

/// What a worker asks for.
#[derive(Clone, Copy, Debug)]
pub struct ShareRequest<'a> {
    /// The worker's name.
    pub worker: &'a str,
    /// How many executions it wants to run at once; none gives its share back.
    pub wanted: u32,
    /// How many of them run already. A share that is still held is not made smaller than that.
    pub running: u32,
    /// How many there may be in the whole fleet.
    pub cap: u32,
}

impl Shares {
    /// What is stored, and its ETag, if there is something. What can't be read counts as nothing, and is replaced.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn read(store: &Store, function: &FunctionName) -> Result<(Self, Option<String>), StoreError> {
        let key = store.keys().shares(function);
        let Some(object) = store.get(&key, MOST_BYTES).await? else { return Ok((Self::default(), None)) };
        let stored = serde_json::from_slice(&object.bytes).unwrap_or_else(|error| {
            tracing::error!(%error, key, "the shares of a function can't be read, and are replaced");
            Self::default()
        });
        Ok((stored, Some(object.etag)))
    }

    /// Replaces what is stored, unless it is not that of this ETag any more, or there is something now.
    ///
    /// # Errors
    /// When S3 fails; it may have been written then.
    pub async fn write(
        &self,
        store: &Store,
        function: &FunctionName,
        etag: Option<&str>,
    ) -> Result<Written, StoreError> {
        let key = store.keys().shares(function);
        let json = serde_json::to_vec(self).map_err(|error| StoreError::unwritable(&key, &error))?;
        store.put(&key, json, JSON, etag.map_or(Condition::Absent, Condition::Unchanged)).await
    }

    /// Gives the worker as much of what it wants as the others leave, and answers how much that is. Shares that have ended
    /// are dropped.
    pub fn grant(&mut self, request: ShareRequest<'_>, now: Timestamp) -> u32 {
        let ShareRequest { worker, wanted, running, cap } = request;
        self.shares.retain(|_, share| share.until > now);
        let held = self.shares.remove(worker).map_or(0, |share| share.executions);
        let others = self.shares.values().fold(0u32, |sum, share| sum.saturating_add(share.executions));
        // What runs by right is not ended where the cap is lowered; it counts until it has ended.
        let kept = running.min(held);
        let executions = wanted.min(cap.saturating_sub(others)).max(kept);
        if executions > 0 {
            let until = now.plus(limits::SHARE_LEASE);
            self.shares.insert(worker.to_owned(), Share { executions, until });
        }
        executions
    }

    /// Whether no other worker has a share.
    pub fn is_alone(&self, worker: &str) -> bool {
        self.shares.keys().all(|holder| holder == worker)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    const CAP: u32 = 5;

    fn request(worker: &str, wanted: u32, running: u32) -> ShareRequest<'_> {
        ShareRequest { worker, wanted, running, cap: CAP }
    }

    fn total(shares: &Shares) -> u32 {
        shares.shares.values().map(|share| share.executions).sum()
    }

    #[test]
    fn each_gets_what_the_others_leave() {
        let (mut shares, now) = (Shares::default(), Timestamp::now());
        assert_eq!(shares.grant(request("a", 3, 0), now), 3);
        assert_eq!(shares.grant(request("b", 4, 0), now), 2);
        assert_eq!(shares.grant(request("c", 1, 0), now), 0);
        assert_eq!((total(&shares), shares.shares.len()), (CAP, 2));
        assert_eq!(shares.grant(request("a", 9, 3), now), 3, "b still has its share");
        assert!(!shares.is_alone("a"));
    }

    #[test]
    fn what_is_given_back_is_there_for_others_at_once() {
        let (mut shares, now) = (Shares::default(), Timestamp::now());
        assert_eq!(shares.grant(request("a", 5, 0), now), 5);
        assert_eq!(shares.grant(request("a", 1, 1), now), 1);
        assert_eq!(shares.grant(request("b", 5, 0), now), 4);
        assert_eq!(shares.grant(request("a", 0, 0), now), 0);
        assert!(shares.is_alone("b"));
        assert_eq!(shares.grant(request("b", 5, 4), now), 5);
    }

    #[test]
    fn a_share_ends_unless_it_is_renewed() {
        let (mut shares, now) = (Shares::default(), Timestamp::now());
        shares.grant(request("a", 5, 0), now);
        let later = now.plus(limits::SHARE_LEASE - Duration::from_millis(1));
        assert_eq!(shares.clone().grant(request("b", 5, 0), later), 0);
        assert_eq!(shares.clone().grant(request("a", 5, 5), later), 5);
        let ended = now.plus(limits::SHARE_LEASE);
        assert_eq!(shares.grant(request("b", 5, 0), ended), 5);
        // What ran by a share that has ended is no reason to have one now.
        assert_eq!(shares.grant(request("a", 5, 5), ended), 0);
        assert_eq!(total(&shares), CAP);
    }

    #[test]
    fn what_runs_while_the_cap_is_lowered_counts_until_it_ends() {
        let (mut shares, now) = (Shares::default(), Timestamp::now());
        shares.grant(request("a", 4, 0), now);
        let lowered = |worker, wanted, running| ShareRequest { worker, wanted, running, cap: 2 };
        assert_eq!(shares.grant(lowered("a", 4, 3), now), 3);
        assert_eq!(shares.grant(lowered("b", 1, 0), now), 0);
        assert_eq!(shares.grant(lowered("a", 4, 1), now), 2);
    }

    /// A worker as it keeps its share.
    #[derive(Default)]
    struct Worker {
        granted: u32,
        until: Option<Timestamp>,
        running: u32,
        /// What it is about to write: over which version, what, and what it may run then, until when.
        writes: Option<(u32, Shares, u32, Timestamp)>,
    }

    #[test]
    fn however_workers_take_turns_no_more_run_than_may() {
        let names = ["a", "b", "c"];
        for seed in 0..300 {
            let mut random = StdRng::seed_from_u64(seed);
            let mut stored = (0, Shares::default());
            let mut now = Timestamp::EPOCH;
            let mut workers = names.map(|_| Worker::default());
            for _ in 0..400 {
                let chosen = random.random_range(0..names.len());
                let worker = &mut workers[chosen];
                match random.random_range(0..12) {
                    0 => now = now.plus(Duration::from_secs(random.random_range(0..15))),
                    // Until it has an answer, it begins no more than it asks for.
                    1..=3 => {
                        let (wanted, mut shares) = (random.random_range(0..=CAP), stored.1.clone());
                        worker.granted = worker.granted.min(wanted.max(worker.running));
                        let granted = shares.grant(request(names[chosen], wanted, worker.running), now);
                        worker.writes = Some((stored.0, shares, granted, now.plus(limits::SHARE_LEASE)));
                    }
                    4..=6 => match worker.writes.take() {
                        Some((version, shares, granted, until)) if version == stored.0 => {
                            stored = (version + 1, shares);
                            // Or its answer is lost.
                            if random.random_bool(0.9) {
                                (worker.granted, worker.until) = (granted, Some(until));
                            }
                        }
                        _ => {}
                    },
                    7..=9 => worker.running += u32::from(worker.running < worker.granted),
                    10 => worker.running = worker.running.saturating_sub(1),
                    // It dies, and comes back as another one of its name.
                    _ => *worker = Worker::default(),
                }
                for worker in &mut workers {
                    if worker.until.is_none_or(|until| until <= now) {
                        (worker.granted, worker.running) = (0, 0);
                    }
                }
                let running: u32 = workers.iter().map(|worker| worker.running).sum();
                assert!(running <= CAP, "{running} run, with the seed {seed}");
            }
        }
    }
}
