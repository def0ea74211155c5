use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use proptest::prelude::*;

use super::{AttributePattern, Queries, QueryKey, QueryLevel, Sought};
use crate::policy::tests::role;
use crate::policy::{Denial, Direction, Operation, Request, Rights, Role};
use crate::wire::Uid;

const STUDY_ROOT_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
const LEVEL: u32 = 0x0008_0052;
const PATIENT_ID: u32 = 0x0010_0020;
const PATIENT_NAME: u32 = 0x0010_0010;
const STUDY_DATE: u32 = 0x0008_0020;
const MODALITY: u32 = 0x0008_0060;
const STUDY_UID: u32 = 0x0020_000D;

pub(in crate::policy) fn one(tag: u32) -> AttributePattern {
    AttributePattern::new(u32::MAX, tag, &format!("{tag:08X}"))
}

fn key(tag: u32) -> QueryKey {
    QueryKey::new(one(tag), tag == STUDY_DATE)
}

/// An identifier with these values at its top, which are matched on.
pub(in crate::policy) fn sought(values: &[(u32, &str)]) -> Sought {
    let matched = values.iter().map(|(tag, _)| *tag).filter(|tag| *tag != LEVEL).collect();
    let values = values.iter().map(|(tag, value)| (*tag, (*value).to_owned()));
    Sought::new(values, [], matched)
}

fn permit(queries: &Queries, operation: Operation, class: &str, sought: &Sought) -> Result<(), Denial> {
    let class: Uid = class.parse().unwrap();
    let request = Request {
        operation,
        direction: Direction::FromPeer,
        abstract_syntax: &class,
        sop_class: None,
        move_destination: None,
        retrieving: false,
    };
    queries.permit(&request, sought)
}

fn find(queries: &Queries, values: &[(u32, &str)]) -> Result<(), Denial> {
    permit(queries, Operation::CFind, STUDY_ROOT_FIND, &sought(values))
}

#[test]
fn a_query_asks_at_the_levels_of_its_role_only() {
    let queries = Queries { levels: Some(vec![QueryLevel::Study]), ..Queries::default() };
    assert_eq!(find(&queries, &[(LEVEL, "STUDY")]), Ok(()));
    for level in ["PATIENT", "SERIES", "study", "STUDY\\PATIENT", "FRAME", "", "*"] {
        assert_eq!(find(&queries, &[(LEVEL, level)]), Err(Denial::QueryLevel), "{level}");
    }
    assert_eq!(find(&queries, &[]), Err(Denial::QueryLevel), "none is said where there has to be one");
    assert_eq!(permit(&queries, Operation::CFind, WORKLIST, &sought(&[])), Ok(()));
    assert_eq!(permit(&queries, Operation::CFind, "1.2.3", &sought(&[])), Err(Denial::QueryLevel));
}

#[test]
fn one_of_the_keys_has_to_have_a_value_that_narrows() {
    let keys = Some(vec![key(PATIENT_ID), key(PATIENT_NAME), key(STUDY_DATE)]);
    let queries = Queries { keys, min_length: 3, ..Queries::default() };
    for (tag, value, narrows) in [
        (PATIENT_ID, "4711", true),
        (PATIENT_ID, "47*", false),
        (PATIENT_ID, "471*", true),
        (PATIENT_ID, "*", false),
        (PATIENT_ID, "????", false),
        (PATIENT_ID, "", false),
        (PATIENT_ID, "4711\\*", false),
        (PATIENT_ID, "4711\\", false),
        (PATIENT_ID, "4711\\4712", true),
        (PATIENT_NAME, "^^^^*", false),
        (PATIENT_NAME, "M\u{FC}l*", true),
        (PATIENT_NAME, "\u{5C71}\u{7530}*", false),
        (PATIENT_NAME, "\u{1B}$B;3ED*", false),
        (PATIENT_NAME, "M\u{FFFD}ller", false),
        (STUDY_DATE, "20260101", true),
        (STUDY_DATE, "20260101-20260131", true),
        (STUDY_DATE, "20260101-", false),
        (STUDY_DATE, "-20260131", false),
        (STUDY_DATE, "-", false),
        (MODALITY, "CT", false),
        (STUDY_UID, "1.2.3", false),
    ] {
        let denied = if narrows { Ok(()) } else { Err(Denial::QueryKeys) };
        assert_eq!(find(&queries, &[(LEVEL, "STUDY"), (tag, value)]), denied, "{tag:08X} {value:?}");
    }
}

