//! Whether functions can run on this machine, for `run` and `up`: our programs, Ruby's library, and what confines.

use std::path::Path;
use std::process::{Command, Stdio};

use badlambda_shared::process::config::Environment;
use badlambda_worker::config::SandboxConfig;
use badlambda_worker::doctor::{self, Diagnosis, State};

use super::Check;
use crate::local::system::{here, programs};

/// What `up` and `run` start.
const PROGRAMS: [&str; 2] = ["badlambda-zygote", "badlambda-cleaner"];
const NEEDED: &str = "`run` and `up` need it, and no other command does";

pub(super) async fn examine(environment: Environment) -> Vec<Check> {
    let examined = tokio::task::spawn_blocking(move || examine_blocking(environment)).await;
    examined.unwrap_or_else(|error| vec![Check::wrong("isolation", error.to_string(), "report this")])
}

fn examine_blocking(environment: Environment) -> Vec<Check> {
    let folder = match programs() {
        Ok(folder) => folder,
        Err(error) => return vec![Check::wrong("programs", format!("{error:#}"), NEEDED)],
    };
    let shown = folder.display();
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|name| !folder.join(name).is_file()).collect();
    if !missing.is_empty() {
        let found = format!("{} is not in {shown}", missing.join(", "));
        return vec![Check::wrong("programs", found, format!("put it beside badlambda; {NEEDED}"))];
    }
    let mut checks = vec![Check::right("programs", format!("in {shown}"))];
    if let Some(missing) = missing_library(&folder.join(PROGRAMS[0])) {
        let advice =
            format!("install this version of Ruby, or build badlambda with the one there is; {NEEDED}");
        checks.push(Check::wrong("ruby", missing, advice));
        return checks;
    }
    let config = SandboxConfig::from_environment(&here(environment), folder);
    match config.map_err(anyhow::Error::from).and_then(|config| Ok(doctor::examine(config)?)) {
        Ok(diagnosis) => {
            checks.push(Check::right("ruby", diagnosis.ruby.clone()));
            checks.push(isolation(&diagnosis));
        }
        Err(error) => checks.push(Check::wrong("isolation", format!("{error:#}"), NEEDED)),
    }
    checks
}

/// What the dynamic linker says where it does not find one of the zygote's libraries. Started by hand, the zygote ends at once.
fn missing_library(zygote: &Path) -> Option<String> {
    let ended = Command::new(zygote).stdin(Stdio::null()).stdout(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    said.lines().find(|line| line.contains("error while loading shared libraries")).map(str::to_owned)
}

fn isolation(diagnosis: &Diagnosis) -> Check {
    let Diagnosis { tier, min_tier, isolation, layers, .. } = diagnosis;
    let named = |state| {
        let names: Vec<&str> =
            layers.iter().filter(|layer| layer.state == state).map(|layer| layer.name.as_str()).collect();
        names.join(", ")
    };
    let (absent, broken) = (named(State::Absent), named(State::Broken));
    let found = format!("{isolation}, tier {tier} of 2; these layers hold: {}", named(State::Holds));
    let advice = "`badlambda-worker doctor` tells what each layer is for";
    if diagnosis.starts && absent.is_empty() {
        Check::right("isolation", found)
    } else if diagnosis.starts {
        Check { advice: Some(format!("absent are {absent}; {advice}")), ..Check::right("isolation", found) }
    } else if !broken.is_empty() {
        Check::wrong(
            "isolation",
            found,
            format!("broken are {broken}: run no code that you do not trust; {advice}"),
        )
    } else {
        let advice = format!("BADLAMBDA_MIN_TIER is {min_tier}, and absent are {absent}; {advice}");
        Check::wrong("isolation", found, advice)
    }
}
