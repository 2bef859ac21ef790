//! What others made of a signed request, or was signed for something else: each is refused for its reason.

use super::requests::{BODY, NOW, REQUEST, Signer, checked, from_text};
use super::{SignatureError, SignatureErrorClass};
use crate::limits;

/// The head of [`REQUEST`], signed, as it goes over the wire.
fn signed_text() -> String {
    let parts = Signer::default().sign(REQUEST);
    let mut text = format!("{} {} HTTP/1.1\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    text
}

#[test]
fn what_was_changed_is_refused() {
    use SignatureError::{
        AbsentHeader, Malformed, MalformedDate, Mismatch, Missing, NotAscii, OtherBody, OtherScheme,
        OtherScope, Presigned, RepeatedHeader, TooLong, UnknownKey, UnsignedBody, UnsignedHeader,
    };
    let scope = |what, needed: &str| OtherScope { what, needed: needed.to_owned() };
    let (absent, unsigned) =
        (|name: &str| AbsentHeader(name.into()), |name: &str| UnsignedHeader(name.into()));
    let (repeated, not_ascii) =
        (|name: &str| RepeatedHeader(name.into()), |name: &str| NotAscii(name.into()));
    let too_long = || TooLong { what: "Authorization header", most: limits::MAX_AUTHORIZATION_BYTES };
    // What is replaced in the request's text, by what, and what comes of it.
    let cases = [
        // The header.
        ("authorization: ", "x-other: ", Missing),
        ("authorization: ", "authorization: Bearer x\nauthorization: ", repeated("authorization")),
        ("authorization: AWS4-HMAC-SHA256", "authorization: ", OtherScheme),
        ("AWS4-HMAC-SHA256", "aws4-hmac-sha256", OtherScheme),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256-PAYLOAD", OtherScheme),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", OtherScheme),
        ("AWS4-HMAC-SHA256", "AWS", OtherScheme),
        ("AWS4-HMAC-SHA256", "Bearer", OtherScheme),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256\u{e9}", not_ascii("authorization")),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 {long}", too_long()),
        ("{authorization}", "AWS4-HMAC-SHA256", Malformed("NAME=VALUE")),
        ("{authorization}", "AWS4-HMAC-SHA256 =,=,=", Malformed("NAME")),
        ("{authorization}", "AWS4-HMAC-SHA256 Credential=ID", Malformed("SignedHeaders")),
        ("{authorization}", "", OtherScheme),
        // Its fields.
        ("Credential=AKIDEXAMPLE/20260131/us-east-1/lambda/aws4_request, ", "", Malformed("Credential")),
        ("Credential=AKIDEXAMPLE", "Credential=", Malformed("Credential")),
        ("Credential=", "Credential=x, Credential=", Malformed("Credential")),
        ("Credential=", "credential=", Malformed("NAME")),
        ("Credential=", "Other=x, Credential=", Malformed("NAME")),
        ("/20260131/", "/", Malformed("Credential")),
        ("/aws4_request", "", Malformed("Credential")),
        ("/aws4_request", "/aws4_request/x", Malformed("Credential")),
        ("SignedHeaders={names}, ", "", Malformed("SignedHeaders")),
        ("SignedHeaders={names}", "SignedHeaders={names}, SignedHeaders={names}", Malformed("SignedHeaders")),
        ("SignedHeaders={names}", "SignedHeaders=", Malformed("SignedHeaders")),
        ("SignedHeaders={names}", "SignedHeaders={names};", Malformed("SignedHeaders")),
        ("SignedHeaders=content-type;host", "SignedHeaders=host;content-type", Malformed("SignedHeaders")),
        ("SignedHeaders=content-type;host", "SignedHeaders=content-type;Host", Malformed("SignedHeaders")),
        (
            "SignedHeaders=content-type;host",
            "SignedHeaders=content-type;host;host",
            Malformed("SignedHeaders"),
        ),
        ("SignedHeaders=", "SignedHeaders={hundred};", Malformed("SignedHeaders")),
        (", Signature={signature}", "", Malformed("Signature")),
        (", Signature={signature}", ", Signature=", Malformed("Signature")),
        ("{signature}", "{signature}, Signature={signature}", Malformed("Signature")),
        ("{signature}", "{cut}", Malformed("Signature")),
        ("{signature}", "{signature}0", Malformed("Signature")),
        ("{signature}", "{cut}g", Malformed("Signature")),
        ("{signature}", "{upper}", Malformed("Signature")),
        ("{signature}", "{zeros}", Mismatch),
        ("{signature}", "{long}", too_long()),
        // The scope.
        ("AKIDEXAMPLE", "AKIDEXAMPLF", UnknownKey),
        ("AKIDEXAMPLE", "akidexample", UnknownKey),
        ("/20260131/", "/20260130/", scope("date", "20260131")),
        ("/us-east-1/", "/us-east-2/", scope("region", "us-east-1")),
        ("/us-east-1/", "//", scope("region", "us-east-1")),
        ("/lambda/", "/sqs/", scope("service", "lambda")),
        ("/lambda/", "/LAMBDA/", scope("service", "lambda")),
        ("/aws4_request", "/aws5_request", scope("last part", "aws4_request")),
        // The date.
        ("x-amz-date: {date}\n", "", MalformedDate),
        ("x-amz-date: {date}", "x-amz-date: {date}\nx-amz-date: {date}", repeated("x-amz-date")),
        ("x-amz-date: {date}", "x-amz-date: ", MalformedDate),
        ("x-amz-date: {date}", "x-amz-date: 2026-01-31T23:58:00Z", MalformedDate),
        ("x-amz-date: {date}", "x-amz-date: 20260230T235800Z", MalformedDate),
        ("x-amz-date: {date}", "x-amz-date: Sat, 31 Jan 2026 23:58:00 GMT", MalformedDate),
        ("x-amz-date: {date}", "x-amz-date: {long}", MalformedDate),
        ("x-amz-date: {date}", "x-amz-date: \u{e9}", not_ascii("x-amz-date")),
        ("x-amz-date: {date}", "x-amz-date: 20260131T235801Z", Mismatch),
        ("x-amz-date: {date}", "date: Sat, 31 Jan 2026 23:58:00 GMT", absent("x-amz-date")),
        // Other headers.
        ("host: localhost:8080\n", "", absent("host")),
        ("host: localhost:8080", "host: localhost:8080\nhost: localhost:8080", repeated("host")),
        ("host: localhost:8080", "host: localhost:8081", Mismatch),
        ("host: localhost:8080", "host: ", Mismatch),
        ("host: localhost:8080", "host: http://x/y?z#[", Mismatch),
        ("host: localhost:8080", "host: \u{e9}", not_ascii("host")),
        ("content-type;host", "content-type", unsigned("host")),
        ("x-amz-date;x-amz-invocation-type", "x-amz-invocation-type", unsigned("x-amz-date")),
        ("x-amz-date;x-amz-invocation-type", "x-amz-date", unsigned("x-amz-invocation-type")),
        ("authorization: ", "X-Amz-Log-Type: Tail\nauthorization: ", unsigned("x-amz-log-type")),
        ("x-amz-invocation-type: Event", "x-amz-invocation-type: DryRun", Mismatch),
        (
            "x-amz-invocation-type: Event",
            "x-amz-invocation-type: Event\nx-amz-invocation-type: DryRun",
            Mismatch,
        ),
        ("content-type: application/json\n", "", absent("content-type")),
        ("content-type: application/json", "content-type: {long}", Mismatch),
        ("content-type: application/json", "content-type: \u{e9}", not_ascii("content-type")),
        (
            "authorization: ",
            "x-amz-content-sha256: {zeros}\nauthorization: ",
            unsigned("x-amz-content-sha256"),
        ),
        ("x-amz-date;", "x-amz-content-sha256;x-amz-date;", absent("x-amz-content-sha256")),
        ("{hashed}", "x-amz-content-sha256: {zeros}\n", OtherBody),
        ("{hashed}", "x-amz-content-sha256: UNSIGNED-PAYLOAD\n", UnsignedBody),
        ("{hashed}", "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n", OtherBody),
        ("{hashed}", "x-amz-content-sha256: x\nx-amz-content-sha256: x\n", repeated("x-amz-content-sha256")),
        // The request line.
        ("POST /", "PUT /", Mismatch),
        ("%24LATEST/invocations", "%24LATESU/invocations", Mismatch),
        ("%24LATEST/invocations", "$LATEST/invocations", Mismatch),
        ("%24LATEST/invocations", "%2524LATEST/invocations", Mismatch),
        ("Marker=", "Marker=1", Mismatch),
        ("Qualifier=", "qualifier=", Mismatch),
        ("&Marker=", "", Mismatch),
        ("Marker=", "Marker=&X-Amz-Signature={zeros}", Presigned),
        ("Marker=", "Marker=&x-amz-credential", Presigned),
        (
            "Marker=",
            "Marker={long for a URI}",
            TooLong { what: "path and query", most: limits::MAX_SIGNED_TARGET_BYTES },
        ),
    ];
    let plain = signed_text();
    for (find, replace, expected) in cases {
        let text = edited(&plain, find, replace);
        assert_eq!(checked(&from_text(&text).0, BODY), Err(expected), "{find:?} by {replace:.80?}");
    }
}

