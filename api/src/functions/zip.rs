//! Reading a zip with code: whether it may be stored, and what the handler's file in it says.

use badlambda_shared::package::{Package, PackageError};
use tokio::sync::Semaphore;

use crate::http::error::ApiError;

/// Zips that are unpacked at once, to nowhere: each takes a core for up to a second.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// The zip, which is checked in full, and the code of the file `wanted` in it, if any is.
pub(crate) async fn checked(
    zip: Vec<u8>,
    wanted: Option<String>,
) -> Result<(Vec<u8>, Option<String>), ApiError> {
    let _check = CHECKS.acquire().await;
    let check = move || {
        let package = Package::read(&zip)?;
        package.verify()?;
        let code = wanted.map(|wanted| code(&package, &wanted)).transpose()?;
        Ok((zip, code))
    };
    tokio::task::spawn_blocking(check)
        .await
        .unwrap_or_else(|_| Err(ApiError::Internal("the check of a zip broke off".to_owned())))
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
            PackageError::TooLarge => Self::CodeTooLarge(badlambda_shared::limits::MAX_ZIP_BYTES as usize),
            other => Self::in_body(&["zip"], other),
        }
    }
}
