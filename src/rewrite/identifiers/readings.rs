//! What bytes may be where their character set does not say, or says something else.
//!
//! One byte that is in no character set, an escape that no set allows, or UTF-8 where nothing or another set is declared: people
//! see a name there all the same. So values are read in more than one way, and so are texts, and what is the same in one of
//! them is found.

use super::super::character_set::{CharacterSet, is_plain};

const ESCAPE: u8 = 0x1B;
/// Bytes that are parts of characters stand from here, among ideographs that hardly anybody writes: each is a word by itself.
const OPAQUE: u32 = 0x3_1200;

/// Each way in which a value of the header can be read.
pub(super) fn of_value(set: &CharacterSet, value: &[u8]) -> Vec<String> {
    if is_plain(value) {
        return vec![value.iter().copied().map(char::from).collect()];
    }
    let told = set.text(value).map(|text| text.into_owned());
    let mut readings = vec![told.unwrap_or_else(|| without_escapes(value, char::from)), opaque_parts(value)];
    readings.extend(std::str::from_utf8(value).ok().filter(|text| !text.is_ascii()).map(str::to_owned));
    readings
}

/// All ways in which a text can be read that is no characters for certain, one behind the other: they are compared, and never
/// written.
pub(super) fn as_bytes(value: &[u8]) -> String {
    let (mut text, mut rest) = (String::with_capacity(value.len()), value);
    while let Some((&first, behind)) = rest.split_first() {
        let escape = escape(first, behind);
        text.push(if escape.is_some() { ' ' } else { char::from(first) });
        rest = escape.and_then(|(length, _)| behind.get(length..)).unwrap_or(behind);
    }
    if !is_plain(value) {
        text.push('\0');
        text.push_str(&opaque_parts(value));
    }
    text
}

fn opaque_parts(value: &[u8]) -> String {
    without_escapes(value, opaque)
}

fn opaque(byte: u8) -> char {
    char::from_u32(OPAQUE | u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The bytes without escapes; those of characters of two bytes in the lower half are opaque, or they would be words of ASCII.
fn without_escapes(value: &[u8], high: fn(u8) -> char) -> String {
    let (mut text, mut rest, mut is_wide) = (String::with_capacity(value.len()), value, false);
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if let Some((length, wide)) = escape(first, behind) {
            is_wide = wide.unwrap_or(is_wide);
            rest = behind.get(length..).unwrap_or_default();
            continue;
        }
        is_wide &= first >= 0x20;
        text.push(match first {
            0x21..=0x7E if is_wide => opaque(first),
            0..=0x7F => char::from(first),
            _ => high(first),
        });
    }
    text
}

/// Bytes behind the first one of an escape of PS3.3 C.12.1.1.2, and whether two bytes below 0x80 make a character from there,
/// where it says that.
fn escape(first: u8, behind: &[u8]) -> Option<(usize, Option<bool>)> {
    match behind {
        _ if first != ESCAPE => None,
        [b'(', b'B' | b'J', ..] => Some((2, Some(false))),
        [b'$', b'B' | b'@', ..] => Some((2, Some(true))),
        [b'$', b'(', b'D', ..] => Some((3, Some(true))),
        [b'$', b')', b'A' | b'C', ..] => Some((3, None)),
        [b')', b'I', ..] | [b'-', b'A'..=b'D' | b'F'..=b'H' | b'L' | b'M' | b'T' | b'b', ..] => {
            Some((2, None))
        }
        _ => None,
    }
}

/// A part of a text that was UTF-8 before it was read as Latin-1.
pub(super) struct Misread {
    pub(super) text: String,
    /// Where each of its bytes, and its end, stands in the text.
    at: Vec<usize>,
}

impl Misread {
    /// Every way to read a text for the search, each with where its bytes stand in the text.
    pub(super) fn of(text: &str) -> Vec<Self> {
        let (mut all, mut bytes, mut at) = (Vec::new(), Vec::new(), Vec::new());
        let end = (text.len(), char::REPLACEMENT_CHARACTER);
        for (index, one) in text.char_indices().chain([end]) {
            at.push(index);
            match u8::try_from(one) {
                Ok(byte) => bytes.push(byte),
                Err(_) => {
                    add_parts(&bytes, &at, &mut all);
                    bytes.clear();
                    at.clear();
                }
            }
        }
        all
    }

    /// Where a range of it stands in the text.
    pub(super) fn range(&self, range: &std::ops::Range<usize>) -> Option<std::ops::Range<usize>> {
        Some(*self.at.get(range.start)?..*self.at.get(range.end)?)
    }
}

fn add_parts(bytes: &[u8], at: &[usize], all: &mut Vec<Misread>) {
    if bytes.is_ascii() {
        return;
    }
    let mut begin = 0_usize;
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        let end = begin.saturating_add(text.len());
        if let Some(at) = at.get(begin..=end).filter(|_| !text.is_ascii()) {
            all.push(Misread { text: text.to_owned(), at: at.to_vec() });
        }
        begin = end.saturating_add(chunk.invalid().len());
    }
}

