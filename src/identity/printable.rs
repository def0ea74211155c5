//! Text that a peer chose, made safe to show.

/// `text` with backslashes doubled and every control or [`deceptive`] character as `\u{…}`, cut after `limit` bytes.
///
/// The escape is injective: two texts that differ, differ after it too, unless both were cut. A cut text ends in `…`.
pub fn printable(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        let start = shown.len();
        match character {
            '\\' => shown.push_str("\\\\"),
            c if c.is_control() || deceptive(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
        if shown.len() > limit {
            shown.truncate(start);
            shown.push('…');
            break;
        }
    }
    shown
}

/// Whether a character is invisible, or changes the order or the lines of the text around it: C0 and C1 controls, DEL,
/// line and paragraph separators, bidirectional marks, zero-width and tag characters.
pub fn deceptive(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn controls_and_direction_marks_are_spelled_out_and_accents_are_not() {
        assert_eq!(
            printable("Hôpital\r\n\u{202e}\u{9b}1m\\n", 200),
            "Hôpital\\u{d}\\u{a}\\u{202e}\\u{9b}1m\\\\n"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(printable("ééé", 4), "éé…");
        assert_eq!(printable("éé", 4), "éé");
        assert_eq!(printable("ab\n", 4), "ab…");
    }
}
