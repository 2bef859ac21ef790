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
    #[error("the request was signed for another service; its credential's scope must name sqs")]
    OtherService,
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

/// Checks that the holder of the key signed this request for `service`.
pub(crate) fn verify(
    parts: &Parts,
    body: &[u8],
    credentials: &Credentials,
    service: &str,
) -> Result<(), SignatureError> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = parse(header("authorization").ok_or(SignatureError::Missing)?)?;
    if authorization.key_id != credentials.access_key_id {
        return Err(SignatureError::UnknownKey);
    }
    if authorization.service != service {
        return Err(SignatureError::OtherService);
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

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const BODY: &[u8] = b"{}";

    fn credentials() -> Credentials {
        Credentials { access_key_id: "ID".to_owned(), secret_access_key: "SECRET".to_owned() }
    }

    /// A request that was signed so long ago, as another library's signature of it would be.
    fn signed(ago: Duration, service: &str) -> Parts {
        let date = OffsetDateTime::from(SystemTime::now() - ago);
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let date = date.format(format).unwrap();
        let authorization = |signature: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=ID/{}/us-east-1/{service}/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}",
                &date[..8]
            )
        };
        let request = |signature: &str| {
            let request = Request::post("/").header("host", "localhost:1").header("x-amz-date", &date);
            request.header("authorization", authorization(signature)).body(()).unwrap().into_parts().0
        };
        let header = authorization("");
        let unsigned = parse(&header).unwrap();
        let signed_at = parse_date(&date).unwrap();
        request(&sign_again(&request(""), BODY, &credentials(), &unsigned, signed_at).unwrap())
    }

    fn refused(parts: &Parts) -> SignatureError {
        verify(parts, BODY, &credentials(), "sqs").unwrap_err()
    }

    #[test]
    fn a_signature_is_good_for_a_quarter_of_an_hour() {
        for seconds in [0, 14 * 60] {
            verify(&signed(Duration::from_secs(seconds), "sqs"), BODY, &credentials(), "sqs").unwrap();
        }
        assert_eq!(refused(&signed(Duration::from_secs(16 * 60), "sqs")), SignatureError::Expired);
    }

    #[test]
    fn a_signature_is_good_for_one_request_to_one_service() {
        assert_eq!(refused(&signed(Duration::ZERO, "s3")), SignatureError::OtherService);
        let parts = signed(Duration::ZERO, "sqs");
        let other_body = verify(&parts, b"{ }", &credentials(), "sqs");
        assert_eq!(other_body.unwrap_err(), SignatureError::Mismatch);
        let mut other_host = parts;
        other_host.headers.insert("host", "localhost:2".parse().unwrap());
        assert_eq!(refused(&other_host), SignatureError::Mismatch);
    }

    #[test]
    fn what_is_no_signature_is_malformed() {
        let good = signed(Duration::ZERO, "sqs");
        for bad in
            ["", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=ID", "AWS4-HMAC-SHA256 =,=,="]
        {
            let mut parts = good.clone();
            parts.headers.insert("authorization", bad.parse().unwrap());
            assert_eq!(refused(&parts), SignatureError::Malformed, "{bad}");
        }
        for bad in ["yesterday", "20260230T000000Z", ""] {
            let mut parts = good.clone();
            parts.headers.insert("x-amz-date", bad.parse().unwrap());
            assert_eq!(refused(&parts), SignatureError::Malformed, "{bad}");
        }
        for bad in ["", "a b", "[", "\u{e9}"] {
            let mut parts = good.clone();
            parts.headers.insert("host", http::HeaderValue::from_bytes(bad.as_bytes()).unwrap());
            assert!(matches!(refused(&parts), SignatureError::Malformed | SignatureError::Mismatch), "{bad}");
        }
    }
}
