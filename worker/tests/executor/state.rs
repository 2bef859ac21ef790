//! What passes from a top level to its executions, and what never passes from one execution to another.

use std::collections::HashSet;
use std::thread;

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::{Executor, ExecutorConfig, Task};
use serde_json::{Value, json};

use crate::fixture::{config, executor, kind, result, task};
use crate::ordinary::unjailed;

/// Whatever draws from a generator that the interpreter or a library seeds. Each has more than 2^60 values.
const DRAWS: &str = r#"
    [rand(1 << 62), Kernel.rand, Random.rand, Random.seed, Random.new_seed, Random.new.seed, Random.urandom(8).unpack1("H*"),
     SecureRandom.hex, SecureRandom.uuid, SecureRandom.random_number, [*1..30].shuffle, [*1..1000].sample(9),
     Random.bytes(8).unpack1("H*"), [*1..1000].shuffle(random: SecureRandom).first(9), OpenSSL::Random.random_bytes(8).unpack1("H*"),
     OpenSSL::BN.rand(64).to_s, Thread.new { [rand(1 << 62), rand(1 << 62)] }.value, srand]
"#;

/// Runs `code` from four threads, then from one, and complains of anything that was drawn twice.
fn draw_nothing_twice(executor: &Executor, form: Form, code: &str) {
    let draw = || result(&executor.execute(&task(form, code, json!({}), json!(null))).unwrap());
    let mut drawn: Vec<Value> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..50).map(|_| draw()).collect())).collect();
        threads.into_iter().flat_map(|thread| -> Vec<Value> { thread.join().unwrap() }).collect()
    });
    drawn.extend((0..100).map(|_| draw()));
    let kinds = drawn[0].as_array().unwrap().len();
    assert_eq!((drawn.len(), kinds), (300, 18));
    for kind in 0..kinds {
        let distinct: HashSet<String> = drawn.iter().map(|values| values[kind].to_string()).collect();
        assert_eq!(distinct.len(), drawn.len(), "draw {kind}, such as {}", drawn[0][kind]);
    }
}

#[test]
fn executions_of_a_zygote_share_no_random_state() {
    let preload = vec!["openssl".to_owned()];
    let executor = Executor::start(&ExecutorConfig { preload, zygotes: 1, ..config() }).unwrap();
    draw_nothing_twice(&executor, Form::Script, DRAWS);
}

#[test]
fn executions_of_a_template_share_no_random_state() {
    let code = format!(
        "require 'openssl'\nsrand(42)\nBEFORE = ->() {{ {DRAWS} }}\nBEFORE.call\ndef handler(event:, context:) = BEFORE.call"
    );
    draw_nothing_twice(unjailed(), Form::Handler, &code);
}

#[test]
fn executions_beside_one_another_see_none_of_the_others() {
    let code = "File.write('own', event.to_s); sleep 0.1; \
                [Process.uid, File.read('own'), Dir.children('.'), ENV['NUMBER'], context.memory_limit_in_mb]";
    let run = |number: usize| {
        let config = json!({"memory_mb": 100 + number, "environment": {"NUMBER": number.to_string()}});
        let task = Task {
            function: format!("function-{number}"),
            ..task(Form::Script, code, config, json!(number))
        };
        result(&executor().execute(&task).unwrap())
    };
    let run = &run;
    let seen: Vec<Value> = thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|number| scope.spawn(move || run(number))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for (number, seen) in seen.iter().enumerate() {
        let own = json!([number.to_string(), ["own"], number.to_string(), (100 + number).to_string()]);
        assert_eq!(json!(seen.as_array().unwrap()[1..]), own);
    }
    let uids: HashSet<String> = seen.iter().map(|seen| seen[0].to_string()).collect();
    assert_eq!(uids.len(), if nix::unistd::geteuid().is_root() { 4 } else { 1 }, "{seen:?}");
}

#[test]
fn a_generator_of_the_functions_own_starts_where_the_top_level_left_it() {
    let code = "OWN = Random.new(7)\nOWN.rand\ndef handler(event:, context:) = OWN.rand(1000)";
    let run = || result(&unjailed().execute(&task(Form::Handler, code, json!({}), json!(null))).unwrap());
    assert_eq!(run(), run());
}

