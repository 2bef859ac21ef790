//! What function code may try, case by case as hostile.toml and attacks.toml have it. Executions of other functions, of
//! both forms, run before, beside and after each case, and must not notice; nor may anything outside.
//!
//! `BADLAMBDA_CASE=TEXT` runs only the cases with that in their name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::{Executor, ExecutorConfig, ExecutorError, Outcome, Task};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixture::{config, executor, result, task};
use crate::processes::{below, is_execution, is_template, ours, status};

const CASES: [&str; 2] = [include_str!("hostile.toml"), include_str!("attacks.toml")];
const PRELUDE: &str = include_str!("hostile.rb");
const THREADS: usize = 6;
/// A template, and what it forks ahead.
const TEMPLATE_PROCESSES: usize = 2;
const PATIENCE: Duration = Duration::from_secs(3);

/// Holds a secret in memory, environment and scratch, and sees after a while that all is well.
const CANARY: &str = r#"
raise "the sandbox is not clean" unless Dir.children(".").empty?
secret = "the canary's" + " secret #{event}"
File.write("secret", secret)
10.times { sleep 0.01; raise "disturbed" unless File.read("secret") == secret }
raise "not alone" unless Dir.children(".") == ["secret"] && Thread.list.size == 1 && ENV["SECRET"] == "kept"
secret
"#;

/// As a handler, it has a top level, too, which each execution finds as it was.
fn canary_handler() -> String {
    format!(
        "COUNT = [0]\ndef handler(event:, context:)\n{CANARY}raise 'not fresh' if (COUNT[0] += 1) > 1\nsecret\nend\n"
    )
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    code: String,
    #[serde(default = "script")]
    form: Form,
    #[serde(default)]
    config: Value,
    result: Option<String>,
    #[serde(default)]
    results: Vec<String>,
    #[serde(default)]
    kind: Kinds,
    /// How often it is run: a race is not lost each time.
    #[serde(default = "once")]
    runs: usize,
    /// How long a run may take.
    most_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(ErrorKind),
    Several(Vec<ErrorKind>),
}

impl Default for Kinds {
    fn default() -> Self {
        Self::Several(vec![])
    }
}

fn once() -> usize {
    1
}

fn script() -> Form {
    Form::Script
}

impl Case {
    fn allows(&self, outcome: &Result<Outcome, ExecutorError>) -> bool {
        let kinds = match &self.kind {
            Kinds::One(kind) => std::slice::from_ref(kind),
            Kinds::Several(kinds) => kinds,
        };
        match outcome.as_ref().map(|outcome| outcome.result.as_ref()) {
            Ok(Ok(json)) => self.results.iter().chain(&self.result).any(|allowed| allowed == json),
            Ok(Err(error)) => kinds.contains(&error.kind),
            // Whatever a function does, it is its own failure.
            Err(_) => false,
        }
    }

    fn is_in_time(&self, took: Duration) -> bool {
        self.most_ms.is_none_or(|most| took.as_millis() as u64 <= most)
    }
}

/// What must be as it was when a case is over.
struct Outside {
    folder: tempfile::TempDir,
    file: PathBuf,
    process: Child,
    api: TcpListener,
    _abstract: UnixListener,
    abstract_name: String,
}

