//! The one place where a rule's action is applied: as it stands, back, or to keys, as the [`Mode`] says.
//!
//! # Why
//!
//! Actions are data, and so is a set of rules: one set serves both ways and queries too, and whoever asks it what a rule
//! does gets the same answer for each. What an action comes to is a table for each mode, in a file of its own.

mod back;
mod each;
mod filling;
mod forward;
mod keys;
mod outcome;

use super::action::Action;
use super::character_set::CharacterSet;
use super::facts::Facts;
use super::mode::Mode;
use crate::dataset::{Syntax, Tag, Vr};

pub(super) use forward::fits;
pub(super) use keys::{hides, is_universal};
pub(super) use outcome::{Cannot, Edit, Plan};

/// What is to be done with an element of which the value is still to come.
#[inline]
pub(super) fn plan(mode: Mode, action: &Action, tag: Tag, vr: Vr, length: u32) -> Plan {
    match mode {
        Mode::Forward => forward::plan(action),
        Mode::Back => back::plan(action, tag, vr, length),
        Mode::Keys => keys::plan(action, tag, length),
    }
}

/// Puts the new value into `new`, which is empty before. Not for what is planned otherwise than to be edited.
#[inline]
pub(super) fn edit(
    action: &Action,
    (tag, vr): (Tag, Vr),
    syntax: Syntax,
    set: &CharacterSet,
    old: &[u8],
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> Result<Edit, Cannot> {
    match facts.mode {
        Mode::Forward => forward::edit(action, (tag, vr), syntax, set, old, facts, new),
        Mode::Back => back::edit(action, (tag, vr), set, old, facts, new),
        Mode::Keys => keys::edit(action, (tag, vr), (old, set), facts, new),
    }
}

/// Makes the length of a new value even (PS3.5 §6.2).
pub(super) fn pad(mode: Mode, action: &Action, vr: Vr, value: &mut Vec<u8>) {
    if !value.len().is_multiple_of(2) {
        value.push(match (action, vr) {
            _ if mode != Mode::Forward => of_text(vr),
            (Action::Uid { .. } | Action::OtherUid { .. }, _) => 0,
            (Action::Dummy | Action::Bytes(_) | Action::Items(_) | Action::Append(_), Vr::UN) => 0,
            (_, vr) => of_text(vr),
        });
    }
}

/// What makes a text even; of unknown VR, it is one.
fn of_text(vr: Vr) -> u8 {
    if vr == Vr::UN { b' ' } else { vr.padding() }
}
