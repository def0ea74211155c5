//! Pseudonyms that are known, and those that are made, as a crosswalk hears of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::support::*;
use crate::dataset::{PATIENT_ID, Tag};
use crate::rewrite::{
    Correspondence, Correspondences, Kind, Output, ProfileOption, ProfileSpec, RewriteProblem, RuleSpec,
    Ruleset, RulesetSpec, Subject, Transform, Unavailable, Way,
};

const NAME: Kind = Kind::OfPatient(Tag(0x0010, 0x0010));
const ACCESSION: Kind = Kind::Value(Tag(0x0008, 0x0050));
const ID: Kind = Kind::Value(PATIENT_ID);

#[derive(Default)]
struct Memory {
    all: Mutex<HashMap<(Kind, Vec<u8>), Correspondence>>,
    broken: bool,
}

impl Memory {
    /// All of them PID-1's.
    fn of(all: &[(Kind, &str, &str)]) -> Arc<Self> {
        Self::of_patient(Some("PID-1"), all)
    }

    fn of_patient(patient: Option<&str>, all: &[(Kind, &str, &str)]) -> Arc<Self> {
        let memory = Self::default();
        for (kind, real, pseudonym) in all {
            let (real, pseudonym) = (real.as_bytes().to_vec(), pseudonym.as_bytes().to_vec());
            let patient = patient.map(|patient| patient.as_bytes().to_vec());
            let one = Correspondence { kind: *kind, real: real.clone(), pseudonym, patient, written: None };
            memory.all.lock().unwrap().insert((*kind, real), one);
        }
        Arc::new(memory)
    }
}

impl Correspondences for Memory {
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        let all = self.all.lock().unwrap();
        let found = all.get(&(kind, real.to_vec())).filter(|_| kind.leads_forward());
        if self.broken { Err(Unavailable) } else { Ok(found.map(|one| one.pseudonym.clone())) }
    }

    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        let all = self.all.lock().unwrap();
        let mut found =
            all.values().filter(|one| one.kind.name_space() == kind && one.pseudonym == pseudonym);
        if self.broken { Err(Unavailable) } else { Ok(found.next().cloned()) }
    }
}

fn rules() -> Vec<RuleSpec> {
    vec![
        rule("SOPInstanceUID", "uid"),
        rule("StudyInstanceUID", "uid"),
        rule("ReferencedSOPInstanceUID", "uid"),
        rule("AccessionNumber", "pseudonym"),
        rule_with("PatientName", "replace", "ANON^{pseudonym}"),
        rule_with("PatientID", "replace", "{pseudonym}"),
    ]
}

fn image(study: &str) -> Vec<u8> {
    let referenced = |uid| Data::new(LE).text((8, 0x1150), b"UI", CLASS).text((8, 0x1155), b"UI", uid);
    let data = Data::image(LE).text((8, 0x50), b"SH", "A-1");
    let data = data.sequence((8, 0x1140), true, &[referenced(INSTANCE), referenced("1.2.9")]);
    let data = data.text((0x10, 0x10), b"PN", "DOE^JANE").text((0x10, 0x20), b"LO", "PID-1");
    data.text((0x20, 0xD), b"UI", study).bytes
}

fn with(memory: &Arc<Memory>) -> Transform {
    transform(&rules(), LE).with_crosswalk(memory.clone())
}

/// As (kind, real value, pseudonym), sorted; all of them the patient's.
fn made(transform: &mut Transform) -> Vec<(Kind, String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let all = transform.take_correspondences().into_iter().map(|one| {
        assert_eq!(one.patient.as_deref(), Some(&b"PID-1"[..]), "{one:?}");
        (one.kind, text(&one.real), text(&one.pseudonym))
    });
    let mut all: Vec<_> = all.collect();
    all.sort();
    all
}

#[test]
fn what_is_made_is_told_once_with_its_patient() {
    let nothing = Memory::of(&[]);
    let (without, _) = run_in(transform(&rules(), LE), &image("1.2.3.5"), &[7]).unwrap();
    for sizes in [&[usize::MAX][..], &[1], &[5, 90]] {
        let (sent, mut transform) = run_in(with(&nothing), &image("1.2.3.5"), sizes).unwrap();
        assert_eq!(sent, without, "nothing known changes nothing");
        let made = made(&mut transform);
        let reals: Vec<_> = made.iter().map(|(kind, real, _)| (*kind, real.as_str())).collect();
        let wanted = [
            (Kind::Uid, INSTANCE),
            (Kind::Uid, "1.2.3.5"),
            (Kind::Uid, "1.2.9"),
            (ACCESSION, "A-1"),
            (ID, "PID-1"),
            (NAME, "DOE^JANE"),
            (Kind::Patient, "PID-1"),
        ];
        assert_eq!(reals, wanted);
        let holds = |text: &str| sent.windows(text.len()).any(|window| window == text.as_bytes());
        for (kind, _, pseudonym) in &made {
            assert!(holds(pseudonym) || *kind == Kind::Patient && holds(&pseudonym[..16]), "{kind:?}");
        }
        assert_eq!(transform.take_correspondences(), []);
    }
    let (_, mut forgetful) = run_in(transform(&rules(), LE), &image("1.2.3.5"), &[7]).unwrap();
    assert_eq!(forgetful.take_correspondences(), []);
}

