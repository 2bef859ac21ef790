//! An execution's process, from the fork to its end.

use std::fs::File;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::stat::fstat;
use nix::sys::uio::pread;

use badlambda_zygote::frame;
use badlambda_zygote::protocol::Job;

use crate::environment;
use crate::jail::{self, Descriptors, Prepared, Role};
use crate::ruby::{Entry, Ruby};

/// What an execution or a template is started with.
pub struct Start<'a> {
    /// The bounds.
    pub job: &'a Job,
    /// The descriptors that are given their places while confining.
    pub descriptors: Descriptors,
    /// The code, where it is not loaded yet.
    pub code: OwnedFd,
    /// Context and event.
    pub input: OwnedFd,
}

impl<'a> Start<'a> {
    /// Takes a job's descriptors, which come in the order that `Request` lists.
    pub fn new(job: &'a Job, fds: Vec<OwnedFd>) -> Option<Self> {
        let mut fds = fds.into_iter();
        let (scratch, code, input) = (fds.next()?, fds.next()?, fds.next()?);
        let (logs, answer) = (fds.next()?, fds.next()?);
        let template = fds.next().zip(fds.next());
        Some(Self { job, descriptors: Descriptors { scratch, logs, answer, template }, code, input })
    }
}

/// What was read from a start's descriptors before they were closed.
pub struct Source {
    /// The code.
    pub code: Vec<u8>,
    /// All variables of the environment, or those that come to the template's.
    pub environment: Vec<u8>,
    /// The context, as JSON.
    pub context: Vec<u8>,
    /// The method to call; empty for one of those with the usual names.
    pub handler: Vec<u8>,
    /// The event, as JSON.
    pub event: Vec<u8>,
}

/// Confines this forked process and tells that it is armed; returns what to run. On any failure it ends, and
/// what it wrote says which step it was.
pub fn arm(start: &Start<'_>, role: Role, prepared: &Prepared) -> (Source, File) {
    let source = match read_source(start) {
        Ok(source) => source,
        Err(errno) => give_up(start.descriptors.answer.as_raw_fd(), &format!("read_source: {errno}")),
    };
    // SAFETY: either this descriptor is still that of the zygote's, and empty, or the answer's. It is never closed.
    let mut answer = unsafe { File::from_raw_fd(jail::ANSWER_FD) };
    if let Err(failed) = jail::enter(start.job, role, &start.descriptors, prepared) {
        give_up(jail::ANSWER_FD, &failed.to_string());
    }
    if answer.write_all(&[frame::ARMED]).is_err() {
        exit(1);
    }
    (source, answer)
}

/// Runs script-form code in this forked process, and ends it.
pub fn run_script(ruby: &Ruby, start: Start<'_>, prepared: &Prepared) -> ! {
    let start = ManuallyDrop::new(start);
    let (source, answer) = arm(&start, Role::Execution, prepared);
    environment::replace(source.environment);
    let largest = start.job.max_result_bytes.to_string();
    let arguments: &[&[u8]] =
        &[&source.code, &source.event, &source.context, &source.handler, largest.as_bytes()];
    let result = ruby.call(Entry::Script, arguments);
    finish(answer, result)
}

/// Calls the loaded handler in this process, which is armed, and ends it.
pub fn call_handler(ruby: &Ruby, job: &Job, source: &Source, answer: File) -> ! {
    environment::add(&source.environment);
    let largest = job.max_result_bytes.to_string();
    let result = ruby.call(Entry::Handle, &[&source.event, &source.context, largest.as_bytes()]);
    finish(answer, result)
}

/// Writes the runner's answer (one byte for its kind, then JSON) as a frame, and ends the process.
pub fn finish(mut answer: File, result: Option<Vec<u8>>) -> ! {
    let Some((kind, json)) = result.as_deref().and_then(<[u8]>::split_first) else { exit(1) };
    let Ok(length) = u32::try_from(json.len()) else { exit(1) };
    let mut whole = Vec::with_capacity(frame::HEADER_BYTES + json.len());
    whole.push(*kind);
    whole.extend_from_slice(&length.to_le_bytes());
    whole.extend_from_slice(json);
    exit(i32::from(answer.write_all(&whole).is_err()))
}

/// Ends the process at once: no `at_exit`, no finalizer, no destructor runs.
pub fn exit(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code) }
}

fn give_up(answer: RawFd, why: &str) -> ! {
    // SAFETY: the number is the answer's, before or after it was put into its place; it is never closed.
    let mut file = unsafe { File::from_raw_fd(answer) };
    let _ = file.write_all(why.as_bytes());
    exit(1)
}

fn read_source(start: &Start<'_>) -> Result<Source, Errno> {
    let mut environment = read_all(&start.input)?;
    let mut context = split_off(&mut environment, start.job.environment_bytes)?;
    let mut handler = split_off(&mut context, start.job.context_bytes)?;
    let event = split_off(&mut handler, start.job.handler_bytes)?;
    Ok(Source { code: read_all(&start.code)?, environment, context, handler, event })
}

fn split_off(bytes: &mut Vec<u8>, at: u64) -> Result<Vec<u8>, Errno> {
    let at = usize::try_from(at).ok().filter(|&at| at <= bytes.len()).ok_or(Errno::EINVAL)?;
    Ok(bytes.split_off(at))
}

/// Reads a descriptor from its beginning. The code's is shared by many, so its offset is left alone.
fn read_all(fd: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let size = usize::try_from(fstat(fd)?.st_size).map_err(|_| Errno::EINVAL)?;
    let mut bytes = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match pread(fd.as_fd(), &mut bytes[filled..], filled as i64) {
            Ok(0) => return Err(Errno::EIO),
            Ok(count) => filled += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(bytes)
}
