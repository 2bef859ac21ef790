//! Sandboxes in hand: a new one costs two processes and two folders, which no execution should have to wait for, and a
//! template's that has ended serves the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::sandbox::{Sandbox, SandboxPlan};
use super::task::ExecutorError;
use super::zygotes::lock;

/// How many are kept in hand.
const MOST_READY: usize = 2;
/// The next is not prepared before whoever took one has begun, which may need all the cores.
const LATER: Duration = Duration::from_millis(5);

/// All sandboxes of a worker that nobody sits on.
#[derive(Debug)]
pub(super) struct Sandboxes {
    pub(super) plan: SandboxPlan,
    ready: Mutex<Vec<Sandbox>>,
    preparing: AtomicBool,
}

impl Sandboxes {
    pub(super) fn new(plan: SandboxPlan) -> Arc<Self> {
        Arc::new(Self { plan, ready: Mutex::default(), preparing: AtomicBool::new(false) })
    }

    /// A sandbox in hand, or else a new one; the next is prepared meanwhile.
    pub(super) fn take(self: &Arc<Self>) -> Result<Sandbox, ExecutorError> {
        let (ready, is_last) = {
            let mut ready = lock(&self.ready);
            (ready.pop(), ready.is_empty())
        };
        let sandbox = ready.map_or_else(|| Sandbox::take(&self.plan), Ok)?;
        if is_last {
            self.prepare();
        }
        Ok(sandbox)
    }

    /// Takes back a sandbox that is as good as new. One too many is given up.
    pub(super) fn give_back(&self, sandbox: Sandbox) {
        let mut ready = lock(&self.ready);
        if ready.len() < MOST_READY {
            ready.push(sandbox);
        } else {
            drop(ready);
            drop(sandbox);
        }
    }

    fn prepare(self: &Arc<Self>) {
        if self.preparing.swap(true, Ordering::AcqRel) {
            return;
        }
        let sandboxes = Arc::clone(self);
        thread::spawn(move || {
            thread::sleep(LATER);
            let is_needed = lock(&sandboxes.ready).is_empty();
            match is_needed.then(|| Sandbox::take(&sandboxes.plan)) {
                Some(Ok(sandbox)) => sandboxes.give_back(sandbox),
                // Whoever needs one tries again, and is told.
                Some(Err(error)) => tracing::warn!(%error, "could not prepare a sandbox"),
                None => {}
            }
            sandboxes.preparing.store(false, Ordering::Release);
        });
    }
}
