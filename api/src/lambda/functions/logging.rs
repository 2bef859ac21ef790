//! How a function is to log. It is kept and shown: the logs of all functions are kept with their executions.

use badlambda_shared::function::lambda::LambdaLogging;
use serde::Deserialize;

use crate::lambda::checks::{Checks, Pattern};

const LOG_GROUP: Pattern = Pattern {
    text: r"[\.\-_/#A-Za-z0-9]+",
    matches: |text| text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c)),
};

/// What a request says of logs; what is `None` stays as it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct LoggingConfig {
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: Option<String>,
}

impl LoggingConfig {
    /// Notes what does not satisfy the model.
    pub(super) fn check_model(&self, checks: &mut Checks) {
        let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
        for (value, path, set) in [
            (&self.log_format, "loggingConfig.logFormat", &["JSON", "Text"][..]),
            (&self.application_log_level, "loggingConfig.applicationLogLevel", &levels),
            (&self.system_log_level, "loggingConfig.systemLogLevel", &levels[1..4]),
        ] {
            if let Some(value) = value {
                checks.one_of(value, path, set);
            }
        }
        if let Some(group) = &self.log_group {
            checks.length(group, "loggingConfig.logGroup", 1..=512);
            checks.pattern(group, "loggingConfig.logGroup", LOG_GROUP);
        }
    }

    pub(super) fn apply(&self, logging: &mut LambdaLogging) {
        let Self { log_format, application_log_level, system_log_level, log_group } = self.clone();
        // Levels belong to the format that they are given with.
        if log_format.as_deref() == Some("Text") {
            (logging.application_level, logging.system_level) = (None, None);
        }
        logging.format = log_format.or(logging.format.take());
        logging.application_level = application_log_level.or(logging.application_level.take());
        logging.system_level = system_log_level.or(logging.system_level.take());
        logging.group = log_group.or(logging.group.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_to_text_drops_levels() {
        let mut logging = LambdaLogging::default();
        let mut apply = |json: serde_json::Value| {
            let request: LoggingConfig = serde_json::from_value(json).unwrap();
            request.apply(&mut logging);
            logging.clone()
        };
        let with = apply(serde_json::json!({"LogFormat": "JSON", "SystemLogLevel": "WARN"}));
        assert_eq!(with.system_level.as_deref(), Some("WARN"));
        let without = apply(serde_json::json!({"LogFormat": "Text"}));
        assert_eq!((without.system_level, without.format.as_deref()), (None, Some("Text")));
    }
}
