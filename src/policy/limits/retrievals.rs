//! How many retrievals there were within the last hour, of a peer and of a user.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Reference;

use super::Time;

/// What counts as the last hour.
const HOUR: Duration = Duration::from_secs(3600);

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
    /// Since `begun`.
    by: Mutex<HashMap<Whose, VecDeque<Duration>>>,
}

impl<C: Time> Retrievals<C> {
    pub(super) fn new(clock: C) -> Self {
        Self { begun: clock.now(), clock, by: Mutex::default() }
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
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |by: &mut HashMap<Whose, VecDeque<Duration>>, (whose, most): &(Whose, NonZeroU32)| {
            let times = by.entry(whose.clone()).or_default();
            while times.front().is_some_and(|time| time.saturating_add(HOUR) <= now) {
                times.pop_front();
            }
            u32::try_from(times.len()).is_ok_and(|count| count < most.get())
        };
        if !limited.iter().all(|limit| has_room(&mut by, limit)) {
            return false;
        }
        for (whose, _) in limited {
            by.entry(whose).or_default().push_back(now);
        }
        true
    }
}
