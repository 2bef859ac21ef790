//! What layers may say that they are made for. It is kept, shown, and what lists are filtered by.

use std::sync::LazyLock;

use badlambda_shared::function::layer::LayerVersion;

use crate::lambda::call::Call;
use crate::lambda::checks::{Checks, list, must_be_one_of};

/// Every runtime that AWS's model names, retired ones, too: a layer may be made for any.
const NAMES: &str = "nodejs nodejs4.3 nodejs6.10 nodejs8.10 nodejs10.x nodejs12.x nodejs14.x nodejs16.x nodejs18.x nodejs20.x \
    nodejs22.x nodejs24.x java8 java8.al2 java11 java17 java21 java25 python2.7 python3.6 python3.7 python3.8 python3.9 \
    python3.10 python3.11 python3.12 python3.13 python3.14 dotnetcore1.0 dotnetcore2.0 dotnetcore2.1 dotnetcore3.1 dotnet6 \
    dotnet8 dotnet10 nodejs4.3-edge go1.x ruby2.5 ruby2.7 ruby3.2 ruby3.3 ruby3.4 ruby4.0 provided provided.al2 \
    provided.al2023 nodejs26.x python3.15 java8.al2023 java11.al2023 java17.al2023";
static RUNTIMES: LazyLock<Vec<&str>> = LazyLock::new(|| NAMES.split_whitespace().collect());
const ARCHITECTURES: [&str; 2] = ["x86_64", "arm64"];
const MOST_RUNTIMES: usize = 15;

/// Checks the members of PublishLayerVersion.
pub(super) fn check_lists(
    runtimes: Option<&[String]>,
    architectures: Option<&[String]>,
    checks: &mut Checks,
) {
    check_list(runtimes, "compatibleRuntimes", MOST_RUNTIMES, &RUNTIMES, checks);
    check_list(architectures, "compatibleArchitectures", ARCHITECTURES.len(), &ARCHITECTURES, checks);
}

fn check_list(values: Option<&[String]>, path: &str, most: usize, set: &[&str], checks: &mut Checks) {
    let Some(values) = values else { return };
    checks.sized(values.len(), list(values), path, &(0..=most));
    if !values.iter().all(|value| set.contains(&value.as_str())) {
        let constraint =
            format!("Member must satisfy constraint: [{}, Member must not be null]", must_be_one_of(set));
        checks.fail(list(values), path, constraint);
    }
}

/// What a list is to show alone.
pub(super) struct Filter<'a> {
    runtime: Option<&'a str>,
    architecture: Option<&'a str>,
}

impl<'a> Filter<'a> {
    pub(super) fn of(call: &'a Call, checks: &mut Checks) -> Self {
        let (runtime, architecture) = (call.query("CompatibleRuntime"), call.query("CompatibleArchitecture"));
        if let Some(runtime) = runtime {
            checks.one_of(runtime, "compatibleRuntime", &RUNTIMES);
        }
        if let Some(architecture) = architecture {
            checks.one_of(architecture, "compatibleArchitecture", &ARCHITECTURES);
        }
        Self { runtime, architecture }
    }

    /// A version that does not say what it is made for is made for nothing in particular.
    pub(super) fn matches(&self, version: &LayerVersion) -> bool {
        let is_for = |wanted: Option<&str>, said: &Option<Vec<String>>| {
            wanted.is_none_or(|wanted| said.iter().flatten().any(|said| said == wanted))
        };
        is_for(self.runtime, &version.runtimes) && is_for(self.architecture, &version.architectures)
    }
}
