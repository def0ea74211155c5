//! What a data set's values may depend on besides themselves.

use std::sync::Arc;

use time::Date;

use super::error::{RewriteError, RewriteProblem};
use super::pseudonyms::Pseudonyms;
use crate::dataset::{Event, Kind, PATIENT_ID, Raw, Scanner, Syntax, number, trim};

/// The Patient ID has to come within so many bytes; what stands before it is held back until then.
const HELD: u64 = 64 << 10;

/// Which way a data set crosses the boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    #[default]
    ToPseudonyms,
    ToReal,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) way: Way,
    /// For dates of the sender's own clock, on the way back.
    pub(super) today: Option<Date>,
    /// The real (0010,0020) of whom a key names otherwise, which has to become the key.
    pub(super) named: Option<Vec<u8>>,
    /// The real (0010,0020), where the data set itself does not tell.
    pub(super) about: Option<Vec<u8>>,
    /// The real (0010,0020), without padding, never empty.
    pub(super) patient: Option<Vec<u8>>,
    /// Days by which dates move.
    pub(super) days: Option<i32>,
    pub(super) peer: Option<Arc<str>>,
    /// Planted so far.
    pub(super) canaries: u32,
    pub(super) pseudonyms: Pseudonyms,
}

/// Reads on to the Patient ID before anything is rewritten, since dates stand before it in every data set.
///
/// The same input in any chunking gives the same result: where it ends is a matter of the data set's bytes only.
pub(super) struct Lookahead {
    scanner: Scanner,
    reading: bool,
    patient: Vec<u8>,
    pub(super) held: Vec<u8>,
}

impl Lookahead {
    pub(super) fn new(syntax: Syntax, max_depth: usize) -> Self {
        Self {
            scanner: Scanner::new(syntax, max_depth),
            reading: false,
            patient: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Whether the Patient ID is known behind this input.
    pub(super) fn look(&mut self, input: &[u8]) -> Result<bool, RewriteError> {
        let mut at = 0;
        while let Some(event) = self.scanner.next(input, &mut at)? {
            if self.scanner.position() > HELD {
                return Err(RewriteError::new(PATIENT_ID, 0, RewriteProblem::TooLate));
            }
            if self.event(&event, input) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether that was the Patient ID, or an element behind where it would be.
    fn event(&mut self, event: &Event, input: &[u8]) -> bool {
        match (event.kind, &event.raw, self.scanner.depth()) {
            (Kind::Value { rest }, Raw::Input(range), 0) if self.reading => {
                self.patient.extend_from_slice(input.get(range.clone()).unwrap_or_default());
                rest == 0
            }
            (Kind::Element(header), _, 0) if header.tag == PATIENT_ID => {
                self.reading = true;
                header.length == Some(0)
            }
            (Kind::Element(header), _, 0) | (Kind::SequenceStart(header), _, 1) => {
                number(header.tag) > number(PATIENT_ID)
            }
            (Kind::FragmentsStart(_), ..) => true,
            _ => false,
        }
    }

    /// The Patient ID.
    pub(super) fn patient(&self) -> Result<Vec<u8>, RewriteError> {
        match trim(&self.patient) {
            [] => Err(RewriteError::new(PATIENT_ID, 0, RewriteProblem::NoPatient)),
            patient => Ok(patient.to_vec()),
        }
    }

    /// The data set ended before the Patient ID.
    pub(super) fn ended(&self) -> RewriteError {
        let no_patient = RewriteError::new(PATIENT_ID, 0, RewriteProblem::NoPatient);
        self.scanner.finish().err().map_or(no_patient, RewriteError::from)
    }
}
