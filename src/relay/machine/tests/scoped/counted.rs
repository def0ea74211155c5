//! A peer whose patients are counted: whom it is shown was counted before, and nobody else is shown.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::super::{Count, LookedUp, Terms, Whom};
use super::super::peers::{Ask, Leaves, Requestor};
use super::super::simulation::{Chance, Simulation, Story};
use super::super::wire::Heard;
use super::super::{data_sets, statuses};
use super::{
    Careless, Drawn, ISSUER, LEVEL, SERIES, STUDY_INSTANCE_UID, Study, data_set, looked_up, retrievals,
    scope_of, scoped, studies, study, values,
};
use crate::dimse::{Command, CommandField, Operation};
use crate::patients::Patient;

use crate::policy::{Peer as Rights, Queries, QueryLevel, Rights as Allowed, Role, Scope};

fn limited(scope: Scope, most: u32) -> Terms {
    let mut terms = scoped(scope);
    let mut role = (*terms.grant.peer.role).clone();
    role.queries.max_patients_per_day = NonZeroU32::new(most);
    let role: Arc<Role> = Arc::new(role);
    terms.grant.rights = Allowed::of_peer(role.clone());
    terms.grant.peer = Arc::new(Rights { role, ..(*terms.grant.peer).clone() });
    terms
}

/// Whose a study is: no answer of [`Careless`] has a Patient ID, so that each is somebody.
fn whose(uid: &str) -> Patient {
    Patient::of("pacs", None, None, Some(uid.as_bytes())).unwrap()
}

/// A day that goes on over several associations.
struct Day<'d> {
    studies: &'d [Study],
    drawn: Drawn,
    most: u32,
    seen: RefCell<BTreeSet<Patient>>,
    /// Of one query; 0 is any number.
    answers: u32,
}

impl Day<'_> {
    fn count(&self, Count { whom, most, .. }: &Count) -> LookedUp {
        assert_eq!(*most, [NonZeroU32::new(self.most), None]);
        let named: Vec<Patient> = match whom {
            Whom::Patient(patient) => vec![*patient],
            Whom::LookUp(asked) if looked_up(self.studies, &self.drawn, asked) == LookedUp::Outside => {
                return LookedUp::Outside;
            }
            Whom::LookUp(asked) => asked.studies.iter().map(|uid| whose(uid)).collect(),
        };
        let mut seen = self.seen.borrow_mut();
        let all: BTreeSet<Patient> = seen.iter().copied().chain(named).collect();
        if all.len() > self.most as usize {
            return LookedUp::TooMany;
        }
        *seen = all;
        LookedUp::Inside
    }

    /// What the peer asks, and what it saw and moved by that: studies.
    fn run(&self, asks: &[Ask], seed: u64) -> (Story, BTreeSet<String>) {
        let mut chance = Chance(seed ^ 0x0DA7);
        let mut fragment = || [30, 1_000, 16_000][chance.below(3)];
        let mut requestor = Requestor::new(asks, Leaves::Requestor, fragment());
        let moved = RefCell::default();
        let (gives, getting) = (VecDeque::new(), None);
        let (studies, echoes) = (self.studies, false);
        let mut archive = Careless { studies, moved: &moved, gives, getting, fragment: fragment(), echoes };
        let narrow = Some(&self.drawn.scope).filter(|_| self.drawn.bits != 0);
        let mut terms = limited(Scope::counting_patients(narrow), self.most);
        let mut role = (*terms.grant.peer.role).clone();
        role.queries.max_answers = NonZeroU32::new(self.answers);
        terms.grant.rights = Allowed::of_peer(role.into());
        let mut simulation = Simulation::new(terms, [&mut requestor, &mut archive], seed);
        simulation.looked_up = Box::new(|asked| looked_up(self.studies, &self.drawn, asked));
        simulation.counted = Box::new(|count| self.count(count));
        let story = simulation.run();
        let mut shown = values(&data_sets(&story.requestor), STUDY_INSTANCE_UID);
        shown.extend(moved.into_inner());
        (story, shown)
    }
}

