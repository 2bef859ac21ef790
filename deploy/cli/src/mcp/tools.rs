//! The tools themselves. Their comments are what a model reads.

use std::time::Duration;

use badlambda_client::{Client, ExecutionFilter, OneShot, Submit, collect_pages};
use badlambda_shared::execution::Execution;
use badlambda_shared::function::name::VersionRef;
use badlambda_shared::limits;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, Implementation, ServerCapabilities, ServerConfig, Tool};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::executions::find::find_execution;
use crate::executions::outcome::WAIT;
use crate::functions::{all_functions, explained};
use crate::mcp::answer::{self, beginning, json_of};
use crate::mcp::arguments::{
    GetExecution, GetLogs, InvokeFunction, ListExecutions, ListFunctions, RunRuby, ShowFunction,
};
use crate::output::Failure;

/// What a model is told before anything else.
const INSTRUCTIONS: &str = "Bad Lambda runs Ruby functions, each execution confined to a process of its own: no network and \
no subprocesses unless its config allows them, and nothing stays from one execution to the next. run_ruby tries code out. A \
failure of the code is a result with isError and a backtrace. Results over 64 KiB and logs over 16 KiB are cut.";

/// The tools, over an API.
#[derive(Clone)]
pub(super) struct Tools {
    client: Client,
    tool_router: ToolRouter<Self>,
}

impl Tools {
    pub(super) fn new(client: Client, read_only: bool) -> Self {
        Self { client, tool_router: router(read_only) }
    }

    /// What is offered.
    pub(super) fn offered(read_only: bool) -> Vec<Tool> {
        router(read_only).list_all()
    }

    /// The execution at its end, or as it stands after so many seconds.
    async fn end_of(&self, mut execution: Execution, wait_seconds: u64) -> Result<Execution, Failure> {
        let deadline = Instant::now() + Duration::from_secs(wait_seconds.min(MOST_WAIT));
        while !execution.status.is_final() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left < Duration::from_secs(1) {
                break;
            }
            let (function, id) = (execution.function.clone(), execution.id.clone());
            execution = self.client.get_execution(&function, &id, Some(left.min(WAIT))).await?;
        }
        Ok(execution)
    }
}

/// The longest wait, in seconds.
const MOST_WAIT: u64 = 300;

/// How the first answer is waited for.
fn submit(version: Option<VersionRef>, wait_seconds: u64) -> Submit {
    Submit { version, wait: Some(Duration::from_secs(wait_seconds).min(WAIT)), ..Submit::default() }
}

/// The tools by their names, all or those that only read.
fn router(read_only: bool) -> ToolRouter<Tools> {
    let mut router = Tools::tool_router();
    if read_only {
        for tool in router.list_all() {
            let only_reads =
                tool.annotations.is_some_and(|annotations| annotations.read_only_hint == Some(true));
            if !only_reads {
                router.remove_route(&tool.name);
            }
        }
    }
    router
}

#[tool_router]
impl Tools {
    /// Run Ruby code once, confined, and return its result, logs, error and usage. Nothing is kept but the execution's record.
    #[tool(annotations(title = "Run Ruby", read_only_hint = false, destructive_hint = false))]
    async fn run_ruby(&self, Parameters(arguments): Parameters<RunRuby>) -> CallToolResult {
        let RunRuby { code, input, config, wait_seconds } = arguments;
        let ended = async {
            let input = to_raw_value(&input).map_err(|error| Failure::Usage(error.to_string()))?;
            let one_shot = OneShot { code: &code, input: Some(&input), config: &Value::Object(config) };
            let execution = self.client.run_once(&one_shot, &submit(None, wait_seconds)).await?;
            self.end_of(execution, wait_seconds).await
        };
        answer::of_execution(&self.client, ended.await).await
    }

    /// List the functions that there are.
    #[tool(annotations(title = "List functions", read_only_hint = true, open_world_hint = false))]
    async fn list_functions(&self, Parameters(arguments): Parameters<ListFunctions>) -> CallToolResult {
        let functions = all_functions(&self.client, arguments.limit.min(limits::MAX_LISTED)).await;
        answer::of(
            functions
                .map_err(Failure::from)
                .and_then(|functions| Ok(json!({"functions": json_of(&functions)?}))),
        )
    }

