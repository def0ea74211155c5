//! What has to be known of a data set before anything of it is rewritten.

use super::character_set::CharacterSet;
use super::error::{RewriteError, RewriteProblem};
use super::patient_id::is_nobody;
use super::pixels::{Description, REGIONS, Regions};
use super::profile::Pixels;
use crate::buffer::Held;
use crate::dataset::{
    Event, Header, ISSUER_OF_PATIENT_ID, Kind, PATIENT_ID, Raw, SPECIFIC_CHARACTER_SET, Scanner, Tag, number,
    trim,
};
use crate::wire::Uid;

/// The Patient ID has to come within so many bytes; what stands before it is held back until then.
const PATIENT_WITHIN: u64 = 64 << 10;
/// (0008,0050) Accession Number, (0010,0010) Patient's Name.
const RESTORED: [Tag; 2] = [Tag(0x0008, 0x0050), Tag(0x0010, 0x0010)];
/// So has the description of an image, where masks may fit it.
const IMAGE_WITHIN: u64 = 1 << 20;

/// What has to be known of an image before masks are chosen for it.
pub(super) struct Image {
    pub(super) description: Description,
    pub(super) pixels: Pixels,
}

impl Image {
    pub(super) fn new(class: &Uid) -> Self {
        Self { description: Description::new(class), pixels: Pixels::new(class) }
    }

    fn wants(tag: Tag) -> bool {
        Description::wants(tag) || Pixels::wants(tag)
    }

    /// Everything is known behind this element.
    fn last(&self) -> Tag {
        self.pixels.last()
    }

    fn read(&mut self, header: &Header, value: &[u8]) {
        self.description.read(header.tag, value, header.syntax);
        self.pixels.read(header.tag, value);
        if self.description.is_image() {
            self.pixels.of_image();
        }
    }
}

/// Reads on before anything is rewritten: to the Patient ID, since dates stand before it in every data set; to the end of
/// an image's description, since what was done to its pixels is said before.
///
/// The same input in any chunking gives the same result: where it ends is a matter of the data set's bytes only.
pub(super) struct Lookahead {
    scanner: Scanner,
    needs_patient: bool,
    /// Whether values are restored, for which a character set may have to be chosen.
    restores: bool,
    patient: Vec<u8>,
    /// Whether the issuer is wanted with the Patient ID, and what it is.
    with_issuer: bool,
    pub(super) issuer: Vec<u8>,
    /// (0008,0005).
    pub(super) set: CharacterSet,
    /// Values of [`RESTORED`] as they came.
    pub(super) others: Vec<(Tag, Vec<u8>)>,
    pub(super) image: Option<Image>,
    reading: Option<Header>,
    value: Vec<u8>,
    pub(super) held: Held,
}

impl Lookahead {
    /// `None` where nothing has to be known. `scanner` stands at the start of the data set.
    pub(super) fn new(
        scanner: Scanner,
        (needs_patient, with_issuer, restores): (bool, bool, bool),
        image: Option<Image>,
    ) -> Option<Box<Self>> {
        (needs_patient || image.is_some()).then(|| {
            Box::new(Self {
                scanner,
                needs_patient,
                restores,
                patient: Vec::new(),
                with_issuer,
                issuer: Vec::new(),
                set: CharacterSet::DEFAULT,
                others: Vec::new(),
                image,
                reading: None,
                value: Vec::new(),
                held: Held::default(),
            })
        })
    }

