//! What is kept, and does not fit: values that are not legal for their VR, and attributes that are written with another VR
//! than the dictionary of PS3.6 has for them. What they hold, no rule foresaw.

use super::super::pixels::is_pixel_data;
use super::super::{fitting, instances};
use crate::dataset::{Header, Tag, Vr, exact_vr_of, vr_of};

/// Attributes of Type 1 without which archives refuse an object, that the profile keeps, and whose VR says of what their values are
/// made: of the general series (PS3.3 C.7.3.1), and of the two modules below, whose values are only about how an image came to be.
/// UIDs have rules of their own. Of what else is of Type 1 a dummy could say something false, as of the distance of pixels: there
/// a value is emptied.
const REQUIRED: [Tag; 3] = [
    Tag(0x0008, 0x0060), // Modality
    Tag(0x0008, 0x0064), // Conversion Type, of an SC Equipment module
    Tag(0x0008, 0x0068), // Presentation Intent Type, of a DX Series module
];

/// Indices of the rules for what is kept where it fits.
#[derive(Clone, Copy, Debug)]
pub(in crate::rewrite) struct FitRules {
    /// Of an attribute whose VR says of what its values are made.
    pub(super) values: usize,
    /// Of one that no object may be without, so that a dummy stands for what is not legal.
    pub(super) required: usize,
    /// Of UIDs that name kinds of things.
    pub(super) kinds: usize,
    /// Of an attribute that is written with a VR that is not its own, and cannot be judged by its own.
    pub(super) others: usize,
    /// Of what is no part of the reference to an instance in whose item it stands.
    pub(in crate::rewrite) foreign: usize,
    /// Of pixel data in a sequence: nobody looks at them, and no option speaks of them.
    pub(super) pixels: usize,
}

impl FitRules {
    /// The rule for an element that other rules keep, or say nothing of; `None` where nothing can be wrong with it. The
    /// dictionary's VR decides, where there is one.
    pub(in crate::rewrite) fn decide(&self, header: &Header, top: bool) -> Option<usize> {
        let &Header { tag, vr: written, length, .. } = header;
        if length == Some(0) {
            return None;
        }
        if !top && is_pixel_data(tag) {
            return Some(self.pixels);
        }
        let exact = exact_vr_of(tag);
        let own = exact.unwrap_or(written);
        if is_foreign(tag, own, written) || !length.unwrap_or(0).is_multiple_of(fitting::unit(own)) {
            return Some(self.others);
        }
        self.of_own(tag, own)
    }

    fn of_own(&self, tag: Tag, own: Vr) -> Option<usize> {
        match own {
            Vr::UI if instances::names_kinds(tag) => Some(self.kinds),
            own if !fitting::is_checked(own) => None,
            _ if REQUIRED.contains(&tag) => Some(self.required),
            _ => Some(self.values),
        }
    }

    /// The rule for values of an attribute that is written as it should be.
    pub(in crate::rewrite) fn of_values(&self, tag: Tag) -> Option<usize> {
        self.of_own(tag, exact_vr_of(tag)?)
    }

    /// Whether a rule is for what does not fit, whatever it holds.
    pub(in crate::rewrite) fn removes(&self, rule: usize) -> bool {
        rule == self.others
    }
}

/// Whether an element is written as something that cannot be judged by the VR that it has in the dictionary: a value in the
/// place of a sequence or a sequence in that of a value, text in the place of numbers.
fn is_foreign(tag: Tag, own: Vr, written: Vr) -> bool {
    if written == own || written == Vr::UN {
        return false;
    }
    let known = vr_of(tag);
    known != Vr::UN && ((written == Vr::SQ) != (known == Vr::SQ) || written.is_text() && !known.is_text())
}
