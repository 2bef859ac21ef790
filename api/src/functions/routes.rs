//! Functions as a whole: create, publish, list, show, delete.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use badlambda_shared::function::catalog::CatalogError;
use badlambda_shared::function::name::{FunctionName, NameError};
use badlambda_shared::function::{Function, Manifest};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::app::{App, AppState};
use crate::functions::draft::{Draft, FunctionRequest};
use crate::functions::publish::{Mode, preview, publish};
use crate::functions::versions;
use crate::functions::{draft, manifest};
use crate::http::conditions::{Conditions, entity_tag};
use crate::http::error::ApiError;
use crate::http::page::{PageQuery, folders, page};
use crate::http::request::{FunctionPath, Query, parsed};
use crate::http::response::{ApiResponse, ApiResult};
use crate::schema;
use crate::schema::parameters::FunctionsCursor;
use crate::tokens::Caller;

/// The query of `POST /v1/functions`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CreateQuery {
    /// The function's name, for a body that has no place for it.
    #[param(schema_with = schema::created_name)]
    name: Option<String>,
    /// The config's `handler`, for a body of Ruby or a zip.
    #[param(schema_with = schema::handler)]
    handler: Option<String>,
    /// Check everything, and store nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The query of `PUT /v1/functions/{function}`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PutQuery {
    /// The config's `handler`, for a body of Ruby or a zip.
    #[param(schema_with = schema::handler)]
    handler: Option<String>,
    /// Check everything, and store nothing.
    #[serde(default)]
    dry_run: bool,
}

/// A page of functions, in the order of their names.
#[derive(Serialize, ToSchema)]
pub(crate) struct FunctionPage {
    functions: Vec<Function>,
    /// The `cursor` of the next page.
    next: Option<String>,
}

/// Create a function.
///
/// Its code is checked without being run. Without a name it gets one.
#[utoipa::path(
    post, path = "/v1/functions", operation_id = "CreateFunction", tag = "functions",
    params(CreateQuery),
    request_body(content(
        (FunctionRequest = "application/json",
            example = json!({"name": "hello", "code": "puts \"greeting\"\n{ greeting: \"Hello, #{event.fetch(\"name\")}!\" }"})),
        (String = "application/x-ruby", example = json!("{ sum: event.sum }")),
        (String = "application/zip"),
    )),
    responses(
        (status = 201, description = "The function is new.", body = Function, headers(("Location"), ("ETag"))),
        (status = 200, description = "With `dry_run`: the function as it would be.", body = Function),
        (status = 409, description = "There is a function of this name, or others change it at the same time."),
        (status = 415, description = "The body is neither JSON nor Ruby nor a zip."),
    ),
)]
pub(crate) async fn create(
    State(app): AppState,
    caller: Caller,
    Query(query): Query<CreateQuery>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let asked = query.name.map(|name| parsed("name", &name)).transpose()?;
    let (in_body, draft, _permit) = draft::read(&app, &headers, query.handler, body).await?;
    let name = match agreed(asked, in_body)? {
        Some(name) => name,
        None if caller.functions().is_some() => {
            let reason = "it is required, since the token is for functions of certain names alone";
            return Err(ApiError::in_body(&["name"], reason));
        }
        None => generated()?,
    };
    caller.require(&name)?;
    let conditions = Conditions::default();
    store_or_preview(&app, &name, &draft, Mode::Create, &conditions, query.dry_run).await
}

/// Create a function, or publish its next version.
///
/// The same code and config again make no new version.
#[utoipa::path(
    put, path = "/v1/functions/{function}", operation_id = "PutFunction", tag = "functions",
    params(FunctionPath, PutQuery, Conditions),
    request_body(content(
        (FunctionRequest = "application/json",
            example = json!({"code": "{ greeting: \"Hi, #{event.fetch(\"name\")}!\" }", "config": {"timeout_ms": 5000}})),
        (String = "application/x-ruby", example = json!("event.fetch(\"name\").upcase")),
        (String = "application/zip"),
    )),
    responses(
        (status = 201, description = "The function is new.", body = Function, headers(("Location"), ("ETag"))),
        (status = 200, description = "The function with its latest version; with `dry_run`, as it would be.",
            body = Function, headers(("ETag"))),
        (status = 409, description = "Others change the function at the same time."),
        (status = 412, description = "A condition does not hold."),
        (status = 415, description = "The body is neither JSON nor Ruby nor a zip."),
    ),
)]
pub(crate) async fn put(
    State(app): AppState,
    FunctionPath(name): FunctionPath,
    Query(query): Query<PutQuery>,
    conditions: Conditions,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let (in_body, draft, _permit) = draft::read(&app, &headers, query.handler, body).await?;
    agreed(Some(name.clone()), in_body)?;
    store_or_preview(&app, &name, &draft, Mode::CreateOrPublish, &conditions, query.dry_run).await
}

async fn store_or_preview(
    app: &App,
    name: &FunctionName,
    draft: &Draft,
    mode: Mode,
    conditions: &Conditions,
    dry_run: bool,
) -> ApiResult {
    if dry_run {
        return preview(app, name, draft, mode, conditions).await;
    }
    publish(app, name, draft, mode, conditions).await
}

