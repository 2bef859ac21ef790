//! What the headers of an Invoke ask for.

use crate::lambda::call::Call;
use crate::lambda::checks::Checks;
use crate::lambda::errors::Refusal;

/// The SDK's id of a call, the same for each try of it.
const INVOCATION_ID: &str = "amz-sdk-invocation-id";
/// Characters of that id, which SDKs make UUIDs.
const MOST_ID_CHARACTERS: usize = 128;
/// Begins the key of an invocation, so that it is none of a native request: a header has no line break.
const KEY_BEGINS: &str = "amz-sdk-invocation-id\n";

/// Whether somebody waits for what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

impl InvocationType {
    /// Bytes that an event may have.
    pub(super) fn most_bytes(self) -> usize {
        match self {
            Self::Event => 1_048_576,
            Self::RequestResponse | Self::DryRun => 6_291_456,
        }
    }
}

/// In which form the result is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultForm {
    /// As the body.
    Whole,
    /// As events.
    Streamed,
}

impl ResultForm {
    /// The operation that answers so, as AWS's errors name it.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::Whole => "InvokeFunction",
            Self::Streamed => "InvokeWithResponseStream",
        }
    }

    /// What the header may ask for.
    fn invocation_types(self) -> &'static [&'static str] {
        match self {
            Self::Whole => &["Event", "RequestResponse", "DryRun"],
            Self::Streamed => &["RequestResponse", "DryRun"],
        }
    }
}

/// What the headers ask for.
#[derive(Clone, Debug)]
pub(super) struct InvokeRequest {
    pub(super) invocation_type: InvocationType,
    pub(super) wants_logs: bool,
    /// What retries of the same call have in common.
    pub(super) key: Option<String>,
}

impl InvokeRequest {
    /// Reads the headers, and notes what does not satisfy the model.
    pub(super) fn read(call: &Call, form: ResultForm, checks: &mut Checks) -> Self {
        let asked = call.header("x-amz-invocation-type").unwrap_or("RequestResponse");
        checks.one_of(asked, "invocationType", form.invocation_types());
        let invocation_type = match asked {
            "Event" => InvocationType::Event,
            "DryRun" => InvocationType::DryRun,
            _ => InvocationType::RequestResponse,
        };
        let log_type = call.header("x-amz-log-type").unwrap_or("None");
        checks.one_of(log_type, "logType", &["None", "Tail"]);
        let is_id = |id: &&str| id.is_ascii() && (1..=MOST_ID_CHARACTERS).contains(&id.len());
        let id = call.header(INVOCATION_ID).filter(is_id);
        let key = id.map(|id| format!("{KEY_BEGINS}{id}"));
        Self { invocation_type, wants_logs: log_type == "Tail", key }
    }

    /// Fails where a header asks for what is not there.
    pub(super) fn check(call: &Call) -> Result<(), Refusal> {
        for (header, name) in
            [("x-amz-tenant-id", "TenantId"), ("x-amz-durable-execution-name", "DurableExecutionName")]
        {
            if call.header(header).is_some() {
                return Err(Refusal::unsupported(name));
            }
        }
        Ok(())
    }
}
