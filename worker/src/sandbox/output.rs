//! What an execution writes to its pipes. The worker reads all of it, and keeps as much as is allowed.

use std::io::{self, PipeReader, Read};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

const READ_BYTES: usize = 64 * 1024;
/// After so many reads the watch looks at the clock again, however fast a process writes.
const READS_AT_ONCE: usize = 16;
const LOG_CUT: &[u8] = b"\n[logs are cut here: config.max_log_bytes is reached]\n";

/// The part of the logs that is kept.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) bytes: Vec<u8>,
    pub(super) truncated: bool,
}

impl Logs {
    /// Adds `bytes`, up to `most` in all. Whatever is beyond is dropped, and a note says so.
    pub(super) fn append(&mut self, bytes: &[u8], most: u64) {
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(self.bytes.len());
        if self.truncated || bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(&bytes[..room.min(bytes.len())]);
        if bytes.len() > room {
            self.truncated = true;
            self.bytes.extend_from_slice(LOG_CUT);
        }
    }
}

/// Makes a read from the pipe return at once, even if there is nothing to read.
pub(super) fn unblock(pipe: &PipeReader) -> Result<(), Errno> {
    fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(drop)
}

/// Passes on what a pipe holds now. It reads a bounded amount, so that a flood of output can't keep the watch from
/// looking at the clock. At its end the pipe is dropped.
pub(super) fn read_available(pipe: &mut Option<PipeReader>, mut take: impl FnMut(&[u8])) {
    let mut buffer = [0; READ_BYTES];
    for _ in 0..READS_AT_ONCE {
        let Some(reader) = pipe else { return };
        match reader.read(&mut buffer) {
            Ok(0) => *pipe = None,
            Ok(count) => take(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(_) => *pipe = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_cut_at_their_limit_and_say_so() {
        let mut logs = Logs::default();
        logs.append(b"12345", 8);
        logs.append(b"6789", 8);
        logs.append(b"more", 8);
        assert!(logs.truncated);
        assert!(logs.bytes.starts_with(b"12345678\n[logs are cut here"));
        let mut exact = Logs::default();
        exact.append(b"12345678", 8);
        assert!(!exact.truncated);
    }
}
