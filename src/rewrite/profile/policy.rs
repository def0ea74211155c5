//! Objects that are refused for what they are, whatever their attributes say.

use super::burned_in::BURNED_IN;
use super::spec::ProfileSpec;
use crate::dataset::{Tag, trim};
use crate::rewrite::error::RewriteProblem;
use crate::wire::Uid;

/// (0028,0301) Burned In Annotation.
const BURNED_IN_ANNOTATION: Tag = Tag(0x0028, 0x0301);
const IMAGE_TYPE: Tag = Tag(0x0008, 0x0008);
const CONVERSION_TYPE: Tag = Tag(0x0008, 0x0064);
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103E);
/// What a device writes that captured a screen or digitized a film (PS3.3 C.8.6.1): the date, its manufacturer, model and
/// software. Others that de-identify look for them too, whatever the SOP class.
const OF_CAPTURE: [Tag; 4] =
    [Tag(0x0018, 0x1012), Tag(0x0018, 0x1016), Tag(0x0018, 0x1018), Tag(0x0018, 0x1019)];
/// In a value of Image Type, or in a Series Description, whatever stands between its letters: SCREEN SAVE, SCREENSAVE,
/// SAVE, SCREEN_CAPTURE, Screenshot.
const SCREENS: [&[u8]; 3] = [b"SAVE", b"CAPTURE", b"SCREENSHOT"];
/// Scanned films and documents, drawings, captures from video or screen (PS3.3 C.8.6.1.1.1).
const CONVERTED: [&[u8]; 7] = [b"DF", b"SD", b"SI", b"WSD", b"DV", b"DI", b"DRW"];
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

/// Whether text is likely to be burned into the pixels, as far as class and flags tell.
#[derive(Debug)]
pub(in crate::rewrite) struct Pixels {
    risky: bool,
    /// What (0028,0301) says.
    flag: Option<bool>,
    decided: bool,
}

impl Pixels {
    pub(in crate::rewrite) fn new(class: &Uid) -> Self {
        let document = class.as_str().starts_with(ENCAPSULATED);
        let risky = !document && BURNED_IN.binary_search(&class.as_str()).is_ok();
        Self { risky, flag: None, decided: false }
    }

    pub(in crate::rewrite) fn wants(tag: Tag) -> bool {
        matches!(tag, BURNED_IN_ANNOTATION | IMAGE_TYPE | CONVERSION_TYPE | SERIES_DESCRIPTION)
            || OF_CAPTURE.contains(&tag)
    }

    pub(in crate::rewrite) fn is_decided(&self) -> bool {
        self.decided
    }

    /// An element at the top.
    pub(in crate::rewrite) fn read(&mut self, tag: Tag, value: &[u8]) {
        let mut values = value.split(|&b| b == b'\\').map(trim);
        match tag {
            BURNED_IN_ANNOTATION => {
                self.flag = match trim(value) {
                    b"YES" => Some(true),
                    b"NO" => Some(false),
                    _ => None,
                }
            }
            IMAGE_TYPE | SERIES_DESCRIPTION => self.risky |= values.any(is_of_a_screen),
            CONVERSION_TYPE => self.risky |= values.any(|value| CONVERTED.contains(&value)),
            _ if OF_CAPTURE.contains(&tag) => self.risky |= values.any(|value| !value.is_empty()),
            _ => {}
        }
    }

    /// Whether there is likely to be text, after all that is wanted was read.
    pub(in crate::rewrite) fn are_risky(&self) -> bool {
        self.flag.unwrap_or(self.risky)
    }

    /// An element at the top is about to come, or none any more.
    pub(in crate::rewrite) fn before(&mut self, tag: Option<Tag>) -> Result<(), RewriteProblem> {
        let flag_past =
            tag.is_none_or(|tag| (tag.0, tag.1) > (BURNED_IN_ANNOTATION.0, BURNED_IN_ANNOTATION.1));
        if self.decided || !flag_past {
            return Ok(());
        }
        self.decided = true;
        if self.are_risky() { Err(RewriteProblem::BurnedIn) } else { Ok(()) }
    }
}

fn is_of_a_screen(value: &[u8]) -> bool {
    let letters: Vec<u8> =
        value.iter().filter(|b| b.is_ascii_alphabetic()).map(u8::to_ascii_uppercase).collect();
    SCREENS.iter().any(|word| letters.windows(word.len()).any(|window| window == *word))
}

pub(in crate::rewrite) const FLAG: Tag = BURNED_IN_ANNOTATION;
