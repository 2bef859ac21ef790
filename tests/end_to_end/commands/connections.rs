//! Which API is asked, and what is said where it can't be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use badlambda_tests::addresses::free_address;
use nix::sys::signal::Signal;

use super::{Folder, run};

const TOKEN: &str = "a-token-of-some-length";

#[test]
fn a_token_comes_from_the_line_the_environment_or_a_profile() {
    let folder = Folder::start(&[("BADLAMBDA_API_TOKEN", TOKEN)]);
    folder.refused(&["functions", "list"], 4, "--token");
    folder.refused(&["functions", "list", "--token", "wrong-but-long-enough"], 4, "");
    folder.refused(&["functions", "list", "--token", "no\ntoken"], 2, "the token has characters");
    folder.printed(&["functions", "list", "--token", TOKEN]);
    folder.printed(&["functions", "--token", TOKEN, "list"]);
    folder.printed(&["--token", TOKEN, "functions", "list"]);
    folder.refused(&["--token", TOKEN, "run", "hello.rb"], 2, "run asks no API");
    let mut command = folder.command(&["functions", "list"]);
    command.env("BADLAMBDA_TOKEN", TOKEN);
    assert_eq!(run(command, "").status, 0);

    let url = folder.fleet.address("api");
    let config = folder.path().join("badlambda/config.toml");
    fs::create_dir(config.parent().unwrap()).unwrap();
    fs::write(&config, format!("[profiles.here]\nurl = \"{url}\"\ntoken = \"{TOKEN}\"\n")).unwrap();
    let by_profile = |name: &str, mode| {
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = folder.command(&["functions", "list", "--profile", name]);
        command.env("XDG_CONFIG_HOME", folder.path());
        run(command, "")
    };
    assert_eq!(by_profile("here", 0o600).status, 0);
    for (name, mode, says) in [("here", 0o644, "chmod 600"), ("hero", 0o600, "did you mean here?")] {
        let ended = by_profile(name, mode);
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.stderr.contains(says) && !ended.stderr.contains(TOKEN), "{ended:?}");
    }
}

#[test]
fn an_up_that_was_killed_is_not_asked() {
    let mut folder = Folder::start(&[]);
    folder.printed(&["functions", "list"]);
    let address = folder.fleet.address("api").to_owned();
    folder.fleet.process.signal(Signal::SIGKILL);
    folder.fleet.process.wait();
    folder.refused(&["functions", "list"], 2, "no `badlambda up` runs in this folder");
    folder.refused(&["functions", "list", "--url", &address], 3, "does not answer");
    // What needs no API asks none.
    assert!(folder.printed(&["functions", "list", "--json"]).starts_with("name\n"));
    folder.refused(&["functions", "delete", "hello"], 2, "add --yes");
}

#[test]
fn a_wrong_url_is_told() {
    let folder = Folder::start(&[]);
    let nobody = format!("http://{}", free_address().unwrap());
    let aws = folder.fleet.address("aws");
    for (url, status, says) in [
        ("nowhere", 2, "is no URL"),
        ("ftp://127.0.0.1", 2, "must begin with http"),
        (nobody.as_str(), 3, "does not answer"),
        // SQS and S3 are not the API.
        (aws, 3, "is it the URL of a Bad Lambda API?"),
    ] {
        folder.refused(&["functions", "list", "--url", url], status, says);
    }
    let mut command = folder.command(&["functions", "list"]);
    command.env("BADLAMBDA_URI", "http://127.0.0.1:1");
    let ended = run(command, "");
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("BADLAMBDA_URI is not a setting"), "{ended:?}");
}

#[test]
fn who_reads_no_further_is_no_failure() {
    let folder = Folder::start(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = folder.command(&["api", "GET", "/openapi.json"]);
    let ended = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}
