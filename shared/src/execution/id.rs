//! Identifiers of executions.
//!
//! The API makes ids of 31 characters in Crockford's base 32 (lower case): ten of them the time, counted
//! backwards so that the newest sorts first, thirteen of chance, and eight that check the rest together with
//! the function's name. So a poll for an id that was never issued for this function needs no look-up.
//! For callers that expect UUIDs, it makes UUIDs of version 8 (RFC 9562), which hold the same: 48 bits of time, 42 of
//! chance, and 32 that check the rest. Producers on the queue may bring ids of their own, or none: then SQS's `MessageId`
//! serves.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::function::name::FunctionName;
use crate::timestamp::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS: usize = 10;
const RANDOM_CHARS: usize = 13;
const BODY_CHARS: usize = TIME_CHARS + RANDOM_CHARS;
const CHECK_CHARS: usize = 8;
const LATEST_MS: i64 = (1 << 48) - 1;
pub(crate) const MAX_FOREIGN_CHARS: usize = 128;

/// The id of one execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExecutionId(String);

/// Where an id comes from, as far as the id itself tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The API issued it for this function, at this time.
    Issued(Timestamp),
    /// It has the form of the API's ids, but was never issued for this function.
    Forged,
    /// A producer on the queue brought it, or it is a `MessageId`.
    Foreign,
}

/// The text is not an execution's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an execution's id is 1 to 128 letters, digits, hyphens and underscores")]
pub struct IdError;

impl ExecutionId {
    /// Issues a new id for an execution of `function`.
    pub fn issue(function: &FunctionName) -> Self {
        Self::issue_at(function, Timestamp::now())
    }

    /// Issues an id as of this moment.
    pub fn issue_at(function: &FunctionName, moment: Timestamp) -> Self {
        let backwards = (LATEST_MS - moment.unix_ms()).max(0) as u64;
        let mut time = String::with_capacity(BODY_CHARS + CHECK_CHARS);
        push_base32(&mut time, backwards.into(), TIME_CHARS);
        Self::assembled(function, time, rand::rng().random())
    }

    /// Issues a new id in the form of a UUID.
    pub fn issue_uuid(function: &FunctionName) -> Self {
        Self::issue_uuid_at(function, Timestamp::now())
    }

    fn issue_uuid_at(function: &FunctionName, moment: Timestamp) -> Self {
        let time = u128::from(moment.unix_ms().clamp(0, LATEST_MS) as u64);
        let (high, low): (u16, u32) = rand::rng().random();
        let body = (time << 80)
            | (8 << 76)
            | (u128::from(high & 0x0fff) << 64)
            | (0b10 << 62)
            | (u128::from(low >> 2) << 32);
        let digits = format!("{:032x}", body | u128::from(uuid_check_of(function, body)));
        let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
        Self(parts.join("-"))
    }

    /// The id of the execution at this place of a batch: always the same one for a batch whose id is this, which was
    /// issued for `function`, and of the same time.
    pub fn at_place(&self, function: &FunctionName, place: usize) -> Self {
        let digest = Sha256::new()
            .chain_update("badlambda place in a batch\0")
            .chain_update(&self.0)
            .chain_update((place as u64).to_be_bytes())
            .finalize();
        let random = digest[..16].iter().fold(0u128, |number, byte| (number << 8) | u128::from(*byte));
        let time = self.0.chars().take(TIME_CHARS).collect();
        Self::assembled(function, time, random)
    }

    fn assembled(function: &FunctionName, time: String, random: u128) -> Self {
        let mut id = time;
        push_base32(&mut id, random, RANDOM_CHARS);
        let check = check_of(function, &id);
        id.push_str(&check);
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether the API issued this id for `function`.
    pub fn origin(&self, function: &FunctionName) -> Origin {
        let has_our_form =
            self.0.len() == BODY_CHARS + CHECK_CHARS && self.0.bytes().all(|byte| ALPHABET.contains(&byte));
        if !has_our_form {
            return self.issued_as_uuid(function).map_or(Origin::Foreign, Origin::Issued);
        }
        let (body, check) = self.0.split_at(BODY_CHARS);
        let issued_at = LATEST_MS - value_of(&body[..TIME_CHARS]);
        match Timestamp::from_unix_ms(issued_at) {
            Some(moment) if check == check_of(function, body) => Origin::Issued(moment),
            _ => Origin::Forged,
        }
    }

    /// When this was issued as a UUID for `function`, if it was. One that was not may be a producer's own.
    fn issued_as_uuid(&self, function: &FunctionName) -> Option<Timestamp> {
        let is_canonical = self.0.len() == 36
            && self.0.bytes().enumerate().all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        let value = is_canonical.then(|| u128::from_str_radix(&self.0.replace('-', ""), 16).ok())??;
        let body = value >> 32 << 32;
        let is_issued = (value >> 76) & 0xf == 8 && value as u32 == uuid_check_of(function, body);
        is_issued.then(|| Timestamp::from_unix_ms((value >> 80) as i64))?
    }

    /// One hexadecimal digit that spreads executions over S3's partitions.
    pub fn shard(&self) -> char {
        let digest = Sha256::digest(self.0.as_bytes());
        char::from_digit(u32::from(digest[0] >> 4), 16).unwrap_or('0')
    }
}

fn push_base32(text: &mut String, value: u128, chars: usize) {
    for position in (0..chars).rev() {
        let digit = (value >> (5 * position)) & 31;
        text.push(char::from(ALPHABET[digit as usize]));
    }
}

fn value_of(base32: &str) -> i64 {
    base32.bytes().fold(0, |value, byte| {
        let digit = ALPHABET.iter().position(|&letter| letter == byte).unwrap_or(0);
        (value << 5) | digit as i64
    })
}

fn check_of(function: &FunctionName, body: &str) -> String {
    let digest = Sha256::new()
        .chain_update("badlambda execution id\0")
        .chain_update(function.as_str())
        .chain_update([0])
        .chain_update(body)
        .finalize();
    let bits = digest[..5].iter().fold(0u128, |bits, &byte| (bits << 8) | u128::from(byte));
    let mut check = String::with_capacity(CHECK_CHARS);
    push_base32(&mut check, bits, CHECK_CHARS);
    check
}

fn uuid_check_of(function: &FunctionName, body: u128) -> u32 {
    let digest = Sha256::new()
        .chain_update("badlambda execution uuid\0")
        .chain_update(function.as_str())
        .chain_update([0])
        .chain_update(body.to_be_bytes())
        .finalize();
    digest[..4].iter().fold(0, |bits, &byte| (bits << 8) | u32::from(byte))
}

impl FromStr for ExecutionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for ExecutionId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        let valid = (1..=MAX_FOREIGN_CHARS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if valid { Ok(Self(text)) } else { Err(IdError) }
    }
}

