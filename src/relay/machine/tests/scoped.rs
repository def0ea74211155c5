//! A peer that may see some studies only, and an archive that keeps nothing from whoever asks by a UID.

mod counted;
mod instances;

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::super::{Below, LookUp, LookedUp, Terms};
use super::peers::{Ask, Leaves, Peer, Requestor};
use super::simulation::{Chance, Simulation, Story, terms};
use super::wire::{CT, Heard, context_of, message, release_rp, request, response};
use super::{data_sets, statuses};
use crate::dataset::{Encoding, STUDY_INSTANCE_UID, Small, Syntax, Tag, write_text};
use crate::dimse::{Command, CommandField, Operation, Status};
use crate::policy::scope::{Attribute, Condition};
use crate::policy::{Peer as Rights, Rights as Allowed, Role, Scope};

const LEVEL: Tag = Tag(0x0008, 0x0052);
const SERIES: Tag = Tag(0x0020, 0x000E);
const DATE: Tag = Tag(0x0008, 0x0020);
const MODALITIES: Tag = Tag(0x0008, 0x0061);
const ISSUER: Tag = Tag(0x0010, 0x0021);
const EXPLICIT: Encoding = Encoding { syntax: Syntax::EXPLICIT_LE, deflated: false };

fn data_set(elements: &[(Tag, &str)]) -> Vec<u8> {
    let mut elements = elements.to_vec();
    elements.sort_unstable();
    let mut bytes = Vec::new();
    elements.iter().for_each(|(tag, value)| write_text(&mut bytes, EXPLICIT.syntax, *tag, value.as_bytes()));
    bytes
}

/// One object of one series.
#[derive(Clone, Debug)]
struct Study {
    uid: String,
    series: String,
    issuer: &'static str,
    date: &'static str,
    modalities: &'static str,
    /// What its object says of the issuer, where it is something else.
    claims: Option<&'static str>,
}

impl Study {
    fn instance(&self) -> String {
        format!("{}.1", self.series)
    }

    fn object(&self, pixels: usize) -> Vec<u8> {
        let instance = self.instance();
        let mut object = data_set(&[
            (Tag(0x0008, 0x0016), CT),
            (Tag(0x0008, 0x0018), &instance),
            (DATE, self.date),
            (ISSUER, self.claims.unwrap_or(self.issuer)),
            (STUDY_INSTANCE_UID, &self.uid),
            (SERIES, &self.series),
        ]);
        let length = u32::try_from(pixels).unwrap().to_le_bytes();
        object.extend([&[0xE0, 0x7F, 0x10, 0, b'O', b'W', 0, 0][..], &length, &vec![7; pixels]].concat());
        object
    }

    fn says(&self, tag: Tag) -> Option<&str> {
        Some(match tag {
            DATE => self.date,
            MODALITIES => self.modalities,
            ISSUER => self.issuer,
            STUDY_INSTANCE_UID => &self.uid,
            SERIES => &self.series,
            _ => return None,
        })
    }

    /// By hand, and not by what is tested.
    fn is_inside(&self, drawn: &Drawn) -> bool {
        (!drawn.speaks_of(OF_ISSUER) || self.issuer == "LYON")
            && (!drawn.speaks_of(OF_DATE) || WITHIN.contains(&self.date))
            && (!drawn.speaks_of(OF_MODALITIES) || self.modalities.split('\\').any(|one| one == "CT"))
    }
}

/// The days that [`studies`] have and that are at most 30 days ago, on the day of the machine's terms: 2026-01-01.
const WITHIN: [&str; 2] = ["20260101", "20251215"];

fn studies(chance: &mut Chance) -> Vec<Study> {
    (0..2 + chance.below(3))
        .map(|number| Study {
            uid: format!("1.2.{number}"),
            series: format!("1.2.{number}.7"),
            issuer: ["LYON", "PARIS", ""][chance.below(3)],
            date: [WITHIN[0], WITHIN[1], "20251130", "20200101", ""][chance.below(5)],
            modalities: ["CT", "SR\\CT", "SR\\MR", "US"][chance.below(4)],
            claims: [None, None, None, Some("PARIS")][chance.below(4)],
        })
        .collect()
}

