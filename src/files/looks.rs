//! Looks at a file that is read again when it has changed, and whole only: one that is written in place may be half there.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Stamp;

/// How long a file stands still that nobody is writing, by two looks that find it alike.
const STILL: Duration = Duration::from_millis(250);
/// Pauses of one look. Somebody may wait for it who wants to log in.
const PAUSES: usize = 2;
/// For how long nobody waits again for a file that was found to be being written.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// What was seen of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looks {
    /// At the last look.
    seen: Option<Stamp>,
    /// Since when it was seen so, where somebody was writing it then.
    moving: Option<Instant>,
}

/// Waits for so long, which may be no time, and tells what time it is then: not for a thread of the runtime.
pub(crate) fn by_the_clock(wait: Duration) -> Instant {
    if !wait.is_zero() {
        std::thread::park_timeout(wait);
    }
    Instant::now()
}

impl Looks {
    /// Of a file that was read when it was so.
    pub(crate) fn new(read: Option<Stamp>) -> Self {
        Self { seen: read, moving: None }
    }

    /// Whether the last look found somebody writing it.
    pub(crate) fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// Looks at one that has changed since it was read, and gives what it is now, to be read. `Err`: somebody is writing it,
    /// and the next look may read it. One that another took the place of may be half there too, where it is removed and made anew; one
    /// that is gone is waited for by nobody.
    pub(crate) fn settled(
        &mut self,
        path: &Path,
        wait: &mut impl FnMut(Duration) -> Instant,
    ) -> Result<Option<Stamp>, Moving> {
        let now = Stamp::of(path);
        if self.is_whole(now, wait(Duration::ZERO)) {
            *self = Self::new(now);
            return Ok(now);
        }
        self.wait_for(now, path, wait)
    }

    /// Whether what is there now can be read at once.
    fn is_whole(&self, now: Option<Stamp>, at: Instant) -> bool {
        match (self.seen, now, self.moving) {
            // Two looks have found it alike.
            (seen, now, Some(since)) => seen == now && at.saturating_duration_since(since) >= STILL,
            (seen, now, None) => seen == now || now.is_none(),
        }
    }

    fn wait_for(
        &mut self,
        mut now: Option<Stamp>,
        path: &Path,
        wait: &mut impl FnMut(Duration) -> Instant,
    ) -> Result<Option<Stamp>, Moving> {
        let mut at = wait(Duration::ZERO);
        let is_known = self.moving.is_some_and(|since| at.saturating_duration_since(since) < IMPATIENCE);
        for _ in 0..if is_known { 0 } else { PAUSES } {
            at = wait(STILL);
            let next = Stamp::of(path);
            if next == now {
                *self = Self::new(now);
                return Ok(now);
            }
            now = next;
        }
        if !(is_known && now == self.seen) {
            *self = Self { seen: now, moving: Some(at) };
        }
        Err(Moving)
    }
}

/// Why a file is not read now: it changed between two looks, so that somebody is writing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moving;

#[cfg(test)]
mod tests {
    use super::{IMPATIENCE, Looks, Moving, STILL};
    use crate::files::Stamp;
    use crate::scratch::Scratch;
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::Path;
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, Instant};

    fn append(file: &Path) {
        OpenOptions::new().append(true).open(file).unwrap().write_all(b"more").unwrap();
    }

    /// A look in whose pauses a thread writes, as often as `blocks` says and in none of the pauses behind that. How long the
    /// look would have taken.
    fn look(looks: &mut Looks, file: &Path, blocks: usize) -> (Result<Option<Stamp>, Moving>, Duration) {
        let (begin, began) = mpsc::channel();
        let (told, written) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                for () in began.into_iter().take(blocks) {
                    append(file);
                    told.send(()).unwrap();
                }
            });
            let (mut took, beginning) = (Duration::ZERO, Instant::now());
            let settled = looks.settled(file, &mut |wait| {
                took += wait;
                if !wait.is_zero() && begin.send(()).is_ok() {
                    let _ = written.recv();
                }
                beginning + took
            });
            drop(begin);
            (settled, took)
        })
    }

    #[test]
    fn one_that_is_written_in_place_is_read_when_two_looks_find_it_alike_and_nobody_waits_for_long() {
        let home = Scratch::new();
        let file = home.path().join("users.toml");
        fs::write(&file, "half").unwrap();
        let mut looks = Looks::new(Stamp::of(&file));
        append(&file);
        let (settled, took) = look(&mut looks, &file, 0);
        assert_eq!((settled, took), (Ok(Stamp::of(&file)), STILL), "nobody writes it");
        assert_eq!(look(&mut looks, &file, 0), (Ok(Stamp::of(&file)), Duration::ZERO), "seen so before");
        append(&file);
        let (settled, took) = look(&mut looks, &file, 1);
        assert_eq!((settled, took), (Ok(Stamp::of(&file)), 2 * STILL), "one block more");
        append(&file);
        let (settled, took) = look(&mut looks, &file, usize::MAX);
        assert_eq!((settled, took), (Err(Moving), 2 * STILL), "somebody goes on writing it");
        assert!(looks.is_moving());
    }

    /// A look that waits for nothing, at that time.
    fn look_at(looks: &mut Looks, file: &Path, at: Instant) -> Result<Option<Stamp>, Moving> {
        looks.settled(file, &mut |wait| {
            assert!(wait.is_zero(), "somebody waited a moment ago");
            at
        })
    }

    #[test]
    fn who_comes_next_while_it_is_written_waits_for_nothing_and_reads_it_once_it_stood_still() {
        let home = Scratch::new();
        let file = home.path().join("users.toml");
        fs::write(&file, "half").unwrap();
        let found = Instant::now();
        let mut looks = Looks { seen: Stamp::of(&file), moving: Some(found) };
        let short = Duration::from_millis(1);
        assert_eq!(look_at(&mut looks, &file, found + STILL - short), Err(Moving), "not for long enough");
        assert_eq!(look_at(&mut looks, &file, found + STILL), Ok(Stamp::of(&file)), "since the first look");
        assert!(!looks.is_moving());
        looks = Looks { seen: Stamp::of(&file), moving: Some(found) };
        append(&file);
        let last = found + IMPATIENCE - short;
        assert_eq!(look_at(&mut looks, &file, last), Err(Moving), "another block");
        assert_eq!(look_at(&mut looks, &file, last + STILL - short), Err(Moving));
        assert_eq!(look_at(&mut looks, &file, last + STILL), Ok(Stamp::of(&file)));
    }

    #[test]
    fn one_that_takes_the_place_of_another_is_looked_at_twice_and_one_that_is_gone_is_not() {
        let home = Scratch::new();
        let file = home.path().join("users.toml");
        fs::write(&file, "one").unwrap();
        let mut looks = Looks::new(Stamp::of(&file));
        fs::write(home.path().join("next"), "two").unwrap();
        fs::rename(home.path().join("next"), &file).unwrap();
        assert_eq!(look(&mut looks, &file, 0), (Ok(Stamp::of(&file)), STILL));
        // Removed and made anew, by somebody who goes on writing.
        fs::rename(&file, home.path().join("before")).unwrap();
        fs::write(&file, "half").unwrap();
        assert_eq!(look(&mut looks, &file, usize::MAX).0, Err(Moving));
        let mut looks = Looks::new(Stamp::of(&file));
        fs::remove_file(&file).unwrap();
        assert_eq!(look(&mut looks, &file, 0), (Ok(None), Duration::ZERO));
        fs::write(&file, "begun").unwrap();
        assert_eq!(look(&mut looks, &file, usize::MAX).0, Err(Moving));
    }
}
