//! Signature Version 4 of a request: made again with the secret key, and compared.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::request::Parts;
use subtle::ConstantTimeEq;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::credentials::Credentials;

const MOST_SKEW: Duration = Duration::from_secs(15 * 60);

/// Why a request is not believed to come from a holder of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("the request is not signed; sign it with Signature Version 4")]
    Missing,
    #[error("the Authorization header or X-Amz-Date is malformed")]
    Malformed,
    #[error("the access key id is not the one that was made for these servers")]
    UnknownKey,
    #[error("the request was signed more than 15 minutes ago, or in the future")]
    Expired,
    #[error("the signature does not match; check the secret access key")]
    Mismatch,
}

/// The parts of an Authorization header.
struct Authorization<'a> {
    key_id: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// Checks that the holder of the key signed this request.
pub(crate) fn verify(parts: &Parts, body: &[u8], credentials: &Credentials) -> Result<(), SignatureError> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = parse(header("authorization").ok_or(SignatureError::Missing)?)?;
    if authorization.key_id != credentials.access_key_id {
        return Err(SignatureError::UnknownKey);
    }
    let signed_at = header("x-amz-date").and_then(parse_date).ok_or(SignatureError::Malformed)?;
    let skew = SystemTime::now().duration_since(signed_at).unwrap_or_else(|error| error.duration());
    if skew > MOST_SKEW {
        return Err(SignatureError::Expired);
    }
    let expected = sign_again(parts, body, credentials, &authorization, signed_at)?;
    let matches: bool = expected.as_bytes().ct_eq(authorization.signature.as_bytes()).into();
    if matches { Ok(()) } else { Err(SignatureError::Mismatch) }
}

fn parse(header: &str) -> Result<Authorization<'_>, SignatureError> {
    let fields = header.strip_prefix("AWS4-HMAC-SHA256").ok_or(SignatureError::Malformed)?;
    let field = |name: &str| {
        let mut all = fields.split(',').filter_map(|field| field.trim().split_once('='));
        all.find(|(found, _)| *found == name).map(|(_, value)| value).ok_or(SignatureError::Malformed)
    };
    let mut scope = field("Credential")?.split('/');
    let (Some(key_id), Some(_date), Some(region), Some(service)) =
        (scope.next(), scope.next(), scope.next(), scope.next())
    else {
        return Err(SignatureError::Malformed);
    };
    let signed_headers: Vec<&str> = field("SignedHeaders")?.split(';').collect();
    if !signed_headers.contains(&"host") || !signed_headers.contains(&"x-amz-date") {
        return Err(SignatureError::Malformed);
    }
    Ok(Authorization { key_id, region, service, signed_headers, signature: field("Signature")? })
}

fn parse_date(text: &str) -> Option<SystemTime> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date: OffsetDateTime = PrimitiveDateTime::parse(text, format).ok()?.assume_utc();
    Some(date.into())
}

fn sign_again(
    parts: &Parts,
    body: &[u8],
    credentials: &Credentials,
    authorization: &Authorization<'_>,
    signed_at: SystemTime,
) -> Result<String, SignatureError> {
    let identity =
        AwsCredentials::new(&credentials.access_key_id, &credentials.secret_access_key, None, None, "local")
            .into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(authorization.service)
        .time(signed_at)
        .settings(settings)
        .build()
        .map_err(|_| SignatureError::Malformed)?
        .into();
    // The date is added by signing; all other headers are exactly those that were signed.
    let headers: Vec<(&str, &str)> = parts
        .headers
        .iter()
        .filter(|(name, _)| {
            name.as_str() != "x-amz-date" && authorization.signed_headers.contains(&name.as_str())
        })
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let host =
        parts.headers.get("host").and_then(|value| value.to_str().ok()).ok_or(SignatureError::Malformed)?;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("http://{host}{path}");
    let request =
        SignableRequest::new(parts.method.as_str(), uri, headers.into_iter(), SignableBody::Bytes(body))
            .map_err(|_| SignatureError::Malformed)?;
    let signed = sign(request, &params).map_err(|_| SignatureError::Malformed)?;
    Ok(signed.signature().to_owned())
}
