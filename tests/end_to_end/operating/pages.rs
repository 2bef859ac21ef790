//! What the pages for operators say, held against what they are about: the template, the settings, the tests they
//! name, and their own prices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use badlambda_shared::process::config::VARIABLES;

use crate::fixtures::fleet::repository;

mod costs;

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every page of the repository.
fn pages() -> Vec<PathBuf> {
    let (mut pages, mut folders) = (vec![], vec![repository().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    pages
}

/// A page's lines outside of fenced blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The page's headings.
fn headings(page: &str) -> impl Iterator<Item = &str> {
    prose(page).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim())
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

/// What stands between backticks.
fn quoted(page: &str) -> Vec<&str> {
    prose(page).flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = vec![];
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let targets =
            prose(&page).flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            if !file.exists() || !has_anchor(&file, fragment) {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

fn has_anchor(file: &Path, fragment: &str) -> bool {
    fragment.is_empty()
        || headings(&std::fs::read_to_string(file).unwrap()).any(|heading| anchor(heading) == fragment)
}

#[test]
fn settings_are_settings() {
    let known: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    // Set by the executor for functions, and by tests/run for the tests.
    let others = [
        "BADLAMBDA_FUNCTION_NAME",
        "BADLAMBDA_FUNCTION_VERSION",
        "BADLAMBDA_LAYERS_ROOT",
        "BADLAMBDA_TEST_ON",
        "BADLAMBDA_CASE",
    ];
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let words = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| word.len() > 10 && word.starts_with("BADLAMBDA_")) {
            assert!(known.contains(word) || others.contains(&word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn every_alarm_has_its_section() {
    let (template, runbook) = (read("deploy/aws/badlambda.yaml"), read("deploy/aws/runbook.md"));
    let name = |line: &str| line.trim().strip_prefix("AlarmName: !Sub ${AWS::StackName}-").map(str::to_owned);
    let alarms: BTreeSet<String> = template.lines().filter_map(name).collect();
    // The other sections begin with a capital.
    let of_alarm = |heading: &&str| heading.starts_with(|c: char| c.is_lowercase());
    let sections: BTreeSet<String> = headings(&runbook).filter(of_alarm).map(str::to_owned).collect();
    assert!(alarms.len() > 5, "{alarms:?}");
    assert_eq!(alarms, sections);
    for alarm in alarms {
        let points_there = template.contains(&format!("deploy/aws/runbook.md#{alarm}."));
        assert!(points_there, "{alarm}'s description does not name its section");
        let section = runbook.split(&format!("\n## {alarm}\n")).nth(1).unwrap();
        let section = section.split("\n## ").next().unwrap();
        for part in ["**Means:**", "**Look at", "**Harmless"] {
            assert!(section.contains(part), "{alarm} lacks {part}");
        }
        assert!(
            section.contains("**Do:**") || section.contains(", do:**"),
            "{alarm} does not say what to do"
        );
    }
}

#[test]
fn queries_look_for_what_is_logged() {
    let (runbook, logged) =
        (read("deploy/aws/runbook.md"), sources(&["api/src", "worker/src", "shared/src"]));
    let queries = runbook.lines().filter(|line| line.contains("filter message "));
    let mut messages: BTreeSet<&str> =
        queries.flat_map(|query| query.split('"').skip(1).step_by(2)).collect();
    messages.retain(|message| message.contains(' '));
    assert!(messages.len() > 3, "{messages:?}");
    for message in messages {
        assert!(logged.contains(&format!("\"{message}\"")), "nothing logs {message:?}");
    }
}

/// All Rust code in these folders.
fn sources(folders: &[&str]) -> String {
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| repository().join(folder)).collect();
    let mut sources = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => sources.push_str(&std::fs::read_to_string(path).unwrap()),
            }
        }
    }
    sources
}

/// The names of the template's parameters, with their defaults.
fn parameters(template: &str) -> BTreeMap<&str, &str> {
    let (mut parameters, mut name) = (BTreeMap::new(), None);
    let section = template.split("\nParameters:\n").nth(1).unwrap();
    for line in section.lines().take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        match line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])) {
            Some(own) => name = own.strip_suffix(':'),
            None => {
                if let (Some(name), Some(default)) = (name, line.trim().strip_prefix("Default: ")) {
                    parameters.insert(name, default.trim_matches('"'));
                }
            }
        }
        parameters.entry(name.unwrap_or_default()).or_insert("");
    }
    parameters.remove("");
    parameters
}

#[test]
fn parameters_are_those_of_the_template_with_their_defaults() {
    let template = read("deploy/aws/badlambda.yaml");
    let parameters = parameters(&template);
    let resources: BTreeSet<&str> = template
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| !name.starts_with([' ', '#']))
        .collect();
    // Names of AWS's and of other things that look like parameters.
    let others = [
        "AccessDenied",
        "AWSRevokeOlderSessions",
        "CannotPullContainerError",
        "MessageId",
        "PutLogEvents",
        "ResourceInitializationError",
        "SlowDown",
        "SpotInterruption",
        "RandomPassword",
    ];
    for path in ["deploy/aws/README.md", "deploy/aws/runbook.md", "deploy/security.md"] {
        for word in quoted(&read(path)) {
            let looks_like_one = word.len() > 4
                && word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.chars().skip(1).any(|c| c.is_ascii_uppercase())
                && word.chars().any(|c| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_alphanumeric());
            let known = parameters.contains_key(word) || resources.contains(word) || others.contains(&word);
            assert!(!looks_like_one || known, "{path} names {word}, which the template does not have");
        }
    }
    let page = read("deploy/aws/README.md");
    for row in table(&page, "Parameters") {
        let names = row[0].split(", ").map(|name| name.trim_matches('`'));
        let defaults: Vec<&str> = row[1].split(", ").collect();
        for (index, name) in names.enumerate() {
            let said = defaults.get(index).or(defaults.last()).unwrap();
            let is = parameters[name];
            assert!(*said == is || (is.is_empty() && *said == "empty"), "{name}: {said}, and is {is}");
        }
    }
}

#[test]
fn tests_that_the_security_page_names_exist() {
    let page = read("deploy/security.md");
    let cases =
        ["hostile", "attacks"].map(|name| read(&format!("worker/tests/executor/{name}.toml"))).concat();
    let rows: Vec<Vec<&str>> =
        page.lines().filter(|line| line.starts_with("| ")).map(cells).filter(|row| row.len() == 3).collect();
    let named: Vec<&str> = rows.iter().flat_map(|row| row[2].split('"').skip(1).step_by(2)).collect();
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        assert!(cases.contains(&format!("name = \"{name}\"\n")), "no case is called {name:?}");
    }
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// The rows of the first table under a heading, without its head.
fn table<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let mut lines = page.lines().skip_while(|line| line.trim_start_matches('#').trim() != heading);
    lines.next().unwrap_or_else(|| panic!("there is no heading {heading:?}"));
    let table = lines.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.skip(2).map(cells).collect()
}
