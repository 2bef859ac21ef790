//! Waits that are exact to about a tenth of a millisecond. Tokio's own timers are late by a millisecond on average, which
//! adds up where the calls of an execution follow one another.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// The way to the thread that waits, which ends with this.
pub(crate) struct Timer {
    waits: Sender<Wait>,
}

struct Wait {
    until: Instant,
    over: oneshot::Sender<()>,
}

impl Timer {
    pub(crate) fn start() -> Self {
        let (waits, asked) = channel();
        thread::spawn(move || wait(&asked));
        Self { waits }
    }

    pub(crate) async fn wait(&self, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        let (over, is_over) = oneshot::channel();
        // Without the thread nothing is late.
        if self.waits.send(Wait { until: Instant::now() + duration, over }).is_ok() {
            let _ = is_over.await;
        }
    }
}

/// Ends each wait when it is over.
fn wait(asked: &Receiver<Wait>) {
    // By when they are over. The number keeps apart those that end at the same instant.
    let mut waits = BTreeMap::new();
    for number in 0_u64.. {
        let next: Option<&(Instant, u64)> = waits.keys().next();
        let received = match next {
            Some((until, _)) => asked.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => asked.recv().map_err(RecvTimeoutError::from),
        };
        match received {
            Ok(Wait { until, over }) => drop(waits.insert((until, number), over)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let later = waits.split_off(&(Instant::now(), u64::MAX));
        for (_, over) in std::mem::replace(&mut waits, later) {
            // Whoever waited may have gone.
            let _: Result<(), ()> = over.send(());
        }
    }
}
