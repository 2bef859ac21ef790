//! The permits to run. Executions take them in the order in which they ask. A map's items take what no execution waits for:
//! of a map of a million, another function's execution waits for the end of one item at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use badlambda_shared::process::metrics::Counted;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::metrics::SLOTS_BUSY;

/// The slots of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    permits: Arc<Semaphore>,
    /// Executions that wait for one.
    waiting: AtomicUsize,
    /// A slot is free, or an execution waits no more.
    changed: Notify,
}

/// The permit to run one execution, or one item of a map.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    slots: Slots,
    _busy: Counted,
}

/// An execution that waits, until this is dropped.
struct Waiting<'a>(&'a Inner);

impl Slots {
    /// So many.
    pub(crate) fn new(slots: usize) -> Self {
        Self(Arc::new(Inner {
            permits: Arc::new(Semaphore::new(slots)),
            waiting: AtomicUsize::new(0),
            changed: Notify::new(),
        }))
    }

    /// The next free slot, for an execution.
    pub(crate) async fn acquire(&self) -> Slot {
        let waiting = Waiting::begin(&self.0);
        loop {
            // It is never closed.
            if let Ok(permit) = Arc::clone(&self.0.permits).acquire_owned().await {
                drop(waiting);
                return self.slot(permit);
            }
        }
    }

    /// A free slot that no execution waits for, for an item of a map.
    pub(crate) async fn acquire_spare(&self) -> Slot {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            changed.as_mut().enable();
            if self.0.waiting.load(Ordering::Acquire) == 0
                && let Ok(permit) = Arc::clone(&self.0.permits).try_acquire_owned()
            {
                return self.slot(permit);
            }
            changed.await;
        }
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        Slot { permit: Some(permit), slots: self.clone(), _busy: SLOTS_BUSY.count(1) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.slots.0.changed.notify_waiters();
    }
}

impl<'a> Waiting<'a> {
    fn begin(inner: &'a Inner) -> Self {
        inner.waiting.fetch_add(1, Ordering::AcqRel);
        Self(inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn an_item_of_a_map_waits_for_executions() {
        let slots = Slots::new(1);
        let running = slots.acquire_spare().await;
        let item = slots.acquire_spare();
        let mut item = std::pin::pin!(item);
        assert!(item.as_mut().now_or_never().is_none());
        let mut execution = Box::pin(slots.acquire());
        assert!(execution.as_mut().now_or_never().is_none());
        drop(running);
        assert!(item.as_mut().now_or_never().is_none(), "the execution asked later, and comes first");
        let running = execution.await;
        assert!(item.as_mut().now_or_never().is_none());
        drop(running);
        item.await;
    }

    #[tokio::test]
    async fn an_execution_that_gives_up_leaves_the_slot_to_items() {
        let slots = Slots::new(1);
        let running = slots.acquire().await;
        let mut execution = Box::pin(slots.acquire());
        assert!(execution.as_mut().now_or_never().is_none());
        let mut item = std::pin::pin!(slots.acquire_spare());
        assert!(item.as_mut().now_or_never().is_none());
        drop(running);
        drop(execution);
        item.await;
    }
}
