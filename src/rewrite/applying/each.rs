//! Values of an attribute, one by one.

use super::super::character_set::CharacterSet;
use super::super::error::RewriteProblem;
use super::outcome::Cannot;
use crate::dataset::{Vr, trim};

/// Maps the values one by one; an empty one stays empty.
pub(super) fn each_value(
    (vr, set): (Vr, &CharacterSet),
    old: &[u8],
    new: &mut Vec<u8>,
    mut put: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), RewriteProblem>,
) -> Result<(), Cannot> {
    for (index, one) in set.values(vr, trim(old)).enumerate() {
        if index > 0 {
            new.push(b'\\');
        }
        let one = trim(one);
        if !one.is_empty() {
            put(one, new).map_err(Cannot::Lacks)?;
        }
    }
    Ok(())
}
