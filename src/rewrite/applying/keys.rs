//! Identifiers of queries and retrievals (PS3.4 C.2.2.2), whose values are not data but what to look for.
//!
//! | what the rules do with the attribute | empty, or `*` | a value |
//! | --- | --- | --- |
//! | keep | passes | passes |
//! | UID, pseudonym | passes | becomes what is to be looked for on the other side; a list loses those that are unknown; where none is left, nothing matches; with `*` or `?` in it, refused, but for asterisks behind a whole pseudonym |
//! | value made from the patient, as a name | passes | finds the patient, and goes: the Patient ID beside it is what is looked for; refused without one, and in a sequence |
//! | date moved | passes | moved, ranges too, for the one patient whose ID stands beside it; refused without |
//! | text cleaned, a pattern replaced, an age capped | passes | passes where the rules leave that very value as it is; else refused |
//! | the issuer of a Patient ID that stands beside it | passes | goes: it said whom to look for |
//! | a fixed value | passes | that value asks for everybody, another for nobody |
//! | anything else | passes | refused |
//!
//! A value that is compared with what the rules hide tells what is hidden, guess by guess. It is refused rather than
//! ignored, since then more would match than was asked for.

use super::super::action::Action;
use super::super::character_set::CharacterSet;
use super::super::correspondence::{Correspondence, Kind};
use super::super::creator::is_creator;
use super::super::error::RewriteProblem;
use super::super::facts::Facts;
use super::super::schedule::STATION;
use super::super::template::Template;
use super::super::way::Way;
use super::super::words::{Cleaner, Marks};
use super::super::{dates, keyed, restored};
use super::forward;
use super::outcome::{Cannot, Edit, Plan};
use crate::dataset::{ISSUER_OF_PATIENT_ID, PATIENT_ID, Tag, Vr, number, trim};

/// (0008,0201): it says how other values are meant.
const TIMEZONE_OFFSET: Tag = Tag(0x0008, 0x0201);

/// What is to be done with a key on which `action` decides in data. A private attribute that the rules hide is left out, so
/// that it is not asked for.
pub(super) fn plan(action: &Action, tag: Tag, length: u32) -> Plan {
    match action {
        action if action.keeps() && tag != STATION => Plan::Keep,
        action if action.keeps() => Plan::Edit { reads: true },
        action if !hides(action) => Plan::Edit { reads: true },
        _ if tag == TIMEZONE_OFFSET || is_creator(tag) || tag.0 % 2 == 1 && length == 0 => Plan::Remove,
        _ => Plan::Edit { reads: true },
    }
}

/// Whether nothing can be looked for by the attribute, and by those in it where it is a sequence.
pub(in crate::rewrite) fn hides(action: &Action) -> bool {
    match action {
        action if action.keeps() => false,
        Action::Uid { .. } | Action::Pseudonym { .. } | Action::Shift { .. } => false,
        Action::Template(template) => !template.has_pseudonym(),
        _ => true,
    }
}

