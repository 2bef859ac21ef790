//! What code finds that was made for AWS Lambda: results that are sent as they are.

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::function::Form;
use badlambda_shared::result_encoding::ResultEncoding;
use badlambda_worker::sandbox::{Outcome, Task};
use serde_json::{Value, json};

use super::fixture::{executor, kind, result, task};

fn run(code: &str, event: Value) -> Outcome {
    let task = task(Form::Handler, code, json!({"compatibility": "lambda"}), event);
    executor().execute(&Task { version: 0, ..task }).unwrap()
}

#[test]
fn what_can_be_read_is_sent_as_it_is() {
    let code = "require \"stringio\"\ndef handler(event:, context:) = StringIO.new(event[\"text\"])";
    let run = |text: &str| run(code, json!({"text": text}));
    let json = run("{\"a\":  1}");
    assert_eq!((json.result.unwrap().as_str(), json.result_encoding), ("{\"a\":  1}", None));
    let text = run("<p>\n");
    assert_eq!(
        (text.result.unwrap().as_str(), text.result_encoding),
        ("\"PHA+Cg==\"", Some(ResultEncoding::Base64))
    );

    let file = "require \"tmpdir\"\ndef handler(event:, context:)\n  File.binwrite(Dir.tmpdir + \"/x\", \"\\xff\\0\")\n  File.open(Dir.tmpdir + \"/x\", \"rb\")\nend";
    let bytes = self::run(file, json!(null));
    assert_eq!(
        (bytes.result.unwrap().as_str(), bytes.result_encoding),
        ("\"/wA=\"", Some(ResultEncoding::Base64))
    );

    let config = json!({"compatibility": "lambda", "max_result_bytes": 3});
    let large = task(Form::Handler, code, config, json!({"text": "four"}));
    let large = Task { revision: "large".to_owned(), ..large };
    assert_eq!(kind(&executor().execute(&large).unwrap()), ErrorKind::ResultTooLarge);
    // Elsewhere results are JSON.
    let native = task(Form::Handler, code, json!({}), json!({"text": "x"}));
    let native = executor().execute(&Task { revision: "native".to_owned(), ..native }).unwrap();
    assert!(result(&native).as_str().unwrap().starts_with("#<StringIO"), "{native:?}");
}
