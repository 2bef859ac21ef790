//! What a file is run with: one input that is kept, one that stands in a file, or those that a function had lately.

use std::path::{Path, PathBuf};

use badlambda_client::{Client, ExecutionFilter, PageRange};
use badlambda_shared::execution::id::ExecutionId;
use badlambda_shared::function::name::FunctionName;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::input::{check_json, read_json, read_text};
use crate::output::Failure;

/// How many different inputs of a function are run.
const MOST: usize = 5;
/// Among how many of its last executions they are looked for.
const LOOKED_AT: usize = 50;

/// The input, or where it comes from.
#[derive(Debug, Args)]
pub struct InputArguments {
    /// The input, as JSON; `-` reads it from stdin [default: {}].
    #[arg(value_name = "INPUT", allow_hyphen_values = true)]
    given: Option<String>,
    /// The input, as JSON, or the file that holds it; when that is saved, the function runs again, too.
    #[arg(long, value_name = "FILE|JSON", conflicts_with = "given")]
    input: Option<String>,
    /// Run with the last inputs of this function, up to five that differ; the connection says where it is.
    #[arg(long, value_name = "FUNCTION", conflicts_with_all = ["given", "input"])]
    replay: Option<FunctionName>,
}

/// What a file is run with.
pub enum Inputs {
    /// These, which do not change.
    Kept(Vec<Input>),
    /// What this file holds.
    File(PathBuf),
}

/// One input.
#[derive(Clone, Debug)]
pub struct Input {
    /// JSON.
    pub json: String,
    /// The execution that had it.
    pub replay_of: Option<ExecutionId>,
}

impl Inputs {
    /// What the arguments name.
    pub async fn choose(
        arguments: InputArguments,
        connection: &ConnectionArguments,
    ) -> Result<Self, Failure> {
        let InputArguments { given, input, replay } = arguments;
        if let Some(function) = replay {
            return Ok(Self::Kept(last_inputs(&connection.connect()?, &function).await?));
        }
        if let Some(path) = input.as_ref().map(PathBuf::from).filter(|path| path.is_file()) {
            return Ok(Self::File(path));
        }
        let json = match input {
            Some(input) => check_json(&format!("{input} is no file, and"), &input).map(|()| input)?,
            None => read_json("the input", given.as_deref().unwrap_or("{}"))?,
        };
        Ok(Self::Kept(vec![Input { json, replay_of: None }]))
    }

    /// The file that holds the input.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Kept(_) => None,
        }
    }

    /// The inputs as they are now.
    pub fn read(&self) -> Result<Vec<Input>, Failure> {
        match self {
            Self::Kept(inputs) => Ok(inputs.clone()),
            Self::File(path) => {
                let json = read_text(path)?;
                check_json(&path.display().to_string(), &json)?;
                Ok(vec![Input { json, replay_of: None }])
            }
        }
    }
}

/// The function's last inputs that differ, the newest first.
async fn last_inputs(client: &Client, function: &FunctionName) -> Result<Vec<Input>, Failure> {
    let range = PageRange { limit: Some(LOOKED_AT), cursor: None };
    let listed = client.list_function_executions(function, &ExecutionFilter::default(), &range).await;
    let mut inputs: Vec<Input> = vec![];
    for execution in explained(client, function, listed).await?.items {
        if inputs.len() == MOST {
            break;
        }
        let answer = match client.get_execution_input(function, &execution.id).await {
            Ok(answer) => answer,
            // It is not kept, or not yet.
            Err(error) if error.problem().is_some_and(|problem| [404, 409].contains(&problem.status)) => {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let json = String::from_utf8_lossy(&answer.bytes().await?).into_owned();
        if !inputs.iter().any(|input| input.json == json) {
            inputs.push(Input { json, replay_of: Some(execution.id) });
        }
    }
    if inputs.is_empty() {
        let sentence = format!("{function} has run with no input lately that is kept; give one with --input");
        return Err(Failure::NotFound(sentence));
    }
    Ok(inputs)
}
