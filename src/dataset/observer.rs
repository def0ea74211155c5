//! The onlooker: who and what a data set is about, for the records, without a say in it.

use std::cell::Cell;

use super::encoding::Encoding;
use super::scanner::{Event, HARD_MAX_DEPTH, Kind, Raw, Scanner};
use super::{Characters, PATIENT_ID, SPECIFIC_CHARACTER_SET, STUDY_INSTANCE_UID, Tag, number, trim};

const LONGEST: usize = 256;

/// Picks Patient ID and Study Instance UID from the top level of a data set as it passes by.
///
/// Never fails: where the data set cannot be read it stops looking, and it stops after Study Instance UID, so that pixel
/// data cost nothing. A deflated data set is not looked into.
pub struct Observer {
    scanner: Option<Scanner>,
    watching: Option<Watched>,
    character_set: Option<Vec<u8>>,
    /// The same, where it was passed over.
    usual_set: Cell<Option<&'static [u8]>>,
    patient_id: Option<Vec<u8>>,
    study_instance_uid: Option<Vec<u8>>,
    is_lost: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Watched {
    CharacterSet,
    PatientId,
    StudyInstanceUid,
}

impl Observer {
    /// An observer at the start of a data set.
    pub fn new(encoding: Encoding) -> Self {
        let scanner =
            (!encoding.deflated).then(|| Scanner::new(encoding.syntax, HARD_MAX_DEPTH).tolerating());
        Self {
            scanner,
            watching: None,
            character_set: None,
            usual_set: Cell::new(None),
            patient_id: None,
            study_instance_uid: None,
            is_lost: false,
        }
    }

    /// Looks at the next bytes.
    pub fn observe(&mut self, input: &[u8]) {
        let mut at = 0;
        while let Some(scanner) = &mut self.scanner {
            let (top, usual_set) = (scanner.depth() == 0, &self.usual_set);
            scanner.skip(input, &mut at, |tag, length, element| {
                top && is_asked(tag)
                    && !(tag == SPECIFIC_CHARACTER_SET && is_usual(length, element, usual_set))
            });
            match scanner.next(input, &mut at) {
                Ok(Some(Event { kind: Kind::SequenceStart(header), .. })) if header.is_guessed() => {
                    scanner.pass_over();
                    if scanner.depth() == 0 {
                        self.element(header.tag, 0);
                    }
                }
                Ok(Some(event)) => match (event.kind, event.raw, scanner.depth()) {
                    (Kind::Value { rest }, Raw::Input(range), 0) => {
                        self.value(input.get(range).unwrap_or_default(), rest);
                    }
                    (Kind::Element(header), _, 0) => self.element(header.tag, header.length.unwrap_or(0)),
                    (Kind::SequenceStart(header), _, 1) | (Kind::FragmentsStart(header), _, 0) => {
                        self.pass(header.tag);
                    }
                    _ => {}
                },
                Ok(None) => return,
                Err(_) => (self.scanner, self.is_lost) = (None, true),
            }
        }
    }

    /// Whether more bytes could show more.
    pub fn wants_more(&self) -> bool {
        self.scanner.is_some()
    }

    /// Whether the data set could not be read as far as that.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// (0010,0020), without padding, at most 256 bytes, in whatever character set it was written.
    pub fn patient_id(&self) -> Option<&[u8]> {
        let is_whole = self.watching != Some(Watched::PatientId);
        self.patient_id.as_deref().filter(|_| is_whole).map(trim)
    }

    /// Whether that is looked for with wildcards, or is several.
    pub fn is_pattern(&self) -> bool {
        let characters = Characters::of(self.character_set());
        self.patient_id().is_some_and(|patient| characters.is_pattern(patient))
    }

    /// (0008,0005), empty where it is absent.
    pub fn character_set(&self) -> &[u8] {
        let read = self.character_set.as_deref().filter(|_| self.watching != Some(Watched::CharacterSet));
        read.or(self.usual_set.get()).unwrap_or_default()
    }

    /// (0020,000D), without padding, at most 256 bytes.
    pub fn study_instance_uid(&self) -> Option<&[u8]> {
        let is_whole = self.watching != Some(Watched::StudyInstanceUid);
        self.study_instance_uid.as_deref().filter(|_| is_whole).map(trim)
    }

    fn kept(&mut self, watched: Watched) -> &mut Vec<u8> {
        let value = match watched {
            Watched::CharacterSet => &mut self.character_set,
            Watched::PatientId => &mut self.patient_id,
            Watched::StudyInstanceUid => &mut self.study_instance_uid,
        };
        value.get_or_insert_default()
    }

    fn element(&mut self, tag: Tag, length: u32) {
        self.watching = match tag {
            SPECIFIC_CHARACTER_SET => Some(Watched::CharacterSet),
            PATIENT_ID => Some(Watched::PatientId),
            STUDY_INSTANCE_UID => Some(Watched::StudyInstanceUid),
            _ => None,
        };
        if let Some(watched) = self.watching {
            self.kept(watched).reserve_exact(usize::try_from(length).unwrap_or(LONGEST).min(LONGEST));
        }
        if self.watching.is_none() || length == 0 {
            self.watching = None;
            self.pass(tag);
        }
    }

    fn value(&mut self, bytes: &[u8], rest: u32) {
        let Some(watched) = self.watching else { return };
        let value = self.kept(watched);
        let room = LONGEST.saturating_sub(value.len()).min(bytes.len());
        value.extend_from_slice(bytes.get(..room).unwrap_or_default());
        if rest == 0 {
            self.watching = None;
            self.pass(match watched {
                Watched::CharacterSet => SPECIFIC_CHARACTER_SET,
                Watched::PatientId => PATIENT_ID,
                Watched::StudyInstanceUid => STUDY_INSTANCE_UID,
            });
        }
    }

    /// Elements come in the order of their tags, so nothing is to be had behind the last one watched.
    fn pass(&mut self, tag: Tag) {
        if number(tag) >= number(STUDY_INSTANCE_UID) {
            self.scanner = None;
        }
    }
}

/// Whether it is a character set in whose texts each byte below 80 is a character, and which one.
fn is_usual(length: u32, element: &[u8], usual_set: &Cell<Option<&'static [u8]>>) -> bool {
    const USUAL: [&[u8]; 3] = [b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 6"];
    // Behind a header of eight bytes, which a CS has in every encoding.
    let value = element.get(8..).and_then(|behind| behind.get(..usize::try_from(length).ok()?));
    let usual = value.and_then(|value| USUAL.into_iter().find(|usual| *usual == value));
    usual_set.set(usual);
    usual.is_some()
}

/// Whether an element at the top is one that is watched, or behind all of them.
fn is_asked(tag: Tag) -> bool {
    matches!(tag, SPECIFIC_CHARACTER_SET | PATIENT_ID) || number(tag) >= number(STUDY_INSTANCE_UID)
}