    /// Whether all is known behind this input.
    pub(super) fn look(&mut self, input: &[u8], mut at: usize) -> Result<bool, RewriteError> {
        let (tag, within, problem) = match self.image {
            Some(_) => (self.last(), IMAGE_WITHIN, RewriteProblem::DescriptionTooLate),
            None => (PATIENT_ID, PATIENT_WITHIN, RewriteProblem::TooLate),
        };
        loop {
            self.skip(input, &mut at);
            let is_within = self.scanner.position() <= within;
            let event = if is_within { self.scanner.next(input, &mut at)? } else { None };
            if self.scanner.position() > within {
                return Err(RewriteError::new(tag, 0, problem));
            }
            match event {
                Some(event) if self.event(&event, input) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    /// Whether that was the last element wanted, or an element behind where it would be.
    fn event(&mut self, event: &Event, input: &[u8]) -> bool {
        match (event.kind, &event.raw, self.scanner.depth(), self.reading) {
            (Kind::Value { rest }, Raw::Input(range), 0, Some(header)) => {
                self.value.extend_from_slice(input.get(range.clone()).unwrap_or_default());
                rest == 0 && self.read(&header)
            }
            (Kind::Value { rest }, Raw::Input(range), 1, Some(header)) if self.in_regions() => {
                self.value.extend_from_slice(input.get(range.clone()).unwrap_or_default());
                if rest == 0
                    && let Some(image) = &mut self.image
                {
                    image.description.regions.read(header.tag, &self.value, header.syntax);
                }
                false
            }
            (Kind::Element(header), _, 1, _) if self.in_regions() => {
                self.reading = Some(header).filter(|header| Regions::wants(header.tag));
                self.value.clear();
                false
            }
            (Kind::ItemStart { .. }, _, 1, _) if self.in_regions() => {
                if let Some(image) = &mut self.image {
                    image.description.regions.open();
                }
                false
            }
            (Kind::Element(header), _, 0, _) => {
                self.reading = self.wants(header.tag).then_some(header);
                self.value.clear();
                let empty = self.reading.is_some() && header.length == Some(0);
                number(header.tag) > number(self.last()) || empty && self.read(&header)
            }
            (Kind::SequenceStart(header), ..) if header.is_guessed() => {
                self.scanner.pass_over();
                self.scanner.depth() == 0 && number(header.tag) > number(self.last())
            }
            (Kind::SequenceStart(header), _, 1, _) => number(header.tag) > number(self.last()),
            (Kind::FragmentsStart(_), ..) => true,
            _ => false,
        }
    }

    /// Whether what is under way lies in an item that says where an image is.
    fn in_regions(&self) -> bool {
        self.image.is_some() && self.scanner.path().last().is_some_and(|step| step.sequence == REGIONS)
    }

    /// Passes what is neither wanted nor behind all that is.
    fn skip(&mut self, input: &[u8], at: &mut usize) {
        let (top, last, of_image) = (self.scanner.depth() == 0, number(self.last()), self.image.is_some());
        let (of_patient, restores) = (self.needs_patient, self.restores);
        let of_text =
            |tag| of_patient && tag == SPECIFIC_CHARACTER_SET || restores && RESTORED.contains(&tag);
        let in_regions = !top && self.in_regions();
        let is_asked = |tag, _, _: &[u8]| {
            in_regions && Regions::wants(tag)
                || top
                    && (number(tag) >= last
                        || tag == PATIENT_ID
                        || of_patient && tag == ISSUER_OF_PATIENT_ID
                        || of_text(tag)
                        || of_image && Image::wants(tag))
        };
        self.scanner.skip(input, at, is_asked);
    }

    fn last(&self) -> Tag {
        match &self.image {
            Some(image) => image.last(),
            None if self.with_issuer => ISSUER_OF_PATIENT_ID,
            None => PATIENT_ID,
        }
    }

    fn wants(&self, tag: Tag) -> bool {
        self.image.is_some() && Image::wants(tag)
            || self.needs_patient && matches!(tag, PATIENT_ID | ISSUER_OF_PATIENT_ID | SPECIFIC_CHARACTER_SET)
            || self.restores && RESTORED.contains(&tag)
    }

    /// An element that was wanted is complete. Whether it was the last.
    fn read(&mut self, header: &Header) -> bool {
        if header.tag == PATIENT_ID {
            self.patient = trim(&self.value).to_vec();
        } else if header.tag == ISSUER_OF_PATIENT_ID {
            self.issuer = trim(&self.value).to_vec();
        } else if header.tag == SPECIFIC_CHARACTER_SET {
            self.set = CharacterSet::of(&self.value);
        } else if self.restores && RESTORED.contains(&header.tag) {
            self.others.push((header.tag, trim(&self.value).to_vec()));
        } else if let Some(image) = &mut self.image {
            image.read(header, &self.value);
        }
        header.tag == self.last()
    }

    /// What may be restored so far, and the Patient ID.
    pub(super) fn restorable(&self) -> impl Iterator<Item = (Tag, &[u8])> {
        let others = self.others.iter().map(|(tag, value)| (*tag, value.as_slice()));
        others.chain([(PATIENT_ID, self.patient.as_slice())])
    }

    /// Says that the patient has to be known, whatever else.
    pub(super) fn wanting_patient(mut self: Box<Self>, with_issuer: bool) -> Box<Self> {
        (self.needs_patient, self.with_issuer) = (true, with_issuer);
        self
    }

    /// The Patient ID, where it is needed.
    pub(super) fn patient(&self) -> Result<Option<Vec<u8>>, RewriteError> {
        match self.patient.as_slice() {
            _ if !self.needs_patient => Ok(None),
            nobody if is_nobody(nobody) => Err(RewriteError::new(PATIENT_ID, 0, RewriteProblem::NoPatient)),
            patient => Ok(Some(patient.to_vec())),
        }
    }

    /// Says that the data set ended before the last element wanted.
    pub(super) fn finish(&self) -> Result<(), RewriteError> {
        Ok(self.scanner.finish()?)
    }
}
