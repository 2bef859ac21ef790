//! Makes the console's files part of the program: its scripts and styles minified, and all compressed ahead. A browser
//! takes the files of `console/` as they are, too.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_minifier::{Minifier, MinifierOptions};
use oxc_parser::Parser;
use oxc_span::SourceType;

#[expect(clippy::disallowed_methods, reason = "Cargo says where to build by the environment")]
fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=console");
    let out = std::env::var("OUT_DIR").map_err(Error::other)?;
    let served = Path::new(&out).join("console");
    if served.exists() {
        fs::remove_dir_all(&served)?;
    }
    copy_folder(Path::new("console"), &served)?;
    // The macro takes a literal alone.
    let embed = format!("static_serve::embed_assets!({served:?}, compress = true, strip_html_ext = true);\n");
    fs::write(Path::new(&out).join("console.rs"), embed)
}

/// Copies what is served. What else lies in the folder is for those who work on it.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (file, copy) = (entry.path(), to.join(entry.file_name()));
        match file.extension().and_then(|extension| extension.to_str()) {
            _ if entry.file_type()?.is_dir() => copy_folder(&file, &copy)?,
            Some("js") => fs::write(copy, minified(&file, &fs::read_to_string(&file)?)?)?,
            Some("css") => {
                let css = fs::read_to_string(&file)?;
                fs::write(copy, minifier::css::minify(&css).map_err(Error::other)?.to_string())?;
            }
            Some("html" | "svg") => drop(fs::copy(&file, copy)?),
            _ => {}
        }
    }
    Ok(())
}

/// A module without comments and blanks, and with short names for what it does not export.
fn minified(file: &Path, source: &str) -> Result<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::mjs()).parse();
    if let Some(error) = parsed.diagnostics.into_iter().next() {
        return Err(Error::other(format!("{}: {error}", file.display())));
    }
    let mut program = parsed.program;
    let minified = Minifier::new(MinifierOptions::default()).minify(&allocator, &mut program);
    let code = Codegen::new()
        .with_options(CodegenOptions::minify())
        .with_scoping(minified.scoping)
        .with_private_member_mappings(minified.class_private_mappings)
        .build(&program)
        .code;
    Ok(code)
}
