//! Who holds how much of a shelf.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Contents, Lot, NoRoom, lock};

pub(super) struct Books {
    /// Bytes that there are, and those of them that what grows of one peer leaves to what is whole.
    pub size: usize,
    pub spare: usize,
    /// Bytes that lots are counted for.
    pub taken: usize,
    /// Who holds something.
    pub peers: HashMap<Arc<str>, Holding>,
    /// What the latest lot is called.
    latest: u64,
}

#[derive(Default)]
pub(super) struct Holding {
    pub taken: usize,
    /// The one that was begun first comes first.
    pub lots: BTreeMap<u64, Entry>,
}

pub(super) struct Entry {
    pub counted: usize,
    pub grows: bool,
    pub contents: Contents,
}

impl Holding {
    fn growing(&self) -> usize {
        self.lots.values().filter(|lot| lot.grows).map(|lot| lot.counted).sum()
    }
}

impl Books {
    pub(super) fn new(size: usize, spare: usize) -> Self {
        Self { size, spare, taken: 0, peers: HashMap::new(), latest: 0 }
    }

    /// Counts so many bytes for a lot, which `grows`, or is whole. What gives way for that is `gone`.
    pub(super) fn count(
        &mut self,
        lot: &mut Lot,
        bytes: usize,
        grows: bool,
        gone: &mut Vec<Vec<u8>>,
    ) -> Result<(), NoRoom> {
        let peer = &lot.corner.peer;
        let counted = lot.number.map_or(Ok(0), |number| self.counted(peer, number).ok_or(NoRoom))?;
        if bytes > counted {
            let growing = self.peers.get(peer).map_or(0, Holding::growing);
            if grows && growing.saturating_add(bytes - counted) > self.size.saturating_sub(self.spare) {
                return Err(NoRoom);
            }
            self.make_room(peer, bytes - counted, gone)?;
        }
        let number = *lot.number.get_or_insert_with(|| {
            self.latest += 1;
            self.latest
        });
        let holding = self.peers.entry(Arc::clone(peer)).or_default();
        let entry = Entry { counted: bytes, grows, contents: Arc::clone(&lot.contents) };
        holding.lots.insert(number, entry);
        holding.taken = holding.taken - counted + bytes;
        self.taken = self.taken - counted + bytes;
        Ok(())
    }

    /// Forgets a lot, unless it had to give way.
    pub(super) fn forget(&mut self, peer: &str, number: u64) -> Option<Contents> {
        let holding = self.peers.get_mut(peer)?;
        let Entry { counted, contents, .. } = holding.lots.remove(&number)?;
        holding.taken -= counted;
        self.taken -= counted;
        if holding.lots.is_empty() {
            self.peers.remove(peer);
        }
        Some(contents)
    }

    /// Whether a lot has to wait, and not for nothing: it is there, and so is a whole one of the same peer, which goes on.
    pub(super) fn may_wait(&self, lot: &Lot) -> bool {
        let holding = self.peers.get(&lot.corner.peer);
        let is_there = |lots: &BTreeMap<_, _>| lot.number.is_some_and(|number| lots.contains_key(&number));
        holding.is_some_and(|it| is_there(&it.lots) && it.lots.values().any(|lot| !lot.grows))
    }

    fn counted(&self, peer: &str, number: u64) -> Option<usize> {
        self.peers.get(peer)?.lots.get(&number).map(|lot| lot.counted)
    }

    /// Makes room for so many bytes of a peer's, or takes nothing away from anybody.
    fn make_room(&mut self, peer: &str, more: usize, gone: &mut Vec<Vec<u8>>) -> Result<(), NoRoom> {
        let after = self.peers.get(peer).map_or(0, |holding| holding.taken).saturating_add(more);
        let others = self.peers.iter().filter(|(name, _)| ***name != *peer);
        let can_give: usize = others.map(|(_, holding)| holding.taken.saturating_sub(after)).sum();
        let size = self.size;
        let lacks = |taken: usize| taken.saturating_add(more).saturating_sub(size);
        if lacks(self.taken) > can_give {
            return Err(NoRoom);
        }
        while lacks(self.taken) > 0 {
            gone.push(self.take_away(peer, after).ok_or(NoRoom)?);
        }
        Ok(())
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
