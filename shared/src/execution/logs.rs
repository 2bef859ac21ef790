//! Logs as text. Functions may log any bytes, and what shows them needs UTF-8.

use std::ops::Range;

/// The log as text: a `?` stands for each byte that is not UTF-8. So text and log have the same length, and what stands
/// at a position of the one stands there in the other.
pub fn as_text(log: &[u8]) -> String {
    let mut text = String::with_capacity(log.len());
    for chunk in log.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    text
}

/// The part of a piece of a log that holds whole characters: without the end of one that began before the piece, and
/// without the beginning of one that goes on behind it.
pub fn whole_characters(piece: &[u8]) -> Range<usize> {
    let is_inside = |byte: &u8| (0x80..0xC0).contains(byte);
    // A character has at most three bytes behind its first.
    let start = piece.iter().take(3).take_while(|byte| is_inside(byte)).count();
    let last = piece[start..].utf8_chunks().last();
    let begun = last.map_or(&[][..], |chunk| chunk.invalid());
    // What can't become a character is shown, as what it is not.
    let is_begun = std::str::from_utf8(begun).is_err_and(|error| error.error_len().is_none());
    start..piece.len() - if is_begun { begun.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_length_of_its_log() {
        for log in [&b"plain"[..], "Zoë €".as_bytes(), b"a\xFFb\xE2\x82", b"\x80\x80", b""] {
            assert_eq!(as_text(log).len(), log.len());
        }
        assert_eq!(as_text(b"a\xFFb\xE2\x82"), "a?b??");
    }

    #[test]
    fn pieces_make_up_the_whole() {
        let log = "Zoë €🦀\n".as_bytes();
        for cut in 0..=log.len() {
            let first = whole_characters(&log[..cut]);
            let text = as_text(&log[first.clone()]) + &as_text(&log[first.end..]);
            assert_eq!((first.start, text.as_bytes()), (0, log), "cut at {cut}");
            let tail = whole_characters(&log[cut..]);
            assert!(!as_text(&log[cut..][tail]).contains('?'), "from {cut} on");
        }
    }

    #[test]
    fn what_is_no_character_is_kept() {
        assert_eq!(whole_characters(b"\xFF\xFE"), 0..2);
        assert_eq!(whole_characters(b"a\xC3"), 0..1);
        assert_eq!(whole_characters(b""), 0..0);
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 3..4);
    }
}
