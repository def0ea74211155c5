//! Values as a person asks for them: exact, or with `*` and `?`.

use std::convert::Infallible;
use std::str::FromStr;

/// `*` stands for any text and `?` for any one character; case counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    characters: Vec<char>,
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.characters.iter().collect::<String>())
    }
}

impl FromStr for Pattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self { characters: text.chars().collect() })
    }
}

impl Pattern {
    /// Whether the whole of `text` fits. Time is bounded by the product of the two lengths.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut from) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while from < text.len() {
            match (self.characters.get(at), text.get(from)) {
                (Some('*'), _) => {
                    star = Some((at, from));
                    at += 1;
                }
                (Some('?'), _) => (at, from) = (at + 1, from + 1),
                (Some(wanted), Some(found)) if wanted == found => (at, from) = (at + 1, from + 1),
                _ => match star {
                    // The last star takes one character more.
                    Some((place, taken)) => {
                        star = Some((place, taken + 1));
                        (at, from) = (place + 1, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        self.characters.get(at..).unwrap_or_default().iter().all(|rest| *rest == '*')
    }

    /// Bytes that every line with a fitting value holds; `None` where JSON may write them in more than one way.
    pub fn needle(&self) -> Option<String> {
        let pieces = self.characters.split(|c| matches!(c, '*' | '?'));
        let longest: String = pieces.max_by_key(|piece| piece.len())?.iter().collect();
        let exact = longest.chars().count() == self.characters.len();
        let plain =
            longest.chars().all(|c| (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '/'));
        let needle = if exact { format!("\"{longest}\"") } else { longest };
        (plain && !needle.is_empty()).then_some(needle)
    }
}
