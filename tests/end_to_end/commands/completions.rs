//! What a shell is answered that asks how a line goes on.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Instant;

use badlambda_tests::addresses::free_address;

use super::{Ended, Folder, run};
use crate::fixtures::fleet::{PATIENCE, programs};

/// Asks as fish does, which gives the words, and takes a candidate a line, with what is said of it behind a tab.
fn ask(folder: &Folder, words: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = folder.command(&["--", "badlambda"]);
    command.args(words).env("COMPLETE", "fish").envs(environment.iter().copied());
    let ended = run(command, "");
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{words:?}: {ended:?}");
    ended
}

fn completed(folder: &Folder, words: &[&str]) -> BTreeSet<String> {
    let ended = ask(folder, words, &[]);
    ended.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_shell_learns_names_aliases_and_ids_from_the_api() {
    let folder = Folder::start(&[]);
    for name in ["hello", "help-me", "report"] {
        folder.printed(&["functions", "create", name, "hello.rb"]);
    }
    folder.printed(&["functions", "alias", "hello", "live", "1"]);
    let id = folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#, "--jq", ".id"]);
    let id = id.trim();

    assert_eq!(completed(&folder, &["invoke", "hel"]), set(&["hello", "help-me"]));
    assert_eq!(completed(&folder, &["functions", "show", ""]).len(), 3 + flags(&folder));
    assert_eq!(completed(&folder, &["executions", "list", "--function", "re"]), set(&["report"]));
    assert_eq!(completed(&folder, &["functions", "alias", "hello", "l"]), set(&["live"]));
    assert_eq!(completed(&folder, &["invoke", "hello", "--version", ""]), set(&["$LATEST", "live"]));
    // An execution is listed some seconds after its end.
    let deadline = Instant::now() + PATIENCE;
    while folder.printed(&["executions", "list"]).is_empty() {
        assert!(Instant::now() < deadline, "{id} is not listed");
    }
    let about = ask(&folder, &["executions", "show", &id[..5]], &[]).stdout;
    assert_eq!(about, format!("{id}\thello succeeded\n"));
    assert_eq!(completed(&folder, &["logs", &id[..5]]), set(&[id]));
    assert!(completed(&folder, &["dep"]).contains("deploy"));
}

/// How many flags are proposed where a function may stand.
fn flags(folder: &Folder) -> usize {
    completed(folder, &["functions", "show", ""]).iter().filter(|name| name.starts_with('-')).count()
}

#[test]
fn where_no_api_answers_nothing_is_said() {
    let folder = Folder::start(&[("BADLAMBDA_API_TOKEN", "a-token-of-some-length")]);
    // Without the token, there are no names; with it, there are.
    let token = ["--token", "a-token-of-some-length"];
    folder.printed(&[&["functions", "create", "hello", "hello.rb"], &token[..]].concat());
    assert_eq!(ask(&folder, &["invoke", "he"], &[]).stdout, "");
    assert_eq!(completed(&folder, &["invoke", token[0], token[1], "he"]), set(&["hello"]));
    let nobody = format!("http://{}", free_address().unwrap());
    assert_eq!(ask(&folder, &["invoke", "he"], &[("BADLAMBDA_URL", &nobody)]).stdout, "");
    assert_eq!(ask(&folder, &["invoke", "he"], &[("BADLAMBDA_URI", "mistyped")]).stdout, "");
}

#[test]
fn bash_asks_and_manual_pages_are_written() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let typed = "source <(badlambda completions bash)\nCOMP_WORDS=(badlambda invoke hel)\nCOMP_CWORD=2\n\
                 _clap_complete_badlambda badlambda hel invoke\nprintf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", typed]).env_clear().current_dir(folder.path());
    bash.env("PATH", format!("{}:/usr/bin:/bin", programs().display()));
    let ended = run(bash, "");
    assert_eq!(ended.stdout, "hello\n", "{ended:?}");

    folder.printed(&["manual", "share"]);
    let read = |path: &str| fs::read_to_string(folder.path().join("share").join(path)).unwrap();
    for shell in ["bash", "fish", "zsh"] {
        let path = match shell {
            "bash" => "bash-completion/completions/badlambda",
            "fish" => "fish/vendor_completions.d/badlambda.fish",
            _ => "zsh/site-functions/_badlambda",
        };
        assert_eq!(read(path), folder.printed(&["completions", shell]));
    }
    let page = read("man/man1/badlambda-functions-create.1");
    assert!(
        page.starts_with(".ie")
            && page.contains(".SH SYNOPSIS")
            && page.contains("functions create greet hello.rb"),
        "{page}"
    );
    folder.refused(&["completions", "tcsh"], 2, "[possible values: bash, fish, zsh]");
}
