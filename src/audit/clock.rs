//! What time it is, when the machine's clock is set while the proxy runs.
//!
//! A steady clock (CLOCK_BOOTTIME) runs beside the machine's. Where the two differ by more than a step's worth the
//! machine's clock was set: that is told, and time goes on by the steady clock, which neither stands still nor leaps.
//! When the machine's clock has kept its new time for some minutes it is believed, and followed.

use super::json;
use super::record::ClockStepped;
use rustix::time::{ClockId, clock_gettime};
use time::{Duration, OffsetDateTime};

/// More than clocks that are disciplined differ by.
const STEP: Duration = Duration::SECOND;
/// How long a clock that was set has to agree with itself.
const SETTLED: Duration = Duration::minutes(5);

/// The machine's clock, and a steady one since some beginning.
pub(super) type Reading = (OffsetDateTime, Duration);

pub(super) struct Clock {
    read: Box<dyn Fn() -> Reading + Send>,
    /// The last time that was told, and the steady clock then.
    told: Reading,
    /// Since when the machine's clock differs, and by how much.
    set: Option<(Duration, Duration)>,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").field("told", &self.told).field("set", &self.set).finish_non_exhaustive()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(of_machine)
    }
}

fn of_machine() -> Reading {
    let since = clock_gettime(ClockId::Boottime);
    let nanoseconds = i32::try_from(since.tv_nsec).unwrap_or_default();
    (OffsetDateTime::now_utc(), Duration::new(since.tv_sec, nanoseconds))
}

impl Clock {
    pub(super) fn new(read: impl Fn() -> Reading + Send + 'static) -> Self {
        let told = read();
        Self { read: Box::new(read), told, set: None }
    }

    /// The time, and what has to be told of the clock. Later than what was told before, unless a clock that was set back
    /// is followed.
    pub(super) fn now(&mut self) -> (OffsetDateTime, Option<ClockStepped>) {
        let (clock, steady) = (self.read)();
        let passed = (steady - self.told.1).max(Duration::ZERO);
        let expected = self.told.0.checked_add(passed).unwrap_or(clock);
        let off = clock - expected;
        let (time, step) = match self.set {
            None if off.abs() <= STEP => (slewed(clock, expected, passed), None),
            Some((_, by)) if off.abs() <= STEP => {
                self.set = None;
                (slewed(clock, expected, passed), Some((-by, true)))
            }
            Some((since, by)) if (off - by).abs() <= STEP => match steady - since >= SETTLED {
                true => {
                    self.set = None;
                    (clock, Some((by, true)))
                }
                false => (expected, None),
            },
            before => {
                let earlier = before.map_or(Duration::ZERO, |(_, by)| by);
                self.set = Some((steady, off));
                (expected, Some((off - earlier, false)))
            }
        };
        self.told = (time, steady);
        (time, step.map(|(by, followed)| stepped(expected, clock, by, followed)))
    }
}

/// What a clock that was set between two runs is told as: the trail ended later than it is now.
pub(super) fn behind(last: OffsetDateTime, now: OffsetDateTime) -> Option<ClockStepped> {
    (last - now > STEP).then(|| stepped(last, now, now - last, true))
}

fn stepped(expected: OffsetDateTime, clock: OffsetDateTime, by: Duration, followed: bool) -> ClockStepped {
    let (expected, clock) = (json::timestamp_text(expected), json::timestamp_text(clock));
    let seconds = by.whole_seconds();
    let way = if seconds < 0 { "back" } else { "forward" };
    let then = if followed { "the machine's clock" } else { "a steady clock" };
    let explanation =
        format!("the clock was set {way} by {} s; times go on by {then}", seconds.unsigned_abs());
    ClockStepped { expected, clock, seconds, followed, explanation }
}

/// A clock that is a little ahead is followed at once; one that is a little behind is waited for, at nine tenths of the
/// speed.
fn slewed(clock: OffsetDateTime, expected: OffsetDateTime, passed: Duration) -> OffsetDateTime {
    clock.max(expected - passed / 10)
}

