//! A value cut into tokens: runs of letters and digits. What stands between them is punctuation.

use super::marks;

/// A token, by its place in the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) form: Form,
}

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Letters, with digits or without.
    Word,
    /// Digits, with points or commas between them.
    Number,
    /// A mark that came in the text.
    Mark,
}

/// The tokens of a value.
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let rest = self.text.get(self.at..)?;
            let first = rest.chars().next()?;
            let start = self.at;
            if let Some(length) = marks::at_the_start_of(rest) {
                self.at += length;
                return Some(Token { start, end: self.at, form: Form::Mark });
            }
            if is_of_word(first) {
                let (length, form) = run(rest);
                self.at += length;
                return Some(Token { start, end: self.at, form });
            }
            self.at += first.len_utf8();
        }
    }
}

/// How long the token is that `rest` begins with.
fn run(rest: &str) -> (usize, Form) {
    let (mut end, mut form, mut before) = (0, Form::Number, ' ');
    let mut characters = rest.char_indices().peekable();
    while let Some((at, one)) = characters.next() {
        let is_point = matches!(one, '.' | ',')
            && before.is_ascii_digit()
            && characters.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        if !is_of_word(one) && !is_point {
            break;
        }
        if !is_point && !one.is_ascii_digit() {
            form = Form::Word;
        }
        (end, before) = (at + one.len_utf8(), one);
    }
    (end, form)
}

/// Whether a character is part of a word. Beyond ASCII, all is but the signs that are known to separate: what is no letter
/// to Unicode can still be part of a name in some script.
fn is_of_word(one: char) -> bool {
    match one {
        one if one.is_ascii() => one.is_ascii_alphanumeric(),
        '\u{80}'..='\u{A9}' | '\u{AB}'..='\u{B1}' | '\u{B4}' | '\u{B6}'..='\u{B8}' | '\u{BB}' | '\u{BF}' => {
            false
        }
        '×'
        | '÷'
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205E}'
        | '\u{20AC}'
        | '\u{3000}'..='\u{3002}' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<&str> {
        Tokens::of(text).map(|token| &text[token.start..token.end]).collect()
    }

    #[test]
    fn tokens_are_runs_of_letters_and_digits() {
        for (text, expected) in [
            ("CT Chest w/o", &["CT", "Chest", "w", "o"][..]),
            ("1.25mm, 12.3.1950.", &["1.25mm", "12.3.1950"]),
            ("PTV_6000^x", &["PTV", "6000", "x"]),
            ("l'épaule – côté", &["l", "épaule", "côté"]),
            ("a [...2] b [x]", &["a", "[...2]", "b", "x"]),
            ("山田 30°", &["山田", "30"]),
            ("", &[]),
        ] {
            assert_eq!(tokens(text), expected);
        }
    }

    proptest! {
        #[test]
        fn no_letter_is_outside_of_a_token(text in "\\PC{0,40}") {
            let mut rest = text.clone();
            for token in Tokens::of(&text).collect::<Vec<_>>().into_iter().rev() {
                rest.replace_range(token.start..token.end, "");
            }
            prop_assert!(!rest.chars().any(char::is_alphanumeric), "{rest}");
        }
    }
}
