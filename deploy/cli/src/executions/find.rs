//! Which execution a person means.

use badlambda_client::Client;
use badlambda_shared::execution::id::{ExecutionId, Origin};
use badlambda_shared::function::name::FunctionName;

use crate::functions::all_functions;
use crate::output::Failure;

/// What the help says of it.
pub const EXECUTION: &str = "The execution: its id, or FUNCTION/ID, or its URL";

/// The function and the id that `given` names. An id that the API issued tells of which function it is; for one that its
/// sender brought, the function has to be said.
pub async fn find_execution(client: &Client, given: &str) -> Result<(FunctionName, ExecutionId), Failure> {
    let (function, id) = split(given);
    let id: ExecutionId = id.parse().map_err(|error| Failure::Usage(format!("{id:?}: {error}")))?;
    if let Some(function) = function {
        let function = function.parse().map_err(|error| Failure::Usage(format!("{function:?}: {error}")))?;
        return Ok((function, id));
    }
    let issued_for = |function: &FunctionName| matches!(id.origin(function), Origin::Issued(_));
    let one_shot = FunctionName::one_shot();
    if issued_for(&one_shot) {
        return Ok((one_shot, id));
    }
    if id.origin(&one_shot) == Origin::Forged {
        let functions = all_functions(client, usize::MAX).await?;
        if let Some(function) = functions.into_iter().map(|function| function.name).find(issued_for) {
            return Ok((function, id));
        }
        return Err(Failure::NotFound(format!(
            "no function that there is has an execution {id}; of a function that was deleted, say FUNCTION/{id}"
        )));
    }
    Err(Failure::Usage(format!(
        "{id} was not given by the API, so say of which function it is: FUNCTION/{id}"
    )))
}

/// `FUNCTION/ID`, the end of a URL, or an id alone.
fn split(given: &str) -> (Option<&str>, &str) {
    if let Some((before, id)) = given.rsplit_once("/executions/") {
        return (before.rsplit('/').next(), id);
    }
    match given.split_once('/') {
        Some((function, id)) => (Some(function), id),
        None => (None, given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_named_in_several_ways() {
        for given in [
            "hello/order-7",
            "/v1/functions/hello/executions/order-7",
            "http://h/v1/functions/hello/executions/order-7",
        ] {
            assert_eq!(split(given), (Some("hello"), "order-7"), "{given}");
        }
        assert_eq!(split("order-7"), (None, "order-7"));
    }
}
