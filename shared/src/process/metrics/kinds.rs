//! The kinds of metric, each declared once with its labels. Whoever counts gives one value for each label, in the order
//! of the declaration.

use metrics::{IntoF64, Label};

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It sorts values into buckets.
    Histogram,
}

impl Kind {
    /// Its name, as Prometheus writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric, as it is told of.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it counts, in one line.
    pub help: &'static str,
}

/// A number that only grows.
#[derive(Debug)]
pub struct Counter<const LABELS: usize> {
    name: &'static str,
    labels: [&'static str; LABELS],
    help: &'static str,
}

impl<const LABELS: usize> Counter<LABELS> {
    /// A counter, whose name ends with `_total`.
    pub const fn new(name: &'static str, labels: [&'static str; LABELS], help: &'static str) -> Self {
        Self { name, labels, help }
    }

    /// As it is told of.
    pub const fn description(&'static self) -> Description {
        Description { name: self.name, kind: Kind::Counter, labels: &self.labels, help: self.help }
    }

    /// Counts one.
    pub fn count(&self, values: [&'static str; LABELS]) {
        self.add(values, 1);
    }

    /// Counts so many. With 0 the counter is there before there is anything to count, so that its first step is seen.
    pub fn add(&self, values: [&'static str; LABELS], amount: u64) {
        ::metrics::counter!(self.name, labels(self.labels, values)).increment(amount);
    }
}

/// A number that goes up and down.
#[derive(Debug)]
pub struct Gauge {
    name: &'static str,
    help: &'static str,
}

impl Gauge {
    /// A gauge.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help }
    }

    /// As it is told of.
    pub const fn description(&'static self) -> Description {
        Description { name: self.name, kind: Kind::Gauge, labels: &[], help: self.help }
    }

    /// Counts so many more until the value is dropped.
    pub fn count(&'static self, amount: u32) -> Counted {
        ::metrics::gauge!(self.name).increment(amount);
        Counted { gauge: self, amount }
    }
}

/// What a gauge counts until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Counted {
    gauge: &'static Gauge,
    amount: u32,
}

impl Drop for Counted {
    fn drop(&mut self) {
        ::metrics::gauge!(self.gauge.name).decrement(self.amount);
    }
}

/// Values, sorted into buckets: seconds where the name ends with `_seconds`, messages where it ends with `_messages`.
#[derive(Debug)]
pub struct Histogram<const LABELS: usize> {
    name: &'static str,
    labels: [&'static str; LABELS],
    help: &'static str,
}

impl<const LABELS: usize> Histogram<LABELS> {
    /// A histogram.
    pub const fn new(name: &'static str, labels: [&'static str; LABELS], help: &'static str) -> Self {
        Self { name, labels, help }
    }

    /// As it is told of.
    pub const fn description(&'static self) -> Description {
        Description { name: self.name, kind: Kind::Histogram, labels: &self.labels, help: self.help }
    }

    /// Takes a value in.
    pub fn record(&self, values: [&'static str; LABELS], value: impl IntoF64) {
        ::metrics::histogram!(self.name, labels(self.labels, values)).record(value);
    }
}

fn labels<const LABELS: usize>(names: [&'static str; LABELS], values: [&'static str; LABELS]) -> Vec<Label> {
    names.into_iter().zip(values).map(|(name, value)| Label::from_static_parts(name, value)).collect()
}
