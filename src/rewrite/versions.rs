//! What an identifier is called under each version of the secret, so that a secret can be rotated while the pseudonyms that
//! were made with the old one stay readable.

use super::dates;
use super::keyed::{self, Key};
use super::patient_id::patient_key;
use super::profile::ProfileOption;
use super::table::Ruleset;
use crate::dataset::trim;

/// What is made of an identifier under one version of the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Pseudonyms {
    /// Of the secret, counted from 1.
    pub version: u32,
    /// Whether this version is the one that objects get now.
    pub is_current: bool,
    /// `{pseudonym}` for a patient of this Patient ID: 64 hexadecimal digits, of which values have the first ones.
    pub patient: String,
    /// `{value}` and `pseudonym` for this value, as long.
    pub value: String,
    /// For this UID.
    pub uid: Option<String>,
    /// Days by which the dates of a patient of this Patient ID move, where they do.
    pub days: Option<i32>,
}

impl Ruleset {
    /// The version of the secret in use, where secrets have versions.
    pub fn secret_version(&self) -> Option<u32> {
        self.secret_version
    }

    /// The versions of the secrets that are kept besides it.
    pub fn other_secret_versions(&self) -> impl Iterator<Item = u32> {
        self.other_secrets.iter().map(|(version, _)| *version)
    }

    /// What an identifier, as it is written in data sets, or a Patient ID with a tab and its issuer, is called under each version of the secret, the newest first. A
    /// secret without a version is version 1; without a secret there is nothing.
    pub fn pseudonyms_of(&self, identifier: &[u8]) -> Vec<Pseudonyms> {
        let identifier = self.identity(trim(identifier));
        let current = self.date_key.iter().map(|key| (self.secret_version.unwrap_or(1), key, true));
        let others = self.other_secrets.iter().map(|(version, key)| (*version, key, false));
        let mut all: Vec<Pseudonyms> = current
            .chain(others)
            .map(|(version, key, is_current)| self.under(version, key, is_current, &identifier))
            .collect();
        all.sort_by_key(|pseudonyms| std::cmp::Reverse(pseudonyms.version));
        all
    }

    fn identity(&self, identifier: &[u8]) -> Vec<u8> {
        let mut parts = identifier.splitn(2, |b| *b == b'\t');
        let (first, issuer) = (parts.next().unwrap_or_default(), parts.next().filter(|_| self.with_issuer));
        patient_key(trim(first), trim(issuer.unwrap_or_default()))
    }

    fn under(&self, version: u32, key: &Key, is_current: bool, identifier: &[u8]) -> Pseudonyms {
        let text = |put: fn(&Key, &[u8], usize, &mut Vec<u8>)| {
            let mut digits = Vec::new();
            put(key, identifier, keyed::DIGITS, &mut digits);
            String::from_utf8_lossy(&digits).into_owned()
        };
        let mut uid = Vec::new();
        keyed::put_uid(key, identifier, &mut uid);
        let is_uid =
            identifier.contains(&b'.') && identifier.iter().all(|&b| b.is_ascii_digit() || b == b'.');
        let shifting = self.profile().filter(|spec| spec.has(ProfileOption::RetainLongitudinalModifiedDates));
        Pseudonyms {
            version,
            is_current,
            patient: text(keyed::put_patient),
            value: text(keyed::put_pseudonym),
            uid: is_uid.then(|| String::from_utf8_lossy(&uid).into_owned()),
            days: shifting.map(|spec| dates::days(key, identifier, spec.date_shift_days)),
        }
    }
}

/// Says nothing of the values.
impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").field("version", &self.version).finish_non_exhaustive()
    }
}
