//! Requests for the tests: from text, and signed as AWS's clients do it.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::request::Parts;
use http::{HeaderValue, Request};
use sha2::{Digest as _, Sha256};

use super::{Signature, SignatureError, SignatureRequirements};

pub(super) const KEY_ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// An invocation, before it is signed.
pub(super) const REQUEST: &str = "\
POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello%3A%24LATEST/invocations\
?Qualifier=%24LATEST&Marker= HTTP/1.1
host: localhost:8080
content-type: application/json
x-amz-invocation-type: Event

{\"name\": \"Ada\"}";
pub(super) const BODY: &[u8] = b"{\"name\": \"Ada\"}";
/// 2026-01-31T23:58:00Z: two minutes before another day.
pub(super) const NOW: u64 = 1_769_903_880;

pub(super) const REQUIRED: SignatureRequirements<'static> = SignatureRequirements {
    service: "lambda",
    region: Some("us-east-1"),
    max_skew: Duration::from_secs(300),
    allow_session_token: false,
    allow_unsigned_body: false,
};

pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A request's head and body, from what stands on the wire but for the ends of lines.
pub(super) fn from_text(text: &str) -> (Parts, &[u8]) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let mut request = Request::builder().method(first.next().unwrap()).uri(first.next().unwrap());
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        request = request.header(name, HeaderValue::from_bytes(value.trim().as_bytes()).unwrap());
    }
    (request.body(()).unwrap().into_parts().0, body.as_bytes())
}

/// What a client signs with.
pub(super) struct Signer {
    pub(super) at: u64,
    pub(super) region: &'static str,
    pub(super) service: &'static str,
    /// Whether X-Amz-Content-SHA256 is sent.
    pub(super) states_hash: bool,
    pub(super) unsigned_body: bool,
    pub(super) session_token: Option<&'static str>,
    pub(super) unsigned_headers: Vec<&'static str>,
}

impl Default for Signer {
    fn default() -> Self {
        Self {
            at: NOW,
            region: "us-east-1",
            service: "lambda",
            states_hash: false,
            unsigned_body: false,
            session_token: None,
            unsigned_headers: vec![],
        }
    }
}

impl Signer {
    /// The request with the headers that AWS's own signer adds to it.
    pub(super) fn sign(&self, text: &str) -> Parts {
        let (parts, body) = from_text(text);
        let token = self.session_token.map(str::to_owned);
        let identity = Credentials::new(KEY_ID, SECRET, token, None, "test").into();
        let mut settings = SigningSettings::default();
        if self.states_hash {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        if let Some(excluded) = &mut settings.excluded_headers {
            excluded.extend(self.unsigned_headers.iter().map(|name| (*name).into()));
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(at(self.at))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let uri = format!("http://{}{}", parts.headers["host"].to_str().unwrap(), parts.uri);
        let body = if self.unsigned_body { SignableBody::UnsignedPayload } else { SignableBody::Bytes(body) };
        let signable = SignableRequest::new(parts.method.as_str(), uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let mut request = Request::from_parts(parts, ());
        instructions.apply_to_request_http1x(&mut request);
        request.into_parts().0
    }
}

/// Whether the request is taken, with this body, at [`NOW`].
pub(super) fn checked(parts: &Parts, body: &[u8]) -> Result<(), SignatureError> {
    checked_as(parts, body, &REQUIRED)
}

pub(super) fn checked_as(
    parts: &Parts,
    body: &[u8],
    required: &SignatureRequirements<'_>,
) -> Result<(), SignatureError> {
    let signature = Signature::read(parts)?;
    let secret = (signature.access_key_id() == KEY_ID).then_some(SECRET);
    signature.check(secret, &Sha256::digest(body).into(), required, at(NOW))
}
