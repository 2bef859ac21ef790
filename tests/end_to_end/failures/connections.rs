//! Clients that connect, and say nothing.

use std::fs;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fixtures::fleet::Fleet;

/// Beyond these, the API accepts none, and the kernel leaves the rest waiting.
const SILENT: u64 = 10_000;
/// Descriptors that this process needs for other tests.
const OTHERS: u64 = 2_000;

#[tokio::test]
async fn thousands_that_say_nothing_cost_little_and_are_closed() {
    let fleet = Fleet::start().await;
    let address = fleet.address("api").strip_prefix("http://").unwrap().to_owned();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let most = hard.min(SILENT + OTHERS).max(soft);
    setrlimit(Resource::RLIMIT_NOFILE, most, hard).unwrap();
    let before = resident_bytes(&fleet);
    let connect = |_| timeout(Duration::from_secs(3), TcpStream::connect(&address));
    let connecting = stream::iter(0..SILENT.min(most - OTHERS)).map(connect).buffer_unordered(1_000);
    let silent: Vec<TcpStream> =
        connecting.filter_map(async |connected| connected.ok()?.ok()).collect().await;
    assert!(silent.len() > 1_000, "{} connections", silent.len());
    let more = resident_bytes(&fleet).saturating_sub(before);
    // Half of what its task has on AWS. The programs under test are not optimised, and take more.
    assert!(more < 256 << 20, "{} connections take {more} bytes", silent.len());
    // While all of them are held, others are served: one that says nothing is closed after some seconds.
    assert_eq!(fleet.get("/healthz").await.status(), 200);
    drop(silent);
}

fn resident_bytes(fleet: &Fleet) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", fleet.process.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}
