//! The zygote: a warm, confined Ruby that runs only our code, and forks every execution.
//!
//! ```text
//! worker ── spawns ──▶ zygote    once: Ruby warm, jail, capabilities, no_new_privs, Landlock, seccomp stage 1
//!                         │ fork, ahead of need (prefork.rs); then jail::enter
//!                         ├──▶ execution (script form): eval, one answer, _exit      execution.rs
//!                         └──▶ loader (handler form): top level once                 template.rs
//!                                 └── fork ──▶ template ── fork ──▶ execution
//! ```
//!
//! The zygote is a sub-reaper: a process that an execution leaves behind becomes the zygote's child, and the zygote
//! reaps it. The zygote ends when the worker closes the channel. Its executions then end, too, by their parent-death
//! signal.

#![deny(unsafe_op_in_unsafe_fn)]

mod calls;
mod confine;
mod environment;
mod execution;
mod fibers;
mod filters;
mod jail;
mod memory;
mod namespaces;
mod prefork;
mod reap;
mod ruby;
mod seccomp;
mod serve;
mod template;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use nix::sys::prctl;
use nix::unistd::setsid;

use badlambda_zygote::processes::count_own_threads;
use badlambda_zygote::protocol::{Confined, Confinement};
use badlambda_zygote::wire;

use crate::ruby::{Entry, Ruby};

fn main() -> ExitCode {
    let mut stack = 0;
    match start(&mut stack) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("zygote: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn start(stack: &mut usize) -> Result<(), String> {
    setsid().map_err(|errno| format!("session: {errno}"))?;
    jail::reserve_descriptors().map_err(|errno| format!("descriptors: {errno}"))?;
    // SAFETY: reserve_descriptors has put the channel that the worker starts us with at this number, and we never
    // close it.
    let channel = unsafe { BorrowedFd::borrow_raw(jail::CHANNEL_FD) };
    let first = wire::receive::<Confinement>(channel.as_fd(), &mut Vec::new());
    let Ok(Some((mut confinement, _))) = first else {
        return Err("started by hand? It is the worker that starts it, with a channel".to_owned());
    };
    prctl::set_child_subreaper(true).map_err(|errno| format!("sub-reaper: {errno}"))?;
    let namespaces = namespaces::enter(&confinement);
    let tuning = confinement.tuning;
    if tuning.aligned_heap {
        memory::align();
    }
    let mut boot = || Ruby::boot(stack);
    let ruby = if tuning.few_fiber_stacks { fibers::without_pool(boot) } else { boot() };
    let ruby = ruby.ok_or("Ruby did not start")?;
    let limits = confinement.limits;
    let limits =
        [limits.json_depth, limits.message_bytes, limits.backtrace_lines].map(|limit| limit.to_string());
    ruby.call(Entry::Limit, &limits.each_ref().map(String::as_bytes)).ok_or("Ruby took no limits")?;
    let libraries = confinement.preload.join(",");
    let warm = ruby.call(Entry::WarmUp, &[libraries.as_bytes()]).ok_or("Ruby did not warm up")?;
    let warm = String::from_utf8_lossy(&warm).into_owned();
    let mut lines = warm.lines();
    let Some(ruby_version) = lines.next().and_then(|line| line.strip_prefix('=')) else {
        return Err(warm);
    };
    confinement.readable.extend(lines.map(PathBuf::from));
    // Counted before the first fork: while Ruby forks, it stops its timer's thread for a moment.
    let ruby_threads = count_own_threads().map_err(|error| format!("threads: {error}"))?;
    let mut server = serve::Server::prepare(ruby, &confinement)?;
    memory::prepare(tuning);
    let layers = confine::enter(&confinement, namespaces).map_err(|error| error.to_string())?;
    let confined = Confined { layers, ruby_version: ruby_version.to_owned(), ruby_threads };
    wire::send(channel, &confined, &[]).map_err(|errno| format!("the worker is gone: {errno}"))?;
    if tuning.filled_gaps {
        memory::fill_gaps();
    }
    server.run();
    Ok(())
}
