//! What an item needs to be run: a slot that no execution waits for, and, where its function has reserved concurrency, a
//! permit of this worker's share of it.

use std::time::Duration;

use crate::slots::{Slot, Slots};
use crate::steps::concurrency::{ChunkPermits, NotAdmitted, Permit};

/// For so long a chunk of which nothing runs waits for a permit, before it is given back.
const PERMIT_PATIENCE: Duration = Duration::from_secs(2);

/// The permits of a chunk's items.
#[derive(Debug)]
pub(super) struct ItemPermits {
    slots: Slots,
    capped: Option<ChunkPermits>,
}

/// The permit to run one item, until this is dropped.
#[derive(Debug)]
pub(super) struct ItemPermit {
    _slot: Slot,
    _permit: Option<Permit>,
}

impl ItemPermits {
    pub(super) fn new(slots: Slots, capped: Option<ChunkPermits>) -> Self {
        Self { slots, capped }
    }

    /// The next permit. Where nothing of the chunk runs, there is none if the function's reserved concurrency was used up for a while.
    pub(super) async fn next(&mut self, is_idle: bool) -> Option<ItemPermit> {
        if let Some(capped) = &mut self.capped {
            let patience = if is_idle { PERMIT_PATIENCE } else { Duration::MAX };
            tokio::time::timeout(patience, capped.fill()).await.ok()?;
        }
        let slot = self.slots.acquire_spare().await;
        let mut permit = self.capped.as_mut().and_then(ChunkPermits::take);
        permit.iter_mut().for_each(Permit::note_begin);
        Some(ItemPermit { _slot: slot, _permit: permit })
    }

    /// Leaves the permits to others while nothing is to be begun.
    pub(super) fn rest(&mut self) {
        if let Some(capped) = &mut self.capped {
            capped.rest();
        }
    }

    /// Ready once what runs must end.
    pub(super) fn lapsed(&self) -> impl Future<Output = ()> + use<> {
        let lapsed = self.capped.as_ref().map(ChunkPermits::lapsed);
        async move {
            match lapsed {
                Some(lapsed) => lapsed.await,
                None => std::future::pending().await,
            }
        }
    }

    /// What becomes of the chunk's message where the reserved concurrency is used up before its end.
    pub(super) fn not_admitted(&self) -> Option<NotAdmitted> {
        self.capped.as_ref().map(ChunkPermits::not_admitted)
    }
}
