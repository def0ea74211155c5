//! An action as it stands.

use std::borrow::Cow;

use regex::Regex;

use super::super::action::{Action, Otherwise};
use super::super::character_set::CharacterSet;
use super::super::correspondence::Kind;
use super::super::decay::is_decay_time;
use super::super::error::RewriteProblem;
use super::super::facts::Facts;
use super::super::keyed::{Domain, Key};
use super::super::words::{Cleaner, Vocabulary};
use super::super::{dates, dummy, fitting, keyed, planting, value};
use super::each::each_value;
use super::outcome::{Cannot, Edit, Plan};
use crate::dataset::{SPECIFIC_CHARACTER_SET, Syntax, Tag, Vr, trim};

/// What is to be done with an element of which the value is still to come.
pub(super) fn plan(action: &Action) -> Plan {
    match action {
        // An element that is there has no need of a default.
        Action::Keep | Action::Default(_) => Plan::Keep,
        Action::Remove => Plan::Remove,
        Action::Empty => Plan::Empty,
        other => Plan::Edit { reads: other.reads() },
    }
}

/// Whether a pattern finds nothing in a value.
pub(super) fn leaves(action: &Action, vr: Vr, set: &CharacterSet, old: &[u8]) -> bool {
    match action {
        Action::Pattern { find, value } => {
            matches!(replace_all(find, value, vr, set, old), Some(Cow::Borrowed(_)))
        }
        _ => false,
    }
}

/// Puts the new value into `new`, which is empty before. Not for what is planned otherwise than to be edited.
pub(super) fn edit(
    action: &Action,
    (tag, vr): (Tag, Vr),
    syntax: Syntax,
    set: &CharacterSet,
    old: &[u8],
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> Result<Edit, Cannot> {
    if action.reads() && !(vr.is_text() || vr == Vr::UN) {
        return Err(Cannot::Unsuited);
    }
    let unsuited = |_: String| Cannot::Unsuited;
    match action {
        Action::Keep | Action::Remove => return Ok(Edit::Same),
        Action::Empty => {}
        Action::Replace(text) | Action::Default(text) => {
            value::encode(vr, text, syntax, new).map_err(unsuited)?
        }
        Action::Template(template) => {
            let text = template.fill(facts, (tag, set), trim(old)).map_err(Cannot::Lacks)?;
            value::encode(vr, &text, syntax, new).map_err(unsuited)?;
        }
        Action::Dummy => dummy::put(vr, new),
        Action::Canary => planting::put(vr, facts.canaries, new),
        Action::Bytes(bytes) => new.extend_from_slice(bytes),
        Action::Items(items) | Action::Append(items) => {
            dummy::put_items(items, syntax, new).ok_or(Cannot::Unsuited)?;
        }
        Action::Refuse(problem) => return Err(Cannot::Lacks(*problem)),
        Action::Shift { keep_times } => shift_all((tag, vr), (old, set), facts, *keep_times, new)?,
        Action::Offset { keep_times } => {
            let stays = (*keep_times || facts.decays) && is_offset(trim(old));
            return Ok(if stays { Edit::Same } else { Edit::Gone });
        }
        Action::CapAge if cap_ages((vr, set), old, new)? => return Ok(Edit::Gone),
        Action::CapAge => {}
        Action::Clean { vocabulary, otherwise } => {
            if clean((vocabulary, *otherwise), (vr, set), trim(old), facts, new) {
                return Ok(Edit::Gone);
            }
        }
        Action::Fit(_) | Action::Kind { .. } if is_known_set(tag, old) => return Ok(Edit::Same),
        Action::Fit(otherwise) => return fit((tag, vr, set), old, *otherwise, new),
        Action::Kind { key } => each_value((vr, set), old, new, |one, new| {
            put_kind(key, one, new);
            Ok(())
        })?,
        Action::Pattern { find, value } => match replace_all(find, value, vr, set, old) {
            Some(Cow::Borrowed(_)) => return Ok(Edit::Same),
            Some(Cow::Owned(edited)) => new.extend_from_slice(&edited),
            // What cannot be read for certain may be what was looked for.
            None => {}
        },
        Action::Pseudonym { key, length } => {
            put_pseudonyms((tag, vr), (old, set), facts, (key, *length), new)?
        }
        Action::Uid { key } => {
            each_value((vr, set), old, new, |one, new| facts.pseudonyms.put_uid(key, one, new))?
        }
        Action::OtherUid { key } => each_value((vr, set), old, new, |one, new| {
            keyed::put_uid_of(Domain::OtherUid, key, one, new);
            Ok(())
        })?,
    }
    Ok(if new.as_slice() == trim(old) { Edit::Same } else { Edit::New })
}

fn put_pseudonyms(
    (tag, vr): (Tag, Vr),
    (old, set): (&[u8], &CharacterSet),
    facts: &mut Facts,
    (key, length): (&Key, usize),
    new: &mut Vec<u8>,
) -> Result<(), Cannot> {
    let kind = Kind::Value(tag);
    each_value((vr, set), old, new, |one, new| {
        let (real, written) = facts.pseudonyms.identity(kind, (one, set))?;
        let identity = (facts.remembered_as(kind, real), written);
        facts.pseudonyms.put_text(kind, identity, new, |real, new| {
            keyed::put_pseudonym(key, real, length, new);
        })
    })
}

/// Times stay where decay is computed with them, too.
fn shift_all(
    (tag, vr): (Tag, Vr),
    (old, set): (&[u8], &CharacterSet),
    facts: &Facts,
    keep_times: bool,
    new: &mut Vec<u8>,
) -> Result<(), Cannot> {
    let days = facts.days.ok_or(Cannot::Lacks(RewriteProblem::NoPatient))?;
    let keep_times = keep_times || facts.decays && is_decay_time(tag);
    each_value((vr, set), old, new, |one, new| shift(vr, one, (days, keep_times), new))
}

/// A date or time moved by so many days; a dummy where it is none that can be read.
fn shift(
    vr: Vr,
    one: &[u8],
    (days, keep_times): (i32, bool),
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    let start = new.len();
    if !fitting::is_legal(vr, one) || dates::shift(vr, one, days, keep_times, new).is_none() {
        new.truncate(start);
        dummy::put(vr, new);
    }
    Ok(())
}

/// `&ZZXX`, as in (0008,0201).
fn is_offset(value: &[u8]) -> bool {
    matches!(value, [b'+' | b'-', digits @ ..] if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit))
}

