//! New identifiers from old ones: keyed, repeatable, not to be reversed or guessed without the key.

mod domain;
mod latest;
pub(in crate::rewrite) mod registered;

use std::sync::Arc;

use aws_lc_rs::hmac;

use latest::Latest;
use registered::is_registered;

pub(in crate::rewrite) use domain::Domain;
pub(in crate::rewrite) use registered::is_made_up;

/// Hexadecimal digits of a whole HMAC.
pub(in crate::rewrite) const DIGITS: usize = 64;

/// A key, with what was made with it latest. Both go together wherever the key goes, so what is kept of one key can never
/// be taken for what another makes.
#[derive(Clone)]
pub(in crate::rewrite) struct Key {
    key: hmac::Key,
    latest: Arc<Latest>,
}

impl Key {
    pub(in crate::rewrite) fn new(key: hmac::Key) -> Self {
        Self { key, latest: Arc::new(Latest::new()) }
    }

    /// HMAC-SHA-256 of `value`, for one use of the key.
    pub(in crate::rewrite) fn mac(&self, domain: Domain, value: &[u8]) -> [u8; latest::SIZE] {
        self.latest.get(domain, value, || {
            let mut context = hmac::Context::with_key(&self.key);
            context.update(domain.prefix());
            context.update(value);
            let (tag, mut mac) = (context.sign(), [0; latest::SIZE]);
            // Every tag of this algorithm is as long.
            mac.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
            mac
        })
    }
}

/// Shows neither the key nor what was made with it.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// Appends the new UID for an old one.
pub(in crate::rewrite) fn put_uid(key: &Key, old: &[u8], new: &mut Vec<u8>) {
    put_uid_of(Domain::Uid, key, old, new);
}

/// Appends the new UID for one of a domain: `2.25.` and a version 8 UUID as a decimal number (PS3.5 B.2, RFC 9562).
/// What one domain makes of a UID tells nothing of what another makes of it.
pub(in crate::rewrite) fn put_uid_of(domain: Domain, key: &Key, old: &[u8], new: &mut Vec<u8>) {
    if is_fixed(old) {
        new.extend_from_slice(old);
        return;
    }
    let mac = key.mac(domain, old);
    let mut number = mac.first_chunk().map_or(0, |uuid| u128::from_be_bytes(*uuid));
    number = number & !(0xF << 76) | 0x8 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    new.extend_from_slice(b"2.25.");
    new.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends `length` upper-case hexadecimal digits that stand for the old value.
pub(in crate::rewrite) fn put_pseudonym(key: &Key, old: &[u8], length: usize, new: &mut Vec<u8>) {
    put_digits(&key.mac(Domain::Pseudonym, old), length, new);
}

/// Appends `length` upper-case hexadecimal digits that stand for a patient, by the Patient ID.
pub(in crate::rewrite) fn put_patient(key: &Key, patient_id: &[u8], length: usize, new: &mut Vec<u8>) {
    put_digits(&key.mac(Domain::Patient, patient_id), length, new);
}

fn put_digits(mac: &[u8], length: usize, new: &mut Vec<u8>) {
    let digits = mac.iter().flat_map(|byte| [byte >> 4, byte & 0xF]).take(length);
    new.extend(digits.map(|digit| if digit < 10 { b'0' + digit } else { b'A' - 10 + digit }));
}

/// Whether a UID stays as it is.
pub(in crate::rewrite) fn is_fixed(uid: &[u8]) -> bool {
    uid.is_empty() || is_registered(uid)
}

#[cfg(test)]
mod tests {
    use super::{Domain, Key, hmac};

    #[test]
    fn a_mac_is_that_of_its_key_and_use_when_it_was_kept_too() {
        let keys = [1, 2].map(|byte| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]));
        let ours = keys.clone().map(Key::new);
        let values = || ["", "1.2.3", "PID-0815"].into_iter().cycle().take(9);
        for value in values() {
            for (key, ours) in keys.iter().zip(&ours) {
                let uid = hmac::sign(key, &[b"uid\0", value.as_bytes()].concat());
                assert_eq!(ours.mac(Domain::Uid, value.as_bytes()), uid.as_ref());
                let days = hmac::sign(key, &[b"days\0", value.as_bytes()].concat());
                assert_eq!(ours.clone().mac(Domain::Days, value.as_bytes()), days.as_ref());
            }
        }
        assert_eq!(format!("{:?}", ours[0]), "Key { .. }");
    }
}
