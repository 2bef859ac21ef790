//! What an alarm asks of the metrics.

use anyhow::bail;

use crate::expression::Expression;

/// A metric or an expression, under an id.
#[derive(Clone, Debug)]
pub struct Query {
    /// What expressions call it.
    pub id: String,
    /// Where its figures come from.
    pub from: From,
    /// Whether the alarm goes by it.
    pub is_result: bool,
}

/// Where a query's figures come from.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum From {
    Metric(Source),
    Expression(Expression),
}

/// A metric that the template's alarms go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Messages that wait.
    Visible,
    /// Messages that a worker has.
    InFlight,
    /// Tasks that run.
    Running,
    /// Tasks that should run.
    Desired,
}

impl Source {
    /// The metric of this namespace and name.
    pub fn named(namespace: &str, name: &str) -> anyhow::Result<Self> {
        match (namespace, name) {
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible") => Ok(Self::Visible),
            ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible") => Ok(Self::InFlight),
            ("ECS/ContainerInsights", "RunningTaskCount") => Ok(Self::Running),
            ("ECS/ContainerInsights", "DesiredTaskCount") => Ok(Self::Desired),
            _ => bail!("the metric {namespace} {name} is not simulated"),
        }
    }
}
