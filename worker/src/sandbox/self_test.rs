//! Whether confinement confines: tried once at start, from inside.

use std::sync::Arc;

use badlambda_shared::function::{Form, FunctionConfig};

use super::task::{ExecutorError, Task};
use super::{Executor, IsolationMode};

const CODE: &str = include_str!("../../ruby/self_test.rb");

impl Executor {
    /// Runs code that tries what must be refused.
    ///
    /// # Errors
    /// When anything of it was not refused, and when executions can't be run at all.
    pub fn self_test(&self, isolation: IsolationMode) -> Result<(), ExecutorError> {
        let claims = serde_json::json!({
            "own_uids": isolation == IsolationMode::Required,
            "enforced": isolation != IsolationMode::None,
        });
        let outcome = self.execute(&Task {
            execution_id: "self-test".to_owned(),
            function: "self-test".to_owned(),
            version: 1,
            attempt: 1,
            form: Form::Script,
            code_sha256: "self-test".to_owned(),
            code: Arc::from(CODE),
            config: FunctionConfig::default(),
            event: claims.to_string(),
            cancelled: None,
        })?;
        let holes = outcome.result.map_err(|error| ExecutorError::NotConfined(error.message))?;
        if holes == "[]" { Ok(()) } else { Err(ExecutorError::NotConfined(holes)) }
    }
}