/// Puts what is to be looked for into `new`, which is empty before.
pub(super) fn edit(
    action: &Action,
    (tag, vr): (Tag, Vr),
    (old, set): (&[u8], &CharacterSet),
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> Result<Edit, Cannot> {
    let key = trim(old);
    let is_own = !is_universal(vr, key) && facts.is_own_key(tag, key);
    match action {
        _ if is_own => return Ok(Edit::Same),
        // With the Patient ID, it said whom to look for.
        _ if tag == ISSUER_OF_PATIENT_ID && facts.depth == 0 && facts.names_issuer() => return Ok(Edit::New),
        action if action.keeps() => return Ok(Edit::Same),
        _ if is_universal(vr, key) => put_patient(action, tag, (facts, set), new),
        Action::Template(template) if is_of_patient(template, tag) => {
            check_of_patient(template, (tag, vr), (key, set), facts)
        }
        Action::Shift { keep_times } => put_dates(vr, key, facts, *keep_times, new),
        Action::Replace(text) if facts.way == Way::ToReal && !set.has_wildcard(vr, key) => {
            check_constant(text, key)
        }
        action if facts.way == Way::ToReal && shows(action, vr, (key, set)) => return Ok(Edit::Same),
        action if hides(action) => Err(RewriteProblem::NotAKey),
        action => put_list(action, (tag, vr), (key, set), facts, new),
    }
    .map_err(Cannot::Lacks)?;
    let same = new.as_slice() == key || new.is_empty() && is_universal(vr, key);
    Ok(if same { Edit::Same } else { Edit::New })
}

/// A fixed value is shown of everybody, and any other of nobody.
fn check_constant(text: &str, key: &[u8]) -> Result<(), RewriteProblem> {
    if text.trim().as_bytes() == key { Ok(()) } else { Err(RewriteProblem::MatchesNothing) }
}

/// Whether an answer would show the very value that is looked for: it tells no more than that. Part of a value could be
/// hidden.
fn shows(action: &Action, vr: Vr, (key, set): (&[u8], &CharacterSet)) -> bool {
    let mut shown = Vec::new();
    match action {
        _ if set.has_wildcard(vr, key) => return false,
        Action::CapAge => dates::cap_age(key, &mut shown),
        Action::Clean { vocabulary, .. } => {
            let mut cleaner = Cleaner {
                vocabulary,
                marks: &mut Marks::default(),
                distinguishes: false,
                identifiers: &|_| Vec::new(),
                identified: false,
            };
            // A mark stands for what is hidden, and looks the same where it came as one.
            if !cleaner.clean((vr, set), key, &mut shown) {
                return false;
            }
        }
        action @ Action::Pattern { .. } => return forward::leaves(action, vr, set, key),
        _ => return false,
    }
    // Whoever is older than 89 is shown as 90.
    shown == key && key != b"090Y"
}

/// Whether the value is made from the patient, and is not the Patient ID itself.
fn is_of_patient(template: &Template, tag: Tag) -> bool {
    template.has_pseudonym() && !template.is_of_value() && tag != PATIENT_ID
}

/// A name alone was looked for, and the patient found by it: then that is whom to look for.
fn put_patient(
    action: &Action,
    tag: Tag,
    (facts, set): (&Facts, &CharacterSet),
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    let Some(patient) = facts.named.as_deref().filter(|_| tag == PATIENT_ID && facts.depth == 0) else {
        return Ok(());
    };
    match action {
        action if hides(action) => Err(RewriteProblem::NotAKey),
        _ => match facts.pseudonyms.row(Kind::Value(tag), patient)? {
            Some(found) => put_found(&found, Vr::LO, set, new),
            None => Err(RewriteProblem::NeedsPatientId),
        },
    }
}

/// A real value, to be looked for. What is no wildcard in it would be one in a key (PS3.4 C.2.2.2.4).
fn put_found(
    found: &Correspondence,
    vr: Vr,
    set: &CharacterSet,
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    let real = restored::written(found, set).ok_or(RewriteProblem::NotInCharacterSet)?;
    if vr != Vr::UI && set.has_wildcard(vr, &real) {
        return Err(RewriteProblem::NotAKey);
    }
    new.extend_from_slice(&real);
    Ok(())
}

/// Universal matching (PS3.4 C.2.2.2.3): empty, or nothing but asterisks.
pub(in crate::rewrite) fn is_universal(vr: Vr, key: &[u8]) -> bool {
    key.is_empty() || vr.is_text() && key.iter().all(|b| *b == b'*')
}

/// Single value matching, and lists of values.
fn put_list(
    action: &Action,
    (tag, vr): (Tag, Vr),
    (key, set): (&[u8], &CharacterSet),
    facts: &mut Facts,
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    let kinds = action.kinds(tag);
    let values: Vec<&[u8]> = set.values(vr, key).map(trim).filter(|one| !one.is_empty()).collect();
    if let ([uid], Way::ToReal, [Kind::Uid]) = (values.as_slice(), facts.way, kinds.as_slice())
        && facts.patient.is_none()
        && !set.has_wildcard(vr, uid)
    {
        facts.about = facts.pseudonyms.patient_of(uid)?.or(facts.about.take());
    }
    let alone = values.len() == 1;
    for one in values {
        let Some(other) = other_side(&kinds, vr, (one, set), (facts, alone))? else { continue };
        if !new.is_empty() {
            new.push(b'\\');
        }
        new.extend_from_slice(&other);
    }
    if new.is_empty() { Err(RewriteProblem::MatchesNothing) } else { Ok(()) }
}

/// A value on the other side. Behind a whole pseudonym, an asterisk makes no difference; elsewhere it would compare a part
/// of one.
fn other_side(
    kinds: &[Kind],
    vr: Vr,
    (one, set): (&[u8], &CharacterSet),
    (facts, alone): (&mut Facts, bool),
) -> Result<Option<Vec<u8>>, RewriteProblem> {
    if facts.way == Way::ToPseudonyms || kinds == [Kind::Uid] && keyed::is_fixed(one) {
        if set.has_wildcard(vr, one) {
            return Err(RewriteProblem::Wildcard);
        }
        let kind = kinds.first().copied().unwrap_or(Kind::Uid);
        let (real, _) = facts.pseudonyms.identity(kind, (one, set))?;
        let real = facts.remembered_as(kind, real);
        return facts.pseudonyms.across(facts.way, kinds, vr, &real);
    }
    let whole = without_asterisks((vr, set), one).ok_or(RewriteProblem::Wildcard)?;
    let Some(found) = facts.pseudonyms.behind(kinds, vr, whole)? else {
        return if set.has_wildcard(vr, one) { Err(RewriteProblem::Wildcard) } else { Ok(None) };
    };
    if vr != Vr::AE && kinds != [Kind::Value(PATIENT_ID)] {
        facts.check_whose(&found, alone)?;
    }
    let mut real = Vec::new();
    put_found(&found, vr, set, &mut real)?;
    Ok(Some(real))
}

/// A value such as `ANON^{pseudonym}` says the same as the Patient ID. Looked for by its real value, it would find
/// everybody of the same name.
fn check_of_patient(
    template: &Template,
    (tag, vr): (Tag, Vr),
    (key, set): (&[u8], &CharacterSet),
    facts: &mut Facts,
) -> Result<(), RewriteProblem> {
    let is_wild = set.has_wildcard(vr, key);
    let whole = if is_wild { without_asterisks((vr, set), key) } else { Some(key) };
    match (facts.way, facts.patient.is_some()) {
        (Way::ToReal, true) => {
            let own = template.fill(facts, (tag, &CharacterSet::DEFAULT), b"")?;
            let whole = whole.ok_or(RewriteProblem::Wildcard)?;
            let same = restored::bare(vr, own.as_bytes()) == restored::bare(vr, whole);
            if same { Ok(()) } else { Err(RewriteProblem::MatchesNothing) }
        }
        (Way::ToReal, false) => {
            let whole = whole.ok_or(RewriteProblem::Wildcard)?;
            let found = facts.pseudonyms.behind(&[Kind::OfPatient(tag)], vr, whole)?;
            match found {
                // In an item, it is not whom the whole query is about.
                Some(Correspondence { patient: Some(patient), .. })
                    if facts.depth == 0 && number(tag) < number(PATIENT_ID) =>
                {
                    facts.named = Some(patient);
                    Ok(())
                }
                Some(_) => Err(RewriteProblem::NeedsPatientId),
                None if is_wild => Err(RewriteProblem::Wildcard),
                None => Err(RewriteProblem::MatchesNothing),
            }
        }
        // The real value may be any of those that the patient ever had; the Patient ID decides.
        (Way::ToPseudonyms, true) => Ok(()),
        (Way::ToPseudonyms, false) => Err(RewriteProblem::NeedsPatientId),
    }
}

/// What stands before asterisks at the end, where there are no other wildcards.
fn without_asterisks<'a>((vr, set): (Vr, &CharacterSet), key: &'a [u8]) -> Option<&'a [u8]> {
    let mut end = key.len();
    // From the first of those that nothing else stands between.
    let wild: Vec<(usize, u8)> = set.wildcards(vr, key).collect();
    for (at, _) in wild.iter().rev().take_while(|(_, byte)| *byte == b'*') {
        if *at + 1 == end {
            end = *at;
        }
    }
    key.get(..end).filter(|_| wild.iter().all(|(at, _)| *at >= end))
}

