//! Plaintext that becomes records.

use std::io::{self, IoSlice};

use super::outgoing::Outgoing;

/// Plaintext of one record (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;

/// Room kept for what the protocol itself has to say, beside a record with its header, nonce and tag.
const RESERVE: usize = 1024;

/// Bytes in one stretch that become a record of their own; fewer are put together with what is beside them.
const STRETCH: usize = 4096;

/// What makes a TLS record out of plaintext.
pub(crate) trait Seal {
    /// Makes a record of this in the room for it; gives its length.
    fn encrypt(&mut self, plain: &[u8], room: &mut [u8]) -> io::Result<usize>;
}

/// Makes records of as much as there is room for; gives how many bytes that was.
pub(crate) fn seal(
    traffic: &mut impl Seal,
    slices: &[IoSlice<'_>],
    outgoing: &mut Outgoing,
) -> io::Result<usize> {
    let (mut taken, mut gathered) = (0, Vec::new());
    let mut slices = slices.iter().map(|slice| &**slice);
    let mut current: &[u8] = &[];
    while outgoing.room().len() >= RECORD + RESERVE {
        gather(&mut current, &mut slices, &mut gathered);
        let plain = match gathered.as_slice() {
            [] => cut(&mut current, RECORD),
            together => together,
        };
        if plain.is_empty() {
            break;
        }
        let written = traffic.encrypt(plain, outgoing.room())?;
        outgoing.put(written);
        taken += plain.len();
    }
    Ok(taken)
}

/// Puts short slices together, up to the next long one, a whole record, or the end.
fn gather<'a>(current: &mut &'a [u8], slices: &mut impl Iterator<Item = &'a [u8]>, record: &mut Vec<u8>) {
    record.clear();
    loop {
        if current.len() >= STRETCH || record.len() == RECORD {
            return;
        }
        record.extend_from_slice(cut(current, RECORD - record.len()));
        if current.is_empty() {
            match slices.next() {
                Some(next) => *current = next,
                None => return,
            }
        }
    }
}

/// Takes at most so many bytes off the front.
fn cut<'a>(bytes: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (front, rest) = bytes.split_at_checked(most).unwrap_or((bytes, &[]));
    *bytes = rest;
    front
}
