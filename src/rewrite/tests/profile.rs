//! What the profile does beside its table.

use std::sync::Arc;

use proptest::prelude::*;

use super::oracle::parse;
use super::profile_rows::profile;
use super::support::*;
use crate::dataset::{Encoding, Tag};
use crate::rewrite::{
    BurnedIn, Expected, ProfileOption as O, ProfileSpec, RewriteError, RuleSpec, Ruleset, RulesetSpec,
    Transform, canary,
};
use dicom_object::InMemDicomObject;

const EXPLICIT_UID: &str = "1.2.840.10008.1.2.1";

fn with(profile: ProfileSpec, rules: &[RuleSpec]) -> Arc<Ruleset> {
    Arc::new(Ruleset::compile(RulesetSpec { profile: Some(profile), ..spec(rules) }).unwrap())
}

fn sent_by(rules: &Arc<Ruleset>, encoding: Encoding, input: &[u8]) -> Result<Vec<u8>, RewriteError> {
    let transform = || Transform::new(Arc::clone(rules), encoding, expected());
    let whole = run_in(transform(), input, &[usize::MAX]).map(|(sent, _)| sent);
    let bytewise = run_in(transform(), input, &[1]).map(|(sent, _)| sent);
    assert_eq!(whole, bytewise);
    whole
}

fn object(rules: &Arc<Ruleset>, data: &Data) -> InMemDicomObject {
    parse(&sent_by(rules, LE, &data.bytes).unwrap(), EXPLICIT_UID)
}

fn text(object: &InMemDicomObject, group: u16, element: u16) -> Option<String> {
    let value = object.get(Tag(group, element))?.to_str().ok()?;
    Some(value.trim_end_matches([' ', '\0']).to_owned())
}

#[test]
fn an_object_says_how_it_was_de_identified() {
    let rules = profile(&[O::RetainUids, O::CleanDescriptors]);
    let codes = |object: &InMemDicomObject| -> Vec<String> {
        let sequence = object.get(Tag(0x12, 0x64)).unwrap();
        sequence.items().unwrap().iter().map(|item| text(item, 8, 0x100).unwrap()).collect()
    };
    let bare = object(&rules, &Data::image(LE).text((0x28, 0x0301), b"CS", "NO"));
    assert_eq!(text(&bare, 0x12, 0x62).as_deref(), Some("YES"));
    assert!(text(&bare, 0x12, 0x63).unwrap().ends_with("2026d\\retain-uids\\clean-descriptors"));
    assert_eq!(codes(&bare), ["113100", "113110", "113105"]);
    assert_eq!(text(&bare, 0x28, 0x303).as_deref(), Some("REMOVED"));
    assert_eq!(text(&bare, 0x28, 0x301).as_deref(), Some("NO"), "as it came");
    assert!(object(&rules, &Data::image(LE)).get(Tag(0x28, 0x301)).is_none(), "never claimed");
    for defined in [true, false] {
        let earlier = Data::new(LE).text((8, 0x100), b"SH", "OTHER");
        let data = Data::image(LE).sequence((0x12, 0x64), defined, &[earlier]);
        assert_eq!(codes(&object(&rules, &data)), ["OTHER", "113100", "113110", "113105"]);
    }
    let empty = Data::image(LE).header((0x12, 0x64), b"SQ", 0);
    assert_eq!(codes(&object(&rules, &empty)).len(), 3);
    let before = Data::image(LE).text((0x28, 0x303), b"CS", "MODIFIED");
    let full = profile(&[O::RetainLongitudinalFullDates]);
    assert_eq!(text(&object(&full, &before), 0x28, 0x303).as_deref(), Some("MODIFIED"));
    assert_eq!(text(&object(&full, &Data::image(LE)), 0x28, 0x303).as_deref(), Some("UNMODIFIED"));
}