/// An archive may overlook what is below the level at which it is asked, and answer with everybody.
#[test]
fn a_key_below_the_level_of_the_query_narrows_nothing() {
    let queries = Queries { keys: Some(vec![key(STUDY_DATE), key(PATIENT_ID)]), ..Queries::default() };
    assert_eq!(find(&queries, &[(LEVEL, "STUDY"), (STUDY_DATE, "20260101")]), Ok(()));
    for level in ["PATIENT", "patient", "nothing known"] {
        let denied = find(&queries, &[(LEVEL, level), (STUDY_DATE, "20260101")]);
        assert_eq!(denied, Err(Denial::QueryKeys), "{level}");
    }
    assert_eq!(find(&queries, &[(STUDY_DATE, "20260101")]), Err(Denial::QueryKeys), "no level");
    assert_eq!(find(&queries, &[(LEVEL, "PATIENT"), (PATIENT_ID, "1")]), Ok(()));
}

#[test]
fn what_is_retrieved_by_its_uid_is_narrow_enough() {
    let queries = Queries { keys: Some(vec![key(PATIENT_ID)]), min_length: 8, ..Queries::default() };
    let moves = |values: &[(u32, &str)]| permit(&queries, Operation::CMove, STUDY_ROOT_FIND, &sought(values));
    assert_eq!(moves(&[(LEVEL, "STUDY"), (STUDY_UID, "1.2.3")]), Ok(()));
    assert_eq!(moves(&[(LEVEL, "STUDY"), (STUDY_UID, "1.2.3\\1.2.4")]), Ok(()));
    assert_eq!(moves(&[(LEVEL, "STUDY"), (STUDY_UID, "1.2.*")]), Err(Denial::QueryKeys));
    assert_eq!(moves(&[(LEVEL, "PATIENT"), (STUDY_UID, "1.2.3")]), Err(Denial::QueryKeys));
    assert_eq!(find(&queries, &[(LEVEL, "STUDY"), (STUDY_UID, "1.2.3")]), Err(Denial::QueryKeys));
}

#[test]
fn keys_of_a_procedure_step_count_where_a_worklist_has_them() {
    let queries =
        Queries { keys: Some(vec![key(0x0040_0002), key(MODALITY), key(0x0040_1001)]), ..Default::default() };
    let step = |class, tag, value: &str| {
        let sought = Sought::new([], [(tag, value.to_owned())], BTreeSet::new());
        permit(&queries, Operation::CFind, class, &sought)
    };
    assert_eq!(step(WORKLIST, 0x0040_0002, "20260101"), Ok(()));
    assert_eq!(step(WORKLIST, MODALITY, "CT"), Ok(()));
    assert_eq!(step(WORKLIST, MODALITY, "*"), Err(Denial::QueryKeys));
    assert_eq!(step(WORKLIST, 0x0040_1001, "RP1"), Err(Denial::QueryKeys), "it stands at the top");
    let top = |tag, value| permit(&queries, Operation::CFind, WORKLIST, &sought(&[(tag, value)]));
    assert_eq!((top(0x0040_1001, "RP1"), top(MODALITY, "CT")), (Ok(()), Err(Denial::QueryKeys)));
    assert_eq!(step(STUDY_ROOT_FIND, MODALITY, "CT"), Err(Denial::QueryKeys));
}

#[test]
fn nothing_that_is_hidden_is_matched_on_and_what_says_how_to_read_is_never_hidden() {
    let hide = vec![one(PATIENT_NAME), AttributePattern::new(0xFFFF_0000, 0x0008_0000, "(0008,xxxx)")];
    let queries = Queries { hide, ..Queries::default() };
    assert_eq!(find(&queries, &[(LEVEL, "STUDY"), (PATIENT_ID, "4711")]), Ok(()));
    assert_eq!(find(&queries, &[(LEVEL, "STUDY"), (PATIENT_NAME, "D*")]), Err(Denial::HiddenKey));
    assert_eq!(find(&queries, &[(LEVEL, "STUDY"), (STUDY_DATE, "20260101")]), Err(Denial::HiddenKey));
    for shown in [LEVEL, 0x0008_0005, 0x0008_0000, PATIENT_ID] {
        assert!(!queries.hides(shown), "{shown:08X}");
    }
    assert!(queries.hides(PATIENT_NAME) && queries.hides(0x0008_0050));
}

#[test]
fn private_creators_go_by_their_own_tag_or_with_their_group() {
    let of = |mask, value| AttributePattern::new(mask, value, "");
    let (group, low, own) = (of(0xFFFF_0000, 0x0009_0000), of(0xFFFF_00FF, 0x0009_0010), one(0x0009_0010));
    let holds =
        |pattern: &AttributePattern| [0x0009_0010, 0x0009_1010, 0x0009_1011].map(|tag| pattern.holds(tag));
    assert_eq!(holds(&group), [true; 3]);
    assert_eq!(holds(&low), [false, true, false], "other elements of the block still say whose they are");
    assert_eq!(holds(&own), [true, false, false]);
    assert!(group.covers(&low) && group.covers(&own) && !low.covers(&own) && own.covers(&own));
    assert!(low.covers(&one(0x0009_1010)) && !low.covers(&group));
}

