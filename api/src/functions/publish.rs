//! Publishing a version, so that a version's number never means two contents, whoever else publishes or crashes.
//!
//! Four objects are written, in this order: the code and the revision, each under its own digest;
//! `versions/{n}.json`, only where there is none (`If-None-Match`); and the manifest, only in the place of the one that
//! was read (`If-Match`). Code and revision are the same whoever writes them. A number belongs to whoever writes its
//! object first, and for ever. It counts once the manifest has reached it.
//!
//! - Two that publish at once: one finds the number taken, by other content, and takes the next. Whoever replaces
//!   the manifest second starts again; if by then the manifest has passed his number, that one is published, too.
//! - One that crashed before the manifest leaves a number nobody was told. Whoever comes with the same content
//!   takes it over; whoever comes with other content passes it by, and it becomes part of the history.
//! - One whose condition (`If-Match`) no longer holds leaves its number in the same way.
//! - A deleted function keeps its manifest, so that numbers go on; `first_version` hides those of its former life. Its
//!   revisions lie under the time when it was created, where a later function of its name does not look.

use badlambda_shared::aws::store::{Condition, JSON, RUBY, Written, ZIP};
use badlambda_shared::function::lambda::LambdaSettings;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::{CodeType, Function, Manifest, RevisionContent, Version};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;

use crate::app::App;
use crate::functions::draft::Draft;
use crate::functions::manifest::{self, Current};
use crate::http::conditions::Conditions;
use crate::http::error::ApiError;
use crate::http::response::{ApiResponse, ApiResult};

/// Why a config's layers are refused.
const NO_OTHER_LAYERS: &str = "leave it out, or send what the function has; UpdateFunctionConfiguration of AWS Lambda's API gives a \
     function other layers";

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
    let mut stored_for = None;
    for _ in 0..limits::PUBLISH_TRIES {
        let current = manifest::read(app, name).await?;
        if let Some(tried) = tried.take_if(|tried| counts(tried, current.as_ref(), mode, conditions)) {
            return Ok(published(tried));
        }
        check(conditions, current.as_ref())?;
        check_layers(draft, current.as_ref())?;
        if let Some(unchanged) = unchanged(name, current.as_ref(), draft, mode)? {
            return Ok(ApiResponse::Function(Box::new(unchanged)));
        }
        let now = Timestamp::now();
        let version = match numbered_already(current.as_ref(), draft) {
            Some(latest) => latest,
            None => {
                let version = next_version(name, draft, current.as_ref(), now);
                let created_at = live(current.as_ref()).map_or(now, |manifest| manifest.created_at);
                if stored_for != Some(created_at) {
                    store_draft(app, draft, name, created_at).await?;
                    stored_for = Some(created_at);
                }
                take_number(app, version).await?
            }
        };
        let wanted = next_manifest(current.as_ref(), version, now);
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
    check_layers(draft, current.as_ref())?;
    let function = match unchanged(name, current.as_ref(), draft, mode)? {
        Some(unchanged) => unchanged,
        None => {
            let now = Timestamp::now();
            let version = numbered_already(current.as_ref(), draft)
                .unwrap_or_else(|| next_version(name, draft, current.as_ref(), now));
            next_manifest(current.as_ref(), version, now).into()
        }
    };
    Ok(ApiResponse::Preview(Box::new(function)))
}

/// Whether the conditions hold for the function as it is now.
fn check(conditions: &Conditions, current: Option<&Current>) -> Result<(), ApiError> {
    if !conditions.is_set() {
        return Ok(());
    }
    let function = live(current).map(|manifest| Function::from(manifest.clone()));
    conditions.check(function.as_ref(), function.is_some())
}

/// AWS Lambda's API chooses layers. Who sends a function's config back has them in it.
fn check_layers(draft: &Draft, current: Option<&Current>) -> Result<(), ApiError> {
    let wanted = &draft.content.config.layers;
    let has = |manifest: &Manifest| {
        [&manifest.latest.content, &manifest.newest().content].iter().any(|had| had.config.layers == *wanted)
    };
    if wanted.is_empty() || live(current).is_some_and(has) {
        return Ok(());
    }
    Err(ApiError::in_body(&["config", "layers"], NO_OTHER_LAYERS))
}

/// The function, where it is there and has the same as its latest version and as `$LATEST` already.
fn unchanged(
    name: &FunctionName,
    current: Option<&Current>,
    draft: &Draft,
    mode: Mode,
) -> Result<Option<Function>, ApiError> {
    match live(current) {
        Some(_) if mode == Mode::Create => Err(ApiError::NameTaken(name.clone())),
        Some(manifest) if manifest.unpublished.is_none() && numbered_already(current, draft).is_some() => {
            Ok(Some(manifest.clone().into()))
        }
        _ => Ok(None),
    }
}

