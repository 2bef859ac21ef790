//! A statement, as AddPermission asks for it and as policies show it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::lambda::checks::{Checks, Pattern};
use crate::lambda::errors::Refusal;

const STATEMENT_ID: Pattern = Pattern { text: "([a-zA-Z0-9-_]+)", matches: is_statement_id };
const ACTION: Pattern = Pattern { text: r"(lambda:[*]|lambda:[a-zA-Z]+|[*])", matches: is_action };

/// What AddPermission takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PermissionRequest {
    statement_id: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_org_id: Option<String>,
    event_source_token: Option<String>,
    function_url_auth_type: Option<String>,
    invoked_via_function_url: Option<bool>,
    pub(super) revision_id: Option<String>,
}

impl PermissionRequest {
    /// Notes what does not satisfy the model.
    pub(super) fn check_model(&self, checks: &mut Checks) {
        if let Some(id) = checks.required(self.statement_id.as_ref(), "statementId") {
            checks.length(id, "statementId", 1..=100);
            checks.pattern(id, "statementId", STATEMENT_ID);
        }
        if let Some(action) = checks.required(self.action.as_ref(), "action") {
            checks.pattern(action, "action", ACTION);
        }
        checks.required(self.principal.as_ref(), "principal");
        if let Some(kind) = &self.function_url_auth_type {
            checks.one_of(kind, "functionUrlAuthType", &["NONE", "AWS_IAM"]);
        }
    }

    pub(super) fn id(&self) -> &str {
        self.statement_id.as_deref().unwrap_or_default()
    }

    /// The statement about `resource`.
    pub(super) fn statement(&self, resource: &str) -> Result<Value, Refusal> {
        let mut statement = json!({
            "Sid": self.id(),
            "Effect": "Allow",
            "Principal": principal(self.principal.as_deref().unwrap_or_default())?,
            "Action": self.action,
            "Resource": resource,
        });
        let conditions = self.conditions();
        if !conditions.is_empty() {
            statement["Condition"] = Value::Object(conditions);
        }
        Ok(statement)
    }

    fn conditions(&self) -> Map<String, Value> {
        let mut equals = Map::new();
        for (name, value) in [
            ("AWS:SourceAccount", &self.source_account),
            ("lambda:FunctionUrlAuthType", &self.function_url_auth_type),
            ("aws:PrincipalOrgID", &self.principal_org_id),
            ("lambda:EventSourceToken", &self.event_source_token),
        ] {
            if let Some(value) = value {
                equals.insert(name.to_owned(), json!(value));
            }
        }
        let mut conditions = Map::new();
        if !equals.is_empty() {
            conditions.insert("StringEquals".to_owned(), Value::Object(equals));
        }
        if let Some(arn) = &self.source_arn {
            conditions.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
        }
        if let Some(via_url) = self.invoked_via_function_url {
            let via_url = via_url.to_string();
            conditions.insert("Bool".to_owned(), json!({"lambda:InvokedViaFunctionUrl": via_url}));
        }
        conditions
    }
}

/// Whoever is meant: anybody, a service, an account or somebody in one.
fn principal(text: &str) -> Result<Value, Refusal> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if text == "*" {
        Ok(json!("*"))
    } else if is_account {
        Ok(json!({"AWS": format!("arn:aws:iam::{text}:root")}))
    } else if text.starts_with("arn:aws") {
        Ok(json!({"AWS": text}))
    } else if is_service(text) {
        Ok(json!({"Service": text}))
    } else {
        Err(Refusal::invalid("The provided principal was invalid. Please check the principal and try again."))
    }
}

fn is_service(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"]
        .iter()
        .any(|suffix| text.strip_suffix(suffix).is_some_and(is_name))
}

fn is_statement_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_action(text: &str) -> bool {
    text == "*"
        || text.strip_prefix("lambda:").is_some_and(|name| {
            name == "*" || (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_told_by_its_form() {
        assert_eq!(principal("*"), Ok(json!("*")));
        assert_eq!(principal("s3.amazonaws.com"), Ok(json!({"Service": "s3.amazonaws.com"})));
        assert_eq!(principal("123456789012"), Ok(json!({"AWS": "arn:aws:iam::123456789012:root"})));
        for bad in ["", "invalid.nowhere.com", "s3", ".amazonaws.com"] {
            assert!(principal(bad).is_err(), "{bad}");
        }
    }
}
