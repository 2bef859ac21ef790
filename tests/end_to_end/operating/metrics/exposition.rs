//! Reads Prometheus's text format, version 0.0.4, and refuses what is not quite it.

use std::collections::{BTreeMap, BTreeSet};

use crate::operating::metrics::metric_of;

/// One line with a value.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// What a program has answered to one scrape.
#[derive(Debug)]
pub struct Scrape(pub Vec<Sample>);

impl Scrape {
    /// Reads the text. Each sample must be of a described metric, below the metric's `TYPE`, and have its labels.
    pub fn read(text: &str) -> Self {
        let (mut samples, mut types, mut seen) = (vec![], BTreeMap::new(), BTreeSet::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let parts: Vec<&str> = comment.splitn(3, ' ').collect();
                let [keyword, name, rest] = parts[..] else { panic!("{line}") };
                let metric = metric_of(name);
                match keyword {
                    "HELP" => assert_eq!((name, rest), (metric.name, metric.help)),
                    "TYPE" => assert!(types.insert(name.to_owned(), rest).is_none(), "{name} comes twice"),
                    _ => panic!("{line}"),
                }
                continue;
            }
            let sample = read_sample(line).unwrap_or_else(|| panic!("this is no sample: {line}"));
            let metric = metric_of(&sample.name);
            assert_eq!(types.get(metric.name), Some(&metric.kind.name()), "{line}");
            let labels: BTreeSet<&str> = sample.labels.keys().map(String::as_str).collect();
            let bucket = sample.name.ends_with("_bucket").then_some("le");
            assert_eq!(labels, metric.labels.iter().copied().chain(bucket).collect(), "{line}");
            assert!(seen.insert((sample.name.clone(), sample.labels.clone())), "it comes twice: {line}");
            samples.push(sample);
        }
        Self(samples)
    }

    /// The value of the series with these labels, if there is one; 0 otherwise, as a rate would have it.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = self.0.iter().find(|sample| sample.name == name && sample.labels == wanted);
        found.map_or(0.0, |sample| sample.value)
    }

    /// The values that a label has anywhere.
    pub fn label_values(&self, label: &str) -> BTreeSet<&str> {
        self.0.iter().filter_map(|sample| sample.labels.get(label)).map(String::as_str).collect()
    }
}

/// `name{label="value",…} number`
fn read_sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        None => (series, BTreeMap::new()),
        Some((name, rest)) => (name, read_labels(rest.strip_suffix('}')?)?),
    };
    is_name(name).then_some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

/// None of our values needs an escape.
fn read_labels(text: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for label in text.split("\",") {
        let (name, value) = label.split_once("=\"")?;
        let value = value.strip_suffix('"').unwrap_or(value);
        let is_new = labels.insert(name.to_owned(), value.to_owned()).is_none();
        (is_name(name) && is_new && !value.contains(['"', '\\'])).then_some(())?;
    }
    Some(labels)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
