//! Text inside of a URI (RFC 3986 §2).

/// As one segment of a path or one value of a query: whatever is not unreserved (§2.3) is escaped (§2.1), byte by byte in UTF-8.
pub fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_separates_in_a_uri_is_escaped_and_what_does_not_stays() {
        assert_eq!(escaped("5a1e0c93d7b2486f-12"), "5a1e0c93d7b2486f-12");
        assert_eq!(escaped("../a b?x&é"), "..%2Fa%20b%3Fx%26%C3%A9");
    }
}
