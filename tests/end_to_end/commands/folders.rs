//! Functions that are folders: made zips of, deployed, compared, run.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use badlambda_shared::function::package::{EntryKind, Package};
use serde_json::{Value, json};

use super::{Folder, run};
use crate::fixtures::terminal::Terminal;

const FUNCTION: &str = r##"require_relative "lib/prices"
require "tiny"
def handler(event:, context:)
  tool = File.executable?("#{__dir__}/bin/tool")
  { price: PRICES[event["thing"]], tiny: TINY, tool: tool, hidden: Dir.glob("#{__dir__}/{.[a-z]*,*.toml}") }
end
"##;
const PRICES: &str = r##"PRICES = File.foreach("#{__dir__}/../current.txt").to_h { |line| line.split }"##;
const SPECIFICATION: &str = r#"Gem::Specification.new do |s|
  s.name = "tiny"
  s.version = "1.0"
  s.summary = ""
  s.authors = [""]
end
"#;

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A function with a gem, data, a link, a program and what is not part of it.
fn write_shop(folder: &Folder) {
    let code = r#"{"code": "RbConfig::CONFIG[\"ruby_version\"]"}"#;
    let ruby = folder.printed(&["api", "POST", "/v1/run", code, "-H", "Prefer: wait=20", "--jq", ".result"]);
    let gems = format!("vendor/bundle/ruby/{}", ruby.trim());
    let shop = folder.path().join("shop");
    for (path, content) in [
        ("function.rb", FUNCTION),
        ("lib/prices.rb", PRICES),
        ("data/prices.txt", "pen 2\n"),
        ("bin/tool", "#!/bin/sh\n"),
        (&format!("{gems}/gems/tiny-1.0/lib/tiny.rb"), "TINY = 1\n"),
        (&format!("{gems}/specifications/tiny-1.0.gemspec"), SPECIFICATION),
        (".env", "SECRET=1\n"),
        (".git/config", "[core]\n"),
        ("lib/.hidden.rb", ""),
        ("badlambda.toml", "[functions.shop]\naliases = [\"live\"]\n"),
    ] {
        write(&shop.join(path), content);
    }
    fs::set_permissions(shop.join("bin/tool"), Permissions::from_mode(0o755)).unwrap();
    symlink("data/prices.txt", shop.join("current.txt")).unwrap();
    // What is hidden need not even be a file.
    UnixListener::bind(shop.join(".socket")).unwrap();
}

