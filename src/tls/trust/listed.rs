//! The certificates of `client-ca` and `ca`: what each of them can be trusted for.

use rustls::pki_types::CertificateDer;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use crate::tls::facts::Facts;
use crate::tls::material::{self, FileDigest};
use crate::tls::unfit::Unfit;
use crate::tls::{Role, TlsError};

/// One certificate that the configuration trusts.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub der: CertificateDer<'static>,
    pub facts: Facts,
    /// The file that lists it.
    pub file: PathBuf,
    /// Its place among the certificates of that file, counted from 1.
    number: usize,
}

impl Listed {
    /// The certificates of PEM files, at least one of each, but those that an earlier file or place lists already.
    pub(crate) fn of_all(
        key: &'static str,
        files: &[PathBuf],
        seen: &mut Vec<FileDigest>,
    ) -> Result<Vec<Self>, TlsError> {
        let mut listed: Vec<Self> = Vec::new();
        for file in files {
            for one in Self::of(key, file, seen)? {
                if !listed.iter().any(|earlier| earlier.der == one.der) {
                    listed.push(one);
                }
            }
        }
        Ok(listed)
    }

    /// The certificates of a PEM file, at least one.
    pub(crate) fn of(
        key: &'static str,
        file: &Path,
        seen: &mut Vec<FileDigest>,
    ) -> Result<Vec<Self>, TlsError> {
        let listed =
            material::certificates(key, file, seen)?.into_iter().zip(1..).map(
                |(der, number)| match Facts::of(&der) {
                    Ok(facts) => Ok(Self { der, facts, file: file.to_owned(), number }),
                    Err(error) => Err(unusable(key, file, number, &error)),
                },
            );
        listed.collect()
    }

    pub(crate) fn unusable(&self, key: &'static str, why: &dyn Display) -> TlsError {
        unusable(key, &self.file, self.number, why)
    }

    /// Whether what it signed is trusted.
    pub(crate) fn is_authority(&self) -> bool {
        self.facts.signs && Unfit::to_sign(&self.facts).is_none()
    }

    /// Whether it is trusted itself, for its key, where a peer of this role shows it.
    pub(crate) fn stands_for_itself(&self, role: Role) -> bool {
        self.would_stand(role) && Unfit::to_show(&self.facts).is_none()
    }

    /// As [`Listed::stands_for_itself`], were it fit to be shown.
    pub(crate) fn would_stand(&self, role: Role) -> bool {
        self.facts.proves && role.allows(&self.facts)
    }

    /// Why it is good for nothing, where it is: what it is, as in "is of X.509 version 1".
    pub(crate) fn uselessness(&self, role: Role) -> String {
        let unfit = Unfit::to_show(&self.facts);
        unfit.map_or_else(
            || format!("is neither a CA's, nor does its key usage allow {} to show it", role.name()),
            |why| why.to_string(),
        )
    }
}

fn unusable(key: &'static str, file: &Path, number: usize, why: &dyn Display) -> TlsError {
    TlsError::BadCertificate { key, file: file.to_owned(), number, detail: why.to_string() }
}
