//! The code that a request brings, or names.

use badlambda_shared::aws::store::Bounded;
use badlambda_shared::function::package::{Package, PackageError};
use badlambda_shared::function::{CodeType, FunctionConfig, RevisionContent};
use badlambda_shared::limits;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::app::App;
use crate::functions::draft::{self, Draft};
use crate::functions::zip;
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
    pub(super) async fn zip(self, app: &App) -> Result<Vec<u8>, WireError> {
        for (name, value) in [
            ("ImageUri", &self.image_uri),
            ("S3ObjectVersion", &self.s3_object_version),
            ("SourceKMSKeyArn", &self.source_kms_key_arn),
        ] {
            if value.as_ref().is_some_and(|value| !value.is_empty()) {
                return Err(Refusal::unsupported(name).into());
            }
        }
        let Self { zip_file, s3_bucket, s3_key, .. } = self;
        ZipSource { zip_file, s3_bucket, s3_key }.bytes(app, "function code").await
    }
}

/// Where a zip is: in the request, or in the bucket.
#[derive(Debug, Default)]
pub(crate) struct ZipSource {
    /// In base64.
    pub(crate) zip_file: Option<String>,
    pub(crate) s3_bucket: Option<String>,
    pub(crate) s3_key: Option<String>,
}

impl ZipSource {
    /// The bytes of the zip, which is called `what` where there is none.
    pub(crate) async fn bytes(self, app: &App, what: &str) -> Result<Vec<u8>, WireError> {
        let zip = match (self.zip_file, &self.s3_bucket, &self.s3_key) {
            (Some(base64), None, None) => STANDARD
                .decode(base64)
                .map_err(|error| Refusal::unreadable(format!("`ZipFile` is not base64: {error}")))?,
            (None, Some(bucket), Some(key)) => stored(app, bucket, key).await?,
            (None, None, None) => {
                return Err(Refusal::invalid(format!("Please provide a source for {what}.")).into());
            }
            _ => {
                let message = "Please do not provide other parameters of the code when providing a ZipFile, and both \
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
    let unpacked_bytes = unpacked_bytes(&zip)?;
    check_with_layers(unpacked_bytes, &config)?;
    in_words_of_aws(draft::check_zip(zip, config).await)
}

/// The zip, checked in full, and the size of what is in it.
pub(crate) async fn checked_zip(zip: Vec<u8>) -> Result<(Vec<u8>, u64), WireError> {
    let unpacked_bytes = unpacked_bytes(&zip)?;
    let (zip, _) = in_words_of_aws(zip::checked(zip, None, 0).await)?;
    Ok((zip, unpacked_bytes))
}

fn unpacked_bytes(zip: &[u8]) -> Result<u64, Refusal> {
    Ok(Package::read(zip).map_err(|error| refusal(&error))?.unpacked_bytes())
}

fn in_words_of_aws<T>(checked: Result<T, ApiError>) -> Result<T, WireError> {
    match checked {
        Err(ApiError::Invalid(parts)) => Err(not_unzipped(ApiError::Invalid(parts).detail()).into()),
        checked => Ok(checked?),
    }
}

/// Fails where code of this size and the layers that the config has are too much together.
fn check_with_layers(code_bytes: u64, config: &FunctionConfig) -> Result<(), Refusal> {
    let (bytes, most) = (code_bytes.saturating_add(config.layers_bytes()), limits::MAX_UNPACKED_BYTES);
    if config.layers.is_empty() || bytes <= most {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Function code combined with layers exceeds the maximum allowed size of {most} bytes. The actual size is {bytes} \
         bytes."
    )))
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
    // How large unpacked code is stands in its zip alone, which is only read where layers change.
    if config.layers != content.config.layers && !config.layers.is_empty() {
        let code_bytes = match content.code_type {
            CodeType::Zip => zip::unpacked_bytes(app, &content.code_sha256).await?,
            CodeType::Ruby => content.code_bytes,
        };
        check_with_layers(code_bytes, &config)?;
    }
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
