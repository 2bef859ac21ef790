//! Names that the API knows.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::Duration;

use badlambda_client::{Client, Error, ExecutionFilter, PageRange};
use badlambda_shared::function::name::{Alias, FunctionName, VersionRef};
use clap::Arg;
use clap_complete::engine::CompletionCandidate;

use crate::connection::ConnectionArguments;
use crate::functions::all_functions;

/// Nobody waits longer for a Tab.
const TIME: Duration = Duration::from_secs(1);
/// As many names of a kind as anybody looks through.
const MOST: usize = 200;
const EXECUTIONS: usize = 50;

type Names = fn(&OsStr) -> Vec<CompletionCandidate>;

/// What may stand in an argument, where the API knows that.
pub(super) fn for_argument(argument: &Arg) -> Option<Names> {
    let its_type = argument.get_value_parser().type_id();
    let is = |of: TypeId| its_type == of;
    let value_name = argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
    if is(TypeId::of::<FunctionName>()) || value_name == Some("NAME|FILE") {
        Some(functions)
    } else if is(TypeId::of::<Alias>()) {
        Some(aliases)
    } else if is(TypeId::of::<VersionRef>()) {
        Some(versions)
    } else if value_name == Some("EXECUTION") {
        Some(executions)
    } else {
        None
    }
}

fn functions(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(begun, async |client| {
        let functions = all_functions(&client, MOST).await?;
        Ok(functions.into_iter().map(|function| (function.name.to_string(), None)).collect())
    })
}

fn aliases(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(begun, async |client| {
        Ok(all_aliases(&client).await?.into_iter().map(|alias| (alias, None)).collect())
    })
}

fn versions(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(begun, async |client| {
        let aliases = all_aliases(&client).await?.into_iter();
        Ok(aliases.chain([VersionRef::Latest.to_string()]).map(|version| (version, None)).collect())
    })
}

/// Those of any function.
async fn all_aliases(client: &Client) -> Result<BTreeSet<String>, Error> {
    let functions = all_functions(client, MOST).await?;
    Ok(functions.iter().flat_map(|function| function.aliases.keys().map(Alias::to_string)).collect())
}

/// The newest ones.
fn executions(begun: &OsStr) -> Vec<CompletionCandidate> {
    candidates(begun, async |client| {
        let range = PageRange { limit: Some(EXECUTIONS), cursor: None };
        let page = client.list_executions(&ExecutionFilter::default(), &range).await?;
        let named = page.items.into_iter().map(|execution| {
            let about = format!("{} {}", execution.function, execution.status.name());
            (execution.id.to_string(), Some(about))
        });
        Ok(named.collect())
    })
}

/// What the API answers, of that what continues the word; nothing, where it does not answer in time.
fn candidates(
    begun: &OsStr,
    ask: impl AsyncFnOnce(Client) -> Result<Vec<(String, Option<String>)>, Error>,
) -> Vec<CompletionCandidate> {
    let answered = || {
        let client = of_line(std::env::args().skip_while(|word| word != "--")).connect().ok()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async { tokio::time::timeout(TIME, ask(client)).await.ok()?.ok() })
    };
    let begun = begun.to_string_lossy();
    let fitting = answered().unwrap_or_default().into_iter().filter(|(name, _)| name.starts_with(&*begun));
    fitting.map(|(name, about)| CompletionCandidate::new(name).help(about.map(Into::into))).collect()
}

/// Which API the line that is being written asks. It need not be a whole command yet.
fn of_line(words: impl Iterator<Item = String>) -> ConnectionArguments {
    let mut connection = ConnectionArguments::default();
    let mut words = words;
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let place = match name.as_str() {
            "--url" => &mut connection.url,
            "--token" => &mut connection.token,
            "--profile" => &mut connection.profile,
            _ => continue,
        };
        *place = value.or_else(|| words.next());
    }
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_own_api_is_asked() {
        let words = ["--", "badlambda", "invoke", "--url=http://a", "--token", "t", "he"].map(str::to_owned);
        let connection = of_line(words.into_iter());
        assert_eq!((connection.url.as_deref(), connection.token.as_deref()), (Some("http://a"), Some("t")));
        assert_eq!(of_line(["badlambda".to_owned(), "--profile".to_owned()].into_iter()).profile, None);
    }
}
