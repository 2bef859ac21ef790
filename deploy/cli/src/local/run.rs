//! `badlambda run`: one function, once, through the whole system.

use std::path::{Path, PathBuf};

use badlambda_client::{Client, Code, FunctionContent, Problem, Submit};
use badlambda_shared::execution::Execution;
use badlambda_shared::function::name::FunctionName;
use badlambda_shared::function::package::Package;
use clap::Args;

use crate::code::{file_of_handler, read_code};
use crate::config::ConfigArguments;
use crate::executions::outcome::{WAIT, failure_of, fetch_logs, fetch_result, show_logs, wait_for_end};
use crate::input::read_json;
use crate::local::own::with_own_system;
use crate::local::progress::Progress;
use crate::output::{Failure, print};

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 succeeded, 1 the function failed, 2 bad usage, 3 a failure of Bad Lambda \
                        itself.\n\nExamples:\n  $ badlambda run hello.rb '{\"name\": \"Ada\"}'\n  $ badlambda run shout '\"ada\"'"
)]
pub struct RunArguments {
    /// The function's code: a Ruby file, a zip, or a folder with all there is below it; `-` reads a file from stdin.
    #[arg(value_name = "FILE|DIR")]
    file: PathBuf,
    /// The input, as JSON; `-` reads it from stdin.
    #[arg(default_value = "{}", allow_hyphen_values = true)]
    input: String,
    /// Show what the function logged, on stderr.
    #[arg(long)]
    logs: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

/// Runs the function, and prints its result.
pub async fn run(arguments: RunArguments) -> Result<(), Failure> {
    let RunArguments { file, input, logs, config } = arguments;
    let code = read_code(&file)?;
    let input = read_json("the input", &input)?;
    let config = config.read()?;
    let name = name_for(&file)?;
    let progress = Progress::start();
    // One execution needs one slot.
    with_own_system(Some(1), &progress, async |client| {
        progress.say("running");
        let content = FunctionContent { code: &code, config: &config };
        let execution = execute_file(client, &name, &file, &content, input).await?;
        let result = fetch_result(client, &execution).await?;
        let logs = if logs { fetch_logs(client, &execution).await? } else { vec![] };
        progress.end();
        show_logs(&String::from_utf8_lossy(&logs));
        failure_of(&execution)?;
        print(&format!("{result}\n"))
    })
    .await
}

/// Makes the file's code the function of this name, and executes it to its end.
pub async fn execute_file(
    client: &Client,
    name: &FunctionName,
    file: &Path,
    content: &FunctionContent<'_>,
    input: String,
) -> Result<Execution, Failure> {
    client.put_function(name, content, None, false).await.map_err(|error| match error.problem() {
        Some(problem) if error.is("syntax_error") => {
            Failure::FunctionFailed(of_content(problem, file, content))
        }
        _ => error.into(),
    })?;
    let submit = Submit { wait: Some(WAIT), ..Submit::default() };
    let submitted = client.execute_function(name, input, &submit).await?;
    Ok(wait_for_end(client, submitted).await?)
}

/// A function's name made from a file's or folder's.
pub fn name_for(file: &Path) -> Result<FunctionName, Failure> {
    // `.` has no name of its own.
    let folder = if file.is_dir() { file.canonicalize().ok() } else { None };
    let stem = match &folder {
        Some(folder) => folder.file_name(),
        None => file.file_stem(),
    };
    let stem = stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let safe: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let trimmed = safe.trim_start_matches('-');
    let name = if trimmed.is_empty() { "function" } else { trimmed };
    name.parse().map_err(|error| Failure::Usage(format!("{name}: {error}")))
}

/// What is no Ruby in this content, which was read from `file`.
fn of_content(problem: &Problem, file: &Path, content: &FunctionContent<'_>) -> String {
    match content.code {
        Code::Ruby(code) => syntax_error(problem, file, code),
        Code::Zip(zip) => {
            let path = file_of_handler(content.config["handler"].as_str());
            let code = Package::read(zip).and_then(|package| package.file(&path)).ok().flatten();
            // The sentence names the file in the zip, which is named in front of it.
            let detail = problem.detail.replacen(&format!("{path}: "), "", 1);
            let problem = Problem { detail, ..problem.clone() };
            syntax_error(&problem, &file.join(path), &String::from_utf8_lossy(&code.unwrap_or_default()))
        }
    }
}

/// What is no Ruby, with its line and a mark below the place.
fn syntax_error(problem: &Problem, file: &Path, code: &str) -> String {
    let (Some(line), Some(column)) = (problem.line, problem.column) else { return problem.to_string() };
    let text = usize::try_from(line).ok().and_then(|line| code.lines().nth(line.checked_sub(1)?));
    let text = text.unwrap_or_default();
    // Tabs stay, so that the mark stands where the terminal shows the place.
    let before = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let indent: String = text.chars().take(before).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let sentence =
        problem.detail.strip_prefix(&format!("line {line}, column {column}: ")).unwrap_or(&problem.detail);
    format!("{}:{line}:{column}: {sentence}\n{number} | {text}\n{margin} | {indent}^", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_file_gives_a_valid_name() {
        for (file, name) in
            [("a/hello.rb", "hello"), ("/x/_my file.rb", "my-file"), ("é.rb", "function"), ("-", "function")]
        {
            assert_eq!(name_for(Path::new(file)).unwrap().as_str(), name);
        }
    }
}
