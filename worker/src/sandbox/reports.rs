//! What zygotes and templates tell of the processes they fork. A zygote is believed; what a template says is function
//! code's word.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use badlambda_zygote::protocol::{Exit, Report};
use badlambda_zygote::report::{REPORT_BYTES, TemplateReport};
use badlambda_zygote::wire;

use super::task::ExecutorError;
use super::zygotes::Channel;

/// What a zygote tells of the one process that it was asked for over a channel.
pub(super) struct ZygoteReports<'a> {
    pub(super) channel: &'a Channel,
    /// The process; 0 until it is told.
    pub(super) pid: i32,
    packet: Vec<u8>,
}

impl<'a> ZygoteReports<'a> {
    pub(super) fn of(channel: &'a Channel) -> Self {
        Self { channel, pid: 0, packet: Vec::new() }
    }

    /// Reads one report: how the process ended, if it tells that.
    pub(super) fn read(&mut self) -> Result<Option<Exit>, ExecutorError> {
        let failed = |what: &str| Err(ExecutorError::Zygote(what.to_owned()));
        match wire::receive::<Report>(self.channel.socket.as_fd(), &mut self.packet) {
            Ok(Some((Report::Started { pid }, _))) if self.pid == 0 && pid > 1 => {
                self.pid = pid;
                Ok(None)
            }
            Ok(Some((Report::NotStarted { errno }, _))) => {
                Err(ExecutorError::System(io::Error::from_raw_os_error(errno)))
            }
            // The start of a short execution is not told.
            Ok(Some((Report::Exited(exit), _))) if [0, exit.pid].contains(&self.pid) => Ok(Some(exit)),
            Ok(Some((Report::Exited(_), _)) | None) => failed("it ended while an execution ran"),
            Ok(Some(_)) => failed("it said what it should not"),
            Err(errno) => failed(&errno.to_string()),
        }
    }
}

/// What a template says, as far as it can be read without waiting.
#[derive(Debug)]
pub(super) enum TemplateSays {
    Nothing,
    Report(TemplateReport),
    Nonsense,
    End,
}

/// The pipe over which a template reports: bytes, and all of them function code's.
#[derive(Debug)]
pub(super) struct TemplateReports(PipeReader);

impl TemplateReports {
    /// Reads from `pipe`, which does not wait.
    pub(super) fn new(pipe: PipeReader) -> Self {
        Self(pipe)
    }

    pub(super) fn read(&self) -> TemplateSays {
        let mut bytes = [0; REPORT_BYTES];
        match (&self.0).read(&mut bytes) {
            Ok(0) => TemplateSays::End,
            Ok(REPORT_BYTES) => {
                TemplateReport::from_bytes(&bytes).map_or(TemplateSays::Nonsense, TemplateSays::Report)
            }
            Ok(_) => TemplateSays::Nonsense,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => TemplateSays::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => TemplateSays::Nothing,
            Err(_) => TemplateSays::End,
        }
    }
}

impl AsFd for TemplateReports {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
