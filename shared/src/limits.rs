//! The limits and defaults that callers, producers and operators meet, each with its reason: sizes, times, counts. How the
//! inside is paced (a retry's delay, a buffer's length) stands beside the code that it paces.

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
/// Processes of an execution that may start subprocesses, its own among them.
pub const MAX_PROCESSES: Setting = Setting { default: 16, range: 1..=256 };
/// How often an execution that failed is tried again. The queue gives up at ten receives.
pub const RETRIES: Setting = Setting { default: 0, range: 0..=8 };

/// Bytes of all names and values of `config.environment` together, as on AWS Lambda.
pub const MAX_ENVIRONMENT_BYTES: usize = 4 * KIB as usize;
/// A handler with its file and class, in bytes, as on AWS Lambda.
pub const MAX_HANDLER_BYTES: usize = 128;
/// A zip with code, in bytes, as AWS Lambda has it.
pub const MAX_ZIP_BYTES: u64 = 50 * MIB;
/// What a zip with code holds has less than this, in bytes, as AWS Lambda has it.
pub const MAX_UNPACKED_BYTES: u64 = 250 * MIB;
/// Files, folders and links of a zip. Each costs a call to the file system when the zip is unpacked.
pub const MAX_ZIP_ENTRIES: usize = 50_000;
/// How many times larger than the zip what it holds may be, once that has more than `UNSUSPICIOUS_UNPACKED_BYTES`. Deflate
/// packs nothing to less than a thousandth, and only what says next to nothing to less than a hundredth.
pub const MAX_ZIP_RATIO: u64 = 200;
/// What a zip may hold however well it is packed, in bytes.
pub const UNSUSPICIOUS_UNPACKED_BYTES: u64 = 8 * MIB;
/// Layers of one function, as AWS Lambda has it.
pub const MAX_LAYERS: usize = 5;
/// A path in a zip, in bytes.
pub const MAX_PATH_BYTES: usize = 1024;
/// Nesting of an input and of a result: the depth that JSON parsers on both sides accept.
pub const MAX_JSON_DEPTH: usize = 100;
/// A result up to this size stands in the record too, so that most callers need no second request.
pub const INLINE_RESULT_BYTES: usize = 16 * KIB as usize;
/// The end of the logs that stands in the record while an execution runs.
pub const LOGS_TAIL_BYTES: usize = 16 * KIB as usize;
/// An input up to this size stands in the record, where inputs are kept: that costs no request of its own.
pub const INLINE_INPUT_BYTES: usize = 16 * KIB as usize;
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
/// The longest that SQS delays a message.
pub const SQS_LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// SQS's ceiling for one message, attributes included (1 MiB since 2025).
pub const SQS_MESSAGE_BYTES: usize = MIB as usize;
/// SQS keeps a message no longer than 14 days, so no execution can be queued longer.
pub const SQS_RETENTION: Duration = Duration::from_secs(14 * 24 * 3600);
/// How long SQS may have lost an execution's message before the execution counts as expired: more than the 12 h for
/// which a worker may hold a message that its retention period has ended for.
pub const EXPIRY_MARGIN: Duration = Duration::from_secs(24 * 3600);
/// Inputs of one batch: as many as one request can put on the queue before its client gives up.
pub const MAX_BATCH: usize = 10_000;
/// Bytes of a batch's body: a quarter of what all bodies may hold.
pub const MAX_BATCH_BYTES: usize = 32 * MIB as usize;
/// Messages of one batch that are being sent at once: enough to fill every call to SQS, and to have the next ones ready.
pub const BATCH_SENDS: usize = 2 * SEND_CALLS * SQS_BATCH;
/// Inputs of one map.
pub const MAX_MAP_ITEMS: u64 = 1_000_000;
/// Chunks of one map: each costs the API a look at its results when it first counts a map's items.
pub const MAX_MAP_CHUNKS: u32 = 20_000;
/// Inputs of a chunk: a worker holds them in memory, and a chunk whose worker dies is done by another.
pub const MAX_CHUNK_ITEMS: u32 = 10_000;
/// Bytes of a chunk's inputs, beyond which no further one is added: a worker holds those of two chunks.
pub const CHUNK_BYTES: usize = 4 * MIB as usize;
/// How long a chunk should keep a worker: long against what each chunk costs, short for other workers that could help.
pub const CHUNK_TIME: Duration = Duration::from_secs(4);
/// Inputs of a chunk that the API makes by how long runs take, at least and at most. With fewer than twice as many as a
/// worker has slots, slots wait for the last ones; of runs so short that there would be more, a chunk takes less time.
pub const CHUNK_ITEMS: [u32; 2] = [2 * CHUNK_SLOTS, 5_000];
/// Inputs of a chunk where it is not known how long runs take: half a second of the shortest, two minutes of 1 s at 4
/// slots.
pub const CHUNK_ITEMS_UNKNOWN: u32 = 500;
/// The slots of a worker, as the API assumes for the size of a chunk.
pub const CHUNK_SLOTS: u32 = 4;
/// Clients that may read results of maps at once: for each, two parts of up to 16 MiB are in memory, as a rule.
pub const MAP_RESULT_READERS: usize = 8;
/// The longest that SQS lets a message be held after one receive.
pub const SQS_LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);
/// `maxReceiveCount` of a queue whose redrive policy can't be read: what the deployment sets.
pub const USUAL_MAX_RECEIVES: u32 = 10;
/// From here on an input goes to S3 and the message names it: SQS bills each 64 KiB as a request, and an
/// S3 object is the cheaper of the two above 256 KiB.
pub const CLAIM_CHECK_BYTES: usize = 256 * KIB as usize;

