//! Signature Version 4: whether the holder of a secret access key made a request.
//!
//! `authorization` reads what the request says of its signature. [`Signature::check`] holds that against what is required,
//! lets `aws-sigv4` make the signature again, and compares. See [AWS's
//! description](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).

#[cfg(test)]
mod accepted;
mod authorization;
mod date;
mod error;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod vectors;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::HeaderMap;
use http::request::Parts;
use subtle::ConstantTimeEq as _;

use self::authorization::Authorization;
use self::date::DatedBy;
pub use self::error::{SignatureError, SignatureErrorClass};
use crate::limits;

const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The last part of a credential's scope.
const TERMINATOR: &str = "aws4_request";
/// Signs in place of the secret of a key that is unknown.
const NO_SECRET: &str = "no secret access key is known";

/// What a server requires of a signature.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRequirements<'a> {
    /// The service that the credential's scope must name.
    pub service: &'a str,
    /// The region that it must name; `None` where any will do.
    pub region: Option<&'a str>,
    /// How far the time of the signature may lie before or after the server's.
    pub max_skew: Duration,
    /// Whether `X-Amz-Security-Token` may hold something, which is then not looked at.
    pub allow_session_token: bool,
    /// Whether the signature may leave the body out (`UNSIGNED-PAYLOAD`).
    pub allow_unsigned_body: bool,
}

/// A request's signature, which may be good or not.
pub struct Signature<'a> {
    request: &'a Parts,
    authorization: Authorization<'a>,
    signed_at: SystemTime,
    dated_by: DatedBy,
}

impl<'a> Signature<'a> {
    /// Reads the signature of a request: its headers `Authorization` and `X-Amz-Date`, or `Date`.
    ///
    /// # Errors
    /// Where there is none, or one that can't be read.
    pub fn read(request: &'a Parts) -> Result<Self, SignatureError> {
        check_target(request)?;
        let authorization = Authorization::read(&request.headers)?;
        let (signed_at, dated_by) = date::read(&request.headers)?;
        Ok(Self { request, authorization, signed_at, dated_by })
    }

