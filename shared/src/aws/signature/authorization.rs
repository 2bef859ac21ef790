//! The `Authorization` header of a signed request.

use std::time::SystemTime;

use http::HeaderMap;

use super::{SignatureError, SignatureRequirements, TERMINATOR, date, single};
use crate::limits;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SIGNATURE_DIGITS: usize = 64;

/// What the header says. Every part of it is there, and is well-formed.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    terminator: &'a str,
    pub(super) signed_headers: Vec<&'a str>,
    /// Hexadecimal digits.
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Self, SignatureError> {
        let header = single(headers, "authorization")?.ok_or(SignatureError::Missing)?;
        let most = limits::MAX_AUTHORIZATION_BYTES;
        if header.len() > most {
            return Err(SignatureError::TooLong { what: "Authorization header", most });
        }
        let rest = header.strip_prefix(ALGORITHM).filter(|rest| rest.is_empty() || rest.starts_with(' '));
        let [credential, signed_headers, signature] = fields(rest.ok_or(SignatureError::OtherScheme)?)?;
        let credential: Vec<&str> = credential.split('/').collect();
        let &[access_key_id, date, region, service, terminator] = credential.as_slice() else {
            return Err(SignatureError::Malformed("Credential"));
        };
        if access_key_id.is_empty() {
            return Err(SignatureError::Malformed("Credential"));
        }
        let signed_headers = names(signed_headers)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if signature.len() != SIGNATURE_DIGITS || !signature.bytes().all(is_digit) {
            return Err(SignatureError::Malformed("Signature"));
        }
        Ok(Self { access_key_id, date, region, service, terminator, signed_headers, signature })
    }

    /// A signature is good for one day, region and service.
    pub(super) fn check_scope(
        &self,
        required: &SignatureRequirements<'_>,
        signed_at: SystemTime,
    ) -> Result<(), SignatureError> {
        let day = date::day(signed_at);
        let region = required.region.unwrap_or(self.region);
        for (what, found, needed) in [
            ("date", self.date, day.as_str()),
            ("region", self.region, region),
            ("service", self.service, required.service),
            ("last part", self.terminator, TERMINATOR),
        ] {
            if found != needed {
                return Err(SignatureError::OtherScope { what, needed: needed.to_owned() });
            }
        }
        Ok(())
    }
}

/// The values of `Credential`, `SignedHeaders` and `Signature`, each of which must be there once, and nothing else.
fn fields(text: &str) -> Result<[&str; 3], SignatureError> {
    let mut found = [("Credential", None), ("SignedHeaders", None), ("Signature", None)];
    for field in text.split(',') {
        let (name, value) = field.trim().split_once('=').ok_or(SignatureError::Malformed("NAME=VALUE"))?;
        let known = found.iter_mut().find(|(known, _)| *known == name);
        let (name, place) = known.ok_or(SignatureError::Malformed("NAME"))?;
        if place.replace(value).is_some() {
            return Err(SignatureError::Malformed(name));
        }
    }
    let [credential, signed_headers, signature] =
        found.map(|(name, value)| value.ok_or(SignatureError::Malformed(name)));
    Ok([credential?, signed_headers?, signature?])
}

/// The names of the signed headers, which must be sorted and in lower case, so that there is one way to write them.
fn names(text: &str) -> Result<Vec<&str>, SignatureError> {
    let names: Vec<&str> = text.split(';').collect();
    let is_plain = |name: &&str| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    if names.len() <= limits::MAX_SIGNED_HEADERS
        && names.iter().all(is_plain)
        && names.is_sorted_by(|one, next| one < next)
    {
        return Ok(names);
    }
    Err(SignatureError::Malformed("SignedHeaders"))
}
