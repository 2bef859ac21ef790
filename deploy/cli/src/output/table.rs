//! Tables: aligned and with a head on a terminal, else values with tabs between, as `cut` and `awk` want them.

use std::fmt;

use comfy_table::{ContentArrangement, presets};
use console::Term;

use crate::output::terminal::is_obeyed;

/// Rows with a head.
pub struct Table {
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Rows of as many cells as the head has.
    pub fn new(head: &'static [&'static str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self {
            head,
            rows: rows.into_iter().map(|row| row.iter().map(|cell| on_one_line(cell)).collect()).collect(),
        }
    }

    /// A row for each field, with its name.
    pub fn of_fields(fields: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self::new(&["field", "value"], fields.into_iter().map(|(name, value)| vec![name.to_owned(), value]))
    }

    fn aligned(&self, width: u16) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        table.set_header(self.head.iter().map(|name| name.to_uppercase())).add_rows(&self.rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.trim_fmt()
    }

    /// As on the terminal, with its head in bold; or elsewhere, separated.
    pub(super) fn styled(&self) -> String {
        let plain = self.to_string();
        match plain.split_once('\n') {
            Some((head, rows)) if Term::stdout().is_term() => {
                format!("{}\n{rows}", console::style(head).bold())
            }
            _ => plain,
        }
    }

    fn separated(&self) -> String {
        self.rows.iter().map(|row| row.join("\t") + "\n").collect()
    }
}

/// A value as it stands in a cell: what is not there leaves it empty.
pub fn shown(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// What others wrote must not move the cursor, or end the row.
fn on_one_line(cell: &str) -> String {
    cell.chars().map(|c| if is_obeyed(c) { ' ' } else { c }).collect()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terminal = Term::stdout();
        if !terminal.is_term() {
            return f.write_str(&self.separated());
        }
        let (_, width) = terminal.size();
        writeln!(f, "{}", self.aligned(width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_or_separated() {
        let rows = [vec!["hello".to_owned(), "1".to_owned()], vec!["a\tb\n".to_owned(), "20".to_owned()]];
        let table = Table::new(&["name", "version"], rows);
        assert_eq!(table.separated(), "hello\t1\na b \t20\n");
        assert_eq!(table.aligned(80), "NAME   VERSION\nhello  1\na b    20");
    }
}