    /// Whose signature it claims to be.
    pub fn access_key_id(&self) -> &'a str {
        self.authorization.access_key_id
    }

    /// Checks that it is the signature of the request with a body of this SHA-256, made with `secret` and as is `required`.
    ///
    /// `secret` is `None` where the access key is unknown. How long the check takes does not tell whether that is so.
    ///
    /// # Errors
    /// Says what is wrong, and what to do about it.
    pub fn check(
        &self,
        secret: Option<&str>,
        body_sha256: &[u8; 32],
        required: &SignatureRequirements<'_>,
        now: SystemTime,
    ) -> Result<(), SignatureError> {
        self.authorization.check_scope(required, self.signed_at)?;
        date::check_skew(self.signed_at, now, required.max_skew)?;
        self.check_signed_headers()?;
        self.check_session_token(required)?;
        let body = self.signed_body(body_sha256, required)?;
        let expected = self.sign_again(secret.unwrap_or(NO_SECRET), body)?;
        let is_same = bool::from(expected.as_bytes().ct_eq(self.authorization.signature.as_bytes()));
        match secret {
            None => Err(SignatureError::UnknownKey),
            Some(_) if is_same => Ok(()),
            Some(_) => Err(SignatureError::Mismatch),
        }
    }

    /// Whoever is on the way could change what is not signed.
    fn check_signed_headers(&self) -> Result<(), SignatureError> {
        let (signed, headers) = (&self.authorization.signed_headers, &self.request.headers);
        if let Some(absent) = signed.iter().find(|name| !headers.contains_key(**name)) {
            return Err(SignatureError::absent_header(absent));
        }
        single(headers, "host")?;
        let in_request = headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-amz-"));
        let mut needed = in_request.chain(["host", self.dated_by.header_name()]);
        match needed.find(|name| !signed.contains(name)) {
            Some(unsigned) => Err(SignatureError::unsigned_header(unsigned)),
            None => Ok(()),
        }
    }

    fn check_session_token(&self, required: &SignatureRequirements<'_>) -> Result<(), SignatureError> {
        match single(&self.request.headers, "x-amz-security-token")? {
            Some(token) if !token.is_empty() && !required.allow_session_token => {
                Err(SignatureError::SessionToken)
            }
            _ => Ok(()),
        }
    }

    /// What the signature says of the body, if that is true.
    fn signed_body(
        &self,
        sha256: &[u8; 32],
        required: &SignatureRequirements<'_>,
    ) -> Result<SignableBody<'static>, SignatureError> {
        let sha256 = hex::encode(sha256);
        match single(&self.request.headers, "x-amz-content-sha256")? {
            Some(UNSIGNED_PAYLOAD) if required.allow_unsigned_body => Ok(SignableBody::UnsignedPayload),
            Some(UNSIGNED_PAYLOAD) => Err(SignatureError::UnsignedBody),
            Some(stated) if stated != sha256 => Err(SignatureError::OtherBody),
            _ => Ok(SignableBody::Precomputed(sha256)),
        }
    }

    /// The signature that the request has to have.
    fn sign_again(&self, secret: &str, body: SignableBody<'_>) -> Result<String, SignatureError> {
        let identity = Credentials::new(self.access_key_id(), secret, None, None, "signature").into();
        let mut settings = SigningSettings::default();
        // Of the headers that it is given, the library is to sign all; and it adds X-Amz-Date.
        settings.excluded_headers = match self.dated_by {
            DatedBy::XAmzDate => None,
            DatedBy::Date => Some(vec![Cow::Borrowed(DatedBy::XAmzDate.header_name())]),
        };
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.authorization.region)
            .name(self.authorization.service)
            .time(self.signed_at)
            .settings(settings)
            .build()
            .map_err(|_| SignatureError::Unsignable)?
            .into();
        let headers = self.signed_headers()?;
        let target = self.request.uri.path_and_query().map_or("/", |target| target.as_str());
        // The library takes the host from the header, which `check_signed_headers` made sure of.
        let uri = format!("http://host{target}");
        let request = SignableRequest::new(self.request.method.as_str(), uri, headers.into_iter(), body);
        let signed = request.and_then(|request| sign(request, &params));
        Ok(signed.map_err(|_| SignatureError::Unsignable)?.signature().to_owned())
    }

    /// The headers that were signed, but for the date, which the library sets.
    fn signed_headers(&self) -> Result<Vec<(&'a str, &'a str)>, SignatureError> {
        let mut signed = vec![];
        for (name, value) in &self.request.headers {
            let name = name.as_str();
            if name != DatedBy::XAmzDate.header_name() && self.authorization.signed_headers.contains(&name) {
                signed.push((name, value.to_str().map_err(|_| SignatureError::not_ascii(name))?));
            }
        }
        Ok(signed)
    }
}

/// Refuses a path and query that can't be signed in a header.
fn check_target(request: &Parts) -> Result<(), SignatureError> {
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    if target.len() > limits::MAX_SIGNED_TARGET_BYTES {
        return Err(SignatureError::TooLong {
            what: "path and query",
            most: limits::MAX_SIGNED_TARGET_BYTES,
        });
    }
    if !target.starts_with('/') {
        return Err(SignatureError::Unsignable);
    }
    let query = request.uri.query().unwrap_or("").to_ascii_lowercase();
    let mut names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    if names.any(|name| ["x-amz-signature", "x-amz-credential", "x-amz-algorithm"].contains(&name)) {
        return Err(SignatureError::Presigned);
    }
    Ok(())
}

/// The value of a header that may be there once: whoever stands before the server could read another of several.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SignatureError::repeated_header(name));
    }
    value.to_str().map(Some).map_err(|_| SignatureError::not_ascii(name))
}