/// Whether it is a character set that is known, however it is spelt: text is read by it.
fn is_known_set(tag: Tag, old: &[u8]) -> bool {
    tag == SPECIFIC_CHARACTER_SET && CharacterSet::of(old).is_known()
}

/// Whether a value goes on as it came that a rule keeps where it is legal.
pub(in crate::rewrite) fn fits(action: &Action, vr: Vr, old: &[u8]) -> bool {
    let is_kept = |one| !keyed::is_made_up(trim(one));
    match action {
        Action::Fit(_) => fitting::are_legal(vr, old),
        Action::Kind { .. } => fitting::are_legal(vr, old) && old.split(|b| *b == b'\\').all(is_kept),
        _ => false,
    }
}

/// Legal values, each in its place.
fn fit(
    (tag, vr, set): (Tag, Vr, &CharacterSet),
    old: &[u8],
    otherwise: Otherwise,
    new: &mut Vec<u8>,
) -> Result<Edit, Cannot> {
    if fitting::are_legal(vr, old) {
        return Ok(Edit::Same);
    }
    let mut is_left = false;
    each_value((vr, set), old, new, |one, new| {
        match otherwise {
            _ if fitting::is_legal(vr, one) => {
                is_left = true;
                new.extend_from_slice(one);
            }
            Otherwise::Dummy => dummy::put_of(tag, vr, new),
            Otherwise::Remove | Otherwise::Empty | Otherwise::Mark => {}
        }
        Ok(())
    })?;
    if !is_left && otherwise != Otherwise::Dummy {
        new.clear();
    }
    Ok(if is_left || otherwise != Otherwise::Remove { Edit::New } else { Edit::Gone })
}

fn put_kind(key: &Key, one: &[u8], new: &mut Vec<u8>) {
    if !fitting::is_legal(Vr::UI, one) {
        return;
    }
    if keyed::is_made_up(one) {
        keyed::put_uid_of(Domain::OtherUid, key, one, new);
    } else {
        new.extend_from_slice(one);
    }
}

/// Whether nothing is left of ages that were there.
fn cap_ages((vr, set): (Vr, &CharacterSet), old: &[u8], new: &mut Vec<u8>) -> Result<bool, Cannot> {
    each_value((vr, set), old, new, |one, new| {
        dates::cap_age(one, new);
        Ok(())
    })?;
    Ok(new.is_empty() && !trim(old).is_empty())
}

/// Whether the element goes, since nothing is left of a text that was there. Identifiers are looked for in the text as it came:
/// the vocabulary may know a part of one, and what it left of the others would not be found.
fn clean(
    (vocabulary, otherwise): (&Vocabulary, Otherwise),
    (vr, set): (Vr, &CharacterSet),
    old: &[u8],
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> bool {
    let sought = facts.sought.as_ref();
    let identifiers = |text: &str| sought.map_or_else(Vec::new, |sought| sought.ranges(vr, text));
    let mut cleaner = Cleaner {
        vocabulary,
        marks: &mut facts.marks,
        distinguishes: otherwise == Otherwise::Mark,
        identifiers: &identifiers,
        identified: false,
    };
    cleaner.clean((vr, set), old, new);
    facts.identified |= cleaner.identified;
    if !fitting::are_legal(vr, new) {
        new.clear();
    }
    match otherwise {
        Otherwise::Remove if new.is_empty() => return !old.is_empty(),
        Otherwise::Dummy if new.is_empty() => dummy::put(vr, new),
        _ => {}
    }
    false
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
    let set = set.of_vr(vr);
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
