//! Rules with what they remember, and what crosses them: an object, a report on it, keys of a query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use time::{Date, Month};

use crate::dataset::{Encoding, Tag};
use crate::rewrite::tests::support::*;
use crate::rewrite::{
    Correspondence, Correspondences, Kind, ProfileOption, ProfileSpec, RewriteError, RewriteProblem,
    RuleSpec, Ruleset, RulesetSpec, Subject, Transform, Unavailable, Way,
};

pub(super) const STUDY: &str = "1.2.826.0.1.77";
pub(super) const OTHER_STUDY: &str = "1.2.826.0.1.88";
pub(super) const TODAY: Date = match Date::from_calendar_date(2026, Month::November, 22) {
    Ok(date) => date,
    Err(_) => panic!("a date"),
};

/// A crosswalk that forgets when the test ends.
#[derive(Default)]
pub(super) struct Memory(pub(super) Mutex<Vec<Correspondence>>);

impl Memory {
    pub(super) fn store(&self, made: Vec<Correspondence>) {
        self.0.lock().unwrap().extend(made);
    }

    pub(super) fn find(&self, wanted: impl Fn(&&Correspondence) -> bool) -> Option<Correspondence> {
        self.0.lock().unwrap().iter().rev().find(wanted).cloned()
    }
}

impl Correspondences for Memory {
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.find(|one| one.kind.name_space() == kind && one.real == real).map(|one| one.pseudonym))
    }

    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        Ok(self.find(|one| one.kind.name_space() == kind && one.pseudonym == pseudonym))
    }
}

/// Rules, and what they remember.
pub(super) struct Domain {
    pub(super) rules: Arc<Ruleset>,
    pub(super) memory: Arc<Memory>,
}

impl Domain {
    pub(super) fn new(profile: Option<ProfileSpec>, rules: &[RuleSpec]) -> Self {
        let spec = RulesetSpec { profile, ..spec(rules) };
        Self { rules: Arc::new(Ruleset::compile(spec).unwrap()), memory: Arc::default() }
    }

    /// The basic profile with modified dates, and pseudonyms that lead back.
    pub(super) fn site() -> Self {
        let options =
            vec![ProfileOption::RetainLongitudinalModifiedDates, ProfileOption::RetainPatientCharacteristics];
        let profile = ProfileSpec { options, keep_times: true, ..ProfileSpec::default() };
        Self::new(
            Some(profile),
            &[
                rule_with("PatientName", "replace", "ANON^{pseudonym}"),
                rule_with("PatientID", "replace", "{pseudonym}"),
                rule("AccessionNumber", "pseudonym"),
                rule_with("InstitutionName", "replace", "SITE-07"),
            ],
        )
    }

    pub(super) fn across(
        &self,
        way: Way,
        subject: Subject,
        encoding: Encoding,
        input: &[u8],
        sizes: &[usize],
    ) -> Result<(Vec<u8>, Transform), RewriteError> {
        let transform = Transform::across(self.rules.clone(), way, subject, encoding)
            .with_crosswalk(Arc::clone(&self.memory) as Arc<dyn Correspondences>)
            .for_peer("reader".into())
            .on(TODAY);
        let (sent, mut transform) = run_in(transform, input, sizes)?;
        self.memory.store(transform.take_correspondences());
        Ok((sent, transform))
    }

    pub(super) fn out(&self, data: &Data) -> Vec<u8> {
        self.across(Way::ToPseudonyms, Subject::Object(expected()), LE, &data.bytes, &[9999]).unwrap().0
    }

    pub(super) fn attributes(&self, way: Way, data: &Data) -> Result<Vec<u8>, RewriteError> {
        self.across(way, Subject::Attributes, LE, &data.bytes, &[3]).map(|(sent, _)| sent)
    }

    pub(super) fn back(&self, data: &Data) -> Result<Vec<u8>, RewriteError> {
        self.across(Way::ToReal, object_of(&data.bytes), LE, &data.bytes, &[7]).map(|(sent, _)| sent)
    }

    pub(super) fn keys(&self, way: Way, data: &Data) -> Result<Vec<u8>, RewriteProblem> {
        let keys = self.across(way, Subject::Keys, LE, &data.bytes, &[5]);
        keys.map(|(sent, _)| sent).map_err(|error| error.problem)
    }

    /// The pseudonym that a value has.
    pub(super) fn of(&self, kind: Kind, real: &str) -> String {
        let found = self.memory.find(|one| one.kind == kind && one.real == real.as_bytes());
        String::from_utf8(found.unwrap_or_else(|| panic!("{kind:?} {real}")).pseudonym).unwrap()
    }

    pub(super) fn patient(&self) -> String {
        self.of(Kind::Value(Tag(0x10, 0x20)), "PID-1")
    }

    pub(super) fn uid(&self, real: &str) -> String {
        self.of(Kind::Uid, real)
    }

    /// What a UID of the pseudonyms' side's own is called on the patients' side.
    pub(super) fn own(&self, uid: &str) -> String {
        let found = self.memory.find(|one| one.kind == Kind::OwnUid && one.pseudonym == uid.as_bytes());
        String::from_utf8(found.unwrap_or_else(|| panic!("{uid}")).real).unwrap()
    }
}

