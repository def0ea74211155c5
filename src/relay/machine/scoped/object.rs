//! The header of an object, which is judged before its first fragment goes on: of one that comes back to a peer with a scope, and of
//! each whose patient has to consent.

use std::borrow::Cow;

use super::super::consented;
use super::super::desk::Context;
use super::super::request::Refused;
use super::super::terms::Consented;
use super::{LONGEST, outside};
use crate::consent::{Distribution, Who};
use crate::dataset::{
    Encoding, Event, HARD_MAX_DEPTH, ISSUER_OF_PATIENT_ID, Kind, PATIENT_ID, Raw, SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID, Scanner, Syntax, Tag, trim,
};
use crate::policy::Direction;
use crate::policy::scope::{Attribute, Scope};
use crate::rewrite::text_of;
use crate::wire::escape;

/// Bytes of a value that is looked at; of a longer one nothing is known.
const LONGEST_VALUE: usize = 256;
/// Bytes in which all has to be that a consent depends on.
const LONGEST_HEADER: usize = 256 << 10;
/// Items of a Consent for Clinical Trial Use Sequence.
const MOST_ITEMS: usize = 64;

/// (0012,0020) Clinical Trial Protocol ID.
const PROTOCOL: Tag = Tag(0x0012, 0x0020);
/// (0012,0083) Consent for Clinical Trial Use Sequence.
const CONSENT: Tag = Tag(0x0012, 0x0083);
/// (0012,0084) Distribution Type.
const DISTRIBUTION_TYPE: Tag = Tag(0x0012, 0x0084);
/// (0012,0085) Consent for Distribution Flag.
const DISTRIBUTION_FLAG: Tag = Tag(0x0012, 0x0085);

/// Reads of an object's header what a scope looks at, or a consent.
pub(in super::super) struct Header {
    scanner: Scanner,
    /// In order, each with its value where that came.
    watched: Vec<(Tag, Option<Vec<u8>>)>,
    /// The one whose value is under way.
    reading: Option<Reading>,
    /// Inside of a Consent for Clinical Trial Use Sequence.
    is_in_consent: bool,
    items: Vec<Distribution>,
    seen: usize,
    longest: usize,
    state: Known,
    judges: Judges,
}

/// What a header is read for.
#[derive(Clone, Copy)]
struct Judges {
    scope: bool,
    consent: bool,
}

/// Where a value goes that is under way.
#[derive(Clone, Copy)]
enum Reading {
    /// To a place of what is watched.
    Watched(usize),
    /// To the last item.
    Item(Tag),
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

/// What becomes of an object by its header.
pub(in super::super) enum Verdict {
    Goes,
    /// Once it is known that this patient has consented.
    Asks(Box<Who>),
    Refused(Refused),
}

/// That of an object, where it has to be judged: by the scope of the peer that it comes to, or since its patient has to consent.
pub(in super::super) fn header_of(
    cx: &Context<'_>,
    is_judged: bool,
    encoding: Option<Encoding>,
) -> Option<Box<Header>> {
    let is_judged = is_judged && cx.direction == Direction::ToPeer;
    let scope = cx.terms.grant.peer.scope.as_ref().filter(|_| is_judged);
    let judges = Judges { scope: scope.is_some(), consent: cx.terms.consent.is_some() };
    if !judges.scope && !judges.consent {
        return None;
    }
    // Of one that is encoded otherwise, nothing is ever known: it is refused.
    let encoding = encoding.filter(|encoding| !encoding.deflated);
    Some(Box::new(Header::new(scope.map(|scope| &**scope), judges, encoding)))
}

impl Header {
    fn new(scope: Option<&Scope>, judges: Judges, encoding: Option<Encoding>) -> Self {
        let attributes = scope.into_iter().flat_map(Scope::attributes);
        let attributes = attributes.filter(|attribute| attribute.is_in_objects());
        let of_consent = [SPECIFIC_CHARACTER_SET, PATIENT_ID, ISSUER_OF_PATIENT_ID, PROTOCOL, CONSENT];
        let of_consent = of_consent.into_iter().filter(|_| judges.consent);
        let mut tags: Vec<Tag> =
            attributes.map(|attribute| Tag::from(attribute.tag())).chain(of_consent).collect();
        tags.push(STUDY_INSTANCE_UID);
        tags.sort_unstable();
        tags.dedup();
        let syntax = encoding.map_or(Syntax::EXPLICIT_LE, |encoding| encoding.syntax);
        Self {
            scanner: Scanner::new(syntax, HARD_MAX_DEPTH).tolerating(),
            watched: tags.into_iter().map(|tag| (tag, None)).collect(),
            reading: None,
            is_in_consent: false,
            items: Vec::new(),
            seen: 0,
            longest: if judges.consent { LONGEST_HEADER } else { LONGEST },
            state: if encoding.is_some() { Known::NotYet } else { Known::Never },
            judges,
        }
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
        if self.state == Known::NotYet && self.seen > self.longest {
            self.state = Known::Never;
        }
        self.state != Known::NotYet
    }

