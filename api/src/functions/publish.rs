//! Publishing a version, so that a version's number never means two contents, whoever else publishes or crashes.
//!
//! Three objects are written, in this order: the code, under its own digest; `versions/{n}.json`, only where there
//! is none (`If-None-Match`); and the manifest, only in the place of the one that was read (`If-Match`). A number
//! belongs to whoever writes its object first, and for ever. It counts once the manifest has reached it.
//!
//! - Two that publish at once: one finds the number taken, by other content, and takes the next. Whoever replaces
//!   the manifest second starts again; if by then the manifest has passed his number, that one is published, too.
//! - One that crashed before the manifest leaves a number nobody was told. Whoever comes with the same content
//!   takes it over; whoever comes with other content passes it by, and it becomes part of the history.
//! - One whose condition (`If-Match`) no longer holds leaves its number in the same way.
//! - A deleted function keeps its manifest, so that numbers go on; `first_version` hides those of its former life.

use badlambda_shared::function::{Function, Manifest, Version};
use badlambda_shared::limits;
use badlambda_shared::name::FunctionName;
use badlambda_shared::store::{Condition, JSON, RUBY, Written};
use badlambda_shared::timestamp::Timestamp;

use crate::app::App;
use crate::functions::draft::Draft;
use crate::functions::manifest::{self, Current};
use crate::http::conditions::Conditions;
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};

/// What may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing: the function is to be new.
    Create,
    /// The function, of which this becomes the next version.
    CreateOrPublish,
}

/// Makes `draft` the latest version of `name`.
pub(crate) async fn publish(
    app: &App,
    name: &FunctionName,
    draft: &Draft,
    mode: Mode,
    conditions: &Conditions,
) -> ApiResult {
    let mut delays = manifest::delays();
    let mut tried: Option<Manifest> = None;
    let mut code_is_stored = false;
    for _ in 0..limits::PUBLISH_TRIES {
        let current = manifest::read(app, name).await?;
        if let Some(tried) = tried.take_if(|tried| counts(tried, current.as_ref(), mode, conditions)) {
            return Ok(published(tried));
        }
        check(conditions, current.as_ref())?;
        if let Some(unchanged) = unchanged(name, current.as_ref(), draft, mode)? {
            return Ok(ApiResponse::Function(Box::new(unchanged)));
        }
        if !code_is_stored {
            let key = app.store.keys().code(&draft.code_sha256);
            app.store.put(&key, draft.code.clone().into_bytes(), RUBY, Condition::Always).await?;
            code_is_stored = true;
        }
        let version = take_number(app, name, draft, current.as_ref()).await?;
        let wanted = next_manifest(current.as_ref(), version);
        if let Written::Stored(_) = manifest::replace(app, current.as_ref(), &wanted).await? {
            return Ok(published(wanted));
        }
        tried = Some(wanted);
        tokio::time::sleep(delays.next_delay()).await;
    }
    Err(ApiError::ConcurrentChange(name.clone()))
}

/// The function as [`publish`] would make it now. Nothing is stored.
pub(crate) async fn preview(
    app: &App,
    name: &FunctionName,
    draft: &Draft,
    mode: Mode,
    conditions: &Conditions,
) -> ApiResult {
    let current = manifest::read(app, name).await?;
    check(conditions, current.as_ref())?;
    let function = match unchanged(name, current.as_ref(), draft, mode)? {
        Some(unchanged) => unchanged,
        None => next_manifest(current.as_ref(), next_version(name, draft, current.as_ref())).into(),
    };
    Ok(ApiResponse::Preview(Box::new(function)))
}

/// Whether the conditions hold for the function as it is now.
fn check(conditions: &Conditions, current: Option<&Current>) -> Result<(), ApiError> {
    if !conditions.is_set() {
        return Ok(());
    }
    let live = current.filter(|current| !current.manifest.deleted);
    let function = live.map(|current| Function::from(current.manifest.clone()));
    conditions.check(function.as_ref(), function.is_some())
}

/// The function, where it is there and has the same as its latest version already.
fn unchanged(
    name: &FunctionName,
    current: Option<&Current>,
    draft: &Draft,
    mode: Mode,
) -> Result<Option<Function>, ApiError> {
    match current.filter(|current| !current.manifest.deleted) {
        Some(_) if mode == Mode::Create => Err(ApiError::NameTaken(name.clone())),
        Some(live) if is_same(&live.manifest.latest, draft) => Ok(Some(live.manifest.clone().into())),
        _ => Ok(None),
    }
}

/// The first version creates the function; later ones change it.
fn published(manifest: Manifest) -> ApiResponse {
    let is_first = manifest.latest.version == manifest.first_version;
    let function = Box::new(Function::from(manifest));
    if is_first { ApiResponse::Created(function) } else { ApiResponse::Function(function) }
}

/// Whether what was tried in vain is there nevertheless: its write's answer was lost, or others published behind it,
/// which is no success under a condition.
fn counts(tried: &Manifest, current: Option<&Current>, mode: Mode, conditions: &Conditions) -> bool {
    current.is_some_and(|current| {
        let passed = !current.manifest.deleted && current.manifest.has(tried.latest.version);
        let may_be_passed = mode == Mode::CreateOrPublish && !conditions.is_set();
        current.manifest == *tried || (may_be_passed && passed)
    })
}

fn is_same(version: &Version, draft: &Draft) -> bool {
    version.code_sha256 == draft.code_sha256 && version.config == draft.config && version.form == draft.form
}

/// Stores `draft` under the first number that is free, or holds the same already.
async fn take_number(
    app: &App,
    name: &FunctionName,
    draft: &Draft,
    current: Option<&Current>,
) -> Result<Version, ApiError> {
    let mut version = next_version(name, draft, current);
    for _ in 0..limits::VERSION_TRIES {
        let key = app.store.keys().version(name, version.version);
        let written = app.store.put(&key, manifest::to_json(&version)?, JSON, Condition::Absent).await?;
        if let Written::Stored(_) = written {
            return Ok(version);
        }
        // No object at all means that another write of it was under way.
        let Some(object) = app.store.get(&key, limits::MAX_MANIFEST_BYTES).await? else { continue };
        let taken: Version = serde_json::from_slice(&object.bytes)
            .map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))?;
        if is_same(&taken, draft) {
            return Ok(taken);
        }
        version.version += 1;
    }
    Err(ApiError::ConcurrentChange(name.clone()))
}

/// With the number behind the latest one's.
fn next_version(name: &FunctionName, draft: &Draft, current: Option<&Current>) -> Version {
    Version {
        function: name.clone(),
        version: current.map_or(0, |current| current.manifest.latest.version) + 1,
        code_sha256: draft.code_sha256.clone(),
        code_bytes: draft.code.len() as u64,
        form: draft.form,
        config: draft.config.clone(),
        created_at: Timestamp::now(),
    }
}

fn next_manifest(current: Option<&Current>, latest: Version) -> Manifest {
    let now = Timestamp::now();
    match current.map(|current| &current.manifest).filter(|manifest| !manifest.deleted) {
        Some(manifest) => Manifest { latest, updated_at: now, ..manifest.clone() },
        None => Manifest {
            name: latest.function.clone(),
            first_version: latest.version,
            latest,
            aliases: Default::default(),
            deleted_versions: Default::default(),
            created_at: now,
            updated_at: now,
            deleted: false,
        },
    }
}