/// The latest version, where it has the same already: what AWS Lambda's API has made of `$LATEST` since then gives way to
/// it.
fn numbered_already(current: Option<&Current>, draft: &Draft) -> Option<Version> {
    let manifest = live(current)?;
    let latest = &manifest.latest;
    (manifest.has(latest.version) && latest.content == draft.content).then(|| latest.clone())
}

/// A function that AWS Lambda's API made is there before its first version.
fn published(manifest: Manifest) -> ApiResponse {
    let is_new =
        manifest.latest.version == manifest.first_version && manifest.created_at == manifest.updated_at;
    let function = Box::new(Function::from(manifest));
    if is_new { ApiResponse::Created(function) } else { ApiResponse::Function(function) }
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

/// Stores code and revision of the draft, for the function that was created at `created_at`.
pub(crate) async fn store_draft(
    app: &App,
    draft: &Draft,
    function: &FunctionName,
    created_at: Timestamp,
) -> Result<(), ApiError> {
    let code_type = draft.content.code_type;
    let code_key = app.store.keys().code(&draft.content.code_sha256, code_type);
    let media_type = match code_type {
        CodeType::Ruby => RUBY,
        CodeType::Zip => ZIP,
    };
    let store_code = async {
        app.store.put(&code_key, draft.code.clone(), media_type, Condition::Always).await?;
        Ok(())
    };
    tokio::try_join!(store_code, store_revision(app, &draft.content, function, created_at))?;
    Ok(())
}

/// Stores a revision, whose code is stored, for the function that was created at `created_at`.
pub(crate) async fn store_revision(
    app: &App,
    content: &RevisionContent,
    function: &FunctionName,
    created_at: Timestamp,
) -> Result<(), ApiError> {
    let key = app.store.keys().revision(function, created_at, &content.revision());
    app.store.put(&key, manifest::to_json(content)?, JSON, Condition::Always).await?;
    Ok(())
}

/// Stores the version under the first number from its own on that is free, or holds the same already.
pub(crate) async fn take_number(app: &App, mut version: Version) -> Result<Version, ApiError> {
    for _ in 0..limits::VERSION_TRIES {
        let key = app.store.keys().version(&version.function, version.version);
        let written = app.store.put(&key, manifest::to_json(&version)?, JSON, Condition::Absent).await?;
        if let Written::Stored(_) = written {
            return Ok(version);
        }
        // No object at all means that another write of it was under way.
        let Some(object) = app.store.get(&key, limits::MAX_MANIFEST_BYTES).await? else { continue };
        let taken: Version = serde_json::from_slice(&object.bytes)
            .map_err(|error| ApiError::Internal(format!("{key} is damaged: {error}")))?;
        if taken.content == version.content && taken.lambda == version.lambda {
            return Ok(taken);
        }
        version.version += 1;
    }
    Err(ApiError::ConcurrentChange(version.function))
}

/// With the number behind the latest one's.
fn next_version(name: &FunctionName, draft: &Draft, current: Option<&Current>, now: Timestamp) -> Version {
    Version {
        function: name.clone(),
        version: current.map_or(1, |current| current.manifest.next_number()),
        revision: draft.content.revision(),
        content: draft.content.clone(),
        created_at: now,
        // What AWS Lambda's API has set of the function holds for what others publish of it.
        lambda: live(current).and_then(settings),
    }
}

fn settings(manifest: &Manifest) -> Option<Box<LambdaSettings>> {
    manifest.lambda.as_ref().map(|lambda| Box::new(lambda.settings.clone()))
}

/// With this version as the latest one, and as `$LATEST`.
fn next_manifest(current: Option<&Current>, latest: Version, now: Timestamp) -> Manifest {
    match live(current) {
        Some(manifest) => Manifest { latest, updated_at: now, unpublished: None, ..manifest.clone() },
        None => Manifest {
            name: latest.function.clone(),
            first_version: latest.version,
            latest,
            aliases: Default::default(),
            deleted_versions: Default::default(),
            created_at: now,
            updated_at: now,
            deleted: false,
            unpublished: None,
            lambda: None,
        },
    }
}

/// The manifest of a function that is not deleted.
fn live(current: Option<&Current>) -> Option<&Manifest> {
    current.map(|current| &current.manifest).filter(|manifest| !manifest.deleted)
}