    /// Show a function's code and config. Code over 64 KiB is cut. Of a zip, the handler's file is shown, and which others there
    /// are.
    #[tool(annotations(title = "Show a function", read_only_hint = true, open_world_hint = false))]
    async fn show_function(&self, Parameters(arguments): Parameters<ShowFunction>) -> CallToolResult {
        let ShowFunction { function, version } = arguments;
        let shown = async {
            let found = self.client.get_version(&function, &version.unwrap_or(VersionRef::Latest)).await;
            let version = explained(&self.client, &function, found).await?;
            let code = self.client.get_version_code(&function, &VersionRef::Number(version.version)).await?;
            let mut shown = json_of(&version)?;
            answer::add_code(&mut shown, &code, version.content.config.handler.as_deref())?;
            Ok(shown)
        };
        answer::of(shown.await)
    }

    /// Execute a function, and return its result, logs, error and usage.
    #[tool(annotations(title = "Invoke a function", read_only_hint = false))]
    async fn invoke_function(&self, Parameters(arguments): Parameters<InvokeFunction>) -> CallToolResult {
        let InvokeFunction { function, input, version, wait_seconds } = arguments;
        let ended = async {
            let submit = submit(version, wait_seconds);
            let submitted = self.client.execute_function(&function, input.to_string(), &submit).await;
            self.end_of(explained(&self.client, &function, submitted).await?, wait_seconds).await
        };
        answer::of_execution(&self.client, ended.await).await
    }

    /// Tell how an execution ended, or how it stands: result, logs, error and usage.
    #[tool(annotations(title = "Get an execution", read_only_hint = true, open_world_hint = false))]
    async fn get_execution(&self, Parameters(arguments): Parameters<GetExecution>) -> CallToolResult {
        let GetExecution { execution, wait_seconds } = arguments;
        let ended = async {
            let (function, id) = find_execution(&self.client, &execution).await?;
            let execution = self.client.get_execution(&function, &id, None).await?;
            self.end_of(execution, wait_seconds).await
        };
        answer::of_execution(&self.client, ended.await).await
    }

    /// Return what an execution logged, or a part of it. `next_offset` is where to go on.
    #[tool(annotations(title = "Get logs", read_only_hint = true, open_world_hint = false))]
    async fn get_logs(&self, Parameters(arguments): Parameters<GetLogs>) -> CallToolResult {
        answer::of(self.logs(&arguments).await)
    }

    /// List executions that ended, the newest first.
    #[tool(annotations(title = "List executions", read_only_hint = true, open_world_hint = false))]
    async fn list_executions(&self, Parameters(arguments): Parameters<ListExecutions>) -> CallToolResult {
        let ListExecutions { function, status, kind, since, until, limit } = arguments;
        let filter = ExecutionFilter { status, kind, version: None, since, until };
        let limit = limit.min(limits::MAX_LISTED);
        let listed = collect_pages(limit, limits::MAX_LISTED, async |range| match &function {
            Some(function) => self.client.list_function_executions(function, &filter, range).await,
            None => self.client.list_executions(&filter, range).await,
        });
        let listed = listed.await.map_err(Failure::from);
        answer::of(listed.and_then(|executions| Ok(json!({"executions": json_of(&executions)?}))))
    }
}

impl Tools {
    async fn logs(&self, arguments: &GetLogs) -> Result<Value, Failure> {
        /// The most that is returned, in bytes.
        const MOST: usize = 256 * 1024;
        let (function, id) = find_execution(&self.client, &arguments.execution).await?;
        let logs = match self.client.get_execution_logs(&function, &id).await {
            Ok(logs) => logs.bytes().await?,
            Err(error) if error.is("no_logs") => vec![],
            Err(error) => return Err(error.into()),
        };
        let logs = String::from_utf8_lossy(&logs);
        let rest = &logs[logs.ceil_char_boundary(arguments.offset.min(logs.len()))..];
        let part = beginning(rest, arguments.max_bytes.clamp(4, MOST));
        let next = logs.len() - rest.len() + part.len();
        let next = (next < logs.len()).then_some(next);
        Ok(json!({"logs": part, "bytes": logs.len(), "next_offset": next}))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("badlambda", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }
}
