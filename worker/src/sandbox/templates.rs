//! Templates that are loaded and wait: at most so many, the least recently used ended first.

use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{Shutdown, shutdown};

use super::seat::Seat;
use super::zygotes::{Channel, lock};

/// After so many executions a template is ended, and loaded anew: its CPU time has a limit.
const MOST_EXECUTIONS: u32 = 20_000;
/// How long a template may take to end by itself.
const PATIENCE: Duration = Duration::from_millis(20);
const PAUSE: Duration = Duration::from_micros(200);

/// What makes two templates interchangeable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateKey {
    pub(super) function: String,
    pub(super) version: u32,
    pub(super) code_sha256: String,
}

/// A template, with the seat it lives in.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) key: TemplateKey,
    pub(super) seat: Seat,
    pub(super) channel: Channel,
    /// The channel to the zygote that forked it.
    pub(super) home: Channel,
    pub(super) pid: i32,
    /// How many it has served.
    pub(super) executions: u32,
}

/// The templates that wait, least recently used first.
#[derive(Debug)]
pub(super) struct Templates {
    most: usize,
    waiting: Mutex<VecDeque<Template>>,
}

impl Templates {
    /// Keeps at most `most` templates.
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: Mutex::default() }
    }

    /// Takes a waiting template for `key`. One that has ended meanwhile is given up.
    pub(super) fn take(&self, key: &TemplateKey) -> Option<Template> {
        let found = {
            let mut waiting = lock(&self.waiting);
            let index = waiting.iter().rposition(|template| template.key == *key)?;
            waiting.remove(index)
        };
        found.filter(Template::waits)
    }

    /// Puts a template back, as the most recently used; ends those beyond the limit, and one that is worn out.
    pub(super) fn put(&self, mut template: Template) {
        template.executions += 1;
        let ended: Vec<Template> = if template.executions < MOST_EXECUTIONS {
            let mut waiting = lock(&self.waiting);
            waiting.push_back(template);
            let surplus = waiting.len().saturating_sub(self.most);
            waiting.drain(..surplus).collect()
        } else {
            vec![template]
        };
        if !ended.is_empty() {
            // Nobody has to wait for their end.
            thread::spawn(move || drop(ended));
        }
    }
}

impl Template {
    /// Whether it has nothing to say, as long as it is asked nothing.
    fn waits(&self) -> bool {
        let mut polled = [PollFd::new(self.channel.socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut polled, PollTimeout::ZERO) == Ok(0)
    }
}

impl Drop for Template {
    /// Whatever its top level started ends with it.
    fn drop(&mut self) {
        if self.seat.identity.is_none() && super::census::parent_of(self.pid) == Some(self.channel.zygote_pid)
        {
            let pid = nix::unistd::Pid::from_raw(self.pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        // With its channel it ends of its own accord, unless function code keeps it.
        let _ = shutdown(self.channel.socket.as_raw_fd(), Shutdown::Both);
        let deadline = Instant::now() + PATIENCE;
        while self.seat.has_template() && Instant::now() < deadline {
            thread::sleep(PAUSE);
        }
        if let Err(error) = self.seat.end_template() {
            tracing::warn!(%error, function = self.key.function, "could not end a template");
        }
    }
}
