//! Listing keys in order. No more rows are read than are listed: what is listed together is stepped over.

use rusqlite::Connection;

use crate::database::DatabaseError;

/// What is to be listed.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) prefix: String,
    /// Keys that go on with this after the prefix are listed together, by what they share.
    pub(crate) delimiter: Option<String>,
    /// Nothing up to here is listed.
    pub(crate) after: String,
    pub(crate) most: usize,
}

/// A key or a common prefix.
#[derive(Debug)]
pub(crate) enum Entry {
    Key { key: String, etag: String, bytes: i64, modified_at: i64 },
    Prefix(String),
}

impl Entry {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Key { key, .. } => key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// The next key of bucket `?1` from `?2` on, and before `?3` if that is not null.
const NEXT: &str = "SELECT key, etag, bytes, modified_at FROM objects \
    WHERE bucket = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key";

/// Lists a bucket; also returns whether there is more.
pub(crate) fn list(
    connection: &Connection,
    bucket: i64,
    wish: &Wish,
) -> Result<(Vec<Entry>, bool), DatabaseError> {
    let mut entries = Vec::new();
    if wish.most == 0 {
        return Ok((entries, false));
    }
    let mut next = connection.prepare_cached(NEXT)?;
    let end = end_of(&wish.prefix);
    let mut start = Some(wish.start());
    while let Some(from) = start.take() {
        let mut rows = next.query((bucket, from, end.as_deref()))?;
        while let Some(row) = rows.next()? {
            if entries.len() == wish.most {
                return Ok((entries, true));
            }
            let key = String::from_utf8_lossy(row.get_ref(0)?.as_bytes().unwrap_or_default()).into_owned();
            match wish.common_prefix(&key) {
                Some(common) => {
                    // The next one is behind all that begin like this.
                    start = end_of(common);
                    entries.push(Entry::Prefix(common.to_owned()));
                    break;
                }
                None => entries.push(Entry::Key {
                    key,
                    etag: row.get(1)?,
                    bytes: row.get(2)?,
                    modified_at: row.get(3)?,
                }),
            }
        }
    }
    Ok((entries, false))
}

impl Wish {
    /// The first key that may be listed.
    fn start(&self) -> Vec<u8> {
        let behind = match self.common_prefix(&self.after) {
            // The last page ended with what is listed together.
            Some(common) if common == self.after => end_of(common).unwrap_or_default(),
            _ => [self.after.as_bytes(), b"\0"].concat(),
        };
        behind.max(self.prefix.clone().into_bytes())
    }

    /// What a key shares with others that are listed together with it.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref()?;
        let at = key.strip_prefix(&self.prefix)?.find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }
}

/// The first key behind all that begin with `prefix`. All keys begin with nothing, and none is behind them.
fn end_of(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // No byte of UTF-8 is so large that it can't be made larger.
    *end.last_mut()? += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::tables::STEPS;

    const BUCKET: i64 = 1;

    fn bucket(keys: &[&str]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.execute_batch("INSERT INTO buckets VALUES (1, 'b', 0), (2, 'other', 0)").unwrap();
        let sql = "INSERT INTO objects (bucket, key, etag, modified_at, bytes, headers, body) \
                   VALUES (?, ?, '', 0, 0, '', '')";
        for key in keys {
            connection.execute(sql, (BUCKET, key.as_bytes())).unwrap();
        }
        connection.execute(sql, (BUCKET + 1, b"f/of-another-bucket")).unwrap();
        connection
    }

    fn names(entries: &[Entry]) -> Vec<String> {
        entries.iter().map(|entry| entry.name().to_owned()).collect()
    }

    /// All names, page by page.
    fn pages(
        connection: &Connection,
        prefix: &str,
        delimiter: Option<&str>,
        most: usize,
    ) -> Vec<Vec<String>> {
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let delimiter = delimiter.map(str::to_owned);
            let wish = Wish { prefix: prefix.to_owned(), delimiter, after, most };
            let (entries, is_truncated) = list(connection, BUCKET, &wish).unwrap();
            pages.push(names(&entries));
            if !is_truncated {
                return pages;
            }
            after = pages.last().and_then(|page| page.last()).unwrap().clone();
        }
    }

    #[test]
    fn keys_come_in_the_order_of_their_bytes() {
        let bucket = bucket(&["a/b/c", "a/b-", "a/b0", "a.", "a0", "z/y", "\u{10ffff}", "é"]);
        let all = ["a.", "a/b-", "a/b/c", "a/b0", "a0", "z/y", "é", "\u{10ffff}"];
        assert_eq!(pages(&bucket, "", None, 100), [all]);
        assert_eq!(pages(&bucket, "", None, 1).concat(), all);
        assert_eq!(pages(&bucket, "a/b", None, 2), [vec!["a/b-", "a/b/c"], vec!["a/b0"]]);
        assert_eq!(pages(&bucket, "\u{10ffff}", None, 2), [["\u{10ffff}"]]);
        assert_eq!(pages(&bucket, "no/such", None, 2).concat(), [""; 0]);
    }

    #[test]
    fn folders_are_common_prefixes_once() {
        let bucket = bucket(&["f/a/1", "f/a/2", "f/b", "f/c/d/1", "g"]);
        assert_eq!(pages(&bucket, "f/", Some("/"), 1).concat(), ["f/a/", "f/b", "f/c/"]);
        assert_eq!(pages(&bucket, "", Some("/"), 100), [["f/", "g"]]);
        assert_eq!(pages(&bucket, "f", Some("/"), 100), [["f/"]]);
        assert_eq!(pages(&bucket, "f/", Some("d/"), 100), [["f/a/1", "f/a/2", "f/b", "f/c/d/"]]);
        let wish =
            Wish { delimiter: Some("/".to_owned()), after: "f/a/1".to_owned(), most: 9, ..Wish::default() };
        let (entries, is_truncated) = list(&bucket, BUCKET, &wish).unwrap();
        assert_eq!((names(&entries), is_truncated), (vec!["f/".to_owned(), "g".to_owned()], false));
    }

    #[test]
    fn nothing_is_listed_where_nothing_is_asked_for() {
        assert!(list(&bucket(&["a"]), BUCKET, &Wish::default()).unwrap().0.is_empty());
    }
}
