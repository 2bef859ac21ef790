//! A segment in memory: of the lines of many executions, what a reader filters by lies close together.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroU8;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::execution::id::ExecutionId;
use crate::execution::{ErrorKind, Status, Usage};
use crate::function::name::FunctionName;
use crate::index::{Line, SortKey};

/// A segment's bytes are not what was stored as one.
#[derive(Clone, Debug, thiserror::Error)]
#[error("line {line} of a segment can't be read: {reason}")]
pub struct SegmentError {
    line: usize,
    reason: String,
}

/// A segment that was read.
#[derive(Debug, Default)]
pub struct Segment {
    rows: Vec<Row>,
    /// The ids, messages and results of all rows.
    text: String,
    functions: Vec<FunctionName>,
}

/// A [`Line`] with texts that are not copied: an hour may have fifty thousand.
#[derive(Deserialize)]
struct BorrowedLine<'a> {
    id: &'a str,
    function: &'a str,
    #[serde(default)]
    version: Option<u32>,
    status: Status,
    #[serde(default)]
    kind: Option<ErrorKind>,
    submitted_ms: i64,
    #[serde(default)]
    started_ms: Option<i64>,
    at_ms: i64,
    attempts: u32,
    #[serde(default)]
    usage: Option<Usage>,
    /// It may have characters that are escaped.
    #[serde(default, borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    result: Option<&'a RawValue>,
}

/// A line, without its texts: 48 bytes of a million are what a reader of a busy day keeps.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// When the execution ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// How much earlier it was submitted, in milliseconds.
    submitted_before: u32,
    /// How much earlier the attempt that counts began; `NONE` if there was none.
    started_before: u32,
    /// `NaN` where it is not known what the attempt used.
    wall_ms: f32,
    cpu_ms: f32,
    max_rss_kib: u32,
    /// 0 for none.
    version: u32,
    attempts: u16,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub kind: Option<ErrorKind>,
    /// Which of the segment's functions.
    function: u32,
    /// Where its texts begin.
    text: u32,
    id_bytes: u8,
    message_bytes: Option<NonZeroU8>,
    result_bytes: Option<NonZeroU8>,
}

const NONE: u32 = u32::MAX;

impl Segment {
    /// Reads a segment's object.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn parse(bytes: &[u8]) -> Result<Self, SegmentError> {
        let text = std::str::from_utf8(bytes);
        let text = text.map_err(|error| SegmentError { line: 0, reason: error.to_string() })?;
        let mut segment = Self::default();
        let mut numbers = HashMap::new();
        for (at, json) in text.lines().enumerate() {
            let refuse = |reason: String| SegmentError { line: at + 1, reason };
            let line: BorrowedLine<'_> =
                serde_json::from_str(json).map_err(|error| refuse(error.to_string()))?;
            segment.push(&line, &mut numbers).map_err(|reason| refuse(reason.to_owned()))?;
        }
        segment.rows.shrink_to_fit();
        segment.text.shrink_to_fit();
        Ok(segment)
    }

    fn push<'a>(
        &mut self,
        line: &BorrowedLine<'a>,
        numbers: &mut HashMap<&'a str, u32>,
    ) -> Result<(), &'static str> {
        let function = match numbers.get(line.function) {
            Some(&number) => number,
            None => {
                let number = self.functions.len() as u32;
                self.functions.push(line.function.parse().map_err(|_| "the function has another form")?);
                numbers.insert(line.function, number);
                number
            }
        };
        let start = u32::try_from(self.text.len()).map_err(|_| "the segment is too large")?;
        let mut add = |part: &str| {
            self.text.push_str(part);
            u8::try_from(part.len()).map_err(|_| "a text is longer than any that a worker writes")
        };
        let id_bytes = add(line.id)?;
        // An empty message is none. A result has a byte at least.
        let message_bytes = line.message.as_deref().map(&mut add).transpose()?.and_then(NonZeroU8::new);
        let result_bytes = line.result.map(RawValue::get).map(&mut add).transpose()?.and_then(NonZeroU8::new);
        let before = |ms: i64| u32::try_from(line.at_ms.saturating_sub(ms).max(0)).unwrap_or(NONE - 1);
        let usage = line.usage;
        self.rows.push(Row {
            at_ms: line.at_ms,
            submitted_before: before(line.submitted_ms),
            started_before: line.started_ms.map_or(NONE, before),
            wall_ms: usage.map_or(f32::NAN, |usage| usage.wall_ms as f32),
            cpu_ms: usage.map_or(f32::NAN, |usage| usage.cpu_ms as f32),
            max_rss_kib: usage
                .map_or(0, |usage| u32::try_from(usage.max_rss_bytes / 1024).unwrap_or(u32::MAX)),
            version: line.version.unwrap_or(0),
            attempts: u16::try_from(line.attempts).unwrap_or(u16::MAX),
            status: line.status,
            kind: line.kind,
            function,
            text: start,
            id_bytes,
            message_bytes,
            result_bytes,
        });
        Ok(())
    }

    /// Its rows, the newest first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The number that rows of a function have here.
    pub fn number_of(&self, function: &FunctionName) -> Option<u32> {
        self.functions.iter().position(|known| known == function).map(|number| number as u32)
    }

    /// The function of a row.
    pub fn function(&self, row: &Row) -> &FunctionName {
        &self.functions[row.function as usize]
    }

    /// Where a row stands in a list.
    pub fn sort_key(&self, row: &Row) -> SortKey<'_> {
        (Reverse(row.at_ms), self.text(row.text, row.id_bytes))
    }

    /// A row with its texts. `None` where they are not what was parsed, which can't be.
    pub fn line(&self, row: &Row) -> Option<Line> {
        let id: ExecutionId = self.text(row.text, row.id_bytes).parse().ok()?;
        let bytes = |part: Option<NonZeroU8>| part.map_or(0, NonZeroU8::get);
        let message_at = row.text + u32::from(row.id_bytes);
        let result_at = message_at + u32::from(bytes(row.message_bytes));
        let result = row.result_bytes.map(|part| self.text(result_at, part.get()).to_owned());
        Some(Line {
            id,
            function: self.function(row).clone(),
            version: row.version(),
            status: row.status,
            kind: row.kind,
            submitted_ms: row.submitted_ms(),
            started_ms: row.started_ms(),
            at_ms: row.at_ms,
            attempts: row.attempts.into(),
            usage: row.usage(),
            message: row.message_bytes.map(|part| self.text(message_at, part.get()).to_owned()),
            result: result.and_then(|json| RawValue::from_string(json).ok()),
        })
    }

    /// How much memory it takes, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>() + self.text.len() + self.functions.len() * 128
    }

    fn text(&self, start: u32, bytes: u8) -> &str {
        let start = start as usize;
        self.text.get(start..start + usize::from(bytes)).unwrap_or_default()
    }
}

