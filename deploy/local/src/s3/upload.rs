//! An uploaded object, whole and as its sender meant it, before anything of it is stored.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::{Checksum, PutObjectInput, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

/// Bodies are in memory until they are checked.
const MAX_OBJECT_BYTES: usize = 64 * 1024 * 1024;

/// Reads the body, and returns it once it is checked: a slow sender holds up nobody, and a wrong body replaces nothing.
pub(crate) async fn receive(request: &mut S3Request<PutObjectInput>) -> S3Result<Vec<u8>> {
    let body = match request.input.body.take() {
        Some(body) => read(body).await?,
        None => Vec::new(),
    };
    check_digest(&request.input, &body)?;
    check_checksums(request, &body)?;
    Ok(body)
}

async fn read(mut body: StreamingBlob) -> S3Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        // A chunk's own signature is checked there, too.
        let chunk = chunk.map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
        if bytes.len() + chunk.len() > MAX_OBJECT_BYTES {
            return Err(s3_error!(EntityTooLarge, "the embedded S3 takes objects of at most 64 MiB"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn check_digest(input: &PutObjectInput, body: &[u8]) -> S3Result<()> {
    let Some(expected) = &input.content_md5 else { return Ok(()) };
    let expected = STANDARD.decode(expected).map_err(|error| s3_error!(error, InvalidDigest))?;
    if expected != Md5::digest(body).as_slice() {
        return Err(s3_error!(BadDigest, "the Content-MD5 does not match what was received"));
    }
    Ok(())
}

fn check_checksums(request: &S3Request<PutObjectInput>, body: &[u8]) -> S3Result<()> {
    let expected = expected_checksums(request);
    let mut hasher = ChecksumHasher {
        crc32: expected.checksum_crc32.is_some().then(Default::default),
        crc32c: expected.checksum_crc32c.is_some().then(Default::default),
        sha1: expected.checksum_sha1.is_some().then(Default::default),
        sha256: expected.checksum_sha256.is_some().then(Default::default),
        crc64nvme: expected.checksum_crc64nvme.is_some().then(Default::default),
    };
    hasher.update(body);
    if hasher.finalize() != expected {
        return Err(s3_error!(BadDigest, "a checksum does not match what was received"));
    }
    Ok(())
}

/// What the sender said before the body, or after it.
fn expected_checksums(request: &S3Request<PutObjectInput>) -> Checksum {
    let trailing = |name: &str| {
        let trailers = request.trailing_headers.as_ref()?;
        trailers.read(|headers| Some(headers.get(name)?.to_str().ok()?.to_owned())).flatten()
    };
    let input = &request.input;
    let crc64nvme = input.checksum_crc64nvme.clone();
    Checksum {
        checksum_crc32: input.checksum_crc32.clone().or_else(|| trailing("x-amz-checksum-crc32")),
        checksum_crc32c: input.checksum_crc32c.clone().or_else(|| trailing("x-amz-checksum-crc32c")),
        checksum_sha1: input.checksum_sha1.clone().or_else(|| trailing("x-amz-checksum-sha1")),
        checksum_sha256: input.checksum_sha256.clone().or_else(|| trailing("x-amz-checksum-sha256")),
        checksum_crc64nvme: crc64nvme.or_else(|| trailing("x-amz-checksum-crc64nvme")),
        ..Checksum::default()
    }
}
