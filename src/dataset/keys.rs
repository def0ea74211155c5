//! What the identifier of a query or retrieval asks by (PS3.4 C.2.2.2), for who has to know before it goes on.
//!
//! It is read whole, and strictly: where two readers could see two identifiers, it cannot be read.

use std::collections::BTreeSet;

use super::encoding::Encoding;
use super::header::looks_like_a_vr;
use super::inflating::Inflating;
use super::scanner::{Event, Kind, Raw, Scanner};
use super::unnamed::Unnamed;
use super::{Header, SPECIFIC_CHARACTER_SET, Tag, exact_vr_of, trim};

/// Bytes of an identifier, inflated ones too: it waits until all of it has come.
const LONGEST: u64 = 64 << 10;
/// Sequences of an identifier, one in the other.
const DEEPEST: usize = 16;
/// (0008,0052) Query/Retrieve Level.
const LEVEL: Tag = Tag(0x0008, 0x0052);
/// (0040,0100) Scheduled Procedure Step Sequence, where a worklist is asked for procedure steps (PS3.4 K.6.1.2.2).
const STEPS: Tag = Tag(0x0040, 0x0100);

/// Reads the keys of an identifier in any chunking. After an error it must not be used again.
pub struct Keys {
    inflating: Option<Box<Inflating>>,
    walk: Walk,
}

/// Why an identifier cannot be read. Each fits an Error Comment (0000,0902).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is longer than an identifier may be that waits.
    #[error("the identifier is longer than 64 KiB")]
    TooLong,
    /// Its elements do not follow each other as PS3.5 says, lie too deep, or it ends inside one.
    #[error("the identifier cannot be read")]
    Structure,
    /// What came is no deflate stream, does not end, or much follows its end.
    #[error("the identifier cannot be inflated")]
    Deflated,
}

/// What an identifier asks by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedBy {
    /// (0008,0005) at the top, empty where it is absent.
    pub character_set: Vec<u8>,
    /// The values at the top, without padding.
    pub top: Vec<(Tag, Vec<u8>)>,
    /// Those in the one item of (0040,0100) at the top; none where there are several.
    pub step: Vec<(Tag, Vec<u8>)>,
    /// Every attribute, at any depth, that has a value which not everything matches, and the sequences around it.
    pub matched: BTreeSet<Tag>,
}

struct Walk {
    scanner: Scanner,
    /// Elements say their VR.
    explicit: bool,
    /// Bytes that came.
    length: u64,
    reading: Option<Header>,
    value: Vec<u8>,
    asked: AskedBy,
    has_several_steps: bool,
}

impl Keys {
    /// At the start of an identifier.
    pub fn new(encoding: Encoding) -> Self {
        let walk = Walk {
            scanner: Scanner::new(encoding.syntax, DEEPEST),
            length: 0,
            reading: None,
            value: Vec::new(),
            asked: AskedBy::default(),
            has_several_steps: false,
            explicit: encoding.syntax.explicit,
        };
        Self { inflating: encoding.deflated.then(Inflating::new), walk }
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// [`Unread`]
    pub fn look(&mut self, input: &[u8]) -> Result<(), Unread> {
        let Self { inflating, walk } = self;
        match inflating {
            None => walk.walk(input),
            Some(inflating) => {
                let mut unread = None;
                let looked = inflating.inflate(input, |plain| {
                    unread = walk.walk(plain).err();
                    Ok(unread.is_some())
                });
                match (unread, looked) {
                    (Some(unread), _) => Err(unread),
                    (None, Err(Unnamed::TooLate)) => Err(Unread::TooLong),
                    (None, Err(_)) => Err(Unread::Deflated),
                    (None, Ok(_)) => Ok(()),
                }
            }
        }
    }

    /// Says that the identifier ended, and gives what it asks by.
    ///
    /// # Errors
    /// [`Unread`]: it ended inside an element.
    pub fn finish(self) -> Result<AskedBy, Unread> {
        if self.inflating.is_some_and(|inflating| !inflating.has_ended()) {
            return Err(Unread::Deflated);
        }
        let Walk { scanner, mut asked, has_several_steps, .. } = self.walk;
        scanner.finish().map_err(|_| Unread::Structure)?;
        if has_several_steps {
            asked.step.clear();
        }
        Ok(asked)
    }
}

impl Walk {
    fn walk(&mut self, input: &[u8]) -> Result<(), Unread> {
        self.length = self.length.saturating_add(input.len() as u64);
        if self.length > LONGEST {
            return Err(Unread::TooLong);
        }
        let mut at = 0;
        while let Some(event) = self.scanner.next(input, &mut at).map_err(|_| Unread::Structure)? {
            self.event(event, input)?;
        }
        Ok(())
    }