fn price(folder: &Folder, command: &[&str]) -> Value {
    serde_json::from_str(&folder.printed(&[command, &[r#"{"thing": "pen"}"#]].concat())).unwrap()
}

#[test]
fn a_folder_is_deployed_compared_fetched_and_run() {
    let folder = Folder::start(&[]);
    write_shop(&folder);
    write(&folder.path().join("notes/readme.txt"), "");
    let ended = folder.run(&["deploy", "."]);
    assert_eq!(ended.stdout, "hello\tcreated\t1\t\thello.rb\nshop\tcreated\t1\tlive\tshop\n", "{ended:?}");
    assert_eq!(ended.stderr, "notes is a folder without a function.rb, and is left out\n");
    let expected = json!({"price": "2", "tiny": 1, "tool": true, "hidden": []});
    assert_eq!(price(&folder, &["invoke", "shop"]), expected);
    assert_eq!(folder.printed(&["functions", "show", "shop", "--jq", ".code_type"]), "zip\n");

    // Written again, and in another order, it is the same.
    fs::remove_file(folder.path().join("shop/function.rb")).unwrap();
    write(&folder.path().join("shop/function.rb"), FUNCTION);
    assert_eq!(folder.printed(&["deploy", "shop"]), "shop\tunchanged\t1\t\tshop\n");
    assert_eq!(folder.printed(&["deploy", "shop", "--dry-run", "--jq", ".[].diff"]), "\n");

    write(&folder.path().join("shop/data/prices.txt"), "pen 3\n");
    write(&folder.path().join("shop/data/logo.png"), b"\x89PNG");
    fs::remove_file(folder.path().join("shop/bin/tool")).unwrap();
    let changes = "removed: bin/tool (10 bytes, executable)\nadded: data/logo.png (4 bytes)\n\
                   changed: data/prices.txt (6 bytes)\n--- shop 1 (data/prices.txt)\n+++ NEWER (data/prices.txt)\n\
                   @@ -1 +1 @@\n-pen 2\n+pen 3\n";
    let would = folder.printed(&["deploy", "shop", "--dry-run"]);
    assert_eq!(would, changes.replace("NEWER", "shop") + "shop\tupdated\t2\tlive\tshop\n");
    assert_eq!(
        folder.printed(&["functions", "diff", "shop", "--file", "shop"]),
        changes.replace("NEWER", "shop")
    );
    assert_eq!(folder.printed(&["deploy", "shop"]), "shop\tupdated\t2\tlive\tshop\n");
    assert_eq!(folder.printed(&["functions", "diff", "shop", "1"]), changes.replace("NEWER", "shop 2"));
    let expected = json!({"price": "3", "tiny": 1, "tool": false, "hidden": []});
    assert_eq!(price(&folder, &["invoke", "shop"]), expected);

    // The zip again, from a file and through a pipe; and what the system's own commands make of folder and zip.
    folder.printed(&["functions", "code", "shop", "--output", "shop.zip"]);
    let zip = fs::read(folder.path().join("shop.zip")).unwrap();
    let paths = Package::read(&zip).unwrap();
    let links = paths.entries().iter().filter(|entry| matches!(entry.kind, EntryKind::Link { .. }));
    assert_eq!(links.map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["current.txt"]);
    let piped = folder.command(&["functions", "code", "shop"]).output().unwrap();
    assert!(piped.stdout == zip && piped.status.success());
    folder.printed(&["functions", "create", "again", "shop.zip", "--handler", "function.handler"]);
    assert_eq!(folder.printed(&["functions", "diff", "again", "--file", "shop"]), "");
    folder.printed(&["functions", "update", "again", "--retries", "1"]);
    assert_eq!(price(&folder, &["invoke", "again"]), expected);
    assert_eq!(price(&folder, &["run", "shop.zip"]), expected);
    write(&folder.path().join("inputs.ndjson"), "{\"thing\": \"pen\"}\n");
    assert_eq!(folder.printed(&["map", "./shop", "inputs.ndjson", "--jq", ".result.price"]), "3\n");

    for arguments in
        [&["functions", "code", "shop"][..], &["api", "GET", "/v1/functions/shop/versions/1/code"]]
    {
        let shown = Terminal::start(folder.path(), arguments, 120).end();
        assert_eq!(shown.status, 2, "{shown:?}");
        assert!(shown.text.contains("is a zip, which a terminal can't show"), "{shown:?}");
    }
}

#[test]
fn what_can_not_be_in_a_zip_is_named_and_nothing_is_sent() {
    let folder = Folder::start(&[]);
    let shop = folder.path().join("shop");
    write(&shop.join("function.rb"), "def handler(event:, context:) = 1");
    fs::create_dir(shop.join("lib")).unwrap();
    let odd = shop.join("lib/odd");
    let latin = shop.join("lib").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let ways: [(&dyn Fn(), &Path, &str); 6] = [
        (
            &|| symlink("/etc/passwd", &odd).unwrap(),
            &odd,
            "the entry \"lib/odd\" is a link out of the zip; leave it out",
        ),
        (&|| symlink("../../hello.rb", &odd).unwrap(), &odd, "\"lib/odd\" is a link out of the zip"),
        (
            &|| drop(UnixListener::bind(&odd).unwrap()),
            &odd,
            "shop/lib/odd: it is neither a file, a folder nor a link",
        ),
        (&|| fs::write(&latin, "").unwrap(), &latin, "its name is not UTF-8"),
        (
            &|| symlink(latin.file_name().unwrap(), &odd).unwrap(),
            &odd,
            "it is a link to a name that is not UTF-8",
        ),
        (
            &|| fs::File::create(&odd).unwrap().set_len(250 * 1024 * 1024).unwrap(),
            &odd,
            "shop: what is in the zip must have less than 262144000 bytes",
        ),
    ];
    for (make, made, says) in ways {
        make();
        folder.refused(&["deploy", ".", "--dry-run"], 2, says);
        folder.refused(&["functions", "create", "shop", "shop"], 2, says);
        fs::remove_file(made).unwrap();
    }
    assert_eq!(folder.printed(&["functions", "list"]), "");
    for (code, config, says) in [
        ("1", "[functions.shop]\nhandler = \"shop.run\"\n", "the zip has no file shop.rb"),
        ("x = = 1", "", "function.rb: "),
    ] {
        write(&shop.join("function.rb"), code);
        write(&shop.join("badlambda.toml"), config);
        folder.refused(&["deploy", "shop"], 2, says);
    }
    folder.refused(&["run", "shop"], 1, "shop/function.rb:1:3: ");
}

#[test]
fn which_folders_are_functions_is_told_or_asked() {
    let folder = Folder::start(&[]);
    fs::remove_file(folder.path().join("hello.rb")).unwrap();
    write(&folder.path().join("a/function.rb"), "def handler(event:, context:) = :a");
    write(&folder.path().join("b/main.rb"), "module B\n  def self.run(event:, context:) = :b\nend");
    folder.write("badlambda.toml", "[functions.other]\nfile = \"b\"\nhandler = \"main.B.run\"\n");
    let created = "a\tcreated\t1\t\ta\nother\tcreated\t1\t\tb\n";
    assert_eq!(folder.printed(&["deploy", "."]), created);
    assert_eq!(folder.printed(&["invoke", "other"]), "\"b\"\n");
    // Seen from inside, they are the same.
    for (inside, unchanged) in [("a", "a\tunchanged\t1\t\t.\n"), ("b", "other\tunchanged\t1\t\t.\n")] {
        let mut command = folder.command(&["--url", folder.fleet.address("api"), "deploy", "."]);
        command.current_dir(folder.path().join(inside));
        let ended = run(command, "");
        assert_eq!((ended.status, ended.stdout.as_str()), (0, unchanged), "{ended:?}");
    }
    assert_eq!(folder.printed(&["deploy", "a", "--name", "one"]), "one\tcreated\t1\t\ta\n");
    folder.refused(&["deploy", ".", "--name", "one"], 2, "--name is for one file alone, or one folder with");

    folder.write("a.rb", "1");
    folder.refused(&["deploy", "."], 2, "a and a.rb are both the function a");
    folder.write("badlambda.toml", "[functions.a]\n");
    folder.refused(&["deploy", "a"], 2, "badlambda.toml says that a is made of a.rb");
    fs::remove_file(folder.path().join("a.rb")).unwrap();
    folder.write("a/badlambda.toml", "[functions.a]\n");
    folder.refused(
        &["deploy", "."],
        2,
        "badlambda.toml and a/badlambda.toml both have [functions.a]; keep one",
    );
    folder.write("a/badlambda.toml", "[functions.c]\n");
    folder.refused(&["deploy", "a"], 2, "a/badlambda.toml has [functions.c], and a is one function");
    folder.write("badlambda.toml", "");
    folder.write("a/badlambda.toml", "[functions.c]\nfile = \".\"\n");
    assert_eq!(folder.printed(&["deploy", "a"]), "c\tcreated\t1\t\ta\n");
}