/// Presigned URLs with less than this left are signed again when a record is read.
pub const RESIGN_BELOW: Duration = Duration::from_secs(600);
/// How long a manifest may be served from memory; an alias that moved takes effect within this time.
pub const MANIFEST_TTL: Duration = Duration::from_secs(3);
/// How long a worker's share of a function's reserved concurrency lasts. While a worker is dead, so long fewer run.
pub const SHARE_LEASE: Duration = Duration::from_secs(20);
/// What a poller is told to wait before it asks again.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest that `Prefer: wait` holds an answer; load balancers cut idle connections at 60 s.
pub const MAX_WAIT: Duration = Duration::from_secs(50);

/// The most that `BADLAMBDA_MAX_INPUT_BYTES` may be: a worker holds an input for each slot.
pub const MAX_INPUT_BYTES_CEILING: u64 = 64 * MIB;

/// How long a send waits for others to share its call to SQS, while other calls are under way. A lone one does not wait.
pub const SEND_LINGER: Duration = Duration::from_millis(2);
/// Calls to SQS that sends may have under way at once; from there on they fill up the next calls.
pub const SEND_CALLS: usize = 16;
/// How often one message is sent before it counts as not sent.
pub const SEND_TRIES: usize = 4;
/// How long all tries together may take; clients and load balancers give up after 30 s and more.
pub const SEND_DEADLINE: Duration = Duration::from_secs(20);
/// The first pause of `Prefer: wait`: about what a warm execution needs.
pub const POLL_PAUSE_FIRST: Duration = Duration::from_millis(10);
/// Looks at records at once, of all who wait: each takes a connection to S3, with its buffers. At 25 ms a look they are five
/// thousand a second, more than an API makes.
pub const LOOKS_AT_ONCE: usize = 128;
/// The longest pause of `Prefer: wait`.
pub const POLL_PAUSE_MOST: Duration = Duration::from_secs(1);
/// How long a repeated `Idempotency-Key` waits for the first request with it to be through.
pub const IDEMPOTENCY_PATIENCE: Duration = Duration::from_secs(3);
/// Characters of an `Idempotency-Key`.
pub const MAX_IDEMPOTENCY_KEY_CHARS: usize = 255;
/// Characters of why a message can't be run: it goes with the message as an attribute, and quotes what was wrong.
pub const MAX_REASON_CHARS: usize = 500;
/// A record holds a small result and a bounded error; anything larger is not ours.
pub const MAX_RECORD_BYTES: u64 = MIB;
/// A manifest holds one version and its aliases; anything larger is not ours.
pub const MAX_MANIFEST_BYTES: u64 = MIB;
/// A map's manifest names the size of every chunk.
pub const MAX_MAP_MANIFEST_BYTES: u64 = MIB;
/// Aliases of one function, which all stand in its manifest.
pub const MAX_ALIASES: usize = 100;
/// Versions that take a share of an alias's executions.
pub const MAX_ALIAS_WEIGHTS: usize = 20;
/// Marks of deleted versions in one manifest, which has room for them; the oldest versions leave none.
pub const MAX_DELETED_VERSIONS: usize = 10_000;
/// An alias is set by some numbers.
pub const MAX_ALIAS_BODY_BYTES: usize = 4 * KIB as usize;
/// Lines of a segment of the index, which is stored once it has so many.
pub const SEGMENT_LINES: usize = 1000;
/// How long a line waits for others before its segment is stored, and its message for that.
pub const SEGMENT_LINGER: Duration = Duration::from_secs(3);
/// Lines of a segment that others were put together to: a worker and a reader hold one in memory, at 200 to 500 bytes a
/// line.
pub const COMPACTED_LINES: usize = 50_000;
/// No segment is larger; anything that is, is not ours.
pub const MAX_SEGMENT_BYTES: u64 = 256 * MIB;
/// Bytes of a result, or of an error's message, that stand in a list.
pub const LISTED_TEXT_BYTES: usize = 120;
/// The most executions of a page. They come from segments that are in memory.
pub const MAX_LISTED: usize = 1000;
/// How old stats may be.
pub const STATS_TTL: Duration = Duration::from_secs(2);
/// How long the API looks for executions to list. What it has not come to by then is for the next page.
pub const LIST_TIME: Duration = Duration::from_secs(3);
/// Bytes of the index that the API remembers: the lines of a million executions. Its task has 512 MiB on AWS.
pub const INDEX_CACHE_BYTES: u64 = 144 * MIB;
/// Keys of one page of S3's list, which has no more.
pub const LISTED_KEYS: usize = 1000;
/// How often a change of a function starts again because another came between.
pub const PUBLISH_TRIES: usize = 10;
/// Numbers that a publisher finds taken before it gives up: as many may publish at once, from several APIs.
pub const VERSION_TRIES: usize = 200;
/// Entries of a page, where the request does not say.
pub const PAGE: usize = 50;
/// The most entries of a page: each costs a read.
pub const MAX_PAGE: usize = 200;
/// Reads from S3 that one request may have under way at once.
pub const READS_AT_ONCE: usize = 16;
/// How long `/readyz` may repeat its last answer, so that many probes cost few requests.
pub const READINESS_TTL: Duration = Duration::from_secs(3);
/// How much of a body that is too large is read and dropped, so that its sender comes to read the refusal.
pub const DISCARDED_BODY_BYTES: usize = 64 * MIB as usize;
/// A dead letter's body up to this size stands in a list of them, too; a page then has 4 MiB at most.
pub const INLINE_DEAD_LETTER_BYTES: usize = 16 * KIB as usize;
/// How long one request may look through the dead-letter queue: load balancers cut idle connections at 60 s.
pub const DEAD_LETTER_LOOK: Duration = Duration::from_secs(45);
/// Dead letters that are redriven in a second, where the request does not say: what failed once may do harm again.
pub const REDRIVES_PER_SECOND: u32 = 10;
/// The most that may be asked for, as of SQS's own redrive.
pub const MAX_REDRIVES_PER_SECOND: u32 = 500;
/// Characters of text that a list is filtered by: a dead letter's reason.
pub const MAX_FILTER_CHARS: usize = KIB as usize;
/// Characters of a token that is given in the clear, and of a secret access key: too many to be guessed, if made by chance.
pub const MIN_TOKEN_CHARS: usize = 16;
/// How far the time of a signature may lie before or after the API's, as of AWS's services.
pub const MAX_SIGNATURE_SKEW: Duration = Duration::from_secs(5 * 60);
/// Bytes of the Authorization header of a signed request: a hundred signed headers fit.
pub const MAX_AUTHORIZATION_BYTES: usize = 8 * KIB as usize;
/// Signed headers of a request; no server here takes more headers.
pub const MAX_SIGNED_HEADERS: usize = 100;
/// Bytes of a signed request's path and query: written out for the signature they are three times as long, and
/// `aws-sigv4` panics over 64 KiB.
pub const MAX_SIGNED_TARGET_BYTES: usize = 8 * KIB as usize;
/// Tokens of one API: each request is compared with all of them.
pub const MAX_TOKENS: usize = 1000;
/// The highest rate of a token; more than one API answers.
pub const MAX_REQUESTS_PER_SECOND: u32 = 1_000_000;
/// Requests that the API has under way at once; beyond them it answers 503. Most of them wait.
pub const MAX_REQUESTS: usize = 4096;
/// Bytes of all bodies that the API holds at once; beyond them it answers 503. Its task has 512 MiB on AWS.
pub const MAX_BODY_BYTES_UNDER_WAY: usize = 128 * MIB as usize;
/// How long a request's body may take in all: the largest at 256 KiB/s.
pub const BODY_TIME: Duration = Duration::from_secs(300);
/// How long a request's body may stall.
pub const BODY_STALL: Duration = Duration::from_secs(30);
/// How long the API lets requests end after SIGTERM; the submits among them may need `SEND_DEADLINE`.
pub const API_DRAIN: Duration = Duration::from_secs(25);