/// A scope, and of what it speaks.
struct Drawn {
    scope: Scope,
    bits: usize,
}

const OF_ISSUER: usize = 0;
const OF_DATE: usize = 1;
const OF_MODALITIES: usize = 2;

impl Drawn {
    fn speaks_of(&self, bit: usize) -> bool {
        self.bits >> bit & 1 == 1
    }
}

fn a_scope(chance: &mut Chance) -> Drawn {
    scope_of(1 + chance.below(7))
}

fn scope_of(bits: usize) -> Drawn {
    let of = |attribute, value: &str| Condition::one_of(attribute, vec![value.into()]);
    let all = [
        of(Attribute::IssuerOfPatientId, "LYON"),
        Condition::newer_than(Attribute::StudyDate, 30),
        of(Attribute::ModalitiesInStudy, "CT"),
    ];
    let chosen = all.into_iter().zip(0..).filter(|(_, bit)| bits >> bit & 1 == 1);
    Drawn { scope: Scope::new(chosen.map(|(condition, _)| condition).collect(), Duration::ZERO), bits }
}

fn scoped(scope: Scope) -> Terms {
    let mut terms = terms(None);
    let mut role = Role { ..(*terms.grant.peer.role).clone() };
    role.operations.extend([Operation::CMove, Operation::NGet, Operation::NAction]);
    let role = Arc::new(role);
    terms.grant.rights = Allowed::of_peer(role.clone());
    terms.grant.peer = Arc::new(Rights { role, scope: Some(Arc::new(scope)), ..(*terms.grant.peer).clone() });
    terms
}

/// As some archives do, it takes the UID of the level alone for what is retrieved.
struct Careless<'l> {
    studies: &'l [Study],
    moved: &'l RefCell<Vec<String>>,
    gives: VecDeque<Study>,
    getting: Option<(u8, Command)>,
    fragment: usize,
    /// It says again what it was told of an attribute that it does not know.
    echoes: bool,
}

impl Careless<'_> {
    fn found(&self, asked: &Small<'_>) -> Vec<Vec<u8>> {
        let wants = |tag| asked.value(tag).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
        let (study, level) = (wants(STUDY_INSTANCE_UID), asked.value(LEVEL).unwrap().to_vec());
        let matching =
            self.studies.iter().filter(|one| study.as_ref().is_none_or(|uid| one.uid.as_bytes() == uid));
        matching
            .map(|one| {
                let mut said = vec![(LEVEL, String::from_utf8(level.clone()).unwrap())];
                for tag in [DATE, MODALITIES, ISSUER, STUDY_INSTANCE_UID, SERIES] {
                    let told = wants(tag).and_then(|told| String::from_utf8(told).ok());
                    let value = told.filter(|_| self.echoes).or(one.says(tag).map(str::to_owned));
                    said.extend(value.filter(|_| asked.has(tag)).map(|value| (tag, value)));
                }
                data_set(&said.iter().map(|(tag, value)| (*tag, value.as_str())).collect::<Vec<_>>())
            })
            .collect()
    }

    fn named(&self, asked: &Small<'_>) -> VecDeque<Study> {
        let (tag, of): (_, fn(&Study) -> String) = match asked.value(LEVEL) {
            Some(b"STUDY") => (STUDY_INSTANCE_UID, |one| one.uid.clone()),
            Some(b"SERIES") => (SERIES, |one| one.series.clone()),
            _ => (Tag(0x0008, 0x0018), Study::instance),
        };
        let wanted = String::from_utf8(asked.value(tag).unwrap_or_default().to_vec()).unwrap();
        let wanted: Vec<&str> = wanted.split('\\').collect();
        self.studies.iter().filter(|one| wanted.contains(&of(one).as_str())).cloned().collect()
    }

    fn give_next(&mut self, out: &mut Vec<u8>) {
        let Some((context_id, getting)) = self.getting.take() else { return };
        match self.gives.pop_front() {
            Some(study) => {
                let number = 900 + u16::try_from(self.gives.len()).unwrap();
                let command = request(Operation::CStore, CT, number, Some(&study.instance()));
                out.extend(message(context_of(CT), &command, Some(&study.object(3_000)), self.fragment));
                self.getting = Some((context_id, getting));
            }
            None => {
                out.extend(message(context_id, &response(&getting, Status::SUCCESS, false), None, 0));
            }
        }
    }
}

