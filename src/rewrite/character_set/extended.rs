//! Text with code extensions (PS3.5 §6.1.2.4 and §6.1.2.5): escape sequences switch between sets.

use super::code::{Area, Code, TO_ASCII};
use crate::dataset::is_delimiter;

const ESCAPE: u8 = 0x1B;
/// To JIS X 0201 romaji, which has the letters of ASCII.
const TO_ROMAJI: &[u8] = b"\x1b(J";

/// The sets that (0008,0005) names, the first of which is active at the start and after a delimiter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Extended {
    codes: Vec<Code>,
    /// Whether the first value is a set of its own, rather than ASCII.
    has_first: bool,
    romaji: bool,
}

impl Extended {
    /// Of the numbers of the terms; an empty one is ASCII.
    pub(super) fn of(numbers: &[&str]) -> Option<Self> {
        let is_ascii = |number: &&&str| matches!(**number, "" | "6");
        let has_first = numbers.first().is_some_and(|first| !is_ascii(&first));
        let codes = numbers.iter().filter(|number| !is_ascii(number)).map(|number| Code::of(number));
        let codes: Vec<Code> = codes.collect::<Option<_>>()?;
        Some(Self { codes, has_first, romaji: numbers.first() == Some(&"13") })
    }

    /// The set that is active above 0x80 at the start.
    fn initial(&self) -> Option<&Code> {
        self.codes.first().filter(|code| self.has_first && code.area == Area::G1)
    }

    pub(super) fn decode(&self, mut rest: &[u8]) -> Option<String> {
        let (mut low, mut high, mut text) = (None::<&Code>, self.initial(), String::new());
        while let Some(&first) = rest.first() {
            let active = if first < 0x80 { low } else { Some(high?) };
            let taken = match active {
                _ if first == ESCAPE => {
                    let code = self.codes.iter().find(|code| rest.starts_with(code.escape));
                    match code {
                        Some(code) if code.area == Area::G0 => low = Some(code),
                        Some(code) => high = Some(code),
                        None if rest.starts_with(TO_ASCII) || rest.starts_with(TO_ROMAJI) => low = None,
                        None => return None,
                    }
                    code.map_or(TO_ASCII.len(), |code| code.escape.len())
                }
                // The space is in no set of two bytes.
                Some(code) if first > 0x20 => {
                    text.push_str(&code.decode(rest.get(..code.width)?)?);
                    code.width
                }
                _ => {
                    text.push(char::from(first));
                    if is_delimiter(first) {
                        (low, high) = (None, self.initial().or(high));
                    }
                    1
                }
            };
            rest = rest.get(taken..)?;
        }
        Some(text)
    }

    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let (mut low, mut high, mut bytes) = (None::<&Code>, self.initial(), Vec::new());
        let to_letters = if self.romaji { TO_ROMAJI } else { TO_ASCII };
        for one in text.chars() {
            if let Ok(letter) = u8::try_from(one)
                && letter.is_ascii()
            {
                if low.take().is_some() {
                    bytes.extend_from_slice(to_letters);
                }
                bytes.push(letter);
                if is_delimiter(letter) {
                    high = self.initial();
                }
                continue;
            }
            let one = one.to_string();
            let active = [low, high].into_iter().flatten();
            let mut codes = active.chain(&self.codes);
            let (code, encoded) = codes.find_map(|code| Some((code, code.encode(&one)?)))?;
            let place = if code.area == Area::G0 { &mut low } else { &mut high };
            if *place != Some(code) {
                bytes.extend_from_slice(code.escape);
                *place = Some(code);
            }
            bytes.extend_from_slice(&encoded);
        }
        if low.is_some() {
            bytes.extend_from_slice(to_letters);
        }
        Some(bytes)
    }
}
