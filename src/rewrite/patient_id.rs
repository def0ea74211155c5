//! What a Patient ID (0010,0020) says by itself, and with its Issuer (0010,0021): who a patient is.
//!
//! A patient is known by one value, the *patient key*: the Patient ID alone where no issuer counts, so that whoever was
//! known before issuers did is the same, and otherwise the Patient ID and the issuer with a control character between them,
//! which neither of them can hold.

/// Between a Patient ID and its issuer: Unit Separator, no character of LO (PS3.5 §6.1.3).
const SEPARATOR: u8 = 0x1F;

/// Whether a Patient ID names nobody: padding and empty values only.
pub(super) fn is_nobody(patient: &[u8]) -> bool {
    patient.iter().all(|b| matches!(b, 0 | b' ' | b'\\'))
}

/// The key of a patient, by Patient ID and issuer; no issuer is an empty one.
pub fn patient_key(patient: &[u8], issuer: &[u8]) -> Vec<u8> {
    let issuer: Vec<u8> = issuer.iter().copied().filter(|b| *b != SEPARATOR).collect();
    // What holds the separator itself is no other patient's with an issuer.
    if is_nobody(&issuer) && !patient.contains(&SEPARATOR) {
        return patient.to_vec();
    }
    [patient, &[SEPARATOR], &issuer].concat()
}

/// The Patient ID of a patient's key.
pub fn patient_id_of(key: &[u8]) -> &[u8] {
    split(key).0
}

/// The issuer of a patient's key, where it has one.
pub fn issuer_of(key: &[u8]) -> Option<&[u8]> {
    split(key).1.filter(|issuer| !issuer.is_empty())
}

/// Whether two keys may be of one patient: the same, or one without an issuer, as whoever was remembered before issuers
/// counted.
pub(super) fn may_be_one(one: &[u8], other: &[u8]) -> bool {
    let lacks = issuer_of(one).is_none() || issuer_of(other).is_none();
    one == other || lacks && patient_id_of(one) == patient_id_of(other)
}

fn split(key: &[u8]) -> (&[u8], Option<&[u8]>) {
    match key.iter().rposition(|b| *b == SEPARATOR) {
        Some(at) => (key.get(..at).unwrap_or_default(), key.get(at + 1..)),
        None => (key, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{issuer_of, may_be_one, patient_id_of, patient_key};
    use proptest::prelude::*;

    #[test]
    fn without_an_issuer_a_patient_is_known_by_the_patient_id() {
        for issuer in ["", "  ", "\x1f"] {
            assert_eq!(patient_key(b"4711", issuer.as_bytes()), b"4711");
        }
        assert_eq!(issuer_of(b"4711"), None);
        assert_eq!(patient_id_of(b"4711"), b"4711");
        let [one, other] = ["A", "B"].map(|issuer| patient_key(b"4711", issuer.as_bytes()));
        assert!(may_be_one(&one, &one) && may_be_one(b"4711", &one) && may_be_one(&other, b"4711"));
        assert!(!may_be_one(&one, &other) && !may_be_one(b"4712", &one));
    }

    proptest! {
        #[test]
        fn no_two_patients_have_one_key(
            (one, other) in ("[a\u{1f}]{1,4}", "[a\u{1f}]{1,4}"), (first, second) in ("[bc]{0,2}", "[bc]{0,2}"),
        ) {
            let key = patient_key(one.as_bytes(), first.as_bytes());
            prop_assert_eq!(patient_id_of(&key), one.as_bytes());
            prop_assert_eq!(issuer_of(&key).unwrap_or_default(), first.as_bytes());
            let same = (&one, &first) == (&other, &second);
            prop_assert_eq!(key == patient_key(other.as_bytes(), second.as_bytes()), same);
        }
    }
}
