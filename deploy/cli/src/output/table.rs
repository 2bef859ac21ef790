//! Tables: aligned and with a head on a terminal, else values with tabs between, as `cut` and `awk` want them.

use std::fmt;

use comfy_table::{ColumnConstraint, ContentArrangement, Width, presets};
use console::Term;

use crate::output::terminal::is_obeyed;

/// Between two columns.
const GAP: u16 = 2;
/// In how narrow a last column words may be broken.
const MOST_OF_LAST: usize = 24;

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

    /// Columns below their heads. Only the last one breaks its words; where that is not enough, a line for each value.
    fn aligned(&self, width: u16) -> String {
        let least: Vec<u16> = (0..self.head.len()).map(|column| self.least_width(column)).collect();
        if least.iter().map(|least| least + GAP).sum::<u16>() - GAP > width {
            return self.listed();
        }
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        table.set_header(self.head.iter().map(|name| name.to_uppercase())).add_rows(&self.rows);
        let gaps = (1..least.len()).map(|_| GAP).chain([0]);
        for (column, (least, gap)) in table.column_iter_mut().zip(least.into_iter().zip(gaps)) {
            let least = ColumnConstraint::LowerBoundary(Width::Fixed(least + gap));
            column.set_padding((0, gap)).set_constraint(least);
        }
        table.trim_fmt() + "\n"
    }

    /// What a column needs, to break no word; the last one, to break few.
    fn least_width(&self, column: usize) -> u16 {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        let words = cells.chain([self.head[column]]).flat_map(str::split_whitespace);
        let longest = words.map(console::measure_text_width).max().unwrap_or_default();
        let is_last = column + 1 == self.head.len();
        u16::try_from(if is_last { longest.min(MOST_OF_LAST) } else { longest }).unwrap_or(u16::MAX / 16)
    }

    /// A line for each value, with its name, and an empty line between rows. Of two columns, the first is the name.
    fn listed(&self) -> String {
        let lines = |row: &Vec<String>| match &row[..] {
            [name, value] => format!("{name}: {value}\n"),
            values => {
                self.head
                    .iter()
                    .zip(values)
                    .map(|(name, value)| format!("{name}: {value}\n"))
                    .collect::<String>()
                    + "\n"
            }
        };
        self.rows.iter().map(lines).collect()
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
        f.write_str(&self.aligned(width))
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
        assert_eq!(table.aligned(80), "NAME   VERSION\nhello  1\na b    20\n");
        assert_eq!(table.aligned(10), "hello: 1\na b : 20\n");
    }

    #[test]
    fn only_the_last_column_breaks_words_and_no_column_is_too_narrow() {
        let row = ["0123456789", "two words", "a-word-that-is-longer-than-that-column"].map(str::to_owned);
        let table = Table::new(&["id", "middle", "last"], [row.to_vec()]);
        assert_eq!(
            table.aligned(45),
            "ID          MIDDLE  LAST\n0123456789  two     a-word-that-is-longer-th\n            words   an-that-column\n"
        );
        assert_eq!(
            table.aligned(43),
            "id: 0123456789\nmiddle: two words\nlast: a-word-that-is-longer-than-that-column\n\n"
        );
    }
}