impl Peer for Careless<'_> {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn hear(&mut self, heard: &Heard, out: &mut Vec<u8>) {
        let Heard::Message { context_id, command, data } = heard else {
            return if *heard == Heard::ReleaseRq {
                out.extend(release_rp())
            };
        };
        let command = Command::parse(command.clone()).unwrap();
        let asked = data.as_deref().map(|data| Small::read(EXPLICIT, data).expect("an identifier"));
        match command.field {
            CommandField::Response { .. } => self.give_next(out),
            CommandField::Request { operation: Operation::CFind, .. } => {
                for answer in self.found(&asked.unwrap()) {
                    let pending = response(&command, Status(0xFF00), true);
                    out.extend(message(*context_id, &pending, Some(&answer), self.fragment));
                }
                out.extend(message(*context_id, &response(&command, Status::SUCCESS, false), None, 0));
            }
            CommandField::Request { operation: Operation::CGet, .. } => {
                self.gives = self.named(&asked.unwrap());
                self.getting = Some((*context_id, command));
                self.give_next(out);
            }
            CommandField::Request { operation: Operation::CMove, .. } => {
                self.moved.borrow_mut().extend(self.named(&asked.unwrap()).into_iter().map(|one| one.uid));
                out.extend(message(*context_id, &response(&command, Status::SUCCESS, false), None, 0));
            }
            CommandField::Cancel { .. } => {}
            other => panic!("{other:?} for an archive"),
        }
    }
}

/// What dimsegate's own questions would bring.
fn looked_up(studies: &[Study], scope: &Drawn, asked: &LookUp) -> LookedUp {
    let of = |uid: &String| studies.iter().find(|one| one.uid == *uid);
    if let Some(Below::Alone(instances)) = &asked.below {
        let is_inside =
            |uid: &String| studies.iter().any(|one| one.instance() == *uid && one.is_inside(scope));
        return if instances.iter().all(is_inside) { LookedUp::Inside } else { LookedUp::Outside };
    }
    let inside = asked.studies.iter().all(|uid| of(uid).is_some_and(|one| one.is_inside(scope)));
    let known = |uid: &String| of(uid).map(|one| (one.series.clone(), one.instance()));
    let below = match (&asked.below, asked.studies.first().and_then(known)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(Below::Series(all)), Some((series, _))) => all.iter().all(|one| *one == series),
        (Some(Below::Instances { series: named, instances }), Some((series, instance))) => {
            *named == series && instances.iter().all(|one| *one == instance)
        }
        (Some(Below::Alone(_)), _) => false,
    };
    if inside && below { LookedUp::Inside } else { LookedUp::Outside }
}

struct Learned {
    story: Story,
    moved: Vec<String>,
}

fn run(studies: &[Study], scope: &Drawn, asks: &[Ask], seed: u64, echoes: bool) -> Learned {
    let mut chance = Chance(seed ^ 0x5C0F);
    let mut fragment = || [30, 1_000, 16_000][chance.below(3)];
    let mut requestor = Requestor::new(asks, Leaves::Requestor, fragment());
    let moved = RefCell::default();
    let (gives, getting) = (VecDeque::new(), None);
    let mut archive = Careless { studies, moved: &moved, gives, getting, fragment: fragment(), echoes };
    let mut simulation = Simulation::new(scoped(scope.scope.clone()), [&mut requestor, &mut archive], seed);
    simulation.looked_up = Box::new(|asked| looked_up(studies, scope, asked));
    let story = simulation.run();
    Learned { story, moved: moved.into_inner() }
}

fn values(data: &[&[u8]], tag: Tag) -> BTreeSet<String> {
    let value = |data: &[u8]| Small::read(EXPLICIT, data)?.value(tag).map(<[u8]>::to_vec);
    data.iter().filter_map(|data| value(data)).map(|value| String::from_utf8(value).unwrap()).collect()
}