#[test]
fn a_user_sees_what_a_role_shows_by_which_the_query_may_pass() {
    let of = |name: &str, queries: Queries, operations: &[Operation]| {
        let mut role = role(operations);
        role.sop_classes.add("query-retrieve").unwrap();
        Arc::new(Role { name: name.into(), queries, ..role })
    };
    let hiding = |tags: &[u32], most: u32| Queries {
        hide: tags.iter().map(|tag| one(*tag)).collect(),
        max_answers: NonZeroU32::new(most),
        max_patients_per_day: NonZeroU32::new(most + 1),
        ..Queries::default()
    };
    let all = &[Operation::CFind][..];
    let peer = of("peer", hiding(&[0x0010_0030], 0), all);
    let few = of("few", hiding(&[PATIENT_NAME, PATIENT_ID], 5), all);
    let more = of("more", hiding(&[PATIENT_NAME], 9), all);
    let none = of("none", Queries::default(), &[Operation::CStore]);
    let class: Uid = STUDY_ROOT_FIND.parse().unwrap();
    let request = Request {
        operation: Operation::CFind,
        direction: Direction::FromPeer,
        abstract_syntax: &class,
        sop_class: None,
        move_destination: None,
        retrieving: false,
    };
    let asked = |roles: Vec<Arc<Role>>, values: &[(u32, &str)]| {
        let allowed =
            Rights::of_both(Arc::clone(&peer), roles).permits_query(&request, &sought(values)).unwrap();
        let hidden = allowed.hidden.unwrap();
        let hides = [0x0010_0030, PATIENT_NAME, PATIENT_ID, STUDY_UID].map(|tag| hidden.hides(tag));
        let [of_peer, of_user] = allowed.patients.map(|most| most.map(NonZeroU32::get));
        assert_eq!((of_peer, of_user), (Some(1), allowed.max_answers.map(|most| most.get() + 1)));
        (hides, allowed.max_answers.map(NonZeroU32::get))
    };
    let study = [(LEVEL, "STUDY")];
    assert_eq!(asked(vec![few.clone()], &study), ([true, true, true, false], Some(5)));
    assert_eq!(asked(vec![few.clone(), more.clone()], &study), ([true, true, false, false], Some(9)));
    // One that does not let the query pass shows nothing of its answers.
    assert_eq!(asked(vec![few, none], &study), ([true, true, true, false], Some(5)));
    let by_id = [(LEVEL, "STUDY"), (PATIENT_ID, "4711")];
    assert_eq!(asked(vec![more], &by_id), ([true, true, false, false], Some(9)));
}

#[test]
fn what_a_role_lets_pass_that_counts_nobody_is_not_counted() {
    let of = |most: u32, class: &str, levels: Option<Vec<QueryLevel>>, operations: &[Operation]| {
        let mut role = role(operations);
        role.sop_classes.add(class).unwrap();
        let max_patients_per_day = NonZeroU32::new(most);
        Arc::new(Role { queries: Queries { levels, max_patients_per_day, ..Queries::default() }, ..role })
    };
    let find = &[Operation::CFind][..];
    let (open, counting) = (of(0, "all", None, find), of(9, "all", None, find));
    let narrow = of(0, "all", Some(vec![QueryLevel::Study]), find);
    let worklist: Uid = "1.2.840.10008.5.1.4.31".parse().unwrap();
    let of_worklists = of(0, worklist.as_str(), None, find);
    let of_studies = of(9, "query-retrieve", None, find);
    let study: Uid = STUDY_ROOT_FIND.parse().unwrap();
    let counts = |rights: &Rights| {
        [&study, &worklist].map(|class| {
            rights.counts_patients_of(&Request {
                operation: Operation::CFind,
                direction: Direction::FromPeer,
                abstract_syntax: class,
                sop_class: None,
                move_destination: None,
                retrieving: false,
            })
        })
    };
    let user = |roles: &[&Arc<Role>]| {
        counts(&Rights::of_both(Arc::clone(&open), roles.iter().map(|role| Arc::clone(role)).collect()))
    };
    assert_eq!(user(&[&counting]), [true, true]);
    assert_eq!(user(&[&counting, &open]), [false, false]);
    assert_eq!(user(&[&counting, &of_worklists]), [true, false]);
    assert_eq!(user(&[&of_worklists, &of_studies]), [true, false]);
    // Which of the two lets it pass, only its identifier tells.
    assert_eq!(user(&[&counting, &narrow]), [true, true]);
    assert_eq!(user(&[&open]), [false, false]);
    // That of the peer counts, whatever the user has.
    assert_eq!(counts(&Rights::of_both(Arc::clone(&counting), vec![Arc::clone(&open)])), [true, true]);
    assert_eq!(counts(&Rights::of_peer(counting)), [true, true]);
}

