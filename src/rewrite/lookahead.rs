//! What has to be known of a data set before anything of it is rewritten.

mod seldom;

use std::sync::Arc;

use super::character_set::CharacterSet;
use super::error::{RewriteError, RewriteProblem};
use super::identifiers::{self, Collected, SOURCES, is_among};
use super::patient_id::is_nobody;
use super::pixels::{DESCRIBED_BY, Description, REGIONS, Regions};
use super::profile::{Pixels, SIGNS_ARE_IN};
use crate::buffer::Held;
use crate::dataset::{
    Event, Header, ISSUER_OF_PATIENT_ID, Kind, PATIENT_ID, Raw, SPECIFIC_CHARACTER_SET, Scanner, Tag, number,
    trim,
};
use crate::wire::Uid;
use seldom::Seldom;

/// What has to be known has to come within so many bytes, where nothing else is said: what stands before it is held back.
const WITHIN: u64 = 16 << 20;
/// What a value has beyond so many bytes is not read: such values are refused by whoever reads them to edit them.
const LONGEST: usize = 64 << 10;
/// (0008,0050) Accession Number, (0010,0010) Patient's Name.
const RESTORED: [Tag; 2] = [Tag(0x0008, 0x0050), Tag(0x0010, 0x0010)];

/// All that is ever looked for at the top.
const AT_TOP: Seldom = Seldom::of(&[
    &SOURCES,
    &RESTORED,
    &[PATIENT_ID, ISSUER_OF_PATIENT_ID, SPECIFIC_CHARACTER_SET],
    &DESCRIBED_BY,
    &SIGNS_ARE_IN,
]);

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
        self.description.read(header, value);
        self.pixels.read(header.tag, value);
        if self.description.is_image() {
            self.pixels.of_image();
        }
    }
}

/// What a data set is looked through for.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) patient: bool,
    /// Whether the issuer is wanted with the Patient ID.
    pub(super) issuer: bool,
    /// Whether values are restored, for which a character set may have to be chosen.
    pub(super) restores: bool,
    pub(super) image: Option<Image>,
    /// Attributes whose values are looked for in texts, sorted, where that is done.
    pub(super) sources: Option<Arc<[Tag]>>,
}

impl Wanted {
    fn is_nothing(&self) -> bool {
        !self.patient && self.image.is_none() && self.sources.is_none()
    }

    /// Where nothing is wanted any more.
    fn last(&self) -> Tag {
        let of_patient = if self.issuer { ISSUER_OF_PATIENT_ID } else { PATIENT_ID };
        let of_image = self.image.as_ref().map(Image::last);
        let of_texts = self.sources.is_some().then_some(identifiers::LAST);
        let all = [Some(of_patient).filter(|_| self.patient), of_image, of_texts];
        all.into_iter().flatten().max_by_key(|tag| number(*tag)).unwrap_or(of_patient)
    }

    fn is_at_top(&self, tag: Tag) -> bool {
        AT_TOP.may_have(tag) && self.is_listed(tag)
    }

    fn is_listed(&self, tag: Tag) -> bool {
        self.is_source(tag)
            || matches!(tag, PATIENT_ID | ISSUER_OF_PATIENT_ID) && self.patient
            || tag == SPECIFIC_CHARACTER_SET && (self.patient || self.sources.is_some())
            || self.restores && RESTORED.contains(&tag)
            || self.image.is_some() && Image::wants(tag)
    }

    fn is_in_items(&self, tag: Tag) -> bool {
        self.is_source(tag) || self.sources.is_some() && tag == SPECIFIC_CHARACTER_SET
    }

    #[inline]
    fn is_source(&self, tag: Tag) -> bool {
        self.sources.as_ref().is_some_and(|sources| is_among(sources, tag))
    }
}

