//! Revisions, which are code and config together, and the versions that number those of a function.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::UNPUBLISHED;
use super::config::{Form, FunctionConfig};
use super::lambda::LambdaSettings;
use crate::function::name::{FunctionName, Revision};
use crate::timestamp::Timestamp;

/// What code is stored as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodeType {
    /// One Ruby file.
    #[default]
    Ruby,
    /// A zip, with files and gems in it.
    Zip,
}

/// Code and config together. They make a revision, and never change. S3 holds them under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionContent {
    /// The code's SHA-256 in hexadecimal, under which it is stored.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub code_sha256: String,
    /// The code's size.
    pub code_bytes: u64,
    /// What the code is: one Ruby file, or a zip.
    #[serde(default)]
    pub code_type: CodeType,
    /// How the code is run.
    pub form: Form,
    /// What the code may use, every field with its value.
    pub config: FunctionConfig,
}

/// One immutable version of a function, as S3 holds it: a number for a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "StoredVersion")]
pub struct Version {
    /// The function's name.
    pub function: FunctionName,
    /// Its number, from 1 on; 0 for what `$LATEST` is where no version numbers it.
    pub version: u32,
    /// Its revision: versions that have the same code and config have the same one.
    pub revision: Revision,
    /// Code and config.
    #[serde(flatten)]
    pub content: RevisionContent,
    /// When it was published.
    pub created_at: Timestamp,
    /// What only AWS Lambda's wire API knows of it, and shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub lambda: Option<Box<LambdaSettings>>,
}

impl Version {
    /// Its number, if it has one: what `$LATEST` is may have none.
    pub fn number(&self) -> Option<u32> {
        (self.version != UNPUBLISHED).then_some(self.version)
    }
}

/// A version as it may be stored: the first ones name no revision.
#[derive(Deserialize)]
struct StoredVersion {
    function: FunctionName,
    version: u32,
    revision: Option<Revision>,
    #[serde(flatten)]
    content: RevisionContent,
    created_at: Timestamp,
    lambda: Option<Box<LambdaSettings>>,
}

impl From<StoredVersion> for Version {
    fn from(stored: StoredVersion) -> Self {
        let StoredVersion { function, version, revision, content, created_at, lambda } = stored;
        let revision = revision.unwrap_or_else(|| content.revision());
        Self { function, version, revision, content, created_at, lambda }
    }
}

/// What the name of a revision is the digest of, as JSON, which it can always be written as. What it holds and in which order
/// must never change: a name once given is in messages, records and keys.
#[derive(Serialize)]
struct Named<'a> {
    code_sha256: &'a str,
    /// Left out of the names that were given before there were zips.
    #[serde(skip_serializing_if = "Option::is_none")]
    code_type: Option<CodeType>,
    config: BTreeMap<String, Value>,
    form: Form,
}

impl RevisionContent {
    /// The revision that this makes. Its name leaves out fields of the config that have their default, so that a field
    /// which is added later renames nothing. Should a default ever change, the one of today must still be what is left
    /// out here; a test holds on to it.
    pub fn revision(&self) -> Revision {
        let defaults = fields(&FunctionConfig::default());
        let mut config = fields(&self.config);
        config.retain(|field, value| defaults.get(field) != Some(value));
        let code_type = Some(self.code_type).filter(|code_type| *code_type != CodeType::Ruby);
        let named = Named { code_sha256: &self.code_sha256, code_type, config, form: self.form };
        Revision::of(&serde_json::to_vec(&named).unwrap_or_default())
    }
}

/// A config is an object in JSON, and nothing else.
fn fields(config: &FunctionConfig) -> BTreeMap<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    /// Every field of a config with its default, and with another value.
    const FIELDS: &str = r#"{
        "timeout_ms": [30000, 5000], "memory_mb": [256, 48], "max_result_bytes": [6291456, 1],
        "max_log_bytes": [1048576, 1], "max_scratch_bytes": [67108864, 1], "network": [false, true],
        "subprocesses": [false, true], "max_processes": [16, 2], "environment": [{}, {"A": "b"}],
        "handler": [null, "run"], "compatibility": ["none", "lambda"], "retries": [0, 1], "keep_input": [true, false],
        "store_result": ["always", "large"],
        "layers": [[], [{"arn": "arn:aws:lambda:eu-west-1:111122223333:layer:tools:1", "code_sha256": "ab", "code_bytes": 1, "unpacked_bytes": 2}]],
        "on_success": [null, "arn:aws:sqs:eu-west-1:111122223333:a"],
        "on_failure": [null, "arn:aws:sqs:eu-west-1:111122223333:b"]
    }"#;
    const OF_DEFAULTS: &str = "df5f65862b151ed2a01dda5e48439800cdea19ef2c50e9511f4c5ce06a6c5423";

    fn content(form: &str, config: &Value) -> RevisionContent {
        // The code is `event`.
        let code_sha256 = "b8e1f80bd70ae0784c7855a451731b745fddb67749d23f637be9082b75e9575b";
        let content = json!({"code_sha256": code_sha256, "code_bytes": 5, "form": form, "config": config});
        serde_json::from_value(content).unwrap()
    }

    fn name(form: &str, config: &Value) -> String {
        content(form, config).revision().to_string()
    }

    #[test]
    fn a_name_is_given_for_ever() {
        let all: BTreeMap<String, [Value; 2]> = serde_json::from_str(FIELDS).unwrap();
        let defaults: Value =
            all.iter().map(|(field, [default, _])| (field.clone(), default.clone())).collect();
        // Whether they are said or not, and with what they are now.
        assert_eq!([name("script", &json!({})), name("script", &defaults)], [OF_DEFAULTS; 2]);
        let changed = json!({"timeout_ms": 5000, "environment": {"A": "b"}, "handler": "run"});
        assert_eq!(
            name("handler", &changed),
            "09011094c6e72018ce277230eb23dc06d724de86d22db4d07cc28d52768618a6"
        );
    }

    #[test]
    fn every_field_counts() {
        let all: BTreeMap<String, [Value; 2]> = serde_json::from_str(FIELDS).unwrap();
        let changed: Value = all.iter().map(|(field, [_, other])| (field.clone(), other.clone())).collect();
        assert_eq!(fields(&content("script", &changed).config).len(), all.len());
        let mut names = BTreeSet::from([name("script", &json!({})), name("handler", &json!({}))]);
        names.extend(all.iter().map(|(field, [_, other])| name("script", &json!({ field: other }))));
        names.insert(
            RevisionContent { code_type: CodeType::Zip, ..content("script", &json!({})) }.revision().into(),
        );
        names.insert(
            RevisionContent { code_sha256: "0".repeat(64), ..content("script", &json!({})) }
                .revision()
                .into(),
        );
        assert_eq!(names.len(), all.len() + 4);
    }

    #[test]
    fn a_version_without_a_revision_has_that_of_its_content() {
        let mut stored = serde_json::to_value(content("script", &json!({}))).unwrap();
        stored.as_object_mut().unwrap().extend([
            ("function".to_owned(), json!("hello")),
            ("version".to_owned(), json!(3)),
            ("created_at".to_owned(), json!("2026-02-03T04:05:06.000Z")),
        ]);
        let version: Version = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(version.revision.as_str(), OF_DEFAULTS);
        stored["revision"] = json!(OF_DEFAULTS);
        assert_eq!(serde_json::to_value(&version).unwrap(), stored);
    }
}