#[test]
fn dates_before_the_patient_id_move_with_it_and_their_intervals_stay() {
    let spec = |keep_times| ProfileSpec {
        options: vec![O::RetainLongitudinalModifiedDates],
        keep_times,
        ..ProfileSpec::default()
    };
    let dated = |patient: &str| {
        let nested = Data::new(LE).text((0x40, 0xA121), b"DA", "20200401");
        Data::image(LE)
            .text((8, 0x20), b"DA", "20200229")
            .text((8, 0x30), b"TM", "101112")
            .text((8, 0x2A), b"DT", "20200331101112.5")
            .text((0x10, 0x20), b"LO", patient)
            .sequence((0x54, 0x16), true, &[nested])
    };
    // The order of tags matters.
    let sorted = |patient: &str| {
        let all = dated(patient);
        let (image, moved) = (Data::image(LE), Data::new(LE).text((8, 0x2A), b"DT", "20200331101112.5"));
        let date = Data::new(LE).text((8, 0x20), b"DA", "20200229");
        let time = Data::new(LE).text((8, 0x30), b"TM", "101112");
        let at = image.bytes.len() + date.bytes.len() + time.bytes.len() + moved.bytes.len();
        let bytes = [&image.bytes[..], &date.bytes, &moved.bytes, &time.bytes, &all.bytes[at..]].concat();
        Data { bytes, ..image }
    };
    let day = |text: &str| {
        let format = time::macros::format_description!("[year][month][day]");
        time::Date::parse(&text[..8], format).unwrap()
    };
    let rules = with(spec(true), &[]);
    let one = object(&rules, &sorted("PID-1"));
    let study = day(&text(&one, 8, 0x20).unwrap());
    let acquired = text(&one, 8, 0x2A).unwrap();
    let nested = one.get(Tag(0x54, 0x16)).unwrap().items().unwrap()[0].clone();
    assert_eq!((day(&acquired) - study).whole_days(), 31);
    assert!(acquired.ends_with("101112.5"), "times stay when asked");
    assert_eq!((day(&text(&nested, 0x40, 0xA121).unwrap()) - study).whole_days(), 32);
    assert_eq!(text(&one, 8, 0x30).as_deref(), Some("101112"));
    assert_ne!(text(&object(&rules, &sorted("PID-2")), 8, 0x20), text(&one, 8, 0x20));
    let without = object(&with(spec(false), &[]), &sorted("PID-1"));
    assert_eq!(text(&without, 8, 0x2A).unwrap().len(), 8);
    assert_eq!(text(&without, 8, 0x30).as_deref(), Some("000000"));
    for patient in ["", "  "] {
        assert_eq!(sent_by(&rules, LE, &sorted(patient).bytes).unwrap_err().status, 0xC003);
    }
    let late = Data::image(LE).element((9, 0x1001), b"OB", &vec![0; 70_000]).text((0x10, 0x20), b"LO", "PID");
    let late_by = |clean_identifiers| {
        let rules = with(ProfileSpec { clean_identifiers, ..spec(false) }, &[]);
        let transform = Transform::new(rules, LE, expected());
        let error = run_in(transform.waiting_with(64 << 10), &late.bytes, &[1000]).map(|_| ()).unwrap_err();
        (error.status, error.comment())
    };
    assert_eq!(late_by(false), (0xC003, "(0010,0020): patient ID comes too late".into()));
    assert_eq!(late_by(true), (0xC003, "(0040,2017): identifiers come too late".into()));
    assert!(sent_by(&rules, LE, &late.bytes).is_ok());
}

#[test]
fn intervals_that_decay_is_computed_with_stay_where_times_do_not() {
    let options = vec![O::RetainLongitudinalModifiedDates];
    let spec = |keep_times| ProfileSpec { options: options.clone(), keep_times, ..ProfileSpec::default() };
    let injected = Data::new(LE).text((0x18, 0x1072), b"TM", "101500").text(
        (0x18, 0x1078),
        b"DT",
        "20240301101500+0100",
    );
    let data = |class: &str| {
        Data::new(LE)
            .text((8, 0x16), b"UI", class)
            .text((8, 0x18), b"UI", INSTANCE)
            .text((8, 0x22), b"DA", "20240301")
            .text((8, 0x2A), b"DT", "20240301111500+0100")
            .text((8, 0x30), b"TM", "100000")
            .text((8, 0x31), b"TM", "111400")
            .text((8, 0x32), b"TM", "111500.5")
            .text((8, 0x201), b"SH", "+0100")
            .text((0x10, 0x20), b"LO", "PID")
            .sequence((0x54, 0x16), true, std::slice::from_ref(&injected))
    };
    let sent = |class: &str, keep_times| {
        let rules = with(spec(keep_times), &[]);
        let transform =
            Transform::new(rules, LE, Expected { sop_class_uid: class.parse().unwrap(), ..expected() });
        parse(&run_in(transform, &data(class).bytes, &[7]).unwrap().0, EXPLICIT_UID)
    };
    let pet = sent("1.2.840.10008.5.1.4.1.1.128", false);
    let dose = pet.get(Tag(0x54, 0x16)).unwrap().items().unwrap()[0].clone();
    let day = text(&pet, 8, 0x22).unwrap();
    assert_ne!(day, "20240301");
    assert_eq!(text(&pet, 8, 0x2A).unwrap(), format!("{day}111500+0100"));
    assert_eq!(text(&dose, 0x18, 0x1078).unwrap(), format!("{day}101500+0100"));
    let times =
        |object: &InMemDicomObject| [0x30, 0x31, 0x32].map(|element| text(object, 8, element).unwrap());
    assert_eq!(times(&pet), ["000000", "111400", "111500.5"], "the study's time decays nothing");
    assert_eq!(text(&dose, 0x18, 0x1072).as_deref(), Some("101500"));
    assert_eq!(text(&pet, 8, 0x201).as_deref(), Some("+0100"));
    let ct = sent(CLASS, false);
    assert_eq!(times(&ct), ["000000"; 3]);
    assert_eq!((text(&ct, 8, 0x2A).unwrap(), text(&ct, 8, 0x201)), (day, None));
    let kept = sent(CLASS, true);
    assert_eq!((times(&kept)[0].as_str(), text(&kept, 8, 0x201).as_deref()), ("100000", Some("+0100")));
}

