//! Runtimes. Whatever is asked for, what runs is the Ruby of the workers.

use crate::lambda::errors::Refusal;

/// Of functions that the rest of the API made.
pub(super) const DEFAULT_RUNTIME: &str = "ruby3.4";
const RUNTIMES: [&str; 3] = ["ruby3.2", "ruby3.3", "ruby3.4"];
const RETIRED: [&str; 2] = ["ruby2.5", "ruby2.7"];

/// Fails where no function can have this runtime.
pub(super) fn check(runtime: &str) -> Result<(), Refusal> {
    if RUNTIMES.contains(&runtime) {
        return Ok(());
    }
    if RETIRED.contains(&runtime) {
        return Err(Refusal::invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. \
             We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    Err(Refusal::invalid(format!(
        "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a \
         valid ARN",
        RUNTIMES.join(", ")
    )))
}
