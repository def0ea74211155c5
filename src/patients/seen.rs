//! Who saw whom today, and whether that may be one more.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::Date;

use super::kept::{Kept, Line, Place};
use super::patient::{Name, Patient};

/// Pairs of a name and a patient, of all names together: some 10 MB of memory.
const MOST: usize = 100_000;

/// Queries of a name that may end in a day because it has seen as many as it may: each tells whether something more matches, so
/// that a patient's name could be guessed letter by letter by many.
const MOST_ENDED: u32 = 10;

/// From one attempt that the disk has failed to the next: all that is there may be read for it.
const PAUSE: Duration = Duration::from_secs(5);

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

/// The patients that each name has seen today: the lists in memory, and the file that they are in before an answer shows
/// them.
#[derive(Debug)]
pub struct Seen {
    place: Place,
    disk: Mutex<Disk>,
    /// How many queries of each name ended on that day because of the limit. In memory alone.
    ended: Mutex<HashMap<Name, (Date, u32)>>,
    most: usize,
    pause: Duration,
}

/// What is known of the disk, which whoever holds it waits for.
#[derive(Debug, Default)]
struct Disk {
    /// `None` until it was read. It stays in memory whatever becomes of the file.
    kept: Option<Kept>,
    /// When it failed last, and why.
    failed: Option<(Instant, NotTaken)>,
}

impl Seen {
    /// What is kept in a folder, which is made with the first patient. Nothing is read yet.
    pub fn in_folder(folder: &Path) -> Self {
        let (disk, ended) = (Mutex::default(), Mutex::default());
        Self { place: Place::in_folder(folder), disk, ended, most: MOST, pause: PAUSE }
    }

    /// Takes patients whom each of these names is to see, all of them or none: whom a name has seen that day, it may see again. It
    /// is on the disk behind this, and waits for that: not for a thread of the runtime.
    ///
    /// # Errors
    /// [`NotTaken`]: nothing is counted, and nobody may be shown. A disk that failed is not tried again for 5 seconds.
    pub fn take(
        &self,
        limits: &[(Name, NonZeroU32)],
        patients: &[Patient],
        today: Date,
    ) -> Result<(), NotTaken> {
        self.take_or(limits, patients, today, |_| ())
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
        self.take_or(limits, patients, today, |over| self.note_ended(over, today))
    }

    /// Tells, before anybody else may be counted, which names may not see that many.
    fn take_or(
        &self,
        limits: &[(Name, NonZeroU32)],
        patients: &[Patient],
        today: Date,
        too_many: impl FnOnce(&[&Name]),
    ) -> Result<(), NotTaken> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        disk.may_be_tried(self.pause)?;
        let Disk { kept, failed } = &mut *disk;
        let mut note = |error: &NotTaken| *failed = Some((Instant::now(), error.clone()));
        let kept = match kept {
            Some(kept) => kept,
            None => kept.insert(Kept::open(&self.place, today).inspect_err(&mut note)?),
        };
        kept.is_in_place(&self.place)?;
        kept.make_ready(&self.place, today, self.most).inspect_err(&mut note)?;
        let fresh = fresh(kept, limits, patients, today).map_err(|over| {
            too_many(&over);
            NotTaken::TooMany
        })?;
        self.make_room(kept, fresh.len(), today)?;
        kept.add(&self.place, &fresh).inspect_err(note)
    }

    fn note_ended(&self, names: &[&Name], today: Date) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, (day, _)| *day >= today);
        for name in names {
            let (day, count) = ended.entry((*name).clone()).or_insert((today, 0));
            *day = today;
            *count = count.saturating_add(1);
        }
    }

    /// Whether a query of these names may be asked that day: not once ten of one of them have ended because of the limit. It never
    /// waits for the disk.
    pub fn may_ask(&self, names: &[Name], today: Date) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shut =
            |name| ended.get(name).is_some_and(|(day, count)| *day == today && *count >= MOST_ENDED);
        !names.iter().any(is_shut)
    }

    /// Whether there is room for so many more; today's come first.
    fn make_room(&self, kept: &mut Kept, more: usize, today: Date) -> Result<(), NotTaken> {
        if kept.count() + more > self.most {
            kept.forget_before(today);
        }
        if kept.count() + more <= self.most {
            return Ok(());
        }
        let most = self.most;
        Err(NotTaken::Unavailable(format!(
            "{most} patients of all names together were seen today, and there is room for no more"
        )))
    }

    #[cfg(test)]
    pub(super) fn with_room(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// One that tries the disk again after so long.
    #[cfg(test)]
    pub(super) fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// One that tries the disk again at once.
    #[cfg(test)]
    pub(super) fn impatient(folder: &Path) -> Self {
        Self::in_folder(folder).with_pause(Duration::ZERO)
    }
}

impl Disk {
    /// Not within so long after it has failed.
    fn may_be_tried(&self, pause: Duration) -> Result<(), NotTaken> {
        match &self.failed {
            Some((at, why)) if at.elapsed() < pause => Err(why.clone()),
            _ => Ok(()),
        }
    }
}

/// What has to be written down, where each name may see all of these.
///
/// # Errors
/// Those that may not.
fn fresh<'l>(
    kept: &Kept,
    limits: &'l [(Name, NonZeroU32)],
    patients: &[Patient],
    today: Date,
) -> Result<Vec<Line>, Vec<&'l Name>> {
    let (mut fresh, mut over) = (Vec::new(), Vec::new());
    for limit in limits {
        match unseen(kept, limit, patients, today) {
            Some(unseen) => fresh.extend(unseen),
            None => over.push(&limit.0),
        }
    }
    if over.is_empty() { Ok(fresh) } else { Err(over) }
}

/// Whom one name has not seen, where it may.
fn unseen(
    kept: &Kept,
    (name, most): &(Name, NonZeroU32),
    patients: &[Patient],
    today: Date,
) -> Option<Vec<Line>> {
    let list = kept.list_of(name);
    let lines: BTreeSet<Line> = patients.iter().map(|patient| kept.line(today, list, patient)).collect();
    let unseen: Vec<Line> = lines.into_iter().filter(|line| !kept.has(line)).collect();
    let seen = kept.seen_by(today, list) + unseen.len();
    let fits = unseen.is_empty() || u32::try_from(seen).is_ok_and(|seen| seen <= most.get());
    fits.then_some(unseen)
}
