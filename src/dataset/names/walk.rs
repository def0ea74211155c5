//! From header to header, over all that is no name: the names themselves are kept, and compared where they come again.

use super::guess::{self, Guess};
use crate::dataset::encoding::Syntax;
use crate::dataset::header::{Head, ITEM, LONG_HEAD, UNDEFINED, looks_like_a_vr};
use crate::dataset::mending::ends_header;
use crate::dataset::scanner::{ITEM_END, SEQUENCE_END};
use crate::dataset::tolerated::unknown_vr;
use crate::dataset::unnamed::{DEEPEST, Unnamed};
use crate::dataset::vr::Vr;
use crate::dataset::{SOP_CLASS_UID, SOP_INSTANCE_UID, Tag, trim};

/// Both have to come within so many bytes, or the data set has to end.
const WITHIN: u64 = 64 << 10;
/// A UID has at most 64 characters (PS3.5 §9.1).
const LONGEST: usize = 66;

/// What is open, of undefined length.
#[derive(Clone, Copy)]
struct Open {
    holds_items: bool,
    syntax: Syntax,
}

#[derive(Clone, Copy)]
struct Value {
    bytes: [u8; LONGEST],
    length: usize,
}

/// A walk over the elements of a data set, in chunks, from the first to the last that counts.
pub(super) struct Walk {
    syntax: Syntax,
    open: Vec<Open>,
    /// The start of a header that the input ended inside.
    carry: [u8; LONG_HEAD],
    carried: usize,
    /// Bytes of the value under way that are to come.
    rest: u32,
    reading: Option<Tag>,
    sop_class: Option<Value>,
    sop_instance: Option<Value>,
    /// One that came before comes again.
    again: Option<Value>,
    pub(super) is_repeated: bool,
    /// A VR that is none was read as that of the dictionary.
    pub(super) is_respelled: bool,
    position: u64,
    pub(super) guess: Guess,
}

impl Value {
    const EMPTY: Self = Self { bytes: [0; LONGEST], length: 0 };

    fn push(&mut self, more: &[u8]) {
        let end = self.length + more.len();
        // A longer one is not begun.
        if let Some(to) = self.bytes.get_mut(self.length..end) {
            to.copy_from_slice(more);
            self.length = end;
        }
    }

    fn told(value: Option<&Self>) -> Option<&[u8]> {
        let value = value?;
        value.bytes.get(..value.length).map(trim).filter(|value| !value.is_empty())
    }
}

impl Walk {
    pub(super) fn new(syntax: Syntax, guess: Guess) -> Self {
        Self {
            syntax,
            open: Vec::new(),
            carry: [0; LONG_HEAD],
            carried: 0,
            rest: 0,
            reading: None,
            sop_class: None,
            sop_instance: None,
            again: None,
            is_repeated: false,
            is_respelled: false,
            position: 0,
            guess,
        }
    }

    /// Without padding; `None` where it is absent or empty.
    pub(super) fn sop_class(&self) -> Option<&[u8]> {
        Value::told(self.sop_class.as_ref())
    }

    /// Without padding; `None` where it is absent or empty.
    pub(super) fn sop_instance(&self) -> Option<&[u8]> {
        Value::told(self.sop_instance.as_ref())
    }

    /// Whether a data set can end here. Some writers leave NULs behind the last element.
    pub(super) fn is_between_elements(&self) -> bool {
        let is_padding = self.carry.iter().take(self.carried).all(|byte| *byte == 0);
        self.rest == 0 && self.open.is_empty() && is_padding
    }

    /// Goes on over these bytes. `true`: both are known, and nothing behind them counts.
    ///
    /// # Errors
    /// [`Unnamed`].
    pub(super) fn walk(&mut self, mut input: &[u8]) -> Result<bool, Unnamed> {
        loop {
            if self.rest > 0 {
                input = self.value(input);
            }
            if self.position > WITHIN {
                return Err(Unnamed::TooLate);
            }
            if self.rest > 0 {
                return Ok(false);
            }
            self.compare()?;
            match self.head(&mut input) {
                Some(head) if self.is_first(&head) && looks_like_a_vr(head.length) => {
                    return Err(Unnamed::TwoEncodings);
                }
                Some(head) if self.is_behind(&head) => return Ok(true),
                Some(head) => self.enter(&head)?,
                None => return Ok(false),
            }
        }
    }

    /// Whether both are there, and whole.
    pub(super) fn has_both(&self) -> bool {
        let is_whole = self.rest == 0 || self.reading.is_none();
        is_whole && self.sop_class.is_some() && self.sop_instance.is_some()
    }

    /// Whether both are known, and the header ends with it.
    fn is_behind(&self, head: &Head) -> bool {
        let length = if head.length == UNDEFINED { 0 } else { head.length };
        let is_element = head.tag().0 != 0xFFFE;
        is_element && self.open.is_empty() && self.has_both() && ends_header(head.tag(), length)
    }

    /// What came again has to be what came before.
    fn compare(&mut self) -> Result<(), Unnamed> {
        let Some(again) = self.again.take() else { return Ok(()) };
        let first = if self.reading == Some(SOP_CLASS_UID) { &self.sop_class } else { &self.sop_instance };
        self.is_repeated = true;
        if Value::told(first.as_ref()) == Value::told(Some(&again)) { Ok(()) } else { Err(Unnamed::Twice) }
    }