#[test]
fn pseudonyms_of_one_patient_agree() {
    let rules = [
        rule_with("PatientName", "replace", "ANON^{pseudonym}"),
        rule_with("PatientID", "replace", "{pseudonym}"),
        rule_with("AccessionNumber", "replace", "{value}"),
        rule_with("ClinicalTrialSiteName", "set", "{peer}"),
    ];
    let rules = with(ProfileSpec::default(), &rules);
    let sent = |patient: &str, accession: &str| {
        let data = Data::image(LE)
            .text((8, 0x50), b"SH", accession)
            .text((0x10, 0x10), b"PN", "DOE^JANE")
            .text((0x10, 0x20), b"LO", patient);
        let transform = Transform::new(Arc::clone(&rules), LE, expected()).for_peer("lyon".into());
        let (sent, _) = run_in(transform, &data.bytes, &[9]).unwrap();
        let object = parse(&sent, EXPLICIT_UID);
        [(8, 0x50), (0x10, 0x10), (0x10, 0x20), (0x12, 0x31)].map(|(g, e)| text(&object, g, e).unwrap())
    };
    let [accession, name, id, site] = sent("PID-1 ", "A1");
    assert_eq!((name, site.as_str()), (format!("ANON^{id}"), "lyon"));
    assert_eq!((id.len(), accession.len()), (16, 16));
    assert_eq!(sent("PID-1", "A1")[..3], [accession.clone(), format!("ANON^{id}"), id.clone()]);
    assert!(sent("PID-2", "A1")[2] != id && sent("PID-2", "A1")[0] == accession);
    assert!(sent("PID-1", "A2")[0] != accession);
    let nobody = Data::image(LE).text((0x10, 0x10), b"PN", "DOE");
    assert_eq!(sent_by(&rules, LE, &nobody.bytes).unwrap_err().status, 0xC003);
}

#[test]
fn values_name_tenant_and_number() {
    let rules = ruleset(&[rule_with("StationName", "set", "{tenant}-{sequence}")]);
    let transform = || Transform::new(Arc::clone(&rules), LE, expected());
    let sent = |transform| run_in(transform, &Data::image(LE).bytes, &[5]).map(|(sent, _)| sent);
    let named = sent(transform().of_tenant(Some("acme".into())).numbered(12)).unwrap();
    assert_eq!(text(&parse(&named, EXPLICIT_UID), 8, 0x1010).as_deref(), Some("acme-12"));
    assert_eq!(sent(transform().numbered(1)).unwrap_err().comment(), "(0008,1010): no tenant to write");
    let nameless = sent(transform().of_tenant(Some("acme".into()))).unwrap_err();
    assert_eq!((nameless.status, nameless.comment().as_str()), (0xC002, "(0008,1010): no number to write"));
    assert!(rules.needs_tenant() && !ruleset(&[]).needs_tenant());
}

#[test]
fn the_version_of_the_secret_is_named_and_old_pseudonyms_can_be_told() {
    let (old, new) = (key(), aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"another secret"));
    let rules = [rule_with("PatientID", "replace", "{pseudonym}"), rule("AccessionNumber", "pseudonym")];
    let modified =
        ProfileSpec { options: vec![O::RetainLongitudinalModifiedDates], ..ProfileSpec::default() };
    let with = |secret: &aws_lc_rs::hmac::Key, version, others| {
        let spec = RulesetSpec {
            profile: Some(modified.clone()),
            secret: Some(secret.clone()),
            secret_version: version,
            other_secrets: others,
            ..spec(&rules)
        };
        Arc::new(Ruleset::compile(spec).unwrap())
    };
    let rotated = with(&new, Some(2), vec![(1, old.clone())]);
    let first = with(&old, None, vec![]);
    let data = Data::image(LE).text((8, 0x20), b"DA", "20200229").text((8, 0x50), b"SH", "A1").text(
        (0x10, 0x20),
        b"LO",
        "PID-1",
    );
    let told = |id: &[u8]| rotated.pseudonyms_of(id);
    for (rules, index, version, is_current) in [(&rotated, 0, 2, true), (&first, 1, 1, false)] {
        let sent = object(rules, &data);
        let (patient, accession) = (&told(b"PID-1 ")[index], &told(b"A1")[index]);
        assert_eq!((patient.version, patient.is_current), (version, is_current));
        assert_eq!(text(&sent, 0x10, 0x20).as_deref(), patient.patient.get(..16));
        assert_eq!(text(&sent, 8, 0x50).as_deref(), accession.value.get(..16));
        let uid = told(INSTANCE.as_bytes())[index].uid.clone();
        assert_eq!(text(&sent, 8, 0x18), uid);
        let format = time::macros::format_description!("[year][month][day]");
        let day = |text: &str| time::Date::parse(text, format).unwrap();
        let moved = day(&text(&sent, 8, 0x20).unwrap()) - day("20200229");
        assert_eq!(Some(moved.whole_days()), patient.days.map(i64::from));
    }
    let method = |rules| text(&object(rules, &data), 0x12, 0x63).unwrap();
    assert!(method(&rotated).ends_with("\\secret-2") && !method(&first).contains("secret"));
    let statement = rotated.statement("x");
    assert!(statement.contains("version 2 of the secret") && statement.contains("version 1."), "{statement}");
    assert_eq!(format!("{:?}", told(b"PID-1")[0]), "Pseudonyms { version: 2, .. }");
}

#[test]
fn rules_win_over_the_profile() {
    let rules = [
        rule("PatientName", "keep"),
        rule("(0009,ACME,01)", "keep"),
        rule_with("StudyDate", "replace", "20000101"),
    ];
    let rules = with(ProfileSpec::default(), &rules);
    let data = Data::image(LE)
        .text((8, 0x20), b"DA", "20200229")
        .text((9, 0x10), b"LO", "ACME")
        .text((9, 0x1001), b"LO", "one ")
        .text((9, 0x1002), b"LO", "two ")
        .text((0x10, 0x10), b"PN", "DOE^JANE");
    let object = object(&rules, &data);
    assert_eq!(text(&object, 0x10, 0x10).as_deref(), Some("DOE^JANE"));
    assert_eq!(text(&object, 8, 0x20).as_deref(), Some("20000101"));
    assert!(object.get(Tag(9, 0x1001)).is_some() && object.get(Tag(9, 0x10)).is_some());
    assert!(object.get(Tag(9, 0x1002)).is_none());
}

