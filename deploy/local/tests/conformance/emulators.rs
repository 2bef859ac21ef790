//! Two implementations of SQS and S3 that are not ours, so that we do not agree with ourselves alone. Each is started
//! once, when the first test needs it, and ends with the tests.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::fixture::Endpoint;

const PATIENCE: Duration = Duration::from_secs(60);
/// Ends the emulator when its standard input ends, as it does with whoever holds the other side, however that goes.
const UNTIL_INPUT_ENDS: &str = r#""$@" </dev/null >/dev/null 2>&1 & emulator=$!; cat; kill $emulator"#;

/// A running emulator.
pub(crate) struct Emulator {
    url: String,
    account: &'static str,
    _process: Child,
}

/// <https://pypi.org/project/ministack>, with its checks of signatures and policies.
pub(crate) fn ministack() -> &'static Emulator {
    static EMULATOR: OnceLock<Emulator> = OnceLock::new();
    EMULATOR.get_or_init(|| {
        let port = free_port();
        let environment = [
            ("AUTH", "true"),
            ("GATEWAY_PORT", &port.to_string()),
            ("MINISTACK_HOST", "127.0.0.1"),
            ("BIND_HOST", "127.0.0.1"),
            ("IOT_MTLS_ENABLED", "0"),
        ];
        Emulator::start("ministack", &[], &environment, port, "000000000000")
    })
}

/// <https://pypi.org/project/moto>
pub(crate) fn moto() -> &'static Emulator {
    static EMULATOR: OnceLock<Emulator> = OnceLock::new();
    EMULATOR.get_or_init(|| {
        let port = free_port();
        let arguments = ["-H", "127.0.0.1", "-p", &port.to_string()];
        Emulator::start("moto_server", &arguments, &[], port, "123456789012")
    })
}

impl Emulator {
    fn start(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        port: u16,
        account: &'static str,
    ) -> Self {
        let path = python().join(program);
        assert!(path.exists(), "{} is missing; tests/run installs it", path.display());
        let mut command = Command::new("sh");
        command.args(["-c", UNTIL_INPUT_ENDS, "sh"]).arg(path).args(arguments);
        command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::null());
        let process = command.spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{program} does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { url: format!("http://127.0.0.1:{port}"), account, _process: process }
    }

    /// Where it answers, for who makes queues and this bucket there.
    pub(crate) fn endpoint(&self, bucket: String) -> Endpoint {
        Endpoint {
            url: self.url.clone(),
            region: "us-east-1".to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
            queue_url: String::new(),
            dead_letter_queue_url: String::new(),
            bucket,
            account: self.account,
        }
    }
}

/// Where the programs of the tests' Python are.
fn python() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python/bin"))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
