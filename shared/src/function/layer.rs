//! Layers, as AWS Lambda has them: zips that functions share. Each publishing makes a version of a layer, which never
//! changes, and a function names the versions that it runs with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::timestamp::Timestamp;

/// A version of a layer, as S3 holds it. One that is deleted leaves its mark, so that its number is not given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerVersion {
    /// Its number, from 1 on.
    pub version: u32,
    /// When it was published.
    pub created_at: Timestamp,
    /// Another one for each publishing, by which a publisher knows what it has stored itself.
    pub publication: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its zip.
    #[serde(flatten)]
    pub zip: LayerZip,
    /// As `CompatibleRuntimes`, where they were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtimes: Option<Vec<String>>,
    /// As `CompatibleArchitectures`, where they were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architectures: Option<Vec<String>>,
    /// As `LicenseInfo`, where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Functions that have it keep it; no other one gets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// The zip of a layer's version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerZip {
    /// Its SHA-256 in hexadecimal, under which it is stored.
    pub code_sha256: String,
    /// Its size.
    pub code_bytes: u64,
    /// The size of what is in it.
    pub unpacked_bytes: u64,
}

/// A version of a layer that a function runs with. It says all that a run needs, so that the version may be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The ARN of the layer's version.
    #[schema(pattern = "^arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]{1,140}:[0-9]+$")]
    pub arn: String,
    /// The SHA-256 of its zip in hexadecimal, under which that is stored.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub code_sha256: String,
    /// The size of its zip.
    pub code_bytes: u64,
    /// The size of what is in its zip.
    pub unpacked_bytes: u64,
}
