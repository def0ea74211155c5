//! Data sets in a transfer syntax that is not known: which of them can be read in explicit VR little endian only.

use crate::dataset::header::Head;
use crate::dataset::{SOP_CLASS_UID, exact_vr_of};

/// Whether a data set is in an encoding that only its bytes speak for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// The transfer syntax says it.
    None,
    /// So far. The number of the last element at the top.
    Fits(u32),
    /// It may be in another one.
    Fails,
}

/// Whether an element behind that of the number `last`, 0 for the first, can be read in explicit VR little endian only: in
/// another byte order its group would be another, in implicit VR its length would have two letters.
pub(super) fn fits(head: &Head, last: u32) -> bool {
    let is_first_group = last > 0 || head.tag().0 == SOP_CLASS_UID.0;
    let is_as_listed = exact_vr_of(head.tag()).is_none_or(|listed| head.vr == Some(listed));
    is_first_group && head.number > last && is_as_listed
}