impl From<ExecutionId> for String {
    fn from(id: ExecutionId) -> Self {
        id.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_batch_are_made_of_its_id() {
        let function: FunctionName = "hello".parse().unwrap();
        let moment = Timestamp::from_unix_ms(1_750_000_000_123).unwrap();
        let batch = ExecutionId::issue_at(&function, moment);
        let ids = || (0..1000).map(|place| batch.at_place(&function, place));
        assert!(ids().eq(ids()));
        assert!(ids().all(|id| id.origin(&function) == Origin::Issued(moment)));
        let distinct: std::collections::BTreeSet<String> = ids().map(|id| id.to_string()).collect();
        assert_eq!(distinct.len(), 1000);
        let other = ExecutionId::issue_at(&function, moment);
        assert_ne!(other.at_place(&function, 0), batch.at_place(&function, 0));
    }

    fn name(text: &str) -> FunctionName {
        text.parse().unwrap()
    }

    #[test]
    fn an_issued_id_is_known_for_its_function_alone() {
        let id = ExecutionId::issue(&name("hello"));
        assert_eq!(id.as_str().len(), 31);
        assert!(matches!(id.origin(&name("hello")), Origin::Issued(at) if at.age().as_secs() < 5));
        assert_eq!(id.origin(&name("other")), Origin::Forged);
    }

    #[test]
    fn a_uuid_is_known_for_its_function_alone() {
        let moment = Timestamp::from_unix_ms(1_750_000_000_123).unwrap();
        let id = ExecutionId::issue_uuid_at(&name("hello"), moment);
        assert_eq!(id.origin(&name("hello")), Origin::Issued(moment));
        assert_eq!(id.origin(&name("other")), Origin::Foreign);
        let text = id.as_str();
        assert_eq!((text.len(), &text[14..15]), (36, "8"), "{text}");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        for (place, character) in text.char_indices() {
            let other = if character == '7' { "6" } else { "7" };
            let tampered = format!("{}{other}{}", &text[..place], &text[place + 1..]);
            let tampered: ExecutionId = tampered.parse().unwrap();
            assert_eq!(tampered.origin(&name("hello")), Origin::Foreign, "{tampered}");
        }
        let upper: ExecutionId = text.to_uppercase().parse().unwrap();
        assert!(upper == id || upper.origin(&name("hello")) == Origin::Foreign);
        assert_ne!(id, ExecutionId::issue_uuid_at(&name("hello"), moment));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let id = ExecutionId::issue(&name("hello"));
        for position in 0..id.as_str().len() {
            let mut bytes = id.as_str().as_bytes().to_vec();
            bytes[position] = if bytes[position] == b'7' { b'8' } else { b'7' };
            let tampered: ExecutionId = String::from_utf8(bytes).unwrap().parse().unwrap();
            assert_eq!(tampered.origin(&name("hello")), Origin::Forged, "{tampered}");
        }
    }

    #[test]
    fn newer_ids_sort_first() {
        let older = ExecutionId::issue(&name("hello"));
        std::thread::sleep(std::time::Duration::from_millis(3));
        let newer = ExecutionId::issue(&name("hello"));
        assert!(newer.as_str() < older.as_str());
    }

    #[test]
    fn a_message_id_is_foreign_and_path_tricks_are_refused() {
        let id: ExecutionId = "6f1c0a4e-8f6b-4d0e-9d5f-2f6a7f0a9b11".parse().unwrap();
        assert_eq!(id.origin(&name("hello")), Origin::Foreign);
        assert!(id.shard().is_ascii_hexdigit());
        for bad in ["", "..", "a/b", "a b", "a%2f", &"x".repeat(129)] {
            assert_eq!(bad.parse::<ExecutionId>(), Err(IdError), "{bad:?}");
        }
    }
}