#[test]
fn what_no_row_names_is_judged_by_its_vr() {
    let data = Data::image(LE)
        .text((8, 0x0117), b"UI", "1.2.3.5")
        .text((8, 0x1150), b"UI", "1.2.3.6")
        .text((8, 0x1167), b"UI", "1.2.3.7")
        .text((0x10, 0x11), b"LO", "unknown")
        .text((0x14, 0x0102), b"DA", "20200229")
        .text((0x14, 0x2006), b"PN", "DOE")
        .element((0xFFFC, 0xFFFC), b"OB", &[0; 8]);
    let object = object(&profile(&[]), &data);
    assert_eq!(text(&object, 8, 0x0117).as_deref(), Some("1.2.3.5"), "a context, no instance");
    assert_eq!(text(&object, 8, 0x1150).as_deref(), Some("1.2.3.6"), "a class");
    assert!(text(&object, 8, 0x1167).unwrap().starts_with("2.25."));
    assert!(object.get(Tag(0x10, 0x11)).is_none());
    assert_eq!(text(&object, 0x14, 0x102).as_deref(), Some("19000101"));
    assert_eq!(text(&object, 0x14, 0x2006).as_deref(), Some("REMOVED"));
    assert!(object.get(Tag(0xFFFC, 0xFFFC)).is_none());
}

#[test]
fn what_the_table_forgot_goes_whatever_the_options() {
    let url = "http://doe.example/1.2.826.0.1.77";
    let listed = Data::new(LE).text((8, 0x10E), b"UR", "http://codes.example");
    let kept = Data::new(LE).text((8, 0x120), b"UR", "urn:oid:1.2.3");
    let nested = kept.text((8, 0x1190), b"UR", url).text((0x40, 0xE010), b"UR", url);
    let data = Data::image(LE)
        .sequence((8, 0x110), true, &[listed])
        .text((8, 0x407), b"UR", url)
        .text((8, 0x409), b"UR", url)
        .text((8, 0x40B), b"UT", "1.2.826.0.1.77.dcm")
        .text((8, 0x1190), b"UR", url)
        .text((0x10, 0x33), b"LO", "1390-01-01")
        .text((0x10, 0x34), b"LO", "1440-01-01")
        .text((0x10, 0x35), b"CS", "ISLAMIC")
        .text((0x28, 0x7FE0), b"UR", url)
        .text((0x40, 0x4073), b"UR", url)
        .sequence((0x40, 0xE025), true, &[nested])
        .text((0x74, 0x100A), b"UR", "tel:+1")
        .text((0x74, 0x100C), b"LO", "DOE JANE")
        .text((0x2000, 0x50), b"LO", "DOE JANE");
    let all = O::ALL.into_iter().filter(|option| *option != O::RetainLongitudinalModifiedDates);
    for options in [vec![], all.collect::<Vec<_>>()] {
        let rules = profile(&options);
        let object = object(&rules, &data);
        let item = |group, element| object.get(Tag(group, element)).unwrap().items().unwrap()[0].clone();
        assert_eq!(text(&item(8, 0x110), 8, 0x10E).as_deref(), Some("http://codes.example"));
        let nested = item(0x40, 0xE025);
        assert_eq!(text(&nested, 8, 0x120).as_deref(), Some("urn:oid:1.2.3"));
        assert_eq!(nested.iter().count(), 1);
        assert_eq!(text(&object, 0x10, 0x35).as_deref(), Some("ISLAMIC"));
        let gone = [(8, 0x407), (8, 0x409), (8, 0x40B), (8, 0x1190), (0x10, 0x33), (0x10, 0x34)];
        let more = [(0x28, 0x7FE0), (0x40, 0x4073), (0x74, 0x100A), (0x74, 0x100C), (0x2000, 0x50)];
        for (group, element) in gone.into_iter().chain(more) {
            assert!(object.get(Tag(group, element)).is_none(), "({group:04X},{element:04X})");
        }
        let statement = rules.statement("x");
        assert!(statement.contains("| (0010,0033) | Patient's Birth Date in Alternative Calendar |"));
    }
}

#[test]
fn safe_private_elements_stay_with_their_creator_wherever_their_block_is() {
    let block = |creator: &str| {
        Data::new(LE).text((0x7053, 0x11), b"LO", creator).text((0x7053, 0x1100), b"DS", "1.5 ").text(
            (0x7053, 0x1101),
            b"LO",
            "DOE ",
        )
    };
    let philips = block("Philips PET Private Group");
    let nested = Data::image(LE).sequence((0x40, 0x0555), true, &[]);
    let mut data = nested;
    data.bytes.extend(&philips.bytes);
    let kept = object(&profile(&[O::RetainSafePrivate]), &data);
    assert_eq!(text(&kept, 0x7053, 0x1100).as_deref(), Some("1.5"));
    assert!(kept.get(Tag(0x7053, 0x11)).is_some() && kept.get(Tag(0x7053, 0x1101)).is_none());
    assert!(object(&profile(&[]), &data).get(Tag(0x7053, 0x1100)).is_none());
    let mut other = Data::image(LE);
    other.bytes.extend(block("OTHER").bytes);
    let gone = object(&profile(&[O::RetainSafePrivate]), &other);
    assert!(gone.get(Tag(0x7053, 0x11)).is_none() && gone.get(Tag(0x7053, 0x1100)).is_none());
}

