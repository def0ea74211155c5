//! The way back: each action of the rules undone, as far as that can be.
//!
//! | what the rule did | what becomes of the element on its way back |
//! | --- | --- |
//! | UID of an instance | the real one; one that is nobody's pseudonym is the sender's own, and gets another name on the patients' side, whether it is a real one there or not |
//! | UID of another thing | stays: the sender's own |
//! | pseudonym | the real value. Unknown: a Patient ID refuses the data set, other attributes of the patient are emptied, an AE title and what else group 0008 says of the sender stays, the Accession Number and anything else refuses the data set |
//! | any of these two | refused where it is known as another patient's than the message's |
//! | date moved | moved back; one that would lie in the future then was written by the sender's clock, and stays; a dummy is emptied |
//! | dummy, or a fixed value | emptied, where it is that very value; any other is the sender's own, and stays |
//! | removed, emptied, cleaned | stays: the sender's own |
//! | any of the last two, of the patient (group 0010) | emptied: who the patient is, the sender does not know |
//! | (0012,0062), (0012,0063), (0012,0064), (0028,0303) | removed: no longer true |
//!
//! What the profile removed does not come back: the crosswalk keeps identifiers, not data sets.

use time::{Date, Duration};

use super::super::action::{Action, Otherwise};
use super::super::character_set::CharacterSet;
use super::super::correspondence::Kind;
use super::super::error::RewriteProblem;
use super::super::facts::Facts;
use super::super::instances::FILED_BY;
use super::super::restored::written;
use super::super::{dates, dummy, keyed};
use super::each::each_value;
use super::outcome::{Cannot, Edit, Plan};
use crate::dataset::{PATIENT_ID, Tag, Vr, trim};

/// (0008,0050): of group 0008, but not the sender's to choose.
const ACCESSION_NUMBER: Tag = Tag(0x0008, 0x0050);
const PATIENT: u16 = 0x0010;
/// What says that a data set is de-identified.
const CLAIMS: [Tag; 4] = [Tag(0x0012, 0x0062), Tag(0x0012, 0x0063), Tag(0x0012, 0x0064), Tag(0x0028, 0x0303)];
/// Longer values are no dummies.
const LONGEST_DUMMY: u32 = 128;

/// What is to be done with an element on which `action` decided on the way there.
pub(super) fn plan(action: &Action, tag: Tag, vr: Vr, length: u32) -> Plan {
    match action {
        _ if CLAIMS.contains(&tag) => Plan::Remove,
        action if action.keeps() => Plan::Keep,
        Action::Uid { .. } | Action::Pseudonym { .. } | Action::Shift { .. } => Plan::Edit { reads: true },
        Action::Template(template) if template.has_pseudonym() => Plan::Edit { reads: true },
        _ if tag.0 == PATIENT && vr == Vr::SQ => Plan::Remove,
        _ if tag.0 == PATIENT => Plan::Empty,
        Action::Replace(_)
        | Action::Template(_)
        | Action::Dummy
        | Action::Clean { otherwise: Otherwise::Dummy, .. }
            if vr.is_text() && length <= LONGEST_DUMMY =>
        {
            Plan::Edit { reads: true }
        }
        _ => Plan::Keep,
    }
}

