//! A function's versions, and the aliases that point at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Uri;
use badlambda_shared::aws::store::StoreError;
use badlambda_shared::function::alias::{AliasTarget, Weight};
use badlambda_shared::function::catalog::CatalogError;
use badlambda_shared::function::name::{Alias, FunctionName, VersionRef};
use badlambda_shared::function::{CodeType, Function, Manifest, RevisionContent, Version};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use badlambda_shared::whole_number;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, AppState};
use crate::functions::manifest;
use crate::http::body::{self, Received};
use crate::http::conditions::Conditions;
use crate::http::error::ApiError;
use crate::http::json;
use crate::http::page::{PageQuery, page};
use crate::http::request::{FunctionPath, FunctionSubPath, Query, parsed};
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema;
use crate::schema::parameters::{AliasPath, VersionNumberPath, VersionsCursor};

/// A page of a function's versions, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct VersionPage {
    versions: Vec<Version>,
    /// The `cursor` of the next page.
    next: Option<String>,
}

/// List the versions of a function.
#[utoipa::path(
    get, path = "/v1/functions/{function}/versions", operation_id = "ListVersions", tag = "versions",
    params(FunctionPath, PageQuery, VersionsCursor),
    responses((status = 200, description = "A page of versions, the newest first.", body = VersionPage, headers(("Link")))),
)]
pub(crate) async fn list(
    State(app): AppState,
    FunctionPath(name): FunctionPath,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> ApiResult {
    let limit = query.limit()?;
    let before: Option<u32> = query.cursor.as_deref().map(|cursor| parsed("cursor", cursor)).transpose()?;
    let manifest = manifest::live(&app, &name).await?.manifest;
    let first = manifest.first_version;
    let end = before.unwrap_or(u32::MAX).min(manifest.latest.version.saturating_add(1));
    let numbers: Vec<u32> = (first..end).rev().filter(|number| manifest.has(*number)).take(limit).collect();
    let last = numbers.last().copied();
    let versions: Vec<Version> = stream::iter(numbers)
        .map(|number| present(&app, &name, number))
        .buffered(limits::READS_AT_ONCE)
        .try_filter_map(|version| async { Ok(version) })
        .try_collect()
        .await?;
    let next = last.filter(|last| *last > first).map(|last| last.to_string());
    Ok(page(&uri, next, |next| VersionPage { versions, next }))
}

async fn present(app: &App, name: &FunctionName, number: u32) -> Result<Option<Version>, ApiError> {
    match app.catalog.version(name, number).await {
        Ok(version) => Ok(Some(shown(&version))),
        Err(CatalogError::NoVersion { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Show a version of a function.
#[utoipa::path(
    get, path = "/v1/functions/{function}/versions/{version}", operation_id = "GetVersion", tag = "versions",
    params(FunctionPath, ("version" = VersionRef, Path, description = "Its number, an alias or `$LATEST`.", example = "1")),
    responses((status = 200, description = "The version, with its config.", body = Version)),
)]
pub(crate) async fn get(State(app): AppState, path: FunctionSubPath) -> ApiResult {
    let version = resolve(&app, path).await?;
    Ok(ApiResponse::Version(Box::new(shown(&version))))
}

/// The version without what is AWS Lambda's API's to show.
fn shown(version: &Version) -> Version {
    Version { lambda: None, ..version.clone() }
}

/// Show the code of a version.
#[utoipa::path(
    get, path = "/v1/functions/{function}/versions/{version}/code", operation_id = "GetVersionCode", tag = "versions",
    params(FunctionPath, ("version" = VersionRef, Path, description = "Its number, an alias or `$LATEST`.", example = "live")),
    responses(
        (status = 200, description = "Ruby code.", body = String, content_type = "application/x-ruby"),
        (status = 303, description = "Code in a zip is at this URL.", headers(("Location"))),
    ),
)]
pub(crate) async fn code(State(app): AppState, path: FunctionSubPath) -> ApiResult {
    let version = resolve(&app, path).await?;
    let RevisionContent { code_sha256, code_type, .. } = &version.content;
    match code_type {
        CodeType::Ruby => Ok(ApiResponse::Code(app.catalog.code(code_sha256).await?)),
        CodeType::Zip => {
            let key = app.store.keys().code(code_sha256, *code_type);
            Ok(ApiResponse::Elsewhere(app.store.presign(&key).await?.url))
        }
    }
}

async fn resolve(app: &App, path: FunctionSubPath) -> Result<Arc<Version>, ApiError> {
    let FunctionSubPath(name, version) = path;
    let missing = || ApiError::VersionNotFound { function: name.clone(), version: version.clone() };
    let wanted: VersionRef = version.parse().map_err(|_| missing())?;
    Ok(app.catalog.resolve(&name, Some(&wanted), None).await?)
}

/// Delete a version.
///
/// What is queued for it ends as `not_found`.
#[utoipa::path(
    delete, path = "/v1/functions/{function}/versions/{version}", operation_id = "DeleteVersion", tag = "versions",
    params(FunctionPath, VersionNumberPath),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It is the latest one, or an alias points at it, or others change the function."),
    ),
)]
pub(crate) async fn delete(
    State(app): AppState,
    FunctionSubPath(name, version): FunctionSubPath,
) -> ApiResult {
    let missing = || ApiError::VersionNotFound { function: name.clone(), version: version.clone() };
    let Ok(VersionRef::Number(number)) = version.parse() else { return Err(missing()) };
    delete_version(&app, &name, number, |manifest| {
        if !manifest.has(number) {
            return Err(missing());
        }
        if manifest.latest.version == number {
            return Err(ApiError::VersionInUse("it is the latest one; publish another version first"));
        }
        if manifest.has_alias_of(number) {
            return Err(ApiError::VersionInUse(
                "an alias points at it, or gives it a share; change that first",
            ));
        }
        let mut without = manifest.clone();
        without.delete_version(number);
        if without.deleted_versions.len() > limits::MAX_DELETED_VERSIONS {
            return Err(ApiError::TooManyDeletedVersions);
        }
        Ok(Some(without))
    })
    .await?;
    Ok(ApiResponse::Deleted)
}

