//! What is noted of a data set on its way: for the comparison with its command, for the records, for `--diff`.

use super::change::{Change, Content, Recorder};
use super::error::RewriteProblem;
use super::levels::Part;
use super::subject::{Expected, Subject};
use super::way::Way;
use crate::dataset::{
    Header, PATIENT_ID, SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID, Scanner, Tag, Tolerated, Vr,
    trim,
};

/// Kept of an identifier for the records.
const LONGEST: usize = 256;

/// What a transform found and did. Identifiers are bytes as they were written, without padding, at most 256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Elements removed, emptied, changed or added; a sequence counts once.
    pub elements: u64,
    /// (0020,000D) as it came.
    pub study_instance_uid: Option<Vec<u8>>,
    /// (0020,000D) as it went.
    pub new_study_instance_uid: Option<Vec<u8>>,
    /// The real (0010,0020).
    pub patient_id: Option<Vec<u8>>,
    /// (0008,0018) as it went.
    pub new_sop_instance_uid: Option<Vec<u8>>,
    /// Values that were not legal for their VR, and attributes written with another, that a profile would have kept: emptied,
    /// replaced or removed. They count among the elements too.
    pub misfits: u64,
    /// What was put right before the rules were applied, or by a profile.
    pub tolerated: Tolerated,
    /// (0008,0016) or (0008,0018) as it came, where the command says another.
    pub mismatch: Option<(Tag, Vec<u8>)>,
}

impl Summary {
    pub(super) const NOTHING: Self = Self {
        elements: 0,
        study_instance_uid: None,
        new_study_instance_uid: None,
        patient_id: None,
        new_sop_instance_uid: None,
        misfits: 0,
        tolerated: Tolerated::NONE,
        mismatch: None,
    };
}

pub(super) struct Notes {
    /// Of an object.
    expected: Option<Expected>,
    /// Whether real values come out.
    restores: bool,
    patient_seen: bool,
    pub(super) instance_seen: bool,
    pub(super) summary: Summary,
    pub(super) recorder: Option<Recorder>,
}

impl Notes {
    pub(super) fn new(subject: &Subject, way: Way) -> Self {
        let expected = match subject {
            Subject::Object(expected) => Some(expected.clone()),
            Subject::Keys | Subject::Attributes => None,
        };
        Self {
            instance_seen: expected.is_none(),
            expected,
            restores: way == Way::ToReal,
            patient_seen: false,
            summary: Summary::default(),
            recorder: None,
        }
    }

    /// Whether the value of an element at the top is wanted, whatever becomes of it.
    pub(super) fn wants(tag: Tag) -> bool {
        matches!(tag, SOP_CLASS_UID | SOP_INSTANCE_UID | PATIENT_ID | STUDY_INSTANCE_UID)
    }

    /// An element at the top of the data set: compares it with the command, keeps what the records want.
    pub(super) fn read(&mut self, tag: Tag, value: &[u8]) -> Result<(), RewriteProblem> {
        let value = trim(value);
        let expected = match tag {
            SOP_CLASS_UID => self.expected.as_ref().map(|expected| &expected.sop_class_uid),
            SOP_INSTANCE_UID => {
                self.instance_seen = true;
                self.summary.new_sop_instance_uid = Some(short(value));
                self.expected.as_ref().map(|expected| &expected.sop_instance_uid)
            }
            PATIENT_ID => {
                self.patient_seen = !value.is_empty();
                self.summary.patient_id = Some(short(value));
                return Ok(());
            }
            STUDY_INSTANCE_UID if self.restores && self.expected.is_some() && !self.patient_seen => {
                return Err(RewriteProblem::NoPatient);
            }
            STUDY_INSTANCE_UID => {
                self.summary.study_instance_uid = Some(short(value));
                self.summary.new_study_instance_uid = Some(short(value));
                return Ok(());
            }
            _ => return Ok(()),
        };
        let same = expected.is_none_or(|expected| value == expected.as_str().as_bytes());
        if !same {
            self.summary.mismatch = Some((tag, short(value)));
            return Err(RewriteProblem::CommandMismatch);
        }
        Ok(())
    }