    /// Whether another reader may see another element there: an attribute that PS3.6 lists has its own VR, or is not what it says,
    /// and a length that could be a VR is not known to be one.
    fn could_be_another(&self, header: &Header) -> bool {
        let is_itself = exact_vr_of(header.tag).is_none_or(|listed| listed == header.vr);
        let could_be_a_vr = header.length.is_some_and(looks_like_a_vr);
        !is_itself || !self.explicit && could_be_a_vr
    }

    fn event(&mut self, Event { kind, raw }: Event, input: &[u8]) -> Result<(), Unread> {
        match kind {
            Kind::Element(header) => {
                if self.could_be_another(&header) {
                    return Err(Unread::Structure);
                }
                self.value.clear();
                self.reading = Some(header).filter(|header| header.length != Some(0));
            }
            Kind::Value { rest } => {
                let bytes = match raw {
                    Raw::Input(range) => input.get(range).unwrap_or_default(),
                    Raw::Carried => self.scanner.carried(),
                };
                self.value.extend_from_slice(bytes);
                if rest == 0
                    && let Some(header) = self.reading.take()
                {
                    self.element(header.tag);
                }
            }
            Kind::ItemStart { .. } => self.has_several_steps |= self.is_in_steps(2..),
            // No identifier has pixel data.
            Kind::FragmentsStart(_) | Kind::Fragment { .. } => return Err(Unread::Structure),
            _ => {}
        }
        Ok(())
    }

    /// Whether the elements under way are of such an item of (0040,0100) at the top.
    fn is_in_steps(&self, items: impl std::ops::RangeBounds<u32>) -> bool {
        let mut path = self.scanner.path();
        let (first, more) = (path.next(), path.next());
        more.is_none() && first.is_some_and(|step| step.sequence == STEPS && items.contains(&step.item))
    }

    /// An element that has a value.
    fn element(&mut self, tag: Tag) {
        let value = trim(&self.value);
        if value.is_empty() || tag.1 == 0 {
            return;
        }
        let is_at_the_top = self.scanner.depth() == 0;
        if is_at_the_top && tag == SPECIFIC_CHARACTER_SET {
            self.asked.character_set = value.to_vec();
        } else if is_at_the_top {
            self.asked.top.push((tag, value.to_vec()));
        } else if self.is_in_steps(1..=1) {
            self.asked.step.push((tag, value.to_vec()));
        }
        if is_matched_on(tag) && !is_universal(value) {
            let around = self.scanner.path().map(|step| step.sequence);
            self.asked.matched.extend(around.chain([tag]));
        }
    }
}

/// Whether a value is looked for at all: what says how the identifier is read, or whose a private element is, is not.
fn is_matched_on(tag: Tag) -> bool {
    let is_creator = tag.0 % 2 == 1 && (0x0010..=0x00FF).contains(&tag.1);
    !is_creator && tag != SPECIFIC_CHARACTER_SET && tag != LEVEL
}

/// Whether everything matches it (PS3.4 C.2.2.2.3): a single `?` already tells how long a value is.
fn is_universal(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'*' | b'\\' | b' ' | 0))
}

#[cfg(test)]
mod tests;
