//! What happens to the processes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio_util::sync::CancellationToken;

use crate::fleet::{Fleet, WORKERS, signal};

/// Longer than the visibility timeout of what a stopped worker holds.
const STOPPED: Duration = Duration::from_secs(13);

/// Does something to some process every second or two, until `calm`; tells what, and how often. Afterwards all run.
pub async fn go_on(
    fleet: &mut Fleet,
    seed: u64,
    calm: &CancellationToken,
) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x6d75_7264_6572);
    let mut done = BTreeMap::new();
    let mut stopped: [Option<Instant>; WORKERS] = [None; WORKERS];
    while !calm.is_cancelled() {
        let pause = Duration::from_millis(rng.random_range(500..2500));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = calm.cancelled() => break,
        }
        fleet.remember_what_is_below();
        for (index, since) in stopped.iter_mut().enumerate() {
            if since.is_some_and(|since| since.elapsed() > STOPPED) {
                signal(&fleet.workers[index], Signal::SIGCONT);
                *since = None;
            }
        }
        let index = rng.random_range(0..WORKERS);
        let deed = rng.random_range(0..10);
        if stopped[index].is_some() {
            continue;
        }
        let deed = match deed {
            0..=3 => {
                signal(&fleet.workers[index], Signal::SIGKILL);
                fleet.workers[index].wait()?;
                fleet.replace_worker(index)?;
                "workers killed with -9"
            }
            4..=6 => {
                signal(&fleet.workers[index], Signal::SIGSTOP);
                stopped[index] = Some(Instant::now());
                "workers stopped past their visibility, and continued"
            }
            7..=8 => {
                signal(&fleet.workers[index], Signal::SIGTERM);
                let status = fleet.workers[index].wait()?;
                anyhow::ensure!(status.code() == Some(0), "a drain ended with {status}");
                fleet.replace_worker(index)?;
                "workers drained"
            }
            _ => {
                signal(&fleet.api, Signal::SIGKILL);
                fleet.api.wait()?;
                fleet.replace_api()?;
                "apis killed with -9"
            }
        };
        *done.entry(deed).or_default() += 1;
    }
    for worker in &fleet.workers {
        signal(worker, Signal::SIGCONT);
    }
    Ok(done)
}
