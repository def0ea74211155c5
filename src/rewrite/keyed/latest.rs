//! The latest MACs of one key. The UIDs of a study, of a series and of a frame of reference come again in every object of
//! an association, and the patient with them, and each takes four blocks of SHA-256.

use std::sync::{Mutex, TryLockError};

use super::domain::Domain;

/// Bytes of HMAC-SHA-256.
pub(super) const SIZE: usize = 32;
/// What is longer than a UID is not kept.
const LONGEST: usize = 64;
/// As many values are kept at most, each in the place that its bytes say.
const PLACES: u64 = 256;

pub(super) struct Latest {
    places: Box<[Mutex<Option<Kept>>]>,
}

struct Kept {
    domain: Domain,
    length: usize,
    value: [u8; LONGEST],
    mac: [u8; SIZE],
}

impl Latest {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect() }
    }

    /// The MAC of a value: the one that is kept, else the one that `make` gives, which must be the same each time.
    pub(super) fn get(&self, domain: Domain, value: &[u8], make: impl FnOnce() -> [u8; SIZE]) -> [u8; SIZE] {
        let place = usize::try_from(hash(domain, value) % PLACES).ok();
        let place = place.filter(|_| value.len() <= LONGEST).and_then(|place| self.places.get(place));
        let mut place = match place.map(Mutex::try_lock) {
            Some(Ok(place)) => place,
            Some(Err(TryLockError::Poisoned(place))) => place.into_inner(),
            // To wait for another thread takes longer.
            Some(Err(TryLockError::WouldBlock)) | None => return make(),
        };
        match &*place {
            Some(kept) if kept.domain == domain && kept.value.get(..kept.length) == Some(value) => kept.mac,
            _ => {
                let mac = make();
                *place = Kept::new(domain, value, mac);
                mac
            }
        }
    }
}

impl Kept {
    fn new(domain: Domain, value: &[u8], mac: [u8; SIZE]) -> Option<Self> {
        let mut kept = Self { domain, length: value.len(), value: [0; LONGEST], mac };
        kept.value.get_mut(..value.len())?.copy_from_slice(value);
        Some(kept)
    }
}

/// Quick rather than good: who finds values that share a place makes his own objects slower, and nothing else.
fn hash(domain: Domain, value: &[u8]) -> u64 {
    let add = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (words, rest) = value.as_chunks::<8>();
    let hash = words.iter().fold(domain as u64, |hash, word| add(hash, u64::from_le_bytes(*word)));
    // The best bits of a product are the highest.
    rest.iter().fold(hash, |hash, &byte| add(hash, u64::from(byte))) >> 32
}

#[cfg(test)]
mod tests {
    use super::{Domain, LONGEST, Latest, PLACES};

    #[test]
    fn a_value_is_kept_until_another_has_its_place() {
        let latest = Latest::new();
        let get = |text: &str, mac: u8| latest.get(Domain::Uid, text.as_bytes(), || [mac; 32]);
        assert_eq!(get("1.2.3", 1), [1; 32]);
        assert_eq!(get("1.2.3", 2), [1; 32], "kept");
        let many = 40 * PLACES;
        (0..many)
            .for_each(|number| assert_eq!(get(&format!("1.2.4.{number}"), number as u8)[0], number as u8));
        assert_eq!(get("1.2.3", 3), [3; 32], "no longer kept");
        let kept =
            (0..many).filter(|number| get(&format!("1.2.4.{number}"), !*number as u8)[0] == *number as u8);
        assert!(kept.count() as u64 <= PLACES, "bounded");
    }

    #[test]
    fn domains_and_lengths_are_told_apart_and_long_values_not_kept() {
        let latest = Latest::new();
        let values: [&[u8]; 5] = [b"", b"\0", b"1", b"12345678", b"12345678\0"];
        let domains = [Domain::Uid, Domain::Pseudonym, Domain::Patient, Domain::Days];
        let all = || domains.into_iter().flat_map(|domain| values.map(|value| (domain, value)));
        for (index, (domain, value)) in all().enumerate() {
            assert_eq!(latest.get(domain, value, || [index as u8; 32]), [index as u8; 32]);
            assert_eq!(latest.get(domain, value, || [0xFF; 32]), [index as u8; 32]);
        }
        let long = [b'1'; LONGEST + 1];
        assert_eq!(latest.get(Domain::Uid, &long, || [1; 32]), [1; 32]);
        assert_eq!(latest.get(Domain::Uid, &long, || [2; 32]), [2; 32]);
        assert_eq!(latest.get(Domain::Uid, &long[1..], || [3; 32]), [3; 32]);
        assert_eq!(latest.get(Domain::Uid, &long[1..], || [4; 32]), [3; 32]);
    }
}
