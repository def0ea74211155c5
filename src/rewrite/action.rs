//! What a rule does to a value.

use std::borrow::Cow;

use regex::Regex;

use super::character_set::CharacterSet;
use super::correspondence::Kind;
use super::dummy::{self, Item};
use super::error::RewriteProblem;
use super::facts::Facts;
use super::keyed::{Domain, Key};
use super::template::Template;
use super::{dates, instances, keyed, keys, known_words, planting, undo, value};
use crate::dataset::{Syntax, Tag, Vr, trim};

/// A rule's action, compiled.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Keep,
    Remove,
    Empty,
    /// Also `set`, where the element is present.
    Replace(Box<str>),
    Pattern {
        find: Regex,
        value: Box<str>,
    },
    Pseudonym {
        key: Key,
        length: usize,
    },
    /// Of an attribute that names instances.
    Uid {
        key: Key,
    },
    /// Of an attribute that names something else. Nobody remembers what it was, and on its way back it is the sender's own.
    OtherUid {
        key: Key,
    },
    /// `replace` and `set` with facts in the value.
    Template(Template),
    /// Writes the value where the element is absent, and keeps it where it is present.
    Default(Box<str>),
    /// A value of the VR that says nothing.
    Dummy,
    /// Dates and times by the patient's days; what cannot be read becomes a dummy.
    Shift {
        keep_times: bool,
    },
    /// Ages over 89 become 90.
    CapAge,
    /// Known words stay.
    Clean(Otherwise),
    /// See [`canary`].
    Canary,
    Bytes(Box<[u8]>),
    /// A sequence gets these items instead of its own.
    Items(Vec<Item>),
    /// A sequence gets these items behind its own.
    Append(Vec<Item>),
    /// The object is refused.
    Refuse(RewriteProblem),
    /// What undoes another action.
    Undo(Box<Action>),
    /// What translates a key that another action decides on.
    Key(Box<Action>),
}

/// What is done with an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Keep,
    Remove,
    Empty,
    /// [`Action::edit`] decides, by the old value where that says something.
    Edit {
        reads: bool,
    },
}

/// What becomes of a text of which nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    Remove,
    Empty,
    Dummy,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Same,
    /// The new value, not padded, is in the buffer.
    New,
    /// The element is to be removed.
    Gone,
}

/// Why an action cannot be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cannot {
    /// It does not suit the VR.
    Unsuited,
    /// A fact is missing.
    Lacks(RewriteProblem),
}

impl Action {
    /// New UIDs for those of an attribute.
    pub(super) fn uid(tag: Tag, key: &Key) -> Self {
        let key = key.clone();
        if instances::names_kinds(tag) { Self::OtherUid { key } } else { Self::Uid { key } }
    }

    /// What is to be done with an element of which the value is still to come.
    pub(super) fn plan(&self, tag: Tag, vr: Vr, length: u32) -> Plan {
        match self {
            // An element that is there has no need of a default.
            Self::Keep | Self::Default(_) => Plan::Keep,
            Self::Remove => Plan::Remove,
            Self::Empty => Plan::Empty,
            Self::Undo(action) => undo::plan(action, tag, vr, length),
            Self::Key(action) => keys::plan(action, tag, length),
            other => Plan::Edit { reads: other.reads() },
        }
    }

    /// Whether the old value decides on the new one.
    fn reads(&self) -> bool {
        match self {
            Self::Template(template) => template.has_pseudonym(),
            Self::Pattern { .. } | Self::Pseudonym { .. } | Self::Uid { .. } | Self::OtherUid { .. } => true,
            Self::Shift { .. } | Self::CapAge | Self::Clean(_) | Self::Canary => true,
            _ => false,
        }
    }

    /// Whether an element that is there stays as it is, whatever it holds.
    pub(super) fn keeps(&self) -> bool {
        matches!(self, Self::Keep | Self::Default(_))
    }

    /// Whether the character set of a text matters.
    pub(super) fn reads_text(&self) -> bool {
        match self {
            Self::Template(template) => template.has_pseudonym(),
            Self::Pattern { .. } | Self::Pseudonym { .. } | Self::Clean(_) => true,
            _ => false,
        }
    }

    /// Whether the Patient ID has to be known.
    pub(super) fn needs_patient(&self) -> bool {
        match self {
            Self::Template(template) => template.needs_patient(),
            Self::Shift { .. } => true,
            _ => false,
        }
    }

    /// Whether a pattern finds nothing in a value.
    pub(super) fn leaves(&self, vr: Vr, set: &CharacterSet, old: &[u8]) -> bool {
        match self {
            Self::Pattern { find, value } => {
                matches!(replace_all(find, value, vr, set, old), Some(Cow::Borrowed(_)))
            }
            _ => false,
        }
    }

