//! Every limit and default of the system, each with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What a function's `config` may ask for, and what it gets when it does not ask.
pub struct Setting {
    /// The value of a function that does not set it.
    pub default: u64,
    /// What is accepted; anything else is refused with the field's name.
    pub range: RangeInclusive<u64>,
}

/// Wall clock of one attempt, in ms. The ceiling leaves an hour of SQS's 12 h visibility for publishing.
pub const TIMEOUT_MS: Setting = Setting { default: 30_000, range: 1..=11 * 3_600_000 };
/// Resident memory of all processes of an execution, in MiB. Below the floor a warm Ruby does not fit.
pub const MEMORY_MB: Setting = Setting { default: 256, range: 48..=10_240 };
/// Size of the result's JSON. The default is AWS Lambda's response limit.
pub const MAX_RESULT_BYTES: Setting = Setting { default: 6 * MIB, range: 1..=32 * MIB };
/// Size of the logs that are kept; a worker holds them in memory until the run ends.
pub const MAX_LOG_BYTES: Setting = Setting { default: MIB, range: 0..=16 * MIB };
/// Size of everything in the scratch folder.
pub const MAX_SCRATCH_BYTES: Setting = Setting { default: 64 * MIB, range: 0..=1024 * MIB };
/// Processes and threads of an execution that may start subprocesses.
pub const MAX_PROCESSES: Setting = Setting { default: 16, range: 1..=256 };
/// How often an execution that failed is tried again. The queue gives up at ten receives.
pub const RETRIES: Setting = Setting { default: 0, range: 0..=8 };

/// Bytes of all names and values of `config.environment` together, as on AWS Lambda.
pub const MAX_ENVIRONMENT_BYTES: usize = 4 * KIB as usize;
/// Nesting of an input and of a result: the depth that JSON parsers on both sides accept.
pub const MAX_JSON_DEPTH: usize = 100;
/// A result up to this size stands in the record too, so that most callers need no second request.
pub const INLINE_RESULT_BYTES: usize = 16 * KIB as usize;
/// Characters of an error's message that a record keeps.
pub const MAX_ERROR_MESSAGE_CHARS: usize = 8 * KIB as usize;
/// Lines of an error's backtrace that a record keeps.
pub const MAX_BACKTRACE_LINES: usize = 64;
/// Characters of one line of a backtrace that a record keeps.
pub const MAX_BACKTRACE_LINE_CHARS: usize = 512;

/// Messages in one SQS batch call, and the most that one receive may return (an SQS quota).
pub const SQS_BATCH: usize = 10;
/// SQS's longest long poll.
pub const SQS_WAIT: Duration = Duration::from_secs(20);
/// SQS's ceiling for one message, attributes included (1 MiB since 2025).
pub const SQS_MESSAGE_BYTES: usize = MIB as usize;
/// SQS keeps a message no longer than 14 days, so no execution can be queued longer.
pub const SQS_RETENTION: Duration = Duration::from_secs(14 * 24 * 3600);
/// From here on an input goes to S3 and the message names it: SQS bills each 64 KiB as a request, and an
/// S3 object is the cheaper of the two above 256 KiB.
pub const CLAIM_CHECK_BYTES: usize = 256 * KIB as usize;

/// Presigned URLs with less than this left are signed again when a record is read.
pub const RESIGN_BELOW: Duration = Duration::from_secs(600);
/// How long a manifest may be served from memory; an alias that moved takes effect within this time.
pub const MANIFEST_TTL: Duration = Duration::from_secs(3);
/// What a poller is told to wait before it asks again.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest that `Prefer: wait` holds an answer; load balancers cut idle connections at 60 s.
pub const MAX_WAIT: Duration = Duration::from_secs(50);
