//! `badlambda map`: runs a function over many inputs, and prints what came of them, in their order. `follow` reads the
//! results while they come, `bar` is what a person sees meanwhile, `lines` writes them.

mod bar;
mod follow;
mod lines;

use std::path::{Path, PathBuf};

use badlambda_client::{Body, Client, FunctionContent, SubmitMap};
use badlambda_shared::function::name::{FunctionName, VersionRef};
use badlambda_shared::map::{Map, MapId};
use clap::Args;
use serde_json::json;

use self::follow::follow;
use self::lines::ItemLines;
use crate::code::read_code;
use crate::connection::ConnectionArguments;
use crate::functions::explained;
use crate::local::own::with_own_system;
use crate::local::progress::Progress;
use crate::local::run::name_for;
use crate::output::{Failure, OutputArguments};

const AFTER_HELP: &str = "\
What came of each input is a line of JSON on stdout, in the order of the inputs: its index, and its result or error. The \
exit status is 1 where one failed. An input may be run twice, where a worker was lost.

Interrupted, the map goes on; the command tells with which --resume and --from to go on reading.

Examples:
  $ badlambda map hello inputs.ndjson --jq .result
  $ badlambda map hello inputs.ndjson --failures failed.ndjson > results.ndjson";

/// Arguments of `map`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct MapArguments {
    /// The function; or its code, which is run on this machine, by a system of its own: a Ruby file, a zip, or a folder, which has
    /// a slash in its path.
    #[arg(value_name = "NAME|FILE|DIR")]
    function: String,
    /// The file with the inputs, JSON on each line; `-` reads them from stdin.
    #[arg(required_unless_present = "resume")]
    inputs: Option<PathBuf>,
    /// Which version: a number, an alias or $LATEST.
    #[arg(long, value_name = "VERSION")]
    version: Option<VersionRef>,
    /// How many inputs one worker takes at a time [default: as many as take some seconds].
    #[arg(long, value_name = "ITEMS")]
    chunk: Option<u32>,
    /// Write what failed to this file, and not to stdout.
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
    /// Print the map's id, and do not wait for its end.
    #[arg(long)]
    detach: bool,
    /// Go on with the results of this map, which was interrupted or detached.
    #[arg(long, value_name = "MAP", conflicts_with_all = ["inputs", "version", "chunk", "detach"])]
    resume: Option<MapId>,
    /// Begin with the result of the input of this index.
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// The fields of what came of an input.
const ITEM_FIELDS: [&str; 5] = ["index", "status", "result", "error", "usage"];

/// Maps the inputs.
pub async fn map(arguments: MapArguments) -> Result<(), Failure> {
    let Some(output) = arguments.output.open(&ITEM_FIELDS)? else { return Ok(()) };
    let lines = ItemLines::open(output, arguments.failures.as_deref())?;
    if let Some(file) = file_of_code(&arguments.function) {
        return map_here(&arguments, file, lines).await;
    }
    let name = arguments
        .function
        .parse()
        .map_err(|error| Failure::Usage(format!("{:?}: {error}", arguments.function)))?;
    let client = arguments.connection.connect()?;
    let map = match &arguments.resume {
        Some(id) => client.get_map(&name, id, None).await?,
        None => submit(&client, &name, &arguments).await?,
    };
    if arguments.detach {
        return crate::output::print(&format!("{}\n", map.id));
    }
    follow(&client, map, arguments.from, lines).await
}

/// A function with this code is mapped by a system of its own.
async fn map_here(arguments: &MapArguments, file: &Path, lines: ItemLines) -> Result<(), Failure> {
    if arguments.resume.is_some() || arguments.detach || arguments.version.is_some() {
        let only = "--resume, --detach and --version are for functions of an API; a file is mapped by a system that ends \
                    with the command";
        return Err(Failure::Usage(only.to_owned()));
    }
    let (name, code) = (name_for(file)?, read_code(file)?);
    let progress = Progress::start();
    with_own_system(None, &progress, async |client| {
        progress.end();
        let content = FunctionContent { code: &code, config: &json!({}) };
        client.create_function(&name, &content, false).await?;
        let map = submit(client, &name, arguments).await?;
        follow(client, map, arguments.from, lines).await
    })
    .await
}

/// What names a file or folder, and not a function.
fn file_of_code(function: &str) -> Option<&Path> {
    let path = Path::new(function);
    ([".rb", ".zip"].iter().any(|end| function.ends_with(end)) || function.contains('/')).then_some(path)
}

async fn submit(client: &Client, name: &FunctionName, arguments: &MapArguments) -> Result<Map, Failure> {
    let inputs = arguments.inputs.as_deref().unwrap_or(Path::new("-"));
    let submit =
        SubmitMap { version: arguments.version.clone(), chunk: arguments.chunk, idempotency_key: None };
    let submitted = async {
        let body = open(inputs).await?;
        explained(client, name, client.create_map(name, body, &submit).await).await
    };
    tokio::select! {
        biased;
        submitted = submitted => submitted,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted(
            "interrupted before all inputs were sent; nothing of it is run".to_owned(),
        )),
    }
}

async fn open(inputs: &Path) -> Result<Body, Failure> {
    if inputs == Path::new("-") {
        return Ok(Body::wrap_stream(tokio_util::io::ReaderStream::new(tokio::io::stdin())));
    }
    let file = tokio::fs::File::open(inputs).await;
    let file =
        file.map_err(|error| Failure::Usage(format!("could not read {}: {error}", inputs.display())))?;
    if file.metadata().await.is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Failure::Usage(format!("{} is a folder; name a file", inputs.display())));
    }
    Ok(file.into())
}
