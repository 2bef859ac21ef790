//! Code in zips.

use std::fs;
use std::sync::Arc;

use badlambda_shared::execution::{ErrorKind, ExecutionError};
use badlambda_shared::function::Form;
use badlambda_shared::function::package::Packer;
use badlambda_worker::sandbox::{Executor, Outcome, Task, TaskCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::{config, executor, result, task};

/// A gem as `bundle install --path vendor/bundle` leaves it, for the Ruby that runs here.
fn with_gem(packer: &mut Packer, name: &str, code: &str) {
    let version = executor().ruby_version();
    let (major_minor, _) = version.rsplit_once('.').unwrap();
    let folder = format!("vendor/bundle/ruby/{major_minor}.0");
    let about = format!(
        "Gem::Specification.new do |s|\n  s.name = {name:?}\n  s.version = \"1.0\"\n  s.summary = \"\"\n  \
         s.authors = [\"\"]\n  s.files = [\"lib/{name}.rb\"]\nend\n"
    );
    packer.file(&format!("{folder}/specifications/{name}-1.0.gemspec"), about.as_bytes(), false).unwrap();
    packer.file(&format!("{folder}/gems/{name}-1.0/lib/{name}.rb"), code.as_bytes(), false).unwrap();
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut packer = Packer::default();
    for (path, content) in files {
        packer.file(path, content.as_bytes(), false).unwrap();
    }
    packer.finish().unwrap()
}

fn run_zip(executor: &Executor, zip: &[u8], handler: Option<&str>, event: Value) -> Outcome {
    let package = TaskCode::Package(Arc::new(executor.unpack(&[zip]).unwrap()));
    let config = handler.map_or(json!({}), |handler| json!({ "handler": handler }));
    // What is loaded is known by its revision.
    let revision = format!("{zip:?}{config}");
    executor.execute(&Task { code: package, ..task(Form::Handler, &revision, config, event) }).unwrap()
}

fn run_files(files: &[(&str, &str)], handler: Option<&str>, event: Value) -> Outcome {
    run_zip(executor(), &zip(files), handler, event)
}

fn error(outcome: Outcome) -> ExecutionError {
    outcome.result.expect_err("a failure")
}

#[test]
fn files_find_one_another_and_their_data() {
    let outcome = run_files(
        &[
            (
                "function.rb",
                "require_relative \"lib/greeter\"\nrequire \"words\"\nLOADED = Process.pid\n\
                 def handler(event:, context:)\n  [Greeter.greet(event[\"name\"]), WORDS, LOADED == Process.pid, Dir.children(\".\")]\nend\n",
            ),
            ("words.rb", "WORDS = File.read(File.join(__dir__, \"data/words.txt\")).split\n"),
            ("lib/greeter.rb", "module Greeter\n  def self.greet(name) = \"Hello, #{name}!\"\nend\n"),
            ("data/words.txt", "some words\n"),
        ],
        None,
        json!({"name": "Ada"}),
    );
    assert_eq!(result(&outcome), json!(["Hello, Ada!", ["some", "words"], false, []]));
}

#[test]
fn the_handler_may_be_anywhere() {
    let class = "class Orders\n  def self.handle(event:, context:) = event + 1\nend\n";
    let module =
        "module Shop\n  class Orders\n    def self.handle(event:, context:) = event + 2\n  end\nend\n";
    for (path, code, handler, expected) in [
        ("app.rb", "def run(event:, context:) = event\n", "app.run", 1),
        ("lib/app.rb", "def run(event:, context:) = event\n", "lib/app.run", 1),
        ("orders.rb", class, "orders.Orders.handle", 2),
        ("orders.rb", module, "orders.Shop::Orders.handle", 3),
        // A library of this name is loaded already.
        ("json.rb", "def run(event:, context:) = event\n", "json.run", 1),
    ] {
        let outcome = run_files(&[(path, code)], Some(handler), json!(1));
        assert_eq!(result(&outcome), json!(expected), "{handler}");
    }
}

#[test]
fn gems_of_the_zip_are_found() {
    let mut packer = Packer::default();
    packer
        .file("function.rb", b"require \"shout\"\ndef handler(event:, context:) = Shout.of(event)\n", false)
        .unwrap();
    with_gem(&mut packer, "shout", "module Shout\n  def self.of(text) = text.upcase\nend\n");
    let outcome = run_zip(executor(), &packer.finish().unwrap(), None, json!("hello"));
    assert_eq!(result(&outcome), json!("HELLO"));
}

#[test]
fn what_is_wrong_is_said_with_paths_of_the_zip() {
    let raising = "def handler(event:, context:)\n  raise ArgumentError, __FILE__\nend\n";
    let raised = error(run_files(&[("function.rb", raising)], None, json!(null)));
    assert_eq!((raised.kind, raised.message.as_str()), (ErrorKind::Exception, "function.rb"));
    assert!(raised.backtrace[0].starts_with("function.rb:2:in"), "{:?}", raised.backtrace);

    let missing = error(run_files(&[("other.rb", "1\n")], None, json!(null)));
    assert_eq!(missing.message, "cannot load such file -- function");
    let missing = error(run_files(&[("function.rb", "def other = 1\n")], None, json!(null)));
    assert_eq!(missing.message, "function.rb defines no method handler or lambda_handler");
    let missing = error(run_files(&[("app.rb", "A = Class.new\n")], Some("app.A.run"), json!(null)));
    assert_eq!(missing.message, "app.rb defines no method A.run");
    let broken = error(run_files(&[("function.rb", "def handler(\n")], None, json!(null)));
    assert_eq!(broken.kind, ErrorKind::Syntax, "{broken:?}");
    assert!(broken.message.starts_with("function.rb:"), "{broken:?}");
}

/// What code that was made for AWS Lambda asks for.
const FOR_LAMBDA: &str = r#"
LOGGER = Logger.new($stdout)
HOST = URI("https://example.com").host
HTTP = Net::HTTP

module Orders
  def self.handle(event:, context:)
    raise event["raise"] if event["raise"]

    names = %w[AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_REGION TZ _HANDLER OWN]
    {
      environment: names.to_h { |name| [name, ENV[name]] },
      credentials: ENV.keys.grep(/ACCESS_KEY|SECRET|SESSION/),
      is_task_root: [ENV["LAMBDA_TASK_ROOT"], $LOAD_PATH.first] == [Dir.pwd] * 2,
      data: File.read("data.txt"),
      context: [context.function_version, context.memory_limit_in_mb, context.invoked_function_arn, context.log_group_name,
                context.client_context, context.tenant_id, context.identity],
      stream: context.log_stream_name[11..],
    }
  end
end
"#;

#[test]
fn code_for_lambda_finds_what_lambda_has() {
    let zip = zip(&[("app.rb", FOR_LAMBDA), ("data.txt", "data")]);
    let config =
        json!({"handler": "app.Orders.handle", "compatibility": "lambda", "environment": {"OWN": "1"}});
    let invocation = json!({
        "invoked_function_arn": "arn:aws:lambda:us-east-1:000000000000:function:test:live",
        "client_context": {"custom": [1]}, "tenant_id": "t-1",
    });
    let task = |event: Value| Task {
        code: TaskCode::Package(Arc::new(executor().unpack(&[&zip]).unwrap())),
        version: 0,
        invocation: serde_json::from_value(invocation.clone()).unwrap(),
        ..task(Form::Handler, "0123456789abcdef0123456789abcdef and more", config.clone(), event)
    };
    let outcome = executor().execute(&task(json!({}))).unwrap();
    let expected = json!({
        "environment": {
            "AWS_LAMBDA_FUNCTION_NAME": "test", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_REGION": "us-east-1", "TZ": ":UTC",
            "_HANDLER": "app.Orders.handle", "OWN": "1",
        },
        "credentials": [],
        "is_task_root": true,
        "data": "data",
        "context": [
            "$LATEST", "256", "arn:aws:lambda:us-east-1:000000000000:function:test:live", "/aws/lambda/test",
            {"custom": [1]}, "t-1", null,
        ],
        "stream": "[$LATEST]0123456789abcdef0123456789abcdef",
    });
    assert_eq!(result(&outcome), expected);
    let raised = error(executor().execute(&task(json!({"raise": "it"}))).unwrap());
    assert!(raised.backtrace[0].starts_with("/var/task/app.rb:8:in"), "{:?}", raised.backtrace);
    assert_eq!(raised.class.as_deref(), Some("RuntimeError"));
    let package =
        TaskCode::Package(Arc::new(executor().unpack(&[self::zip(&[("app.rb", "raise 'early'")])]).unwrap()));
    let early = error(
        executor().execute(&Task { code: package, revision: "early".to_owned(), ..task(json!({})) }).unwrap(),
    );
    assert_eq!(early.class.as_deref(), Some("Init<RuntimeError>"));
}

/// Tries to change its own code, and to see that of others.
const MEDDLE: &str = r#"
def refused = yield.then { "it worked" } rescue $!.class.name

def handler(event:, context:)
  above = File.dirname(__dir__)
  {
    own: refused { File.write(__FILE__, "changed") },
    new: refused { File.write(File.join(__dir__, "new.rb"), "") },
    gone: refused { File.delete(__FILE__) },
    mode: refused { File.chmod(0o777, __FILE__) },
    others: refused { Dir.children(above) },
    above: refused { File.write(File.join(above, "new"), "") },
    code: File.read(__FILE__).bytesize,
  }
end
"#;

#[test]
fn code_can_be_read_and_not_written() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let outcome = run_files(&[("function.rb", MEDDLE)], None, json!(null));
    let mut seen = result(&outcome);
    assert_eq!(seen["code"].take(), json!(MEDDLE.len()));
    for (what, answer) in seen.as_object().unwrap().iter().filter(|(what, _)| *what != "code") {
        let refusal = answer.as_str().unwrap();
        assert!(["Errno::EACCES", "Errno::EPERM"].contains(&refusal), "{what}: {answer}");
    }
}

