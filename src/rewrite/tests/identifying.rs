//! The patient's own words, planted in every text that may be kept.

use std::sync::Arc;

use proptest::prelude::*;

use super::support::*;
use crate::dataset::{Encoding, Tag, Vr, exact_vr_of, is_listed};
use crate::rewrite::{
    BurnedIn, ProfileOption as O, ProfileSpec, ROWS, RewriteProblem, RuleSpec, Ruleset, RulesetSpec,
    Transform,
};

fn with(profile: ProfileSpec, rules: &[RuleSpec]) -> Arc<Ruleset> {
    Arc::new(Ruleset::compile(RulesetSpec { profile: Some(profile), ..spec(rules) }).unwrap())
}

/// Everything is kept that an option can keep.
fn all_kept() -> ProfileSpec {
    let options = O::ALL.into_iter().filter(|option| *option != O::RetainLongitudinalModifiedDates);
    ProfileSpec { options: options.collect(), burned_in: BurnedIn::Pass, ..ProfileSpec::default() }
}

fn sent(rules: &Arc<Ruleset>, encoding: Encoding, data: &Data, sizes: &[usize]) -> Vec<u8> {
    run_in(Transform::new(Arc::clone(rules), encoding, expected()), &data.bytes, sizes).unwrap().0
}

fn holds(bytes: &[u8], word: &str) -> bool {
    let bytes = bytes.to_ascii_lowercase();
    bytes.windows(word.len()).any(|part| part == word.as_bytes())
}

/// Every attribute of the standard that is a text, but that which says how texts are written.
fn texts() -> Vec<(Tag, Vr)> {
    let groups = (0x0008..0x0100_u16)
        .step_by(2)
        .chain((0x0100..0x0500).step_by(0x10))
        .chain((0x2000..0x2300).step_by(0x10));
    let groups =
        groups.chain((0x3002..=0x3010).step_by(2)).chain([0x4000, 0x4008, 0x4010, 0x4FFE, 0x5400, 0x5600]);
    let tags = groups.flat_map(|group| (1..=u16::MAX).map(move |element| Tag(group, element)));
    let listed = tags.filter(|tag| is_listed(*tag)).filter_map(|tag| Some((tag, exact_vr_of(tag)?)));
    let is_text = |vr: Vr| vr.is_in_character_set() || matches!(&vr.code(), b"CS" | b"AE" | b"UR");
    let mut texts: Vec<_> = listed.filter(|(tag, vr)| is_text(*vr) && *tag != Tag(8, 5)).collect();
    texts.sort_by_key(|(tag, _)| (tag.0, tag.1));
    texts
}

fn planted(vr: Vr) -> &'static str {
    match &vr.code() {
        b"CS" => "DOE",
        b"AE" | b"SH" => "Jane DOE 4711-08",
        b"UR" => "http://host/doe_jane.html",
        b"PN" => "Jane^doe",
        _ => "seen by Doe, Jane (4711-08)",
    }
}

fn object(encoding: Encoding, texts: &[(Tag, Vr)], before: Option<(Tag, Data)>) -> Data {
    let mut nested = before;
    let mut data = Data::image(encoding);
    for (tag, vr) in texts {
        if let Some((sequence, item)) =
            nested.take_if(|(sequence, _)| (sequence.0, sequence.1) < (tag.0, tag.1))
        {
            data = data.sequence((sequence.0, sequence.1), false, &[item]);
        }
        if (tag.0, tag.1) <= (8, 0x18) {
            continue;
        }
        let value = match tag {
            Tag(0x10, 0x10) => "DOE^JANE",
            Tag(0x10, 0x20) => "4711-08",
            _ => planted(*vr),
        };
        data = data.text((tag.0, tag.1), &vr.code(), value);
    }
    data
}

/// The generated test: each text of the dictionary, at the top and in an item.
#[test]
fn no_text_of_the_dictionary_lets_the_patient_out() {
    let texts = texts();
    let is_row =
        |tag: Tag| ROWS.iter().any(|row| (u32::from(tag.0) << 16 | u32::from(tag.1)) & row.mask == row.tag);
    let unlisted = texts.iter().filter(|(tag, _)| !is_row(*tag)).count();
    assert!(unlisted > 444, "{unlisted} of {}", texts.len());
    let rules = with(all_kept(), &[]);
    for encoding in [LE, IMPLICIT] {
        let item = texts
            .iter()
            .fold(Data::new(encoding), |item, (tag, vr)| item.text((tag.0, tag.1), &vr.code(), planted(*vr)));
        // (0018,9346) CTDI Phantom Type Code Sequence is not in Table E.1-1.
        let data = object(encoding, &texts, Some((Tag(0x18, 0x9346), item)));
        let out = sent(&rules, encoding, &data, &[usize::MAX]);
        assert!(out == sent(&rules, encoding, &data, &[1000]));
        assert!(out.windows(3).filter(|part| *part == b"***").count() > 1000, "that much is kept and marked");
        for word in ["doe", "jane", "4711-08", "471108"] {
            let at = out.to_ascii_lowercase().windows(word.len()).position(|part| part == word.as_bytes());
            let around =
                at.map(|at| out[at.saturating_sub(40)..(at + 20).min(out.len())].escape_ascii().to_string());
            assert_eq!(around, None, "{word}");
        }
    }
}