/// Deletes a version as `without` says, which answers the manifest without it, or `None` where there is nothing to delete.
pub(crate) async fn delete_version<E: From<ApiError>>(
    app: &App,
    name: &FunctionName,
    number: u32,
    without: impl Fn(&Manifest) -> Result<Option<Manifest>, E>,
) -> Result<(), E> {
    // The manifest marks it as deleted, by which it is gone. What remains of its object after a failure is never read. Its
    // revision stays: another version may have the same one, and somebody may publish it at this moment.
    let marked = manifest::edit(app, name, |manifest| {
        let changed = |without| Manifest { updated_at: Timestamp::now(), ..without };
        without(manifest).map(|without| without.map(changed))
    })
    .await?;
    if marked.has(number) {
        return Ok(());
    }
    if let Err(error) = app.store.delete(&app.store.keys().version(name, number)).await {
        tracing::warn!(function = %name, number, %error, "a deleted version was left behind");
    }
    Ok(())
}

/// What an alias is to point at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AliasRequest {
    /// A version's number.
    #[schema(schema_with = schema::version_number)]
    #[serde(deserialize_with = "whole_number::deserialize")]
    version: u32,
    #[schema(schema_with = schema::weights)]
    #[serde(default)]
    weights: BTreeMap<String, Weight>,
}

impl AliasRequest {
    fn target(self) -> Result<AliasTarget, ApiError> {
        let numbered = |(number, weight): (String, Weight)| match number.parse() {
            Ok(number) => Ok((number, weight)),
            Err(_) => Err(ApiError::in_body(&["weights", &number], "its name must be a version's number")),
        };
        let weights = self.weights.into_iter().map(numbered).collect::<Result<_, _>>()?;
        AliasTarget::shared(self.version, weights).map_err(|error| ApiError::in_body(&["weights"], error))
    }
}

