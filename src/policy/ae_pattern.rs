//! AE titles as configuration names them: exact, or with `*` and `?`.

use std::fmt;

use crate::wire::AeTitle;

/// An AE title in which `*` stands for any characters and `?` for exactly one. Case counts, as in PS3.5 §6.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AePattern(Box<[u8]>);

/// Why a text is not a pattern that any AE title could match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AePatternError {
    /// Nothing but spaces, which PS3.5 §6.2 forbids.
    #[error("is blank; an AE title has 1 to 16 characters")]
    Blank,
    /// No AE title is so long, whatever the wildcards stand for.
    #[error("needs more than the 16 characters of an AE title")]
    TooLong,
    /// A backslash, a control character, or one beyond ASCII.
    #[error("has a character that an AE title may not have (PS3.5 §6.2)")]
    Illegal,
}

impl AePattern {
    /// Whether the whole title matches.
    pub fn matches(&self, title: &AeTitle) -> bool {
        glob(&self.0, title.as_str().as_bytes(), false)
    }

    /// Whether every title that `other` matches is matched by this pattern too. Never true by mistake.
    pub fn covers(&self, other: &Self) -> bool {
        glob(&self.0, &other.0, true)
    }

    /// What every title that it matches begins with.
    pub(super) fn beginning(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| matches!(byte, b'*' | b'?')).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or_default()
    }

    /// Whether the pattern matches every title.
    pub fn is_any(&self) -> bool {
        *self.0 == *b"*"
    }
}

/// Greedy, with one point to come back to: no pattern costs more than its length times the text's.
///
/// With `text_is_pattern`, a `*` in the text stands for any characters, so that `?` does not match it.
fn glob(pattern: &[u8], text: &[u8], text_is_pattern: bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(b'?') if !(text_is_pattern && byte == b'*') => (p, t) = (p + 1, t + 1),
            Some(&literal) if literal == byte => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    (p, t) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|&b| b == b'*'))
}

impl std::str::FromStr for AePattern {
    type Err = AePatternError;

    fn from_str(text: &str) -> Result<Self, AePatternError> {
        let mut bytes = text.trim_matches(' ').as_bytes().to_vec();
        bytes.dedup_by(|a, b| *a == b'*' && *b == b'*');
        if bytes.is_empty() {
            return Err(AePatternError::Blank);
        }
        if !bytes.iter().all(|b| (0x20..0x7f).contains(b) && *b != b'\\') {
            return Err(AePatternError::Illegal);
        }
        if bytes.iter().filter(|&&b| b != b'*').count() > 16 {
            return Err(AePatternError::TooLong);
        }
        Ok(Self(bytes.into()))
    }
}

impl fmt::Display for AePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AePattern, AePatternError};

    fn pattern(text: &str) -> AePattern {
        text.parse().unwrap()
    }

    #[test]
    fn stars_and_question_marks() {
        for (p, title, expected) in [
            ("LYON_CT1", "LYON_CT1", true),
            ("LYON_CT1", "LYON_CT", false),
            ("LYON_CT1", "lyon_ct1", false),
            ("LYON_MR*", "LYON_MR", true),
            ("LYON_MR*", "LYON_MR42", true),
            ("*_CT?", "LYON_CT1", true),
            ("*_CT?", "LYON_CT", false),
            ("*A*B", "AABAB", true),
            ("*A*B", "AABA", false),
            ("***", "X", true),
            ("?", "XY", false),
        ] {
            assert_eq!(pattern(p).matches(&title.parse().unwrap()), expected, "{p} {title}");
        }
    }

    #[test]
    fn a_pattern_that_no_title_can_match_is_refused() {
        assert_eq!("  ".parse::<AePattern>(), Err(AePatternError::Blank));
        assert_eq!("A\\B".parse::<AePattern>(), Err(AePatternError::Illegal));
        assert_eq!("É".parse::<AePattern>(), Err(AePatternError::Illegal));
        assert_eq!("ABCDEFGHIJKLMNOPQ".parse::<AePattern>(), Err(AePatternError::TooLong));
        assert!("*ABCDEFGHIJKLMNOP*".parse::<AePattern>().is_ok());
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        for (wide, narrow, expected) in [
            ("*", "A?", true),
            ("A*", "AB*", true),
            ("AB*", "A*", false),
            ("A?", "AB", true),
            ("A?", "A*", false),
            ("A?", "A?", true),
            ("*X", "*YX", true),
            ("A?*", "A*", false),
        ] {
            assert_eq!(pattern(wide).covers(&pattern(narrow)), expected, "{wide} {narrow}");
        }
    }

    proptest! {
        #[test]
        fn covering_is_never_claimed_wrongly(wide in "[AB*?]{1,6}", narrow in "[AB*?]{1,6}", title in "[AB]{1,8}") {
            let (wide, narrow) = (pattern(&wide), pattern(&narrow));
            let title = title.parse().unwrap();
            prop_assert!(!(wide.covers(&narrow) && narrow.matches(&title) && !wide.matches(&title)));
        }
    }
}
