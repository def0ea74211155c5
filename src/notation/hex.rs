//! Lower-case hexadecimal digits.

/// Two digits a byte.
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

/// Four bits, of one digit; `None` for what is no digit.
pub fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{encode, nibble, pair};

    #[test]
    fn every_byte_is_two_digits_that_are_read_again() {
        let all: Vec<u8> = (0..=255).collect();
        let text: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(encode(&all), text);
        for byte in all {
            let [high, low] = pair(byte).map(|digit| nibble(digit).unwrap());
            assert_eq!(high << 4 | low, byte);
        }
        assert!([b'g', b'A', b'/', b':', b'`'].iter().all(|other| nibble(*other).is_none()));
    }
}
