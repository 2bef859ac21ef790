//! Lists as S3's two operations answer them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::list::{Entry, Wish, list};
use super::{Store, buckets, timestamp};

/// S3's most, which is also the default.
const MOST_KEYS: i32 = 1000;

/// `ListObjectsV2`.
pub(crate) fn second_version(store: &Store, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let token = input.continuation_token.as_deref().map(read_token).transpose()?;
    let after = token.unwrap_or_default().max(input.start_after.clone().unwrap_or_default());
    let most = most_keys(input.max_keys)?;
    let wish = Wish {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        after,
        most: usize::try_from(most).unwrap_or(0),
    };
    let (entries, is_truncated) = store.read(|connection| {
        let bucket = buckets::find(connection, &input.bucket)?;
        Ok(list(connection, bucket, &wish)?)
    })?;

    let encode = encoder(input.encoding_type.as_ref());
    let next = entries.last().filter(|_| is_truncated);
    let next_continuation_token = next.map(|last| URL_SAFE_NO_PAD.encode(last.name()));
    let key_count = i32::try_from(entries.len()).ok();
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Key { key, etag, bytes, modified_at } => contents.push(Object {
                key: Some(encode(key)),
                e_tag: Some(ETag::Strong(etag)),
                size: Some(bytes),
                last_modified: Some(timestamp(modified_at)),
                ..Default::default()
            }),
            Entry::Prefix(prefix) => common_prefixes.push(CommonPrefix { prefix: Some(encode(prefix)) }),
        }
    }
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        key_count,
        max_keys: Some(most),
        is_truncated: Some(is_truncated),
        contents: (!contents.is_empty()).then_some(contents),
        common_prefixes: (!common_prefixes.is_empty()).then_some(common_prefixes),
        continuation_token: input.continuation_token,
        next_continuation_token,
        prefix: Some(encode(input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(encode),
        start_after: input.start_after.map(encode),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// `ListObjects`, which goes on after a key and not with a token.
pub(crate) fn first_version(store: &Store, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let encode = encoder(input.encoding_type.as_ref());
    let marker = input.marker.clone();
    let listed = second_version(store, input.into())?;
    let next = listed.next_continuation_token.as_deref().map(read_token).transpose()?;
    Ok(ListObjectsOutput {
        name: listed.name,
        max_keys: listed.max_keys,
        is_truncated: listed.is_truncated,
        contents: listed.contents,
        common_prefixes: listed.common_prefixes,
        marker: Some(encode(marker.unwrap_or_default())),
        next_marker: next.map(encode),
        prefix: listed.prefix,
        delimiter: listed.delimiter,
        encoding_type: listed.encoding_type,
        ..Default::default()
    })
}

fn most_keys(asked: Option<i32>) -> S3Result<i32> {
    match asked.unwrap_or(MOST_KEYS) {
        negative if negative < 0 => Err(s3_error!(InvalidArgument, "max-keys can't be negative")),
        most => Ok(most.min(MOST_KEYS)),
    }
}

fn read_token(token: &str) -> S3Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not one"))
}

/// `encoding-type=url`, which some clients ask for, promises encoded keys: without it, a `+` comes out as a space.
fn encoder(encoding: Option<&EncodingType>) -> fn(String) -> String {
    match encoding {
        Some(encoding) if encoding.as_str() == EncodingType::URL => percent_encode,
        _ => |text| text,
    }
}

fn percent_encode(text: String) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_would_change_is_encoded() {
        assert_eq!(percent_encode("a/b c+d%é".to_owned()), "a/b%20c%2Bd%25%C3%A9");
    }

    #[test]
    fn a_token_is_read_back_and_others_are_refused() {
        assert_eq!(read_token(&URL_SAFE_NO_PAD.encode("a/é")).unwrap(), "a/é");
        assert!(read_token("+?").is_err());
        assert!(most_keys(Some(-1)).is_err());
    }
}
