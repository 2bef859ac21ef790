//! What only root can have: uids, a jail, templates that are another's. Elsewhere these tests fail; leave them out with
//! `cargo test -- --skip needs_root::`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use badlambda_shared::function::Form;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde_json::json;

use crate::fixture::{result, run, start, start_in, task};
use crate::processes::is_template;
use crate::templates::TOKEN;

#[test]
fn a_daemon_and_its_files_are_gone_afterwards() {
    let code = "File.write('left', 'x'); fork { Process.setsid; fork { sleep 60 } ; sleep 60 }; Process.uid";
    let outcome = run(code, json!({"subprocesses": true}), json!(null));
    let uid = result(&outcome).as_u64().unwrap();
    assert_ne!(uid, 0);
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
        status.lines().find(|line| line.starts_with("Uid:"))?.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    assert_eq!(left.filter(|owner| *owner == uid).count(), 0);
}

#[test]
fn in_a_jail_there_is_nothing_but_ruby() {
    let folder = tempfile::tempdir().unwrap();
    // A container has its jail from its image, and no place to make another.
    let jail = std::env::var_os("BADLAMBDA_JAIL").map_or_else(|| make_jail(folder.path()), PathBuf::from);
    let executor = start_in(Some(jail), 1);
    let isolation = executor.isolation();
    let has = |name: &str| isolation.layers.iter().any(|layer| layer == name);
    assert!(has("chroot"), "{isolation:?}");
    assert_eq!(isolation.tier, 1 + u8::from(has("landlock")), "{isolation:?}");
    let code = "require 'csv'; require 'openssl'; [Dir.pwd, File.exist?('/home'), File.exist?('/usr/bin'), File.exist?('/etc/passwd')]";
    let outcome = executor.execute(&task(Form::Script, code, json!({}), json!(null))).unwrap();
    let result = result(&outcome);
    assert!(result[0].as_str().unwrap().starts_with("/scratch/sandbox-"), "{result}");
    assert_eq!(result.as_array().unwrap()[1..], [json!(false), json!(false), json!(false)]);
}

fn make_jail(folder: &Path) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/jail");
    assert!(Command::new(script).arg(folder).status().unwrap().success());
    folder.to_owned()
}

#[test]
fn a_template_that_has_ended_is_loaded_anew() {
    let executor = start(2);
    let run = || result(&executor.execute(&task(Form::Handler, TOKEN, json!({}), json!(1))).unwrap());
    let first = run();
    assert_eq!(run(), first);
    let template = first[1].as_i64().unwrap() as i32;
    assert!(is_template(template as u32));
    kill(Pid::from_raw(template), Signal::SIGKILL).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&format!("/proc/{template}")).exists() {
        assert!(Instant::now() < deadline, "it is not reaped");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_ne!(run()[0], first[0]);
}

#[test]
fn who_is_stopped_elsewhere_stays_stopped_while_a_template_is_checked() {
    let mut stopped = Command::new("sleep").arg("60").spawn().unwrap();
    let pid = stopped.id();
    kill(Pid::from_raw(pid as i32), Signal::SIGSTOP).unwrap();
    let is_stopped = || std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap().contains("State:\tT");
    waitpid(Pid::from_raw(pid as i32), Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert!(is_stopped());
    result(&start(1).execute(&task(Form::Handler, TOKEN, json!({}), json!(1))).unwrap());
    let stayed = is_stopped();
    stopped.kill().unwrap();
    stopped.wait().unwrap();
    assert!(stayed);
}
