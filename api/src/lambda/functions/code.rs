//! The code that a request brings, or names.

use badlambda_shared::function::{CodeType, FunctionConfig, RevisionContent};
use badlambda_shared::limits;
use badlambda_shared::package::{Package, PackageError};
use badlambda_shared::store::Bounded;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::app::App;
use crate::functions::draft::{self, Draft};
use crate::http::error::ApiError;
use crate::lambda::checks::Checks;
use crate::lambda::errors::{Refusal, WireError};

/// The largest zip.
const MOST_ZIPPED: usize = limits::MAX_ZIP_BYTES as usize;

/// Where code is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CodeRequest {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    image_uri: Option<String>,
    #[serde(rename = "SourceKMSKeyArn")]
    source_kms_key_arn: Option<String>,
}

impl CodeRequest {
    pub(super) fn check_model(&self, checks: &mut Checks) {
        if let Some(bucket) = &self.s3_bucket {
            checks.length(bucket, "code.s3Bucket", 3..=63);
        }
        if let Some(key) = &self.s3_key {
            checks.length(key, "code.s3Key", 1..=1024);
        }
    }

    /// The bytes of the zip.
    pub(super) async fn zip(&mut self, app: &App) -> Result<Vec<u8>, WireError> {
        for (name, value) in [
            ("ImageUri", &self.image_uri),
            ("S3ObjectVersion", &self.s3_object_version),
            ("SourceKMSKeyArn", &self.source_kms_key_arn),
        ] {
            if value.as_ref().is_some_and(|value| !value.is_empty()) {
                return Err(Refusal::unsupported(name).into());
            }
        }
        let zip = match (self.zip_file.take(), &self.s3_bucket, &self.s3_key) {
            (Some(base64), None, None) => STANDARD
                .decode(base64)
                .map_err(|error| Refusal::unreadable(format!("`ZipFile` is not base64: {error}")))?,
            (None, Some(bucket), Some(key)) => stored(app, bucket, key).await?,
            (None, None, None) => {
                return Err(Refusal::invalid("Please provide a source for function code.").into());
            }
            _ => {
                let message = "Please do not provide other FunctionCode parameters when providing a ZipFile, and both \
                               S3Bucket and S3Key without one.";
                return Err(Refusal::invalid(message).into());
            }
        };
        if zip.len() > MOST_ZIPPED {
            return Err(too_large().into());
        }
        Ok(zip)
    }
}

fn too_large() -> Refusal {
    Refusal::too_large(format!("Zipped size must be smaller than {MOST_ZIPPED} bytes"))
}

/// A zip in the bucket of this deployment; the API has no right to read others.
async fn stored(app: &App, bucket: &str, key: &str) -> Result<Vec<u8>, WireError> {
    if bucket != app.store.bucket() {
        let message = format!(
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not \
             exist, or is not the one that Bad Lambda reads, {}",
            app.store.bucket()
        );
        return Err(Refusal::invalid(message).into());
    }
    let read = app.store.get_bounded(key, MOST_ZIPPED as u64).await?;
    match read {
        Some(Bounded::Object(object)) => Ok(object.bytes),
        Some(Bounded::TooLarge { .. }) => Err(too_large().into()),
        None => Err(Refusal::invalid(
            "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
        )
        .into()),
    }
}

/// The revision that a zip makes with this config.
pub(super) async fn draft(zip: Vec<u8>, config: FunctionConfig) -> Result<Draft, WireError> {
    check_config(&config)?;
    Package::read(&zip).map_err(|error| refusal(&error))?;
    match draft::check_zip(zip, config).await {
        Err(ApiError::Invalid(parts)) => Err(not_unzipped(ApiError::Invalid(parts).detail()).into()),
        checked => Ok(checked?),
    }
}

fn refusal(error: &PackageError) -> Refusal {
    match error {
        PackageError::TooLarge => too_large(),
        PackageError::UnpackedTooLarge => {
            let most = limits::MAX_UNPACKED_BYTES;
            Refusal::invalid(format!("Unzipped size must be smaller than {most} bytes"))
        }
        PackageError::NotAZip(_) => not_unzipped(String::new()),
        other => not_unzipped(other.to_string()),
    }
}

fn not_unzipped(because: String) -> Refusal {
    let message = "Could not unzip uploaded file. Please check your file, then try to upload again.";
    Refusal::invalid(format!("{message} {because}").trim_end())
}

/// The same code with another config.
pub(super) async fn reconfigured(
    app: &App,
    content: RevisionContent,
    config: FunctionConfig,
) -> Result<RevisionContent, WireError> {
    check_config(&config)?;
    match content.code_type {
        CodeType::Zip => Ok(RevisionContent { config, ..content }),
        // Which method a file has is looked for when it is stored, and AWS Lambda's names of handlers name the file, too.
        CodeType::Ruby => {
            let code = app.catalog.code(&content.code_sha256).await?.to_string();
            let method = |handler: String| handler.rsplit('.').next().unwrap_or_default().to_owned();
            let config = FunctionConfig { handler: config.handler.map(method), ..config };
            Ok(draft::check(app, code, config).await?.content)
        }
    }
}

fn check_config(config: &FunctionConfig) -> Result<(), Refusal> {
    let refused: Vec<String> = config.refused_fields().iter().map(ToString::to_string).collect();
    if refused.is_empty() { Ok(()) } else { Err(Refusal::invalid(refused.join("; "))) }
}

/// Where the code is stored.
pub(super) fn code_key(app: &App, content: &RevisionContent) -> String {
    app.store.keys().code(&content.code_sha256, content.code_type)
}
