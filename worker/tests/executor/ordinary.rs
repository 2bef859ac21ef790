//! Ordinary Ruby is untouched: what it does in an execution is what it does in plain Ruby, beside which it is run.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use badlambda_shared::function::Form;
use badlambda_worker::sandbox::{Executor, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{start_in, task};

const CASES: &str = include_str!("ordinary.toml");
const PLAIN: &str = include_str!("plain.rb");

/// Prints every name that a library of Ruby's, or of an installed gem, can be required by.
const LIBRARIES: &str = r#"
    folders = RbConfig::CONFIG.values_at("rubylibdir", "rubyarchdir")
    folders += Gem::Specification.flat_map { |gem| gem.full_require_paths }
    names = folders.flat_map { |folder| Dir.glob("*.{rb,so}", base: folder) }
    puts names.map { |name| name.sub(/\.(rb|so)\z/, "") }.grep_v(/\A(rbconfig|bundled_gems)\z/).uniq.sort
"#;

/// Anything but an Exception may come of it, as long as the same comes of it outside.
const LOAD: &str = r#"
    begin
      require "NAME"
      "loaded"
    rescue Exception => e
      [e.class.name, e.message.lines.first]
    end
"#;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    code: String,
    #[serde(default = "no_config")]
    config: Value,
    /// The result's JSON, where it is the same with every Ruby.
    expected: Option<String>,
    /// Whether plain Ruby runs it from a file. All that it has to say is then its logs.
    #[serde(default)]
    program: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Answer {
    outcome: Value,
    logs: String,
}

fn no_config() -> Value {
    json!({})
}

/// Without a jail, so that there are the same programs and files as outside.
pub fn unjailed() -> &'static Executor {
    static EXECUTOR: OnceLock<Executor> = OnceLock::new();
    EXECUTOR.get_or_init(|| start_in(None, 4))
}

/// Runs Ruby outside of everything, with `input` on its stdin; returns what it prints.
pub fn plain_ruby(program: &str, input: &str) -> String {
    let mut ruby = Command::new("ruby")
        .args(["-e", program])
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("PATH", std::env::var_os("PATH").unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    ruby.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = ruby.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn answer(outcome: &Outcome) -> Answer {
    let logs = String::from_utf8_lossy(&outcome.logs).into_owned();
    let outcome = match &outcome.result {
        Ok(json) => json!({"result": serde_json::from_str::<Value>(json).unwrap()}),
        Err(error) => {
            let class = error.class.as_deref().unwrap_or_default();
            json!({"error": format!("{class}: {}", error.message)})
        }
    };
    Answer { outcome, logs }
}

/// Runs each case inside and outside, and complains of every difference.
fn compare(cases: &[Case]) {
    let of_case = |case: &Case| {
        let environment = case.config.get("environment").cloned().unwrap_or(json!({}));
        json!({"code": case.code, "environment": environment, "program": case.program})
    };
    let input = Value::from_iter(cases.iter().map(of_case)).to_string();
    let outside = thread::spawn(move || plain_ruby(PLAIN, &input));
    let run = |case: &Case| {
        let task = task(Form::Script, &case.code, case.config.clone(), json!(null));
        answer(&unjailed().execute(&task).unwrap())
    };
    let inside: Vec<Answer> = cases.iter().map(run).collect();
    let outside: Vec<Answer> = serde_json::from_str(&outside.join().unwrap()).unwrap();
    let mut wrong = Vec::new();
    for ((case, inside), outside) in cases.iter().zip(&inside).zip(&outside) {
        let expected = case.expected.as_ref().map(|json| serde_json::from_str::<Value>(json).unwrap());
        let unexpected = expected.is_some_and(|expected| inside.outcome["result"] != expected);
        if inside != outside || unexpected {
            wrong.push(format!("{}:\n  inside  {inside:?}\n  outside {outside:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ordinary_code_does_what_it_does_in_plain_ruby() {
    let Cases { case: cases } = toml::from_str(CASES).unwrap();
    compare(&cases);
}

/// All of Ruby's own library and of the gems that come with it, as this machine has them.
#[test]
fn every_installed_library_loads_as_outside() {
    let names = plain_ruby(LIBRARIES, "");
    let cases: Vec<Case> = names
        .lines()
        .map(|name| Case {
            name: format!("require {name:?}"),
            code: LOAD.replace("NAME", name),
            config: json!({"memory_mb": 512}),
            expected: None,
            program: false,
        })
        .collect();
    assert!(cases.len() > 80, "{names}");
    compare(&cases);
}
