//! Which studies a peer may see: conditions on what an archive says of a study, and a judgement over one answer of it, or over
//! the header of one object.
//!
//! What is not known is outside: an attribute that is absent, empty, or cannot be read.

mod attribute;
mod condition;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::Date;

use super::Operation;
pub use attribute::Attribute;
pub use condition::Condition;
use condition::Held;

/// How long it is remembered that a study is inside, and whose it is, where nothing else is said.
pub const REMEMBERED: Duration = Duration::from_secs(300);

/// `scope` of a `[[peer]]`: every condition has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    conditions: Conditions,
    /// Whether it is looked at, besides, whose each study is.
    counts_patients: bool,
    /// How long it is remembered that a study is inside.
    pub remembered: Duration,
}

/// The conditions of a scope, to be remembered by.
pub type Conditions = Arc<[Condition]>;

/// What becomes of one study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged<'s> {
    /// Every condition holds.
    Inside,
    /// This one does not.
    Outside(&'s Condition),
    /// It cannot be told whether this one does, so the study is outside.
    Unknown(&'s Condition),
}

impl Judged<'_> {
    /// Whether the peer may see it.
    pub fn is_inside(self) -> bool {
        self == Self::Inside
    }
}

/// Why whoever has no scope sees a study.
pub const WITHOUT: &str = "inside: the peer has no scope, and sees every study";

impl fmt::Display for Judged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inside => f.write_str("inside: every condition holds"),
            Self::Outside(condition) => write!(f, "outside: {condition} does not hold"),
            Self::Unknown(condition) => {
                let attribute = condition.attribute();
                write!(f, "outside: {condition} cannot be judged by what is said of {attribute}")
            }
        }
    }
}

impl Scope {
    /// A scope of at least one condition.
    pub fn new(conditions: Vec<Condition>, remembered: Duration) -> Self {
        Self { conditions: conditions.into(), counts_patients: false, remembered }
    }

    /// The same for a peer whose patients are counted, without conditions for one that may see every study.
    pub fn counting_patients(of: Option<&Self>) -> Self {
        let of = of.cloned().unwrap_or_else(|| Self::new(Vec::new(), REMEMBERED));
        Self { counts_patients: true, ..of }
    }

    /// Whether it is looked at whose each study is.
    pub fn counts_patients(&self) -> bool {
        self.counts_patients
    }

    /// Every condition, in the order of the configuration; a study is inside where all of them hold.
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// The attributes that it looks at, each once, in the order of their tags.
    pub fn attributes(&self) -> Vec<Attribute> {
        let of_patient = [Attribute::PatientId, Attribute::IssuerOfPatientId];
        let counted = of_patient.into_iter().filter(|_| self.counts_patients);
        let mut all: Vec<Attribute> =
            self.conditions.iter().map(Condition::attribute).chain(counted).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether a patient alone can be judged, whatever their studies are.
    pub fn is_of_patients(&self) -> bool {
        self.conditions.iter().all(|condition| condition.attribute.is_of_patient())
    }

    /// Judges what an archive says of a study. `value_of` gives the bytes of an attribute's value, with or without padding;
    /// `None` where there is none.
    pub fn judge<'v>(&self, today: Date, value_of: impl Fn(Attribute) -> Option<&'v [u8]>) -> Judged<'_> {
        self.judge_by(today, |_| true, value_of)
    }

    /// Judges the header of an object, by the attributes that objects have: what is known of the study besides, its archive
    /// was asked before.
    pub fn judge_object<'v>(
        &self,
        today: Date,
        value_of: impl Fn(Attribute) -> Option<&'v [u8]>,
    ) -> Judged<'_> {
        self.judge_by(today, Attribute::is_in_objects, value_of)
    }

    fn judge_by<'v>(
        &self,
        today: Date,
        counts: impl Fn(Attribute) -> bool,
        value_of: impl Fn(Attribute) -> Option<&'v [u8]>,
    ) -> Judged<'_> {
        let mut unknown = None;
        for condition in self.conditions.iter().filter(|condition| counts(condition.attribute)) {
            match condition.holds(value_of(condition.attribute), today) {
                Held::Yes => {}
                Held::No => return Judged::Outside(condition),
                Held::Unknown => unknown = unknown.or(Some(condition)),
            }
        }
        unknown.map_or(Judged::Inside, Judged::Unknown)
    }

    /// Whether an archive that says a value of a request again, in its own spelling perhaps and without knowing the attribute,
    /// could be believed: any value but a date that does not let anything through, a range for one. Every archive knows the
    /// Patient ID (PS3.4 C.6.1.1.2), so that for counting alone only its issuer matters.
    pub fn could_believe(&self, attribute: Attribute, value: &[u8], today: Date) -> bool {
        let mut about = self.conditions.iter().filter(|condition| condition.attribute == attribute);
        let is_inside = |condition: &Condition| condition.holds(Some(value), today) == Held::Yes;
        let is_counted = self.counts_patients && attribute == Attribute::IssuerOfPatientId;
        is_counted && !value.is_empty()
            || about.any(|condition| !value.is_empty() && (!attribute.is_date() || is_inside(condition)))
    }

    /// Whether whatever the other scope lets through, this one does too. Never true by mistake.
    pub fn covers(&self, other: &Self) -> bool {
        let follows = |wide: &Condition| other.conditions.iter().any(|narrow| wide.follows_from(narrow));
        self.conditions.iter().all(follows)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, condition) in self.conditions.iter().enumerate() {
            let before = if number == 0 { "" } else { "; " };
            write!(f, "{before}{condition}")?;
        }
        Ok(())
    }
}

/// Storage Commitment Push Model (PS3.4 J.3).
pub const STORAGE_COMMITMENT: &str = "1.2.840.10008.1.20.1";

/// Whether an operation that a peer asks for can be judged by a scope: its answers or what it retrieves say of which study they
/// are, it names instances, or it brings something. Of C-FIND, C-MOVE and C-GET those of the query/retrieve information models
/// (PS3.4 C.6, the UIDs below 1.2.840.10008.5.1.4.1.2), of N-ACTION that of storage commitment; `None` is any SOP class.
pub fn can_judge(operation: Operation, sop_class: Option<&str>) -> bool {
    let of_model = match operation {
        Operation::CEcho | Operation::CStore | Operation::NGet => return true,
        Operation::NAction => return sop_class.is_none_or(|class| class == STORAGE_COMMITMENT),
        Operation::CFind => "1",
        Operation::CMove => "2",
        Operation::CGet => "3",
        _ => return false,
    };
    let Some(class) = sop_class else { return true };
    let model = class.strip_prefix("1.2.840.10008.5.1.4.1.2.").and_then(|rest| rest.split_once('.'));
    model.is_some_and(|(model, of)| matches!(model, "1" | "2" | "3") && of == of_model)
}

/// Whether a peer with the scope `wide` may see all that one with `narrow` may; `None` is no scope.
pub(crate) fn covers(wide: Option<&Scope>, narrow: Option<&Scope>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => wide.covers(narrow),
    }
}
