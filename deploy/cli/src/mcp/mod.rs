//! `badlambda mcp`: a server of the Model Context Protocol (<https://modelcontextprotocol.io>) over stdin and stdout, so that
//! a model can run Ruby, confined. `tools` are what it offers, `arguments` what they take, `answer` what they give.

mod answer;
mod arguments;
mod tools;

use badlambda_client::Client;
use clap::Args;
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio_pipes;
use tokio::task::LocalSet;

use self::tools::Tools;
use crate::connection::ConnectionArguments;
use crate::local::own::with_own_system;
use crate::local::progress::Progress;
use crate::output::{Failure, OutputArguments, Table};

/// How many executions run at a time in a system of its own.
const SLOTS: usize = 4;
/// The fields of a tool.
const TOOL_FIELDS: [&str; 5] = ["name", "title", "description", "inputSchema", "annotations"];

/// Arguments of `mcp`.
#[derive(Debug, Args)]
#[command(
    after_help = "An MCP client starts it, for instance: claude mcp add badlambda -- badlambda mcp --local\n\nExample:\n  $ \
                        badlambda mcp --read-only --list-tools"
)]
pub struct McpArguments {
    /// Use a system of its own, which is gone at the end [the default where there is no API to ask].
    #[arg(long, conflicts_with_all = ["url", "profile"])]
    local: bool,
    /// Offer only what changes nothing.
    #[arg(long)]
    read_only: bool,
    /// List what is offered, and end.
    #[arg(long)]
    list_tools: bool,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Serves until stdin ends.
pub async fn mcp(arguments: McpArguments) -> Result<(), Failure> {
    let McpArguments { local, read_only, list_tools, output, connection } = arguments;
    if list_tools {
        let Some(output) = output.open(&TOOL_FIELDS)? else { return Ok(()) };
        let tools = Tools::offered(read_only);
        return output.print_all(&tools, || Table::new(&["name", "does"], tools.iter().map(row)));
    }
    let client = if local { None } else { connection.find()?.map(|target| target.client()).transpose()? };
    let served = async {
        match client {
            Some(client) => serve(&client, read_only).await,
            None => {
                let serve = async |client: &Client| serve(client, read_only).await;
                with_own_system(Some(SLOTS), &Progress::start(), serve).await
            }
        }
    };
    // What the tools do stays on one thread.
    LocalSet::new().run_until(served).await
}

async fn serve(client: &Client, read_only: bool) -> Result<(), Failure> {
    let service = match Tools::new(client.clone(), read_only).serve(stdio_pipes()).await {
        Ok(service) => service,
        // Nobody wanted anything.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Failure::Usage(format!("this is no MCP client: {error}"))),
    };
    service.waiting().await.map(drop).map_err(|error| Failure::Ours(error.to_string()))
}

fn row(tool: &rmcp::model::Tool) -> Vec<String> {
    vec![tool.name.to_string(), tool.description.as_deref().unwrap_or_default().to_owned()]
}