/// Of few possibilities, so that two of them are often alike in part.
pub(in crate::policy) fn some_queries() -> impl Strategy<Value = Queries> {
    let count = || (0_u32..4).prop_map(NonZeroU32::new);
    let levels = prop::sample::subsequence(QueryLevel::ALL.to_vec(), 1..=4);
    let keys = prop::sample::subsequence(vec![PATIENT_ID, STUDY_DATE, MODALITY], 1..=3);
    let hide = prop::sample::subsequence(vec![one(PATIENT_NAME), one(MODALITY), whole_group()], 0..=3);
    let (levels, keys) = (prop::option::of(levels), prop::option::of(keys));
    (levels, keys, 0_u32..6, hide, count(), count(), count()).prop_map(
        |(levels, keys, min_length, hide, most, retrievals, patients)| {
            let keys = keys.map(|keys| keys.into_iter().map(key).collect());
            Queries {
                levels,
                keys,
                min_length,
                hide,
                max_answers: most,
                max_retrievals_per_hour: retrievals,
                max_patients_per_day: patients,
            }
        },
    )
}

fn whole_group() -> AttributePattern {
    AttributePattern::new(0xFFFF_0000, 0x0010_0000, "(0010,xxxx)")
}

/// What may be asked, of everything that these say something of.
pub(in crate::policy) fn questions() -> Vec<Sought> {
    let mut all = Vec::new();
    for level in ["PATIENT", "STUDY", "SERIES", "IMAGE"] {
        for (tag, value) in [
            (PATIENT_ID, "47"),
            (PATIENT_ID, "4711*"),
            (PATIENT_NAME, "DOE"),
            (STUDY_DATE, "20260101"),
            (MODALITY, "CT"),
            (STUDY_UID, "1.2.3"),
        ] {
            all.push(sought(&[(LEVEL, level), (tag, value)]));
        }
    }
    all
}

/// Whether one allows something of a query or retrieval that the other one does not.
pub(in crate::policy) fn allow_more(new: &Rights, old: &Rights, request: &Request<'_>) -> bool {
    let above = |new: Option<NonZeroU32>, old: Option<NonZeroU32>| {
        old.is_some_and(|old| new.is_none_or(|new| new > old))
    };
    let of_one = |sought: &Sought| {
        let Ok(new) = new.permits_query(request, sought) else { return false };
        let Ok(old) = old.permits_query(request, sought) else { return true };
        let hides = |hidden: &Option<Arc<crate::policy::Hidden>>, tag| {
            hidden.as_ref().is_some_and(|hidden| hidden.hides(tag))
        };
        let shows_more = [PATIENT_NAME, PATIENT_ID, MODALITY, STUDY_DATE]
            .into_iter()
            .any(|tag| hides(&old.hidden, tag) && !hides(&new.hidden, tag));
        let more_answers = request.operation == Operation::CFind && above(new.max_answers, old.max_answers);
        let more_retrievals = super::retrieves(request.operation)
            && new.retrievals.into_iter().zip(old.retrievals).any(|(new, old)| above(new, old));
        shows_more || more_answers || more_retrievals
    };
    questions().iter().any(of_one)
}

proptest! {
    /// What covers another one allows all that it allows; what does not differ, covers.
    #[test]
    fn what_covers_allows_no_less(one in some_queries(), other in some_queries(), find in any::<bool>()) {
        let operation = if find { Operation::CFind } else { Operation::CMove };
        let of = |queries: Queries| {
            let mut role = role(&[operation]);
            role.sop_classes.add("query-retrieve").unwrap();
            role.queries = queries;
            Rights::of_peer(Arc::new(role))
        };
        let class: Uid = STUDY_ROOT_FIND.parse().unwrap();
        let request = Request {
            operation,
            direction: Direction::FromPeer,
            abstract_syntax: &class,
            sop_class: None,
            move_destination: Some("READER"),
            retrieving: false,
        };
        prop_assert!(one.cover(&one, &[operation]));
        let more = allow_more(&of(one.clone()), &of(other.clone()), &request);
        prop_assert!(!more || !other.beyond(&one, &[operation]).is_empty() || !one.beyond(&other, &[operation]).is_empty());
        prop_assert!(!(more && other.cover(&one, &[operation])));
    }
}
