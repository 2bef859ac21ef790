//! Every parser of what a guest, a message, a client or the bucket wrote, each as a function of bytes that must come back
//! whatever they are. `tests/fuzz` fuzzes them; the test `parsers` tries what was kept of that, and some random changes.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, SystemTime};

use badlambda_api::functions::syntax;
use badlambda_shared::aws::signature::{Signature, SignatureRequirements};
use badlambda_shared::execution::Execution;
use badlambda_shared::execution::message::Received;
use badlambda_shared::execution::result_encoding::ResultEncoding;
use badlambda_shared::execution::trace::Trace;
use badlambda_shared::function::{Compatibility, FunctionConfig, Manifest, Version};
use badlambda_shared::timestamp::Timestamp;
use badlambda_worker::sandbox::read_answer;
use badlambda_zygote::protocol::{CleanerReply, CleanerRequest, Confined, Confinement, Report, Request};
use badlambda_zygote::report::{REPORT_BYTES, TemplateReport};
use badlambda_zygote::wire;
use hyper::Request as HttpRequest;
use hyper::http::HeaderValue;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, send, socketpair};
use serde::de::DeserializeOwned;

/// A parser under test.
pub type Parser = fn(&[u8]);

/// All of them, by the names of their corpora.
pub const ALL: [(&str, Parser); 8] = [
    ("answer", answer),
    ("packet", packet),
    ("report", report),
    ("envelope", envelope),
    ("record", record),
    ("function", function),
    ("syntax", ruby_syntax),
    ("signature", signature),
];

/// What an execution wrote to its answer's pipe.
pub fn answer(bytes: &[u8]) {
    for (compatibility, most) in
        [(Compatibility::None, 1000), (Compatibility::Lambda, ResultEncoding::most_json_bytes(1000) as usize)]
    {
        let config = FunctionConfig { max_result_bytes: 1000, compatibility, ..FunctionConfig::default() };
        if let Some(Ok(json)) = read_answer(bytes, &config) {
            assert!(json.len() <= most);
            serde_json::from_str::<serde::de::IgnoredAny>(&json).expect("a result is JSON");
        }
    }
}

/// A packet between worker, zygote and cleaner.
pub fn packet(bytes: &[u8]) {
    read_packet::<Confinement>(bytes);
    read_packet::<Confined>(bytes);
    read_packet::<Request>(bytes);
    read_packet::<Report>(bytes);
    read_packet::<CleanerRequest>(bytes);
    read_packet::<CleanerReply>(bytes);
}

fn read_packet<T: DeserializeOwned>(bytes: &[u8]) {
    let pair: nix::Result<(OwnedFd, OwnedFd)> =
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let (ours, theirs) = pair.expect("a pair of sockets");
    let sent = send(ours.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT);
    drop(ours);
    if sent.is_ok() {
        // An error or the end; nothing hangs, nothing panics.
        let _ = wire::receive::<T>(theirs.as_fd(), &mut Vec::new());
    }
}

/// What a template wrote to its pipe.
pub fn report(bytes: &[u8]) {
    for bytes in bytes.windows(REPORT_BYTES).step_by(REPORT_BYTES) {
        let Ok(bytes) = bytes.try_into() else { return };
        if let Some(report) = TemplateReport::from_bytes(bytes) {
            assert_eq!(TemplateReport::from_bytes(&report.to_bytes()), Some(report));
        }
    }
}

/// A message's body, and behind the first newline its attributes: function and traceparent.
pub fn envelope(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\n');
    let (body, function, header) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let trace = Trace::read(header, header);
    let sent_at = Timestamp::now();
    let received = Received { message_id: "m-1", body, function, sent_at, trace: &trace };
    if let Ok(request) = received.parse(None) {
        let again = serde_json::to_string(&request.function).expect("a name is JSON");
        assert!(!again.is_empty() && request.id.as_str().len() <= 128);
    }
}

/// An execution's record.
pub fn record(bytes: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<Execution>(bytes) {
        let written = serde_json::to_vec(&record).expect("a record can be written");
        serde_json::from_slice::<Execution>(&written).expect("and read again");
    }
}

/// A function's manifest, or one version.
pub fn function(bytes: &[u8]) {
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) {
        let _ = manifest.resolve(None);
        serde_json::to_vec(&manifest).expect("a manifest can be written");
    }
    if let Ok(version) = serde_json::from_slice::<Version>(bytes) {
        serde_json::to_vec(&version).expect("a version can be written");
    }
}

/// A function's code, as the API reads it.
pub fn ruby_syntax(bytes: &[u8]) {
    if let Ok(code) = std::str::from_utf8(bytes) {
        let _ = syntax::form_of(code, None);
        let _ = syntax::form_of(code, Some("perform"));
    }
}

/// The head of a request that is signed.
pub fn signature(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut first = lines.next().unwrap_or_default().split(|byte| *byte == b' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let mut request = HttpRequest::builder().method(method).uri(target);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = HeaderValue::from_bytes(line.get(colon + 1..).unwrap_or_default().trim_ascii());
        request = match value {
            Ok(value) => request.header(&line[..colon], value),
            Err(_) => return,
        };
    }
    let Ok(request) = request.body(()) else { return };
    let parts = request.into_parts().0;
    let required = SignatureRequirements {
        service: "lambda",
        region: None,
        max_skew: Duration::MAX,
        allow_session_token: true,
        allow_unsigned_body: true,
    };
    if let Ok(signature) = Signature::read(&parts) {
        let good = signature.check(Some("secret"), &[0; 32], &required, SystemTime::UNIX_EPOCH);
        assert!(good.is_err(), "nobody can sign by chance");
    }
}
