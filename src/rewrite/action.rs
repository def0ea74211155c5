//! What a rule does to a value.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use regex::Regex;

use super::character_set::CharacterSet;
use super::{keyed, value};
use crate::dataset::{Syntax, Vr, trim};

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
        key: hmac::Key,
        length: usize,
    },
    Uid {
        key: hmac::Key,
    },
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Same,
    /// The new value, not padded, is in the buffer.
    New,
}

/// The rule does not suit the VR.
#[derive(Debug)]
pub(super) struct Unsuited;

impl Action {
    /// Whether the old value decides on the new one.
    pub(super) fn reads(&self) -> bool {
        matches!(self, Self::Pattern { .. } | Self::Pseudonym { .. } | Self::Uid { .. })
    }

    /// Puts the new value into `new`, which is empty before. Not for `Keep` and `Remove`.
    pub(super) fn edit(
        &self,
        vr: Vr,
        syntax: Syntax,
        set: &CharacterSet,
        old: &[u8],
        new: &mut Vec<u8>,
    ) -> Result<Edit, Unsuited> {
        if self.reads() && !(vr.is_text() || vr == Vr::UN) {
            return Err(Unsuited);
        }
        match self {
            Self::Keep | Self::Remove => return Ok(Edit::Same),
            Self::Empty => {}
            Self::Replace(text) => value::encode(vr, text, syntax, new).map_err(|_| Unsuited)?,
            Self::Pattern { find, value } => match replace_all(find, value, vr, set, old) {
                Some(Cow::Borrowed(_)) => return Ok(Edit::Same),
                Some(Cow::Owned(edited)) => new.extend_from_slice(&edited),
                // What cannot be read for certain may be what was looked for.
                None => {}
            },
            Self::Pseudonym { key, length } => each_value(vr, old, new, |one, new| {
                keyed::put_pseudonym(key, one, *length, new);
            }),
            Self::Uid { key } => each_value(vr, old, new, |one, new| keyed::put_uid(key, one, new)),
        }
        Ok(if new.as_slice() == trim(old) { Edit::Same } else { Edit::New })
    }
}

/// Maps the values one by one; an empty one stays empty.
fn each_value(vr: Vr, old: &[u8], new: &mut Vec<u8>, mut put: impl FnMut(&[u8], &mut Vec<u8>)) {
    let whole = trim(old);
    let separator = |b: &u8| *b == b'\\' && (vr.is_multi_valued() || vr == Vr::UN);
    for (index, one) in whole.split(separator).enumerate() {
        if index > 0 {
            new.push(b'\\');
        }
        let one = trim(one);
        if !one.is_empty() {
            put(one, new);
        }
    }
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
    let ascii = CharacterSet::Default;
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
