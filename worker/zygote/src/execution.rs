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

/// What an execution or a loader is started with.
pub struct Start<'a> {
    /// Its uids, rights and limits, and how `input` is divided.
    pub job: &'a Job,
    /// The descriptors that the jail moves to their fixed numbers.
    pub descriptors: Descriptors,
    /// The code. An execution of a template has no use for it, because its handler is loaded already.
    pub code: OwnedFd,
    /// Environment, context, handler name and event, one after the other.
    pub input: OwnedFd,
}

impl<'a> Start<'a> {
    /// Takes a job's descriptors, which come in the order that `Request` lists. `None` if one is missing.
    pub fn new(job: &'a Job, fds: Vec<OwnedFd>) -> Option<Self> {
        let mut fds = fds.into_iter();
        let (scratch, code, input) = (fds.next()?, fds.next()?, fds.next()?);
        let (logs, answer) = (fds.next()?, fds.next()?);
        let template = fds.next().zip(fds.next());
        Some(Self { job, descriptors: Descriptors { scratch, logs, answer, template }, code, input })
    }
}

/// What is read from the descriptors of a [`Start`] before they are closed.
pub struct Source {
    /// The code.
    pub code: Vec<u8>,
    /// All environment variables or, in an execution of a template, those to add to the template's environment.
    pub environment: Vec<u8>,
    /// The context, as JSON.
    pub context: Vec<u8>,
    /// The name of the method to call. Empty means `handler` or `lambda_handler`.
    pub handler: Vec<u8>,
    /// The event, as JSON.
    pub event: Vec<u8>,
}

/// Confines this forked process, reports that it is armed, and returns what to run. If a step fails, the process
/// writes which step it was, and ends.
pub fn arm(start: &Start<'_>, role: Role, prepared: &Prepared) -> (Source, File) {
    let source = match read_source(start) {
        Ok(source) => source,
        Err(errno) => give_up(start.descriptors.answer.as_raw_fd(), &format!("read_source: {errno}")),
    };
    // SAFETY: at this number is either /dev/null, which the zygote or the template put there, or the answer. It is
    // never closed.
    let mut answer = unsafe { File::from_raw_fd(jail::ANSWER_FD) };
    if let Err(failed) = jail::enter(start.job, role, &start.descriptors, prepared) {
        give_up(jail::ANSWER_FD, &failed.to_string());
    }
    if answer.write_all(&[frame::ARMED]).is_err() {
        exit(1);
    }
    (source, answer)
}

/// Runs script-form code in this forked process, then ends the process.
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

/// Calls the loaded handler in this process, which is already confined, then ends the process.
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
    // SAFETY: the number is that of the answer, before or after the jail moved it to its fixed number. It is never
    // closed.
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

/// Reads a file from its beginning. It leaves the offset alone, because many executions share the descriptor of the
/// code.
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
