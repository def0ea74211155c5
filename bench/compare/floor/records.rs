//! Records of TLS 1.3 (RFC 8446 §5.2), decrypted where they lie, and encrypted.

use std::io;
use std::ops::Range;

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey,
};
use rustls::ConnectionTrafficSecrets;

/// Bytes of a record's header: a type, a version, a length.
const HEADER: usize = 5;
/// Bytes of a tag, which every cipher suite of TLS 1.3 has.
const TAG: usize = 16;
/// Longest plaintext of a record.
const LONGEST: usize = 1 << 14;
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
/// A warning: close_notify.
const CLOSE_NOTIFY: [u8; 2] = [1, 0];

pub enum Record {
    /// Where its data lie, from the record's beginning.
    Data(Range<usize>),
    /// An alert, as which the end comes too.
    End,
}

/// One direction of a connection.
pub struct Records {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    sequence: u64,
}

impl Records {
    pub fn new((sequence, secrets): &(u64, ConnectionTrafficSecrets)) -> io::Result<Self> {
        let (algorithm, key, iv) = match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => return Err(io::Error::other("a cipher suite that the floor does not have")),
        };
        let key = UnboundKey::new(algorithm, key.as_ref()).map_err(io::Error::other)?;
        let iv = iv.as_ref().try_into().map_err(io::Error::other)?;
        Ok(Self { key: LessSafeKey::new(key), iv, sequence: *sequence })
    }

    /// Decrypts the record that `bytes` begin with, where it is whole; gives its size too.
    pub fn open(&mut self, bytes: &mut [u8]) -> io::Result<Option<(Record, usize)>> {
        let Some(&header) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
        let size = HEADER + usize::from(u16::from_be_bytes([header[3], header[4]]));
        let Some(sealed) = bytes.get_mut(HEADER..size) else { return Ok(None) };
        let nonce = self.nonce();
        let plain = self.key.open_in_place(nonce, Aad::from(header), sealed).map_err(io::Error::other)?;
        // Zeros may follow the type.
        let end = plain.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        match plain.get(end) {
            Some(&APPLICATION_DATA) => Ok(Some((Record::Data(HEADER..HEADER + end), size))),
            Some(&ALERT) => Ok(Some((Record::End, size))),
            other => Err(io::Error::other(format!("a record of type {other:?}"))),
        }
    }

    pub fn seal_data(&mut self, data: &[u8], outgoing: &mut Vec<u8>) -> io::Result<()> {
        data.chunks(LONGEST).try_for_each(|part| self.seal(part, APPLICATION_DATA, outgoing))
    }

    pub fn seal_end(&mut self, outgoing: &mut Vec<u8>) -> io::Result<()> {
        self.seal(&CLOSE_NOTIFY, ALERT, outgoing)
    }

    fn seal(&mut self, plain: &[u8], kind: u8, outgoing: &mut Vec<u8>) -> io::Result<()> {
        let [high, low] = ((plain.len() + 1 + TAG) as u16).to_be_bytes();
        let header = [APPLICATION_DATA, 3, 3, high, low];
        outgoing.extend_from_slice(&header);
        let start = outgoing.len();
        outgoing.extend_from_slice(plain);
        outgoing.push(kind);
        let (nonce, sealed) = (self.nonce(), &mut outgoing[start..]);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(header), sealed);
        outgoing.extend_from_slice(tag.map_err(io::Error::other)?.as_ref());
        Ok(())
    }

    /// That of the next record (RFC 8446 §5.3).
    fn nonce(&mut self) -> Nonce {
        let mut nonce = self.iv;
        let sequence = self.sequence.to_be_bytes();
        nonce.iter_mut().skip(NONCE_LEN - sequence.len()).zip(sequence).for_each(|(to, from)| *to ^= from);
        self.sequence += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}