#[test]
fn what_is_known_is_used_and_not_told_again() {
    let digits = "F".repeat(64);
    let memory = Memory::of(&[
        (Kind::Uid, INSTANCE, "2.25.1"),
        (Kind::Uid, "1.2.9", "1.2.9"),
        (ACCESSION, "A-1", "OLD-CODE"),
        (Kind::Patient, "PID-1", &digits),
        (ID, "PID-1", "PATIENT-7"),
    ]);
    let (sent, mut transform) = run_in(with(&memory), &image("1.2.3.5"), &[3]).unwrap();
    let holds = |text: &str| sent.windows(text.len()).any(|window| window == text.as_bytes());
    for known in ["2.25.1", "1.2.9", "OLD-CODE", "PATIENT-7", &format!("ANON^{}", &digits[..16])] {
        assert!(holds(known), "{known}");
    }
    let made = made(&mut transform);
    let kinds: Vec<_> = made.iter().map(|(kind, real, _)| (*kind, real.as_str())).collect();
    assert_eq!(kinds, [(Kind::Uid, "1.2.3.5"), (NAME, "DOE^JANE")]);
    let known: &dyn Correspondences = &*memory;
    let rules = ruleset(&rules());
    assert_eq!(rules.map_known_sop_instance_uid(INSTANCE, Some(known)).unwrap(), "2.25.1");
    let new = rules.map_known_sop_instance_uid("1.2.77", Some(known)).unwrap();
    assert_eq!(new, rules.map_sop_instance_uid("1.2.77"));
}

#[test]
fn what_is_known_of_nobody_becomes_the_patients() {
    let uids = [(Kind::Uid, INSTANCE, "2.25.1"), (Kind::Uid, "1.2.9", "1.2.9"), (ACCESSION, "A-1", "CODE")];
    let owned = |(kind, real, pseudonym): (Kind, &str, &str)| (kind, real.to_owned(), pseudonym.to_owned());
    let (sent, mut transform) =
        run_in(with(&Memory::of_patient(None, &uids)), &image("1.2.3.5"), &[usize::MAX]).unwrap();
    let told = made(&mut transform);
    assert!(uids.iter().all(|one| told.contains(&owned(*one))), "{told:?}");
    assert!(uids.iter().all(|(.., pseudonym)| contains(&sent, pseudonym)));
    // Another's stay another's.
    let (_, mut transform) =
        run_in(with(&Memory::of_patient(Some("PID-2"), &uids)), &image("1.2.3.5"), &[usize::MAX]).unwrap();
    let told = made(&mut transform);
    assert!(uids.iter().all(|one| !told.contains(&owned(*one))), "{told:?}");
    // Nor does a data set without a patient know whose they are.
    let nobodys = Data::image(LE).text((8, 0x50), b"SH", "A-1").bytes;
    let rules = [rule("SOPInstanceUID", "uid"), rule("AccessionNumber", "pseudonym")];
    let transform = transform_with(&rules, &Memory::of_patient(None, &uids));
    let (_, mut transform) = run_in(transform, &nobodys, &[usize::MAX]).unwrap();
    assert_eq!(transform.take_correspondences(), []);
}

#[test]
fn on_the_way_back_only_the_senders_own_becomes_the_patients() {
    let rules = [rule("SOPInstanceUID", "uid"), rule("FrameOfReferenceUID", "uid")];
    let uids = [(Kind::OwnUid, "2.25.4", INSTANCE), (Kind::Uid, "1.2.3.5", "2.25.5")];
    let memory = Memory::of_patient(None, &uids);
    let transform = Transform::across(ruleset(&rules), Way::ToReal, Subject::Object(expected()), LE);
    let data = Data::image(LE).text((0x10, 0x20), b"LO", "PID-1").text((0x20, 0x52), b"UI", "2.25.5");
    let (sent, mut transform) = run_in(transform.with_crosswalk(memory), &data.bytes, &[usize::MAX]).unwrap();
    assert!(contains(&sent, "1.2.3.5") && !contains(&sent, "2.25.5"));
    assert_eq!(made(&mut transform), [(Kind::OwnUid, "2.25.4".to_owned(), INSTANCE.to_owned())]);
}

