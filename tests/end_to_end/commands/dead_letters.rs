//! `dead-letters` and `stats`.

use serde_json::{Value, json};

use super::Folder;

#[tokio::test]
async fn what_was_given_up_is_shown_sent_back_and_deleted() {
    let folder = Folder::start(&[]);
    let sent = folder.fleet.send("[1]", Some("late")).await;
    let id = folder.a_dead_letter("late");
    let shown = folder.printed(&["dead-letters", "show", &id, "--json", "kind,function,execution,body"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown, json!({"kind": "not_found", "function": "late", "execution": sent, "body": "[1]"}));
    assert!(folder.printed(&["dead-letters", "show", &id]).contains("\nbody\t[1]\n"));
    assert_eq!(folder.printed(&["dead-letters", "list", "--function", "other"]), "");
    assert_eq!(folder.printed(&["dead-letters", "redrive", "--reason", "not_found", "--dry-run"]), "1\n");

    folder.printed(&["functions", "create", "late", "hello.rb"]);
    let redriven = folder.printed(&["dead-letters", "redrive", &id, "--json", "function"]);
    assert_eq!(redriven, "{\"function\":\"late\"}\n");
    folder.refused(&["dead-letters", "redrive", &id], 5, "");

    folder.fleet.send("[2]", Some("never")).await;
    folder.a_dead_letter("never");
    folder.refused(&["dead-letters", "purge", "--all"], 2, "--yes");
    folder.refused(&["dead-letters", "purge"], 2, "--all");
    // What was sent back may have come here again, before the worker knew of the function.
    let purge = ["dead-letters", "purge", "--function", "never", "--yes", "--json", "deleted,complete"];
    let lines = folder.printed(&purge);
    assert_eq!(lines.lines().last(), Some(r#"{"deleted":1,"complete":true}"#), "{lines}");
    assert_eq!(folder.printed(&["dead-letters", "list", "--function", "never"]), "");
}

#[test]
fn stats_tell_how_the_queue_stands() {
    let folder = Folder::start(&[]);
    folder.printed(&["functions", "create", "hello", "hello.rb"]);
    let queue: Value = serde_json::from_str(&folder.printed(&["stats", "--jq", ".queue"])).unwrap();
    assert_eq!(queue["visible"], 0);
    let table = folder.printed(&["stats"]);
    assert!(table.starts_with("visible\t0\ndelayed\t0\n") && table.lines().count() == 7 + 15, "{table}");
    assert_eq!(folder.printed(&["stats", "hello", "--json", "function"]), "{\"function\":\"hello\"}\n");
    folder.refused(&["stats", "helo"], 5, "did you mean hello?");
}
