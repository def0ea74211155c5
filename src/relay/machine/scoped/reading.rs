//! What an identifier asks for (PS3.4 C.4.1.1.3, C.4.2.1.4), as far as a scope has to know.

use time::Date;

use super::super::granted::{By, Granted};
use super::super::want::{Below, LookUp};
use crate::dataset::{
    Encoding, ISSUER_OF_PATIENT_ID, PATIENT_ID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, STUDY_INSTANCE_UID,
    Small, Tag,
};
use crate::dimse::Operation;
use crate::policy::Scope;
use crate::policy::scope::Attribute;

/// (0008,0052) Query/Retrieve Level.
const LEVEL: Tag = Tag(0x0008, 0x0052);
/// (0008,0054) Retrieve AE Title, which some requestors send back.
const RETRIEVE_AE_TITLE: Tag = Tag(0x0008, 0x0054);
/// (0020,000E) Series Instance UID.
const SERIES_INSTANCE_UID: Tag = Tag(0x0020, 0x000E);
/// Unique keys, and what says nothing of what is retrieved.
const OF_RETRIEVALS: [Tag; 7] = [
    SPECIFIC_CHARACTER_SET,
    SOP_INSTANCE_UID,
    LEVEL,
    RETRIEVE_AE_TITLE,
    PATIENT_ID,
    STUDY_INSTANCE_UID,
    SERIES_INSTANCE_UID,
];

/// Studies that one retrieval may name.
const MOST_STUDIES: usize = 32;
/// Series or instances that it may name.
const MOST_BELOW: usize = 512;
/// PS3.5 §9.1.
const LONGEST_UID: usize = 64;

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// It goes on with this data set; `None` is as it came.
    GoesOn { data: Option<Vec<u8>>, granted: Granted },
    /// It goes on as it came, where all of this is within the scope.
    LookUp { look_up: LookUp, granted: Granted },
}

/// Why a request cannot be judged, for its sender.
pub(super) type CannotBeJudged = &'static str;

/// Reads the identifier of a query or retrieval; gives what becomes of the request, or why it cannot be judged.
pub(super) fn read(
    scope: &Scope,
    today: Date,
    operation: Operation,
    encoding: Encoding,
    data: &[u8],
) -> Result<Wish, CannotBeJudged> {
    let small = Small::read(encoding, data).ok_or("the identifier cannot be read in one way only")?;
    // A longer value could be read as the beginning of another encoding.
    let level = small.value(LEVEL).ok_or("no query/retrieve level that can be judged")?;
    match (operation, level) {
        (Operation::CFind, b"PATIENT" | b"STUDY") => query(scope, today, &small, level == b"PATIENT"),
        (Operation::CFind, b"SERIES" | b"IMAGE") => below(&small),
        (_, b"STUDY" | b"SERIES" | b"IMAGE") => retrieval(&small, level),
        _ => Err("no query/retrieve level that can be judged"),
    }
}

/// A query of patients or studies: each answer says what it is.
fn query(
    scope: &Scope,
    today: Date,
    small: &Small<'_>,
    is_of_patients: bool,
) -> Result<Wish, CannotBeJudged> {
    if is_of_patients && !scope.is_of_patients() {
        return Err("a scope of studies cannot judge patients");
    }
    let tag = |attribute: Attribute| Tag::from(attribute.tag());
    let attributes = scope.attributes();
    let believed = |attribute: &Attribute| {
        small.value(tag(*attribute)).is_some_and(|value| scope.could_believe(*attribute, value, today))
    };
    let told: Vec<Tag> =
        attributes.iter().filter(|attribute| believed(attribute)).copied().map(tag).collect();
    let is_told = !told.is_empty();
    if is_told && is_of_patients {
        return of_issuer(small, &attributes.into_iter().map(tag).collect::<Vec<_>>(), &told);
    }
    let mut needed: Vec<Tag> = attributes.into_iter().map(tag).collect();
    needed.extend(is_told.then_some(STUDY_INSTANCE_UID));
    needed.sort_unstable();
    let data = small.with_empty(&needed);
    let added = needed.into_iter().filter(|tag| !small.has(*tag)).collect();
    let by = if is_told { By::TheirStudies } else { By::Themselves };
    Ok(Wish::GoesOn { data: Some(data), granted: Granted::new(by, added) })
}

