//! Why a data set cannot be rewritten.

use std::fmt::Write;

use crate::buffer::NoRoom;
use crate::dataset::{PathStep, ScanError, ScanProblem, Tag, may_be_text};

/// A data set that cannot be rewritten: nothing of it may be called complete. Names the element, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct RewriteError {
    /// What a C-STORE-RSP says (PS3.4 B.2.3): 0xA700, out of resources, 0xA900, data set does not match SOP class, or 0xC000 and up, cannot
    /// understand.
    pub status: u16,
    /// The element, where it is about one.
    pub tag: Option<Tag>,
    /// Number of sequences around it.
    pub depth: usize,
    /// These sequences, from the outside, as far as they are known.
    pub path: Box<[PathStep]>,
    /// Bytes of the data set before it, where its structure is wrong.
    pub offset: Option<u64>,
    /// What is wrong, of the element that `tag`, `path` or `offset` names.
    pub problem: RewriteProblem,
}

/// Short, so that it fits an Error Comment (0000,0902) together with its tag and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteProblem {
    /// The scanner cannot read on, or must not, since what follows has two readings.
    #[error("{0}")]
    Structure(ScanProblem),
    /// SOP Class or SOP Instance UID is not that of the C-STORE-RQ, or of a file's meta information.
    #[error("differs from the command")]
    CommandMismatch,
    /// There is no SOP Instance UID (0008,0018) where it would stand.
    #[error("missing")]
    Missing,
    /// A value of more than 64 KiB that a rule has to read, or one that became too long for its header.
    #[error("too long to be edited")]
    TooLong,
    /// A value of more than 64 KiB holds bytes that its VR does not allow, after some of it was sent.
    #[error("long value is not legal for its VR")]
    Misfit,
    /// A rule edits values, and came upon a sequence or encapsulated pixel data.
    #[error("rule {} does not suit a sequence", .rule + 1)]
    NotForSequences {
        /// Its place in the ruleset, counted from 0, those of the profile behind those that were written.
        rule: usize,
    },
    /// A rule makes values of one kind, and came upon another: it moves dates, say, and the VR is PN.
    #[error("rule {} does not suit its VR", .rule + 1)]
    NotForVr {
        /// Its place in the ruleset, counted from 0, those of the profile behind those that were written.
        rule: usize,
    },
    /// A sequence of defined length is held back until its new length is known, and is too long for that.
    #[error("sequence grows too long")]
    Grown,
    /// What came is no deflate stream, or something unknown follows its end.
    #[error("deflated data set is damaged")]
    Inflate,
    /// More came out of the deflate stream than is allowed, or far more than went in.
    #[error("deflated data set is too large")]
    InflatedSize,
    /// The data set ended before its deflate stream did.
    #[error("deflated data set ends early")]
    InflateTruncated,
    /// More was pushed behind the end. A defect of the caller's: no data set can bring it about.
    #[error("transform is finished")]
    Finished,
    /// A rule needs the patient, and the data set names none, or nobody.
    #[error("no patient ID to make a pseudonym or dates from")]
    NoPatient,
    /// What stands before the Patient ID has to be held back until it comes, and would be too much.
    #[error("patient ID comes too late")]
    TooLate,
    /// What stands before the identifiers that are looked for in texts has to be held back, and would be too much.
    #[error("identifiers come too late")]
    IdentifiersTooLate,
    /// There are more identifiers to be looked for in texts than there is room for.
    #[error("too many identifiers to look for")]
    TooManyIdentifiers,
    /// A rule writes `{peer}`, and there is none: outside of the proxy none was given.
    #[error("no peer's name to write")]
    NoPeer,
    /// A rule writes `{tenant}`, and the peer has none.
    #[error("no tenant to write")]
    NoTenant,
    /// A rule writes `{sequence}`, and the data set is none that is counted.
    #[error("no number to write")]
    NoNumber,
    /// The SOP class is not the standard's, and nothing says how such objects are de-identified.
    #[error("private SOP class, refused by the profile")]
    PrivateClass,
    /// The SOP class encapsulates a document that cannot be looked into, or put an empty one in its place.
    #[error("encapsulated document, refused by the profile")]
    Document,
    /// Class or flags say that there is text in the pixels, or that there may be.
    #[error("burned-in text is likely; refused")]
    BurnedIn,
    /// An identifier that is to be restored never went out from here.
    #[error("no pseudonym that is known here")]
    NotAPseudonym,
    /// Identifiers of one data set lead back to two patients.
    #[error("belongs to another patient")]
    OtherPatient,
    /// A value that is to be restored cannot be written in the Specific Character Set (0008,0005) of the data set.
    #[error("the real value does not fit the character set")]
    NotInCharacterSet,
    /// A query names a key that rules hide, or whose value has no counterpart on the other side.
    #[error("cannot be looked for by its value")]
    NotAKey,
    /// A query compares a part of a pseudonym, which says nothing of a part of the real value.
    #[error("a pseudonym cannot be looked for with * or ?")]
    Wildcard,
    /// A query names a key that is told from the patient only: a date that was moved, a name.
    #[error("can only be looked for with the Patient ID")]
    NeedsPatientId,
    /// A query is right, and nobody has that value: a C-FIND, say, is told that nothing matches.
    #[error("nothing on the other side has this value")]
    MatchesNothing,
    /// The crosswalk could not be read, or what was made not be written to it before it goes out.
    #[error("the crosswalk is not available")]
    Crosswalk,
    /// A pseudonym that was made stands for another value already (abbreviated ones can be alike), or its value has
    /// another one by now.
    #[error("a pseudonym stands for something else already")]
    PseudonymTaken,
    /// A message would make the crosswalk hold too much in memory before it is written.
    #[error("more identifiers than can be remembered at once")]
    TooManyPseudonyms,
    /// The picture shows the label of a slide, which names the patient or the case: a label or overview image, or one that
    /// says so (0048,0010).
    #[error("a slide's label is in the picture; refused")]
    SlideLabel,
    /// As `BurnedIn`, and masks are given, none of which is for such an image.
    #[error("burned-in text is likely; no mask fits")]
    NoMask,
    /// An overlay lies in unused bits of the pixel data, where it would stay.
    #[error("overlay in the pixels; refused")]
    OverlayInPixels,
    /// What stands before rows, columns and the rest has to be held back until they come, and would be too much.
    #[error("description of the image comes too late")]
    DescriptionTooLate,
    /// Bits, samples, photometric interpretation or the element itself are of a kind that is not masked here.
    #[error("pixels of this layout cannot be masked")]
    Unmaskable,
    /// The pixel data, native or decoded, are longer or shorter than their description.
    #[error("length is not that of the image; not masked")]
    PixelLength,
    /// Behind the last pixel come as many bytes as a frame has, or more: frames that are not counted, or something else.
    #[error("more pixel data than the image has, by a frame or more")]
    MorePixels,
    /// Rows, columns, samples, bits or frames are missing, or are no numbers: nobody knows where the pixels end.
    #[error("the size of the image is not told")]
    Undescribed,
    /// Masks fit the image, and all of their rectangles lie beside it.
    #[error("no mask lies in the image")]
    OutsideImage,
    /// A mask fits, and nothing may or can decode these pixels.
    #[error("compressed pixels cannot be masked")]
    CompressedPixels,
    /// Fragments cannot be given to frames, or are more, or longer, than the description allows (PS3.5 A.4).
    #[error("compressed frames cannot be told apart")]
    Frames,
    /// A codec found no frame of what was described in the fragments.
    #[error("a frame cannot be decoded")]
    Undecodable,
    /// Decoded, a frame would be longer than `largest-frame`.
    #[error("a frame is larger than may be decoded")]
    FrameSize,
    /// The memory that all decoding shares is in use, or the peer's part of it.
    #[error("no memory to decode a frame in at present")]
    NoRoom,
    /// The memory for what has to be held back is in use, or the peer's part of it.
    #[error("no memory to hold a long header in at present")]
    NoRoomForHeader,
    /// A mask fits, and there are pixels in a sequence too, for which no mask is meant.
    #[error("pixels inside a sequence cannot be masked")]
    NestedPixels,
    /// There are pixels in a data set that is no object, a query say: nothing tells what is in them.
    #[error("pixels outside an object; refused")]
    PixelsOfNoObject,
    /// A mask fits, and the object ended without pixels: it would say that it was masked.
    #[error("missing; nothing was masked")]
    NoPixels,
}