#[test]
fn who_switches_it_off_gets_texts_as_they_came() {
    let data =
        Data::image(LE).text((0x10, 0x10), b"PN", "DOE^JANE").text((0x70, 0x81), b"LO", "of Doe, 12.03.1950");
    let off = with(ProfileSpec { clean_identifiers: false, ..ProfileSpec::default() }, &[]);
    assert!(holds(&sent(&off, LE, &data, &[7]), "of doe, 12.03.1950"));
    assert!(holds(&sent(&with(ProfileSpec::default(), &[]), LE, &data, &[7]), "of ***, ***"));
}

#[test]
fn a_conformance_statement_says_whether_they_are_looked_for() {
    let says = |profile| with(profile, &[]).statement("x");
    assert!(says(ProfileSpec::default()).contains("`clean-identifiers`, beyond the profile"));
    assert!(
        says(ProfileSpec { clean_identifiers: false, ..ProfileSpec::default() }).contains("Not looked for")
    );
    let own = ProfileSpec { identifiers: vec!["A-[0-9]+".into()], ..ProfileSpec::default() };
    assert!(says(own).contains("- `A-[0-9]+`"));
}

#[test]
fn words_of_the_vocabulary_are_names_where_they_are_the_patients() {
    let rules = with(ProfileSpec { options: vec![O::CleanDescriptors], ..ProfileSpec::default() }, &[]);
    let series = |name: &str| {
        let data = Data::image(LE).text((8, 0x103E), b"LO", "CHEST HEAD").text((0x10, 0x10), b"PN", name);
        sent(&rules, LE, &data, &[11])
    };
    assert!(holds(&series("DOE^JANE"), "chest head"));
    let out = series("HEAD^ANN");
    assert!(holds(&out, "chest") && !holds(&out, "head"));
}

#[test]
fn identifiers_are_looked_for_before_the_vocabulary_tears_them_apart() {
    let rules = with(ProfileSpec { options: vec![O::CleanDescriptors], ..ProfileSpec::default() }, &[]);
    let study = |tag: (u16, u16), vr: &[u8; 2], of: &str, text: &str| {
        let (data, is_before) = (Data::image(LE), tag < (8, 0x1030));
        let data = if is_before { data.text(tag, vr, of) } else { data };
        let data = data.text((8, 0x1030), b"LO", text);
        sent(&rules, LE, &if is_before { data } else { data.text(tag, vr, of) }, &[11])
    };
    for (name, text, left) in [
        ("LI^WEIQIANG", "Li Weiqiang CT head", "[...] ct head"),
        ("MA^LIHUA", "CT head Ma Lihua", "ct head [...]"),
        ("AN^JIHO", "An Jiho spine", "[...] spine"),
        ("NO^MINA", "No Mina spine", "[...] spine"),
    ] {
        let out = study((0x10, 0x10), b"PN", name, text);
        let family = name.split('^').next().unwrap().to_lowercase();
        assert!(holds(&out, left) && !holds(&out, &format!("{family} [")), "{text}");
        assert!(!holds(&out, "***"), "{text}");
    }
    let out = study((8, 0x80), b"LO", "Heart Center Lahr", "CT Heart Center Lahr head");
    assert!(holds(&out, "ct [...] head") && !holds(&out, "heart"));
    for (address, text) in [("12 High Street", "CT 12 High Street"), ("Long Lane 7", "CT Long Lane 7")] {
        let out = study((0x10, 0x1040), b"LO", address, text);
        assert!(holds(&out, "ct [...]") && !holds(&out, "high") && !holds(&out, "long"), "{text}");
    }
    let out = study((8, 0x1010), b"SH", "SPINE", "spine");
    assert!(!holds(&out, "spine") && !holds(&out, "***"), "a mark alone says nothing");
}

#[test]
fn structures_called_as_the_patient_is_stay_different() {
    let rules = with(ProfileSpec { options: vec![O::CleanDescriptors], ..ProfileSpec::default() }, &[]);
    let named = |name: &str| Data::new(LE).text((0x3006, 0x26), b"LO", name);
    let data = Data::image(LE).text((0x10, 0x10), b"PN", "LONG^SMALL").sequence(
        (0x3006, 0x20),
        true,
        &[named("Bowel_Small"), named("Bowel_Long")],
    );
    let out = sent(&rules, LE, &data, &[11]);
    assert!(holds(&out, "bowel_[...]") && holds(&out, "bowel_[...2]") && !holds(&out, "***"));
}

