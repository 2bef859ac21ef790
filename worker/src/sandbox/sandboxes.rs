//! Keeps clean sandboxes ready. A new sandbox costs two processes and two folders, and no execution should have to
//! wait for that. The sandbox of a template that has ended serves the next template.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::sandbox::{Sandbox, SandboxPlan};
use super::task::ExecutorError;
use super::zygotes::lock;

/// How many sandboxes are kept ready at most.
const MOST_READY: usize = 2;
/// How long after a sandbox was taken the next one is prepared. The execution that took it begins first, as that may
/// need all the cores.
const LATER: Duration = Duration::from_millis(5);

/// The sandboxes of a worker that are ready to be taken, and the plan for new ones.
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

    /// Takes a sandbox that is ready, or else makes a new one. If none is ready any more, another thread prepares
    /// one.
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

    /// Takes back a clean sandbox, and gives it up if enough are ready.
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
                // The next `take` tries again, and returns its error.
                Some(Err(error)) => tracing::warn!(%error, "could not prepare a sandbox"),
                None => {}
            }
            sandboxes.preparing.store(false, Ordering::Release);
        });
    }
}
