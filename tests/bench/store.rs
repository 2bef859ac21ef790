//! The embedded S3 alone: what a PUT and a GET cost it, with whatever receives them and checks their signatures.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::ensure;
use badlambda_shared::aws::store::{Condition, JSON, Store, Written};
use badlambda_tests::addresses;
use futures::{StreamExt as _, stream};
use hyper::body::Bytes;
use tempfile::TempDir;

use crate::fixture::{Programs, announced};
use crate::processes::cpu_seconds;
use crate::report::Report;

const OBJECTS: usize = 20_000;
/// About what the record of a short execution has.
const BYTES: usize = 1_024;
const IN_FLIGHT: [usize; 2] = [1, 16];

/// As a process of its own, whose CPU time is counted.
pub async fn measure() -> anyhow::Result<Report> {
    // What a disk has to do is not what is measured.
    let data = TempDir::new_in("/dev/shm")?;
    let mut aws = Command::new(std::env::current_exe()?.with_file_name("badlambda"));
    aws.args(["aws", "--listen", "127.0.0.1:0", "--data"]).arg(data.path().join("aws"));
    let mut programs = Programs(vec![aws.stdout(Stdio::piped()).spawn()?]);
    let process = &mut programs.0[0];
    let addresses = announced(process)?;
    let (store, pid) = (addresses::store(&addresses), process.id());

    let mut report = Report::default();
    for in_flight in IN_FLIGHT {
        let put = async |n| put(&store, &format!("{in_flight}/{n}")).await;
        cost(&mut report, "PUT", in_flight, pid, put).await?;
        let get = async |n| get(&store, &format!("{in_flight}/{n}")).await;
        cost(&mut report, "GET", in_flight, pid, get).await?;
    }
    Ok(report)
}

async fn put(store: &Store, key: &str) -> anyhow::Result<()> {
    let written = store.put(key, Bytes::from(vec![b'x'; BYTES]), JSON, Condition::Absent).await?;
    ensure!(matches!(written, Written::Stored(_)), "{key} is there already");
    Ok(())
}

async fn get(store: &Store, key: &str) -> anyhow::Result<()> {
    let object = store.get(key, BYTES as u64).await?;
    ensure!(object.is_some(), "{key} is not there");
    Ok(())
}

async fn cost(
    report: &mut Report,
    operation: &str,
    in_flight: usize,
    pid: u32,
    call: impl AsyncFn(usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (began_at, cpu_before) = (Instant::now(), cpu_seconds(pid)?);
    let calls = stream::iter(0..OBJECTS).map(|n| call(n)).buffer_unordered(in_flight);
    let made: Vec<_> = calls.collect().await;
    made.into_iter().collect::<Result<Vec<()>, _>>()?;
    let (took, cpu) = (began_at.elapsed().as_secs_f64(), cpu_seconds(pid)? - cpu_before);
    let name = format!("{operation} of {BYTES} bytes, {in_flight} in flight");
    report.add(format!("{name}: CPU of the server"), cpu * 1e6 / OBJECTS as f64, "µs");
    report.add(name, OBJECTS as f64 / took, "/s");
    Ok(())
}