    fn take(&mut self, event: &Event, input: &[u8]) {
        match (&event.kind, self.scanner.depth()) {
            (Kind::Element(header), 0) => {
                self.begins(header.tag);
                // Of what is a sequence everywhere else, nothing can be told.
                if header.tag == CONSENT && header.length != Some(0) && self.judges.consent {
                    self.state = Known::Never;
                }
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
                self.is_in_consent = header.tag == CONSENT && self.judges.consent;
            }
            (Kind::ItemStart { .. }, 1) if self.is_in_consent => self.begin_item(),
            (Kind::Element(header), 1) if self.is_in_consent => self.begin_in_item(header.tag, header.length),
            (Kind::SequenceEnd, 0) => self.is_in_consent = false,
            (Kind::FragmentsStart(_), 0) => self.state = Known::All,
            (Kind::Value { rest }, _) => {
                let bytes = match &event.raw {
                    Raw::Input(range) => input.get(range.clone()).unwrap_or_default(),
                    Raw::Carried => self.scanner.carried(),
                };
                let value = match self.reading {
                    Some(Reading::Watched(place)) => {
                        self.watched.get_mut(place).and_then(|(_, value)| value.as_mut())
                    }
                    Some(Reading::Item(tag)) => self.items.last_mut().and_then(|item| field(item, tag)),
                    None => None,
                };
                if let Some(value) = value {
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
        let place = self.watched.iter().position(|(watched, _)| *watched == tag);
        self.reading = place.map(Reading::Watched);
        match place.and_then(|place| self.watched.get_mut(place)) {
            // Readers differ on which of two counts.
            Some((_, Some(_))) => self.state = Known::Never,
            Some((_, value)) => *value = Some(Vec::new()),
            None if is_behind => self.state = Known::All,
            None => {}
        }
    }

    fn begin_item(&mut self) {
        self.reading = None;
        if self.items.len() == MOST_ITEMS {
            self.state = Known::Never;
        }
        self.items.push(Distribution::default());
    }

    fn begin_in_item(&mut self, tag: Tag, length: Option<u32>) {
        self.reading = None;
        let Some(value) = self.items.last_mut().and_then(|item| field(item, tag)) else { return };
        if value.is_empty() {
            self.reading = (length != Some(0)).then_some(Reading::Item(tag));
        } else {
            self.state = Known::Never;
        }
    }

    fn value(&self, tag: Tag) -> Option<&[u8]> {
        let (_, value) = self.watched.iter().find(|(watched, _)| *watched == tag)?;
        value.as_deref().filter(|value| value.len() <= LONGEST_VALUE).map(trim)
    }

    /// What becomes of the object: it is known what its header says, or that it will not be.
    pub(in super::super) fn verdict(&self, cx: &Context<'_>) -> Verdict {
        if self.judges.scope && !self.is_inside(cx) {
            return Verdict::Refused(outside());
        }
        let Some(consents) = cx.terms.consent.as_ref().filter(|_| self.judges.consent) else {
            return Verdict::Goes;
        };
        let consented = match (self.state, consents.is_in_objects()) {
            (Known::NotYet | Known::Never, _) => Some(Consented::No),
            (Known::All, true) => {
                let items: Vec<Distribution> = self.items.iter().map(trimmed).collect();
                Some(consents.by_object(&items, self.value(PROTOCOL).unwrap_or_default()))
            }
            (Known::All, false) => consents.of(self.whom().as_ref()),
        };
        match (consented, self.whom()) {
            (Some(consented), _) => consented::refused(consented).map_or(Verdict::Goes, Verdict::Refused),
            (None, Some(whom)) => Verdict::Asks(Box::new(whom)),
            (None, None) => consented::refused(Consented::No).map_or(Verdict::Goes, Verdict::Refused),
        }
    }

    /// Whether the object is of a study that a C-GET which is open was granted, and within the scope by what it says itself.
    fn is_inside(&self, cx: &Context<'_>) -> bool {
        let Some(scope) = cx.terms.grant.peer.scope.as_ref().filter(|_| self.state == Known::All) else {
            return false;
        };
        let study = self.value(STUDY_INSTANCE_UID);
        let says = |attribute: Attribute| self.value(Tag::from(attribute.tag()));
        study.is_some_and(|study| cx.books.ledger.brings(study))
            && scope.judge_object(cx.books.today, says).is_inside()
    }

    fn text(&self, tag: Tag) -> Option<Cow<'_, [u8]>> {
        let set = self.value(SPECIFIC_CHARACTER_SET).unwrap_or_default();
        self.value(tag).map(|value| text_of(set, value))
    }

    fn whom(&self) -> Option<Who> {
        Who::of(self.text(PATIENT_ID).as_deref(), self.text(ISSUER_OF_PATIENT_ID).as_deref())
    }

    /// Whose it is, for the record of one that is refused for a lack of consent; an object outside of a scope says it to nobody.
    pub(in super::super) fn patient(&self) -> Option<Vec<u8>> {
        let patient = self.text(PATIENT_ID).filter(|patient| self.judges.consent && !patient.is_empty());
        patient.map(Cow::into_owned)
    }

    pub(in super::super) fn study(&self) -> Option<String> {
        self.value(STUDY_INSTANCE_UID).filter(|_| self.judges.consent).map(escape)
    }
}

/// Where a value of an item goes.
fn field(item: &mut Distribution, tag: Tag) -> Option<&mut Vec<u8>> {
    match tag {
        DISTRIBUTION_FLAG => Some(&mut item.flag),
        DISTRIBUTION_TYPE => Some(&mut item.kind),
        PROTOCOL => Some(&mut item.protocol),
        _ => None,
    }
}

fn trimmed(item: &Distribution) -> Distribution {
    let of = |value: &[u8]| trim(value).to_vec();
    Distribution { flag: of(&item.flag), kind: of(&item.kind), protocol: of(&item.protocol) }
}
