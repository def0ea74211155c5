//! Who decides for whom: the first that matches does, so that a peer gets what those before it leave.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Change, Compared, conditions, rights};
use crate::policy::Peer;

/// For each peer, those who decided before it did for some whom it is about, do so no more, and allowed less.
pub(super) fn changes(compared: &Compared<'_>) -> Vec<Change> {
    let order = Order::of(compared);
    let of_peer = |(at, new): (usize, &Arc<Peer>)| {
        let found = order.no_longer_before(compared, at, new);
        let allowed_less =
            |old: &&Arc<Peer>| conditions::overlap(old, new) && !rights::cover(compared, old, new);
        let mut changes = Vec::new();
        for old in found.into_iter().filter(allowed_less) {
            let detail = format!("decides where peer \"{}\" decided before", old.name);
            changes.push(Change::of(new, true, "order", detail));
        }
        changes
    };
    compared.new.peers.iter().enumerate().flat_map(|(at, new)| of_peer((at, new))).collect()
}

struct Order<'p> {
    /// Where each peer is in the new policy.
    after: HashMap<&'p str, usize>,
    /// Places in the old policy of those that are gone, or are about fewer.
    weaker: Vec<usize>,
    /// Whether those that are in both follow each other as before.
    is_kept: bool,
}

impl<'p> Order<'p> {
    fn of(compared: &Compared<'p>) -> Self {
        let (old, new) = (compared.old, compared.new);
        let after: HashMap<&str, usize> =
            new.peers.iter().zip(0..).map(|(peer, at)| (&*peer.name, at)).collect();
        let now = |peer: &Peer| after.get(&*peer.name).and_then(|at| new.peers.get(*at));
        let is_weaker = |peer: &Peer| now(peer).is_none_or(|now| !conditions::cover(now, peer));
        let weaker =
            old.peers.iter().zip(0..).filter(|(peer, _)| is_weaker(peer)).map(|(_, at)| at).collect();
        let places: Vec<usize> =
            old.peers.iter().filter_map(|peer| after.get(&*peer.name).copied()).collect();
        Self { is_kept: places.is_sorted(), weaker, after }
    }

    /// Those that were before the peer, or before it would have been, and are not there to decide first.
    fn no_longer_before(&self, compared: &Compared<'p>, at: usize, new: &Peer) -> Vec<&'p Arc<Peer>> {
        // A peer that is new is told as a whole.
        let Some(was) = compared.before.get(&*new.name).copied() else { return Vec::new() };
        let moved = (0..was).filter(|_| !self.is_kept).filter(|place| {
            let peer = compared.old.peers.get(*place);
            peer.and_then(|peer| self.after.get(&*peer.name)).is_some_and(|now| *now > at)
        });
        let weaker = self.weaker.iter().copied().filter(|place| *place < was);
        let mut places: Vec<usize> = weaker.chain(moved).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| compared.old.peers.get(place)).collect()
    }
}