/// A query of patients that names their issuer, which the upstream is asked for and not by: it could say again what it was told,
/// and there is no study to be looked up. What of the answers is of that issuer is found here.
fn of_issuer(small: &Small<'_>, needed: &[Tag], told: &[Tag]) -> Result<Wish, CannotBeJudged> {
    let is_one = |value: &&[u8]| !value.iter().any(|byte| matches!(byte, b'*' | b'?' | b'\\'));
    let issuer = small.value(ISSUER_OF_PATIENT_ID).filter(|_| told == [ISSUER_OF_PATIENT_ID]).filter(is_one);
    let issuer =
        issuer.ok_or("patients are judged by one whole issuer that is asked for, and by nothing else")?;
    let added = needed.iter().copied().filter(|tag| !small.has(*tag)).collect();
    let granted = Granted::new(By::OfIssuer(issuer.to_vec()), added);
    Ok(Wish::GoesOn { data: Some(small.emptied(needed, told)), granted })
}

/// A query of series or instances: those of one study (PS3.4 C.4.1.3.1.1).
fn below(small: &Small<'_>) -> Result<Wish, CannotBeJudged> {
    let studies = uids(small, STUDY_INSTANCE_UID, 1).ok_or("a query below studies has to name one")?;
    Ok(look_up(studies, None))
}

fn retrieval(small: &Small<'_>, level: &[u8]) -> Result<Wish, CannotBeJudged> {
    if small.filled().any(|tag| tag.1 != 0 && !OF_RETRIEVALS.contains(&tag)) {
        return Err("a retrieval by other keys than UIDs cannot be judged");
    }
    let is_empty = |tag| small.value(tag).is_none_or(<[u8]>::is_empty);
    let [no_series, no_instance] = [SERIES_INSTANCE_UID, SOP_INSTANCE_UID].map(is_empty);
    let most = if level == b"STUDY" { MOST_STUDIES } else { 1 };
    let studies = uids(small, STUDY_INSTANCE_UID, most);
    let studies = studies.ok_or("a retrieval has to name its study, by one UID below that level")?;
    let cannot = "a retrieval has to name UIDs down to its level, and none below";
    let below = match level {
        b"STUDY" => (no_series && no_instance).then_some(None),
        b"SERIES" => uids(small, SERIES_INSTANCE_UID, MOST_BELOW)
            .filter(|_| no_instance)
            .map(|series| Some(Below::Series(series))),
        _ => {
            let series = uids(small, SERIES_INSTANCE_UID, 1).and_then(|series| series.into_iter().next());
            let instances = uids(small, SOP_INSTANCE_UID, MOST_BELOW);
            series.zip(instances).map(|(series, instances)| Some(Below::Instances { series, instances }))
        }
    };
    Ok(look_up(studies, below.ok_or(cannot)?))
}

fn look_up(studies: Vec<String>, below: Option<Below>) -> Wish {
    let granted = Granted::new(By::Studies(studies.clone()), Vec::new());
    Wish::LookUp { look_up: LookUp { studies, below }, granted }
}

/// The UIDs of a key: at least one, at most so many, and nothing else.
fn uids(small: &Small<'_>, tag: Tag, most: usize) -> Option<Vec<String>> {
    let value = small.value(tag)?;
    let is_uid = |uid: &&[u8]| {
        let legal = uid.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        legal && (1..=LONGEST_UID).contains(&uid.len())
    };
    let parts: Vec<&[u8]> = value.split(|byte| *byte == b'\\').take(most + 1).collect();
    if parts.len() > most || !parts.iter().all(is_uid) {
        return None;
    }
    parts.into_iter().map(|uid| std::str::from_utf8(uid).map(str::to_owned).ok()).collect()
}
