//! What an item needs to be run: a slot that no execution waits for, and, where its function has reserved concurrency, room
//! in this worker's share of it.

use std::time::Duration;

use crate::slots::{Slot, Slots};
use crate::steps::concurrency::{NotAdmitted, Permit, Room};

/// For so long a chunk of which nothing runs waits for room, before it is given back.
const ROOM_PATIENCE: Duration = Duration::from_secs(2);

/// The permits of a chunk's items.
#[derive(Debug)]
pub(super) struct ItemPermits {
    slots: Slots,
    room: Option<Room>,
}

/// The permit to run one item, until this is dropped.
#[derive(Debug)]
pub(super) struct ItemPermit {
    _slot: Slot,
    _permit: Option<Permit>,
}

impl ItemPermits {
    pub(super) fn new(slots: Slots, room: Option<Room>) -> Self {
        Self { slots, room }
    }

    /// The next permit. Where nothing of the chunk runs, there is none if there was no room for a while.
    pub(super) async fn next(&mut self, is_idle: bool) -> Option<ItemPermit> {
        if let Some(room) = &mut self.room {
            let patience = if is_idle { ROOM_PATIENCE } else { Duration::MAX };
            tokio::time::timeout(patience, room.fill()).await.ok()?;
        }
        let slot = self.slots.acquire_spare().await;
        let mut permit = self.room.as_mut().and_then(Room::take);
        permit.iter_mut().for_each(Permit::note_begin);
        Some(ItemPermit { _slot: slot, _permit: permit })
    }

    /// Leaves the room to others while nothing is to be begun.
    pub(super) fn rest(&mut self) {
        if let Some(room) = &mut self.room {
            room.rest();
        }
    }

    /// Ready once what runs must end.
    pub(super) fn lapsed(&self) -> impl Future<Output = ()> + use<> {
        let lapsed = self.room.as_ref().map(Room::lapsed);
        async move {
            match lapsed {
                Some(lapsed) => lapsed.await,
                None => std::future::pending().await,
            }
        }
    }

    /// What becomes of the chunk's message where there is no room for the rest of it.
    pub(super) fn not_admitted(&self) -> Option<NotAdmitted> {
        self.room.as_ref().map(Room::not_admitted)
    }
}
