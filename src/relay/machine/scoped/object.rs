//! An object that comes back to a peer with a scope: its header is judged before its first fragment goes on.

use super::super::desk::Context;
use super::super::passage::Passage;
use super::super::state::State;
use super::super::swallowed::refuse_held;
use super::{LONGEST, outside};
use crate::dataset::{Encoding, Event, HARD_MAX_DEPTH, Kind, Raw, STUDY_INSTANCE_UID, Scanner, Tag, trim};
use crate::dimse::Command;
use crate::policy::Direction;
use crate::policy::scope::{Attribute, Scope};

/// Bytes of a value that is looked at; of a longer one nothing is known.
const LONGEST_VALUE: usize = 256;

/// Reads of an object's header what a scope looks at.
pub(in super::super) struct ObjectHeader {
    scanner: Scanner,
    /// In order, each with its value where that came.
    watched: Vec<(Tag, Option<Vec<u8>>)>,
    /// The one whose value is under way.
    reading: Option<usize>,
    seen: usize,
    state: Known,
}

/// How far a header is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    NotYet,
    /// All that is looked for, and everything else of it, lies behind.
    All,
    /// It cannot be read so far.
    Never,
}

/// That of an object which comes to this peer, where it has to be judged.
pub(in super::super) fn header_of(
    cx: &Context<'_>,
    is_judged: bool,
    encoding: Option<Encoding>,
) -> Option<Box<ObjectHeader>> {
    let is_judged = is_judged && cx.direction == Direction::ToPeer;
    let scope = cx.terms.grant.peer.scope.as_ref().filter(|_| is_judged)?;
    // Of one that is encoded otherwise, nothing is ever known: [`permits`](super::permits) refuses it.
    let encoding = encoding.filter(|encoding| !encoding.deflated);
    Some(Box::new(ObjectHeader::new(scope, encoding)))
}

impl ObjectHeader {
    fn new(scope: &Scope, encoding: Option<Encoding>) -> Self {
        let attributes = scope.attributes().into_iter().filter(|attribute| attribute.is_in_objects());
        let tags = attributes.map(|attribute| Tag::from(attribute.tag()));
        let mut watched: Vec<_> = tags.chain([STUDY_INSTANCE_UID]).map(|tag| (tag, None)).collect();
        watched.sort_unstable();
        let syntax =
            encoding.unwrap_or(Encoding { syntax: crate::dataset::Syntax::EXPLICIT_LE, deflated: false });
        let scanner = Scanner::new(syntax.syntax, HARD_MAX_DEPTH).tolerating();
        let state = if encoding.is_some() { Known::NotYet } else { Known::Never };
        Self { scanner, watched, reading: None, seen: 0, state }
    }

    /// Looks at the next bytes, with `last` at the end. Whether it is known by then what it says, or that it will not be.
    pub(in super::super) fn look(&mut self, input: &[u8], last: bool) -> bool {
        let mut at = 0;
        while self.state == Known::NotYet {
            match self.scanner.next(input, &mut at) {
                Ok(Some(event)) => self.take(&event, input),
                Ok(None) => break,
                Err(_) => self.state = Known::Never,
            }
        }
        self.seen = self.seen.saturating_add(input.len());
        if self.state == Known::NotYet && last {
            self.state = if self.scanner.finish().is_ok() { Known::All } else { Known::Never };
        }
        if self.state == Known::NotYet && self.seen > LONGEST {
            self.state = Known::Never;
        }
        self.state != Known::NotYet
    }

    fn take(&mut self, event: &Event, input: &[u8]) {
        match (&event.kind, self.scanner.depth()) {
            (Kind::Element(header), 0) => {
                self.begins(header.tag);
                if header.length == Some(0) {
                    self.reading = None;
                }
            }
            (Kind::SequenceStart(header), 1) => {
                self.begins(header.tag);
                self.reading = None;
                if header.is_guessed() {
                    self.scanner.pass_over();
                }
            }
            (Kind::FragmentsStart(_), 0) => self.state = Known::All,
            (Kind::Value { rest }, 0) => {
                let bytes = match &event.raw {
                    Raw::Input(range) => input.get(range.clone()).unwrap_or_default(),
                    Raw::Carried => self.scanner.carried(),
                };
                let place = self.reading.and_then(|place| self.watched.get_mut(place));
                if let Some((_, Some(value))) = place {
                    let room = (LONGEST_VALUE + 1).saturating_sub(value.len()).min(bytes.len());
                    value.extend_from_slice(bytes.get(..room).unwrap_or_default());
                }
                if *rest == 0 {
                    self.reading = None;
                }
            }
            _ => {}
        }
    }

    fn begins(&mut self, tag: Tag) {
        let is_behind = self.watched.last().is_some_and(|(last, _)| tag > *last);
        self.reading = self.watched.iter().position(|(watched, _)| *watched == tag);
        match self.reading.and_then(|place| self.watched.get_mut(place)) {
            // Readers differ on which of two counts.
            Some((_, Some(_))) => self.state = Known::Never,
            Some((_, value)) => *value = Some(Vec::new()),
            None if is_behind => self.state = Known::All,
            None => {}
        }
    }

    fn value(&self, tag: Tag) -> Option<&[u8]> {
        let (_, value) = self.watched.iter().find(|(watched, _)| *watched == tag)?;
        value.as_deref().filter(|value| value.len() <= LONGEST_VALUE).map(trim)
    }

    /// Whether the object is of a study that a C-GET which is open was granted, and within the scope by what it says itself.
    pub(in super::super) fn is_inside(&self, cx: &Context<'_>) -> bool {
        let Some(scope) = cx.terms.grant.peer.scope.as_ref().filter(|_| self.state == Known::All) else {
            return false;
        };
        let study = self.value(STUDY_INSTANCE_UID);
        let says = |attribute: Attribute| self.value(Tag::from(attribute.tag()));
        study.is_some_and(|study| cx.books.ledger.brings(study))
            && scope.judge_object(cx.books.today, says).is_inside()
    }
}

/// Answers whoever sent an object that is outside of a scope, and of which nothing has gone on.
pub(in super::super) fn refuse_object(
    cx: &mut Context<'_>,
    command: &Command,
    passage: &Passage,
    last: bool,
) -> State {
    refuse_held(cx, command, passage, outside(), |_| (), last)
}