/// Single dates and ranges (PS3.4 C.2.2.2.5).
fn put_dates(
    vr: Vr,
    key: &[u8],
    facts: &Facts,
    keep_times: bool,
    new: &mut Vec<u8>,
) -> Result<(), RewriteProblem> {
    match vr {
        Vr::TM if keep_times => {
            new.extend_from_slice(key);
            return Ok(());
        }
        Vr::TM => return Err(RewriteProblem::NotAKey),
        _ => {}
    }
    let days = facts.days.ok_or(RewriteProblem::NeedsPatientId)?;
    let days = if facts.way == Way::ToReal { days.checked_neg().unwrap_or_default() } else { days };
    let mut ends = key.split(|b| *b == b'-');
    let (first, second, more) = (ends.next().unwrap_or_default(), ends.next(), ends.next());
    // A third hyphen, or four digits behind the second, can be an offset from UTC.
    if key == b"-" || more.is_some() || key.contains(&b'\\') || second.is_some_and(|end| end.len() == 4) {
        return Err(RewriteProblem::NotAKey);
    }
    put_date(vr, first, days, new)?;
    if let Some(second) = second {
        new.push(b'-');
        put_date(vr, second, days, new)?;
    }
    Ok(())
}

fn put_date(vr: Vr, one: &[u8], days: i32, new: &mut Vec<u8>) -> Result<(), RewriteProblem> {
    if one.is_empty() {
        return Ok(());
    }
    // Less than a day cannot be moved by days.
    let whole = one.iter().filter(|b| b.is_ascii_digit()).count() >= 8;
    dates::shift(vr, one, days, true, new).filter(|()| whole).ok_or(RewriteProblem::NotAKey)
}
