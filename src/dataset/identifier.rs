//! The onlooker of a query (PS3.4 C.1.4): what its identifier asks by and for, for the records, without a say in it.

use super::encoding::Encoding;
use super::scanner::{HARD_MAX_DEPTH, Kind, Scanner};
use super::{Tag, number};

/// Most keys that are remembered.
const MOST_KEYS: usize = 64;
/// Bytes of an identifier that are kept.
const LONGEST: usize = 768;

/// Gathers the keys of the top level of an identifier, and the identifier itself, of a long one the beginning.
///
/// Never fails: where the identifier cannot be read it stops looking. The keys of a deflated one are not looked into.
pub struct Identifier {
    encoding: Encoding,
    scanner: Option<Scanner>,
    keys: Vec<Tag>,
    bytes: Vec<u8>,
    length: u64,
    has_more_keys: bool,
    is_lost: bool,
}

impl Identifier {
    /// An onlooker at the start of an identifier.
    pub fn new(encoding: Encoding) -> Self {
        let scanner = (!encoding.deflated).then(|| Scanner::new(encoding.syntax, HARD_MAX_DEPTH));
        Self {
            encoding,
            scanner,
            keys: Vec::new(),
            bytes: Vec::new(),
            length: 0,
            has_more_keys: false,
            is_lost: false,
        }
    }

    /// Looks at the next bytes.
    pub fn observe(&mut self, input: &[u8]) {
        self.length = self.length.saturating_add(input.len() as u64);
        let room = LONGEST.saturating_sub(self.bytes.len()).min(input.len());
        self.bytes.extend_from_slice(input.get(..room).unwrap_or_default());
        let mut at = 0;
        while let Some(scanner) = &mut self.scanner {
            match scanner.next(input, &mut at) {
                Ok(Some(event)) => match (event.kind, scanner.depth()) {
                    (Kind::Element(header), 0) | (Kind::SequenceStart(header), 1) => self.key(header.tag),
                    _ => {}
                },
                Ok(None) => return,
                Err(_) => (self.scanner, self.is_lost) = (None, true),
            }
        }
    }

    fn key(&mut self, tag: Tag) {
        // Group lengths and the character set ask for nothing.
        let asks = tag.1 != 0 && tag != super::SPECIFIC_CHARACTER_SET;
        if asks && self.keys.len() < MOST_KEYS {
            self.keys.push(tag);
        } else if asks {
            (self.scanner, self.has_more_keys) = (None, true);
        }
    }

    /// The keys, eight hexadecimal digits each, as PS3.18 F.2.2 writes tags; the first 64.
    pub fn keys(&self) -> Vec<String> {
        self.keys.iter().map(|tag| format!("{:08X}", number(*tag))).collect()
    }

    /// Whether the identifier has more keys than are kept.
    pub fn has_more_keys(&self) -> bool {
        self.has_more_keys
    }

    /// Whether it could not be read to its end.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Its length, where it has more bytes than are kept.
    pub fn cut_from(&self) -> Option<u64> {
        Some(self.length).filter(|length| *length > LONGEST as u64)
    }

    /// The identifier as it came, or the first 768 bytes of a longer one.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.bytes).filter(|bytes| !bytes.is_empty())
    }

    /// The UID of the transfer syntax that it is written in, pixel data apart.
    pub fn transfer_syntax(&self) -> &'static str {
        let Encoding { syntax, deflated } = self.encoding;
        match (syntax.explicit, syntax.big_endian, deflated) {
            (_, _, true) => "1.2.840.10008.1.2.1.99",
            (_, true, false) => "1.2.840.10008.1.2.2",
            (true, false, false) => "1.2.840.10008.1.2.1",
            (false, false, false) => "1.2.840.10008.1.2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Identifier, LONGEST, MOST_KEYS};
    use crate::dataset::Encoding;

    /// Implicit VR little endian.
    fn element(tag: (u16, u16), value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        [&tag.0.to_le_bytes(), &tag.1.to_le_bytes(), length.as_slice(), value].concat()
    }

    fn seen(bytes: &[u8], chunk: usize) -> (Vec<String>, Option<Vec<u8>>) {
        let mut identifier = Identifier::new(Encoding::of("1.2.840.10008.1.2").unwrap());
        bytes.chunks(chunk).for_each(|part| identifier.observe(part));
        assert_eq!(identifier.transfer_syntax(), "1.2.840.10008.1.2");
        (identifier.keys(), identifier.into_bytes())
    }

    #[test]
    fn keys_are_those_of_the_top_level_at_any_chunking() {
        let item = [&[0xfe, 0xff, 0x00, 0xe0, 8, 0, 0, 0][..], &element((0x0040, 0x0001), b"")].concat();
        let bytes = [
            element((0x0008, 0x0005), b"ISO_IR 6"),
            element((0x0008, 0x0052), b"STUDY "),
            element((0x0010, 0x0010), b"DOE^*"),
            element((0x0020, 0x000d), b""),
            element((0x0040, 0x0100), &item),
            element((0x0040, 0x1001), b""),
        ]
        .concat();
        for chunk in [1, 3, 7, 1000] {
            let (keys, whole) = seen(&bytes, chunk);
            assert_eq!(keys, ["00080052", "00100010", "0020000D", "00400100", "00401001"], "{chunk}");
            assert_eq!(whole.as_deref(), Some(bytes.as_slice()));
        }
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let long = element((0x0010, 0x0010), &[b'x'; LONGEST]);
        assert_eq!(seen(&long, 10), (vec!["00100010".to_owned()], Some(long[..LONGEST].to_vec())));
        let many = |count| (1..=count).flat_map(|number| element((0x0009, number), b"")).collect::<Vec<u8>>();
        assert_eq!(seen(&many(200), 100).0.len(), MOST_KEYS);
        assert_eq!(seen(b"\xff\xff\xff", 1).0, Vec::<String>::new());
        let looked = |bytes: &[u8]| {
            let mut identifier = Identifier::new(Encoding::of("1.2.840.10008.1.2").unwrap());
            identifier.observe(bytes);
            (identifier.cut_from(), identifier.has_more_keys(), identifier.is_lost())
        };
        assert_eq!(looked(&long), (Some(776), false, false));
        assert_eq!(looked(&long[..LONGEST]), (None, false, false));
        assert_eq!(looked(&many(64)), (None, false, false));
        assert_eq!(looked(&many(65)), (None, true, false));
        let out_of_order = [element((0x0010, 0x0010), b""), element((0x0008, 0x0052), b"STUDY ")].concat();
        assert_eq!(looked(&out_of_order), (None, false, true));
    }
}
