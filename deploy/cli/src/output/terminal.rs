//! What others wrote, where a person sees it. A terminal obeys some characters in place of showing them: they move the
//! cursor, change its title, or turn the order of what stands around them. Functions, and whoever calls them, must not.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use crate::output::Failure;

/// Whether a terminal would obey it, or show what stands around it in another order.
pub(super) fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text with such characters as JSON writes them. Line ends and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_shown = |c: char| c == '\n' || c == '\t' || !is_obeyed(c);
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for c in text.replace("\r\n", "\n").chars() {
        match is_shown(c) {
            true => visible.push(c),
            false => visible.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(visible)
}

/// Text as stdout may have it: on a terminal as it may be shown, elsewhere as it is.
pub fn for_stdout(text: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() { visible(text) } else { Cow::Borrowed(text) }
}

/// Writes to stdout at once, so that whoever reads has it.
pub fn print(text: &str) -> Result<(), Failure> {
    write(for_stdout(text).as_bytes())
}

/// Writes what is styled, and has nothing in it that others wrote but by [`for_stdout`].
pub fn print_styled(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

/// Writes bytes that are no text, which no terminal may have.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    write(bytes)
}

fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    Ok(stdout.flush()?)
}

/// Says something to the person, on stderr, in a line or more. Where nobody reads it, that is no failure.
pub fn say(text: &str) {
    let stderr = io::stderr();
    let text = if stderr.is_terminal() { visible(text) } else { Cow::Borrowed(text) };
    let _ = writeln!(stderr.lock(), "{text}");
}

/// Bytes that come in pieces, for stdout. A piece may end within a character.
#[derive(Default)]
pub struct Pieces {
    /// The beginning of a character.
    rest: Vec<u8>,
}

impl Pieces {
    /// Prints the next piece.
    pub fn print(&mut self, piece: &[u8]) -> Result<(), Failure> {
        if !io::stdout().is_terminal() {
            return write(piece);
        }
        self.rest.extend_from_slice(piece);
        let whole = whole_characters(&self.rest);
        let text: Vec<u8> = self.rest.drain(..whole).collect();
        print(&String::from_utf8_lossy(&text))
    }

    /// Prints what is left, which is no character.
    pub fn end(self) -> Result<(), Failure> {
        print(&String::from_utf8_lossy(&self.rest))
    }
}

/// How many bytes there are before a character that has only begun.
fn whole_characters(bytes: &[u8]) -> usize {
    let begins = bytes.iter().rev().take(3).position(|byte| *byte >= 0xc0);
    let Some(at) = begins.map(|from_end| bytes.len() - 1 - from_end) else { return bytes.len() };
    match str::from_utf8(&bytes[at..]) {
        Err(error) if error.error_len().is_none() => at,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        assert_eq!(
            visible("\x1b[2Ja\tb\r\n\u{9b}c\u{202e}\x7f\r"),
            "\\u001b[2Ja\tb\n\\u009bc\\u202e\\u007f\\u000d"
        );
        assert!(matches!(visible("Zoë \u{1f469}\u{200d}\u{1f680}\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_piece_may_end_within_a_character() {
        for (bytes, whole) in [("aé".as_bytes(), 3), (&"aé".as_bytes()[..2], 1), (&"🚀".as_bytes()[..3], 0)]
        {
            assert_eq!(whole_characters(bytes), whole, "{bytes:?}");
        }
        // What will never be a character is not waited for.
        assert_eq!(
            (whole_characters(b"\x80\x80\x80\x80"), whole_characters(b"\xc3a"), whole_characters(b"")),
            (4, 2, 0)
        );
    }
}
