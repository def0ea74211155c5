//! A folder with a crosswalk in it, and what tests put there.

use std::fs;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::crosswalk::{Crosswalk, CrosswalkError, Secret, export};
use crate::dataset::{PATIENT_ID, Tag};
use crate::rewrite::{Correspondence, Kind};
use crate::scratch::Scratch;

pub(super) const NAME: Kind = Kind::OfPatient(Tag(0x0010, 0x0010));
pub(super) const ACCESSION: Kind = Kind::Value(Tag(0x0008, 0x0050));
pub(super) const ID: Kind = Kind::Value(PATIENT_ID);

pub(super) fn secret(byte: u8) -> Secret {
    Secret::new(Zeroizing::new(vec![byte; 48]))
}

pub(super) fn pair(kind: Kind, real: &str, pseudonym: &str, patient: Option<&str>) -> Correspondence {
    let bytes = |text: &str| text.as_bytes().to_vec();
    Correspondence {
        kind,
        real: bytes(real),
        pseudonym: bytes(pseudonym),
        patient: patient.map(bytes),
        written: None,
    }
}

/// Two patients, with a study each, and a UID of nobody.
pub(super) fn site() -> Vec<Correspondence> {
    let of = |patient: &'static str, n: u32| {
        let p = Some(patient);
        vec![
            pair(ID, patient, &format!("PSEUDO{n}"), p),
            pair(Kind::Patient, patient, &format!("{n:064}"), p),
            pair(Kind::Days, patient, "-123", p),
            pair(NAME, &format!("SURNAME{n}^FIRST"), &format!("ANON^PSEUDO{n}"), p),
            pair(ACCESSION, &format!("ACCESSION{n}"), &format!("CODE{n}"), p),
            pair(Kind::Uid, &format!("1.2.826.0.1.777.{n}"), &format!("2.25.{n}"), p),
        ]
    };
    let mut all = of("HOSPITAL-4711", 1);
    all.extend(of("HOSPITAL-4712", 2));
    all.push(pair(Kind::Uid, "1.2.826.0.1.999", "2.25.999", None));
    all
}

pub(super) struct Folder(pub(super) Scratch);

impl Folder {
    pub(super) fn new() -> Self {
        Self(Scratch::new())
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("site.crosswalk")
    }

    pub(super) fn open(&self) -> Crosswalk {
        Crosswalk::open(&self.path(), &secret(1)).unwrap()
    }

    pub(super) fn filled(&self) -> PathBuf {
        self.open().store_blocking(site()).unwrap();
        self.path()
    }

    /// Everything that is in the files, journal and lock included.
    pub(super) fn bytes(&self) -> Vec<u8> {
        fs::read_dir(self.0.path())
            .unwrap()
            .flat_map(|entry| fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }
}

pub(super) fn everything(path: &std::path::Path, key: u8) -> Result<Vec<Correspondence>, CrosswalkError> {
    let mut all = Vec::new();
    export(path, &secret(key), None, |one| -> Result<(), CrosswalkError> {
        all.push(one.clone());
        Ok(())
    })?;
    Ok(all)
}

pub(super) fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}