#[test]
fn a_handler_finds_what_its_top_level_made() {
    let code = r#"
        require "monitor"
        $global = { hits: 0 }
        TABLE = (1..1000).to_h { |n| [n, n * n] }
        LOCK, MONITOR, QUEUE = Mutex.new, Monitor.new, Queue.new
        LOCK.lock
        THREAD = Thread.new { sleep }
        READER, WRITER = IO.pipe
        ENV["SET_AT_THE_TOP"] = "1"
        File.write("left", "x")
        @instance = "main's"
        local = "gone"
        define_method(:closed_over) { local }
        def memo = (@memo ||= Object.new.object_id)
        memo
        at_exit { puts "never" }
        trap(:USR1) { $global[:signalled] = true }
        puts "loaded"

        def handler(event:, context:)
          $global[:hits] += 1
          QUEUE << 1
          Process.kill(:USR1, $$)
          Thread.pass until $global[:signalled]
          puts "handled"
          { hits: $global[:hits], square: TABLE[30], owned: LOCK.owned?, monitor: MONITOR.synchronize { 1 },
            queued: QUEUE.size, thread: THREAD.alive?, threads: Thread.list.size, set: ENV["SET_AT_THE_TOP"],
            pipe: (READER.read_nonblock(1) rescue $!.class.name), files: Dir.children("."), instance: @instance,
            closure: closed_over, memo: memo == @memo, again: Thread.new { QUEUE.pop }.value, ready: defined?(event) }
        end
    "#;
    let expected = json!({
        "hits": 1, "square": 900, "owned": true, "monitor": 1, "queued": 1, "thread": false, "threads": 1, "set": "1",
        "pipe": "Errno::EBADF", "files": [], "instance": "main's", "closure": "gone", "memo": true, "again": 1,
        "ready": "local-variable",
    });
    for logs in ["loaded\nhandled\n", "handled\n", "handled\n"] {
        let task = task(Form::Handler, code, json!({}), json!(null));
        let outcome = unjailed().execute(&task).unwrap();
        assert_eq!(result(&outcome), expected);
        assert_eq!(String::from_utf8(outcome.logs).unwrap(), logs);
    }
}

/// As worker/ruby/README.md says, an execution's process ends at once with its answer.
#[test]
fn neither_at_exit_nor_a_finalizer_runs_after_the_answer() {
    let codes = [
        "at_exit { puts 'at exit' }\nEND { puts 'END' }\nObjectSpace.define_finalizer('x'.dup, proc { puts 'final' })\nputs 'last'",
        "at_exit { puts 'at exit' }\nputs 'last'\nexit 3",
    ];
    for code in codes {
        let outcome = unjailed().execute(&task(Form::Script, code, json!({}), json!(null))).unwrap();
        assert_eq!(outcome.logs, b"last\n", "{code}");
    }
    let left = unjailed().execute(&task(Form::Script, codes[1], json!({}), json!(null))).unwrap();
    assert_eq!(kind(&left), ErrorKind::Crash);
    assert!(left.result.unwrap_err().message.contains("exit(3)"));
}

/// Writes this process's heap to a file, page by page, and returns which words follow a marker in it.
const SECRETS_IN_MEMORY: &str = r#"
    require "fiddle"
    LIBC = Fiddle.dlopen(nil)
    HEAP_END = Fiddle::Function.new(LIBC["sbrk"], [Fiddle::TYPE_LONG], Fiddle::TYPE_VOIDP)
    WRITE = Fiddle::Function.new(LIBC["write"], [Fiddle::TYPE_INT, Fiddle::TYPE_VOIDP, Fiddle::TYPE_SIZE_T], Fiddle::TYPE_SSIZE_T)

    def handler(event:, context:)
      file = File.open("memory", "w+b")
      last = HEAP_END.call(0).to_i / 4096
      # A page that is not mapped writes nothing.
      1.upto(8192) { |page| WRITE.call(file.fileno, (last - page) * 4096, 4096) }
      file.rewind
      file.read.scan(/secret-of-the-(\w+)/).flatten.uniq
    end
"#;

#[test]
fn the_event_and_the_id_of_who_came_first_are_in_no_later_executions_memory() {
    let secrets = |who: &str| {
        let execution_id = format!("secret-of-the-{who}id");
        let event = json!(format!("secret-of-the-{who}"));
        let task = Task { execution_id, ..task(Form::Handler, SECRETS_IN_MEMORY, json!({}), event) };
        let found: HashSet<String> =
            serde_json::from_value(result(&executor().execute(&task).unwrap())).unwrap();
        found
    };
    let found = secrets("first");
    assert!(found.contains("first") && found.contains("firstid"), "it must find its own: {found:?}");
    let found = secrets("second");
    assert!(found.contains("second") && found.contains("secondid"), "it must find its own: {found:?}");
    assert!(!found.contains("first") && !found.contains("firstid"), "{found:?}");
}