/// Everything that somebody could name of these studies, rightly or not.
fn retrievals(studies: &[Study], chance: &mut Chance) -> Vec<Ask> {
    let mut asks = Vec::new();
    for one in studies {
        let other = &studies[chance.below(studies.len())];
        let (instance, both) = (one.instance(), format!("{}\\{}", other.uid, one.uid));
        let named = [
            data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, &one.uid)]),
            data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, &both)]),
            data_set(&[(LEVEL, "SERIES"), (STUDY_INSTANCE_UID, &other.uid), (SERIES, &one.series)]),
            data_set(&[
                (LEVEL, "IMAGE"),
                (STUDY_INSTANCE_UID, &other.uid),
                (SERIES, &other.series),
                (Tag(0x0008, 0x0018), &instance),
            ]),
            data_set(&[(LEVEL, "SERIES"), (SERIES, &one.series)]),
        ];
        for data in named {
            asks.extend([Ask::Move(data.clone()), Ask::Get(data)]);
        }
    }
    asks
}

#[test]
fn what_queries_withhold_cannot_be_retrieved() {
    let (mut shown, mut withheld, mut retrieved) = (0, 0, 0);
    for seed in 0..400 {
        let mut chance = Chance(seed);
        let (studies, scope) = (studies(&mut chance), a_scope(&mut chance));
        let echoes = chance.below(3) == 0;
        let told = if echoes { "LYON" } else { ["", "LYON", "PARIS"][chance.below(3)] };
        let all = Ask::Find(data_set(&[(LEVEL, "STUDY"), (ISSUER, told), (STUDY_INSTANCE_UID, "")]));
        let seen = run(&studies, &scope, std::slice::from_ref(&all), seed, echoes);
        let answers = data_sets(&seen.story.requestor);
        let visible = values(&answers, STUDY_INSTANCE_UID);
        let inside: BTreeSet<String> =
            studies.iter().filter(|one| one.is_inside(&scope)).map(|one| one.uid.clone()).collect();
        assert_eq!(visible, inside, "seed {seed}: {}", scope.scope);
        shown += inside.len();
        withheld += studies.len() - inside.len();
        // Nobody asked for these.
        let unasked = answers.iter().filter_map(|data| Small::read(EXPLICIT, data));
        assert!(
            unasked.into_iter().all(|answer| !answer.has(DATE) && !answer.has(MODALITIES)),
            "seed {seed}"
        );
        assert_eq!(statuses(&seen.story.requestor).last(), Some(&0), "seed {seed}");

        let asks = retrievals(&studies, &mut chance);
        let told = run(&studies, &scope, &asks, seed, echoes);
        let got = data_sets(&told.story.requestor);
        for (what, study) in values(&got, STUDY_INSTANCE_UID)
            .iter()
            .map(|uid| ("got", uid))
            .chain(told.moved.iter().map(|uid| ("moved", uid)))
        {
            assert!(visible.contains(study), "seed {seed}: {what} {study} by {}, {studies:?}", scope.scope);
            retrieved += 1;
        }
        // Each has its final status.
        let finals = statuses(&told.story.requestor).len();
        assert_eq!(finals, asks.len(), "seed {seed}");
    }
    assert!(shown > 100 && withheld > 100 && retrieved > 100, "{shown}, {withheld}, {retrieved}");
}

#[test]
fn series_are_found_in_studies_that_are_seen_only() {
    let (mut shown, mut withheld) = (0, 0);
    for seed in 0..100 {
        let mut chance = Chance(seed);
        let (studies, scope) = (studies(&mut chance), a_scope(&mut chance));
        for one in &studies {
            let keys = [(LEVEL, "SERIES"), (STUDY_INSTANCE_UID, one.uid.as_str()), (SERIES, "")];
            let told = run(&studies, &scope, &[Ask::Find(data_set(&keys))], seed, false).story;
            let found = values(&data_sets(&told.requestor), SERIES);
            let is_inside = one.is_inside(&scope);
            assert_eq!(found.contains(&one.series), is_inside, "seed {seed}: {} {one:?}", scope.scope);
            assert_eq!(found.len(), usize::from(is_inside));
            assert_eq!(statuses(&told.requestor).last(), Some(&0));
            if is_inside { shown += 1 } else { withheld += 1 }
        }
    }
    assert!(shown > 50 && withheld > 50, "{shown}, {withheld}");
}