impl Outside {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "untouched").unwrap();
        let abstract_name = format!("badlambda-hostile-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        Self {
            file,
            process: Command::new("sleep").arg("1000").spawn().unwrap(),
            api: TcpListener::bind("127.0.0.1:0").unwrap(),
            _abstract: UnixListener::bind_addr(&address).unwrap(),
            abstract_name,
            folder,
        }
    }

    fn event(&self) -> Value {
        let mut pids = ours();
        pids.push(self.process.id());
        json!({
            "worker": std::process::id(),
            "pids": pids,
            "file": self.file,
            "port": self.api.local_addr().unwrap().port(),
            "abstract": self.abstract_name(),
        })
    }

    /// In a jail on a kernel that can't scope such names, they are open to who may use the network, as loopback is: then
    /// one that nobody has.
    fn abstract_name(&self) -> String {
        let layers = &executor().isolation().layers;
        let has = |name: &str| layers.iter().any(|layer| layer == name);
        let is_open = has("chroot") && !has("landlock");
        format!("{}{}", self.abstract_name, if is_open { "-of-nobody" } else { "" })
    }

    fn check(&mut self) {
        assert_eq!(fs::read_to_string(&self.file).unwrap(), "untouched");
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
        assert!(self.process.try_wait().unwrap().is_none(), "a process outside was ended");
        self.api.set_nonblocking(true).unwrap();
        assert!(self.api.accept().is_err(), "somebody connected");
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Every name in the places that all share.
fn shared_places() -> BTreeSet<PathBuf> {
    let places = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"];
    let names = places.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
    let left = |path: &PathBuf| path.to_string_lossy().contains("hostile") || path.ends_with("left");
    names.map(|entry| entry.path()).filter(left).collect()
}

/// An executor of one thread's own, so that the sandboxes a case sat on are those that are looked at after it.
struct Ground {
    plain: Executor,
    network: Executor,
    zygotes: [u32; 2],
}

impl Ground {
    fn new() -> Self {
        let start = |network| {
            let config = ExecutorConfig { zygotes: 1, templates: 2, network, ..config() };
            Executor::start(&config).unwrap()
        };
        let (plain, network) = (start(false), start(true));
        let zygotes = [&plain, &network].map(|executor| {
            let parent = task(Form::Script, "Process.ppid", json!({}), json!(null));
            result(&executor.execute(&parent).unwrap()).as_u64().unwrap() as u32
        });
        Self { plain, network, zygotes }
    }

    /// How many processes executions have left running.
    fn left(&self) -> usize {
        self.zygotes.iter().flat_map(|zygote| below(*zygote)).filter(|pid| is_execution(*pid)).count()
    }

    /// Of how many processes the largest template consists.
    fn most_of_a_template(&self) -> usize {
        let mut by_uid = BTreeMap::<String, usize>::new();
        let all = self.zygotes.iter().flat_map(|zygote| below(*zygote)).filter(|pid| is_template(*pid));
        all.filter_map(|pid| status(pid, "Uid")).for_each(|uid| *by_uid.entry(uid).or_default() += 1);
        by_uid.into_values().max().unwrap_or(0)
    }

    /// Runs a case with canaries before, beside and after it; returns what was not as it must be.
    fn run(&self, case: &Case, outside: &Outside) -> Result<(), String> {
        let executor = if case.config["network"] == true { &self.network } else { &self.plain };
        canaries(executor, 1).map_err(|reason| format!("before: {reason}"))?;
        let code = format!("{PRELUDE}{}", case.code);
        let config = if case.config.is_null() { json!({}) } else { case.config.clone() };
        let hostile = Task { function: case.name.clone(), ..task(case.form, &code, config, outside.event()) };
        let over = AtomicBool::new(false);
        let (wrong, beside) = std::thread::scope(|scope| {
            let beside = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    canary(executor)?;
                }
                Ok::<_, String>(())
            });
            let mut runs = (0..case.runs).map(|_| {
                let began = Instant::now();
                (executor.execute(&hostile), began.elapsed())
            });
            let wrong = runs.find(|(outcome, took)| !case.allows(outcome) || !case.is_in_time(*took));
            over.store(true, Ordering::Relaxed);
            (wrong, beside.join().unwrap())
        });
        beside.map_err(|reason| format!("beside: {reason}"))?;
        if let Some((outcome, took)) = wrong {
            return Err(format!("after {took:?}: {outcome:?}"));
        }
        if self.zygotes.iter().any(|pid| status(*pid, "State").is_none_or(|state| "TZ".contains(&state))) {
            return Err("a zygote was ended or stopped".to_owned());
        }
        let until = Instant::now() + PATIENCE;
        // Templates that broke are ended while nobody waits for it.
        while self.left() > 0 || self.most_of_a_template() > TEMPLATE_PROCESSES {
            if Instant::now() > until {
                return Err(format!("{} processes are left, or a template is not alone", self.left()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        canaries(executor, 2).map_err(|reason| format!("after: {reason}"))
    }
}

/// So many at once, and so on as many sandboxes.
fn canaries(executor: &Executor, count: usize) -> Result<(), String> {
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..count).map(|_| scope.spawn(|| canary(executor))).collect();
        all.into_iter().try_for_each(|one| one.join().unwrap())
    })
}

/// One of each form.
fn canary(executor: &Executor) -> Result<(), String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    for (form, code) in [(Form::Script, CANARY.to_owned()), (Form::Handler, canary_handler())] {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let config = json!({"environment": {"SECRET": "kept"}, "timeout_ms": 20_000});
        let canary = Task { function: "canary".to_owned(), ..task(form, &code, config, json!(number)) };
        let outcome = executor.execute(&canary).map_err(|error| error.to_string())?;
        match &outcome.result {
            Ok(json) if *json == format!("\"the canary's secret {number}\"") => {}
            _ => return Err(format!("{outcome:?}")),
        }
    }
    Ok(())
}

#[test]
fn nothing_hostile_is_noticed_by_others() {
    let wanted = std::env::var("BADLAMBDA_CASE").unwrap_or_default();
    let files = CASES.iter().flat_map(|file| toml::from_str::<Cases>(file).unwrap().case);
    let mut cases: Vec<Case> = files.collect();
    cases.retain(|case| case.name.contains(&wanted));
    let mut outside = Outside::new();
    let before = shared_places();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(vec![]);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut ground = Ground::new();
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(reason) = ground.run(case, &outside) {
                        failures.lock().unwrap().push(format!("{}: {reason}", case.name));
                        ground = Ground::new();
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
    outside.check();
    assert_eq!(shared_places(), before);
}
