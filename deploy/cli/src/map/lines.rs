//! Writing what came of inputs: to stdout, or, where it failed and a file is named for that, there.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use badlambda_shared::map::ItemStatus;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::output::{Failure, Output, print};

/// So much is gathered before it is written: a million lines are not a million writes.
const GATHERED_BYTES: usize = 64 * 1024;

/// Where lines go.
pub(super) struct ItemLines {
    output: Output,
    gathered: Vec<u8>,
    failures: Option<(PathBuf, BufWriter<File>)>,
}

/// What of a line decides where it goes.
#[derive(Deserialize)]
struct Item {
    index: u64,
    status: ItemStatus,
}

impl ItemLines {
    /// Makes the file for what fails, if one is named.
    pub(super) fn open(output: Output, failures: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| {
            let file = File::create(path).map_err(|error| unwritable(path, &error))?;
            Ok::<_, Failure>((path.to_owned(), BufWriter::new(file)))
        };
        Ok(Self { output, gathered: vec![], failures: failures.map(open).transpose()? })
    }

    /// Takes a line, and returns its index.
    pub(super) fn take(&mut self, line: Vec<u8>) -> Result<u64, Failure> {
        let not_ours =
            |_| Failure::Ours("the API sent a result that is none; is it of another version?".to_owned());
        let Item { index, status } = serde_json::from_slice(&line).map_err(not_ours)?;
        match &mut self.failures {
            Some((path, file)) if status == ItemStatus::Failed => {
                let written = file.write_all(&line).and_then(|()| file.write_all(b"\n"));
                written.map_err(|error| unwritable(path, &error))?;
            }
            _ if self.output.is_text() => {
                self.gathered.extend_from_slice(&line);
                self.gathered.push(b'\n');
                if self.gathered.len() >= GATHERED_BYTES {
                    self.flush()?;
                }
            }
            _ => {
                let line: Box<RawValue> = serde_json::from_slice(&line).map_err(not_ours)?;
                self.output.print_one(&line, String::new)?;
            }
        }
        Ok(index)
    }

    /// Writes what is gathered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if let Some((path, file)) = &mut self.failures {
            file.flush().map_err(|error| unwritable(path, &error))?;
        }
        print(&String::from_utf8_lossy(&std::mem::take(&mut self.gathered)))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Ours(format!("could not write to {}: {error}", path.display()))
}