#[test]
fn a_change_is_told_of_what_made_it() {
    let rules = with(ProfileSpec { options: vec![O::CleanDescriptors], ..ProfileSpec::default() }, &[]);
    let why = |name: &str, text: &str| {
        let data = Data::image(LE).text((0x10, 0x10), b"PN", name).text((0x18, 0x1030), b"LO", text);
        let transform = Transform::new(Arc::clone(&rules), LE, expected()).recording_changes();
        let (_, transform) = run_in(transform, &data.bytes, &[usize::MAX]).unwrap();
        let change = transform.changes().iter().find(|change| change.tag == Tag(0x18, 0x1030));
        rules.why(change.unwrap().rule)
    };
    assert!(why("HEAD^ANN", "CHEST HEAD").contains("clean-identifiers"));
    assert!(why("HEAD^ANN", "CHEST QXZ").contains("clean-descriptors"));
}

#[test]
fn rules_of_an_administrator_win_but_a_pattern_leaves_no_name() {
    let data = Data::image(LE)
        .text((8, 0x103E), b"LO", "Doe 1 of A-1")
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text((0x62, 0x06), b"ST", "Doe 1 of A-1")
        .text((0x70, 0x81), b"LO", "Doe A-1");
    let keep = with(ProfileSpec::default(), &[rule("SeriesDescription", "keep")]);
    assert!(holds(&sent(&keep, LE, &data, &[5]), "doe 1 of a-1"));
    assert_eq!(keep.texts_kept_as_they_are(), [0]);
    let find = with(
        ProfileSpec::default(),
        &[pattern("SegmentDescription", "A-[0-9]", "#"), pattern("(0070,0081)", "none", "#")],
    );
    let out = sent(&find, LE, &data, &[5]);
    assert!(holds(&out, "*** 1 of #") && holds(&out, "*** a-1") && !holds(&out, "doe"));
    let own = ProfileSpec { identifiers: vec!["A-[0-9]+".into()], ..ProfileSpec::default() };
    assert!(holds(&sent(&with(own, &[]), LE, &data, &[5]), "*** ***"));
}

#[test]
fn what_stays_in_its_own_attribute_is_looked_for_nowhere() {
    let data = Data::image(LE)
        .text((8, 0x80), b"LO", "Mary Clinic")
        .text((8, 0x1010), b"SH", "CTAWP71")
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text((0x70, 0x81), b"LO", "Mary Clinic CTAWP71");
    let out = |options: &[O]| {
        let spec = ProfileSpec { options: options.to_vec(), ..ProfileSpec::default() };
        sent(&with(spec, &[]), LE, &data, &[9])
    };
    assert!(holds(&out(&[]), "*** ***"));
    assert!(holds(&out(&[O::RetainInstitutionIdentity]), "mary clinic ***"));
    assert!(holds(&out(&[O::RetainDeviceIdentity]), "*** ctawp71"));
}

#[test]
fn items_before_the_study_id_tell_names_too() {
    let other = Data::new(LE).text((0x10, 0x20), b"LO", "OLD-99-1");
    let data = Data::image(LE)
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .sequence((0x10, 0x1002), false, &[other])
        .text((0x70, 0x81), b"LO", "was OLD-99-1");
    let out = sent(&with(ProfileSpec::default(), &[]), LE, &data, &[3]);
    assert!(holds(&out, "was ***"));
}

#[test]
fn an_item_keeps_its_character_set_behind_one_inside_of_it() {
    let name = encoded(b"GB18030", "王小东");
    let inner = Data::new(LE).text((8, 5), b"CS", "ISO_IR 192").text((8, 0x100), b"SH", "a");
    let next = Data::new(LE).element((0x40, 0xA123), b"PN", "山田^太郎".as_bytes());
    for defined in [false, true] {
        let outer = Data::new(LE)
            .text((8, 5), b"CS", "GB18030")
            .sequence((8, 0x1115), defined, std::slice::from_ref(&inner))
            .element((0x40, 0xA123), b"PN", &name);
        let mut data = Data::new(LE).text((8, 5), b"CS", "ISO_IR 192");
        data = data.text((8, 0x16), b"UI", CLASS).text((8, 0x18), b"UI", INSTANCE);
        data = data.sequence((8, 0x1049), defined, &[outer, next.clone()]);
        data = data.text((0x10, 0x10), b"PN", "DOE").text((0x70, 0x81), b"LO", "von 王小东, 山田太郎");
        let out = sent(&with(ProfileSpec::default(), &[]), LE, &data, &[4]);
        assert!(holds(&out, "von ***, ***"), "{defined}");
    }
}

