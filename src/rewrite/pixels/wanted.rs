//! What an attribute has to be for a mask: a text with `*` for any characters, so that `*dose*` is what contains it.

use crate::dataset::trim;

/// Whether one of the attribute's values is what is wanted, whatever its upper and lower case; nothing wanted fits all.
pub(super) fn is_wanted(wanted: Option<&str>, attribute: &[u8]) -> bool {
    let Some(wanted) = wanted else { return true };
    let wanted = trim(wanted.as_bytes()).to_ascii_uppercase();
    attribute.split(|&b| b == b'\\').any(|value| fits(&wanted, &trim(value).to_ascii_uppercase()))
}

fn fits(wanted: &[u8], value: &[u8]) -> bool {
    let mut parts = wanted.split(|&b| b == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = value.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = memchr::memmem::find(rest, part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_wanted;

    #[test]
    fn a_star_is_any_characters_and_case_does_not_matter() {
        let fits = |wanted, value: &str| is_wanted(Some(wanted), value.as_bytes());
        for (wanted, value) in [
            ("Acme", "ACME "),
            ("", " "),
            ("*", ""),
            ("*dose*", "CT Dose Report"),
            ("iu22*", "iU22 "),
            ("*22", "iU22"),
            ("a*b*c", "aXbbYc"),
            ("a*a", "aa"),
            ("SECONDARY", "DERIVED\\SECONDARY\\AXIAL "),
        ] {
            assert!(fits(wanted, value), "{wanted} {value}");
        }
        for (wanted, value) in [
            ("Acme", "Acme 2"),
            ("", "x"),
            ("*dose*", "Dos"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("A*X", "DERIVED\\X"),
        ] {
            assert!(!fits(wanted, value), "{wanted} {value}");
        }
        assert!(is_wanted(None, b"x"));
    }
}
