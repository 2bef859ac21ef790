//! An execution's server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use badlambda_shared::execution::Execution;
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::FunctionName;
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use crate::error::Error;
use crate::executions::execution;
use crate::lines::Lines;
use crate::request::Client;

/// What an execution tells.
#[derive(Clone, Debug)]
pub enum Event {
    /// Its status changed.
    Status(Box<Execution>),
    /// It logged.
    Logs {
        /// Where the text begins in the logs, in bytes.
        offset: u64,
        /// A piece of the logs; a byte that is not UTF-8 is a `?`.
        text: String,
    },
}

/// The events of an execution, as they come.
#[derive(Debug)]
pub struct Events {
    lines: Lines,
    /// The id of the last event, which is where to go on after a connection that broke off.
    pub last_id: Option<String>,
}

#[derive(Deserialize)]
struct LogsData {
    offset: u64,
    text: String,
}

/// The fields of one event.
#[derive(Debug, Default, PartialEq)]
struct Fields {
    id: Option<String>,
    name: String,
    data: String,
}

impl Client {
    /// Listens to an execution, from behind the event with the id `after` on. `None` where all was told.
    ///
    /// # Errors
    /// Among others `execution_not_found`.
    pub async fn listen_to_execution(
        &self,
        function: &FunctionName,
        id: &ExecutionId,
        after: Option<&str>,
    ) -> Result<Option<Events>, Error> {
        let mut request = self.to(Method::GET, &execution(function, id, &["events"]));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let answer = self.ask(request).await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        Ok(Some(Events { lines: Lines::of(answer), last_id: after.map(str::to_owned) }))
    }
}

impl Events {
    /// The next event, once there is one; `None` where the stream has ended. The final status comes last; where the stream
    /// ends before it, listen again, after `last_id`.
    ///
    /// # Errors
    /// When the connection breaks off, or what comes is no event.
    pub async fn next_event(&mut self) -> Result<Option<Event>, Error> {
        let mut fields = Fields::default();
        while let Some(line) = self.lines.next_line().await? {
            if !line.is_empty() {
                fields.add(&String::from_utf8_lossy(&line));
                continue;
            }
            let complete = std::mem::take(&mut fields);
            if complete.id.is_some() {
                self.last_id.clone_from(&complete.id);
            }
            if let Some(event) = complete.event() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

impl Fields {
    /// Takes in one line. A comment, which keeps the connection alive, has no name.
    fn add(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.name),
            "data" if self.data.is_empty() => value.clone_into(&mut self.data),
            "data" => {
                self.data.push('\n');
                self.data.push_str(value);
            }
            _ => {}
        }
    }

    /// `None` for what this client does not know: a later API may tell more.
    fn event(&self) -> Option<Event> {
        match self.name.as_str() {
            "status" => serde_json::from_str(&self.data).ok().map(Event::Status),
            "logs" => {
                let LogsData { offset, text } = serde_json::from_str(&self.data).ok()?;
                Some(Event::Logs { offset, text })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[&str]) -> Fields {
        let mut fields = Fields::default();
        lines.iter().for_each(|line| fields.add(line));
        fields
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        let read =
            fields(&["id: 1.none.0", "event:logs", ": a comment", "data: one", "data:  two", "retry: 5"]);
        let expected =
            Fields { id: Some("1.none.0".to_owned()), name: "logs".to_owned(), data: "one\n two".to_owned() };
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        for lines in [&["event: news", "data: {}"][..], &["event: logs", "data: {}"], &["data"], &[]] {
            assert!(fields(lines).event().is_none(), "{lines:?}");
        }
        let logs = fields(&["event: logs", r#"data: {"offset": 3, "text": "a"}"#]).event();
        assert!(matches!(logs, Some(Event::Logs { offset: 3, text }) if text == "a"));
    }
}
