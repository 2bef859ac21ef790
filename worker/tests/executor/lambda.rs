//! What code finds that was made for AWS Lambda: a `/tmp`, and results that are sent as they are.

use badlambda_shared::execution::ErrorKind;
use badlambda_shared::execution::result_encoding::ResultEncoding;
use badlambda_shared::function::Form;
use badlambda_worker::sandbox::{Outcome, Task};
use serde_json::{Value, json};

use super::fixture::{executor, kind, result, task};

fn run(code: &str, event: Value) -> Outcome {
    let task = task(Form::Handler, code, json!({"compatibility": "lambda"}), event);
    executor().execute(&Task { version: 0, ..task }).unwrap()
}

const WRITES_TO_TMP: &str = r#"
require "csv"
require "fileutils"
require "tempfile"

def handler(event:, context:)
  left = Dir.children("/tmp")
  File.write("/tmp/a.txt", event)
  File.rename("/tmp/a.txt", "/tmp/b.txt")
  CSV.open("/tmp/c.csv", "w") { |csv| csv << [1, 2] }
  log = Logger.new("/tmp/d.log")
  log.info("logged")
  log.close
  FileUtils.mkdir_p("/tmp/e/f")
  FileUtils.cp("/tmp/b.txt", "/tmp/e/f/g.txt")
  named = Tempfile.create("h", "/tmp") { |file| file.path.start_with?("/tmp/h") && File.exist?(file.path) }
  files = Dir.glob("/tmp/**/*").select { |path| File.file?(path) }.sort
  own = Dir.tmpdir + "/b.txt"
  raise ArgumentError, own if event == "raise"

  { left: left, read: File.read("/tmp/b.txt"), csv: CSV.read("/tmp/c.csv"), log: File.read("/tmp/d.log").end_with?("logged\n"),
    named: named, files: files, own: File.identical?(own, "/tmp/b.txt") }
end
"#;

#[test]
fn what_is_written_to_tmp_is_there_until_the_execution_ends() {
    for event in ["one", "two"] {
        let expected = json!({
            "left": [], "read": event, "csv": [["1", "2"]], "log": true, "named": true,
            "files": ["/tmp/b.txt", "/tmp/c.csv", "/tmp/d.log", "/tmp/e/f/g.txt"], "own": true,
        });
        assert_eq!(result(&run(WRITES_TO_TMP, json!(event))), expected);
    }
    // Where that is, is no matter of the function's.
    let raised = run(WRITES_TO_TMP, json!("raise")).result.unwrap_err();
    assert_eq!(raised.message, "/tmp/b.txt");
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

    let file = "def handler(event:, context:)\n  File.binwrite(\"/tmp/x\", \"\\xff\\0\")\n  File.open(\"/tmp/x\", \"rb\")\nend";
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