/// What a command would say of an object, from its own (0008,0018).
pub(super) fn object_of(bytes: &[u8]) -> Subject {
    let uid = text_of(&elements(bytes, LE), (8, 0x18)).unwrap();
    Subject::Object(crate::rewrite::Expected { sop_instance_uid: uid.parse().unwrap(), ..expected() })
}

/// Elements at the top of an explicit little endian data set, by tag; sequences as their bytes.
pub(super) fn elements(bytes: &[u8], encoding: Encoding) -> HashMap<(u16, u16), Vec<u8>> {
    use crate::dataset::{Event, Kind, Raw, Scanner};
    let mut scanner = Scanner::new(encoding.syntax, 32);
    let (mut at, mut tag, mut found) = (0, None, HashMap::new());
    while let Some(Event { kind, raw }) = scanner.next(bytes, &mut at).unwrap() {
        match (kind, raw) {
            (Kind::Element(header), _) if scanner.depth() == 0 => {
                tag = Some((header.tag.0, header.tag.1));
                found.insert((header.tag.0, header.tag.1), Vec::new());
            }
            (Kind::Value { .. }, Raw::Input(range)) => {
                if let Some(value) = tag.and_then(|tag| found.get_mut(&tag)) {
                    value.extend_from_slice(&bytes[range]);
                }
            }
            (Kind::SequenceStart(header), _) if scanner.depth() == 1 => {
                tag = Some((header.tag.0, header.tag.1));
                found.insert((header.tag.0, header.tag.1), Vec::new());
            }
            _ => {}
        }
    }
    scanner.finish().unwrap();
    found
}

pub(super) fn text_of(elements: &HashMap<(u16, u16), Vec<u8>>, tag: (u16, u16)) -> Option<String> {
    let value = elements.get(&tag)?;
    Some(String::from_utf8_lossy(crate::dataset::trim(value)).into_owned())
}

pub(super) fn text(bytes: &[u8], tag: (u16, u16)) -> Option<String> {
    text_of(&elements(bytes, LE), tag)
}

pub(super) fn image() -> Data {
    let referenced = Data::new(LE).text((8, 0x1150), b"UI", CLASS).text((8, 0x1155), b"UI", "1.2.3.5");
    Data::image(LE)
        .text((8, 0x20), b"DA", "20240301")
        .text((8, 0x30), b"TM", "120000")
        .text((8, 0x50), b"SH", "ACC-1")
        .text((8, 0x80), b"LO", "HOSPITAL")
        .text((8, 0x90), b"PN", "REFERRING^DOCTOR")
        .sequence((8, 0x2112), true, &[referenced])
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text((0x10, 0x20), b"LO", "PID-1")
        .text((0x10, 0x30), b"DA", "19700101")
        .text((0x10, 0x40), b"CS", "F")
        .text((0x20, 0xD), b"UI", STUDY)
        .text((0x20, 0xE), b"UI", "1.2.826.0.1.77.1")
        .text((0x28, 0x301), b"CS", "NO")
}

/// A report of the remote reader on [`image`], in terms of pseudonyms.
pub(super) fn report(site: &Domain) -> Data {
    let date = text(&site.out(&image()), (8, 0x20)).unwrap();
    let referenced = Data::new(LE).text((8, 0x1150), b"UI", CLASS).text(
        (8, 0x1155),
        b"UI",
        &format!("{}\\{}", site.uid(INSTANCE), site.uid("1.2.3.5")),
    );
    Data::new(LE)
        .text((8, 0x16), b"UI", CLASS)
        .text((8, 0x18), b"UI", "2.25.9001")
        .text((8, 0x20), b"DA", &date)
        .text((8, 0x23), b"DA", "20261122")
        .text((8, 0x50), b"SH", &site.of(Kind::Value(Tag(8, 0x50)), "ACC-1"))
        .text((8, 0x80), b"LO", "SITE-07")
        .text((8, 0x90), b"PN", "READER^OWN")
        .text((8, 0x1070), b"PN", "REMOVED")
        .text((0x10, 0x10), b"PN", &format!("ANON^{}^^", site.patient()))
        .text((0x10, 0x20), b"LO", &site.patient())
        .text((0x10, 0x30), b"DA", "19000101")
        .text((0x10, 0x40), b"CS", "F")
        .text((0x12, 0x62), b"CS", "YES")
        .text((0x12, 0x63), b"LO", "a method")
        .text((0x20, 0xD), b"UI", &site.uid(STUDY))
        .text((0x20, 0xE), b"UI", "2.25.9002")
        .text((0x28, 0x303), b"CS", "MODIFIED")
        .sequence((0x40, 0xA375), false, &[referenced])
}

pub(super) fn keys(patient: &str, name: &str, study: &str) -> Data {
    Data::new(LE)
        .text((8, 0x52), b"CS", "STUDY")
        .text((0x10, 0x10), b"PN", name)
        .text((0x10, 0x20), b"LO", patient)
        .text((0x20, 0xD), b"UI", study)
}

/// As [`keys`], of whomever: the archive is asked for the issuer too.
pub(super) fn keys_of_whomever(patient: &str, name: &str, study: &str) -> Data {
    Data::new(LE)
        .text((8, 0x52), b"CS", "STUDY")
        .text((0x10, 0x10), b"PN", name)
        .text((0x10, 0x20), b"LO", patient)
        .text((0x10, 0x21), b"LO", "")
        .text((0x20, 0xD), b"UI", study)
}

pub(super) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