/// Point an alias at a version.
#[utoipa::path(
    put, path = "/v1/functions/{function}/aliases/{alias}", operation_id = "PutAlias", tag = "versions",
    params(FunctionPath, AliasPath, Conditions),
    request_body(content = AliasRequest, example = json!({"version": 1})),
    responses(
        (status = 200, description = "The function, with the alias.", body = Function, headers(("ETag"))),
        (status = 409, description = "Others change the function at the same time."),
        (status = 412, description = "A condition does not hold."),
    ),
)]
pub(crate) async fn put_alias(
    State(app): AppState,
    FunctionSubPath(name, alias): FunctionSubPath,
    conditions: Conditions,
    body: Body,
) -> ApiResult {
    let alias: Alias = parsed("alias", &alias)?;
    let most = limits::MAX_ALIAS_BODY_BYTES;
    let Received { bytes, .. } =
        body::receive(&app.admission, body, most, ApiError::BodyTooLarge(most)).await?;
    let target = json::read::<AliasRequest>(&bytes)?.target()?;
    let edited = manifest::edit(&app, &name, |manifest| {
        conditions.check(Some(&manifest.clone().into()), manifest.aliases.contains_key(&alias))?;
        if let Some(missing) = target.versions().find(|version| !manifest.has(*version)) {
            return Err(ApiError::VersionNotFound { function: name.clone(), version: missing.to_string() });
        }
        if manifest.aliases.get(&alias) == Some(&target) {
            return Ok(None);
        }
        let mut pointed = manifest.clone();
        pointed.aliases.insert(alias.clone(), target.clone());
        pointed.updated_at = Timestamp::now();
        if pointed.aliases.len() > limits::MAX_ALIASES {
            let reason = format!("a function has at most {} aliases", limits::MAX_ALIASES);
            return Err(ApiError::parameter("alias", reason));
        }
        Ok(Some(pointed))
    })
    .await?;
    Ok(ApiResponse::Function(Box::new(edited.into())))
}

/// Remove an alias.
#[utoipa::path(
    delete, path = "/v1/functions/{function}/aliases/{alias}", operation_id = "DeleteAlias", tag = "versions",
    params(FunctionPath, AliasPath, Conditions),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "Others change the function at the same time."),
        (status = 412, description = "A condition does not hold."),
    ),
)]
pub(crate) async fn delete_alias(
    State(app): AppState,
    FunctionSubPath(name, alias): FunctionSubPath,
    conditions: Conditions,
) -> ApiResult {
    let alias: Alias = parsed("alias", &alias)?;
    manifest::edit(&app, &name, |manifest| {
        let mut without = manifest.clone();
        if !without.remove_alias(&alias) {
            return Err(ApiError::AliasNotFound { function: name.clone(), alias: alias.clone() });
        }
        conditions.check(Some(&manifest.clone().into()), true)?;
        without.updated_at = Timestamp::now();
        Ok(Some(without))
    })
    .await?;
    Ok(ApiResponse::Deleted)
}

/// Deletes every version up to the manifest's latest, and every revision. Later versions, and what lies under a later time
/// of creation, belong to whoever creates the function again.
pub(crate) async fn delete_all(app: &App, manifest: &Manifest) -> Result<(), StoreError> {
    let keys = app.store.keys();
    let numbers = manifest.first_version..=manifest.latest.version;
    let versions = numbers.map(|number| keys.version(&manifest.name, number));
    let revisions = app.store.list_all(&keys.revisions(&manifest.name, manifest.created_at)).await?;
    stream::iter(versions.chain(revisions.keys).map(Ok))
        .try_for_each_concurrent(limits::READS_AT_ONCE, |key| async move { app.store.delete(&key).await })
        .await
}
