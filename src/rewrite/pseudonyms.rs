//! The pseudonyms of one data set: those that are known, and those made for it.

use std::collections::HashMap;
use std::sync::Arc;

use super::character_set::{self, CharacterSet};
use super::correspondence::{Correspondence, Correspondences, Kind, Written};
use super::error::RewriteProblem;
use super::instance::Instance;
use super::keyed::{Domain, Key};
use super::patient_id::is_nobody;
use super::way::Way;
use super::{keyed, restored};
use crate::dataset::Vr;

/// Made for one data set and not taken yet. A header within the bounds of the look-ahead cannot hold so many.
const MOST: usize = 1 << 16;

/// Without a crosswalk, pseudonyms are made and forgotten.
#[derive(Clone, Default)]
pub(super) struct Pseudonyms {
    known: Option<Arc<dyn Correspondences>>,
    /// The real (0010,0020) of whom the data set is on, where that is known before it is rewritten.
    pub(super) patient: Option<Vec<u8>>,
    made: HashMap<(Kind, Vec<u8>), Made>,
}

/// What somebody has to hear of.
#[derive(Clone)]
struct Made {
    pseudonym: Vec<u8>,
    written: Option<Written>,
    why: Why,
}

/// Why somebody has to hear of a pseudonym.
#[derive(Clone, PartialEq, Eq)]
enum Why {
    New,
    /// Known already, but not whose it is.
    Ownerless,
    /// Known already, as of the patient with this real Patient ID.
    Owned(Vec<u8>),
}

impl Pseudonyms {
    pub(super) fn remembered_by(&mut self, known: Arc<dyn Correspondences>) {
        self.known = Some(known);
    }

