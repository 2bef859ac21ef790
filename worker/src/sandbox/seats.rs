//! Seats in hand: a new one costs two processes and two folders, which no execution should have to wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::seat::{Seat, SeatPlan};
use super::task::ExecutorError;
use super::zygotes::lock;

/// All seats of a worker that nobody sits on.
#[derive(Debug)]
pub(super) struct Seats {
    pub(super) plan: SeatPlan,
    ready: Mutex<Option<Seat>>,
    preparing: AtomicBool,
}

impl Seats {
    pub(super) fn new(plan: SeatPlan) -> Arc<Self> {
        Arc::new(Self { plan, ready: Mutex::default(), preparing: AtomicBool::new(false) })
    }

    /// The seat in hand, or else a new one; the next is prepared meanwhile.
    pub(super) fn take(self: &Arc<Self>) -> Result<Seat, ExecutorError> {
        let ready = lock(&self.ready).take();
        let seat = ready.map_or_else(|| Seat::take(&self.plan), Ok)?;
        self.prepare();
        Ok(seat)
    }

    fn prepare(self: &Arc<Self>) {
        if self.preparing.swap(true, Ordering::AcqRel) {
            return;
        }
        let seats = Arc::clone(self);
        thread::spawn(move || {
            match Seat::take(&seats.plan) {
                Ok(seat) => drop(lock(&seats.ready).replace(seat)),
                // Whoever needs one tries again, and is told.
                Err(error) => tracing::warn!(%error, "could not prepare a seat"),
            }
            seats.preparing.store(false, Ordering::Release);
        });
    }
}
