//! Reading a zip with code: whether it may be stored, and what the handler's file in it says.

use badlambda_shared::function::package::{Package, PackageError};
use badlambda_shared::limits;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::http::error::ApiError;

/// Zips that are unpacked at once, to nowhere: each takes a core for up to a second.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// The zip, which is checked in full, and the code of the file `wanted` in it, if any is. Beside what is in it there will be
/// layers of `layers_bytes`.
pub(crate) async fn checked(
    zip: Vec<u8>,
    wanted: Option<String>,
    layers_bytes: u64,
) -> Result<(Vec<u8>, Option<String>), ApiError> {
    let _check = CHECKS.acquire().await;
    let check = move || {
        let package = Package::read(&zip)?;
        package.verify()?;
        if package.unpacked_bytes().saturating_add(layers_bytes) > limits::MAX_UNPACKED_BYTES {
            return Err(PackageError::UnpackedTooLarge.into());
        }
        let code = wanted.map(|wanted| code(&package, &wanted)).transpose()?;
        Ok((zip, code))
    };
    tokio::task::spawn_blocking(check)
        .await
        .unwrap_or_else(|_| Err(ApiError::Internal("the check of a zip broke off".to_owned())))
}

/// The size of what is in a zip that is stored.
pub(crate) async fn unpacked_bytes(app: &App, sha256: &str) -> Result<u64, ApiError> {
    let _check = CHECKS.acquire().await;
    let zip = app.catalog.zip(sha256).await?;
    Ok(Package::read(&zip)?.unpacked_bytes())
}

fn code(package: &Package<'_>, path: &str) -> Result<String, ApiError> {
    let missing = || {
        let reason = format!(
            "the zip has no file {path}; name the handler's file and method as `file.method`, from the top of the zip on"
        );
        ApiError::in_body(&["config", "handler"], reason)
    };
    let code = package.file(path)?.ok_or_else(missing)?;
    String::from_utf8(code).map_err(|_| ApiError::in_body(&["zip"], format!("{path} must be UTF-8")))
}

impl From<PackageError> for ApiError {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::TooLarge => Self::CodeTooLarge(limits::MAX_ZIP_BYTES as usize),
            other => Self::in_body(&["zip"], other),
        }
    }
}
