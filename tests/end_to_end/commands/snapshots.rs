//! How help and tables look on terminals, held against files. `INSTA_UPDATE=always` renews them.

use badlambda_cli::arguments::Arguments;
use clap::{Command, CommandFactory as _};

use super::Folder;
use crate::fixtures::terminal::Terminal;

/// How wide the terminals are.
const WIDTHS: [u16; 2] = [80, 120];

/// A command's words, and those of all below it.
fn commands(command: &Command, words: &[String], all: &mut Vec<Vec<String>>) {
    all.push(words.to_vec());
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        commands(below, &[words, &[below.get_name().to_owned()]].concat(), all);
    }
}

/// Each command's help on a terminal of so many columns.
fn helps(columns: u16) -> Vec<(String, String)> {
    let mut all = vec![];
    commands(&Arguments::command(), &[], &mut all);
    let help = |words: Vec<String>| {
        let mut command = Arguments::command().term_width(columns.into());
        let ended = command.try_get_matches_from_mut(
            ["badlambda".to_owned()].into_iter().chain(words.clone()).chain(["--help".to_owned()]),
        );
        (words.join(" "), ended.unwrap_err().render().to_string())
    };
    all.into_iter().map(help).collect()
}

#[test]
fn help() {
    for columns in WIDTHS {
        let text: String = helps(columns)
            .into_iter()
            .map(|(words, help)| format!("──── badlambda {words} ────\n{help}\n"))
            .collect();
        insta::with_settings!({prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("help-{columns}"), text);
        });
    }
}

#[test]
fn a_narrow_terminal_has_all_of_the_help() {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<String>();
    for ((command, narrow), (_, wide)) in helps(20).into_iter().zip(helps(200)) {
        assert_eq!(words(&narrow), words(&wide), "{command}");
    }
}

/// Commands whose tables are shown, for the execution `ID` and the dead letter `DEAD`.
const TABLES: [&str; 11] = [
    "functions list",
    "functions show hello",
    "functions versions hello",
    "functions update hello --retries 1 --dry-run",
    "executions list --function hello",
    "executions show ID",
    "dead-letters list",
    "dead-letters show DEAD",
    "stats",
    "stats hello",
    "mcp --list-tools",
];

/// A command's words, with these ids.
fn words<'a>(command: &'a str, id: &'a str, dead: &'a str) -> Vec<&'a str> {
    let word = |word| match word {
        "ID" => id,
        "DEAD" => dead,
        word => word,
    };
    command.split(' ').map(word).collect()
}

/// What each of them shows on a terminal of so many columns.
fn tables(folder: &Folder, columns: u16, id: &str, dead: &str) -> Vec<(&'static str, String)> {
    let shown = |command: &'static str| {
        let shown = Terminal::start(folder.path(), &words(command, id, dead), columns).end();
        assert_eq!(shown.status, 0, "{command}: {shown:?}");
        (command, shown.text)
    };
    TABLES.into_iter().map(shown).collect()
}

#[tokio::test]
async fn tables_on_terminals() {
    let folder = Folder::start(&[]);
    for name in ["hello", "a-function-with-quite-a-long-name"] {
        folder.printed(&["functions", "create", name, "hello.rb"]);
    }
    let id = folder.printed(&["invoke", "hello", r#"{"name": "Ada"}"#, "--jq", ".id"]);
    folder.refused(&["invoke", "hello", "[]"], 1, "");
    folder.listed("hello", 2);
    folder.fleet.send("[1]", Some("late")).await;
    let dead = folder.a_dead_letter("late");
    // What differs from run to run, with others of its width, so that columns stay where they are.
    let filters = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-01-02T03:04:05.678Z"),
        (r"\b[0-9a-f]{64}\b", &"f".repeat(64)),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "00000000-0000-0000-0000-000000000000"),
        (r"\b[0-9a-z]{31}\b", &"0".repeat(31)),
        (
            r"(wall_ms|cpu_ms|max_rss_bytes|visible|delayed|in_flight|dead_lettered|workers)( +|: )[\d.]+",
            "${1}${2}N",
        ),
        (r"(oldest_seconds) +[\d.]+", "$1"),
        // In which minute they ended.
        (r"(?m)^(2026-01-02T03:04:05.678Z  ).*$", "${1}N"),
    ];
    insta::with_settings!({filters => filters, prepend_module_to_snapshot => false}, {
        for columns in WIDTHS {
            let mut text = tables(&folder, columns, id.trim(), &dead);
            // How wide its percentiles are is not known, and there is room for all of them only here.
            text.retain(|(command, _)| columns > 100 || !command.starts_with("stats"));
            let text: String = text.iter().map(|(command, shown)| format!("$ badlambda {command}\n{shown}\n")).collect();
            insta::assert_snapshot!(format!("tables-{columns}"), text);
        }
    });

    // As narrow as it may be, each value is there, and whole. Of those left out, none is the same a moment later.
    for (command, shown) in tables(&folder, 20, id.trim(), &dead) {
        if ["stats", "functions update", "mcp"].iter().any(|other| command.starts_with(other)) {
            continue;
        }
        let printed = folder.printed(&words(command, id.trim(), &dead));
        for value in printed.split(['\t', '\n']) {
            assert!(shown.contains(value), "{command} lacks {value:?}: {shown}");
        }
    }
}
