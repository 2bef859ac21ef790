//! `badlambda-worker doctor`: whether executions can be confined on this machine, layer by layer, each tried for real.

use std::fmt;

use serde::Serialize;

use crate::config::SandboxConfig;
use crate::sandbox::{Executor, ExecutorError, Finding, IsolationMode, LAYERS, Layer, Need};

/// What the doctor found.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// The tier that the layers make: 0 to 3.
    pub tier: u8,
    /// `BADLAMBDA_MIN_TIER`.
    pub min_tier: u8,
    /// `BADLAMBDA_ISOLATION`.
    pub isolation: IsolationMode,
    /// The version of Ruby that runs executions.
    pub ruby: String,
    /// The kernel's release.
    pub kernel: String,
    /// Whether a worker starts here, so configured.
    pub starts: bool,
    /// Each layer, and what was tried of it.
    pub layers: Vec<Examined>,
}

/// One layer, as found.
#[derive(Debug, Serialize)]
pub struct Examined {
    /// Its name.
    pub name: String,
    /// What it is to a worker.
    pub need: Need,
    /// Whether it is there.
    pub state: State,
    /// What is lost without it, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<&'static str>,
    /// What was tried.
    pub findings: Vec<Finding>,
}

/// How a layer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It refused whatever was tried.
    Holds,
    /// It is claimed, and something was not refused.
    Broken,
    /// This machine or this configuration does not have it.
    Absent,
}

/// Starts one zygote as a worker would, and tries every layer from inside. Blocks.
///
/// # Errors
/// When executions can't be run at all, or can't be given what is asked for.
pub fn examine(config: SandboxConfig) -> Result<Diagnosis, ExecutorError> {
    let mut settings = config.executor;
    settings.zygotes = 1;
    let executor = Executor::start(&settings)?;
    let findings = executor.probe()?;
    let held = executor.isolation();
    let mut layers: Vec<Examined> =
        LAYERS.iter().map(|layer| Examined::of(layer, &held.layers, &findings)).collect();
    layers.extend(beside_the_layers(&findings));
    let whole = layers.iter().all(|layer| layer.state != State::Broken);
    Ok(Diagnosis {
        tier: held.tier,
        min_tier: config.min_tier,
        isolation: settings.isolation,
        ruby: executor.ruby_version().to_owned(),
        kernel: nix::sys::utsname::uname()?.release().display().to_string(),
        starts: whole && held.tier >= config.min_tier,
        layers,
    })
}

impl Examined {
    fn of(layer: &Layer, held: &[String], findings: &[Finding]) -> Self {
        let absent = !held.iter().any(|name| name == layer.name);
        let findings = of_layer(findings, layer.name);
        let state = if absent { State::Absent } else { state(&findings) };
        let without = absent.then_some(layer.without);
        Self { name: layer.name.to_owned(), need: layer.need, state, without, findings }
    }
}

/// What was tried that no single layer answers for.
fn beside_the_layers(findings: &[Finding]) -> Vec<Examined> {
    let mut names: Vec<&str> = findings.iter().map(|finding| finding.layer.as_str()).collect();
    names.retain(|name| !LAYERS.iter().any(|layer| layer.name == *name));
    names.dedup();
    let examined = |name: &str| {
        let findings = of_layer(findings, name);
        Examined {
            name: name.to_owned(),
            need: Need::Required,
            state: state(&findings),
            without: None,
            findings,
        }
    };
    names.into_iter().map(examined).collect()
}

fn of_layer(findings: &[Finding], layer: &str) -> Vec<Finding> {
    findings.iter().filter(|finding| finding.layer == layer).cloned().collect()
}

fn state(findings: &[Finding]) -> State {
    if findings.iter().all(|finding| finding.held) { State::Holds } else { State::Broken }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tier, min_tier, isolation, ruby, kernel, starts, layers } = self;
        writeln!(f, "Linux {kernel}, Ruby {ruby}, BADLAMBDA_ISOLATION={isolation}\n")?;
        writeln!(f, "{:18} {:12} {:8} TRIED", "LAYER", "NEEDED", "STATE")?;
        for layer in layers {
            writeln!(f, "{layer}")?;
        }
        let verdict = if *starts { "a worker starts here" } else { "no worker starts here" };
        writeln!(f, "\ntier {tier} of 2, BADLAMBDA_MIN_TIER={min_tier}: {verdict}")
    }
}

impl fmt::Display for Examined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let need = match self.need {
            Need::Required => "yes",
            Need::FileSystem => "one of these",
            Need::Extra => "no",
        };
        let state = match self.state {
            State::Holds => "holds",
            State::Broken => "BROKEN",
            State::Absent => "absent",
        };
        let tried = match (self.without, self.findings.len()) {
            (Some(without), _) => without.to_owned(),
            (None, 0) => "entered".to_owned(),
            (None, 1) => self.findings[0].tried.clone(),
            (None, count) => format!("{count} attempts"),
        };
        write!(f, "{:18} {need:12} {state:8} {tried}", self.name)?;
        for hole in self.findings.iter().filter(|finding| !finding.held) {
            write!(f, "\n{:18} NOT REFUSED: {} ({})", "", hole.tried, hole.answer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_refused_is_shown_and_breaks_its_layer() {
        let finding = |layer: &str, held| Finding {
            layer: layer.to_owned(),
            tried: "mount".to_owned(),
            held,
            answer: "it was done: 0".to_owned(),
        };
        let findings = [finding("seccomp", true), finding("seccomp", false), finding("sweep", true)];
        let seccomp = LAYERS.iter().find(|layer| layer.name == "seccomp").unwrap();
        let broken = Examined::of(seccomp, &["seccomp".to_owned()], &findings);
        assert_eq!((broken.state, broken.findings.len()), (State::Broken, 2));
        assert!(broken.to_string().contains("NOT REFUSED: mount (it was done: 0)"), "{broken}");
        assert_eq!(Examined::of(seccomp, &[], &[]).state, State::Absent);
        let beside = beside_the_layers(&findings);
        assert_eq!((beside.len(), beside[0].name.as_str(), beside[0].state), (1, "sweep", State::Holds));
    }
}
