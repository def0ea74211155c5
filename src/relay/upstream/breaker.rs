//! Whether an address is asked at all: a machine that is told what came of each attempt, and when.
//!
//! ```text
//!             fall failures in a row              pause is over, and somebody asks
//!       Up ----------------------------> Down ---------------------------------> Down, one attempt under way
//!        ^                                ^                                        |            |
//!        |                                +---- it failed: a longer pause ---------+            |
//!        +------------------------------------- it answered ------------------------------------+
//! ```
//!
//! Where its health is checked nobody's association is the attempt: it is down until `rise` checks in a row have succeeded.
//!
//! # Why these times
//!
//! A PACS restarts within half a minute. The pause is short at first, and never longer than what somebody who has just seen it
//! come back would wait, so that no association is refused for long without need; and it is long enough that a PACS
//! which is gone costs one association in some seconds its `connect-timeout`, and not all of them.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Health;

/// How long an address is left alone when it goes down; doubled with each attempt that fails, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Failures in a row of one whose health is not checked.
const FALL: u32 = 3;

/// What an address is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    rise: u32,
    fall: u32,
    /// Checks bring it back, and nobody's association.
    checked: bool,
}

impl Rules {
    pub(super) fn new(health: Option<&Health>) -> Self {
        match health {
            Some(health) => Self { rise: health.rise, fall: health.fall, checked: true },
            None => Self { rise: 1, fall: FALL, checked: false },
        }
    }

    pub(super) fn checked(self) -> bool {
        self.checked
    }
}

/// What becomes of somebody who wants to be served there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted,
    /// Down; this one attempt tells whether it still is.
    Attempt,
    Refused,
}

/// What an address has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Up,
    Down,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Breaker {
    Up {
        /// In a row.
        failures: u32,
    },
    Down {
        /// In a row.
        successes: u32,
        until: Instant,
        pause: Duration,
        attempted: bool,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Up { failures: 0 }
    }
}

impl Breaker {
    pub(super) fn is_down(&self) -> bool {
        matches!(self, Self::Down { .. })
    }

    /// Down, and about to show whether it still is.
    pub(super) fn is_probing(&self) -> bool {
        matches!(self, Self::Down { attempted, successes, .. } if *attempted || *successes > 0)
    }

    /// Whether there is no doubt: it is up, and nothing has failed since it last answered.
    pub(super) fn is_sound(&self) -> bool {
        matches!(self, Self::Up { failures: 0 })
    }

    /// Somebody wants to be served there. An attempt ends with one of the three below.
    pub(super) fn admit(&mut self, rules: Rules, now: Instant) -> Admission {
        match self {
            Self::Up { .. } => Admission::Granted,
            Self::Down { until, attempted, .. } if !rules.checked && !*attempted && now >= *until => {
                *attempted = true;
                Admission::Attempt
            }
            Self::Down { .. } => Admission::Refused,
        }
    }

    /// It answered, whatever it said; where nobody checks it, a connection is enough.
    pub(super) fn answered(&mut self, rules: Rules) -> Option<Change> {
        match self {
            Self::Up { failures } => {
                *failures = 0;
                None
            }
            Self::Down { successes, .. } => {
                *successes = successes.saturating_add(1);
                (*successes >= rules.rise).then(|| {
                    *self = Self::default();
                    Change::Up
                })
            }
        }
    }

    /// It could not be reached, or a check had no answer. `jitter`, of 0 to 255, shortens the pause, so that not all come back at once. `attempt`: who was
    /// admitted as one; what others began before it went down says nothing new.
    pub(super) fn failed(&mut self, rules: Rules, now: Instant, jitter: u8, attempt: bool) -> Option<Change> {
        match self {
            Self::Up { failures } => {
                *failures = failures.saturating_add(1);
                (*failures >= rules.fall).then(|| {
                    *self = Self::down(now, PAUSE, jitter);
                    Change::Down
                })
            }
            Self::Down { successes, attempted, .. } if rules.checked => {
                (*successes, *attempted) = (0, false);
                None
            }
            Self::Down { pause, .. } if attempt => {
                *self = Self::down(now, (*pause * 2).min(LONGEST_PAUSE), jitter);
                None
            }
            Self::Down { .. } => None,
        }
    }