fn content(code: &str, scheme: &str, value_type: &str, value: Data) -> Data {
    let concept = Data::new(LE).text((8, 0x100), b"SH", code).text((8, 0x102), b"SH", scheme);
    let mut item =
        Data::new(LE).text((0x40, 0xA040), b"CS", value_type).sequence((0x40, 0xA043), false, &[concept]);
    item.bytes.extend(value.bytes);
    item
}

/// (0008,0300) with an item for each group, creator, status and safe elements.
fn characteristics(data: Data, items: &[(u16, &str, &str, &[u16])]) -> Data {
    let syntax = data.syntax;
    let us = |numbers: &[u16]| numbers.iter().flat_map(|&number| syntax.put_u16(number)).collect::<Vec<_>>();
    let item = |&(group, creator, status, elements): &(u16, &str, &str, &[u16])| {
        Data { syntax, bytes: Vec::new() }
            .element((8, 0x301), b"US", &us(&[group]))
            .text((8, 0x302), b"LO", creator)
            .text((8, 0x303), b"CS", status)
            .element((8, 0x304), b"US", &us(elements))
    };
    let items: Vec<Data> = items.iter().map(item).collect();
    data.sequence((8, 0x300), true, &items)
}

#[test]
fn what_the_object_calls_safe_stays() {
    let block = |data: Data, group: u16, number: u16, creator: &str| {
        let at = |low: u16| (group, number << 8 | low);
        data.text((group, number), b"LO", creator)
            .text(at(0x01), b"LO", "one ")
            .element(at(0x02), b"OB", b"DOE ")
            .text(at(0x03), b"DA", "20200101")
            .text(at(0x04), b"UI", "1.2.3.99")
            .element(at(0x05), b"UN", b"DOE ")
            .text(at(0x06), b"SH", "six ")
    };
    let items: [(u16, &str, &str, &[u16]); 5] = [
        (0x0009, "ACME 1", "SAFE", &[]),
        (0x0009, "ACME 2", "MIXED", &[0x06, 0x02]),
        (0x0009, "ACME 3", "UNSAFE", &[0x01]),
        (0x0011, "ACME 1", "MIXED", &[]),
        (0x0013, "", "SAFE", &[]),
    ];
    for encoding in [LE, BE] {
        let declared = characteristics(Data::image(encoding), &items);
        let data =
            ["ACME 1", "ACME 2", "ACME 3"].iter().zip(0x10..).fold(declared, |data, (creator, number)| {
                // Blocks are interleaved in their group: creators first.
                data.text((9, number), b"LO", creator)
            });
        let data = (0x10..0x13_u16).fold(data, |data, number| {
            let at = |low: u16| (9, number << 8 | low);
            data.text(at(1), b"LO", "one ")
                .element(at(2), b"OB", b"DOE ")
                .text(at(3), b"DA", "20200101")
                .text(at(4), b"UI", "1.2.3.99")
                .element(at(5), b"UN", b"DOE ")
                .text(at(6), b"SH", "six ")
        });
        let nested = block(Data::new(encoding), 9, 0x42, "ACME 1");
        let data = block(data, 0x11, 0x10, "ACME 1").sequence((0x54, 0x16), true, &[nested]);
        let uid = if encoding == LE { EXPLICIT_UID } else { "1.2.840.10008.1.2.2" };
        let sent = parse(&sent_by(&profile(&[O::RetainSafePrivate]), encoding, &data.bytes).unwrap(), uid);
        let left = |object: &InMemDicomObject| -> Vec<(u16, u16)> {
            let tags = object.iter().map(|element| element.header().tag);
            tags.filter(|tag| tag.0 % 2 == 1).map(|tag| (tag.0, tag.1)).collect()
        };
        let expected: Vec<(u16, u16)> =
            [0x10, 0x11, 0x1001, 0x1003, 0x1004, 0x1006, 0x1106].map(|element| (9, element)).into();
        assert_eq!(left(&sent), expected);
        assert_eq!(text(&sent, 9, 0x1003).as_deref(), Some("19000101"), "dates go as others do");
        assert!(text(&sent, 9, 0x1004).unwrap().starts_with("2.25."));
        let item = sent.get(Tag(0x54, 0x16)).unwrap().items().unwrap()[0].clone();
        assert_eq!(left(&item), [0x42, 0x4201, 0x4203, 0x4204, 0x4206].map(|element| (9, element)));
        assert_eq!(sent.get(Tag(8, 0x300)).unwrap().items().unwrap().len(), 5);
        let basic = parse(&sent_by(&profile(&[]), encoding, &data.bytes).unwrap(), uid);
        assert_eq!(left(&basic), []);
    }
}