#[test]
fn too_many_identifiers_are_refused() {
    let names: Vec<String> = (0..2000).map(|number| format!("NAME{number}^X")).collect();
    let data =
        Data::image(LE).text((0x10, 0x10), b"PN", "DOE").text((0x10, 0x1001), b"PN", &names.join("\\"));
    let rules = with(ProfileSpec::default(), &[]);
    let error = run_in(Transform::new(rules, LE, expected()), &data.bytes, &[100]).map(|_| ()).unwrap_err();
    assert_eq!((error.status, error.problem), (0xC001, RewriteProblem::TooManyIdentifiers));
}

/// A name, a text with it and one without, in one character set.
const SETS: [(&[u8], &str, &str, &str); 6] = [
    (b"ISO_IR 192", "Müller^Jörg", "gesehen von MÜLLER, Jörg", "Größe über 5 mm"),
    (b"ISO_IR 100", "Dupont^Éloïse", "vu par éloïse DUPONT", "à côté du foie"),
    (b"ISO_IR 144", "Люксембург^Иван", "видел ЛЮКСЕМБУРГ", "печень"),
    (b"GB18030", "王^小东", "见王小东今天", "肝脏"),
    (b"\\ISO 2022 IR 149", "김^희중", "김희중 씨", "간"),
    (b"\\ISO 2022 IR 87", "山田^太郎", "山田太郎 さん", "肝臓"),
];

fn encoded(set: &[u8], text: &str) -> Vec<u8> {
    let mut bytes = super::super::character_set::CharacterSet::of(set).encode(text).unwrap().into_owned();
    if bytes.len() % 2 == 1 {
        bytes.push(b' ');
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_planted_name_never_comes_out_and_other_texts_stay_as_they_were(
        which in 0_usize..SETS.len(),
        depth in 0_usize..4,
        defined in any::<bool>(),
        // In no table.
        at in prop::sample::select(vec![
            ((0x70, 0x81), b"LO"), ((0x54, 0x400), b"SH"), ((0x42, 0x10), b"ST"), ((0x18, 0x9910), b"UT"), ((0x14, 0x3099), b"LT"),
            ((0x18, 0x9908), b"UC"), ((0x72, 0x10), b"LO"),
        ]),
        sizes in proptest::collection::vec(1_usize..60, 1..4),
    ) {
        let (set, name, with_name, without) = SETS[which];
        let (tag, vr) = at;
        let make = |text: &str| {
            let inner = Data::new(LE).element(tag, vr, &encoded(set, text));
            let nested = (0..depth).fold(inner, |inner, _| Data::new(LE).sequence((0x18, 0x9346), defined, &[inner]));
            let mut data = Data::new(LE).element((8, 5), b"CS", &encoded(b"", std::str::from_utf8(set).unwrap()))
                .text((8, 0x16), b"UI", CLASS).text((8, 0x18), b"UI", INSTANCE)
                .element((0x10, 0x10), b"PN", &encoded(set, name));
            data.bytes.extend(nested.bytes);
            data
        };
        let rules = with(ProfileSpec::default(), &[]);
        let out = sent(&rules, LE, &make(with_name), &sizes);
        let set_of = super::super::character_set::CharacterSet::of(set);
        for part in name.split('^').filter(|part| part.chars().count() > 1) {
            let bytes = set_of.encode(part).unwrap().into_owned();
            prop_assert!(!out.windows(bytes.len()).any(|window| window == bytes), "{part}");
        }
        prop_assert!(holds(&out, "***"));
        let plain = make(without);
        let out = sent(&rules, LE, &plain, &sizes);
        let value = encoded(set, without);
        prop_assert!(out.windows(value.len()).any(|window| window == value), "{without}");
    }
}

#[test]
fn who_stands_behind_the_study_id_is_looked_for_before_it_too() {
    let rules = with(ProfileSpec { burned_in: BurnedIn::Pass, ..ProfileSpec::default() }, &[]);
    let data = Data::image(LE)
        .text((8, 0x70), b"LO", "asked by Quokka, ORD-77123, bed in Wombatstation")
        .text((0x10, 0x20), b"LO", "PID-1")
        .text((0x18, 0x1200), b"DA", "")
        .text((0x32, 0x1032), b"PN", "Quokka^Ann")
        .text((0x38, 0x0300), b"LO", "Wombatstation")
        .text((0x40, 0x0006), b"PN", "Numbat^Sue")
        .text((0x40, 0x2017), b"LO", "ORD-77123")
        .text((0x40, 0x2400), b"LT", "by Numbat");
    for sizes in [&[usize::MAX][..], &[1], &[7]] {
        let bytes = sent(&rules, LE, &data, sizes);
        for word in ["quokka", "77123", "wombat", "numbat"] {
            assert!(!holds(&bytes, word), "{word}");
        }
        assert!(holds(&bytes, "asked by ***, ***, bed in ***"));
    }
}
