//! The onlooker: who and what a data set is about, for the records, without a say in it.

use super::encoding::Encoding;
use super::scanner::{HARD_MAX_DEPTH, Kind, Raw, Scanner};
use super::{PATIENT_ID, SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID, Tag, number, trim};

const LONGEST: usize = 256;
const WATCHED: [Tag; 4] = [SOP_CLASS_UID, SOP_INSTANCE_UID, PATIENT_ID, STUDY_INSTANCE_UID];

/// Picks four identifiers from the top level of a data set as it passes by.
///
/// Never fails: where the data set cannot be read it stops looking, and it stops after Study Instance UID, so that pixel
/// data cost nothing. A deflated data set is not looked into.
pub struct Observer {
    scanner: Option<Scanner>,
    watching: Option<usize>,
    values: [Option<Vec<u8>>; 4],
}

impl Observer {
    /// An observer at the start of a data set.
    pub fn new(encoding: Encoding) -> Self {
        let scanner = (!encoding.deflated).then(|| Scanner::new(encoding.syntax, HARD_MAX_DEPTH));
        Self { scanner, watching: None, values: [const { None }; 4] }
    }

    /// Looks at the next bytes.
    pub fn observe(&mut self, input: &[u8]) {
        let mut at = 0;
        while let Some(scanner) = &mut self.scanner {
            match scanner.next(input, &mut at) {
                Ok(Some(event)) => match (event.kind, event.raw, scanner.depth()) {
                    (Kind::Value { rest }, Raw::Input(range), 0) => {
                        self.value(input.get(range).unwrap_or_default(), rest);
                    }
                    (Kind::Element(header), _, 0) => self.element(header.tag, header.length),
                    (Kind::SequenceStart(header), _, 1) | (Kind::FragmentsStart(header), _, 0) => {
                        self.pass(header.tag);
                    }
                    _ => {}
                },
                Ok(None) => return,
                Err(_) => self.scanner = None,
            }
        }
    }

    /// Whether more bytes could show more.
    pub fn wants_more(&self) -> bool {
        self.scanner.is_some()
    }

    /// (0008,0016), without padding, at most 256 bytes.
    pub fn sop_class_uid(&self) -> Option<&[u8]> {
        self.whole(0)
    }

    /// (0008,0018), without padding, at most 256 bytes.
    pub fn sop_instance_uid(&self) -> Option<&[u8]> {
        self.whole(1)
    }

    /// (0010,0020), without padding, at most 256 bytes, in whatever character set it was written.
    pub fn patient_id(&self) -> Option<&[u8]> {
        self.whole(2)
    }

    /// (0020,000D), without padding, at most 256 bytes.
    pub fn study_instance_uid(&self) -> Option<&[u8]> {
        self.whole(3)
    }

    fn whole(&self, index: usize) -> Option<&[u8]> {
        let value = self.values.get(index)?.as_deref()?;
        (self.watching != Some(index)).then(|| trim(value))
    }

    fn element(&mut self, tag: Tag, length: Option<u32>) {
        self.watching = None;
        if let Some(index) = WATCHED.iter().position(|&watched| watched == tag) {
            if let Some(value) = self.values.get_mut(index) {
                *value = Some(Vec::new());
            }
            if length != Some(0) {
                self.watching = Some(index);
                return;
            }
        }
        self.pass(tag);
    }

    fn value(&mut self, bytes: &[u8], rest: u32) {
        let Some(index) = self.watching else { return };
        if let Some(Some(value)) = self.values.get_mut(index) {
            let room = LONGEST.saturating_sub(value.len()).min(bytes.len());
            value.extend_from_slice(bytes.get(..room).unwrap_or_default());
        }
        if rest == 0 {
            self.watching = None;
            self.pass(WATCHED.get(index).copied().unwrap_or(STUDY_INSTANCE_UID));
        }
    }

    /// Elements come in the order of their tags, so nothing is to be had behind the last one watched.
    fn pass(&mut self, tag: Tag) {
        if number(tag) >= number(STUDY_INSTANCE_UID) {
            self.scanner = None;
        }
    }
}