/// Reads on before anything is rewritten: to the Patient ID, since dates stand before it in every data set; to the last attribute of the
/// header that may name somebody, since texts stand before it in which identifiers are looked for; to the end of an image's description, since what was done to its
/// pixels is said before.
///
/// The same input in any chunking gives the same result: where it ends is a matter of the data set's bytes only.
///
/// ```text
///               push 1               push 2                       push 3
///            |<------------------->|<-------------------------->|<----------------------- ...
///   data set | dates   AE titles   | Patient's Name  Patient ID | description   pixels
///            +---------------------+----------------------------+----------------------- ...
///   look()     false: append to      true: all that is wanted     not asked any more
///              `held`                is known
///   sent       nothing               held, read again in pieces   as it comes
///                                    ([`Waited`]), then this push
/// ```
///
/// So nothing of a data set goes on, and nothing has to be taken back, where what is wanted does not come
/// [within](Self::within) the bytes that may be held. What is held shares memory with the peer's other associations.
///
/// [`Waited`]: super::rewriting
pub(super) struct Lookahead {
    scanner: Scanner,
    wanted: Wanted,
    patient: Vec<u8>,
    /// Whose Patient ID it is, where that is wanted.
    pub(super) issuer: Vec<u8>,
    /// (0008,0005).
    pub(super) set: CharacterSet,
    /// Those of the items that are under way, from the outermost, and how many sequences are around each.
    sets_of_items: Vec<(usize, CharacterSet)>,
    /// Values of [`RESTORED`] as they came.
    pub(super) others: Vec<(Tag, Vec<u8>)>,
    pub(super) collected: Collected,
    reading: Option<Header>,
    value: Vec<u8>,
    /// Bytes of the data set that may be held.
    pub(super) within: u64,
    pub(super) held: Held,
}

impl Lookahead {
    /// `None` where nothing has to be known. `scanner` stands at the start of the data set.
    pub(super) fn new(scanner: Scanner, wanted: Wanted) -> Option<Box<Self>> {
        (!wanted.is_nothing()).then(|| {
            Box::new(Self {
                scanner,
                wanted,
                patient: Vec::new(),
                issuer: Vec::new(),
                set: CharacterSet::DEFAULT,
                sets_of_items: Vec::new(),
                others: Vec::new(),
                collected: Collected::default(),
                reading: None,
                value: Vec::new(),
                within: WITHIN,
                held: Held::default(),
            })
        })
    }