#[cfg(test)]
mod tests {
    use super::super::finder::Finder;
    use super::super::{Collected, Reach, Shapes, clean};
    use super::*;
    use crate::dataset::{Tag, Vr};

    /// A text cleaned of a patient's name, with the character set of each.
    fn cleaned(name: (&[u8], &[u8]), text: (&[u8], &[u8])) -> Option<Vec<u8>> {
        let mut collected = Collected::default();
        collected.add(Tag(0x10, 0x10), &CharacterSet::of(name.0), name.1);
        let (finder, shapes) = (Finder::of(&collected), Shapes::compile(&[]).unwrap());
        clean((&finder, &shapes), (Vr::LO, &CharacterSet::of(text.0)), text.1, Reach::All)
    }

    fn goes_whole(set: &[u8], name: &[u8], text: &[u8]) {
        let new = cleaned((set, name), (set, text));
        assert_eq!(new.as_deref(), Some(&b"***"[..]), "{}: {}", set.escape_ascii(), text.escape_ascii());
    }

    #[test]
    fn one_stray_byte_hides_no_name() {
        let (utf8, german) = (b"ISO_IR 192", "Müller^Jörg".as_bytes());
        for text in ["Müller und Jörg ", "MÜLLER", "Mueller ", "(Jörg)"] {
            goes_whole(utf8, german, &[text.as_bytes(), b"\xE5"].concat());
        }
        goes_whole(utf8, "山田^太郎".as_bytes(), &["山田太郎".as_bytes(), b"\xE5"].concat());
        goes_whole(utf8, "山田^太郎".as_bytes(), &[b"\x81", "A山田様".as_bytes()].concat());
        let chinese = |text: &str| CharacterSet::of(b"GB18030").encode(text).unwrap().into_owned();
        goes_whole(b"GB18030", &chinese("王^小东"), &[&chinese("王小东先生")[..], b"\x81"].concat());
        let other = [&chinese("张大力先生")[..], b"\x81"].concat();
        assert_eq!(cleaned((b"GB18030", &chinese("王^小东")), (b"GB18030", &other)), None);
    }

    #[test]
    fn no_escape_hides_a_name() {
        let japanese = b"\\ISO 2022 IR 87";
        for set in [&b""[..], b"ISO_IR 100", b"ISO_IR 192", japanese] {
            goes_whole(set, b"Doe^Jane", b"\x1b(BDoe\x1b(BJane x");
            goes_whole(set, b"Doe^Jane", b"\x1b(JDoe\x1b(BJane");
            goes_whole(set, b"Roe^Jane", b"by \x1b(BJane\x1b(Bx");
            goes_whole(set, b"Doe^Jane", b"\x1b(Doe x \xFF");
        }
        let name = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B";
        goes_whole(japanese, name, b"\x1b$B;3EDB@O:\x1b(B \xFF");
        goes_whole(b"", name, b"x \x1b$B;3ED\x1b(B");
        assert_eq!(
            cleaned((japanese, name), (japanese, b"B@O: 3ED ;3ED")),
            None,
            "bytes are no words of ASCII"
        );
        goes_whole(b"", b"Buc^J\x1b-A\xE9r\xF4me", b"J\x1b-A\xE9r\xF4me");
    }

    #[test]
    fn utf_8_that_is_not_declared_is_read() {
        let name = "Müller^Jörg".as_bytes();
        for text in ["MÜLLER", "Mueller", "muller", "Jörg", "x Müller,"] {
            for set in [&b""[..], b"ISO_IR 100"] {
                let new = cleaned((set, name), (set, text.as_bytes()));
                assert!(new.is_some_and(|new| new.windows(3).any(|part| part == b"***")), "{text}");
            }
        }
        let latin: (&[u8], &[u8]) = (b"ISO_IR 100", b"M\xFCller^J\xF6rg");
        let new = cleaned(latin, (b"ISO_IR 100", "über MÜLLER: älter".as_bytes()));
        assert_eq!(new, Some("über ***: älter".as_bytes().to_vec()), "only the name goes");
        assert_eq!(cleaned(latin, (b"ISO_IR 100", "Größe über".as_bytes())), None);
        assert_eq!(cleaned(latin, (b"ISO_IR 100", b"Gr\xF6\xDFe \xFCber")), None);
    }

    #[test]
    fn other_words_of_a_text_stay() {
        // Of these names, parts would be words where their bytes were read as Latin-1.
        let name = "Lègrand^Chènevert".as_bytes();
        assert_eq!(cleaned((b"ISO_IR 192", name), (b"", b"grand nevert la cha")), None);
    }
}