/// Puts the real value of an element into `new`, which is empty before.
pub(super) fn edit(
    action: &Action,
    (tag, vr): (Tag, Vr),
    set: &CharacterSet,
    old: &[u8],
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> Result<Edit, Cannot> {
    match action {
        Action::Uid { key } => {
            let alone = !old.contains(&b'\\');
            each_value((vr, set), old, new, |one, new| {
                check_uid((tag, one), alone, facts)?;
                facts.pseudonyms.put_real_uid(key, one, new)
            })?
        }
        Action::Pseudonym { .. } => each_value((vr, set), old, new, |one, new| {
            put_real(&action.kinds(tag), (tag, vr), set, one, facts, new)
        })?,
        Action::Template(template) if template.has_pseudonym() => {
            let whole = trim(old);
            if !whole.is_empty() {
                put_real(&action.kinds(tag), (tag, vr), set, whole, facts, new).map_err(Cannot::Lacks)?;
            }
        }
        Action::Shift { .. } => each_value((vr, set), old, new, |one, new| put_date(vr, one, facts, new))?,
        Action::Replace(text) if trim(old) == text.trim().as_bytes() => {}
        Action::Template(template) => {
            // With the number of an object in it, nobody can tell what it was.
            let same = template
                .fill(facts, (tag, set), b"")
                .is_ok_and(|filled| filled.trim().as_bytes() == trim(old));
            return Ok(if same { Edit::New } else { Edit::Same });
        }
        Action::Dummy | Action::Clean { .. } if is_dummy(vr, trim(old)) => {}
        _ => return Ok(Edit::Same),
    }
    Ok(if new.as_slice() == trim(old) { Edit::Same } else { Edit::New })
}

/// What was sent out as one patient's does not come back as another's, and neither do studies, series and instances that
/// the sender made for one. Other UIDs of its own, as of its device, stand in what it makes for anybody.
fn check_uid((tag, uid): (Tag, &[u8]), alone: bool, facts: &mut Facts) -> Result<(), RewriteProblem> {
    if keyed::is_fixed(uid) {
        return Ok(());
    }
    match facts.pseudonyms.behind_uid(uid)? {
        Some(found) if found.kind == Kind::OwnUid && !FILED_BY.contains(&tag) => Ok(()),
        // Seen without a Patient ID only, in the answer to a query: whose study it is, nobody knows.
        Some(found) if found.kind == Kind::Uid && FILED_BY.contains(&tag) && found.patient.is_none() => {
            if facts.is_on_somebody() {
                Err(RewriteProblem::OtherPatient)
            } else {
                Ok(())
            }
        }
        Some(found) => facts.check_whose(&found, alone),
        None => Ok(()),
    }
}

fn put_real(
    kinds: &[Kind],
    (tag, vr): (Tag, Vr),
    set: &CharacterSet,
    pseudonym: &[u8],
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    match facts.pseudonyms.behind(kinds, vr, pseudonym)? {
        Some(found) => {
            // The Patient ID at the top is what says on whom the data set is; an AE title is of no patient.
            if vr != Vr::AE && !(tag == PATIENT_ID && facts.depth == 0) {
                facts.check_whose(&found, true)?;
            }
            match written(&found, set) {
                Some(real) => new.extend_from_slice(&real),
                None => return Err(RewriteProblem::NotInCharacterSet),
            }
        }
        None if tag == PATIENT_ID => return Err(RewriteProblem::NotAPseudonym),
        None if tag.0 == PATIENT => {}
        None if vr == Vr::AE || tag.0 == 0x0008 && tag != ACCESSION_NUMBER => {
            new.extend_from_slice(pseudonym);
        }
        None => return Err(RewriteProblem::NotAPseudonym),
    }
    Ok(())
}

fn put_date(vr: Vr, old: &[u8], facts: &Facts, new: &mut Vec<u8>) -> Result<(), RewriteProblem> {
    if is_dummy(vr, old) {
        return Ok(());
    }
    let start = new.len();
    if vr != Vr::TM
        && let Some(date) = dates::date_of(vr, old)
    {
        match facts.days {
            Some(days) => {
                let back = days.checked_neg().unwrap_or_default();
                let moved = dates::shift(vr, old, back, true, new).is_some();
                if moved && !is_future(date, back, facts.today) {
                    return Ok(());
                }
                new.truncate(start);
            }
            None if is_now(date, facts.today) => {}
            None => return Err(RewriteProblem::NoPatient),
        }
    }
    new.extend_from_slice(old);
    Ok(())
}

/// Whether a date would lie in the future, whatever the time zone.
fn is_future(date: Date, back: i32, today: Option<Date>) -> bool {
    let moved = date.checked_add(Duration::days(back.into()));
    let tomorrow = today.and_then(|today| today.checked_add(Duration::days(1)));
    moved.zip(tomorrow).is_some_and(|(moved, tomorrow)| moved > tomorrow)
}

fn is_now(date: Date, today: Option<Date>) -> bool {
    today.is_some_and(|today| (date - today).whole_days().abs() <= 1)
}

fn is_dummy(vr: Vr, value: &[u8]) -> bool {
    let mut dummy = Vec::new();
    dummy::put(vr, &mut dummy);
    value == dummy
}