/// The text with the first `find` replaced. Both may hold names of parts of the text in braces.
fn edited(text: &str, find: &str, replace: &str) -> String {
    let after = |label: &str| text.split_once(label).unwrap().1.lines().next().unwrap().to_owned();
    let signature = after("Signature=");
    let hundred: Vec<String> = (0..100).map(|n| format!("a{n:03}")).collect();
    let parts = [
        ("{authorization}", after("authorization: ")),
        ("{names}", after("SignedHeaders=").split(',').next().unwrap().to_owned()),
        ("{date}", after("x-amz-date: ")),
        ("{cut}", signature[..63].to_owned()),
        // A signature without a letter has no upper case.
        ("{upper}", format!("A{}", &signature[1..])),
        ("{signature}", signature),
        ("{zeros}", "0".repeat(64)),
        ("{hundred}", hundred.join(";")),
        ("{long}", "x".repeat(100_000)),
        // A URI has at most 64 KiB.
        ("{long for a URI}", "x".repeat(60_000)),
    ];
    let written_out = |pattern: &str| {
        parts.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    // A header that is signed in name, and then what it says.
    if find == "{hashed}" {
        let named = text.replace("x-amz-date;", "x-amz-content-sha256;x-amz-date;");
        return named.replacen("authorization: ", &format!("{}authorization: ", written_out(replace)), 1);
    }
    let find = written_out(find);
    assert!(text.contains(&find), "{find} is not in {text}");
    text.replacen(&find, &written_out(replace), 1)
}

#[test]
fn what_was_signed_for_something_else_is_refused() {
    let skewed = |signed_at: &str| SignatureError::Skewed {
        signed_at: signed_at.to_owned(),
        now: "20260131T235800Z".to_owned(),
        max_minutes: 5,
    };
    let scope = |what, needed: &str| SignatureError::OtherScope { what, needed: needed.to_owned() };
    let plain = Signer::default;
    for (signer, expected) in [
        (Signer { at: NOW - 301, ..plain() }, skewed("20260131T235259Z")),
        (Signer { at: NOW + 301, ..plain() }, skewed("20260201T000301Z")),
        (Signer { at: 0, ..plain() }, skewed("19700101T000000Z")),
        (Signer { at: 253_402_300_799, ..plain() }, skewed("99991231T235959Z")),
        (Signer { service: "sqs", ..plain() }, scope("service", "lambda")),
        (Signer { region: "eu-west-1", ..plain() }, scope("region", "us-east-1")),
        (Signer { session_token: Some("token"), ..plain() }, SignatureError::SessionToken),
        (Signer { unsigned_body: true, states_hash: true, ..plain() }, SignatureError::UnsignedBody),
        (
            Signer { unsigned_headers: vec!["host"], ..plain() },
            SignatureError::UnsignedHeader("host".to_owned()),
        ),
        (
            Signer { unsigned_headers: vec!["x-amz-invocation-type"], ..plain() },
            SignatureError::UnsignedHeader("x-amz-invocation-type".to_owned()),
        ),
    ] {
        assert_eq!(checked(&signer.sign(REQUEST), BODY), Err(expected));
    }
    let parts = plain().sign(REQUEST);
    assert_eq!(checked(&parts, b""), Err(SignatureError::Mismatch));
    let long = "!".repeat(limits::MAX_SIGNED_TARGET_BYTES - "/?".len());
    let parts = plain().sign(&format!("GET /?{long} HTTP/1.1\nhost: localhost"));
    assert_eq!((checked(&parts, b""), checked(&parts, BODY)), (Ok(()), Err(SignatureError::Mismatch)));
}

#[test]
fn names_are_told_shortened_and_errors_by_their_class() {
    let long = "x-amz-".to_owned() + &"a".repeat(10_000);
    let text = signed_text().replacen("host: ", &format!("{long}: 1\nhost: "), 1);
    let error = checked(&from_text(&text).0, BODY).unwrap_err();
    assert_eq!(error, SignatureError::UnsignedHeader(long[..64].to_owned()));
    for (error, class) in [
        (SignatureError::Missing, SignatureErrorClass::Missing),
        (SignatureError::Malformed("Signature"), SignatureErrorClass::Incomplete),
        (SignatureError::UnknownKey, SignatureErrorClass::Unrecognized),
        (error, SignatureErrorClass::Invalid),
    ] {
        assert_eq!(error.class(), class);
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}