impl Row {
    /// Which of the segment's functions, as by [`Segment::number_of`].
    pub fn function_number(&self) -> u32 {
        self.function
    }

    /// The version that ran, if one did.
    pub fn version(&self) -> Option<u32> {
        Some(self.version).filter(|&version| version > 0)
    }

    /// When it was submitted, in milliseconds since 1970.
    pub fn submitted_ms(&self) -> i64 {
        self.at_ms - i64::from(self.submitted_before)
    }

    /// When the attempt that counts began, if there was one.
    pub fn started_ms(&self) -> Option<i64> {
        (self.started_before != NONE).then(|| self.at_ms - i64::from(self.started_before))
    }

    /// What that attempt used, as far as it is known, to the microsecond up to 16 s.
    pub fn usage(&self) -> Option<Usage> {
        let rounded = |ms: f32| (f64::from(ms) * 1000.0).round() / 1000.0;
        (!self.wall_ms.is_nan()).then(|| Usage {
            wall_ms: rounded(self.wall_ms),
            cpu_ms: rounded(self.cpu_ms),
            max_rss_bytes: u64::from(self.max_rss_kib) * 1024,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::ExecutionError;
    use crate::execution::record::Record;
    use crate::timestamp::Timestamp;

    fn line(function: &str, id: &str, at_ms: i64) -> Line {
        let at = Timestamp::from_unix_ms(at_ms).unwrap();
        let queued = Record::queued(id.parse().unwrap(), function.parse().unwrap(), Some(2), at);
        let error = ExecutionError::new(ErrorKind::Crash, "é".repeat(500));
        Line { at_ms, ..Line::of(&queued.failed(error)) }
    }

    #[test]
    fn a_line_comes_back_as_it_was() {
        let mut lines = [line("hello", "a", 5), line("other", "b", 4), line("hello", "c", 3)];
        lines[1].result = RawValue::from_string("{\"a\": 1}".to_owned()).ok();
        lines[2].usage = Some(Usage { wall_ms: 1_234.567, cpu_ms: 0.1, max_rss_bytes: 23_068_672 });
        lines[2].started_ms = Some(2);
        let json = |line: &Line| serde_json::to_string(line).unwrap();
        let bytes: String = lines.iter().map(|line| json(line) + "\n").collect();
        let segment = Segment::parse(bytes.as_bytes()).unwrap();
        let back: Vec<_> = segment.rows().iter().map(|row| json(&segment.line(row).unwrap())).collect();
        assert_eq!(back, lines.iter().map(json).collect::<Vec<_>>());
        assert_eq!(segment.number_of(&"other".parse().unwrap()), Some(1));
        assert!(segment.number_of(&"hell".parse().unwrap()).is_none());
    }

    #[test]
    fn a_row_is_small() {
        assert_eq!(size_of::<Row>(), 48);
    }

    #[test]
    fn a_damaged_segment_says_where() {
        let good = serde_json::to_string(&line("hello", "a", 5)).unwrap();
        let error = Segment::parse(format!("{good}\nnonsense\n").as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("line 2 of a segment"), "{error}");
        assert!(Segment::parse(b"").unwrap().rows().is_empty());
    }
}