fn cancels(story: &Story) -> usize {
    let is_cancel = |heard: &&Heard| match heard {
        Heard::Message { command, .. } => {
            matches!(Command::parse(command.clone()).unwrap().field, CommandField::Cancel { .. })
        }
        _ => false,
    };
    story.archive.iter().filter(is_cancel).count()
}

#[test]
fn nobody_is_shown_who_was_not_counted_and_as_many_are_as_may_be() {
    for seed in 0..400 {
        let mut chance = Chance(seed);
        // Half of them may see every study.
        let (all, bits) = (studies(&mut chance), chance.below(8) * chance.below(2));
        let most = 1 + u32::try_from(chance.below(3)).unwrap();
        let day = Day { studies: &all, drawn: scope_of(bits), most, seen: RefCell::default(), answers: 0 };
        let inside = all.iter().filter(|one| one.is_inside(&day.drawn)).count();
        let find = Ask::Find(data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "")]));
        let (found, shown) = day.run(std::slice::from_ref(&find), seed);
        let fits = inside <= most as usize;
        assert_eq!(shown.len(), inside.min(most as usize), "seed {seed}");
        assert_eq!(statuses(&found.requestor).last(), Some(&if fits { 0 } else { 0xA700 }), "seed {seed}");
        assert_eq!(cancels(&found), usize::from(!fits), "seed {seed}");
        assert_eq!(found.records.last().unwrap().contains("too-many-patients"), !fits, "seed {seed}");

        let mut asks = retrievals(&all, &mut chance);
        for one in &all {
            let uid = one.uid.as_str();
            asks.push(Ask::Find(data_set(&[(LEVEL, "SERIES"), (STUDY_INSTANCE_UID, uid), (SERIES, "")])));
        }
        let (told, later) = day.run(&asks, seed);
        let everybody: BTreeSet<Patient> = shown.union(&later).map(|uid| whose(uid)).collect();
        assert!(everybody.is_subset(&day.seen.borrow()), "seed {seed}: {everybody:?}");
        assert!(everybody.len() <= most as usize, "seed {seed}");
        // Whom it has seen it goes on to see.
        assert!(shown.is_subset(&later) || inside == 0, "seed {seed}: {shown:?} {later:?}");
        let finals = statuses(&told.requestor).into_iter().filter(|status| *status != 0xFF00).count();
        assert_eq!(finals, asks.len(), "seed {seed}");
    }
}

#[test]
fn an_answer_of_one_too_many_counts_nobody() {
    let studies = [study(1, "LYON"), study(2, "LYON"), study(3, "LYON")];
    // The last looks up the study of each answer first.
    let asked = [
        (0, data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "")])),
        (1, data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "")])),
        (1, data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, ""), (ISSUER, "LYON")])),
    ];
    for (seed, (bits, find)) in (0..20).flat_map(|seed| asked.iter().map(move |asked| (seed, asked))) {
        let drawn = scope_of(*bits);
        let day = Day { studies: &studies, drawn, most: 9, seen: RefCell::default(), answers: 2 };
        let (story, shown) = day.run(&[Ask::Find(find.clone())], seed);
        assert_eq!(statuses(&story.requestor), [0xFF00, 0xFF00, 0xA700], "seed {seed}");
        assert_eq!((cancels(&story), shown.len()), (1, 2), "seed {seed}");
        assert!(
            story.records.last().unwrap().contains("too-many-answers"),
            "seed {seed}: {:?}",
            story.records
        );
        assert_eq!(day.seen.borrow().len(), 2, "seed {seed}: the third was counted, whom nobody was shown");
    }
}

/// Of a user through a peer that counts nobody: whose first role counts, and who has another one.
fn with_another(change: impl FnOnce(&mut Role)) -> Terms {
    let mut terms = limited(Scope::counting_patients(None), 1);
    let few = terms.grant.peer.role.clone();
    let open = |role: &Role| Role { queries: Queries::default(), ..role.clone() };
    let mut other = open(&few);
    change(&mut other);
    terms.grant.rights = Allowed::of_both(Arc::new(open(&few)), vec![few, Arc::new(other)]);
    terms
}

