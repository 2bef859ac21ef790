//! What a template reports to the worker, over a pipe. All reports have the same size and carry only numbers.
//! Function code may have written any of them, so they are hostile until checked.

use crate::protocol::Exit;

/// The size of a report, in bytes. It is below PIPE_BUF, so the kernel writes each report whole or not at all.
pub const REPORT_BYTES: usize = 32;

const LOADED: u8 = b'L';
const STARTED: u8 = b'S';
const EXITED: u8 = b'E';

/// A report from a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateReport {
    /// The template is loaded, and waits for requests.
    Loaded {
        /// The pid of the template.
        pid: i32,
    },
    /// An execution has received its request.
    Started {
        /// The pid of the execution.
        pid: i32,
    },
    /// An execution ended.
    Exited(Exit),
}

impl TemplateReport {
    /// Encodes a report: kind, pid, how the process ended, CPU time, resident memory. [`TemplateReport::from_bytes`]
    /// reads it.
    pub fn to_bytes(self) -> [u8; REPORT_BYTES] {
        let mut bytes = [0; REPORT_BYTES];
        let (kind, pid) = match self {
            Self::Loaded { pid } => (LOADED, pid),
            Self::Started { pid } => (STARTED, pid),
            Self::Exited(exit) => {
                bytes[1] = exit.signal.is_some().into();
                bytes[8..12].copy_from_slice(&exit.signal.or(exit.code).unwrap_or_default().to_le_bytes());
                bytes[16..24].copy_from_slice(&exit.cpu_us.to_le_bytes());
                bytes[24..].copy_from_slice(&exit.max_rss_bytes.to_le_bytes());
                (EXITED, exit.pid)
            }
        };
        bytes[0] = kind;
        bytes[4..8].copy_from_slice(&pid.to_le_bytes());
        bytes
    }

    /// Decodes a report. `None` if the bytes are not one.
    pub fn from_bytes(bytes: &[u8; REPORT_BYTES]) -> Option<Self> {
        let pid = i32::from_le_bytes(*bytes[4..].first_chunk()?);
        if pid <= 1 {
            return None;
        }
        let status = i32::from_le_bytes(*bytes[8..].first_chunk()?);
        let (code, signal) = match bytes[1] {
            0 => (Some(status), None),
            1 => (None, Some(status)),
            _ => return None,
        };
        let cpu_us = u64::from_le_bytes(*bytes[16..].first_chunk()?);
        let max_rss_bytes = u64::from_le_bytes(*bytes[24..].first_chunk()?);
        match bytes[0] {
            LOADED => Some(Self::Loaded { pid }),
            STARTED => Some(Self::Started { pid }),
            EXITED => Some(Self::Exited(Exit { pid, code, signal, cpu_us, max_rss_bytes })),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_as_they_were_written() {
        let exit = Exit { pid: 7, code: Some(3), signal: None, cpu_us: 1 << 40, max_rss_bytes: 1 << 33 };
        let killed = Exit { code: None, signal: Some(9), ..exit };
        let reports = [
            TemplateReport::Loaded { pid: 2 },
            TemplateReport::Started { pid: i32::MAX },
            TemplateReport::Exited(exit),
            TemplateReport::Exited(killed),
        ];
        for report in reports {
            assert_eq!(TemplateReport::from_bytes(&report.to_bytes()), Some(report));
        }
    }

    #[test]
    fn nonsense_is_no_report() {
        assert_eq!(TemplateReport::from_bytes(&[0; REPORT_BYTES]), None);
        assert_eq!(TemplateReport::from_bytes(&[b'E'; REPORT_BYTES]), None);
        let everyone = TemplateReport::Started { pid: -1 };
        assert_eq!(TemplateReport::from_bytes(&everyone.to_bytes()), None);
    }
}
