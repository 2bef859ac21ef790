//! The AWS account and region that functions are in, by their ARNs.

use crate::process::config::{ACCOUNT_ID, ConfigError, Environment, malformed};

const NOBODY: &str = "000000000000";
const USUAL_REGION: &str = "us-east-1";

/// Whose the functions are, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// 12 digits.
    pub id: String,
    /// Like `eu-central-1`.
    pub region: String,
}

impl Account {
    /// Reads `BADLAMBDA_ACCOUNT_ID` and the SDK's own setting of the region.
    ///
    /// # Errors
    /// When the id does not have 12 digits.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let id = environment.text(ACCOUNT_ID).unwrap_or(NOBODY);
        if id.len() != NOBODY.len() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed(ACCOUNT_ID, id, "it must have 12 digits".to_owned()));
        }
        let region = environment.raw("AWS_REGION").or_else(|| environment.raw("AWS_DEFAULT_REGION"));
        Ok(Self { id: id.to_owned(), region: region.unwrap_or(USUAL_REGION).to_owned() })
    }

    /// The ARN of a function.
    pub fn function_arn(&self, name: &str) -> String {
        let Self { id, region } = self;
        format!("arn:aws:lambda:{region}:{id}:function:{name}")
    }

    /// The ARN of a layer.
    pub fn layer_arn(&self, name: &str) -> String {
        let Self { id, region } = self;
        format!("arn:aws:lambda:{region}:{id}:layer:{name}")
    }

    /// The ARN of an event source mapping.
    pub fn event_source_mapping_arn(&self, uuid: &str) -> String {
        let Self { id, region } = self;
        format!("arn:aws:lambda:{region}:{id}:event-source-mapping:{uuid}")
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { id: NOBODY.to_owned(), region: USUAL_REGION.to_owned() }
    }
}
