//! New identifiers from old ones: keyed, repeatable, not to be reversed or guessed without the key.

use std::io::Write;

use aws_lc_rs::hmac;

/// The root of UIDs that the standard itself assigns: they identify no patient, and replacing them breaks the object.
const WELL_KNOWN: &[u8] = b"1.2.840.10008.";

/// Hexadecimal digits of a whole HMAC.
pub(super) const DIGITS: usize = 64;

/// HMAC-SHA-256 of `value`; each use of the key has its own domain.
pub(super) fn mac(key: &hmac::Key, domain: &[u8], value: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(domain);
    context.update(value);
    context.sign()
}

/// Appends the new UID for an old one: `2.25.` and a version 8 UUID as a decimal number (PS3.5 B.2, RFC 9562).
pub(super) fn put_uid(key: &hmac::Key, old: &[u8], new: &mut Vec<u8>) {
    if is_fixed(old) {
        new.extend_from_slice(old);
        return;
    }
    let mac = mac(key, b"uid\0", old);
    let mut uuid = [0; 16];
    if let Some(first) = mac.as_ref().get(..16) {
        uuid.copy_from_slice(first);
    }
    let mut number = u128::from_be_bytes(uuid);
    number = number & !(0xF << 76) | 0x8 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    // Writing to a Vec cannot fail.
    let _ = write!(new, "2.25.{number}");
}

/// Appends `length` upper-case hexadecimal digits that stand for the old value.
pub(super) fn put_pseudonym(key: &hmac::Key, old: &[u8], length: usize, new: &mut Vec<u8>) {
    put_digits(&mac(key, b"pseudonym\0", old), length, new);
}

/// Appends `length` upper-case hexadecimal digits that stand for a patient, by the Patient ID.
pub(super) fn put_patient(key: &hmac::Key, patient_id: &[u8], length: usize, new: &mut Vec<u8>) {
    put_digits(&mac(key, b"patient\0", patient_id), length, new);
}

fn put_digits(mac: &hmac::Tag, length: usize, new: &mut Vec<u8>) {
    let digits = mac.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 0xF]).take(length);
    new.extend(digits.map(|digit| if digit < 10 { b'0' + digit } else { b'A' - 10 + digit }));
}

/// Whether a UID stays as it is.
pub(super) fn is_fixed(uid: &[u8]) -> bool {
    uid.is_empty() || is_well_known(uid)
}

fn is_well_known(uid: &[u8]) -> bool {
    uid.starts_with(WELL_KNOWN) && uid.len() <= 64 && uid.iter().all(|&b| b.is_ascii_digit() || b == b'.')
}
