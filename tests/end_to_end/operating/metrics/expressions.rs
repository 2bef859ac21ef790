//! The page and the dashboard, held against the metrics that there are.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixtures::fleet::repository;
use crate::operating::metrics::{all, metric_of};

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

/// Every expression of the dashboard's panels.
fn shown() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/badlambda.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The words that may be names in PromQL, each with what stands behind it.
fn words(expression: &str) -> Vec<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut words, mut rest) = (vec![], expression);
    while let Some(start) = rest.find(is_part) {
        let from = &rest[start..];
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        words.push((&from[..end], &from[end..]));
        rest = &from[end..];
    }
    words
}

/// What stands between these two, wherever they are.
fn between<'a>(text: &'a str, open: &str, close: char) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
}

/// The names in the braces right behind a series. Values are in quotes.
fn matched_labels(behind: &str) -> Vec<&str> {
    let mut names = vec![];
    let Some(inside) = behind.strip_prefix('{') else { return names };
    for unquoted in inside.split('"').step_by(2) {
        let (names_in, is_last) =
            unquoted.split_once('}').map_or((unquoted, false), |(last, _)| (last, true));
        names.extend(words(names_in).into_iter().map(|(name, _)| name));
        if is_last {
            break;
        }
    }
    names
}

/// Holds an expression against the metrics that it names, whose names it returns.
fn check(expression: &str) -> BTreeSet<&'static str> {
    let (mut named, mut labels) = (BTreeSet::new(), BTreeSet::from(["le"]));
    for (series, behind) in words(expression).into_iter().filter(|(word, _)| word.starts_with("badlambda_")) {
        let metric = metric_of(series);
        match metric.kind.name() {
            "histogram" => assert_ne!(series, metric.name, "only its series can be asked for: {expression}"),
            "counter" => assert!(behind.contains('['), "a counter is of use by its rate: {expression}"),
            _ => {}
        }
        for label in matched_labels(behind) {
            assert!(metric.labels.contains(&label), "{series} has no label {label}: {expression}");
        }
        labels.extend(metric.labels);
        named.insert(metric.name);
    }
    for (label, _) in between(expression, " by (", ')').into_iter().flat_map(words) {
        assert!(labels.contains(label), "nothing has a label {label} in {expression}");
    }
    assert!(!named.is_empty(), "it names no metric: {expression}");
    named
}

#[test]
fn the_dashboard_shows_every_metric_by_labels_that_it_has() {
    let shown: BTreeSet<&str> = shown().iter().flat_map(|expression| check(expression)).collect();
    assert_eq!(shown, all().iter().map(|metric| metric.name).collect());
    let dashboard = read("deploy/grafana/badlambda.json");
    for query in between(&dashboard, "label_values(", ')') {
        let (metric, label) = query.split_once(", ").unwrap();
        assert!(metric_of(metric).labels.contains(&label), "{query}");
    }
}

#[test]
fn the_page_has_a_row_for_every_metric() {
    let page = read("deploy/metrics.md");
    for metric in all() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
        let row = format!("| `{}` | {} | {labels} | {} |", metric.name, metric.kind.name(), metric.help);
        assert!(page.lines().any(|line| line == row), "deploy/metrics.md lacks this row:\n{row}");
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| `badlambda_")).count(), all().len());
}

#[test]
fn alerts_are_about_metrics_that_there_are() {
    let page = read("deploy/metrics.md");
    let rules = page.split("```yaml\ngroups:").nth(1).unwrap().split("```").next().unwrap();
    let expressions: Vec<&str> =
        rules.split("expr: ").skip(1).map(|rest| rest.split("- alert:").next().unwrap()).collect();
    assert!(expressions.len() > 10, "{expressions:?}");
    expressions.into_iter().for_each(|expression| _ = check(expression));
}

#[test]
fn names_are_as_prometheus_has_them() {
    let mut names = BTreeSet::new();
    for metric in all() {
        assert!(metric.name.starts_with("badlambda_") && names.insert(metric.name), "{}", metric.name);
        assert_eq!(metric.kind.name() == "counter", metric.name.ends_with("_total"), "{}", metric.name);
        // Buckets go by these, and without any a histogram would be a summary.
        let has_unit = ["_seconds", "_messages"].iter().any(|unit| metric.name.ends_with(unit));
        assert!(metric.kind.name() != "histogram" || has_unit, "{}", metric.name);
    }
}