#[cfg(test)]
mod tests {
    use super::{Clock, Reading, SETTLED};
    use std::sync::{Arc, Mutex};
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    /// A clock that a test sets, and its machine.
    struct Machine(Arc<Mutex<Reading>>, Clock);

    const NOON: OffsetDateTime = datetime!(2026-01-02 12:00 UTC);

    impl Machine {
        fn new() -> Self {
            let reading = Arc::new(Mutex::new((NOON, Duration::hours(70))));
            let read = reading.clone();
            Self(reading, Clock::new(move || *read.lock().unwrap()))
        }

        fn pass(&self, by: Duration) {
            let mut reading = self.0.lock().unwrap();
            reading.0 += by;
            reading.1 += by;
        }

        fn set(&self, by: Duration) {
            self.0.lock().unwrap().0 += by;
        }

        /// The time since noon, and by how many seconds a step is told, and whether it is followed.
        fn now(&mut self) -> (Duration, Option<(i64, bool)>) {
            let (time, step) = self.1.now();
            (time - NOON, step.map(|step| (step.seconds, step.followed)))
        }
    }

    #[test]
    fn time_goes_on_by_the_steady_clock_after_a_step_which_is_told_once() {
        for by in [Duration::hours(-2), Duration::days(3650)] {
            let mut machine = Machine::new();
            machine.pass(Duration::SECOND);
            assert_eq!(machine.now(), (Duration::SECOND, None));
            machine.set(by);
            assert_eq!(machine.now(), (Duration::SECOND, Some((by.whole_seconds(), false))));
            machine.pass(Duration::SECOND);
            assert_eq!(machine.now(), (Duration::seconds(2), None), "it neither stands still nor leaps");
            machine.set(-by);
            machine.pass(Duration::SECOND);
            assert_eq!(machine.now(), (Duration::seconds(3), Some((-by.whole_seconds(), true))));
            machine.pass(Duration::SECOND);
            assert_eq!(machine.now(), (Duration::seconds(4), None));
        }
    }

    #[test]
    fn a_clock_that_keeps_its_new_time_is_followed() {
        for by in [Duration::hours(-2), Duration::days(20_000)] {
            let mut machine = Machine::new();
            machine.set(by);
            assert_eq!(machine.now().1, Some((by.whole_seconds(), false)));
            machine.pass(SETTLED / 2);
            assert_eq!(machine.now(), (SETTLED / 2, None));
            machine.pass(SETTLED / 2);
            assert_eq!(machine.now(), (SETTLED + by, Some((by.whole_seconds(), true))));
            machine.pass(Duration::SECOND);
            assert_eq!(machine.now(), (SETTLED + by + Duration::SECOND, None));
        }
    }

    #[test]
    fn every_step_of_several_is_told() {
        let mut machine = Machine::new();
        machine.set(Duration::hours(1));
        assert_eq!(machine.now().1, Some((3600, false)));
        machine.set(Duration::hours(1));
        assert_eq!(machine.now().1, Some((3600, false)));
        machine.pass(SETTLED);
        assert_eq!(machine.now(), (SETTLED + Duration::hours(2), Some((7200, true))));
    }

    #[test]
    fn a_clock_that_is_disciplined_is_followed_without_a_word_and_never_backwards() {
        let mut machine = Machine::new();
        machine.set(Duration::milliseconds(300));
        assert_eq!(machine.now(), (Duration::milliseconds(300), None));
        machine.set(Duration::milliseconds(-600));
        let (mut last, _) = machine.now();
        for _ in 0..100 {
            machine.pass(Duration::milliseconds(100));
            let (time, step) = machine.now();
            assert!(time > last && step.is_none());
            last = time;
        }
        let clock = machine.0.lock().unwrap().0;
        assert_eq!(NOON + last, clock, "it has caught up");
    }
}
