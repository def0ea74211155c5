//! Objects that are refused for what they are, whatever their attributes say.

use super::burned_in::BURNED_IN;
use super::signs::{self, BURNED_IN_ANNOTATION, LABEL_IN_IMAGE};
use super::spec::ProfileSpec;
use crate::dataset::{SOP_CLASS_UID, Tag, number, trim};
use crate::rewrite::error::RewriteProblem;
use crate::wire::Uid;

/// (0028,0010) Rows: what has it is an image.
const ROWS: Tag = Tag(0x0028, 0x0010);
/// The group of pixel data.
const PIXELS: u16 = 0x7FE0;
const WHOLE_SLIDE: &str = "1.2.840.10008.5.1.4.1.1.77.1.6";
const STANDARD_ROOT: &str = "1.2.840.10008.";
const ENCAPSULATED_PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const ENCAPSULATED: &str = "1.2.840.10008.5.1.4.1.1.104.";

/// The document that stands for an encapsulated PDF: one empty page.
pub(super) const EMPTY_PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n\
0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n";

impl ProfileSpec {
    /// Why objects of a class are refused before anything of them is read.
    pub(in crate::rewrite) fn refuses_class(&self, class: &Uid) -> Option<RewriteProblem> {
        let class = class.as_str();
        if self.refuse_private_classes && !class.starts_with(STANDARD_ROOT) {
            return Some(RewriteProblem::PrivateClass);
        }
        // For CDA, STL, OBJ and MTL there is no empty document that a reader would take.
        let document =
            class.starts_with(ENCAPSULATED) && (self.refuse_documents || class != ENCAPSULATED_PDF);
        document.then_some(RewriteProblem::Document)
    }
}

/// Whether text is likely to be burned into the pixels, as far as class and [signs] tell.
#[derive(Debug)]
pub(in crate::rewrite) struct Pixels {
    /// Whether the class often has such text.
    of_class: bool,
    /// What (0028,0301) says.
    flag: Option<bool>,
    /// The first element that is a sign, unless (0028,0301) is NO, and the first that is one whatever that is.
    sign: Option<Tag>,
    certain: Option<Tag>,
    is_image: bool,
    /// Behind it, all that is wanted was read.
    last: Tag,
    decided: bool,
}

impl Pixels {
    pub(in crate::rewrite) fn new(class: &Uid) -> Self {
        let class = class.as_str();
        let of_class = BURNED_IN.binary_search_by_key(&class, |&(uid, _)| uid).is_ok();
        let last = if class == WHOLE_SLIDE { LABEL_IN_IMAGE } else { BURNED_IN_ANNOTATION };
        Self { of_class, flag: None, sign: None, certain: None, is_image: false, last, decided: false }
    }

    pub(in crate::rewrite) fn wants(tag: Tag) -> bool {
        signs::wants(tag)
    }

    /// The last element that is wanted.
    pub(in crate::rewrite) fn last(&self) -> Tag {
        self.last
    }

    pub(in crate::rewrite) fn is_decided(&self) -> bool {
        self.decided
    }

    /// An element at the top.
    pub(in crate::rewrite) fn read(&mut self, tag: Tag, value: &[u8]) {
        if tag == BURNED_IN_ANNOTATION {
            self.flag = match trim(value) {
                b"YES" => Some(true),
                b"NO" => Some(false),
                _ => None,
            };
            return;
        }
        for sign in signs::of(tag, value) {
            let found = if sign.always { &mut self.certain } else { &mut self.sign };
            found.get_or_insert(tag);
        }
    }

    /// Says that it is an image: a report on doses has no pixels, whatever its series is called.
    pub(in crate::rewrite) fn of_image(&mut self) {
        self.is_image = true;
    }

    /// The element that tells that there is likely to be text, after all that is wanted was read, and why it is refused.
    pub(in crate::rewrite) fn risk(&self) -> Option<(Tag, RewriteProblem)> {
        let certain = self.certain.filter(|_| self.is_image).map(|tag| (tag, RewriteProblem::SlideLabel));
        let likely = match self.flag {
            Some(true) => Some(BURNED_IN_ANNOTATION),
            Some(false) => None,
            None if self.of_class => Some(SOP_CLASS_UID),
            None => self.sign.filter(|_| self.is_image),
        };
        certain.or(likely.map(|tag| (tag, RewriteProblem::BurnedIn)))
    }

    /// An element at the top is about to come, or none any more.
    ///
    /// # Errors
    /// The object is refused, for this element and reason.
    pub(in crate::rewrite) fn before(&mut self, tag: Option<Tag>) -> Result<(), (Tag, RewriteProblem)> {
        let of_pixels = tag.is_some_and(|tag| tag.0 == PIXELS);
        if self.decided && tag.is_some() && !of_pixels {
            return Ok(());
        }
        self.is_image |= of_pixels || tag == Some(ROWS);
        if tag.is_some_and(|tag| number(tag) <= number(self.last)) {
            return Ok(());
        }
        self.decided = true;
        self.risk().map_or(Ok(()), Err)
    }
}

pub(in crate::rewrite) const FLAG: Tag = BURNED_IN_ANNOTATION;