    /// The pseudonym that a value has already.
    pub(super) fn known(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, RewriteProblem> {
        match &self.known {
            Some(known) => known.pseudonym_of(kind, real).map_err(|_| RewriteProblem::Crosswalk),
            None => Ok(None),
        }
    }

    /// As [`known`](Self::known), for a data set of the patients' side that has the value: it is its patient's, if not of
    /// that one alone.
    pub(super) fn used(
        &mut self,
        kind: Kind,
        real: &[u8],
        written: Option<&Written>,
    ) -> Result<Option<Vec<u8>>, RewriteProblem> {
        let known = self.known(kind, real)?;
        if let Some(pseudonym) = &known {
            self.claim(kind, pseudonym, true, written)?;
        }
        Ok(known)
    }

    /// What a value is remembered as: its text in UTF-8, so that it is the same in every character set, or where that cannot
    /// be told, its bytes; and how it was written, where that matters.
    pub(super) fn identity(
        &self,
        kind: Kind,
        (bytes, set): (&[u8], &CharacterSet),
    ) -> Result<(Vec<u8>, Option<Written>), RewriteProblem> {
        if self.known.is_none() || character_set::is_plain(bytes) {
            return Ok((bytes.to_vec(), None));
        }
        let written = Written { bytes: bytes.to_vec(), set: set.name().to_vec() };
        let Some(text) = set.text(bytes).filter(|text| text.as_bytes() != bytes) else {
            return Ok((bytes.to_vec(), Some(written)));
        };
        // An earlier version knew values by their bytes alone.
        let is_known = self.known(kind, text.as_bytes())?.is_some();
        let is_old = !is_known && self.row(kind, bytes)?.is_some_and(|row| row.written.is_none());
        Ok((if is_old { bytes.to_vec() } else { text.into_owned().into_bytes() }, Some(written)))
    }

    /// What is remembered of a real value.
    pub(super) fn row(&self, kind: Kind, real: &[u8]) -> Result<Option<Correspondence>, RewriteProblem> {
        let Some((pseudonym, known)) = self.known(kind, real)?.zip(self.known.as_ref()) else {
            return Ok(None);
        };
        known.behind(kind, &pseudonym).map_err(|_| RewriteProblem::Crosswalk)
    }

    /// As [`put`](Self::put), for text by its [identity](Self::identity); `make` gets what it is remembered as.
    pub(super) fn put_text(
        &mut self,
        kind: Kind,
        (real, written): (Vec<u8>, Option<Written>),
        new: &mut Vec<u8>,
        make: impl FnOnce(&[u8], &mut Vec<u8>),
    ) -> Result<(), RewriteProblem> {
        if let Some(pseudonym) = self.used(kind, &real, written.as_ref())? {
            new.extend_from_slice(&pseudonym);
            return Ok(());
        }
        let start = new.len();
        make(&real, new);
        self.keep(kind, (&real, written), new.get(start..).unwrap_or_default())
    }

    /// Appends the pseudonym of a value: the one that it has, else the one that `make` appends.
    pub(super) fn put(
        &mut self,
        kind: Kind,
        real: &[u8],
        new: &mut Vec<u8>,
        make: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), RewriteProblem> {
        if let Some(pseudonym) = self.used(kind, real, None)? {
            new.extend_from_slice(&pseudonym);
            return Ok(());
        }
        let start = new.len();
        make(new);
        self.keep(kind, (real, None), new.get(start..).unwrap_or_default())
    }

    /// Appends the new UID for an old one. Those that the standard registers stay, and nobody needs to remember them.
    pub(super) fn put_uid(&mut self, key: &Key, old: &[u8], new: &mut Vec<u8>) -> Result<(), RewriteProblem> {
        if keyed::is_fixed(old) {
            new.extend_from_slice(old);
            return Ok(());
        }
        self.put(Kind::Uid, old, new, |new| keyed::put_uid(key, old, new))
    }

    /// The days by which the dates of a patient move: known, else as `make` says.
    pub(super) fn days(&mut self, patient: &[u8], make: impl FnOnce() -> i32) -> Result<i32, RewriteProblem> {
        let known = self.known(Kind::Days, patient)?;
        let known = known.and_then(|days| std::str::from_utf8(&days).ok()?.parse().ok());
        if let Some(days) = known {
            return Ok(days);
        }
        let days = make();
        self.keep(Kind::Days, (patient, None), days.to_string().as_bytes())?;
        Ok(days)
    }

    /// Notes what a pseudonym that is the patient's stands for in one attribute.
    pub(super) fn note(
        &mut self,
        kind: Kind,
        (real, written): (&[u8], Option<Written>),
        pseudonym: &[u8],
    ) -> Result<(), RewriteProblem> {
        let Some(known) = &self.known else { return Ok(()) };
        let found = known.behind(kind, pseudonym).map_err(|_| RewriteProblem::Crosswalk)?;
        match found {
            Some(found) if found.real == real && (found.written.is_some() || written.is_none()) => Ok(()),
            _ => self.keep(kind, (real, written), pseudonym),
        }
    }

    /// Notes a pseudonym that was made.
    pub(super) fn keep(
        &mut self,
        kind: Kind,
        (real, written): (&[u8], Option<Written>),
        pseudonym: &[u8],
    ) -> Result<(), RewriteProblem> {
        if self.known.is_none() || is_nobody(real) {
            return Ok(());
        }
        self.note_why(kind, real, Made { pseudonym: pseudonym.to_vec(), written, why: Why::New })
    }

    /// Notes a pseudonym that is known, where nobody knows whose it is, or it is known as somebody else's and `may_share`.
    fn claim(
        &mut self,
        kind: Kind,
        pseudonym: &[u8],
        may_share: bool,
        written: Option<&Written>,
    ) -> Result<(), RewriteProblem> {
        let Some(known) = &self.known else { return Ok(()) };
        let found = known.behind(kind, pseudonym).map_err(|_| RewriteProblem::Crosswalk)?;
        let Some(Correspondence { kind, real, patient, written: known, .. }) = found else { return Ok(()) };
        let why = match patient {
            // An earlier version did not remember how it was written.
            _ if known.is_none() && written.is_some() => Why::New,
            None => Why::Ownerless,
            Some(owner) if may_share && self.patient.as_ref() != Some(&owner) => Why::Owned(owner),
            Some(_) => return Ok(()),
        };
        let written = known.or(written.cloned());
        self.note_why(kind, &real, Made { pseudonym: pseudonym.to_vec(), written, why })
    }

    /// Whether the patients' side has said of what is known as somebody else's that it is this patient's too.
    pub(super) fn is_shared(&self, found: &Correspondence, patient: &[u8]) -> Result<bool, RewriteProblem> {
        match Correspondence::shared(found.kind, &found.real, patient) {
            Some(shared) => Ok(self.known(shared.kind, &shared.real)?.is_some()),
            None => Ok(false),
        }
    }

    fn note_why(&mut self, kind: Kind, real: &[u8], made: Made) -> Result<(), RewriteProblem> {
        if self.made.len() >= MOST {
            return Err(RewriteProblem::TooManyPseudonyms);
        }
        self.made.insert((kind, real.to_vec()), made);
        Ok(())
    }

    /// What a pseudonym stands for, under the first of the kinds that knows it.
    pub(super) fn behind(
        &self,
        kinds: &[Kind],
        vr: Vr,
        pseudonym: &[u8],
    ) -> Result<Option<Correspondence>, RewriteProblem> {
        let known = self.known.as_ref().ok_or(RewriteProblem::Crosswalk)?;
        let bare = restored::bare(vr, pseudonym);
        for kind in kinds {
            for form in [pseudonym, bare].iter().take(1 + usize::from(bare != pseudonym)) {
                let found = known.behind(*kind, form).map_err(|_| RewriteProblem::Crosswalk)?;
                // Nobody is no patient, whatever an earlier version made of that.
                if let Some(found) = found.filter(|found| !is_nobody(&found.real)) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The real value that a pseudonym stands for, under the first of the kinds that knows it.
    pub(super) fn real(
        &self,
        kinds: &[Kind],
        vr: Vr,
        pseudonym: &[u8],
    ) -> Result<Option<Vec<u8>>, RewriteProblem> {
        Ok(self.behind(kinds, vr, pseudonym)?.map(|found| found.real))
    }

    /// What a value is on the other side.
    pub(super) fn across(
        &self,
        way: Way,
        kinds: &[Kind],
        vr: Vr,
        value: &[u8],
    ) -> Result<Option<Vec<u8>>, RewriteProblem> {
        let is_fixed = kinds == [Kind::Uid] && keyed::is_fixed(value);
        match way {
            _ if is_fixed => Ok(Some(value.to_vec())),
            Way::ToReal => self.real(kinds, vr, value),
            Way::ToPseudonyms => {
                let mut forward = kinds.iter().filter(|kind| kind.leads_forward());
                forward.find_map(|kind| self.known(*kind, value).transpose()).transpose()
            }
        }
    }

    /// The real Patient ID that a UID from the world of pseudonyms belongs to, where that is known.
    pub(super) fn patient_of(&self, uid: &[u8]) -> Result<Option<Vec<u8>>, RewriteProblem> {
        Ok(self.behind_uid(uid)?.and_then(|found| found.patient))
    }

    /// What a UID from the world of pseudonyms stands for.
    pub(super) fn behind_uid(&self, uid: &[u8]) -> Result<Option<Correspondence>, RewriteProblem> {
        self.behind(&[Kind::Uid], Vr::UI, uid)
    }

    /// Appends what a UID from the world of pseudonyms is on the patients' side. Of one that is nobody's pseudonym it is
    /// made, and remembered: what its sender wrote may be a real one, and whether it is, nobody asks. Whose a real one
    /// is, its sender does not say; whose its own is, it does.
    pub(super) fn put_real_uid(
        &mut self,
        key: &Key,
        uid: &[u8],
        new: &mut Vec<u8>,
    ) -> Result<(), RewriteProblem> {
        if keyed::is_fixed(uid) {
            new.extend_from_slice(uid);
            return Ok(());
        }
        match self.behind_uid(uid)? {
            Some(found) => {
                new.extend_from_slice(&found.real);
                if found.kind == Kind::OwnUid { self.claim(Kind::Uid, uid, false, None) } else { Ok(()) }
            }
            None => {
                let start = new.len();
                keyed::put_uid_of(Domain::OwnUid, key, uid, new);
                self.keep(Kind::OwnUid, (new.get(start..).unwrap_or_default(), None), uid)
            }
        }
    }

    /// Those of the instance that the data set is about, which is its patient's.
    pub(super) fn add(&mut self, Instance { made, ownerless, .. }: Instance) {
        let made = made.into_iter().map(|one| (one, Why::New));
        let all = made.chain(ownerless.into_iter().map(|one| (one, Why::Ownerless)));
        self.made.extend(all.map(|(one, why)| {
            let Correspondence { kind, real, pseudonym, written, .. } = one;
            ((kind, real), Made { pseudonym, written, why })
        }));
    }

    /// Those known that are nobody's.
    pub(super) fn take_ownerless(&mut self) -> Vec<Correspondence> {
        let known = self.made.extract_if(|_, made| made.why == Why::Ownerless);
        let known = known.map(|((kind, real), Made { pseudonym, written, .. })| Correspondence {
            kind,
            real,
            pseudonym,
            patient: None,
            written,
        });
        known.collect()
    }

    /// Those made since the last call, and those known that were nobody's. They are `patient`'s, by the real Patient ID. What
    /// is known as another patient's is this one's too where the data set `says` on whom it is.
    pub(super) fn take(&mut self, patient: Option<&[u8]>, says: bool) -> Vec<Correspondence> {
        let patient = patient.filter(|patient| !is_nobody(patient));
        let made = std::mem::take(&mut self.made).into_iter();
        let made = made.filter_map(|((kind, real), Made { pseudonym, written, why })| match (why, patient) {
            (Why::Ownerless, None) => None,
            (Why::New | Why::Ownerless, patient) => {
                let patient = patient.map(<[u8]>::to_vec);
                Some(Correspondence { kind, real, pseudonym, patient, written })
            }
            (Why::Owned(owner), Some(patient)) if says && owner != patient => {
                let shared = Correspondence::shared(kind, &real, patient)?;
                // What cannot be looked up now is stored again, which changes nothing.
                let is_known = self.known(shared.kind, &shared.real).is_ok_and(|known| known.is_some());
                (!is_known).then_some(shared)
            }
            (Why::Owned(_), _) => None,
        });
        made.collect()
    }
}

/// Says nothing of the values.
impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").field("made", &self.made.len()).finish_non_exhaustive()
    }
}
