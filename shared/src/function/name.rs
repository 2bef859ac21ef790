//! Names that users choose, checked once where they come in: of functions, of aliases, of layers, and references to a
//! version.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::whole_number;

pub(crate) const MAX_NAME_CHARS: usize = 64;
/// Under this name run executions whose code is no function's. Nobody can create a function of this name.
const ONE_SHOT: &str = "_run";
const REVISION_CHARS: usize = 64;
const MAX_LAYER_NAME_CHARS: usize = 140;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The function's name has another form.
    #[error(
        "a function's name is 1 to 64 letters, digits, hyphens and underscores, and starts with a letter or digit"
    )]
    Function,
    /// The alias has another form, or could be taken for a version number.
    #[error(
        "an alias is 1 to 64 letters, digits, hyphens and underscores, starts with a letter or digit, and is not a number"
    )]
    Alias,
    /// Neither a version number nor an alias.
    #[error("a version is a number from 1 on, an alias, or $LATEST")]
    Version,
    /// No SHA-256.
    #[error("a revision is a SHA-256 in 64 hexadecimal digits, in lower case")]
    Revision,
    /// The layer's name has another form.
    #[error("a layer's name is 1 to {MAX_LAYER_NAME_CHARS} letters, digits, hyphens and underscores")]
    Layer,
}

fn well_formed(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARS
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The name of a function: safe in a path, a key and a log line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FunctionName(String);

/// The name of code and configuration that belong together: a SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Revision(String);

/// A movable name for a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alias(String);

/// The name of a layer: safe in a path, a key and a log line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LayerName(String);

/// Which version of a function is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum VersionRef {
    /// One immutable version.
    Number(#[serde(deserialize_with = "whole_number::deserialize")] u32),
    /// `$LATEST`: the newest revision, which is the latest version.
    #[serde(with = "latest")]
    Latest,
    /// Whatever version the alias points at.
    Alias(Alias),
}

/// How AWS Lambda, too, calls the newest revision. No alias has this form.
const LATEST: &str = "$LATEST";

/// [`VersionRef::Latest`] in JSON.
mod latest {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(super::LATEST)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == super::LATEST { Ok(()) } else { Err(D::Error::custom(super::NameError::Version)) }
    }
}

macro_rules! string_newtype {
    ($name:ident, $error:expr, $valid:expr) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                text.to_owned().try_into()
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err($error) }
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

impl FunctionName {
    /// The name that one-shot executions run under.
    pub fn one_shot() -> Self {
        Self(ONE_SHOT.to_owned())
    }

    /// Whether this is the name that one-shot executions run under, which is no function's.
    pub fn is_one_shot(&self) -> bool {
        self.0 == ONE_SHOT
    }
}

impl Revision {
    /// The name of what `bytes` stand for.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }
}

string_newtype!(FunctionName, NameError::Function, |name| well_formed(name) || name == ONE_SHOT);
string_newtype!(Revision, NameError::Revision, |text| text.len() == REVISION_CHARS
    && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
string_newtype!(Alias, NameError::Alias, |name| well_formed(name)
    && !name.chars().all(|c| c.is_ascii_digit()));
string_newtype!(LayerName, NameError::Layer, |name| (1..=MAX_LAYER_NAME_CHARS).contains(&name.len())
    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));

impl FromStr for VersionRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
            return match text.parse() {
                Ok(number) if number > 0 => Ok(Self::Number(number)),
                _ => Err(NameError::Version),
            };
        }
        if text == LATEST {
            return Ok(Self::Latest);
        }
        text.parse().map(Self::Alias).map_err(|_| NameError::Version)
    }
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Latest => f.write_str(LATEST),
            Self::Alias(alias) => alias.fmt(f),
        }
    }
}

/// `NAME`, `NAME:VERSION`, `NAME:ALIAS` or `NAME:$LATEST`, as the message attribute `function` writes it.
pub fn parse_qualified(text: &str) -> Result<(FunctionName, Option<VersionRef>), NameError> {
    match text.split_once(':') {
        None => Ok((text.parse()?, None)),
        Some((name, version)) => Ok((name.parse()?, Some(version.parse()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_escape_a_key_are_refused() {
        for bad in ["", "../etc", "a/b", "a b", "-a", "_a", "é", "a\n", &"a".repeat(65)] {
            assert_eq!(bad.parse::<FunctionName>(), Err(NameError::Function), "{bad:?}");
        }
        assert!("hello-World_2".parse::<FunctionName>().is_ok());
        assert!("_run".parse::<FunctionName>().is_ok_and(|name| name.is_one_shot()));
    }

    #[test]
    fn a_revision_is_a_digest() {
        let digest = "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a";
        assert!(digest.parse::<Revision>().is_ok());
        for bad in ["", &digest[1..], &digest.to_uppercase(), &format!("../{}", &digest[3..])] {
            assert_eq!(bad.parse::<Revision>(), Err(NameError::Revision), "{bad}");
        }
    }

    #[test]
    fn a_number_is_never_an_alias() {
        assert_eq!("12".parse::<Alias>(), Err(NameError::Alias));
        assert_eq!("12".parse(), Ok(VersionRef::Number(12)));
        assert_eq!("0".parse::<VersionRef>(), Err(NameError::Version));
        assert_eq!("99999999999".parse::<VersionRef>(), Err(NameError::Version));
        assert!(matches!("live".parse(), Ok(VersionRef::Alias(_))));
        for bad in ["$latest", "$LATEST ", "$"] {
            assert_eq!(bad.parse::<VersionRef>(), Err(NameError::Version), "{bad}");
        }
    }

    #[test]
    fn a_version_is_the_same_in_json_as_in_text() {
        for (json, text) in [("3", "3"), ("\"live\"", "live"), ("\"$LATEST\"", "$LATEST")] {
            let version: VersionRef = serde_json::from_str(json).unwrap();
            assert_eq!((version.to_string().as_str(), text.parse()), (text, Ok(version.clone())));
            assert_eq!(serde_json::to_string(&version).unwrap(), json);
        }
        assert!(serde_json::from_str::<VersionRef>("\"$x\"").is_err());
    }

    #[test]
    fn a_qualified_name_has_at_most_one_version() {
        let (name, version) = parse_qualified("hello:3").unwrap();
        assert_eq!((name.as_str(), version), ("hello", Some(VersionRef::Number(3))));
        assert!(parse_qualified("hello:3:4").is_err());
        assert!(parse_qualified("hello:").is_err());
    }

    #[test]
    fn a_layers_name_is_safe_in_a_key() {
        let longest = "a".repeat(MAX_LAYER_NAME_CHARS);
        for name in ["a", "_", "-", "My_layer-2", longest.as_str()] {
            assert_eq!(name.parse::<LayerName>().map(String::from), Ok(name.to_owned()));
        }
        let too_long = format!("{longest}a");
        for no_name in ["", "a/b", "a.b", "é", "a b", "a:1", too_long.as_str()] {
            assert_eq!(no_name.parse::<LayerName>(), Err(NameError::Layer), "{no_name}");
        }
    }
}
