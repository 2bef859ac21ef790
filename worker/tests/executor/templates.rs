//! Handler form: one top level, and executions that start from it.

use std::time::Duration;

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::Task;
use serde_json::json;

use crate::fixture::{executor, handler, kind, result, start, task};

pub const TOKEN: &str = "TOKEN = rand(1 << 60).to_s\ndef handler(event:, context:) = [TOKEN, Process.ppid]";

#[test]
fn a_handler_starts_from_its_top_level_each_time() {
    let code = "COUNT = [0]\nTOKEN = rand(1 << 60).to_s\ndef handler(event:, context:)\n  COUNT[0] += 1\n  \
                { token: TOKEN, count: COUNT[0], left: context.get_remaining_time_in_millis > 0 }\nend\n";
    let first = result(&handler(code, json!(null)));
    let second = result(&handler(code, json!(null)));
    assert_eq!((&first["count"], &second["count"]), (&json!(1), &json!(1)));
    assert_eq!(first["token"], second["token"]);
    assert_eq!(first["left"], json!(true));
}

#[test]
fn a_hanging_or_raising_top_level_is_the_executions_failure() {
    let hang = task(
        Form::Handler,
        "sleep\ndef handler(event:, context:) = 1",
        json!({"timeout_ms": 300}),
        json!(null),
    );
    assert_eq!(kind(&executor().execute(&hang).unwrap()), ErrorKind::Timeout);
    let outcome = handler("puts 'loading'; raise 'no'\ndef handler(event:, context:) = 1", json!(null));
    assert_eq!(kind(&outcome), ErrorKind::Exception);
    assert_eq!(outcome.logs, b"loading\n");
}

#[test]
fn least_recently_used_templates_end() {
    let executor = start(1);
    let code =
        |name: &str| format!("TOKEN = rand(1 << 60).to_s + '{name}'\ndef handler(event:, context:) = TOKEN");
    let token = |name: &str| {
        result(&executor.execute(&task(Form::Handler, &code(name), json!({}), json!(1))).unwrap())
    };
    let first = token("a");
    assert_eq!(token("a"), first);
    token("b");
    assert_ne!(token("a"), first);
}

#[test]
fn threads_of_a_top_level_do_not_run_while_its_template_waits() {
    // In an executor of its own, since it must not be ended for others.
    let executor = start(1);
    let code = "3.times { Thread.new { loop {} } }\ndef handler(event:, context:) = Process.ppid";
    let outcome = executor.execute(&task(Form::Handler, code, json!({}), json!(1))).unwrap();
    let pid = result(&outcome).as_u64().unwrap();
    let used = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // User and system time, in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = used();
    std::thread::sleep(Duration::from_millis(500));
    assert!(used() - before < 10, "{} of 50", used() - before);
}

/// However long its threads take to end, beside others that load.
#[test]
fn each_version_begins_though_its_top_level_left_threads() {
    let code = "20.times { Thread.new { sleep } }\ndef handler(event:, context:) = event";
    std::thread::scope(|scope| {
        for function in 0..4 {
            scope.spawn(move || {
                for version in 1..=10 {
                    let function = format!("threads-{function}");
                    let task =
                        Task { function, version, ..task(Form::Handler, code, json!({}), json!(version)) };
                    assert_eq!(result(&executor().execute(&task).unwrap()), json!(version));
                }
            });
        }
    });
}
