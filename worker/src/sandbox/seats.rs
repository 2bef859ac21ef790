//! Seats in hand: a new one costs two processes and two folders, which no execution should have to wait for, and a
//! template's that has ended serves the next.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::seat::{Seat, SeatPlan};
use super::task::ExecutorError;
use super::zygotes::lock;

/// How many are kept in hand.
const MOST_READY: usize = 2;
/// The next is not prepared before whoever took one has begun, which may need all the cores.
const LATER: Duration = Duration::from_millis(5);

/// All seats of a worker that nobody sits on.
#[derive(Debug)]
pub(super) struct Seats {
    pub(super) plan: SeatPlan,
    ready: Mutex<Vec<Seat>>,
    preparing: AtomicBool,
}

impl Seats {
    pub(super) fn new(plan: SeatPlan) -> Arc<Self> {
        Arc::new(Self { plan, ready: Mutex::default(), preparing: AtomicBool::new(false) })
    }

    /// A seat in hand, or else a new one; the next is prepared meanwhile.
    pub(super) fn take(self: &Arc<Self>) -> Result<Seat, ExecutorError> {
        let (ready, is_last) = {
            let mut ready = lock(&self.ready);
            (ready.pop(), ready.is_empty())
        };
        let seat = ready.map_or_else(|| Seat::take(&self.plan), Ok)?;
        if is_last {
            self.prepare();
        }
        Ok(seat)
    }

    /// Takes back a seat that is as good as new. One too many is given up.
    pub(super) fn give_back(&self, seat: Seat) {
        let mut ready = lock(&self.ready);
        if ready.len() < MOST_READY {
            ready.push(seat);
        } else {
            drop(ready);
            drop(seat);
        }
    }

    fn prepare(self: &Arc<Self>) {
        if self.preparing.swap(true, Ordering::AcqRel) {
            return;
        }
        let seats = Arc::clone(self);
        thread::spawn(move || {
            thread::sleep(LATER);
            let is_needed = lock(&seats.ready).is_empty();
            match is_needed.then(|| Seat::take(&seats.plan)) {
                Some(Ok(seat)) => seats.give_back(seat),
                // Whoever needs one tries again, and is told.
                Some(Err(error)) => tracing::warn!(%error, "could not prepare a seat"),
                None => {}
            }
            seats.preparing.store(false, Ordering::Release);
        });
    }
}
