//! CreateFunction.

use std::collections::BTreeMap;

use axum::body::Body;
use badlambda_shared::aws::store::Written;
use badlambda_shared::function::lambda::LambdaFunction;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::{
    Compatibility, FunctionConfig, Manifest, UNPUBLISHED, Unpublished, Version,
};
use badlambda_shared::limits;
use badlambda_shared::timestamp::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::code::{CodeRequest, draft};
use super::configuration::{Shown, configuration};
use super::find::Found;
use super::latest::new_change;
use super::request::ConfigurationRequest;
use super::take_members;
use crate::app::App;
use crate::functions::draft::Draft;
use crate::functions::manifest::{self, Current};
use crate::functions::publish::{store_draft, take_number};
use crate::http::error::ApiError;
use crate::lambda::call::Call;
use crate::lambda::checks::{Checks, list, must_be_one_of};
use crate::lambda::errors::{Refusal, WireError};
use crate::lambda::names::{Asked, Form};
use crate::lambda::response::{Answer, WireResult};
use crate::lambda::tags;

/// Bytes of a request that brings code.
pub(crate) const MOST_BYTES: usize = 70_167_211;
const LONGEST_NAME: usize = 64;

/// What only CreateFunction takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    function_name: Option<String>,
    code: Option<CodeRequest>,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    architectures: Option<Vec<String>>,
    package_type: Option<String>,
    code_signing_config_arn: Option<String>,
}

const MEMBERS: [&str; 7] =
    ["FunctionName", "Code", "Publish", "Tags", "Architectures", "PackageType", "CodeSigningConfigArn"];

/// Makes a function, which has no version yet unless `Publish` says so.
pub(crate) async fn create(call: Call, body: Body) -> WireResult {
    let (mut body, _permit): (Value, _) = call.json(body, "CreateFunction", MOST_BYTES).await?;
    let mut members: Members = take_members(&mut body, &MEMBERS)?;
    let request: ConfigurationRequest = take_members(&mut body, &[])?;
    let asked = check_model(&call, &members, &request)?;
    let function = new_name(&asked)?;
    request.check_values()?;
    members.check_values(&request)?;
    let config = FunctionConfig {
        timeout_ms: 3_000,
        memory_mb: 128,
        max_scratch_bytes: 512 * 1024 * 1024,
        max_result_bytes: 6_291_556,
        compatibility: Compatibility::Lambda,
        ..FunctionConfig::default()
    };
    let (mut config, mut lambda) = (config, LambdaFunction::default());
    request.apply(&mut config, &mut lambda.settings);
    lambda.settings.architecture = members.architectures.as_ref().and_then(|list| list.first().cloned());
    lambda.tags = std::mem::take(&mut members.tags);
    request.apply_layers(&call.app, &mut config).await?;
    let code = members.code.take().unwrap_or_default();
    let draft = draft(code.zip(&call.app).await?, config).await?;
    let manifest = store(&call.app, &function, &draft, lambda, members.publish).await?;
    let version = manifest.latest.number().map(|_| manifest.latest.clone().into());
    let shown = if members.publish { Shown::Alone } else { Shown::Created };
    let found = Found { manifest, version };
    Ok(Answer::Created(configuration(&call.app.account, &found, asked.function_arn(), shown)))
}

fn check_model(call: &Call, members: &Members, request: &ConfigurationRequest) -> Result<Asked, WireError> {
    let mut checks = Checks::default();
    request.check_model(&mut checks);
    checks.required(request.role(), "role");
    checks.required(members.code.as_ref(), "code");
    if let Some(code) = &members.code {
        code.check_model(&mut checks);
    }
    check_architectures(members.architectures.as_deref(), &mut checks);
    if let Some(package_type) = &members.package_type {
        checks.one_of(package_type, "packageType", &["Zip", "Image"]);
    }
    let name = checks.required(members.function_name.as_ref(), "functionName");
    let Some(name) = name else {
        checks.finish()?;
        return Err(Refusal::invalid("FunctionName is missing").into());
    };
    call.allowed(Asked::read(&call.app.account, Form::Changes, name, None, checks)?)
}