impl RewriteError {
    pub(super) fn new(tag: Tag, depth: usize, problem: RewriteProblem) -> Self {
        Self { tag: Some(tag).filter(|&tag| !may_be_text(tag)), depth, ..Self::whole(problem) }
    }

    pub(super) fn whole(problem: RewriteProblem) -> Self {
        let status = problem.status();
        Self { status, tag: None, depth: 0, path: Box::default(), offset: None, problem }
    }

    /// With the sequences around the element, where it does not know them yet: of those that are open, the outer ones.
    pub(super) fn within(mut self, open: impl Iterator<Item = PathStep>) -> Self {
        if self.path.is_empty() {
            self.path = open.take(self.depth).collect();
        }
        self
    }

    /// What was made could not be remembered: see [`Transform::take_correspondences`](super::Transform::take_correspondences).
    pub fn not_remembered() -> Self {
        Self::whole(RewriteProblem::Crosswalk)
    }

    /// A pseudonym that was made stands for another value already.
    pub fn pseudonym_taken() -> Self {
        Self::whole(RewriteProblem::PseudonymTaken)
    }

    /// For an Error Comment (0000,0902): ASCII, at most 64 characters.
    pub fn comment(&self) -> String {
        let depth = if self.depth > 0 { format!(" depth {}", self.depth) } else { String::new() };
        let mut comment = match (self.tag, self.path.last(), self.offset) {
            (Some(tag), ..) => format!("{tag}{depth}: {}", self.problem),
            (None, Some(around), _) => format!("in {}{depth}: {}", around.sequence, self.problem),
            (None, None, Some(offset)) => format!("byte {offset}: {}", self.problem),
            (None, None, None) => self.problem.to_string(),
        };
        comment.truncate(64);
        comment
    }

