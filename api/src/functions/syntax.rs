//! Reading Ruby without running it: whether it parses, and which form of function it is.

use badlambda_shared::function::Form;
use ruby_prism::{Node, Options, ParseResult, Scope, Version};
use tokio::sync::Semaphore;

/// AWS Lambda's names for a handler, in the order in which a worker looks for them.
const HANDLERS: [&str; 2] = ["handler", "lambda_handler"];
/// What a script finds defined.
const LOCALS: [&str; 2] = ["event", "context"];
/// The parser calls itself for what is nested, up to a depth of its own, which default stacks may not hold.
const PARSER_STACK_BYTES: usize = 32 * 1024 * 1024;

/// Why code can't be a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It does not parse; line and column count from 1.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// Where, from 1 on.
        line: usize,
        /// Where in the line, in bytes.
        column: usize,
    },
    /// It does not define the handler that the configuration names.
    #[error("the code defines no top-level method {0}")]
    NoHandler(String),
    /// The parser could not be started.
    #[error("the parser could not be started: {0}")]
    Parser(String),
}

/// Programs that are parsed at once: a hostile one takes seconds, and requests that parse nothing should not notice.
static PARSERS: Semaphore = Semaphore::const_new(2);

/// Parses `code` and tells its form; `handler` is the method that the configuration names, if it does.
pub(crate) async fn inspect(code: String, handler: Option<String>) -> Result<Form, CodeError> {
    on_own_stack(move || form_of(&code, handler.as_deref())).await
}

/// Parses `code`, whatever it defines.
pub(crate) async fn parse(code: String) -> Result<(), CodeError> {
    on_own_stack(move || form_of(&code, None).map(|_| ())).await
}

async fn on_own_stack<T: Send + 'static>(
    parse: impl FnOnce() -> Result<T, CodeError> + Send + 'static,
) -> Result<T, CodeError> {
    let _parser = PARSERS.acquire().await;
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("ruby-parser".to_owned())
        .stack_size(PARSER_STACK_BYTES)
        .spawn(move || answer.send(parse()))
        .map_err(|error| CodeError::Parser(error.to_string()))?;
    answered.await.map_err(|_| CodeError::Parser("it ended without an answer".to_owned()))?
}

/// Parses `code` on this thread, whose stack the parser may need much of.
///
/// # Errors
/// What is wrong with the code.
pub fn form_of(code: &str, handler: Option<&str>) -> Result<Form, CodeError> {
    let locals = LOCALS.iter().map(|name| name.as_bytes().to_vec()).collect();
    // The oldest syntax that the parser knows: the workers' Ruby may not be the newest.
    let options = Options::default()
        .encoding("UTF-8")
        .version(Version::CRuby3_3)
        .scope(Scope::default().locals(locals))
        .build();
    let parsed = ruby_prism::parse_with_options(code.as_bytes(), &options);
    if let Some(error) = first_error(&parsed) {
        return Err(error);
    }
    let defined = top_level_methods(&parsed);
    let defines = |name: &str| defined.iter().any(|method| method == name.as_bytes());
    match handler {
        Some(named) if defines(named) => Ok(Form::Handler),
        Some(named) => Err(CodeError::NoHandler(named.to_owned())),
        None if HANDLERS.into_iter().any(defines) => Ok(Form::Handler),
        None => Ok(Form::Script),
    }
}

fn first_error(parsed: &ParseResult<'_>) -> Option<CodeError> {
    let error = parsed.errors().min_by_key(|error| error.location().start())?;
    let place = error.location();
    Some(CodeError::Syntax {
        message: String::from_utf8_lossy(error.message()).into_owned(),
        line: usize::try_from(place.start_line()).unwrap_or(1),
        column: place.start_column() as usize + 1,
    })
}

/// The methods that the top level defines by `def` without a receiver, `private def` and the like included.
fn top_level_methods(parsed: &ParseResult<'_>) -> Vec<Vec<u8>> {
    let Some(program) = parsed.node().as_program_node() else { return Vec::new() };
    program.statements().body().iter().filter_map(|statement| defined_by(&statement)).collect()
}

fn defined_by(statement: &Node<'_>) -> Option<Vec<u8>> {
    if let Some(call) = statement.as_call_node().filter(|call| call.receiver().is_none()) {
        return defined_by(&call.arguments()?.arguments().iter().next()?);
    }
    let definition = statement.as_def_node().filter(|definition| definition.receiver().is_none())?;
    Some(definition.name().as_slice().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(code: &str) -> Result<Form, CodeError> {
        form_of(code, None)
    }

    #[test]
    fn a_handler_is_a_top_level_method_without_a_receiver() {
        assert_eq!(form("def handler(event:, context:) = 1"), Ok(Form::Handler));
        assert_eq!(
            form("require 'json'\n\ndef lambda_handler(event:, context:)\n  1\nend\n"),
            Ok(Form::Handler)
        );
        assert_eq!(form("private def handler(event:, context:)\n  1\nend\n"), Ok(Form::Handler));
        for script in [
            "1 + 1",
            "def self.handler(event:, context:) = 1",
            "class A\n  def handler = 1\nend",
            "def handle = 1\nhandle",
            "handler = 1",
            "'def handler'",
        ] {
            assert_eq!(form(script), Ok(Form::Script), "{script}");
        }
    }

    #[test]
    fn the_configured_handler_must_be_defined() {
        assert_eq!(form_of("def run(event:, context:) = 1", Some("run")), Ok(Form::Handler));
        let error = form_of("def handler(event:, context:) = 1", Some("run")).unwrap_err();
        assert_eq!(error, CodeError::NoHandler("run".to_owned()));
    }

    #[test]
    fn what_a_script_may_write_is_accepted() {
        for script in
            ["event /2", "return 1 if event", "event => {name:}\nname", "it = 1; it", "puts <<~A\n  x\nA\n"]
        {
            assert_eq!(form(script), Ok(Form::Script), "{script}");
        }
    }

    #[test]
    fn the_first_error_is_named_with_its_place() {
        let error = form("x = 1\ny = 2 +* 3\nz = [").unwrap_err();
        assert!(matches!(error, CodeError::Syntax { line: 2, .. }), "{error:?}");
        let error = form("def handler(event:").unwrap_err();
        assert!(
            matches!(&error, CodeError::Syntax { line: 1, message, .. } if !message.is_empty()),
            "{error:?}"
        );
        assert!(form("# encoding: none-such\n1").is_err());
    }

    #[tokio::test]
    async fn hostile_nesting_is_an_error_and_no_crash() {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{a: ", "}"), ("-> {", "}"), ("if 1\n", "\nend"), ("!", "")]
        {
            let code = format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
            assert!(inspect(code, None).await.is_err(), "{open}");
        }
        let unclosed = "\"#{".repeat(50_000);
        assert!(inspect(unclosed, None).await.is_err());
    }
}
