//! What a data set's values may depend on besides themselves.

use std::sync::Arc;

use time::Date;

use super::correspondence::Kind;
use super::identifiers::Sought;
use super::mode::Mode;
use super::patient_id::{issuer_of, patient_id_of};
use super::pseudonyms::Pseudonyms;
use super::schedule::Schedule;
use super::way::Way;
use super::words::Marks;
use crate::dataset::{PATIENT_ID, Scanner, Tag};

#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) way: Way,
    pub(super) mode: Mode,
    /// For dates of the sender's own clock, on the way back.
    pub(super) today: Option<Date>,
    /// The real (0010,0020) of whom a key names otherwise, which has to become the key.
    pub(super) named: Option<Vec<u8>>,
    /// The real (0010,0020) of whom the first thing restored is of, where nothing says on whom the data set is.
    pub(super) bound: Option<Vec<u8>>,
    /// Number of sequences around the element under way, and the innermost of them.
    pub(super) depth: usize,
    pub(super) sequence: Option<Tag>,
    /// The real (0010,0020), where the data set itself does not tell.
    pub(super) about: Option<Vec<u8>>,
    /// The real (0010,0020), without padding, never empty.
    pub(super) patient: Option<Vec<u8>>,
    /// The same, read on the way, where nothing had to be known before.
    pub(super) whose: Option<Vec<u8>>,
    /// Whether the keys are those of a retrieval.
    pub(super) retrieves: bool,
    /// Whether what the object shows decays, so that some of its times have to stay.
    pub(super) decays: bool,
    /// Days by which dates move.
    pub(super) days: Option<i32>,
    /// Of a worklist.
    pub(super) schedule: Schedule,
    pub(super) peer: Option<Arc<str>>,
    pub(super) tenant: Option<Arc<str>>,
    /// Of the data set in its association.
    pub(super) number: Option<u64>,
    /// Planted so far.
    pub(super) canaries: u32,
    pub(super) pseudonyms: Pseudonyms,
    /// Which marks stand for which words of its texts.
    pub(super) marks: Marks,
    /// What is looked for in texts, once it is known.
    pub(super) sought: Option<Sought>,
    /// Whether words of the text under way went that the vocabulary knows, since they are identifiers.
    pub(super) identified: bool,
}

impl Facts {
    /// What comes next is the element at which a scanner stands.
    pub(super) fn place(&mut self, scanner: &Scanner) {
        self.identified = false;
        self.depth = scanner.depth();
        self.sequence = scanner.path().last().map(|step| step.sequence);
    }

    /// Whether an issuer was told with the Patient ID.
    pub(super) fn names_issuer(&self) -> bool {
        self.patient.as_deref().is_some_and(|patient| issuer_of(patient).is_some())
    }

    /// What a value is remembered as: the patient's own Patient ID as the patient's key.
    pub(super) fn remembered_as(&self, kind: Kind, real: Vec<u8>) -> Vec<u8> {
        let patient = self.patient.as_ref().filter(|_| kind == Kind::Value(PATIENT_ID));
        patient.filter(|patient| patient_id_of(patient) == real).cloned().unwrap_or(real)
    }

    /// Whether a key of a worklist query says what its sender knows of itself: see [`Schedule::is_own_key`].
    pub(super) fn is_own_key(&mut self, tag: Tag, key: &[u8]) -> bool {
        self.way == Way::ToReal && self.depth == 1 && self.schedule.is_own_key(self.sequence, tag, key)
    }
}
