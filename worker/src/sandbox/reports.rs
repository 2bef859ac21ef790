//! Reads what zygotes and templates report about the processes that they fork. The worker trusts a zygote's reports.
//! A template is function code, so its reports may be false.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use badlambda_zygote::protocol::{Exit, Report};
use badlambda_zygote::report::{REPORT_BYTES, TemplateReport};
use badlambda_zygote::wire;

use super::task::ExecutorError;
use super::zygotes::Channel;

/// What a zygote reports over a channel about the one process that the worker asked for over it.
pub(super) struct ZygoteReports<'a> {
    pub(super) channel: &'a Channel,
    /// The pid of the process; 0 until the zygote has reported it.
    pub(super) pid: i32,
    packet: Vec<u8>,
}

impl<'a> ZygoteReports<'a> {
    pub(super) fn of(channel: &'a Channel) -> Self {
        Self { channel, pid: 0, packet: Vec::new() }
    }

    /// Reads one report. Returns how the process ended, if the report says that.
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
            // The zygote does not report the start of a short execution, so the pid may still be unknown.
            Ok(Some((Report::Exited(exit), _))) if [0, exit.pid].contains(&self.pid) => Ok(Some(exit)),
            Ok(Some((Report::Exited(_), _)) | None) => failed("it ended while an execution ran"),
            Ok(Some(_)) => failed("it said what it should not"),
            Err(errno) => failed(&errno.to_string()),
        }
    }
}

/// What a read from a template's pipe finds without waiting.
#[derive(Debug)]
pub(super) enum TemplateSays {
    Nothing,
    Report(TemplateReport),
    Nonsense,
    End,
}

/// The pipe over which a template reports. Function code can write any bytes to it.
#[derive(Debug)]
pub(super) struct TemplateReports(PipeReader);

impl TemplateReports {
    /// Reads from `pipe`, which must be non-blocking.
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
