//! Messages that a careless or hostile producer could send. JSON is generated as text, so that it may hold what no
//! serializer would write.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// A message with the attributes that matter to what it asks for.
#[derive(Clone, Debug)]
pub struct Hostile {
    /// The body.
    pub body: String,
    /// The attribute `function`.
    pub function: Option<String>,
    /// The attribute `traceparent`.
    pub traceparent: Option<String>,
    /// Attributes that nobody asked for.
    pub others: Vec<(String, String)>,
}

/// Any such message.
pub fn messages() -> impl Strategy<Value = Hostile> {
    let function = option::weighted(0.4, prop_oneof![4 => functions(), 1 => text()]);
    let traceparent = option::weighted(0.2, prop_oneof!["00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", text()]);
    (bodies(), function, traceparent, others()).prop_map(|(body, function, traceparent, others)| Hostile {
        body,
        function,
        traceparent,
        others,
    })
}

fn bodies() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => envelopes(),
        2 => json(),
        1 => text(),
        1 => vec(any::<u8>(), 0..200).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => deep(),
        1 => (envelopes(), 0.0..1.0).prop_map(|(envelope, part)| cut(&envelope, part)),
    ]
}

/// An object with an envelope's fields, some of them wrong, missing, unknown or there twice.
fn envelopes() -> impl Strategy<Value = String> {
    let good = Just(r#""function":"hello""#.to_owned());
    let function =
        prop_oneof![3 => good, 2 => field("function", quoted(functions())), 1 => field("function", json())];
    let fields = vec(
        prop_oneof![
            field("id", quoted(ids())),
            field("id", json()),
            field("input", json()),
            field("input", deep()),
            field("input_key", quoted(keys())),
            field("version", versions()),
            field("revision", quoted(revisions())),
            field("submitted_at", quoted(times())),
            (quoted(text()), json()).prop_map(|(name, value)| format!("{name}:{value}")),
        ],
        0..4,
    );
    (option::weighted(0.9, function), fields)
        .prop_map(|(function, fields)| function.into_iter().chain(fields).collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

fn functions() -> impl Strategy<Value = String> {
    const TRICKS: &[&str] = &[
        "hello",
        "hello:1",
        "hello:9",
        "hello:live",
        "hello:1:1",
        "hello:",
        ":1",
        "hello:0",
        "hello:-1",
        "../hello",
        "hello/../../code",
        "/hello",
        "hello\0",
        "hello\n",
        "HELLO",
        "héllo",
        "..",
        ".",
        "",
        "%2e%2e",
        "hello ",
        "hello:4294967296",
        "nobody",
    ];
    prop_oneof![3 => any_of(TRICKS), 1 => "[a-z/.:]{1,8}", 1 => "[a-z]{64,66}"]
}

fn ids() -> impl Strategy<Value = String> {
    const TRICKS: &[&str] = &[
        "order-7",
        "..",
        "../../functions/hello/function",
        "a/b",
        "",
        "record.json",
        "%2f",
        "a\0",
        "é",
        "-",
    ];
    prop_oneof![
        3 => any_of(TRICKS),
        1 => "[0-9a-hjkmnp-tv-z]{31}",
        1 => "[a-zA-Z0-9_-]{127,129}",
        1 => text(),
    ]
}

fn keys() -> impl Strategy<Value = String> {
    const TRICKS: &[&str] = &[
        "functions/hello/function.json",
        "executions/0/hello/order-7/input.json",
        "",
        "/",
        "../input.json",
        "executions/0/hello/order-7/../../../../functions/hello/function.json",
        "executions/0/other/order-7/input.json",
        "dead-letters/x",
        "https://example.com/",
        "\0",
    ];
    prop_oneof![any_of(TRICKS), text()]
}

fn versions() -> impl Strategy<Value = String> {
    const TRICKS: &[&str] =
        &["1", "0", "-1", "9", "1.0", "1e0", "4294967296", "\"live\"", "\"1\"", "\"../1\"", "null", "[1]"];
    prop_oneof![2 => any_of(TRICKS), 1 => json()]
}

fn revisions() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[0-9a-f]{64}", 1 => "[0-9a-fA-F]{63,65}", 1 => text()]
}

fn times() -> impl Strategy<Value = String> {
    const TRICKS: &[&str] = &[
        "2026-01-01T00:00:00Z",
        "0000-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "9999-12-31T23:59:60Z",
        "-0001-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "1970-01-01",
        "now",
        "",
    ];
    any_of(TRICKS)
}

/// JSON that is well formed, or nearly.
fn json() -> impl Strategy<Value = String> {
    const NUMBERS: &[&str] =
        &["0", "-0", "1e999999", "-1E-999999", "1.", "01", "NaN", "0.1e+5", "18446744073709551616", "- 1"];
    let leaf = prop_oneof![
        select(&["null", "true", "false", "nil", "\"\\ud800\"", "\"\\u0000\"", "\"\\x\"", "{}", "[]"][..])
            .prop_map(str::to_owned),
        any_of(NUMBERS),
        (300usize..400).prop_map(|digits| "7".repeat(digits)),
        quoted(text()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let object = vec((select(&["a", "a", "function", "json_class", ""][..]), inner.clone()), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            object.prop_map(|fields| {
                let fields: Vec<_> =
                    fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", fields.join(", "))
            }),
        ]
    })
}

/// Nested around the bound of a hundred levels, or far beyond it.
fn deep() -> impl Strategy<Value = String> {
    let open = select(&[("[", "]"), ("{\"a\":", "}")][..]);
    (open, prop_oneof![98usize..103, 4_000usize..6_000], any::<bool>()).prop_map(
        |((open, close), levels, is_closed)| {
            let end = if is_closed { close.repeat(levels) } else { String::new() };
            format!("{}1{end}", open.repeat(levels))
        },
    )
}

/// Anything that a string can hold, with a liking for what breaks lines, logs and paths.
fn text() -> impl Strategy<Value = String> {
    const TRICKS: &[&str] = &[
        "\0",
        "\n",
        "\r\n",
        "\u{1b}[31m",
        "\u{202e}",
        "\u{feff}",
        "\u{fffe}",
        "\u{ffff}",
        "💎",
        "../",
        "\\",
        "\"",
        "'",
        "é",
        "e\u{301}",
        "\u{10ffff}",
        "{}",
        "%00",
    ];
    prop_oneof![
        any::<String>(),
        vec(select(TRICKS), 0..6).prop_map(|parts| parts.concat()),
        (select(TRICKS), 1usize..5_000).prop_map(|(trick, times)| trick.repeat(times)),
    ]
}

fn others() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = select(
        &[
            "Function",
            "badlambda_history",
            "badlambda_execution",
            "badlambda_reason",
            "badlambda_body_key",
            "badlambda_kind",
            "x",
            "y.z",
            "content-type",
        ][..],
    );
    let values = prop_oneof![
        select(
            &[
                "4294967295",
                "-1",
                "order-7",
                "code/x",
                "../x",
                r#"{"attempts":4294967295,"lost":4294967295,"not_before":"9999-12-31T23:59:59Z"}"#,
            ][..],
        )
        .prop_map(str::to_owned),
        text(),
        (1usize..100_000).prop_map(|bytes| "x".repeat(bytes)),
    ];
    prop_oneof![3 => Just(vec![]), 1 => vec((names.prop_map(str::to_owned), values), 1..9)]
}

fn any_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(texts).prop_map(str::to_owned)
}

fn field(name: &'static str, value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    value.prop_map(move |value| format!("\"{name}\":{value}"))
}

/// Mostly as JSON writes it, sometimes with nothing escaped.
fn quoted(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (text, prop::bool::weighted(0.9)).prop_map(|(text, is_escaped)| {
        if is_escaped { serde_json::Value::String(text).to_string() } else { format!("\"{text}\"") }
    })
}

fn cut(text: &str, part: f64) -> String {
    let chars = (text.chars().count() as f64 * part) as usize;
    text.chars().take(chars).collect()
}
