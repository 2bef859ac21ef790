//! Counts the requests of a client to AWS.

use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use crate::process::metrics::{AWS_REQUEST_SECONDS, AWS_REQUESTS, LabelValues, OTHER};

/// More than the programs use. Their names come from the SDK, which has no list of them.
static OPERATIONS: LabelValues = LabelValues::new(50);

/// Counts each attempt at a call, with how it ended and how long it took. What its caller breaks off is not counted.
#[derive(Debug)]
pub(super) struct CountRequests;

#[derive(Debug)]
struct BeganAt(Instant);

impl Storable for BeganAt {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for CountRequests {
    fn name(&self) -> &'static str {
        "CountRequests"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(BeganAt(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        attempt: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or(OTHER, |call| OPERATIONS.value(call.name()));
        let status = attempt.response().map(|response| response.status().as_u16());
        let succeeded = attempt.output_or_error().is_some_and(|output| output.is_ok());
        AWS_REQUESTS.count([operation, result(status, succeeded)]);
        if let Some(BeganAt(began_at)) = config.load::<BeganAt>() {
            AWS_REQUEST_SECONDS.record([operation], began_at.elapsed());
        }
        Ok(())
    }
}

/// The value of the label `result`: bounded, whatever a server answers.
fn result(status: Option<u16>, succeeded: bool) -> &'static str {
    match status {
        Some(200..=299) if succeeded => "ok",
        // The rest of the answer did not come, or could not be read.
        None | Some(200..=299) => "no_answer",
        Some(301) => "301",
        Some(304) => "304",
        Some(307) => "307",
        Some(400) => "400",
        Some(403) => "403",
        Some(404) => "404",
        Some(409) => "409",
        Some(412) => "412",
        Some(429) => "429",
        Some(500) => "500",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(_) => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_a_status_that_is_known_or_a_word() {
        assert_eq!((result(Some(204), true), result(Some(412), false)), ("ok", "412"));
        assert_eq!((result(None, false), result(Some(200), false)), ("no_answer", "no_answer"));
        assert_eq!((result(Some(418), false), result(Some(999), true)), (OTHER, OTHER));
    }
}
