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
    pub problem: RewriteProblem,
}

/// Short, so that it fits an Error Comment (0000,0902) together with its tag and depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteProblem {
    #[error("{0}")]
    Structure(ScanProblem),
    #[error("differs from the command")]
    CommandMismatch,
    #[error("missing")]
    Missing,
    #[error("too long to be edited")]
    TooLong,
    #[error("rule {} does not suit a sequence", .rule + 1)]
    NotForSequences { rule: usize },
    #[error("rule {} does not suit its VR", .rule + 1)]
    NotForVr { rule: usize },
    #[error("sequence grows too long")]
    Grown,
    #[error("deflated data set is damaged")]
    Inflate,
    #[error("deflated data set is too large")]
    InflatedSize,
    #[error("deflated data set ends early")]
    InflateTruncated,
    #[error("transform is finished")]
    Finished,
    #[error("no patient ID to make a pseudonym or dates from")]
    NoPatient,
    #[error("patient ID comes too late")]
    TooLate,
    #[error("no peer's name to write")]
    NoPeer,
    #[error("no tenant to write")]
    NoTenant,
    #[error("no number to write")]
    NoNumber,
    #[error("private SOP class, refused by the profile")]
    PrivateClass,
    #[error("encapsulated document, refused by the profile")]
    Document,
    #[error("burned-in text is likely; refused")]
    BurnedIn,
    #[error("no pseudonym that is known here")]
    NotAPseudonym,
    #[error("belongs to another patient")]
    OtherPatient,
    #[error("the real value does not fit the character set")]
    NotInCharacterSet,
    #[error("cannot be looked for by its value")]
    NotAKey,
    #[error("a pseudonym cannot be looked for with * or ?")]
    Wildcard,
    #[error("can only be looked for with the Patient ID")]
    NeedsPatientId,
    #[error("nothing on the other side has this value")]
    MatchesNothing,
    #[error("the crosswalk is not available")]
    Crosswalk,
    #[error("a pseudonym stands for something else already")]
    PseudonymTaken,
    #[error("more identifiers than can be remembered at once")]
    TooManyPseudonyms,
    #[error("burned-in text is likely; no mask fits")]
    NoMask,
    #[error("overlay in the pixels; refused")]
    OverlayInPixels,
    #[error("description of the image comes too late")]
    DescriptionTooLate,
    #[error("pixels of this layout cannot be masked")]
    Unmaskable,
    #[error("length is not that of the image; not masked")]
    PixelLength,
    #[error("no mask lies in the image")]
    OutsideImage,
    #[error("compressed pixels cannot be masked")]
    CompressedPixels,
    #[error("compressed frames cannot be told apart")]
    Frames,
    #[error("a frame cannot be decoded")]
    Undecodable,
    #[error("a frame is larger than may be decoded")]
    FrameSize,
    #[error("no memory to decode a frame in at present")]
    NoRoom,
    #[error("no memory to hold a long header in at present")]
    NoRoomForHeader,
    #[error("pixels inside a sequence cannot be masked")]
    NestedPixels,
    #[error("pixels outside an object; refused")]
    PixelsOfNoObject,
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
            Self::NotForSequences { .. } => "a rule that keeps, removes or empties a sequence",
            Self::NotForVr { .. } => "a rule whose action suits the value representation",
            Self::Grown => "a sequence of at most 1 MiB after the rules, where its length is defined",
            Self::Inflate => "one raw deflate stream (PS3.5 A.5)",
            Self::InflatedSize => "no more than max-inflated-size, and at most 1,000 times what came",
            Self::InflateTruncated => "the rest of the deflate stream",
            Self::Finished => "nothing after the end",
            Self::NoPatient => "a Patient ID (0010,0020) with a value",
            Self::TooLate => "the Patient ID (0010,0020) within the first 64 KiB",
            Self::NoPeer => "a peer, for a rule with {peer}",
            Self::NoTenant => "a tenant of the peer, for a rule with {tenant}",
            Self::NoNumber => "an object, for a rule with {sequence}",
            Self::PrivateClass => "a SOP class of the standard, or private-sop-classes = \"pass\"",
            Self::Document => "no document, or encapsulated-documents = \"replace\" for PDF",
            Self::BurnedIn => "Burned In Annotation (0028,0301) NO, or burned-in = \"pass\" or \"mask\"",
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
            Self::DescriptionTooLate => "the description of the image within the first 1 MiB",
            Self::Unmaskable => "native pixels of 8 or 16 bits, as conf/README.md lists them",
            Self::PixelLength => "rows x columns x samples x frames, as described",
            Self::OutsideImage => "a mask with a rectangle in the image",
            Self::CompressedPixels => {
                "native pixels, or compressed-pixels = \"decode\" and a syntax that it knows"
            }
            Self::NestedPixels => "pixels at the top of the object only",
            Self::NoPixels => "the pixels that were described",
            Self::Frames => "an offset table, or one fragment a frame",
            Self::Undecodable => "a frame as the transfer syntax and the description say",
            Self::FrameSize => "a frame of at most largest-frame",
            Self::NoRoomForHeader => "fewer long headers of this peer at once, or more decoding-memory",
            Self::NoRoom => "fewer or faster frames of this peer at once, or more decoding-memory",
        }
    }

    fn status(self) -> u16 {
        match self {
            Self::CommandMismatch | Self::Missing => 0xA900,
            Self::Structure(_) | Self::Inflate | Self::InflateTruncated => 0xC000,
            Self::TooLong | Self::Grown | Self::InflatedSize | Self::Finished => 0xC001,
            Self::NotForSequences { .. } | Self::NotForVr { .. } => 0xC002,
            Self::NoPeer | Self::NoTenant | Self::NoNumber => 0xC002,
            Self::NoPatient | Self::TooLate => 0xC003,
            Self::PrivateClass => 0xC004,
            Self::Document => 0xC005,
            Self::NotAPseudonym | Self::OtherPatient | Self::NotInCharacterSet | Self::MatchesNothing => {
                0xC008
            }
            // Identifier does not match SOP class (PS3.4 C.4.1.1.4).
            Self::NotAKey | Self::Wildcard | Self::NeedsPatientId => 0xA900,
            Self::Crosswalk | Self::PseudonymTaken | Self::TooManyPseudonyms => 0xA700,
            Self::NoRoom | Self::NoRoomForHeader => 0xA700,
            Self::BurnedIn | Self::NoMask | Self::OverlayInPixels | Self::PixelsOfNoObject => 0xC006,
            Self::DescriptionTooLate | Self::Unmaskable | Self::PixelLength | Self::OutsideImage => 0xC007,
            Self::CompressedPixels | Self::NestedPixels | Self::NoPixels => 0xC007,
            Self::Frames | Self::Undecodable | Self::FrameSize => 0xC007,
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