#[test]
fn what_is_said_elsewhere_calls_nothing_safe() {
    let private = |data: Data| data.text((9, 0x10), b"LO", "ACME").text((9, 0x1001), b"LO", "DOE ");
    let items: [(u16, &str, &str, &[u16]); 1] = [(9, "ACME", "SAFE", &[])];
    let kept = |data: Data| {
        let sent = object(&profile(&[O::RetainSafePrivate]), &private(data));
        sent.get(Tag(9, 0x1001)).is_some()
    };
    assert!(kept(characteristics(Data::image(LE), &items)));
    let deeper = characteristics(Data::new(LE), &items);
    assert!(!kept(Data::image(LE).sequence((8, 0x300), true, &[deeper])), "one level too deep");
    let bare = Data::new(LE).text((8, 0x303), b"CS", "SAFE");
    assert!(!kept(Data::image(LE).sequence((8, 0x300), true, &[bare])), "of no block");
    let mut other = Data::image(LE).text((8, 0x301), b"US", "x ");
    other = other.text((8, 0x302), b"LO", "ACME").text((8, 0x303), b"CS", "SAFE");
    assert!(!kept(other), "at the top");
    let many = vec![items[0]; 3000];
    assert!(kept(characteristics(Data::image(LE), &many)));
    let ruled = with(
        ProfileSpec { options: vec![O::RetainSafePrivate], ..ProfileSpec::default() },
        &[rule("(0009,ACME,01)", "remove")],
    );
    let sent = object(&ruled, &private(characteristics(Data::image(LE), &items)));
    assert!(sent.get(Tag(9, 0x1001)).is_none(), "an administrator's rule wins");
}

#[test]
fn structured_content_is_judged_by_its_concepts() {
    let said = |code: &str, scheme: &str| {
        content(code, scheme, "TEXT", Data::new(LE).text((0x40, 0xA160), b"UT", "Chest DOE"))
    };
    let age =
        Data::new(LE).sequence((0x40, 0xA300), true, &[Data::new(LE).text((0x40, 0xA30A), b"DS", "93")]);
    let sex = Data::new(LE).sequence((0x40, 0xA168), true, &[Data::new(LE).text((8, 0x100), b"SH", "F ")]);
    let items = [
        said("121022", "DCM"),
        said("109054", "DCM"),
        said("1", "99X"),
        content("121033", "DCM", "NUM", age),
        content("121032", "DCM", "CODE", sex),
    ];
    let data = Data::image(LE).sequence((0x40, 0xA730), false, &items);
    let seen = |options: &[O]| -> Vec<String> {
        let object = object(&profile(options), &data);
        let items = object.get(Tag(0x40, 0xA730)).unwrap().items().unwrap().to_vec();
        let said = |item: &InMemDicomObject| {
            let coded =
                item.get(Tag(0x40, 0xA168)).map(|code| text(&code.items().unwrap()[0], 8, 0x100).unwrap());
            let measured =
                item.get(Tag(0x40, 0xA300)).map(|measured| measured.items().unwrap().len().to_string());
            text(item, 0x40, 0xA160).or(coded).or(measured).unwrap_or_default()
        };
        items.iter().map(said).collect()
    };
    assert_eq!(seen(&[]), ["REMOVED"], "one dummy item");
    let removed = "REMOVED";
    assert_eq!(seen(&[O::CleanStructuredContent]), [removed, removed, removed, "0", removed]);
    let more = [O::CleanStructuredContent, O::CleanDescriptors, O::RetainPatientCharacteristics];
    assert_eq!(seen(&more), [removed, "Chest [...]", removed, "0", "F"]);
}

#[test]
fn graphics_keep_their_shapes_and_lose_their_texts() {
    let note = Data::new(LE).text((0x70, 6), b"ST", "DOE ");
    let shape = Data::new(LE).text((0x70, 0x23), b"CS", "CIRCLE");
    let layer = Data::new(LE).sequence((0x70, 8), true, &[note]).sequence((0x70, 9), true, &[shape]);
    let data = Data::image(LE).sequence((0x70, 1), true, &[layer]).element((0x6002, 0x3000), b"OW", &[1, 2]);
    let cleaned = object(&profile(&[O::CleanGraphics]), &data);
    let layer = cleaned.get(Tag(0x70, 1)).unwrap().items().unwrap()[0].clone();
    let note = layer.get(Tag(0x70, 8)).unwrap().items().unwrap()[0].clone();
    assert_eq!(text(&note, 0x70, 6).as_deref(), Some("REMOVED"));
    assert_eq!(layer.get(Tag(0x70, 9)).unwrap().items().unwrap().len(), 1);
    assert!(cleaned.get(Tag(0x6002, 0x3000)).is_none());
}

#[test]
fn an_annotation_of_dummies_has_what_its_module_wants() {
    let note = Data::new(LE).text((0x70, 6), b"ST", "DOE ");
    let data = Data::image(LE).sequence((0x70, 1), true, &[Data::new(LE).sequence((0x70, 8), true, &[note])]);
    let replaced = object(&profile(&[]), &data);
    let annotation = replaced.get(Tag(0x70, 1)).unwrap().items().unwrap()[0].clone();
    assert_eq!(text(&annotation, 0x70, 2).as_deref(), Some("REMOVED"));
    let graphic = annotation.get(Tag(0x70, 9)).unwrap().items().unwrap()[0].clone();
    assert_eq!(text(&graphic, 0x70, 0x23).as_deref(), Some("POINT"));
    assert_eq!(graphic.get(Tag(0x70, 0x22)).unwrap().to_multi_float32().unwrap(), [0.0, 0.0]);
}

