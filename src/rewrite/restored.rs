//! Values that come back, in the form that they come back in.

use std::borrow::Cow;

use super::character_set::{CharacterSet, is_plain};
use super::correspondence::{Correspondence, Kind};
use super::patient_id::patient_id_of;
use crate::dataset::{PATIENT_ID, Vr};

/// A real value in the character set of the data set that it comes back in: its own bytes in its own set; `None` where it
/// cannot be written in another, or nobody remembers in which it was.
pub(super) fn written(found: &Correspondence, set: &CharacterSet) -> Option<Vec<u8>> {
    match &found.written {
        Some(written) if written.set == set.name() => Some(written.bytes.clone()),
        Some(written) => {
            let own = CharacterSet::of(&written.set);
            set.encode(&own.text(&written.bytes)?).map(Cow::into_owned)
        }
        None if found.kind == Kind::Value(PATIENT_ID) && is_plain(patient_id_of(&found.real)) => {
            Some(patient_id_of(&found.real).to_vec())
        }
        None if is_plain(&found.real) => Some(found.real.clone()),
        // As an earlier version remembered it.
        None => match found.kind {
            Kind::OfPatient(_) => set.encode(std::str::from_utf8(&found.real).ok()?).map(Cow::into_owned),
            _ => None,
        },
    }
}

/// A value without what makes no difference to it: empty components at the end of a name.
pub(super) fn bare(vr: Vr, value: &[u8]) -> &[u8] {
    let end = |b: &u8| *b == b'^' || *b == b' ';
    match value.iter().rposition(|b| !end(b)) {
        Some(last) if vr == Vr::PN => value.get(..=last).unwrap_or(value),
        _ => value,
    }
}