#[test]
fn who_has_a_role_that_counts_nobody_is_refused_nothing_by_another_that_does() {
    let studies = [study(1, "LYON"), study(2, "LYON")];
    let asks = [
        Ask::Find(data_set(&[(LEVEL, "PATIENT"), (ISSUER, "LY*")])),
        Ask::Find(data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "")])),
        Ask::Get(data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.1")])),
        Ask::Get(data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.2")])),
    ];
    let run = |terms: Terms, seed| {
        let mut requestor = Requestor::new(&asks, Leaves::Requestor, 1_000);
        let moved = RefCell::default();
        let (gives, getting) = (VecDeque::new(), None);
        let mut archive =
            Careless { studies: &studies, moved: &moved, gives, getting, fragment: 1_000, echoes: false };
        Simulation::new(terms, [&mut requestor, &mut archive], seed).run()
    };
    for seed in 0..50 {
        // Nothing is looked up or counted, which would fail here.
        let story = run(with_another(|_| {}), seed);
        let finals = statuses(&story.requestor).into_iter().filter(|status| *status < 0xFF00);
        assert_eq!(finals.collect::<Vec<_>>(), [0, 0, 0, 0], "seed {seed}");
        let shown = values(&data_sets(&story.requestor), STUDY_INSTANCE_UID);
        assert!(["1.2.1", "1.2.2"].iter().all(|uid| shown.contains(*uid)), "seed {seed}: {shown:?}");
        // One that does not let retrievals pass, or judges what is asked, frees none of that.
        let no_gets = with_another(|role| role.operations.retain(|one| *one != Operation::CGet));
        assert_eq!(statuses(&run(no_gets, seed).requestor).last(), Some(&0xA701), "seed {seed}");
        let levels = |role: &mut Role| role.queries.levels = Some(vec![QueryLevel::Study]);
        assert_eq!(
            statuses(&run(with_another(levels), seed).requestor).first(),
            Some(&0x0124),
            "seed {seed}"
        );
    }
}

#[test]
fn a_retrieval_of_one_too_many_never_reaches_the_archive() {
    let studies = [study(1, "LYON"), study(2, "LYON")];
    let day = || Day { studies: &studies, drawn: scope_of(0), most: 1, seen: RefCell::default(), answers: 0 };
    let both = data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.1\\1.2.2")]);
    let one = data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.1")]);
    let asks = [Ask::Move(both.clone()), Ask::Get(both), Ask::Move(one)];
    for seed in 0..50 {
        let (story, shown) = day().run(&asks, seed);
        assert_eq!(statuses(&story.requestor), [0xA702, 0xA702, 0], "seed {seed}");
        assert_eq!(shown, ["1.2.1".to_owned()].into());
        assert!(story.records[..2].iter().all(|record| record.contains("Some(\"too-many-patients\") true")));
    }
}