#[test]
fn a_reference_to_an_instance_keeps_its_macro_and_no_foreign_text() {
    let code = |more: Data| {
        let code = Data::new(LE).text((8, 0x100), b"SH", "121322").text((8, 0x102), b"SH", "DCM");
        let mut code = code.text((8, 0x104), b"LO", "Source image for image processing operation");
        code.bytes.extend(more.bytes);
        code
    };
    let comment = |tag| Data::new(LE).text(tag, b"LT", "DOE^JANE");
    let reference = |before: Data, after: Data, code: Data| {
        let mut item = Data::new(LE);
        item.bytes.extend(before.bytes);
        let mut item = item.text((8, 0x1150), b"UI", CLASS).text((8, 0x1155), b"UI", "2.25.0").text(
            (8, 0x1160),
            b"IS",
            "1",
        );
        item.bytes.extend(after.bytes);
        let item = item.sequence((0x40, 0xA170), true, &[code]).element((0x62, 0xB), b"US", &[1, 0]);
        Data::image(LE).sequence((8, 0x1140), true, std::slice::from_ref(&item)).sequence(
            (8, 0x2112),
            false,
            &[item],
        )
    };
    let nothing = || Data::new(LE);
    let plain = reference(nothing(), nothing(), code(nothing()));
    let nested = Data::new(LE).sequence((0x28, 0x9110), true, &[comment((0x40, 0xA160))]);
    let other = Data::new(LE).sequence((8, 0x1140), true, &[comment((0x40, 0xA160))]);
    let canaries = [
        reference(comment((8, 0x1090)), nothing(), code(nothing())),
        reference(nothing(), comment((0x18, 0x1210)), code(nothing())),
        reference(nothing(), nested, code(nothing())),
        reference(other, nothing(), code(nothing())),
        reference(nothing(), nothing(), code(comment((0x18, 0x1210)))),
    ];
    for options in [&[][..], &[O::RetainUids], &[O::RetainDeviceIdentity]] {
        let rules = profile(options);
        let expected = sent_by(&rules, LE, &plain.bytes).unwrap();
        for data in &canaries {
            let sent = sent_by(&rules, LE, &data.bytes).unwrap();
            assert!(sent == expected, "{options:?} {}", sent.escape_ascii());
        }
        let object = parse(&expected, EXPLICIT_UID);
        for tag in [Tag(8, 0x1140), Tag(8, 0x2112)] {
            let item = object.get(tag).unwrap().items().unwrap()[0].clone();
            let purpose = item.get(Tag(0x40, 0xA170)).unwrap().items().unwrap()[0].clone();
            assert_eq!(text(&purpose, 8, 0x100).as_deref(), Some("121322"));
            assert!(
                [(8, 0x1150), (8, 0x1155), (8, 0x1160), (0x62, 0xB)]
                    .iter()
                    .all(|(g, e)| item.get(Tag(*g, *e)).is_some())
            );
        }
    }
    // Behind the reference, nothing of that holds.
    let behind = Data::image(LE)
        .sequence((8, 0x1140), true, &[Data::new(LE).text((8, 0x1155), b"UI", "2.25.0")])
        .text((0x18, 0x1400), b"LO", "PROCESSING");
    let kept = behind.sequence((0x28, 0x9110), true, &[Data::new(LE).text((0x18, 0x50), b"DS", "1")]);
    let sent = object(&profile(&[]), &kept);
    assert!(sent.get(Tag(0x28, 0x9110)).unwrap().items().unwrap()[0].get(Tag(0x18, 0x50)).is_some());
}

#[test]
fn a_pattern_does_not_turn_off_what_the_profile_does() {
    let numbers = |tag: &str| pattern(tag, "[0-9]+", "#");
    let described = Data::image(LE)
        .text((8, 0x1030), b"LO", "CHEST 4711 Dr DOE")
        .text((0x18, 0x1030), b"LO", "KNEE 4711")
        .text((0x20, 0x13), b"IS", "12");
    let rules = [numbers("StudyDescription"), numbers("ProtocolName"), pattern("InstanceNumber", "2", "3")];
    let cleaning = ProfileSpec { options: vec![O::CleanDescriptors], ..ProfileSpec::default() };
    let cleaned = object(&with(cleaning.clone(), &rules), &described);
    let study = text(&cleaned, 8, 0x1030).unwrap();
    assert!(study.contains("CHEST") && !study.contains("DOE") && !study.contains("4711"), "{study}");
    assert_eq!(text(&cleaned, 0x20, 0x13).as_deref(), Some("13"), "the profile keeps it");
    let removing = with(ProfileSpec::default(), &rules);
    assert!(object(&removing, &described).get(Tag(8, 0x1030)).is_none());
    let whys: Vec<_> = removing.patterns_without_effect();
    assert_eq!(whys.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), [0, 1]);
    assert!(whys[0].1.contains("Study Description: X"), "{whys:?}");
    assert!(with(cleaning, &rules).patterns_without_effect().is_empty());
}

fn class_of(class: &str, data: Data) -> (Expected, Vec<u8>) {
    let image = Data::new(LE).text((8, 0x16), b"UI", class).text((8, 0x18), b"UI", INSTANCE);
    (Expected { sop_class_uid: class.parse().unwrap(), ..expected() }, [image.bytes, data.bytes].concat())
}