    /// For an Offending Element (0000,0901): the element, or the sequence that it lies in.
    pub fn offending(&self) -> Option<Tag> {
        self.tag.or(self.path.last().map(|around| around.sequence))
    }

    /// The element with the sequences around it, items counted from 1: `(0040,0275)[1].(0040,0009)`.
    pub fn element(&self) -> Option<String> {
        let around = self.path.iter().map(|step| format!("{}[{}]", step.sequence, step.item));
        let steps: Vec<String> = around.chain(self.tag.map(|tag| tag.to_string())).collect();
        (!steps.is_empty()).then(|| steps.join("."))
    }

    fn text(&self) -> String {
        let mut text = self.element().unwrap_or_default();
        if let Some(offset) = self.offset {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}byte {offset}", if text.is_empty() { "" } else { " at " });
        }
        let separator = if text.is_empty() { "" } else { ": " };
        format!("{text}{separator}{}; expected {}", self.problem, self.problem.expected())
    }
}

impl RewriteProblem {
    /// What would have been right, or what would let it pass.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Structure(problem) => problem.expected(),
            Self::CommandMismatch => "the UID that the command names",
            Self::Missing => "this element; the command names one",
            Self::TooLong => "a value of at most 64 KiB, where a rule has to read it",
            Self::Misfit => "what PS3.5 6.2 allows in values of this VR",
            Self::NotForSequences { .. } => "a rule that keeps, removes or empties a sequence",
            Self::NotForVr { .. } => "a rule whose action suits the value representation",
            Self::Grown => "a sequence of at most 1 MiB after the rules, where its length is defined",
            Self::Inflate => "one raw deflate stream (PS3.5 A.5)",
            Self::InflatedSize => "no more than max-inflated-size, and at most 1,000 times what came",
            Self::InflateTruncated => "the rest of the deflate stream",
            Self::Finished => "nothing after the end",
            Self::NoPatient => "a Patient ID (0010,0020) with a value",
            Self::TooLate => "the Patient ID (0010,0020) within the first held-data-set bytes",
            Self::IdentifiersTooLate => {
                "the Filler Order Number (0040,2017), or what is behind it, within the first held-data-set bytes"
            }
            Self::TooManyIdentifiers => {
                "at most 16 KiB of identifiers and 64 KiB of the forms of them, or clean-identifiers = false"
            }
            Self::NoPeer => "a peer, for a rule with {peer}",
            Self::NoTenant => "a tenant of the peer, for a rule with {tenant}",
            Self::NoNumber => "an object, for a rule with {sequence}",
            Self::PrivateClass => "a SOP class of the standard, or private-sop-classes = \"pass\"",
            Self::Document => "no document, or encapsulated-documents = \"replace\" for PDF",
            Self::BurnedIn => "Burned In Annotation (0028,0301) NO, or burned-in = \"pass\" or \"mask\"",
            Self::SlideLabel => "neither a label nor an overview, a mask for it, or burned-in = \"pass\"",
            Self::NoMask => {
                "a mask for this image, Burned In Annotation (0028,0301) NO, or unmasked = \"pass\""
            }
            Self::NotAPseudonym => "a pseudonym that went out from here",
            Self::OtherPatient => "identifiers of one patient",
            Self::NotInCharacterSet => "a character set that holds the real value",
            Self::NotAKey => "an empty value, or a key that can be translated",
            Self::Wildcard => "a whole value",
            Self::NeedsPatientId => "the Patient ID (0010,0020) among the keys",
            Self::MatchesNothing => "an identifier that went out from here",
            Self::Crosswalk => "a crosswalk that can be read and written",
            Self::PseudonymTaken => "a pseudonym of its own; a longer one makes this rarer",
            Self::TooManyPseudonyms => "fewer identifiers in one message",
            Self::OverlayInPixels => "an overlay with data of its own, or burned-in = \"pass\"",
            Self::PixelsOfNoObject => "no pixels, or burned-in = \"pass\"",
            Self::DescriptionTooLate => "the description of the image within the first held-data-set bytes",
            Self::Unmaskable => "native pixels of 8 or 16 bits, as conf/README.md lists them",
            Self::PixelLength => "rows x columns x samples x frames, as described",
            Self::MorePixels => "rows x columns x samples x frames, and under a frame or 64 KiB behind that",
            Self::Undescribed => "rows, columns, samples, bits allocated and frames, each one number",
            Self::OutsideImage => "a mask with a rectangle in the image",
            Self::CompressedPixels => {
                "native pixels, or compressed-pixels = \"decode\" and a syntax that it knows"
            }
            Self::NestedPixels => "pixels at the top of the object only",
            Self::NoPixels => "the pixels that were described",
            Self::Frames => "an offset table, or one fragment a frame",
            Self::Undecodable => "a frame as the transfer syntax and the description say",
            Self::FrameSize => "a frame of at most largest-frame",
            Self::NoRoomForHeader => "fewer long headers of this peer at once, or more held-data-sets",
            Self::NoRoom => "fewer or faster frames of this peer at once, or more decoding-memory",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::CommandMismatch | Self::Missing => 0xA900,
            Self::Structure(_) | Self::Inflate | Self::InflateTruncated => 0xC000,
            Self::TooLong | Self::Misfit | Self::Grown | Self::InflatedSize | Self::Finished => 0xC001,
            Self::NotForSequences { .. } | Self::NotForVr { .. } => 0xC002,
            Self::NoPeer | Self::NoTenant | Self::NoNumber => 0xC002,
            Self::NoPatient | Self::TooLate | Self::IdentifiersTooLate => 0xC003,
            Self::TooManyIdentifiers => 0xC001,
            Self::PrivateClass => 0xC004,
            Self::Document => 0xC005,
            Self::NotAPseudonym | Self::OtherPatient | Self::NotInCharacterSet | Self::MatchesNothing => {
                0xC008
            }
            // Identifier does not match SOP class (PS3.4 C.4.1.1.4).
            Self::NotAKey | Self::Wildcard | Self::NeedsPatientId => 0xA900,
            Self::Crosswalk | Self::PseudonymTaken | Self::TooManyPseudonyms => 0xA700,
            Self::NoRoom | Self::NoRoomForHeader => 0xA700,
            Self::BurnedIn
            | Self::SlideLabel
            | Self::NoMask
            | Self::OverlayInPixels
            | Self::PixelsOfNoObject => 0xC006,
            Self::DescriptionTooLate | Self::Unmaskable | Self::PixelLength | Self::MorePixels => 0xC007,
            Self::OutsideImage | Self::CompressedPixels | Self::NestedPixels | Self::NoPixels => 0xC007,
            Self::Frames | Self::Undecodable | Self::FrameSize | Self::Undescribed => 0xC007,
        }
    }
}

impl From<NoRoom> for RewriteProblem {
    fn from(NoRoom: NoRoom) -> Self {
        Self::NoRoom
    }
}

impl From<ScanError> for RewriteError {
    fn from(error: ScanError) -> Self {
        let ScanError { tag, path, offset, problem } = error;
        let whole = Self::whole(RewriteProblem::Structure(problem));
        Self { tag, depth: path.len(), path, offset: Some(offset), ..whole }
    }
}