#[test]
fn a_name_is_told_again_when_it_has_changed() {
    let nothing = Memory::of(&[]);
    let (_, mut first) = run_in(with(&nothing), &image("1.2.3.5"), &[usize::MAX]).unwrap();
    let made_first = made(&mut first);
    let borrowed: Vec<_> =
        made_first.iter().map(|(kind, real, new)| (*kind, real.as_str(), new.as_str())).collect();
    let married = image("1.2.3.5").escape_ascii().to_string();
    assert!(married.contains("DOE^JANE"));
    let memory = Memory::of(&borrowed);
    let (_, mut same) = run_in(with(&memory), &image("1.2.3.5"), &[usize::MAX]).unwrap();
    assert_eq!(made(&mut same), []);
    let mut renamed = image("1.2.3.5");
    let at = renamed.windows(8).position(|window| window == b"DOE^JANE").unwrap();
    renamed[at..at + 8].copy_from_slice(b"ROE^JANE");
    let (_, mut renamed) = run_in(with(&memory), &renamed, &[usize::MAX]).unwrap();
    let made = made(&mut renamed);
    assert!(made.len() == 1 && made[0].0 == NAME && made[0].1 == "ROE^JANE", "{made:?}");
}

#[test]
fn the_days_of_a_patient_stay_when_the_secret_changes() {
    let profile = ProfileSpec {
        options: vec![ProfileOption::RetainLongitudinalModifiedDates],
        ..ProfileSpec::default()
    };
    let spec = RulesetSpec { profile: Some(profile), ..spec(&[]) };
    let rules = Arc::new(Ruleset::compile(spec).unwrap());
    let input = Data::image(LE).text((8, 0x20), b"DA", "20240301").text((0x10, 0x20), b"LO", "PID-1").bytes;
    let through = |memory: &Arc<Memory>| {
        let transform = Transform::new(rules.clone(), LE, expected()).with_crosswalk(memory.clone());
        run_in(transform, &input, &[usize::MAX]).unwrap()
    };
    let (sent, mut transform) = through(&Memory::of(&[]));
    let days = made(&mut transform).into_iter().find(|(kind, ..)| *kind == Kind::Days).unwrap();
    assert!(days.1 == "PID-1" && days.2.parse::<i32>().unwrap() != 0 && !contains(&sent, "20240229"));
    let (sent, mut transform) = through(&Memory::of(&[(Kind::Days, "PID-1", "-1")]));
    assert!(contains(&sent, "20240229"));
    assert!(made(&mut transform).iter().all(|(kind, ..)| *kind != Kind::Days));
}

#[test]
fn days_are_told_only_where_dates_move() {
    let patient = rule_with("PatientID", "replace", "{pseudonym}");
    let spec = RulesetSpec { profile: Some(ProfileSpec::default()), ..spec(&[patient]) };
    let input = Data::image(LE).text((8, 0x20), b"DA", "20240301").text((0x10, 0x20), b"LO", "PID-1").bytes;
    let rules = Arc::new(Ruleset::compile(spec).unwrap());
    let transform = Transform::new(rules, LE, expected()).with_crosswalk(Memory::of(&[]));
    let (_, mut transform) = run_in(transform, &input, &[usize::MAX]).unwrap();
    let kinds: Vec<Kind> = made(&mut transform).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, [Kind::Uid, ID, Kind::Patient]);
}

fn contains(sent: &[u8], text: &str) -> bool {
    sent.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_is_made_where_nobody_knows_what_is_known() {
    let broken = Arc::new(Memory { broken: true, ..Memory::default() });
    let error = run_in(with(&broken), &image("1.2.3.5"), &[9]).map(|_| ()).unwrap_err();
    assert_eq!((error.status, error.problem), (0xA700, RewriteProblem::Crosswalk));
    let known: &dyn Correspondences = &*broken;
    assert_eq!(ruleset(&rules()).map_known_sop_instance_uid(INSTANCE, Some(known)), Err(Unavailable));
}

#[test]
fn identifiers_without_end_are_refused_and_taking_them_makes_room() {
    let nothing = Memory::of(&[]);
    let item = |n: u32| Data::new(LE).text((8, 0x1155), b"UI", &format!("1.2.8.{n}"));
    let data = |from: u32| {
        let items: Vec<Data> = (from..from + 40_000).map(item).collect();
        Data::new(LE).sequence((8, 0x1140), false, &items).text((0x20, 0x10), b"SH", "1").bytes
    };
    let head = Data::image(LE).bytes;
    let mut output = Output::new();
    let mut transform = with_uids_only(&nothing);
    transform.push(&head, &mut output).unwrap();
    transform.push(&data(0), &mut output).unwrap();
    assert_eq!(transform.take_correspondences().len(), 40_001);
    let mut transform = with_uids_only(&nothing);
    transform.push(&head, &mut output).unwrap();
    let many: Vec<Data> = (0..70_000).map(item).collect();
    let many = Data::new(LE).sequence((8, 0x1140), false, &many).text((0x20, 0x10), b"SH", "1").bytes;
    let error = transform.push(&many, &mut output).unwrap_err();
    assert_eq!((error.status, error.problem), (0xA700, RewriteProblem::TooManyPseudonyms));
}

fn transform_with(rules: &[RuleSpec], memory: &Arc<Memory>) -> Transform {
    transform(rules, LE).with_crosswalk(memory.clone())
}

fn with_uids_only(memory: &Arc<Memory>) -> Transform {
    transform_with(&[rule("SOPInstanceUID", "uid"), rule("ReferencedSOPInstanceUID", "uid")], memory)
}