fn status(profile: ProfileSpec, class: &str, data: Data) -> Result<Vec<u8>, u16> {
    let (expected, input) = class_of(class, data);
    let rules = with(profile, &[]);
    let sent = |sizes: &[usize]| {
        let transform = Transform::new(Arc::clone(&rules), LE, expected.clone());
        run_in(transform, &input, sizes).map(|(sent, _)| sent).map_err(|error| error.status)
    };
    assert_eq!(sent(&[1]), sent(&[usize::MAX]));
    sent(&[7])
}

#[test]
fn objects_are_refused_or_passed_for_what_they_are() {
    let basic = ProfileSpec::default;
    let none = || Data::new(LE);
    let flag = |value: &str| Data::new(LE).text((0x28, 0x301), b"CS", value);
    let capture = "1.2.840.10008.5.1.4.1.1.7";
    assert_eq!(status(basic(), CLASS, flag("YES")), Err(0xC006));
    assert!(status(basic(), CLASS, none()).is_ok());
    assert_eq!(status(basic(), capture, none()), Err(0xC006));
    assert!(status(basic(), capture, flag("NO")).is_ok());
    let pass = || ProfileSpec {
        burned_in: BurnedIn::Pass,
        refuse_private_classes: false,
        refuse_documents: false,
        ..basic()
    };
    assert!(status(pass(), CLASS, flag("YES")).is_ok() && status(pass(), capture, none()).is_ok());
    assert_eq!(status(basic(), "1.2.3", none()), Err(0xC004));
    assert!(status(pass(), "1.2.3", none()).is_ok());
    let document =
        || Data::new(LE).element((0x42, 0x11), b"OB", b"DOE ").element((0x42, 0x15), b"UL", &[4, 0, 0, 0]);
    let (pdf, cda) = ("1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.104.2");
    assert_eq!(status(basic(), pdf, document()), Err(0xC005));
    assert_eq!(status(pass(), cda, document()), Err(0xC005), "there is no empty document for it");
    let replaced = parse(&status(pass(), pdf, document()).unwrap(), EXPLICIT_UID);
    assert!(replaced.get(Tag(0x42, 0x11)).unwrap().to_bytes().unwrap().starts_with(b"%PDF-1.4"));
    assert!(replaced.get(Tag(0x42, 0x15)).is_none());
}

#[test]
fn why_names_the_rule_or_the_row() {
    let rules = with(
        ProfileSpec { options: vec![O::CleanDescriptors], ..ProfileSpec::default() },
        &[rule("PatientID", "keep"), rule("StationName", "remove")],
    );
    let data = Data::image(LE).text((8, 0x1010), b"SH", "CT1 ").text((8, 0x1030), b"LO", "Chest DOE").text(
        (0x10, 0x10),
        b"PN",
        "DOE ",
    );
    let transform = Transform::new(Arc::clone(&rules), LE, expected()).recording_changes();
    let (_, transform) = run_in(transform, &data.bytes, &[usize::MAX]).unwrap();
    let why = |tag: Tag| rules.why(transform.changes().iter().find(|change| change.tag == tag).unwrap().rule);
    assert_eq!(why(Tag(8, 0x1010)), "rule 2 StationName");
    assert_eq!(why(Tag(8, 0x1030)), "Table E.1-1 2026d Study Description: C, clean-descriptors");
    assert_eq!(why(Tag(0x10, 0x10)), "Table E.1-1 2026d Patient's Name: Z, basic");
    assert_eq!(why(Tag(0x12, 0x62)), "PS3.15 E.1.1");
    let statement = rules.statement("x");
    for part in [
        "Clean Descriptors Option | 113105 | yes",
        "1. PatientID",
        "| (0010,0010) | Patient's Name | Z | Z | basic profile |",
    ] {
        assert!(statement.contains(part), "{part}");
    }
}

fn option() -> impl Strategy<Value = Vec<O>> {
    proptest::sample::subsequence(O::ALL.to_vec(), 0..=10).prop_map(|mut options| {
        if options.contains(&O::RetainLongitudinalFullDates) {
            options.retain(|option| *option != O::RetainLongitudinalModifiedDates);
        }
        options
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_canary_survives_any_options(
        nodes in super::oracle::nodes(), options in option(), sizes in proptest::collection::vec(1_usize..300, 1..4),
    ) {
        for (encoding, uid) in [(LE, EXPLICIT_UID), (BE, "1.2.840.10008.1.2.2"), (IMPLICIT, "1.2.840.10008.1.2")] {
            let mut data = super::oracle::write(Data::image(encoding), &nodes, encoding);
            if !nodes.contains_key(&(0x10, 0x20)) {
                let later = nodes.keys().any(|tag| *tag > (0x10, 0x20));
                prop_assume!(!later);
                data = data.text((0x10, 0x20), b"LO", "PID");
            }
            let planting = Transform::planting_canaries(encoding, expected());
            let (planted, planting) = run_in(planting, &data.bytes, &sizes).unwrap();
            let rules = profile(&options);
            let transform = || Transform::new(Arc::clone(&rules), encoding, expected());
            let (sent, _) = run_in(transform(), &planted, &sizes).unwrap();
            prop_assert_eq!(&sent, &run_in(transform(), &planted, &[usize::MAX]).unwrap().0);
            parse(&sent, uid);
            for number in canary::found(&sent) {
                let change = &planting.changes()[number as usize];
                prop_assert!(canary::may_stay(&rules, change), "{change:?}");
            }
        }
    }
}
