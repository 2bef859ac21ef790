//! The looks at the record of an execution for which somebody waits.

use std::time::Duration;

use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::execution::record::Record;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::timestamp::Timestamp;
use tokio::time::Instant;

use crate::app::App;
use crate::executions::run_times::Forecast;
use crate::http::error::ApiError;

/// Looks at a record when it is likely to be final, as far as executions of this version, or else of this function, have
/// shown. Where nothing tells when it was submitted, it is looked at at once, and then as if it had been submitted just
/// now. A delayed one is looked at when its delay is over, and as if it had been submitted then: nothing but a
/// cancellation can end it before.
pub(crate) struct Looks<'a> {
    app: &'a App,
    function: &'a FunctionName,
    id: &'a ExecutionId,
    forecast: Forecast,
    begun_at: Instant,
    age_at_begin: Duration,
    /// The age at which the next look is due.
    due: Duration,
    has_waited: bool,
    function_exists: bool,
}

impl<'a> Looks<'a> {
    /// The looks at the record of this execution. Begins when a delay is over, or `patience`.
    pub(crate) async fn begin(
        app: &'a App,
        function: &'a FunctionName,
        id: &'a ExecutionId,
        version: Option<u32>,
        submitted_at: Option<Timestamp>,
        patience: Duration,
    ) -> Self {
        let forecast = app.run_times.forecast(function, version);
        let delayed_until = app.run_times.delayed_until(id);
        if let Some(delayed_until) = delayed_until {
            pause(app, delayed_until.remaining().min(patience)).await;
        }
        let age = delayed_until.or(submitted_at).map(Timestamp::age);
        let due = age.map_or(Duration::ZERO, |age| forecast.first_look(age));
        let age_at_begin = age.unwrap_or_default();
        let begun_at = Instant::now();
        Self {
            app,
            function,
            id,
            forecast,
            begun_at,
            age_at_begin,
            due,
            has_waited: false,
            function_exists: false,
        }
    }

    /// The record, if there is one, when the next look is due, or `patience` is at an end, or the API stops.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Option<Record>, ApiError> {
        let delay = self.due.saturating_sub(self.age()).min(patience);
        self.has_waited |= !delay.is_zero();
        pause(self.app, delay).await;
        let permit = self.app.looks.acquire().await;
        let looked_at = self.age();
        // A call to S3 takes tens of KiB while it lasts, which who waits must not hold meanwhile: so calls are boxed.
        let found = Box::pin(self.app.records.find(self.function, self.id)).await?;
        drop(permit);
        let record = found.map(|found| found.record);
        self.app.run_times.note_look(self.age() - looked_at);
        if record.is_none() && !self.function_exists {
            // Anybody can compute an id that looks as if it had been issued.
            Box::pin(self.app.require_function(self.function)).await?;
            self.function_exists = true;
        }
        let ended = record.as_ref().filter(|record| record.status.is_final());
        // What had ended before anybody waited may be old.
        if let Some(record) = ended.filter(|_| self.has_waited) {
            self.app.run_times.note_end(record);
        }
        self.due = self.forecast.later_look(self.age());
        Ok(record)
    }

    fn age(&self) -> Duration {
        self.age_at_begin + self.begun_at.elapsed()
    }
}

/// Waits, unless the API stops.
pub(crate) async fn pause(app: &App, duration: Duration) {
    tokio::select! {
        () = app.shutdown.soft.cancelled() => {}
        () = tokio::time::sleep(duration) => {}
    }
}