#[test]
fn packages_go_when_nobody_needs_them() {
    // Where there is a jail, it is inside of that.
    let above = config().packages;
    fs::create_dir_all(&above).unwrap();
    let packages = TempDir::new_in(above).unwrap();
    let start = || {
        Executor::start(&badlambda_worker::sandbox::ExecutorConfig {
            packages: packages.path().to_owned(),
            zygotes: 1,
            ..config()
        })
    };
    let folders = || {
        let workers = fs::read_dir(packages.path()).unwrap().map(|found| found.unwrap().path());
        workers.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    // As a worker leaves it that is killed.
    fs::create_dir_all(packages.path().join("worker-1/abandoned")).unwrap();
    fs::write(packages.path().join("worker-1.lock"), "").unwrap();

    let (first, second) = (start().unwrap(), start().unwrap());
    assert_eq!(folders().len(), 2, "{:?}", folders());
    let zip = zip(&[("function.rb", "def handler(event:, context:) = event\n"), ("data/x", "")]);
    assert_eq!(result(&run_zip(&first, &zip, None, json!(1))), json!(1));
    assert_eq!(result(&run_zip(&second, &zip, None, json!(2))), json!(2));
    let package = first.unpack(&[&zip]).unwrap();
    let count = || folders().iter().map(|folder| fs::read_dir(folder).unwrap().count()).sum::<usize>();
    // Each worker has a template, which needs its code.
    assert_eq!(count(), 3);
    drop(package);
    while count() > 2 {
        std::thread::yield_now();
    }
    drop((first, second));
    assert_eq!(folders(), Vec::<std::path::PathBuf>::new());
    assert_eq!(fs::read_dir(packages.path()).unwrap().count(), 0);
}
