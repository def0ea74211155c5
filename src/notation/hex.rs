//! Lower-case hexadecimal digits.

/// Bytes as hexadecimal digits, two for each byte, in small letters.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| pair(*byte)).map(char::from).collect()
}

/// The digits of one byte.
pub fn pair(byte: u8) -> [u8; 2] {
    [digit(byte >> 4), digit(byte & 15)]
}

fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }
}

/// So many bytes, of twice as many digits; `None` for anything else.
pub fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    if pairs.len() != N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

/// Four bits, of one digit.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, pair};

    #[test]
    fn every_byte_is_two_digits_that_are_read_again() {
        let all: Vec<u8> = (0..=255).collect();
        let text: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(encode(&all), text);
        assert_eq!(decode::<256>(text.as_bytes()).as_ref().map(|read| &read[..]), Some(&all[..]));
        assert!(all.iter().all(|byte| decode(&pair(*byte)) == Some([*byte])));
    }

    #[test]
    fn nothing_is_read_of_other_characters_or_another_number_of_them() {
        for other in [b'g', b'A', b'F', b'/', b':', b'`', b' ', b'+', 0xC3] {
            assert_eq!((decode::<1>(&[other, b'0']), decode::<1>(&[b'0', other])), (None, None), "{other}");
        }
        for digits in ["", "0", "000", "0000"] {
            assert_eq!(decode::<1>(digits.as_bytes()), None, "{digits}");
        }
        assert_eq!(decode::<0>(b""), Some([]));
    }
}
