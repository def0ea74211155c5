//! Letters without case and accents, so that `Schädel`, `SCHÄDEL` and `schadel` are one word.
//!
//! Each word of a text is looked up, so that it is folded on the stack, by a table of the letters of the lists. Names are of any
//! script, and have to be found again where they stood: `identifiers::folding` is for them.

/// Bytes of the longest word that is looked up, folded. No word of medicine in the lists is longer.
pub(super) const LONGEST: usize = 48;

/// A folded word, on the stack.
pub(super) struct Folded {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Folded {
    pub(super) const EMPTY: Self = Self { bytes: [0; LONGEST], length: 0 };

    /// `None` where it is longer than any word.
    pub(super) fn of(word: &str) -> Option<Self> {
        let mut folded = Self::EMPTY;
        folded.append(word)?;
        Some(folded)
    }

    pub(super) fn append(&mut self, word: &str) -> Option<()> {
        for one in word.chars() {
            if one.is_ascii() {
                self.push(one.to_ascii_lowercase() as u8)?;
            } else {
                self.push_other(one)?;
            }
        }
        Some(())
    }

    pub(super) fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.length)? = byte;
        self.length += 1;
        Some(())
    }

    fn push_other(&mut self, one: char) -> Option<()> {
        if let Some(plain) = plain(one) {
            return plain.bytes().try_for_each(|byte| self.push(byte));
        }
        let mut room = [0; 4];
        one.to_lowercase().try_for_each(|lower| {
            let plain = plain(lower).unwrap_or(lower.encode_utf8(&mut room));
            plain.bytes().try_for_each(|byte| self.push(byte))
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Letters of the languages of western Europe; what is combined with a letter goes.
fn plain(one: char) -> Option<&'static str> {
    Some(match one {
        '\u{300}'..='\u{36F}' => "",
        'à'..='å' | 'À'..='Å' | 'ā' | 'Ā' | 'ă' | 'ą' | 'Ą' | 'ª' => "a",
        'æ' | 'Æ' => "ae",
        'ç' | 'Ç' | 'ć' | 'Ć' | 'č' | 'Č' => "c",
        'è'..='ë' | 'È'..='Ë' | 'ē' | 'ė' | 'ę' | 'Ę' | 'ě' => "e",
        'ì'..='ï' | 'Ì'..='Ï' | 'ī' | 'ı' | 'İ' => "i",
        'ĳ' | 'Ĳ' => "ij",
        'ł' | 'Ł' => "l",
        'ñ' | 'Ñ' | 'ń' | 'Ń' | 'ň' => "n",
        'ò'..='ö' | 'Ò'..='Ö' | 'ø' | 'Ø' | 'ō' | 'ő' | 'Ő' | 'º' => "o",
        'œ' | 'Œ' => "oe",
        'ř' => "r",
        'ß' | 'ẞ' => "ss",
        'ś' | 'Ś' | 'š' | 'Š' | 'ş' | 'Ş' => "s",
        'ù'..='ü' | 'Ù'..='Ü' | 'ū' | 'ů' | 'ű' | 'Ű' | 'µ' | 'μ' => "u",
        'ý' | 'ÿ' | 'Ý' | 'Ÿ' => "y",
        'ź' | 'Ź' | 'ż' | 'Ż' | 'ž' | 'Ž' => "z",
        '¹' => "1",
        '²' => "2",
        '³' => "3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Folded, LONGEST};

    #[test]
    fn case_and_accents_make_no_other_word() {
        let folded = |word: &str| String::from_utf8(Folded::of(word).unwrap().bytes().to_vec()).unwrap();
        for (words, one) in [
            (["Schädel", "SCHÄDEL", "Scha\u{308}del"], "schadel"),
            (["crâne", "CRÂNE", "cra\u{302}ne"], "crane"),
            (["Gefäß", "GEFÄẞ", "gefass"], "gefass"),
            (["œdème", "ŒDÈME", "Oedeme"], "oedeme"),
            (["mm³", "MM3", "mm3"], "mm3"),
        ] {
            assert_eq!(words.map(folded), [one; 3]);
        }
        assert_eq!(folded("ЛЁГКИЕ"), "лёгкие");
        assert!(Folded::of(&"a".repeat(LONGEST)).is_some() && Folded::of(&"a".repeat(LONGEST + 1)).is_none());
    }
}
