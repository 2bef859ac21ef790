//! What people would use instead.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

const FORKS: usize = 1000;
const SANDBOXES: usize = 20;
const SCRIPT: &str = include_str!("side_by_side/programs/once.rb");

/// Executions per second of a plain Ruby script that forks for each, in `loops` processes at once.
pub fn plain_ruby(loops: usize) -> anyhow::Result<f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/baseline.rb");
    let start = || {
        let mut command = Command::new("ruby");
        command.arg(&script).arg(FORKS.to_string()).stdout(Stdio::piped());
        command.spawn().context("could not start ruby")
    };
    let running = (0..loops).map(|_| start()).collect::<anyhow::Result<Vec<_>>>()?;
    let mut rate = 0.0;
    for process in running {
        let output = process.wait_with_output()?;
        ensure!(output.status.success(), "the plain Ruby baseline failed");
        rate += String::from_utf8(output.stdout)?.trim().parse::<f64>()?;
    }
    Ok(rate)
}

/// Executions per second of `bwrap` and `ruby`, started anew for each; `None` without bwrap.
pub fn bubblewrap() -> anyhow::Result<Option<f64>> {
    let started = Instant::now();
    for _ in 0..SANDBOXES {
        let mut command = Command::new("bwrap");
        command.args([
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--tmpfs",
            "/tmp",
            "--unshare-all",
        ]);
        command.args(["ruby", "-e", SCRIPT, r#"{"name":"Ada"}"#]).stdout(Stdio::null());
        match command.status() {
            Err(_) => return Ok(None),
            Ok(status) => ensure!(status.success(), "bwrap failed"),
        }
    }
    Ok(Some(SANDBOXES as f64 / started.elapsed().as_secs_f64()))
}