    /// An attempt was given up before it showed anything: the next one may follow at once.
    pub(super) fn gave_up(&mut self) {
        if let Self::Down { attempted, .. } = self {
            *attempted = false;
        }
    }

    /// Down from now on; for four fifths of the pause at least.
    fn down(now: Instant, pause: Duration, jitter: u8) -> Self {
        let until = now + pause - pause / 5 * u32::from(jitter) / 255;
        Self::Down { successes: 0, until, pause, attempted: false }
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, Breaker, Change, Rules};
    use crate::config::Health;
    use std::time::Duration;
    use tokio::time::Instant;

    const UNCHECKED: Rules = Rules { rise: 1, fall: 3, checked: false };

    fn fallen(rules: Rules, now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        let told: Vec<_> = (0..rules.fall).map(|_| breaker.failed(rules, now, 0, false)).collect();
        assert_eq!(told.last(), Some(&Some(Change::Down)));
        assert_eq!(told.iter().flatten().count(), 1, "told once: {told:?}");
        breaker
    }

    #[test]
    fn it_takes_failures_in_a_row() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(breaker.failed(UNCHECKED, now, 0, false), None);
            assert_eq!(breaker.failed(UNCHECKED, now, 0, false), None);
            assert!(!breaker.is_sound());
            assert_eq!(breaker.answered(UNCHECKED), None);
            assert!(breaker.is_sound());
        }
        assert_eq!(breaker.admit(UNCHECKED, now), Admission::Granted);
        assert!(fallen(UNCHECKED, now).is_down());
    }

    #[test]
    fn one_attempt_at_a_time_after_pauses_that_grow_up_to_the_longest() {
        let mut now = Instant::now();
        let mut breaker = fallen(UNCHECKED, now);
        for pause in [1000, 2000, 4000, 5000, 5000] {
            let pause = Duration::from_millis(pause);
            let at = |breaker: &mut Breaker, at| breaker.admit(UNCHECKED, at);
            assert_eq!(at(&mut breaker, now + pause - Duration::from_millis(1)), Admission::Refused);
            now += pause;
            assert_eq!(at(&mut breaker, now), Admission::Attempt, "{pause:?}");
            assert_eq!(at(&mut breaker, now + pause), Admission::Refused, "one is under way");
            assert!(breaker.is_probing());
            // What began before it went down.
            assert_eq!(breaker.failed(UNCHECKED, now, 0, false), None);
            assert!(breaker.is_probing());
            assert_eq!(breaker.failed(UNCHECKED, now, 0, true), None);
            assert!(breaker.is_down() && !breaker.is_probing());
        }
        now += Duration::from_secs(5);
        assert_eq!(breaker.admit(UNCHECKED, now), Admission::Attempt);
        breaker.gave_up();
        assert_eq!(breaker.admit(UNCHECKED, now), Admission::Attempt, "the one before showed nothing");
        assert_eq!(breaker.answered(UNCHECKED), Some(Change::Up));
        assert_eq!(breaker.admit(UNCHECKED, now), Admission::Granted);
        assert!(breaker.is_sound());
    }

    #[test]
    fn jitter_shortens_a_pause_by_a_fifth_at_most() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(UNCHECKED, now, 255, false);
        }
        assert_eq!(breaker.admit(UNCHECKED, now + Duration::from_millis(799)), Admission::Refused);
        assert_eq!(breaker.admit(UNCHECKED, now + Duration::from_millis(800)), Admission::Attempt);
    }

    #[test]
    fn where_health_is_checked_only_checks_bring_it_back() {
        let rules = Rules::new(Some(&Health { echo: Duration::from_secs(30), rise: 2, fall: 3 }));
        let now = Instant::now();
        let mut breaker = fallen(rules, now);
        assert_eq!(breaker.admit(rules, now + Duration::from_secs(3600)), Admission::Refused);
        assert_eq!((breaker.answered(rules), breaker.is_probing()), (None, true));
        assert_eq!((breaker.failed(rules, now, 0, false), breaker.is_probing()), (None, false));
        assert_eq!(
            (breaker.answered(rules), breaker.answered(rules)),
            (None, Some(Change::Up)),
            "two in a row"
        );
        assert_eq!(breaker.admit(rules, now), Admission::Granted);
    }
}
