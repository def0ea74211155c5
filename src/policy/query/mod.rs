//! What a role allows of queries and retrievals (PS3.4 Annex C): at which levels, by what they have to ask, what is left out of
//! the answers, how many answers, retrievals and patients.
//!
//! An identifier is read elsewhere; here is what is made of it. A role that says nothing of these allows all of them.

mod attribute;
mod key;
mod level;
mod sought;
#[cfg(test)]
pub(super) mod tests;

use std::num::NonZeroU32;

pub use attribute::AttributePattern;
pub use key::QueryKey;
pub use level::QueryLevel;
pub use sought::Sought;

use super::operation::Operation;
use super::request::{Denial, Request};

/// What a `[[role]]` says of queries and retrievals. The default allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queries {
    /// At which levels; `None` is any.
    pub levels: Option<Vec<QueryLevel>>,
    /// One of these has to have a value that narrows; `None`: nothing has to.
    pub keys: Option<Vec<QueryKey>>,
    /// Letters and digits that each value has to have, wildcards and punctuation apart; less than one counts as one.
    pub min_length: u32,
    /// What is left out of answers, and may not be matched on.
    pub hide: Vec<AttributePattern>,
    /// Of one C-FIND; `None` is as many as there are.
    pub max_answers: Option<NonZeroU32>,
    /// C-MOVEs and C-GETs within an hour; `None` is as many as come.
    pub max_retrievals_per_hour: Option<NonZeroU32>,
    /// Patients within a day whom answers show or retrievals bring; `None` is as many as there are.
    pub max_patients_per_day: Option<NonZeroU32>,
}

/// Whether an operation has an identifier that queries are judged by.
pub(super) fn looks(operation: Operation) -> bool {
    matches!(operation, Operation::CFind | Operation::CMove | Operation::CGet)
}

/// Whether an operation moves objects.
fn retrieves(operation: Operation) -> bool {
    matches!(operation, Operation::CMove | Operation::CGet)
}

impl Queries {
    /// Whether identifiers have to be read, for anything of it to be judged.
    pub fn reads_identifiers(&self) -> bool {
        self.levels.is_some() || self.keys.is_some() || !self.hide.is_empty()
    }

    /// Whether a query or retrieval may pass.
    ///
    /// # Errors
    /// [`Denial`], with the status that the sender of the request gets.
    pub fn permit(&self, request: &Request<'_>, sought: &Sought) -> Result<(), Denial> {
        let is_at_a_level = match (&self.levels, sought.level()) {
            (None, _) => true,
            (Some(_), None) => level::has_none(request),
            (Some(levels), Some(written)) => {
                QueryLevel::named(written).is_some_and(|level| levels.contains(&level))
            }
        };
        if !is_at_a_level {
            return Err(Denial::QueryLevel);
        }
        if sought.matched().any(|tag| self.hides(tag)) {
            return Err(Denial::HiddenKey);
        }
        let narrows = |keys: &Vec<QueryKey>| key::one_narrows(keys, self.min_length.max(1), request, sought);
        if self.keys.as_ref().is_none_or(narrows) { Ok(()) } else { Err(Denial::QueryKeys) }
    }

    /// Whether an attribute is left out of answers: its group and element, one behind the other.
    pub fn hides(&self, tag: u32) -> bool {
        self.hide.iter().any(|pattern| pattern.holds(tag))
    }

    /// Whether all that the other one allows of these operations, this one does too. Never true by mistake.
    pub fn cover(&self, other: &Self, operations: &[Operation]) -> bool {
        other.beyond(self, operations).is_empty()
    }

    /// What this one allows of these operations and the other one does not: keys of a `[[role]]`, with what is more in each.
    pub fn beyond(&self, other: &Self, operations: &[Operation]) -> Vec<(&'static str, String)> {
        let mut beyond = Vec::new();
        if !operations.iter().copied().any(looks) {
            return beyond;
        }
        let mut more = |key, detail: Option<String>| beyond.extend(detail.map(|detail| (key, detail)));
        more("query-levels", level::beyond(self.levels.as_deref(), other.levels.as_deref()));
        more("query-keys", key::beyond(self.keys.as_deref(), other.keys.as_deref()));
        let shorter = self.min_length.max(1) < other.min_length.max(1);
        let both = self.keys.is_some() && other.keys.is_some();
        more("query-min-length", (shorter && both).then(|| self.min_length.max(1).to_string()));
        more("hide", shown(&self.hide, &other.hide));
        if operations.contains(&Operation::CFind) {
            more("max-answers", above(self.max_answers, other.max_answers));
        }
        if operations.iter().copied().any(retrieves) {
            let above = above(self.max_retrievals_per_hour, other.max_retrievals_per_hour);
            more("max-retrievals-per-hour", above);
        }
        more("max-patients-per-day", above(self.max_patients_per_day, other.max_patients_per_day));
        beyond
    }

    /// What it says, by the keys of a `[[role]]`.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let levels = self.levels.as_ref().map(|levels| listed(levels.iter().map(|level| level.name())));
        let keys = self.keys.as_ref().map(|keys| listed(keys.iter().map(QueryKey::as_str)));
        let length = self.keys.as_ref().map(|_| self.min_length.max(1).to_string());
        let hide = listed(self.hide.iter().map(AttributePattern::as_str));
        let count = |count: Option<NonZeroU32>| count.map(|count| count.to_string());
        let all = [
            ("query-levels", levels),
            ("query-keys", keys),
            ("query-min-length", length),
            ("hide", Some(hide).filter(|hide| !hide.is_empty())),
            ("max-answers", count(self.max_answers)),
            ("max-retrievals-per-hour", count(self.max_retrievals_per_hour)),
            ("max-patients-per-day", count(self.max_patients_per_day)),
        ];
        all.into_iter().filter_map(|(key, said)| Some((key, said?))).collect()
    }
}

/// What one shows that the other hides.
fn shown(one: &[AttributePattern], other: &[AttributePattern]) -> Option<String> {
    let is_shown = |pattern: &&AttributePattern| !one.iter().any(|wide| wide.covers(pattern));
    let shown = listed(other.iter().filter(is_shown).map(AttributePattern::as_str));
    Some(format!("shows {shown}")).filter(|_| !shown.is_empty())
}

fn above(one: Option<NonZeroU32>, other: Option<NonZeroU32>) -> Option<String> {
    let other = other?;
    match one {
        None => Some("any number".into()),
        Some(one) => (one > other).then(|| one.to_string()),
    }
}

fn listed<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}