pub(super) fn check_architectures(architectures: Option<&[String]>, checks: &mut Checks) {
    let Some(architectures) = architectures else { return };
    checks.sized(architectures.len(), list(architectures), "architectures", &(1..=1));
    let set = ["x86_64", "arm64"];
    if !architectures.iter().all(|architecture| set.contains(&architecture.as_str())) {
        let constraint =
            format!("Member must satisfy constraint: [{}, Member must not be null]", must_be_one_of(&set));
        checks.fail(list(architectures), "architectures", constraint);
    }
}

impl Members {
    fn check_values(&self, request: &ConfigurationRequest) -> Result<(), Refusal> {
        if self.package_type.as_deref() == Some("Image") {
            return Err(Refusal::unsupported("PackageType Image"));
        }
        if self.code_signing_config_arn.as_ref().is_some_and(|arn| !arn.is_empty()) {
            return Err(Refusal::unsupported("CodeSigningConfigArn"));
        }
        if request.handler().is_none() || !request.has_runtime() {
            return Err(Refusal::invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ));
        }
        tags::check_number(self.tags.len())
    }
}

/// The name, if a new function can have it.
fn new_name(asked: &Asked) -> Result<FunctionName, Refusal> {
    let name = &asked.name;
    if name.len() > LONGEST_NAME {
        return Err(Refusal::invalid(format!(
            "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have \
             length less than or equal to {LONGEST_NAME}"
        )));
    }
    if asked.qualifier.is_some() {
        return Err(Refusal::invalid("The name of a new function must not have a qualifier."));
    }
    asked.function().ok_or_else(|| {
        Refusal::invalid(format!(
            "Bad Lambda's functions have names that begin with a letter or a digit; {name} does not."
        ))
    })
}

/// Stores the function, unless there is one of its name.
async fn store(
    app: &App,
    name: &FunctionName,
    draft: &Draft,
    lambda: LambdaFunction,
    publish: bool,
) -> Result<Manifest, WireError> {
    let now = Timestamp::now();
    store_draft(app, draft, name, now).await?;
    let mut delays = manifest::delays();
    let mut tried: Option<Manifest> = None;
    for _ in 0..limits::PUBLISH_TRIES {
        let current = manifest::read(app, name).await?;
        // A write may have happened though its answer was lost.
        if let Some(tried) = tried.take_if(|tried| current.as_ref().is_some_and(|now| now.manifest == *tried))
        {
            return Ok(tried);
        }
        let wanted = new_manifest(app, name, draft, &lambda, current.as_ref(), publish, now).await?;
        if let Written::Stored(_) = manifest::replace(app, current.as_ref(), &wanted).await? {
            return Ok(wanted);
        }
        tried = Some(wanted);
        tokio::time::sleep(delays.next_delay()).await;
    }
    Err(ApiError::ConcurrentChange(name.clone()).into())
}

async fn new_manifest(
    app: &App,
    name: &FunctionName,
    draft: &Draft,
    lambda: &LambdaFunction,
    current: Option<&Current>,
    publish: bool,
    now: Timestamp,
) -> Result<Manifest, WireError> {
    if current.is_some_and(|current| !current.manifest.deleted) {
        return Err(Refusal::conflict(format!("Function already exist: {name}")).into());
    }
    let first_version = current.map_or(1, |current| current.manifest.next_number());
    let mut version = Version {
        function: name.clone(),
        version: first_version,
        revision: draft.content.revision(),
        content: draft.content.clone(),
        created_at: now,
        lambda: Some(Box::new(lambda.settings.clone())),
    };
    let mut unpublished = None;
    if publish {
        version = take_number(app, version).await?;
    } else {
        version = Version { version: UNPUBLISHED, lambda: None, ..version };
        let Version { revision, content, .. } = version.clone();
        unpublished = Some(Unpublished { revision, content, created_at: now });
    }
    let lambda = LambdaFunction { change: new_change(), modified_at: Some(now), ..lambda.clone() };
    Ok(Manifest {
        name: name.clone(),
        first_version: if publish { version.version } else { first_version },
        latest: version,
        aliases: BTreeMap::new(),
        created_at: now,
        updated_at: now,
        deleted: false,
        deleted_versions: Default::default(),
        unpublished,
        lambda: Some(Box::new(lambda)),
    })
}