/// The one name that path or query and body give, if any.
fn agreed(
    asked: Option<FunctionName>,
    in_body: Option<FunctionName>,
) -> Result<Option<FunctionName>, ApiError> {
    match (asked, in_body) {
        (Some(asked), Some(in_body)) if asked != in_body => {
            Err(ApiError::in_body(&["name"], format!("the body says {in_body}, and the URL says {asked}")))
        }
        (Some(asked), _) if asked.is_one_shot() => Err(ApiError::parameter("name", NameError::Function)),
        (None, Some(in_body)) if in_body.is_one_shot() => {
            Err(ApiError::in_body(&["name"], NameError::Function))
        }
        (asked, in_body) => Ok(asked.or(in_body)),
    }
}

fn generated() -> Result<FunctionName, ApiError> {
    let random = Uuid::new_v4().simple().to_string();
    parsed("name", &format!("fn-{}", &random[..16]))
}

/// List functions.
///
/// A page may hold fewer than asked for, since deleted functions are left out of it.
#[utoipa::path(
    get, path = "/v1/functions", operation_id = "ListFunctions", tag = "functions",
    params(PageQuery, FunctionsCursor),
    responses((status = 200, description = "A page of functions.", body = FunctionPage, headers(("Link")))),
)]
pub(crate) async fn list(
    State(app): AppState,
    caller: Caller,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> ApiResult {
    let limit = query.limit()?;
    let after: Option<FunctionName> =
        query.cursor.as_deref().map(|cursor| parsed("cursor", cursor)).transpose()?;
    let (names, next) = match caller.functions() {
        Some(own) => page_of(own, after.as_ref(), limit),
        None => folders(&app.store, &app.store.keys().functions(), after.as_ref(), limit).await?,
    };
    let functions: Vec<Function> = stream::iter(names)
        .map(|name| present(&app, name))
        .buffered(limits::READS_AT_ONCE)
        .try_filter_map(|function| async { Ok(function) })
        .try_collect()
        .await?;
    Ok(page(&uri, next.map(String::from), |next| FunctionPage { functions, next }))
}

/// The next names behind `after`, and where the page behind them begins, if there is one.
type Names = (Vec<FunctionName>, Option<FunctionName>);

fn page_of(own: &BTreeSet<FunctionName>, after: Option<&FunctionName>, limit: usize) -> Names {
    let mut left = own.iter().filter(|name| after.is_none_or(|after| *name > after));
    let names: Vec<FunctionName> = left.by_ref().take(limit).cloned().collect();
    let next = left.next().and_then(|_| names.last().cloned());
    (names, next)
}

async fn present(app: &App, name: FunctionName) -> Result<Option<Function>, ApiError> {
    match app.catalog.manifest(&name).await {
        Ok(manifest) => Ok(Some((*manifest).clone().into())),
        Err(CatalogError::NoFunction(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Show a function.
#[utoipa::path(
    get, path = "/v1/functions/{function}", operation_id = "GetFunction", tag = "functions",
    params(FunctionPath, Conditions),
    responses(
        (status = 200, description = "The function, with its latest version's config.", body = Function, headers(("ETag"))),
        (status = 304, description = "It is the one that `If-None-Match` names.", headers(("ETag"))),
        (status = 412, description = "It is not the one that `If-Match` names."),
    ),
)]
pub(crate) async fn get(
    State(app): AppState,
    FunctionPath(name): FunctionPath,
    conditions: Conditions,
) -> ApiResult {
    let function: Function = manifest::live(&app, &name).await?.manifest.into();
    if conditions.is_known(&function)? {
        return Ok(ApiResponse::NotModified(entity_tag(&function)?));
    }
    Ok(ApiResponse::Function(Box::new(function)))
}

/// Delete a function.
///
/// Its versions go with it, and what is queued for it ends as `not_found`. A later function of its name goes on counting
/// versions.
#[utoipa::path(
    delete, path = "/v1/functions/{function}", operation_id = "DeleteFunction", tag = "functions",
    params(FunctionPath, Conditions),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "Others change the function at the same time."),
        (status = 412, description = "A condition does not hold."),
    ),
)]
pub(crate) async fn delete(
    State(app): AppState,
    FunctionPath(name): FunctionPath,
    conditions: Conditions,
) -> ApiResult {
    remove(&app, &name, |manifest| conditions.check(Some(&manifest.clone().into()), true)).await?;
    Ok(ApiResponse::Deleted)
}

/// Deletes the function, if `check` has nothing against that.
pub(crate) async fn remove<E: From<ApiError>>(
    app: &App,
    name: &FunctionName,
    check: impl Fn(&Manifest) -> Result<(), E>,
) -> Result<(), E> {
    // The manifest stays behind as deleted, so that numbers are never given again. The versions go, so that messages that
    // name one find nothing; what remains of them after a failure is hidden by the manifest.
    let deleted = manifest::edit(app, name, |manifest| {
        check(manifest)?;
        let mut deleted = manifest.clone();
        deleted.deleted = true;
        deleted.aliases.clear();
        (deleted.unpublished, deleted.lambda) = (None, None);
        deleted.updated_at = Timestamp::now();
        Ok::<_, E>(Some(deleted))
    })
    .await?;
    if let Err(error) = versions::delete_all(app, &deleted).await {
        tracing::warn!(function = %name, %error, "versions of a deleted function were left behind");
    }
    Ok(())
}
