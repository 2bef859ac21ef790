//! `badlambda manual`: manual pages and completions as files, for packages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};

use crate::arguments::Arguments;
use crate::completions::{SHELLS, registration};
use crate::output::Failure;

/// Arguments of `manual`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  $ badlambda manual share")]
pub struct ManualArguments {
    /// The folder, below which they are put where systems have them.
    folder: PathBuf,
}

/// Writes them. The same version of this program writes the same.
pub fn manual(arguments: &ManualArguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let unwritable =
        |error: io::Error| Failure::Usage(format!("could not write to {}: {error}", folder.display()));
    let pages = folder.join("man/man1");
    fs::create_dir_all(&pages).map_err(unwritable)?;
    clap_mangen::generate_to(Arguments::command(), &pages).map_err(unwritable)?;
    for shell in SHELLS {
        let path = folder.join(file_of(shell));
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(unwritable)?;
        fs::write(&path, registration(shell)?).map_err(unwritable)?;
    }
    Ok(())
}

/// Where a shell looks for it.
fn file_of(shell: &str) -> &'static Path {
    Path::new(match shell {
        "bash" => "bash-completion/completions/badlambda",
        "fish" => "fish/vendor_completions.d/badlambda.fish",
        _ => "zsh/site-functions/_badlambda",
    })
}
