//! Known strings to plant in a data set, and a judge of which may come out of a rewrite.
//!
//! The judge reads Table E.1-1 itself and does not ask the engine, whose decisions it is to check.

use super::profile::{ProfileOption, ProfileSpec, ROWS, Row};
use super::{Change, Ruleset};
use crate::dataset::{Tag, Vr, number, vr_of};

pub use super::planting::{MARK, found};

/// Whether a canary planted there may come out: an administrator's rule decided, or no row of Table E.1-1 takes it away.
pub fn may_stay(rules: &Ruleset, planted: &Change) -> bool {
    let Some(spec) = rules.profile() else { return true };
    let around = planted.path.iter().map(|step| step.sequence);
    if rules.is_explicit(planted.tag) {
        return true;
    }
    around.clone().all(|sequence| goes_into(spec, sequence)) && keeps(spec, planted) && !is_content(planted)
}

/// Values of content items go or are cleaned, whatever the options.
fn is_content(planted: &Change) -> bool {
    planted.tag == Tag(0x0040, 0xA160) && planted.path.iter().any(|step| step.sequence == Tag(0x0040, 0xA730))
}

fn goes_into(spec: &ProfileSpec, sequence: Tag) -> bool {
    match row(sequence) {
        _ if sequence.0 % 2 == 1 => spec.has(ProfileOption::RetainSafePrivate),
        Some(row) => matches!(spec.code(row.safe, &row.options).0, "K" | "C" | "U*"),
        None => true,
    }
}

fn keeps(spec: &ProfileSpec, planted: &Change) -> bool {
    match row(planted.tag) {
        _ if planted.tag.0 % 2 == 1 => spec.has(ProfileOption::RetainSafePrivate),
        Some(row) => spec.code(row.safe, &row.options).0 == "K",
        None => planted.vr != Vr::PN && vr_of(planted.tag) != Vr::UN,
    }
}

fn row(tag: Tag) -> Option<&'static Row> {
    ROWS.iter().find(|row| number(tag) & row.mask == row.tag)
}
