//! Who holds how much of a shelf.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Contents, Lot, NoRoom, lock};

pub(super) struct Books {
    /// Bytes that there are, and those of them that lots are counted for.
    pub size: usize,
    pub taken: usize,
    /// Who holds something.
    pub peers: HashMap<Arc<str>, Holding>,
    /// What the next lot is called.
    next: u64,
}

#[derive(Default)]
pub(super) struct Holding {
    pub taken: usize,
    /// The one that was begun first comes first.
    pub lots: BTreeMap<u64, (usize, Contents)>,
}

impl Books {
    pub fn new(size: usize) -> Self {
        Self { size, taken: 0, peers: HashMap::new(), next: 0 }
    }

    /// Counts so many bytes for a lot. What gives way for that is `gone`.
    pub fn count(&mut self, lot: &mut Lot, bytes: usize, gone: &mut Vec<Vec<u8>>) -> Result<(), NoRoom> {
        let peer = &lot.corner.peer;
        let counted = lot.number.map_or(Ok(0), |number| self.counted(peer, number).ok_or(NoRoom))?;
        if bytes > counted {
            self.make_room(peer, bytes - counted, gone)?;
        }
        let number = *lot.number.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        let holding = self.peers.entry(Arc::clone(peer)).or_default();
        holding.lots.entry(number).or_insert_with(|| (0, Arc::clone(&lot.contents))).0 = bytes;
        holding.taken = holding.taken - counted + bytes;
        self.taken = self.taken - counted + bytes;
        Ok(())
    }

    /// Forgets a lot, unless it had to give way.
    pub fn forget(&mut self, peer: &str, number: u64) -> Option<Contents> {
        let holding = self.peers.get_mut(peer)?;
        let (counted, contents) = holding.lots.remove(&number)?;
        holding.taken -= counted;
        self.taken -= counted;
        if holding.lots.is_empty() {
            self.peers.remove(peer);
        }
        Some(contents)
    }

    fn counted(&self, peer: &str, number: u64) -> Option<usize> {
        self.peers.get(peer)?.lots.get(&number).map(|(counted, _)| *counted)
    }

    /// Makes room for so many bytes of a peer's, or takes nothing away from anybody.
    fn make_room(&mut self, peer: &str, more: usize, gone: &mut Vec<Vec<u8>>) -> Result<(), NoRoom> {
        let after = self.peers.get(peer).map_or(0, |holding| holding.taken).saturating_add(more);
        let others = self.peers.iter().filter(|(name, _)| ***name != *peer);
        let can_give = others.map(|(_, holding)| holding.taken.saturating_sub(after));
        if self.free().saturating_add(can_give.sum()) < more {
            return Err(NoRoom);
        }
        while self.free() < more {
            gone.push(self.take_away(peer, after).ok_or(NoRoom)?);
        }
        Ok(())
    }

    fn free(&self) -> usize {
        self.size.saturating_sub(self.taken)
    }

    /// Takes away what was begun first of what that peer holds who holds most, and more than `after`.
    fn take_away(&mut self, but: &str, after: usize) -> Option<Vec<u8>> {
        let others = self.peers.iter().filter(|(name, holding)| ***name != *but && holding.taken > after);
        let (peer, holding) = others.max_by_key(|(_, holding)| holding.taken)?;
        let (peer, number) = (Arc::clone(peer), *holding.lots.first_key_value()?.0);
        let contents = self.forget(&peer, number)?;
        // Nobody waits for the books who holds this.
        let bytes = lock(&contents).take();
        Some(bytes.unwrap_or_default())
    }
}
