//! What a command is given: text from a file or stdin, and JSON.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::de::IgnoredAny;

use crate::output::Failure;

/// The text of a file, or of stdin where it is called `-`.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    as_text(path, read_bytes(path)?)
}

/// The bytes of a file, or of stdin where it is called `-`.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = if path == Path::new("-") { read_stdin() } else { fs::read(path) };
    bytes.map_err(|error| Failure::Usage(format!("could not read {}: {error}", shown(path))))
}

/// These bytes as text, which were read from there.
pub fn as_text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let shown = shown(path);
        Failure::Usage(format!("{shown} is not UTF-8: line {line} has a byte that is no character"))
    })
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// JSON as it stands on the command line, or on stdin where it is `-`; `what` names it.
pub fn read_json(what: &str, given: &str) -> Result<String, Failure> {
    if given == "-" {
        let text = read_text(Path::new("-"))?;
        return check_json(what, &text).map(|()| text);
    }
    match check_json(what, given) {
        Err(Failure::Usage(sentence)) => {
            Err(Failure::Usage(format!("{sentence}; a string needs quotes of its own: '\"text\"'")))
        }
        checked => checked.map(|()| given.to_owned()),
    }
}

/// That a text is JSON, or else in which line and column it is not; `what` names it.
pub fn check_json(what: &str, text: &str) -> Result<(), Failure> {
    let checked = serde_json::from_str::<IgnoredAny>(text);
    // serde_json tells line and column itself.
    checked.map(drop).map_err(|error| Failure::Usage(format!("{what} is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        assert_eq!(read_json("the input", r#"{"a": 1}"#).unwrap(), r#"{"a": 1}"#);
        let error = read_json("the input", "{\"a\":\n  x}").unwrap_err().to_string();
        assert!(error.starts_with("the input is not JSON: expected value at line 2 column 3"), "{error}");
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), b"one\n\xff").unwrap();
        let error = read_text(file.path()).unwrap_err().to_string();
        assert!(error.contains("is not UTF-8: line 2"), "{error}");
    }
}
