//! Finds the Ruby to embed: the one that `RUBY` names, or `ruby` in the path.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=RUBY");
    #[expect(clippy::disallowed_methods, reason = "Cargo tells a build script by the environment")]
    let ruby = std::env::var("RUBY").unwrap_or_else(|_| "ruby".to_owned());
    let config = |key: &str| -> String {
        let script = format!("print RbConfig::CONFIG.fetch('{key}')");
        let output = Command::new(&ruby).args(["-rrbconfig", "-e", &script]).output();
        match output {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
            _ => panic!("no usable Ruby: install Ruby with its headers, or set RUBY to its path"),
        }
    };
    let (directory, name) = (config("libdir"), config("RUBY_SO_NAME"));
    for argument in [format!("-L{directory}"), format!("-Wl,-rpath,{directory}"), format!("-l{name}")] {
        println!("cargo:rustc-link-arg-bin=badlambda-zygote={argument}");
    }
}
