//! How the workers' fleet scales on AWS, simulated: the load, SQS, CloudWatch, Application Auto Scaling, ECS and Fargate
//! on one side, and on the other the very policies, alarms and parameters of `deploy/aws/badlambda.yaml`, which are read
//! and not repeated here. What the simulation does not know of them is an error, never passed over.
//!
//! A run is a sequence of events in the order of their times ([`simulation`]): every second arrivals come in and slots
//! take what waits, tasks become ready or end, every minute metrics are sampled, and each alarm is evaluated. One seed
//! gives one outcome. Arrivals and executions are handled in batches of a second, so that 10,000 a second for hours take
//! seconds: the queue holds cohorts by the second they were sent in, first in, first out, hence waits are exact to a
//! second. An execution that takes less than a second takes that share of a slot's second. Items of maps are run
//! one by one.
//!
//! What is assumed, and where it comes from:
//!
//! - **Arrivals** are Poisson at the load's rate. **Durations** are log-normal with σ = 1 (p99 is 6 times the mean), up to
//!   90 s, whatever the number of executions in a worker: slots are chosen so that its CPU suffices.
//! - **Maps** are sent in chunks, a message each. A task runs two at once; their items share its slots, and a slot that
//!   gets free goes to the chunk of which fewer run. While others wait, it holds up to ten more messages, each for a second.
//! - **Metrics** have one sample a minute. A minute's datapoint is there 30 to 120 s after its end for SQS ("up to a minute
//!   or more" is what is seen; AWS promises nothing), 30 to 150 s for Container Insights, which makes metrics of log events.
//!   Messages in flight are not reported where there are none
//!   (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>),
//!   and tasks, to be on the safe side, not where none runs. The queue counts as active: the api's readiness asks it every
//!   few seconds. (SQS stops reporting after six hours without a request, and then takes up to 15 minutes to begin again.)
//! - **Alarms** are evaluated every minute and go by the newest datapoints that exist; while in ALARM they invoke their
//!   policy at every evaluation (<https://repost.aws/knowledge-center/cloudwatch-alarms-trigger-actions>).
//! - **Target tracking** makes an alarm of three datapoints of a minute, and scales in proportion to metric and target. It
//!   cannot scale from zero. Together that is some five minutes from load to scale-out; AWS measured 363 s
//!   (<https://aws.amazon.com/blogs/aws/amazon-ecs-introduces-new-high-resolution-metrics-for-faster-service-auto-scaling/>).
//! - **Cool-downs** are each policy's own: capacity that was added within it counts as part of the next scale-out; scale-in
//!   waits until it ends, and a scale-out ends it. Of several policies the largest capacity wins
//!   (<https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html>).
//! - **Tasks** are ready 30 to 60 s after they were launched, evenly spread. Fargate launches 100 at once and 20 a second
//!   of each kind, on-demand and Spot (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html>); a
//!   service gets 500 a minute (<https://docs.aws.amazon.com/general/latest/gr/ecs-service.html>). On scale-in, ECS stops
//!   tasks that have not started yet before others; one that runs takes no more, and ends with the last of its executions or chunks.
//! - **Prices** stand in [`prices`].

pub mod alarm;
pub mod autoscaler;
pub mod expression;
pub mod fleet;
pub mod loads;
pub mod metrics;
pub mod outcome;
mod parser;
pub mod policies;
pub mod prices;
pub mod properties;
pub mod query;
pub mod queue;
pub mod simulation;
pub mod table;
pub mod template;
pub mod work;

/// Seconds since the beginning of a run.
pub type Second = u64;

/// A minute, the only period of metrics there is here.
pub const MINUTE: Second = 60;
