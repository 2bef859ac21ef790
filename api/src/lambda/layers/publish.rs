//! PublishLayerVersion.

use axum::body::Body;
use badlambda_shared::aws::store::{Condition, ZIP};
use badlambda_shared::function::CodeType;
use badlambda_shared::function::layer::{LayerVersion, LayerZip};
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::delete::may_change;
use super::runtimes::check_lists;
use super::{names, shown, stored};
use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::Refusal;
use crate::lambda::functions::{MOST_BYTES, ZipSource, checked_zip, new_change};
use crate::lambda::response::{Answer, WireResult};

/// What PublishLayerVersion takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    description: Option<String>,
    content: Option<Content>,
    compatible_runtimes: Option<Vec<String>>,
    compatible_architectures: Option<Vec<String>>,
    license_info: Option<String>,
}

/// Where the zip is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    s3_object_storage_mode: Option<String>,
}

/// Publishes a new version, also where the zip is that of another one.
pub(crate) async fn publish(call: Call, body: Body) -> WireResult {
    let (mut request, _permit): (Request, _) = call.json(body, "PublishLayerVersion", MOST_BYTES).await?;
    let layer = names::layer(&call, request.check_model())?;
    may_change(&call)?;
    let content = request.content.take();
    let source = content.map(Content::source).transpose()?.unwrap_or_default();
    let (zip, unpacked_bytes) = checked_zip(source.bytes(&call.app, "layer content").await?).await?;
    let (code_sha256, code_bytes) = (hex::encode(Sha256::digest(&zip)), zip.len() as u64);
    let key = call.app.store.keys().code(&code_sha256, CodeType::Zip);
    call.app.store.put(&key, zip, ZIP, Condition::Always).await?;
    let version = LayerVersion {
        version: 0,
        created_at: Timestamp::now(),
        publication: new_change(),
        description: request.description.unwrap_or_default(),
        zip: LayerZip { code_sha256, code_bytes, unpacked_bytes },
        runtimes: request.compatible_runtimes,
        architectures: request.compatible_architectures,
        license: request.license_info,
        deleted: false,
    };
    let version = stored::store_new(&call.app, &layer, version).await?;
    Ok(Answer::Created(shown::whole(&call.app, &layer, &version).await?))
}

impl Request {
    fn check_model(&self) -> Checks {
        let mut checks = Checks::default();
        if let Some(description) = &self.description {
            checks.length(description, "description", 0..=256);
        }
        if let Some(license) = &self.license_info {
            checks.length(license, "licenseInfo", 0..=512);
        }
        check_lists(
            self.compatible_runtimes.as_deref(),
            self.compatible_architectures.as_deref(),
            &mut checks,
        );
        if let Some(content) = checks.required(self.content.as_ref(), "content") {
            if let Some(bucket) = &content.s3_bucket {
                checks.length(bucket, "content.s3Bucket", 3..=63);
            }
            if let Some(key) = &content.s3_key {
                checks.length(key, "content.s3Key", 1..=1024);
            }
        }
        checks
    }
}

impl Content {
    fn source(self) -> Result<ZipSource, Refusal> {
        let Self { zip_file, s3_bucket, s3_key, s3_object_version, s3_object_storage_mode } = self;
        if s3_object_version.is_some_and(|version| !version.is_empty()) {
            return Err(Refusal::unsupported("S3ObjectVersion"));
        }
        if s3_object_storage_mode.is_some_and(|mode| mode != "COPY") {
            return Err(Refusal::unsupported("S3ObjectStorageMode other than COPY"));
        }
        Ok(ZipSource { zip_file, s3_bucket, s3_key })
    }
}
