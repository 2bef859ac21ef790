//! Ordinary Ruby, case by case as ordinary.toml has it: what works outside works here.

use std::collections::HashSet;
use std::io::Write;
use std::process::{Command, Stdio};

use badlambda_shared::function::Form;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{executor, handler, result, run, task};

const CASES: &str = include_str!("ordinary.toml");
/// Runs code as a function would be run, in plain Ruby.
const OUTSIDE: &str = "require 'json'; require 'stringio'; require 'set'; require 'time'; require 'securerandom'; \
                       value = TOPLEVEL_BINDING.eval($stdin.read, 'function.rb'); $result.puts JSON.generate(value)";

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    code: String,
    #[serde(default)]
    config: Value,
    result: Option<String>,
    /// Whether it can be had in a jail, where there are no programs and no users.
    #[serde(default = "yes")]
    jail: bool,
}

fn yes() -> bool {
    true
}

/// What the code gives in plain Ruby, in a folder of its own.
fn outside(code: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let program =
        format!("$result = $stdout.dup; $stdout.reopen(File::NULL); $stdout.sync = true; {OUTSIDE}");
    let mut command = Command::new("ruby");
    command.args(["--disable=did_you_mean", "--disable=error_highlight", "-e", &program]);
    command.current_dir(folder.path()).env("LANG", "C.UTF-8");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| json!(format!("{error}: {output:?}")))
}

#[test]
fn ordinary_ruby_is_as_it_is_outside() {
    let in_jail = std::env::var_os("BADLAMBDA_JAIL").is_some();
    let cases = toml::from_str::<Cases>(CASES).unwrap().case;
    let mut failures = vec![];
    for case in cases.iter().filter(|case| case.jail || !in_jail) {
        let config = if case.config.is_null() { json!({}) } else { case.config.clone() };
        let expected = case
            .result
            .as_ref()
            .map_or_else(|| outside(&case.code), |json| serde_json::from_str(json).unwrap());
        let outcome = run(&case.code, config, json!(null));
        let got = outcome.result.as_ref().map(|json| serde_json::from_str::<Value>(json).unwrap());
        if got.as_ref().ok() != Some(&expected) {
            failures.push(format!("{}:\n  expected {expected}\n  got {got:?}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Every source of random values that Ruby has.
const RANDOM: &str = "require 'securerandom'; require 'openssl'; \
                      [rand(1 << 62), Random.rand(1 << 62), Random.new.rand(1 << 62), Random.new_seed, \
                      SecureRandom.hex, Random.urandom(16).unpack1('H*'), OpenSSL::Random.random_bytes(16).unpack1('H*'), \
                      (1..40).to_a.shuffle, Array.new(30) { [0, 1].sample }]";

#[test]
fn no_two_executions_share_random_state() {
    let template = format!(
        "require 'securerandom'; rand; SecureRandom.hex\ndef handler(event:, context:)\n{RANDOM}\nend\n"
    );
    let mut seen = HashSet::new();
    let mut all = 0;
    for _ in 0..60 {
        for outcome in [run(RANDOM, json!({}), json!(null)), handler(&template, json!(null))] {
            for value in result(&outcome).as_array().unwrap() {
                all += 1;
                assert!(seen.insert(value.to_string()), "{value} came twice");
            }
        }
    }
    assert_eq!(seen.len(), all);
}

#[test]
fn executions_beside_one_another_see_none_of_the_others() {
    let code = "File.write('own', event.to_s); sleep 0.1; \
                [Process.uid, File.read('own'), Dir.children('.'), ENV['NUMBER'], context.memory_limit_in_mb]";
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn(move || {
                    let config =
                        json!({"memory_mb": 100 + number, "environment": {"NUMBER": number.to_string()}});
                    let mut task = task(Form::Script, code, config, json!(number));
                    task.function = format!("function-{number}");
                    result(&executor().execute(&task).unwrap())
                })
            })
            .collect();
        let seen: Vec<Value> = runs.into_iter().map(|run| run.join().unwrap()).collect();
        let uids: HashSet<String> = seen.iter().map(|seen| seen[0].to_string()).collect();
        if nix::unistd::geteuid().is_root() {
            assert_eq!(uids.len(), 4, "{seen:?}");
        }
        for (number, seen) in seen.iter().enumerate() {
            let own = json!([number.to_string(), ["own"], number.to_string(), 100 + number]);
            assert_eq!(json!(seen.as_array().unwrap()[1..]), own);
        }
    });
}

#[test]
fn what_the_top_level_made_is_there_in_each_execution() {
    let code = "require 'set'\nLOADED = Set[1, 2]\nCACHE = {}\n$global = 'kept'\nWORKER = Thread.new { sleep }\nLOCK = Mutex.new\n\
                def helper = LOADED.size\ndef handler(event:, context:)\n  CACHE[event] = true\n  LOCK.synchronize { }\n  \
                [helper, CACHE.size, $global, WORKER.alive?, Thread.list.size, context.function_name]\nend\n";
    for number in 0..3 {
        assert_eq!(result(&handler(code, json!(number))), json!([2, 1, "kept", false, 1, "test"]));
    }
}
