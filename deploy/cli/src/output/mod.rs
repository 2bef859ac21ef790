//! What a command prints. stdout has the answer alone: a table for people, the same with tabs between for programs, or the
//! fields as JSON that are asked for, which a jq filter may go over.

mod failure;
mod fields;
mod filter;
mod pretty;
mod table;
mod terminal;

use std::fmt::Display;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

pub use self::failure::{Failure, did_you_mean};
use self::fields::{chosen, picked};
pub use self::filter::Filter;
pub use self::pretty::{colored_diff, pretty_json};
pub use self::table::{Table, shown};
pub use self::terminal::{Pieces, for_stdout, print, print_bytes, print_styled, say, visible};

/// How the answer is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArguments {
    /// Print these fields as JSON, separated by commas; alone, list which there are.
    #[arg(long, value_name = "FIELDS", num_args = 0..=1, default_missing_value = "")]
    json: Option<String>,
    /// Print what this jq filter makes of the JSON; text without quotes.
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
}

/// Where the answer goes.
pub struct Output {
    json: Option<Json>,
}

struct Json {
    /// Which fields; without, all.
    fields: Option<Vec<String>>,
    filter: Option<Filter>,
}

impl OutputArguments {
    /// Prints what is asked for, of answers with these fields. `None` where only their names were, which are printed then.
    pub fn open(&self, known: &[&str]) -> Result<Option<Output>, Failure> {
        let filter = self.jq.as_deref().map(Filter::compile).transpose()?;
        let fields = match self.json.as_deref() {
            Some("") if filter.is_none() => {
                print(&format!("{}\n", known.join("\n")))?;
                return Ok(None);
            }
            None | Some("") => None,
            Some(names) => Some(chosen(names, known)?),
        };
        let is_json = fields.is_some() || filter.is_some();
        Ok(Some(Output { json: is_json.then_some(Json { fields, filter }) }))
    }
}

impl Output {
    /// Whether it is for people, or programs that split lines.
    pub fn is_text(&self) -> bool {
        self.json.is_none()
    }

    /// Prints one thing: a line of JSON, or this text.
    pub fn print_one<T: Display>(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> T,
    ) -> Result<(), Failure> {
        match &self.json {
            None => print(&text().to_string()),
            Some(json) => json.print(json.pick(value)?),
        }
    }

    /// Prints a list: an array, or this table.
    pub fn print_all<T: Serialize>(
        &self,
        values: &[T],
        table: impl FnOnce() -> Table,
    ) -> Result<(), Failure> {
        let Some(json) = &self.json else { return print(&table().to_string()) };
        let values: Result<Vec<_>, _> = values.iter().map(|value| json.pick(value)).collect();
        json.print(serde_json::value::to_raw_value(&values?).map_err(unprintable)?)
    }
}

impl Json {
    fn pick(&self, value: &impl Serialize) -> Result<Box<RawValue>, Failure> {
        let whole = serde_json::value::to_raw_value(value).map_err(unprintable)?;
        match &self.fields {
            None => Ok(whole),
            Some(fields) => picked(&whole, fields).map_err(unprintable),
        }
    }

    fn print(&self, json: Box<RawValue>) -> Result<(), Failure> {
        match &self.filter {
            None => print(&format!("{json}\n")),
            Some(filter) => print(&filter.apply(json.get().as_bytes())?),
        }
    }
}

fn unprintable(error: serde_json::Error) -> Failure {
    Failure::Ours(format!("the answer can't be written as JSON: {error}"))
}
