//! Text from anywhere, made fit for an attribute of XML 1.0 and for a person's eyes.

use crate::identity::deceptive;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// `text` with what XML 1.0 §2.2 forbids, and what is invisible or reorders its surroundings, as `\u{…}`; runs of
/// spaces as one, none around it (xs:token). Never empty.
pub(super) fn token(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !shown.is_empty() {
            shown.push(' ');
        }
        for character in word.chars() {
            match character {
                c if c.is_control() || deceptive(c) || forbidden(c) => shown.extend(c.escape_unicode()),
                c => shown.push(c),
            }
        }
    }
    if shown.is_empty() {
        shown.push('-');
    }
    shown
}

/// `AETITLES= A;B` (PS3.15 A.5.2); a title cannot add another one. `None` without titles.
pub(super) fn ae_titles(titles: &[String]) -> Option<String> {
    let titles: Vec<String> = (titles.iter())
        .filter(|title| !title.trim().is_empty())
        .map(|title| token(title).replace(';', "\\u{3b}"))
        .collect();
    (!titles.is_empty()).then(|| format!("AETITLES= {}", titles.join(";")))
}

/// PS3.5 §9.1, as the schema checks it.
pub(super) fn is_uid(text: &str) -> bool {
    let component = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 64 && text.split('.').all(component)
}

/// Markup characters as references (XML 1.0 §2.4).
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// Beyond controls, XML 1.0 §2.2 forbids the two last code points of the first plane; the others are never characters.
fn forbidden(character: char) -> bool {
    let code = u32::from(character);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

/// RFC 4648 §4, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{ae_titles, base64, escape, is_uid, token};

    #[test]
    fn base64_as_rfc_4648_section_10_has_it() {
        let shown: Vec<String> = ["", "f", "fo", "foo", "foob", "fooba", "foobar"]
            .iter()
            .map(|text| base64(text.as_bytes()))
            .collect();
        assert_eq!(shown, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }

    #[test]
    fn what_xml_forbids_or_a_screen_acts_on_is_spelled_out() {
        assert_eq!(
            token("  Hôpital\u{0}\u{1b}[2J \u{202e} x\n\u{ffff}  y "),
            "Hôpital\\u{0}\\u{1b}[2J \\u{202e} x\\u{a}\\u{ffff} y"
        );
        assert_eq!(token("   "), "-");
        assert_eq!(escape("<a b='\"'>&"), "&lt;a b=&apos;&quot;&apos;&gt;&amp;");
    }

    #[test]
    fn an_ae_title_cannot_add_another() {
        let titles = ["EVIL;PACS".to_owned(), " ".into(), "B".into()];
        assert_eq!(ae_titles(&titles).as_deref(), Some("AETITLES= EVIL\\u{3b}PACS;B"));
        assert_eq!(ae_titles(&[]), None);
    }

    #[test]
    fn uids_are_digits_and_dots() {
        assert!(is_uid("1.2.840.10008"));
        for bad in ["", "1..2", "1.2.", "1.a", &"1".repeat(65)] {
            assert!(!is_uid(bad), "{bad}");
        }
    }
}
