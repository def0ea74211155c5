//! Which pseudonym stands for which real value, in one rewrite domain.
//!
//! A pseudonym is made by an HMAC, so that the way back has to be remembered: a [`Transform`](super::Transform) tells
//! which [`Correspondence`]s it made, and whoever sends its output on remembers them first. A value that has a
//! pseudonym already keeps it, whatever the rules and secrets have become since: forward, [`Correspondences`] are asked
//! before anything is made.

use std::fmt;

use crate::dataset::Tag;

/// What kind of value a pseudonym stands for. Values of one kind have a name space of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A UID, in whatever attribute it stands, command sets included. One real UID, one pseudonym.
    Uid,
    /// A UID that came from the world of pseudonyms and was nobody's pseudonym there: `pseudonym` as its sender wrote it,
    /// `real` made for the patients' side, which never sees the other. Whatever its sender wrote, it can name nothing that
    /// is on that side.
    OwnUid,
    /// A value of an attribute whose pseudonym is made from the value itself: Patient ID (0010,0020), Accession Number
    /// (0008,0050), Study ID (0020,0010) and others. One real value, one pseudonym.
    Value(Tag),
    /// A value of an attribute whose pseudonym is made from the patient: Patient's Name (0010,0010) as
    /// `ANON^{pseudonym}`, say. Several real values may have the pseudonym; what it stands for is the newest.
    OfPatient(Tag),
    /// What `{pseudonym}` abbreviates: `real` is the Patient ID, `pseudonym` 64 hexadecimal digits.
    Patient,
    /// Days by which dates of a patient move: `real` is the Patient ID, `pseudonym` a decimal number. One way: no patient
    /// is found by it.
    Days,
    /// That a UID, which is another patient's, is this one's too: see [`Correspondence::shared`].
    SharedUid,
    /// That a [value](Kind::Value), which is another patient's, is this one's too.
    Shared(Tag),
}

impl Kind {
    /// Whether a pseudonym stands for one real value only.
    pub fn is_unambiguous(self) -> bool {
        matches!(self, Self::Uid | Self::OwnUid | Self::Value(_) | Self::Patient)
    }

    /// The kind whose values this one's are looked for among: a UID on its own says not which of the two it is.
    pub fn name_space(self) -> Self {
        if self == Self::OwnUid { Self::Uid } else { self }
    }

    /// Whether the real value is found by the pseudonym.
    pub fn leads_back(self) -> bool {
        !matches!(self, Self::Days | Self::SharedUid | Self::Shared(_))
    }

    /// Whether the pseudonym is found by the real value alone.
    pub fn leads_forward(self) -> bool {
        !matches!(self, Self::OfPatient(_))
    }
}

/// A value that is not the same in every character set, as it was written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Written {
    /// Its bytes in that character set.
    pub bytes: Vec<u8>,
    /// (0008,0005) of its data set or item; empty where there was none.
    pub set: Vec<u8>,
}

/// A real value and the pseudonym that stands for it. Both without padding, one value of several. A real value is the text
/// in UTF-8, so that a patient is the same in every character set, and where nobody can tell the text, its bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Correspondence {
    /// Which name space it belongs to.
    pub kind: Kind,
    /// What is on the patients' side.
    pub real: Vec<u8>,
    /// What stands for it on the other side; empty where nothing does.
    pub pseudonym: Vec<u8>,
    /// The real Patient ID (0010,0020) of the first data set with one that it was found in: what is erased together.
    pub patient: Option<Vec<u8>>,
    /// The real value as it came, where it is not plain ASCII.
    pub written: Option<Written>,
}

impl Correspondence {
    /// That a value or UID of this kind is `patient`'s too, since the patients' side says so of it: a device's own UID, an
    /// accession number given twice. `real` is the value and the real Patient ID, with a NUL between them; nothing stands
    /// for it. `None` where values of the kind are one patient's each.
    pub fn shared(kind: Kind, real: &[u8], patient: &[u8]) -> Option<Self> {
        let kind = match kind {
            Kind::Uid | Kind::OwnUid => Kind::SharedUid,
            Kind::Value(tag) => Kind::Shared(tag),
            _ => return None,
        };
        let (real, patient) = ([real, b"\0", patient].concat(), Some(patient.to_vec()));
        Some(Self { kind, real, pseudonym: Vec::new(), patient, written: None })
    }

    /// The real value alone, also of one that is shared.
    pub fn value(&self) -> &[u8] {
        let behind = self.patient.as_ref().filter(|_| matches!(self.kind, Kind::SharedUid | Kind::Shared(_)));
        let value =
            behind.and_then(|patient| self.real.strip_suffix(patient.as_slice())?.strip_suffix(b"\0"));
        value.unwrap_or(&self.real)
    }
}

/// Says nothing of the values.
impl fmt::Debug for Correspondence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Correspondence").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Correspondences cannot be looked up at the moment. The reason is in the log, not here: it goes to nobody outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the crosswalk cannot be read")]
pub struct Unavailable;

/// The correspondences of one rewrite domain that are remembered, durably. They are looked for by a kind that is a
/// [name space](Kind::name_space), and found under the kind that they are of.
pub trait Correspondences: Send + Sync {
    /// The pseudonym that stands for a real value; `None` where it has none yet.
    ///
    /// # Errors
    /// It cannot be known: nothing may be made instead.
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable>;

    /// What a pseudonym stands for, and whose it is; `None` where it stands for nothing that is known.
    ///
    /// # Errors
    /// It cannot be known: nothing may be guessed instead.
    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable>;

    /// The real value that a pseudonym stands for.
    ///
    /// # Errors
    /// As [`behind`](Self::behind).
    fn real_of(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.behind(kind, pseudonym)?.map(|correspondence| correspondence.real))
    }
}
