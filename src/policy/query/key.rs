//! The keys by which a query has to ask, and whether a value of one narrows (PS3.4 C.2.2.2).

use super::level::{QueryLevel, has_none};
use super::{AttributePattern, Sought, retrieves};
use crate::policy::request::Request;
use crate::wire::Uid;

/// One of the `query-keys` of a role: an attribute that narrows a query where it has a value that is long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryKey {
    /// About one attribute.
    attribute: AttributePattern,
    /// Whether its values are dates or times, which are looked for by ranges.
    has_ranges: bool,
}

/// The UIDs by which studies, series and instances are retrieved: (0020,000D), (0020,000E), (0008,0018).
const UIDS: [u32; 3] = [0x0020_000D, 0x0020_000E, 0x0008_0018];

/// The Modality Worklist information model, whose keys about procedure steps are in the one item of a sequence (PS3.4 K.6).
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";

impl QueryKey {
    /// An attribute, and whether its VR is DA, TM or DT.
    pub fn new(attribute: AttributePattern, has_ranges: bool) -> Self {
        Self { attribute, has_ranges }
    }

    /// The attribute of the key as the configuration has it.
    pub fn as_str(&self) -> &str {
        self.attribute.as_str()
    }

    fn narrows(&self, value: &str, least: u32) -> bool {
        value.split('\\').all(|one| {
            let one = one.trim_matches([' ', '\0']);
            let is_open = self.has_ranges && (one.starts_with('-') || one.ends_with('-'));
            // A text in a character set that is not known may say anything.
            let is_unread = one.contains(['\u{1B}', char::REPLACEMENT_CHARACTER]);
            let counted = one.chars().filter(|character| character.is_alphanumeric()).count();
            !is_open && !is_unread && u32::try_from(counted).unwrap_or(u32::MAX) >= least
        })
    }
}

/// Whether one of the keys has a value that narrows. What is below the level of the query narrows nothing: an archive may
/// overlook it. The UIDs of a retrieval are as narrow as can be, listed or not.
pub(super) fn one_narrows(keys: &[QueryKey], least: u32, request: &Request<'_>, sought: &Sought) -> bool {
    let level = level_of(request, sought);
    let is_worklist = request.abstract_syntax.as_str() == WORKLIST;
    let value = |tag: u32, in_steps: bool| {
        let value = sought.value(tag, in_steps);
        value.filter(|_| QueryLevel::of_attribute(tag) <= level)
    };
    let narrows = |key: &QueryKey| {
        let value = key.attribute.tag().and_then(|tag| value(tag, is_worklist));
        value.is_some_and(|value| key.narrows(value, least))
    };
    let names = |tag: &u32| value(*tag, false).is_some_and(|value| value.split('\\').all(is_uid));
    keys.iter().any(narrows) || retrieves(request.operation) && UIDS.iter().any(names)
}

/// The level whose attributes an archive matches on for certain: the widest, where nobody knows what it makes of what is written.
fn level_of(request: &Request<'_>, sought: &Sought) -> QueryLevel {
    match sought.level() {
        None if has_none(request) => QueryLevel::Image,
        // Of the composite instance root, below an image.
        Some("FRAME") => QueryLevel::Image,
        written => written.and_then(QueryLevel::named).unwrap_or(QueryLevel::Patient),
    }
}

fn is_uid(text: &str) -> bool {
    text.parse::<Uid>().is_ok()
}

/// The keys of one by which the other does not let a query ask.
pub(super) fn beyond(one: Option<&[QueryKey]>, other: Option<&[QueryKey]>) -> Option<String> {
    let other = other?;
    let Some(one) = one else { return Some("none needed".into()) };
    let is_new = |key: &&QueryKey| !other.iter().any(|known| known.attribute.covers(&key.attribute));
    let more = super::listed(one.iter().filter(is_new).map(QueryKey::as_str));
    Some(more).filter(|more| !more.is_empty())
}
