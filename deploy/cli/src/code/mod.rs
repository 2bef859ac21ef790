//! The code that a command is given: a Ruby file, a zip, or a folder, which `folder` makes a zip of. [`diff`] is what two
//! functions' code differs in.

pub mod diff;
mod folder;

use std::ffi::OsStr;
use std::path::Path;

use badlambda_client::Code;
use badlambda_shared::function::Handler;
use badlambda_shared::function::package::Package;

pub use self::folder::{SETTINGS_FILE, is_packed};
use crate::input::{as_text, read_bytes};
use crate::output::Failure;

/// What a zip begins with that has something in it.
const ZIP_BEGINS: &[u8] = b"PK\x03\x04";

/// Whether this is a folder that is one function's.
pub fn is_function_folder(path: &Path) -> bool {
    path.join(Handler::USUAL_FILE).with_extension("rb").is_file()
}

/// The code that this path names; `-` reads a Ruby file or a zip from stdin.
pub fn read_code(path: &Path) -> Result<Code, Failure> {
    if path.is_dir() {
        return folder::pack(path).map(Code::Zip);
    }
    let bytes = read_bytes(path)?;
    if path.extension() != Some(OsStr::new("zip")) && !bytes.starts_with(ZIP_BEGINS) {
        return as_text(path, bytes).map(Code::Ruby);
    }
    check_zip(path, &bytes)?;
    Ok(Code::Zip(bytes))
}

/// That it would be taken, as far as that can be told without unpacking it.
fn check_zip(path: &Path, zip: &[u8]) -> Result<(), Failure> {
    let checked = Package::read(zip);
    checked.map(drop).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// The path in a zip of the file that has the handler.
pub fn file_of_handler(handler: Option<&str>) -> String {
    let file = handler.and_then(Handler::of).and_then(|handler| handler.file);
    format!("{}.rb", file.unwrap_or(Handler::USUAL_FILE))
}