    /// Puts the new value into `new`, which is empty before. Not for what is planned otherwise than to be edited.
    pub(super) fn edit(
        &self,
        (tag, vr): (Tag, Vr),
        syntax: Syntax,
        set: &CharacterSet,
        old: &[u8],
        facts: &mut Facts,
        new: &mut Vec<u8>,
    ) -> Result<Edit, Cannot> {
        if self.reads() && !(vr.is_text() || vr == Vr::UN) {
            return Err(Cannot::Unsuited);
        }
        let unsuited = |_: String| Cannot::Unsuited;
        match self {
            Self::Keep | Self::Remove => return Ok(Edit::Same),
            Self::Undo(action) => return undo::undo(action, (tag, vr), set, old, facts, new),
            Self::Key(action) => return keys::translate(action, (tag, vr), (old, set), facts, new),
            Self::Empty => {}
            Self::Replace(text) | Self::Default(text) => {
                value::encode(vr, text, syntax, new).map_err(unsuited)?
            }
            Self::Template(template) => {
                let text = template.fill(facts, (tag, set), trim(old)).map_err(Cannot::Lacks)?;
                value::encode(vr, &text, syntax, new).map_err(unsuited)?;
            }
            Self::Dummy => dummy::put(vr, new),
            Self::Canary => planting::put(vr, facts.canaries, new),
            Self::Bytes(bytes) => new.extend_from_slice(bytes),
            Self::Items(items) | Self::Append(items) => {
                dummy::put_items(items, syntax, new).ok_or(Cannot::Unsuited)?;
            }
            Self::Refuse(problem) => return Err(Cannot::Lacks(*problem)),
            Self::Shift { keep_times } => {
                let days = facts.days.ok_or(Cannot::Lacks(RewriteProblem::NoPatient))?;
                each_value((vr, set), old, new, |one, new| shift(vr, one, (days, *keep_times), new))?;
            }
            Self::CapAge => {
                if cap_ages((vr, set), old, new)? {
                    return Ok(Edit::Gone);
                }
            }
            Self::Clean(otherwise) => {
                if clean((vr, set), trim(old), *otherwise, new) {
                    return Ok(Edit::Gone);
                }
            }
            Self::Pattern { find, value } => match replace_all(find, value, vr, set, old) {
                Some(Cow::Borrowed(_)) => return Ok(Edit::Same),
                Some(Cow::Owned(edited)) => new.extend_from_slice(&edited),
                // What cannot be read for certain may be what was looked for.
                None => {}
            },
            Self::Pseudonym { key, length } => each_value((vr, set), old, new, |one, new| {
                facts.pseudonyms.put_text(Kind::Value(tag), (one, set), new, |real, new| {
                    keyed::put_pseudonym(key, real, *length, new);
                })
            })?,
            Self::Uid { key } => {
                each_value((vr, set), old, new, |one, new| facts.pseudonyms.put_uid(key, one, new))?
            }
            Self::OtherUid { key } => each_value((vr, set), old, new, |one, new| {
                keyed::put_uid_of(Domain::OtherUid, key, one, new);
                Ok(())
            })?,
        }
        Ok(if new.as_slice() == trim(old) { Edit::Same } else { Edit::New })
    }
}

/// A date or time moved by so many days; a dummy where it is none that can be read.
fn shift(
    vr: Vr,
    one: &[u8],
    (days, keep_times): (i32, bool),
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    let start = new.len();
    if dates::shift(vr, one, days, keep_times, new).is_none() {
        new.truncate(start);
        dummy::put(vr, new);
    }
    Ok(())
}

/// Whether nothing is left of ages that were there.
fn cap_ages((vr, set): (Vr, &CharacterSet), old: &[u8], new: &mut Vec<u8>) -> Result<bool, Cannot> {
    each_value((vr, set), old, new, |one, new| {
        dates::cap_age(one, new);
        Ok(())
    })?;
    Ok(new.is_empty() && !trim(old).is_empty())
}

/// Whether the element goes, since nothing is left of a text that was there.
fn clean((vr, set): (Vr, &CharacterSet), old: &[u8], otherwise: Otherwise, new: &mut Vec<u8>) -> bool {
    known_words::clean((vr, set), old, new);
    match otherwise {
        Otherwise::Remove if new.is_empty() => return !old.is_empty(),
        Otherwise::Dummy if new.is_empty() => dummy::put(vr, new),
        _ => {}
    }
    false
}

/// Maps the values one by one; an empty one stays empty.
pub(super) fn each_value(
    (vr, set): (Vr, &CharacterSet),
    old: &[u8],
    new: &mut Vec<u8>,
    mut put: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), RewriteProblem>,
) -> Result<(), Cannot> {
    for (index, one) in set.values(vr, trim(old)).enumerate() {
        if index > 0 {
            new.push(b'\\');
        }
        let one = trim(one);
        if !one.is_empty() {
            put(one, new).map_err(Cannot::Lacks)?;
        }
    }
    Ok(())
}

/// The value with everything replaced that was found; borrowed where nothing was; `None` where it cannot be decoded, or
/// what comes out is not legal.
fn replace_all<'a>(
    find: &Regex,
    value: &str,
    vr: Vr,
    set: &CharacterSet,
    old: &'a [u8],
) -> Option<Cow<'a, [u8]>> {
    let ascii = CharacterSet::DEFAULT;
    let set = if vr.is_in_character_set() || vr == Vr::UN { set } else { &ascii };
    let whole = trim(old);
    let text = set.decode(whole)?;
    let values = if vr.is_multi_valued() { text.split('\\') } else { text.split('\u{0}') };
    let edited: Vec<Cow<'_, str>> = values.map(|one| find.replace_all(one, value)).collect();
    if edited.iter().all(|one| matches!(one, Cow::Borrowed(_))) {
        return Some(Cow::Borrowed(old));
    }
    let most = vr.max_characters();
    let cut: Vec<String> =
        edited.iter().map(|one| one.chars().take(most.max(one_was(&text))).collect()).collect();
    let joined = cut.join(if vr.is_multi_valued() { "\\" } else { "\u{0}" });
    if !vr.is_in_character_set() && vr != Vr::UN {
        value::check_text(vr, &joined).ok()?;
    }
    set.encode(&joined).map(|bytes| Cow::Owned(bytes.into_owned()))
}

/// Values that were too long already may stay so, but not grow.
fn one_was(text: &str) -> usize {
    text.split('\\').map(|one| one.chars().count()).max().unwrap_or(0)
}