    /// Whom keys are about by a study or another UID, where they have no Patient ID.
    pub(super) fn about(&mut self, patient: Option<Vec<u8>>) {
        let written = self.summary.patient_id.as_ref().is_some_and(|written| !written.is_empty());
        if !written {
            self.summary.patient_id = patient;
        }
    }

    /// An element was changed, or removed where `after` is absent; `before` is absent where it was not read.
    pub(super) fn changed(
        &mut self,
        scanner: &Scanner,
        header: Header,
        rule: usize,
        before: Option<&[u8]>,
        after: Option<&[u8]>,
    ) {
        self.count();
        let Header { tag, vr, length, .. } = header;
        match tag {
            PATIENT_ID if self.restores && scanner.depth() == 0 => self.summary.patient_id = after.map(short),
            SOP_INSTANCE_UID if scanner.depth() == 0 => self.summary.new_sop_instance_uid = after.map(short),
            STUDY_INSTANCE_UID if scanner.depth() == 0 => {
                self.summary.new_study_instance_uid = after.map(short)
            }
            _ => {}
        }
        let Some(recorder) = &mut self.recorder else { return };
        recorder.record(|| Change {
            path: scanner.path().collect(),
            tag,
            vr,
            rule,
            before: before.map_or(Content::Bulk { length }, Content::value),
            after: after.map_or(Content::Absent, Content::value),
        });
    }

    /// A sequence, or encapsulated pixel data, was removed or emptied.
    pub(super) fn changed_sequence(
        &mut self,
        scanner: &Scanner,
        header: Header,
        rule: usize,
        part: Part,
        removed: bool,
        after: Content,
    ) {
        self.count();
        let Some(recorder) = &mut self.recorder else { return };
        let mut path: Vec<_> = scanner.path().collect();
        let before = if part == Part::Fragments {
            Content::Bulk { length: None }
        } else {
            path.pop();
            Content::Sequence
        };
        let after = if removed { Content::Absent } else { after };
        recorder.record(|| Change { path, tag: header.tag, vr: header.vr, rule, before, after });
    }

    /// Takes note that a rule masks the pixels of this element, whose bytes no record could show.
    pub(super) fn masked(&mut self, header: &Header, rule: usize) {
        self.count();
        let Some(recorder) = &mut self.recorder else { return };
        let &Header { tag, vr, length, .. } = header;
        let (path, before, after) = (Vec::new(), Content::Bulk { length }, Content::Bulk { length });
        recorder.record(|| Change { path, tag, vr, rule, before, after });
    }

    /// An element was added at the top.
    pub(super) fn added(&mut self, tag: Tag, vr: Vr, rule: usize, value: &[u8]) {
        self.count();
        let Some(recorder) = &mut self.recorder else { return };
        let after = if vr == Vr::SQ { Content::Sequence } else { Content::value(value) };
        let (path, before) = (Vec::new(), Content::Absent);
        recorder.record(|| Change { path, tag, vr, rule, before, after });
    }

    /// A sequence at the top got more items.
    pub(super) fn appended(&mut self, tag: Tag, rule: usize) {
        self.count();
        let Some(recorder) = &mut self.recorder else { return };
        let (path, vr) = (Vec::new(), Vr::SQ);
        let (before, after) = (Content::Sequence, Content::Sequence);
        recorder.record(|| Change { path, tag, vr, rule, before, after });
    }

    /// What was changed did not fit its VR.
    pub(super) fn misfit(&mut self) {
        self.summary.misfits = self.summary.misfits.saturating_add(1);
        self.summary.tolerated.misfit = true;
    }

    fn count(&mut self) {
        self.summary.elements = self.summary.elements.saturating_add(1);
    }
}

fn short(value: &[u8]) -> Vec<u8> {
    let value = trim(value);
    value.get(..LONGEST).unwrap_or(value).to_vec()
}
