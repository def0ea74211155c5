//! How many user identities of each peer are checked at once: whoever has many addresses shall not keep the turns of all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A quarter of the attempts that may be under way altogether (`users`).
const MOST_OF_PEER: u32 = 16;

/// Checks under way, by peer.
#[derive(Default)]
pub(crate) struct Proving {
    under_way: Mutex<HashMap<Arc<str>, u32>>,
}

/// The right to have a passcode hashed now, one of a bounded number; given back when it is dropped.
pub(super) struct Turn<'p> {
    proving: &'p Proving,
    peer: Arc<str>,
}

impl Proving {
    /// A turn for a peer; `None` where it has as many as it gets.
    pub(super) fn begin(&self, peer: &Arc<str>) -> Option<Turn<'_>> {
        let mut under_way = self.under_way();
        let of_peer = under_way.entry(peer.clone()).or_default();
        if *of_peer >= MOST_OF_PEER {
            return None;
        }
        *of_peer += 1;
        Some(Turn { proving: self, peer: peer.clone() })
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<Arc<str>, u32>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut under_way = self.proving.under_way();
        if let Some(of_peer) = under_way.get_mut(&self.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                under_way.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_OF_PEER, Proving};

    #[test]
    fn a_peer_has_its_turns_and_leaves_those_of_others() {
        let proving = Proving::default();
        let turns: Vec<_> = (0..MOST_OF_PEER).map(|_| proving.begin(&"lyon".into()).unwrap()).collect();
        assert!(proving.begin(&"lyon".into()).is_none());
        assert!(proving.begin(&"kiel".into()).is_some());
        drop(turns);
        assert!(proving.begin(&"lyon".into()).is_some());
        assert!(proving.under_way().is_empty());
    }
}
