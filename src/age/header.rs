//! The lines before the payload: read in the one way that they can be written, so that two readers see the same.

use std::io::{BufRead, Read};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::stanza::Stanza;
use super::{Error, FileKey, decode, derive};

const VERSION: &str = "age-encryption.org/v1";
/// Characters of a line of a stanza's body; a shorter one ends it.
const COLUMNS: usize = 64;
/// The format has no limit. This one is room for ten thousand recipients.
const LONGEST: usize = 1 << 20;

/// A header as it was read, not yet known to be as it was written.
pub(super) struct Header {
    pub stanzas: Vec<Stanza>,
    /// Everything up to `---`, and with it.
    signed: Vec<u8>,
    mac: [u8; 32],
}

impl Header {
    pub(super) fn read(from: &mut impl BufRead) -> Result<Self, Error> {
        let mut lines = Lines { from, read: Vec::new() };
        if lines.next()? != VERSION {
            return Err(Error::Version);
        }
        let mut stanzas = Vec::new();
        loop {
            let line = lines.next()?;
            if let Some(arguments) = line.strip_prefix("-> ") {
                stanzas.push(read_stanza(arguments, &mut lines)?);
                continue;
            }
            let mac = line.strip_prefix("--- ").ok_or(Error::Header("has a line that is of no stanza"))?;
            let mac = decode(mac)?.try_into().map_err(|_| Error::Header("has a MAC that is not 32 bytes"))?;
            let signed = lines.before_last(&line);
            return Ok(Self { stanzas, signed, mac });
        }
    }

    /// Whether nobody changed it who does not have the file key.
    pub(super) fn verify(&self, file_key: &FileKey) -> Result<(), Error> {
        let key = mac_key(file_key).map_err(|_| Error::Mac)?;
        hmac::verify(&key, &self.signed, &self.mac).map_err(|_| Error::Mac)
    }
}

/// The header's bytes, MAC and all.
pub(super) fn write(stanzas: &[Stanza], file_key: &FileKey) -> Result<Vec<u8>, Unspecified> {
    let mut text = format!("{VERSION}\n");
    for stanza in stanzas {
        text.push_str(&format!("-> {}\n", stanza.arguments.join(" ")));
        let mut body = &*STANDARD_NO_PAD.encode(&stanza.body);
        while let Some((line, rest)) = body.split_at_checked(COLUMNS) {
            text.push_str(&format!("{line}\n"));
            body = rest;
        }
        text.push_str(&format!("{body}\n"));
    }
    text.push_str("---");
    let mac = hmac::sign(&mac_key(file_key)?, text.as_bytes());
    text.push_str(&format!(" {}\n", STANDARD_NO_PAD.encode(mac)));
    Ok(text.into_bytes())
}

fn mac_key(file_key: &FileKey) -> Result<hmac::Key, Unspecified> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*derive(file_key.as_ref(), &[], b"header")?))
}

fn read_stanza(arguments: &str, lines: &mut Lines<impl BufRead>) -> Result<Stanza, Error> {
    let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
    if arguments.iter().any(|one| one.is_empty() || one.bytes().any(|byte| !byte.is_ascii_graphic())) {
        return Err(Error::Header("has a stanza whose arguments are not separate words"));
    }
    let mut body = String::new();
    loop {
        let line = lines.next()?;
        body.push_str(&line);
        match line.len() {
            COLUMNS => {}
            ..COLUMNS => return Ok(Stanza { arguments, body: decode(&body)? }),
            _ => return Err(Error::Header("has a line of a stanza that is longer than 64 characters")),
        }
    }
}

/// As many lines as a header may have, each with its end.
struct Lines<'a, R> {
    from: &'a mut R,
    read: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    fn next(&mut self) -> Result<String, Error> {
        let start = self.read.len();
        let room = LONGEST.saturating_sub(start) as u64;
        self.from.by_ref().take(room).read_until(b'\n', &mut self.read)?;
        let line = self.read.get(start..).unwrap_or_default();
        let line = line.strip_suffix(b"\n").ok_or(Error::Header("ends within a line, or never"))?;
        String::from_utf8(line.to_vec()).map_err(|_| Error::Header("is not text"))
    }

    /// Everything up to the dashes of the last line, and with them.
    fn before_last(mut self, line: &str) -> Vec<u8> {
        self.read.truncate(self.read.len().saturating_sub(line.len() + 1) + "---".len());
        self.read
    }
}
