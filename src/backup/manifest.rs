//! What a backup says of itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use super::kind::Kind;
use super::place::Place;

/// What is written here, and the newest that is read.
pub const VERSION: u32 = 1;
const FORMAT: &str = "dimsegate-backup";
/// In the folder of a restore: what means something beside the trail only, which is not in a backup.
const OF_THE_TRAIL: &str = "of-the-trail";

/// The first member of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// Always the same.
    pub format: String,
    /// See [`VERSION`].
    pub version: u32,
    /// Which program made it.
    pub made_by: String,
    /// When the first of it was read (RFC 3339).
    pub made: String,
    /// Where the configuration is: the first of the members.
    pub configuration: Place,
    /// The digest of what was in force, as records have it.
    pub digest: String,
    /// The tenants of the file.
    pub tenants: Vec<String>,
    /// Where each trail was; read before anything else, so that what is here never knows less than the trail up to there.
    pub heads: Vec<Head>,
    /// What is in it, in this order.
    pub members: Vec<Member>,
    /// What is not in it, and has to be there before it can run again.
    pub references: Vec<Reference>,
}

/// A trail, and how far it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The folder of the records.
    pub directory: Place,
    /// `SEQUENCE:SHA256`; `None` where it had none yet.
    pub head: Option<String>,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What it is.
    pub kind: Kind,
    /// Where it was.
    pub place: Place,
    /// Bytes.
    pub length: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// A file that the configuration names, and that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Where it was.
    pub place: Place,
    /// Lower-case hex. `None` of a short one, which may be a password that somebody could guess by it.
    pub sha256: Option<String>,
}

/// What is read before anything else is believed.
#[derive(Deserialize)]
struct Version {
    format: String,
    version: u32,
}

impl Member {
    /// Where it is put, below the folder of a restore.
    pub fn below(&self) -> PathBuf {
        match self.kind.is_of_the_trail() {
            true => Path::new(OF_THE_TRAIL).join(self.place.below()),
            false => self.place.below().to_owned(),
        }
    }
}

impl Manifest {
    /// What [`Manifest::format`] is.
    pub fn format() -> String {
        FORMAT.to_owned()
    }

    /// From its text, with everything checked that can be.
    ///
    /// # Errors
    /// It is none, or of a later version, or says what cannot be.
    pub(super) fn parse(text: &[u8]) -> Result<Self, BackupError> {
        let none = |_| BackupError::NoBackup;
        let Version { format, version } = serde_json::from_slice(text).map_err(none)?;
        if format != FORMAT {
            return Err(BackupError::NoBackup);
        }
        if version > VERSION {
            return Err(BackupError::Newer { version });
        }
        let manifest: Self =
            serde_json::from_slice(text).map_err(|error| BackupError::Manifest(error.to_string()))?;
        manifest.checked()
    }

    /// Nothing lies at the place of another, or in it.
    pub(super) fn checked(self) -> Result<Self, BackupError> {
        let mut places = BTreeSet::new();
        for member in &self.members {
            if !places.insert(member.below()) {
                return Err(BackupError::Manifest(format!("{} is in it twice", member.place)));
            }
        }
        if let Some(inside) =
            places.iter().find(|one| one.ancestors().skip(1).any(|above| places.contains(above)))
        {
            return Err(BackupError::Manifest(format!("{} is inside of a file", inside.display())));
        }
        match self.members.first() {
            Some(first) if first.kind == Kind::Configuration && first.place == self.configuration => Ok(self),
            _ => Err(BackupError::Manifest("its first member is not the configuration".to_owned())),
        }
    }

    /// Bytes of all members.
    pub fn length(&self) -> u64 {
        self.members.iter().fold(0, |sum, one| sum.saturating_add(one.length))
    }
}
