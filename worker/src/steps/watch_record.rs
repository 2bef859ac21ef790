//! The record of an execution while it runs. After a few seconds it says that the execution runs, and from then on how
//! far it has come. Whatever makes it final meanwhile ends the attempt: a cancellation, or another worker that has the
//! message, too.

use std::time::Duration;

use badlambda_shared::execution::Status;
use badlambda_shared::execution::logs::{as_text, whole_characters};
use badlambda_shared::execution::record::Record;
use badlambda_shared::execution::records::{Recorded, Records};
use badlambda_shared::function::catalog::Runnable;
use badlambda_shared::index::Line;
use badlambda_shared::timestamp::Timestamp;

use crate::index::Running;
use crate::sandbox::{Progress, ProgressReport};
use crate::steps::claim::Claim;

/// When the record of what runs is looked for, if it was not before. The outcome of what ends sooner is refused by S3,
/// where there is a final record.
const FIRST_LOOK: Duration = Duration::from_millis(200);
/// How often the record of what runs is written, from this age on.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// What watching a record needs.
pub(crate) struct RecordWatch {
    pub(crate) records: Records,
    pub(crate) running: Running,
}

impl RecordWatch {
    /// Returns the execution's final record once it has one. Meanwhile it is recorded and listed as running.
    pub(crate) async fn until_final(
        &self,
        claim: &mut Claim<'_>,
        runnable: &Runnable,
        began_at: Timestamp,
        progress: &Progress,
    ) -> Box<Record> {
        tokio::time::sleep(FIRST_LOOK).await;
        if !claim.has_looked
            && let Some(record) = self.final_record(claim).await
        {
            return record;
        }
        tokio::time::sleep(RENEW_EVERY - FIRST_LOOK).await;
        let queued = claim.record(Some(runnable), claim.attempt());
        let running = Record { status: Status::Running, started_at: Some(began_at), ..queued };
        let mut listed = None;
        loop {
            if let Some(record) = self.renew_record(claim, &with_progress(&running, &progress.report())).await
            {
                return record;
            }
            listed.get_or_insert_with(|| self.running.list(Line::of(&running)));
            tokio::time::sleep(RENEW_EVERY).await;
        }
    }

    /// The execution's final record, if there is one, as far as S3 answers.
    async fn final_record(&self, claim: &Claim<'_>) -> Option<Box<Record>> {
        let found = self.records.find(&claim.request.function, &claim.request.id).await;
        let found = found
            .inspect_err(|error| tracing::warn!(%error, "could not look at the record of what runs"))
            .ok()?;
        found.map(|found| Box::new(found.record)).filter(|record| record.status.is_final())
    }

    /// Writes the record, as far as S3 takes it. Returns the execution's final record, if it has one already.
    async fn renew_record(&self, claim: &mut Claim<'_>, record: &Record) -> Option<Box<Record>> {
        match self.records.write(record, claim.etag.as_deref()).await {
            Ok(Recorded::Stored { etag }) => claim.etag = Some(etag),
            Ok(Recorded::AlreadyFinal(other)) => return Some(other),
            Err(error) => tracing::warn!(%error, "could not record that an execution runs"),
        }
        None
    }
}

/// The record of what runs, with how far it has come.
fn with_progress(running: &Record, report: &ProgressReport) -> Record {
    let ProgressReport { usage, logs_tail, logs_bytes } = report;
    let whole = whole_characters(logs_tail);
    let behind = (logs_tail.len() - whole.end) as u64;
    let (logs_tail, logs_bytes) = match &logs_tail[whole] {
        [] => (None, None),
        tail => (Some(as_text(tail)), Some(logs_bytes - behind)),
    };
    Record { usage: Some(*usage), logs_tail, logs_bytes, ..running.clone() }
}

#[cfg(test)]
mod tests {
    use badlambda_shared::execution::Usage;

    use super::*;

    #[test]
    fn a_character_that_is_not_all_there_is_told_later() {
        let at = Timestamp::from_unix_ms(0).unwrap();
        let running = Record::queued("m-1".parse().unwrap(), "hello".parse().unwrap(), Some(3), at);
        let progress = |logs: &[u8]| {
            let usage = Usage { wall_ms: 5.0, ..Usage::default() };
            let report = ProgressReport { usage, logs_tail: logs.to_vec(), logs_bytes: 100 };
            let Record { usage, logs_tail, logs_bytes, .. } = with_progress(&running, &report);
            assert_eq!(usage.unwrap().wall_ms, 5.0);
            logs_tail.zip(logs_bytes)
        };
        assert_eq!(progress(b"Ada\xC3"), Some(("Ada".to_owned(), 99)));
        assert_eq!(progress(b"Ada"), Some(("Ada".to_owned(), 100)));
        assert_eq!(progress(b""), None);
    }
}
