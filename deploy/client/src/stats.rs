//! Stats.

use badlambda_shared::function::name::FunctionName;
use badlambda_shared::stats::{FleetStats, FunctionStats};
use reqwest::Method;

use crate::error::Error;
use crate::request::Client;

impl Client {
    /// How the queue stands, and what ended in the last 15 minutes.
    ///
    /// # Errors
    /// When it is not answered as asked.
    pub async fn get_stats(&self) -> Result<FleetStats, Error> {
        self.read(self.to(Method::GET, &["v1", "stats"])).await
    }

    /// What ended of a function in the last hour.
    ///
    /// # Errors
    /// Among others `function_not_found`.
    pub async fn get_function_stats(&self, function: &FunctionName) -> Result<FunctionStats, Error> {
        self.read(self.to(Method::GET, &["v1", "functions", function.as_str(), "stats"])).await
    }
}