    /// Whether all is known behind this input.
    pub(super) fn look(&mut self, input: &[u8], mut at: usize) -> Result<bool, RewriteError> {
        loop {
            self.skip(input, &mut at);
            let is_within = self.scanner.position() <= self.within;
            let event = if is_within { self.scanner.next(input, &mut at)? } else { None };
            if self.scanner.position() > self.within {
                return Err(self.too_late());
            }
            match event {
                Some(event) if self.event(&event, input) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    fn too_late(&self) -> RewriteError {
        let (tag, problem) = match (&self.wanted.image, &self.wanted.sources) {
            (Some(_), _) => (self.wanted.last(), RewriteProblem::DescriptionTooLate),
            (None, Some(_)) => (identifiers::LAST, RewriteProblem::IdentifiersTooLate),
            (None, None) => (PATIENT_ID, RewriteProblem::TooLate),
        };
        RewriteError::new(tag, 0, problem)
    }

    /// Whether that was the last element wanted, or an element behind where it would be.
    fn event(&mut self, event: &Event, input: &[u8]) -> bool {
        let depth = self.scanner.depth();
        match (event.kind, &event.raw, self.reading) {
            (Kind::Value { rest }, raw, Some(header)) => {
                let bytes = match raw {
                    Raw::Input(range) => input.get(range.clone()).unwrap_or_default(),
                    Raw::Carried => self.scanner.carried(),
                };
                if self.value.len() <= LONGEST {
                    self.value.extend_from_slice(bytes);
                }
                rest == 0 && self.read(&header)
            }
            (Kind::Element(header), ..) => {
                let is_wanted = if depth == 0 {
                    self.wanted.is_at_top(header.tag)
                } else {
                    self.wanted.is_in_items(header.tag) || self.in_regions() && Regions::wants(header.tag)
                };
                self.reading = is_wanted.then_some(header);
                self.value.clear();
                let empty = is_wanted && header.length == Some(0);
                self.is_behind(header, depth) || empty && self.read(&header)
            }
            (Kind::SequenceStart(header), ..) if header.is_guessed() => {
                self.scanner.pass_over();
                self.is_behind(header, self.scanner.depth())
            }
            (Kind::SequenceStart(header), ..) => self.is_behind(header, depth.saturating_sub(1)),
            (Kind::ItemStart { .. } | Kind::ItemEnd, ..) => {
                self.forget_sets(depth);
                let begins = matches!(event.kind, Kind::ItemStart { .. }) && self.in_regions();
                if let Some(image) = self.wanted.image.as_mut().filter(|_| begins) {
                    image.description.regions.open();
                }
                false
            }
            (Kind::FragmentsStart(_), ..) => true,
            _ => false,
        }
    }

    /// What items said that are no longer under way where one begins or ends with so many sequences around it.
    fn forget_sets(&mut self, depth: usize) {
        while self.sets_of_items.pop_if(|(of, _)| *of >= depth).is_some() {}
    }

    /// Whether what is under way lies in an item that says where an image is.
    fn in_regions(&self) -> bool {
        self.wanted.image.is_some()
            && self.scanner.depth() == 1
            && self.scanner.path().last().is_some_and(|step| step.sequence == REGIONS)
    }

    fn is_behind(&self, header: Header, depth: usize) -> bool {
        depth == 0 && number(header.tag) > number(self.wanted.last())
    }

    /// Passes what is neither wanted nor behind all that is.
    fn skip(&mut self, input: &[u8], at: &mut usize) {
        let (in_regions, wanted, last) = (self.in_regions(), &self.wanted, number(self.wanted.last()));
        match self.scanner.depth() {
            0 => self.scanner.skip(input, at, |tag, _, _| number(tag) >= last || wanted.is_at_top(tag)),
            _ => self
                .scanner
                .skip(input, at, |tag, _, _| wanted.is_in_items(tag) || in_regions && Regions::wants(tag)),
        }
    }

    /// An element that was wanted is complete. Whether it was the last.
    fn read(&mut self, header: &Header) -> bool {
        let (tag, depth) = (header.tag, self.scanner.depth());
        self.reading = None;
        let set = self.sets_of_items.last().filter(|_| depth > 0).map_or(&self.set, |(_, set)| set);
        if self.wanted.is_source(tag) {
            self.collected.add(tag, set, &self.value);
        }
        if tag == SPECIFIC_CHARACTER_SET && depth > 0 {
            self.forget_sets(depth);
            self.sets_of_items.push((depth, CharacterSet::of(&self.value)));
        }
        if depth > 0 {
            self.read_region(header);
            return false;
        }
        if tag == PATIENT_ID && self.wanted.patient {
            self.patient = trim(&self.value).to_vec();
        } else if tag == ISSUER_OF_PATIENT_ID && self.wanted.patient {
            self.issuer = trim(&self.value).to_vec();
        } else if tag == SPECIFIC_CHARACTER_SET {
            self.set = CharacterSet::of(&self.value);
        } else if self.wanted.restores && RESTORED.contains(&tag) {
            self.others.push((tag, trim(&self.value).to_vec()));
        }
        if let Some(image) = &mut self.wanted.image {
            image.read(header, &self.value);
        }
        tag == self.wanted.last()
    }

    /// An element of an item was read that may say where an image is.
    fn read_region(&mut self, header: &Header) {
        let is_of_region = self.in_regions() && Regions::wants(header.tag);
        if let Some(image) = self.wanted.image.as_mut().filter(|_| is_of_region) {
            image.description.regions.read(header.tag, &self.value, header.syntax);
        }
    }

    pub(super) fn image(&self) -> Option<&Image> {
        self.wanted.image.as_ref()
    }

    /// Whether identifiers were collected, to be looked for.
    pub(super) fn identifies(&self) -> bool {
        self.wanted.sources.is_some()
    }

    /// What may be restored so far, and the Patient ID.
    pub(super) fn restorable(&self) -> impl Iterator<Item = (Tag, &[u8])> {
        let others = self.others.iter().map(|(tag, value)| (*tag, value.as_slice()));
        others.chain([(PATIENT_ID, self.patient.as_slice())])
    }

    /// Says that the patient has to be known, whatever else.
    pub(super) fn wanting_patient(mut self: Box<Self>, with_issuer: bool) -> Box<Self> {
        (self.wanted.patient, self.wanted.issuer) = (true, with_issuer);
        self
    }

    /// The Patient ID, where it is needed.
    pub(super) fn patient(&self) -> Result<Option<Vec<u8>>, RewriteError> {
        match self.patient.as_slice() {
            _ if !self.wanted.patient => Ok(None),
            nobody if is_nobody(nobody) => Err(RewriteError::new(PATIENT_ID, 0, RewriteProblem::NoPatient)),
            patient => Ok(Some(patient.to_vec())),
        }
    }

    /// Says that the data set ended before the last element wanted.
    pub(super) fn finish(&self) -> Result<(), RewriteError> {
        Ok(self.scanner.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wanted_is_among_what_is_looked_for() {
        let image = Some(Image::new(&"1.2.840.10008.5.1.4.1.1.2".parse().unwrap()));
        let sources = Some(SOURCES.into());
        let wanted = Wanted { patient: true, issuer: true, restores: true, image, sources };
        let all = (0..=0x60_u16).flat_map(|group| (0..=u16::MAX).map(move |element| Tag(group, element)));
        let listed: Vec<Tag> = all.filter(|tag| wanted.is_listed(*tag)).collect();
        assert!(listed.len() > 60 && listed.iter().all(|tag| wanted.is_at_top(*tag)));
    }
}
