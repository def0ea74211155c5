//! How many retrievals there were within the last hour, of a peer and of a user.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Reference;

use super::Time;

/// What counts as the last hour.
const HOUR: Duration = Duration::from_secs(3600);

/// So many are counted before those are forgotten who had none within the hour: users of tokens have any number of names.
const FEW: usize = 1024;

/// Whose retrievals are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Whose {
    Peer(Arc<str>),
    User(Arc<str>),
}

/// When each retrieval of the last hour was, where there is a limit: no more of one than may be, and none of who is not limited.
pub(super) struct Retrievals<C: Time> {
    clock: C,
    begun: C::Instant,
    by: Mutex<Counted>,
}

struct Counted {
    /// Since `begun`.
    by: HashMap<Whose, VecDeque<Duration>>,
    /// How many may be in it before it is looked through.
    room: usize,
}

impl<C: Time> Retrievals<C> {
    pub(super) fn new(clock: C) -> Self {
        Self { begun: clock.now(), clock, by: Mutex::new(Counted { by: HashMap::new(), room: FEW }) }
    }

    /// Whether there may be one more, which then counts: of the peer, and of the user, each where it is limited.
    pub(super) fn take(
        &self,
        peer: &Arc<str>,
        user: Option<&Arc<str>>,
        [of_peer, of_user]: [Option<NonZeroU32>; 2],
    ) -> bool {
        let now: Duration = self.clock.now().duration_since(self.begun).into();
        let limited = of_peer.map(|most| (Whose::Peer(Arc::clone(peer)), most));
        let of_user = of_user.zip(user).map(|(most, user)| (Whose::User(Arc::clone(user)), most));
        let limited: Vec<(Whose, NonZeroU32)> = limited.into_iter().chain(of_user).collect();
        let mut counted = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if !limited.iter().all(|(whose, most)| counted.count(whose, now) < most.get()) {
            return false;
        }
        for (whose, _) in limited {
            counted.one_more(whose, now);
        }
        true
    }
}

impl Counted {
    /// Retrievals within the hour.
    fn count(&mut self, whose: &Whose, now: Duration) -> u32 {
        let Some(times) = self.by.get_mut(whose) else { return 0 };
        while times.front().is_some_and(|time| is_over(*time, now)) {
            times.pop_front();
        }
        u32::try_from(times.len()).unwrap_or(u32::MAX)
    }

    fn one_more(&mut self, whose: Whose, now: Duration) {
        if self.by.len() >= self.room {
            self.by.retain(|_, times| times.back().is_some_and(|time| !is_over(*time, now)));
            // Looked through again once it has doubled, so that each name costs the same.
            self.room = FEW.max(self.by.len().saturating_mul(2));
        }
        self.by.entry(whose).or_default().push_back(now);
    }
}

fn is_over(time: Duration, now: Duration) -> bool {
    time.saturating_add(HOUR) <= now
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn whoever_had_none_within_the_hour_takes_no_room() {
        let clock = FakeRelativeClock::default();
        let retrievals = Retrievals::new(clock.clone());
        let (peer, most) = ("lyon".into(), NonZeroU32::MIN);
        let takes = |user: usize| {
            let user: Arc<str> = format!("issuer/{user}").into();
            retrievals.take(&peer, Some(&user), [None, Some(most)])
        };
        let held = || retrievals.by.lock().unwrap().by.len();
        assert!((0..FEW).all(takes));
        assert!(!takes(0), "one in an hour");
        clock.advance(HOUR / 2);
        assert!((FEW..FEW + 10).all(takes));
        assert_eq!(held(), FEW + 10, "all of them count");
        assert!((0..FEW + 10).all(|user| !takes(user)));
        clock.advance(HOUR / 2);
        assert!((FEW + 10..3 * FEW).all(takes));
        assert_eq!(held(), 2 * FEW, "the first are forgotten");
        assert!((FEW..3 * FEW).all(|user| !takes(user)));
        clock.advance(HOUR);
        assert!((0..4 * FEW).all(takes));
        assert_eq!(held(), 4 * FEW);
        clock.advance(HOUR);
        assert!((0..FEW).all(takes));
        assert_eq!(held(), FEW);
    }
}
