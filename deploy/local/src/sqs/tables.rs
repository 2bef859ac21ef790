//! The tables, and how files of older versions become files of this one.

/// Each step takes a file from one version to the next. Steps are only ever added.
///
/// A message is `ready` when a receive may take it. One that is not becomes so at `visible_at`, at the end of its
/// delay or of its visibility timeout. `turn` is its place among the groups of its queue (see `send`).
pub(crate) const STEPS: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS queues (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        attributes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        modified_at INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue INTEGER NOT NULL REFERENCES queues (id),
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT NOT NULL,
        trace_header TEXT,
        group_id TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        first_received_at INTEGER,
        receives INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        dead_letter_source TEXT
    );
    CREATE INDEX IF NOT EXISTS by_visibility ON messages (queue, visible_at, id);
    CREATE INDEX IF NOT EXISTS by_age ON messages (queue, sent_at);",
    "ALTER TABLE messages ADD COLUMN ready INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
    DROP INDEX by_visibility;
    CREATE INDEX by_turn ON messages (queue, turn) WHERE ready = 1;
    CREATE INDEX by_visibility ON messages (queue, visible_at) WHERE ready = 0;
    CREATE INDEX by_group ON messages (queue, group_id, turn);",
];

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_file_of_the_first_version_keeps_its_messages() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO queues VALUES (1, 'q', '{}', 0, 0);
                 INSERT INTO messages (queue, message_id, body, attributes, sent_at, visible_at)
                 VALUES (1, 'id', 'kept', '{}', 0, 0);",
            )
            .unwrap();
        connection.execute_batch(STEPS[1]).unwrap();
        let body: String = connection.query_row("SELECT body FROM messages", [], |row| row.get(0)).unwrap();
        assert_eq!(body, "kept");
    }
}
