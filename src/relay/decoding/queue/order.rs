//! The order of turns, without clock or lock.
//!
//! As a fair queue does it: each peer's time of decoding is counted, and whoever has had least is next. One that comes, or
//! comes back, begins with no less than those that were there have had, so that nobody saves up turns by staying away.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A frame that waits for its turn to be decoded, with whose it is and what it needs.
pub(super) struct Waiting<T> {
    pub peer: Arc<str>,
    pub bytes: u64,
    pub is_first: bool,
    pub tell: T,
}

pub(super) struct Order<T> {
    /// Bytes that there are, and those of them that are taken.
    bytes: u64,
    taken: u64,
    /// Turns that may begin.
    places: usize,
    waiting: Vec<Waiting<T>>,
    peers: HashMap<Arc<str>, Served>,
    /// What whoever had the latest turn had had before it.
    had: Duration,
}

/// What a peer has had.
#[derive(Default)]
struct Served {
    had: Duration,
    turns: usize,
}

impl<T> Order<T> {
    pub(super) fn new(bytes: u64, places: usize) -> Self {
        Self { bytes, taken: 0, places, waiting: Vec::new(), peers: HashMap::new(), had: Duration::ZERO }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn resize(&mut self, bytes: u64) {
        self.bytes = bytes;
    }

    pub(super) fn wait(&mut self, waiting: Waiting<T>) {
        let served = self.peers.entry(Arc::clone(&waiting.peer)).or_default();
        served.had = served.had.max(self.had);
        self.waiting.push(waiting);
    }

    /// Who has a turn now, unless nobody can have one. Whoever `is_gone` has none.
    pub(super) fn next(&mut self, is_gone: impl Fn(&T) -> bool) -> Option<Waiting<T>> {
        self.waiting.retain(|waiting| !is_gone(&waiting.tell));
        let in_order = self.waiting.iter().enumerate().min_by_key(|(_, waiting)| {
            let (turns, had) =
                self.peers.get(&waiting.peer).map_or_else(Default::default, |it| (it.turns, it.had));
            (turns, had, waiting.is_first)
        });
        let (at, first) = in_order?;
        let bytes = first.bytes.min(self.bytes);
        let fits = self.taken == 0 || self.taken.saturating_add(bytes) <= self.bytes;
        // Whoever comes next waits for it too: a large frame would otherwise wait for ever.
        if self.places == 0 || !fits {
            return None;
        }
        let next = self.waiting.remove(at);
        (self.places, self.taken) = (self.places - 1, self.taken + bytes);
        let served = self.peers.entry(Arc::clone(&next.peer)).or_default();
        served.turns += 1;
        self.had = self.had.max(served.had);
        Some(Waiting { bytes, ..next })
    }

    /// A turn is over, and took so long.
    pub(super) fn ended(&mut self, peer: &str, bytes: u64, took: Duration) {
        (self.places, self.taken) = (self.places + 1, self.taken - bytes);
        if let Some(served) = self.peers.get_mut(peer) {
            (served.turns, served.had) = (served.turns - 1, served.had + took);
        }
        let (waiting, had) = (&self.waiting, self.had);
        let waits = |name: &Arc<str>| waiting.iter().any(|waiting| waiting.peer == *name);
        self.peers.retain(|name, served| served.turns > 0 || served.had > had || waits(name));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Order, Waiting};

    const SECOND: Duration = Duration::from_secs(1);

    fn wait<T>(order: &mut Order<T>, peer: &str, bytes: u64, tell: T) {
        order.wait(Waiting { peer: peer.into(), bytes, is_first: true, tell });
    }

    /// Gives turns, of so many seconds for each peer, and says who had them.
    fn turns(order: &mut Order<()>, count: usize, takes: impl Fn(&str) -> u32) -> String {
        let mut had = String::new();
        for _ in 0..count {
            let Some(next) = order.next(|()| false) else { break };
            had.push_str(&next.peer);
            order.ended(&next.peer, next.bytes, SECOND * takes(&next.peer));
        }
        had
    }

    #[test]
    fn who_has_many_frames_does_not_keep_the_others_waiting() {
        let mut order = Order::new(100, 1);
        (0..6).for_each(|_| wait(&mut order, "a", 1, ()));
        (0..2).for_each(|_| wait(&mut order, "b", 1, ()));
        assert_eq!(turns(&mut order, 9, |_| 1), "ababaaaa");
    }

    #[test]
    fn time_counts_and_not_the_number_of_frames() {
        let mut order = Order::new(100, 1);
        (0..3).for_each(|_| wait(&mut order, "a", 1, ()));
        (0..12).for_each(|_| wait(&mut order, "b", 1, ()));
        assert_eq!(turns(&mut order, 15, |peer| if peer == "a" { 6 } else { 1 }), "abbbbbbabbbbbba");
        // One who stayed away for long is next, and not for long.
        (0..3).for_each(|_| wait(&mut order, "c", 1, ()));
        (0..3).for_each(|_| wait(&mut order, "b", 1, ()));
        assert_eq!(turns(&mut order, 6, |_| 1).matches("cb").count(), 3);
    }

    #[test]
    fn an_object_under_way_comes_before_the_same_peers_others() {
        let mut order = Order::new(100, 1);
        wait(&mut order, "a", 1, 1);
        order.wait(Waiting { peer: "a".into(), bytes: 1, is_first: false, tell: 2 });
        assert_eq!(order.next(|_| false).map(|next| next.tell), Some(2));
    }

    #[test]
    fn a_large_frame_has_its_turn_however_many_small_ones_there_are() {
        let mut order = Order::new(100, 4);
        wait(&mut order, "a", 60, "a");
        let first = order.next(|_| false).expect("a turn");
        wait(&mut order, "b", 90, "b");
        wait(&mut order, "c", 10, "c");
        assert!(order.next(|_| false).is_none());
        order.ended("a", first.bytes, SECOND);
        assert_eq!(
            [order.next(|_| false), order.next(|_| false)].map(|next| next.map(|next| next.tell)),
            [Some("b"), Some("c")]
        );
    }

    proptest! {
        /// Whoever waits gets a turn, however others come, go away and take long; and nothing is left.
        #[test]
        fn everybody_has_a_turn_and_nothing_is_left(
            acts in prop::collection::vec((0..4usize, 1..150u64, 0..3u8, 0..40u64), 1..120),
            places in 1..4usize,
        ) {
            let mut order = Order::new(100, places);
            let (mut open, mut gone, mut next_number) = (Vec::new(), Vec::new(), 0);
            for (peer, bytes, act, took) in acts {
                match act {
                    0 => {
                        wait(&mut order, ["a", "b", "c", "d"][peer], bytes, next_number);
                        next_number += 1;
                    }
                    1 => gone.push(took as usize),
                    _ if !open.is_empty() => {
                        let Waiting { peer, bytes, .. } = open.remove(took as usize % open.len());
                        order.ended(&peer, bytes, Duration::from_millis(took));
                    }
                    _ => {}
                }
                while let Some(next) = order.next(|number| gone.contains(number)) {
                    open.push(next);
                }
                let taken = open.iter().map(|turn: &Waiting<usize>| turn.bytes).sum::<u64>();
                prop_assert!(taken <= 100 && taken == order.taken && open.len() + order.places == places);
            }
            while let Some(Waiting { peer, bytes, .. }) = open.pop() {
                order.ended(&peer, bytes, SECOND);
                while let Some(next) = order.next(|number| gone.contains(number)) {
                    open.push(next);
                }
            }
            prop_assert!(order.waiting.is_empty());
            prop_assert_eq!((order.taken, order.places), (0, places));
        }
    }
}