    /// Takes what there is of the value under way; gives what is behind.
    fn value<'a>(&mut self, input: &'a [u8]) -> &'a [u8] {
        let taken = usize::try_from(self.rest).unwrap_or(usize::MAX).min(input.len());
        let (value, behind) = input.split_at_checked(taken).unwrap_or((input, &[]));
        match self.reading {
            Some(_) if self.again.is_some() => self.again.get_or_insert(Value::EMPTY).push(value),
            Some(SOP_CLASS_UID) => self.sop_class.get_or_insert(Value::EMPTY).push(value),
            Some(_) => self.sop_instance.get_or_insert(Value::EMPTY).push(value),
            None => {}
        }
        self.rest = self.rest.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX));
        self.position = self.position.saturating_add(taken as u64);
        behind
    }

    /// A whole header; `None` when the input ends first.
    fn head(&mut self, input: &mut &[u8]) -> Option<Head> {
        let (syntax, is_element) = match self.open.last() {
            None => (self.syntax, true),
            Some(open) => (open.syntax, !open.holds_items),
        };
        if self.carried == 0
            && let Some(head) = Head::read(syntax, is_element, input)
        {
            let head = self.spelled(head, input.get(4..6));
            *input = input.get(head.size..).unwrap_or_default();
            self.position = self.position.saturating_add(head.size as u64);
            return Some(head);
        }
        while let Some((&byte, behind)) = input.split_first() {
            if let Some(to) = self.carry.get_mut(self.carried) {
                *to = byte;
                self.carried += 1;
            }
            *input = behind;
            let carried = self.carry.get(..self.carried).unwrap_or_default();
            if let Some(head) = Head::read(syntax, is_element, carried) {
                let [_, _, _, _, v0, v1, ..] = self.carry;
                let head = self.spelled(head, Some(&[v0, v1]));
                self.carried = 0;
                self.position = self.position.saturating_add(head.size as u64);
                return Some(head);
            }
        }
        None
    }

    /// With the VR of the dictionary, where `written` is none, and may be.
    fn spelled(&mut self, head: Head, written: Option<&[u8]>) -> Head {
        if head.vr.is_some() || head.number >> 16 == ITEM >> 16 || self.guess != Guess::None {
            return head;
        }
        let vr = written.and_then(|written| unknown_vr(written, head.tag(), self.inner()));
        self.is_respelled |= vr.is_some();
        Head { vr, ..head }
    }

    /// Whether it is the first of a data set in implicit VR.
    fn is_first(&self, head: &Head) -> bool {
        self.position == head.size as u64 && !self.syntax.explicit
    }

    fn enter(&mut self, head: &Head) -> Result<(), Unnamed> {
        let is_in_items = self.open.last().is_some_and(|open| open.holds_items);
        match (head.number, is_in_items) {
            (ITEM, true) if head.length == UNDEFINED => self.open(false, self.inner()),
            (ITEM, true) => self.pass(head.length, None),
            (SEQUENCE_END, true) => self.close(),
            (ITEM_END, false) if !self.open.is_empty() => self.close(),
            (_, true) => Err(Unnamed::Structure),
            // Others pass over what stands alone there, and read on.
            _ if head.tag().0 == 0xFFFE && self.open.is_empty() && self.has_both() => {
                self.pass(head.length, None)
            }
            _ if head.tag().0 == 0xFFFE => Err(Unnamed::Structure),
            _ => self.element(head),
        }
    }

    fn element(&mut self, head: &Head) -> Result<(), Unnamed> {
        let syntax = self.inner();
        // Behind both, it has the short form that those see in it who read on.
        if head.vr.is_none() && !self.has_both() {
            return Err(Unnamed::UnknownVr);
        }
        let is_at_the_top = self.open.is_empty();
        if let Guess::Fits(last) = self.guess
            && is_at_the_top
            && !self.has_both()
        {
            if !guess::fits(head, last) {
                return Err(Unnamed::Structure);
            }
            self.guess = Guess::Fits(head.number);
        }
        let is_name = |tag: &Tag| is_at_the_top && matches!(*tag, SOP_CLASS_UID | SOP_INSTANCE_UID);
        let name = Some(head.tag()).filter(is_name);
        if head.length != UNDEFINED {
            return self.pass(head.length, name);
        }
        // What hides in a UN is implicit VR little endian, whatever is around it (PS3.5 §6.2.2).
        let items = if syntax.explicit && head.vr == Some(Vr::UN) { Syntax::IMPLICIT_LE } else { syntax };
        match name {
            Some(name) => Err(self.no_uid(name)),
            None => self.open(true, items),
        }
    }

    /// A value begins, of a UID that is looked for or of what is passed over.
    fn pass(&mut self, length: u32, name: Option<Tag>) -> Result<(), Unnamed> {
        (self.rest, self.reading) = (length, name);
        let Some(name) = name else { return Ok(()) };
        if usize::try_from(length).is_ok_and(|length| length > LONGEST) {
            return Err(self.no_uid(name));
        }
        let value = match name {
            _ if self.has(name) => &mut self.again,
            SOP_CLASS_UID => &mut self.sop_class,
            _ => &mut self.sop_instance,
        };
        *value = Some(Value::EMPTY);
        Ok(())
    }

    /// A value that is none, where one of them stands.
    fn no_uid(&self, name: Tag) -> Unnamed {
        if self.has(name) { Unnamed::Twice } else { Unnamed::NoUid }
    }

    fn has(&self, name: Tag) -> bool {
        if name == SOP_CLASS_UID { self.sop_class.is_some() } else { self.sop_instance.is_some() }
    }

    fn open(&mut self, holds_items: bool, syntax: Syntax) -> Result<(), Unnamed> {
        if self.open.len() == DEEPEST {
            return Err(Unnamed::TooDeep);
        }
        self.open.push(Open { holds_items, syntax });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Unnamed> {
        self.open.pop().map(|_| ()).ok_or(Unnamed::Structure)
    }

    fn inner(&self) -> Syntax {
        self.open.last().map_or(self.syntax, |open| open.syntax)
    }
}
