//! Gems that the machine has, wherever they lie.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::fixtures::fleet::program;

const GEMSPEC: &str = r#"
Gem::Specification.new do |spec|
  spec.name = "badlambda_greeting"
  spec.version = "1.2.3"
  spec.summary = "Greets"
  spec.author = "A test"
  spec.files = ["lib/badlambda_greeting.rb"]
end
"#;

/// Builds a gem and installs it in a folder of its own, which is returned with it.
fn install_a_gem() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let gem = |arguments: &[&str]| {
        let output = Command::new("gem").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    fs::create_dir(folder.path().join("lib")).unwrap();
    fs::write(folder.path().join("badlambda_greeting.gemspec"), GEMSPEC).unwrap();
    let library = "module BadlambdaGreeting; LOADED_IN = $$; def self.to(name) = \"Hello, #{name}!\"; end";
    fs::write(folder.path().join("lib/badlambda_greeting.rb"), library).unwrap();
    gem(&["build", "--quiet", "badlambda_greeting.gemspec"]);
    gem(&[
        "install",
        "--quiet",
        "--local",
        "--no-document",
        "--install-dir",
        "gems",
        "badlambda_greeting-1.2.3.gem",
    ]);
    folder
}

fn run(code: &str, gems: Option<&Path>, preload: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("function.rb");
    fs::write(&path, code).unwrap();
    let mut command = program("badlambda");
    command.arg("run").arg(&path).env("BADLAMBDA_PRELOAD", preload);
    if let Some(gems) = gems {
        command.env("GEM_PATH", gems);
    }
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

#[test]
fn an_installed_gem_can_be_required_and_loaded_before() {
    let folder = install_a_gem();
    let gems = folder.path().join("gems");
    let code = r#"require "badlambda_greeting"; [BadlambdaGreeting.to("Ada"), Gem.loaded_specs["badlambda_greeting"].version.to_s]"#;
    assert_eq!(stdout(&run(code, Some(&gems), "")), r#"["Hello, Ada!","1.2.3"]"#);
    let code = "[BadlambdaGreeting.to('Ada'), BadlambdaGreeting::LOADED_IN == $$]";
    assert_eq!(stdout(&run(code, Some(&gems), "badlambda_greeting")), r#"["Hello, Ada!",false]"#);
    let code = format!("File.write('{}/x', 'x')", gems.display());
    let refused = String::from_utf8(run(&code, Some(&gems), "").stderr).unwrap();
    assert!(refused.contains("Permission denied"), "{refused}");
}

#[test]
fn a_gem_that_is_not_there_is_rubys_own_error() {
    let output = run(r#"require "badlambda_nonsense""#, None, "");
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("LoadError") && message.contains("badlambda_nonsense"), "{message}");
}

#[test]
fn a_library_that_cannot_be_loaded_before_is_named() {
    let output = run("1", None, "json,badlambda_nonsense");
    assert_eq!(output.status.code(), Some(3));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("BADLAMBDA_PRELOAD") && message.contains("badlambda_nonsense"), "{message}");
}
