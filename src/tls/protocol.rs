//! Which protocol the first bytes of a connection belong to, so that a record can say what came to the wrong port.

use std::fmt;

/// A protocol that turns up on DICOM ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// A TLS handshake record (RFC 8446 §5.1).
    Tls,
    /// A PDU of the upper layer (PS3.8 §9.3).
    Dicom,
    /// A request of HTTP/1, or the preface of HTTP/2.
    Http,
    /// The identification string of SSH (RFC 4253 §4.2).
    Ssh,
    /// PROXY protocol, version 1 or 2.
    Proxy,
    /// HL7 version 2 in its minimal lower layer protocol.
    Hl7,
    /// A connection request of Remote Desktop, in TPKT.
    Rdp,
    /// Windows file sharing, version 1 or later.
    Smb,
    /// Nothing came.
    Nothing,
    /// What is none of these; or too few bytes came to tell.
    Other,
}

impl Protocol {
    /// How many bytes make every answer certain.
    pub const ENOUGH: usize = 16;

    /// The protocol that `first` begins; fewer than [`Self::ENOUGH`] bytes may be enough, or give `Other`.
    pub fn of(first: &[u8]) -> Self {
        match first {
            [] => Self::Nothing,
            [0x16, 0x03, 0x00..=0x04, ..] => Self::Tls,
            [b'P', b'R', b'O', b'X', b'Y', b' ', ..] => Self::Proxy,
            [b'\r', b'\n', b'\r', b'\n', 0, b'\r', b'\n', ..] => Self::Proxy,
            [b'S', b'S', b'H', b'-', ..] => Self::Ssh,
            [0x0b, b'M', b'S', b'H', ..] => Self::Hl7,
            [3, 0, 0, _, _, 0xe0, ..] => Self::Rdp,
            [0, _, _, _, 0xff | 0xfe, b'S', b'M', b'B', ..] => Self::Smb,
            _ if is_http(first) => Self::Http,
            _ if is_dicom(first) => Self::Dicom,
            _ => Self::Other,
        }
    }
}

fn is_http(first: &[u8]) -> bool {
    const METHODS: [&str; 10] =
        ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI * "];
    METHODS.iter().any(|method| first.starts_with(method.as_bytes()))
}

/// An A-ASSOCIATE-RQ is at least 68 bytes long after its length field (PS3.8 Table 9-11), and no sane one a megabyte;
/// the other PDUs cannot come first, but are no other protocol either.
fn is_dicom(first: &[u8]) -> bool {
    match first {
        [1, 0, a, b, c, d, ..] => (68..=1 << 20).contains(&u32::from_be_bytes([*a, *b, *c, *d])),
        [5..=7, 0, 0, 0, 0, 4, ..] => true,
        [4, 0, 0, _, _, _, ..] => true,
        _ => false,
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "TLS",
            Self::Dicom => "plain DICOM",
            Self::Http => "HTTP",
            Self::Ssh => "SSH",
            Self::Proxy => "a PROXY protocol header",
            Self::Hl7 => "HL7",
            Self::Rdp => "RDP",
            Self::Smb => "SMB",
            Self::Nothing => "nothing",
            Self::Other => "an unknown protocol",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn first_bytes_name_their_protocol() {
        let cases: [(&[u8], Protocol); 16] = [
            (b"", Protocol::Nothing),
            (b"\x16\x03\x01\x02\x00\x01", Protocol::Tls),
            (b"\x01\x00\x00\x00\x00\xcd\x00\x01", Protocol::Dicom),
            (b"\x05\x00\x00\x00\x00\x04\x00\x00", Protocol::Dicom),
            (b"GET / HTTP/1.1\r\n", Protocol::Http),
            (b"PRI * HTTP/2.0\r\n", Protocol::Http),
            (b"SSH-2.0-OpenSSH", Protocol::Ssh),
            (b"PROXY TCP4 10.0.", Protocol::Proxy),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", Protocol::Proxy),
            (b"\x0bMSH|^~\\&|", Protocol::Hl7),
            (b"\x03\x00\x00\x13\x0e\xe0\x00\x00", Protocol::Rdp),
            (b"\x00\x00\x00\x54\xffSMB", Protocol::Smb),
            (b"\x01\x00\xff\xff\xff\xff", Protocol::Other),
            (b"\x01\x00\x00\x00\x00\x04", Protocol::Other),
            (b"P", Protocol::Other),
            (b"GETAWAY", Protocol::Other),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Protocol::of(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