fn study(number: u32, issuer: &'static str) -> Study {
    let (uid, series) = (format!("1.2.{number}"), format!("1.2.{number}.7"));
    Study { uid, series, issuer, date: "20260101", modalities: "CT", claims: None }
}

fn of_lyon() -> Drawn {
    scope_of(1 << OF_ISSUER)
}

#[test]
fn an_unknown_study_and_one_outside_have_the_same_answer() {
    let studies = [study(1, "LYON"), study(2, "PARIS")];
    let answers = |uid: &str, level: &str| {
        let keys = data_set(&[(LEVEL, level), (STUDY_INSTANCE_UID, uid)]);
        let asks = [Ask::Move(keys.clone()), Ask::Get(keys.clone()), Ask::Find(keys)];
        run(&studies, &of_lyon(), &asks, 1, false).story.requestor
    };
    for level in ["STUDY", "SERIES"] {
        assert_eq!(answers("1.2.2", level), answers("1.2.9", level), "{level}");
    }
    assert_eq!(statuses(&answers("1.2.2", "STUDY"))[..2], [0x0124, 0x0124]);
}

#[test]
fn an_object_that_says_otherwise_than_its_archive_is_refused() {
    let studies = [Study { claims: Some("PARIS"), ..study(1, "LYON") }];
    let get = Ask::Get(data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, "1.2.1")]));
    for seed in 0..50 {
        let told = run(&studies, &of_lyon(), std::slice::from_ref(&get), seed, false).story;
        assert_eq!(data_sets(&told.requestor).len(), 0, "seed {seed}");
        assert_eq!(statuses(&told.archive), [0x0124]);
        let refused =
            "ToPeer C-STORE 900 Some(\"1.2.1.7.1\") None None 0 bytes Some(292) Some(\"outside-scope\") true";
        assert_eq!(told.records[0], refused);
    }
}

#[test]
fn whatever_cannot_be_judged_never_reaches_the_archive() {
    let studies = [study(1, "LYON")];
    let long = data_set(&[(LEVEL, "STUDY"), (STUDY_INSTANCE_UID, &"1.2.1\\".repeat(9_000))]);
    let twice =
        [data_set(&[(STUDY_INSTANCE_UID, "1.2.1")]), data_set(&[(STUDY_INSTANCE_UID, "1.2.2")])].concat();
    let twice = [data_set(&[(LEVEL, "STUDY")]), twice].concat();
    let asks = [
        Ask::Get(data_set(&[(LEVEL, "PATIENT")])),
        Ask::Find(data_set(&[(LEVEL, "IMAGE")])),
        Ask::Get(twice),
        Ask::Get(vec![7; 70_000]),
        Ask::Move(long),
    ];
    for seed in 0..50 {
        let told = run(&studies, &of_lyon(), &asks, seed, false);
        assert_eq!(statuses(&told.story.requestor), [0x0124; 5]);
        assert_eq!(told.story.archive, [Heard::ReleaseRq]);
        assert!(told.story.records.iter().all(|record| record.ends_with("Some(\"outside-scope\") true")));
        // What was read of them is in the records, also of those that are too long.
        assert!(
            told.story.records.iter().all(|record| !record.contains(" 0 bytes ")),
            "{:?}",
            told.story.records
        );
    }
}

#[test]
fn patients_of_an_issuer_are_found_by_what_the_archive_holds_and_not_by_what_it_is_told() {
    for seed in 0..100 {
        let all = studies(&mut Chance(seed));
        let of = |issuer: &str| Ask::Find(data_set(&[(LEVEL, "PATIENT"), (ISSUER, issuer)]));
        let learned = run(&all, &scope_of(1), &[of("LYON"), of("PARIS"), of("L*")], seed, true);
        let lyon = all.iter().filter(|one| one.issuer == "LYON").count();
        let shown = data_sets(&learned.story.requestor);
        assert_eq!((shown.len(), values(&shown, ISSUER).len()), (lyon, lyon.min(1)), "seed {seed}");
        assert!(values(&shown, ISSUER).iter().all(|issuer| issuer == "LYON"), "seed {seed}");
        let finals = statuses(&learned.story.requestor).into_iter().filter(|status| *status != 0xFF00);
        assert_eq!(finals.collect::<Vec<_>>(), [0, 0, 0x0124], "seed {seed}");
    }
}
