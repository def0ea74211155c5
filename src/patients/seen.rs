//! Who saw whom today, and whether that may be one more.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use time::Date;

use super::kept::{Kept, Line, Place};
use super::patient::{Name, Patient};

/// Pairs of a name and a patient, of all names together: some 10 MB of memory.
const MOST: usize = 100_000;

/// Queries of a name that may end in a day because it has seen as many as it may: each tells whether something more matches, so
/// that a patient's name could be guessed letter by letter by many.
const MOST_ENDED: u32 = 10;

/// Why patients are not to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// There would be more of them today than there may be.
    #[error("more patients today than there may be")]
    TooMany,
    /// It cannot be known, or not be kept.
    #[error("{0}")]
    Unavailable(String),
}

/// Who saw whom.
#[derive(Debug)]
pub struct Seen {
    place: Place,
    /// `None` until the first patient, and after a failure: then it is read again.
    kept: Mutex<Option<Kept>>,
    /// How many queries of each name ended on that day because of the limit. In memory alone.
    ended: Mutex<HashMap<Name, (Date, u32)>>,
    most: usize,
}

impl Seen {
    /// What is kept in a folder, which is made with the first patient. Nothing is read yet.
    pub fn in_folder(folder: &Path) -> Self {
        Self { place: Place::in_folder(folder), kept: Mutex::default(), ended: Mutex::default(), most: MOST }
    }

    /// Takes patients whom each of these names is to see, all of them or none: whom a name has seen that day, it may see again. It
    /// is on the disk behind this, and waits for that: not for a thread of the runtime.
    ///
    /// # Errors
    /// [`NotTaken`]: nothing is counted, and nobody may be shown.
    pub fn take(
        &self,
        limits: &[(Name, NonZeroU32)],
        patients: &[Patient],
        today: Date,
    ) -> Result<(), NotTaken> {
        let mut slot = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = match slot.take() {
            Some(kept) => kept,
            None => Kept::open(&self.place, today)?,
        };
        if kept.has_to_be_written_anew(today, self.most) {
            kept = kept.write_anew(&self.place, today)?;
        }
        let fresh = fresh(&kept, limits, patients, today);
        match fresh.and_then(|fresh| self.with_room_for(&mut kept, fresh, today)) {
            Ok(fresh) => {
                // Where this fails the file is read again by the next: it may have half a line.
                kept.add(&self.place, &fresh)?;
                *slot = Some(kept);
                Ok(())
            }
            Err(refused) => {
                *slot = Some(kept);
                Err(refused)
            }
        }
    }

    /// The same of a query, which ends where there would be too many: that is counted, for each name whose limit it is.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_of_query(
        &self,
        limits: &[(Name, NonZeroU32)],
        patients: &[Patient],
        today: Date,
    ) -> Result<(), NotTaken> {
        let taken = self.take(limits, patients, today);
        if taken == Err(NotTaken::TooMany) {
            self.note_ended(limits, patients, today);
        }
        taken
    }

    fn note_ended(&self, limits: &[(Name, NonZeroU32)], patients: &[Patient], today: Date) {
        let slot = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = slot.as_ref() else { return };
        let has_ended = |limit: &&(Name, NonZeroU32)| unseen(kept, limit, patients, today).is_err();
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, (day, _)| *day >= today);
        for (name, _) in limits.iter().filter(has_ended) {
            let (day, count) = ended.entry(name.clone()).or_insert((today, 0));
            *day = today;
            *count = count.saturating_add(1);
        }
    }

    /// Whether a query of these names may be asked that day: not once ten of one of them have ended because of the limit.
    pub fn may_ask(&self, names: &[Name], today: Date) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shut =
            |name| ended.get(name).is_some_and(|(day, count)| *day == today && *count >= MOST_ENDED);
        !names.iter().any(is_shut)
    }

    /// What is new, where there is room for it.
    fn with_room_for(&self, kept: &mut Kept, fresh: Vec<Line>, today: Date) -> Result<Vec<Line>, NotTaken> {
        if kept.count() + fresh.len() > self.most {
            kept.forget_before(today);
        }
        if kept.count() + fresh.len() > self.most {
            let most = self.most;
            return Err(NotTaken::Unavailable(format!(
                "{most} patients of all names together were seen today, and there is room for no more"
            )));
        }
        Ok(fresh)
    }

    #[cfg(test)]
    pub(super) fn with_room(self, most: usize) -> Self {
        Self { most, ..self }
    }
}

/// What has to be written down, where each name may see all of these.
fn fresh(
    kept: &Kept,
    limits: &[(Name, NonZeroU32)],
    patients: &[Patient],
    today: Date,
) -> Result<Vec<Line>, NotTaken> {
    let unseen = limits.iter().map(|limit| unseen(kept, limit, patients, today));
    Ok(unseen.collect::<Result<Vec<_>, _>>()?.concat())
}

/// Whom one name has not seen, where it may.
fn unseen(
    kept: &Kept,
    (name, most): &(Name, NonZeroU32),
    patients: &[Patient],
    today: Date,
) -> Result<Vec<Line>, NotTaken> {
    let list = kept.list_of(name);
    let lines: BTreeSet<Line> = patients.iter().map(|patient| kept.line(today, list, patient)).collect();
    let unseen: Vec<Line> = lines.into_iter().filter(|line| !kept.has(line)).collect();
    let seen = kept.seen_by(today, list) + unseen.len();
    let fits = unseen.is_empty() || u32::try_from(seen).is_ok_and(|seen| seen <= most.get());
    if fits { Ok(unseen) } else { Err(NotTaken::TooMany) }
}
