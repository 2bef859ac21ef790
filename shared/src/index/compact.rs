//! Puts the segments of an hour that is over together, so that reading it later takes few requests.

use sha2::{Digest, Sha256};

use crate::aws::store::{Store, StoreError};
use crate::index::{Hour, Line, SegmentName, store_segment};
use crate::limits;

/// Compacts an hour, and returns how many segments it had and has.
///
/// Several may do this at once. Each writes the lines of what it found, under a name made of the names that it found, and
/// then deletes what it found. So no line is ever lost, and one that is there twice counts once.
///
/// # Errors
/// When S3 fails. What was done by then does no harm.
pub async fn compact(store: &Store, hour: Hour) -> Result<(usize, usize), StoreError> {
    let keys = store.list_all(&store.keys().index_hour(hour)).await?.keys;
    let found: Vec<SegmentName> = keys.iter().filter_map(|key| store.keys().segment_of(key)).collect();
    let mut left = 0;
    for group in groups(&found) {
        left += 1;
        if group.len() > 1 {
            compact_group(store, group).await?;
        }
    }
    Ok((found.len(), left))
}

/// Segments that follow one another, together no larger than one should be.
fn groups(names: &[SegmentName]) -> Vec<&[SegmentName]> {
    let (mut groups, mut start, mut lines) = (vec![], 0, 0);
    for (at, name) in names.iter().enumerate() {
        if at > start && lines + name.lines > limits::COMPACTED_LINES {
            groups.push(&names[start..at]);
            (start, lines) = (at, 0);
        }
        lines += name.lines;
    }
    if start < names.len() {
        groups.push(&names[start..]);
    }
    groups
}

async fn compact_group(store: &Store, group: &[SegmentName]) -> Result<(), StoreError> {
    let (mut lines, mut read) = (vec![], vec![]);
    for name in group {
        let key = store.keys().segment(name);
        let Some(object) = store.get(&key, limits::MAX_SEGMENT_BYTES).await? else { continue };
        match parse(&object.bytes) {
            Ok(of_segment) => lines.extend(of_segment),
            Err(error) => {
                tracing::error!(key, %error, "a segment of the index can't be read, and is left as it is");
                continue;
            }
        }
        read.push(key);
    }
    lines.sort_by_cached_key(Line::sort_key);
    lines.dedup_by(|one, next| one.id == next.id && one.at_ms == next.at_ms);
    let nonce = hex_digest(&read);
    let stored = store_segment(store, &lines, &nonce).await?;
    for key in read.iter().filter(|key| Some(*key) != stored.as_ref()) {
        store.delete(key).await?;
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> serde_json::Result<Vec<Line>> {
    serde_json::Deserializer::from_slice(bytes).into_iter().collect()
}

fn hex_digest(keys: &[String]) -> String {
    let digest = Sha256::digest(keys.join("\n"));
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(lines: usize) -> SegmentName {
        format!("8203992212876-3000-{lines}-a.ndjson").parse().unwrap()
    }

    #[test]
    fn groups_are_no_larger_than_a_segment_should_be() {
        let most = limits::COMPACTED_LINES;
        let names = [1, most - 2, 1, 1, most + 1, 5].map(name);
        let lengths: Vec<_> = groups(&names).iter().map(|group| group.len()).collect();
        assert_eq!(lengths, [3, 1, 1, 1]);
        assert!(groups(&[]).is_empty());
    }
}
