//! What Bad Lambda costs on AWS: AWS's list [`prices`], and the [`formula`] that makes of them what a million executions
//! cost. `deploy/aws/README.md` shows both, with their sources; a test holds them against that page, and the page's examples
//! against what the command `badlambda cost` says.

#![forbid(unsafe_code)]

pub mod formula;
pub mod prices;

pub use self::formula::{MillionCosts, Workload, fixed_costs};
pub use self::prices::{Architecture, PRICES, Price};