#[test]
fn a_query_that_may_not_be_asked_never_reaches_the_archive_and_a_retrieval_does() {
    let studies = [study(1, "LYON")];
    let find = |level| Ask::Find(data_set(&[(LEVEL, level), (STUDY_INSTANCE_UID, "1.2.1"), (SERIES, "")]));
    let get = Ask::Get(data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.1")]));
    let asks = [find("STUDY"), find("SERIES"), find("PATIENT"), get];
    for seed in 0..50 {
        let mut terms = limited(Scope::counting_patients(None), 9);
        terms.queries = Some(Box::new(|most| {
            assert_eq!(most, [NonZeroU32::new(9), None]);
            false
        }));
        let mut requestor = Requestor::new(&asks, Leaves::Requestor, 1_000);
        let moved = RefCell::default();
        let (gives, getting) = (VecDeque::new(), None);
        let mut archive =
            Careless { studies: &studies, moved: &moved, gives, getting, fragment: 1_000, echoes: false };
        let mut simulation = Simulation::new(terms, [&mut requestor, &mut archive], seed);
        simulation.counted = Box::new(|count| {
            assert!(!count.of_query);
            LookedUp::Inside
        });
        let story = simulation.run();
        assert_eq!(statuses(&story.requestor), [0xA700, 0xA700, 0xA700, 0], "seed {seed}");
        assert!(story.records[..3].iter().all(|record| record.contains("Some(\"too-many-patients\") true")));
    }
}

#[test]
fn a_query_under_way_tells_by_its_end_no_more_once_none_may_be_asked() {
    let studies = [study(1, "LYON"), study(2, "LYON")];
    let find = data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "")]);
    for (seed, (asked_before, is_guarded)) in
        (0..50).flat_map(|seed| [(1, false), (1, true), (2, false), (2, true)].map(|how| (seed, how)))
    {
        let mut terms = limited(Scope::counting_patients(None), 9);
        if is_guarded {
            let mut role = (*terms.grant.peer.role).clone();
            role.queries.max_answers = NonZeroU32::new(9);
            terms.grant.rights = Allowed::of_peer(role.into());
        }
        // Before the query goes on it may be asked; another association then has the tenth end of that day.
        let times = AtomicU32::new(0);
        terms.queries = Some(Box::new(move |_| times.fetch_add(1, Ordering::Relaxed) < asked_before));
        let asks = [Ask::Find(find.clone())];
        let mut requestor = Requestor::new(&asks, Leaves::Requestor, 1_000);
        let moved = RefCell::default();
        let (gives, getting) = (VecDeque::new(), None);
        let mut archive =
            Careless { studies: &studies, moved: &moved, gives, getting, fragment: 1_000, echoes: false };
        let mut simulation = Simulation::new(terms, [&mut requestor, &mut archive], seed);
        simulation.counted = Box::new(|_| LookedUp::Inside);
        let story = simulation.run();
        let last = if asked_before == 1 { 0xA700 } else { 0 };
        assert_eq!(statuses(&story.requestor), [0xFF00, 0xFF00, last], "seed {seed}");
        let record = story.records.last().unwrap();
        assert_eq!(record.contains("Some(\"too-many-patients\") true"), last != 0, "seed {seed}: {record}");
        assert_eq!(cancels(&story), 0, "seed {seed}");
    }
}

#[test]
fn where_nobody_can_count_nobody_is_shown() {
    let studies = [study(1, "LYON"), study(2, "LYON")];
    let find = |level, uid| Ask::Find(data_set(&[(LEVEL, level), (STUDY_INSTANCE_UID, uid), (SERIES, "")]));
    let get = data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.1")]);
    // That of patients has nothing by which one could be told from another, and that by several issuers could be told what it wants to hear.
    let patients = [
        Ask::Find(data_set(&[(LEVEL, "PATIENT")])),
        Ask::Find(data_set(&[(LEVEL, "PATIENT"), (ISSUER, "LY*")])),
    ];
    let [unnamed, told] = patients;
    let asks =
        [find("STUDY", ""), find("SERIES", "1.2.1"), Ask::Move(get.clone()), Ask::Get(get), unnamed, told];
    for seed in 0..50 {
        let terms = limited(Scope::counting_patients(None), 9);
        let mut requestor = Requestor::new(&asks, Leaves::Requestor, 1_000);
        let moved = RefCell::default();
        let (gives, getting) = (VecDeque::new(), None);
        let mut archive =
            Careless { studies: &studies, moved: &moved, gives, getting, fragment: 1_000, echoes: false };
        let story = Simulation::new(terms, [&mut requestor, &mut archive], seed).run();
        assert_eq!(statuses(&story.requestor), [0xA700, 0xA700, 0xA701, 0xA701, 0, 0x0124], "seed {seed}");
        assert_eq!((data_sets(&story.requestor).len(), moved.borrow().len()), (0, 0), "seed {seed}");
        assert_eq!(
            story.records.iter().filter(|record| record.contains("patients-not-counted")).count(),
            4,
            "seed {seed}: {:?}",
            story.records
        );
    }
}
