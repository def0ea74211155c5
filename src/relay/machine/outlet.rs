//! The way out to one side: whose turn it is to write there, and what that one has to say.
//!
//! Each side hears the messages of one direction, and besides them the answers that dimsegate gives to that side's own
//! requests, which the other half has. Nothing comes between the fragments of a message (PS3.7 §6.3.1), so whoever has the
//! turn keeps it from the first byte of a message to the last. The half whose direction it is is the *host*; the other one,
//! with its answers, is a *guest*. There are no more than these two, so a queue of one is enough, and since a half gives
//! its own turn back before it asks for the other's, they never wait for each other.

use crate::policy::Direction;
use crate::wire::Packer;

/// The way out to one side.
pub(crate) struct Outlet {
    /// Of the host.
    pub packer: Packer,
    maximum_length: u32,
    turn: Option<Direction>,
    waits: Option<Direction>,
    /// The side gets its abort while the other one goes on for a while; what it still says is of no interest.
    pub is_condemned: bool,
}

impl Outlet {
    /// `maximum_length` is what the side said that it takes; 0 is unlimited.
    pub(super) fn new(maximum_length: u32) -> Self {
        let packer = Packer::new(maximum_length);
        Self { packer, maximum_length, turn: None, waits: None, is_condemned: false }
    }

    /// Takes the turn where it is free; otherwise waits for it. Whether it is this one's.
    pub(super) fn take_turn(&mut self, half: Direction) -> bool {
        let turn = *self.turn.get_or_insert(half);
        if turn != half {
            self.waits = Some(half);
        }
        turn == half
    }

    /// Gives the turn back, or waits for it no more. Whether the other one has it now, who waited.
    pub(super) fn give_turn_back(&mut self, half: Direction) -> bool {
        if self.waits == Some(half) {
            self.waits = None;
        }
        if self.turn != Some(half) {
            return false;
        }
        self.turn = self.waits.take();
        self.turn.is_some()
    }

    /// What a guest packs its answer with.
    pub(super) fn guest(&self) -> Packer {
        Packer::new(self.maximum_length)
    }
}

#[cfg(test)]
mod tests {
    use super::Outlet;
    use crate::policy::Direction::{FromPeer, ToPeer};

    #[test]
    fn who_waits_has_the_turn_next() {
        let mut outlet = Outlet::new(0);
        assert!(outlet.take_turn(FromPeer) && outlet.take_turn(FromPeer));
        assert!(!outlet.take_turn(ToPeer));
        assert!(!outlet.give_turn_back(ToPeer), "it gives up waiting");
        assert!(!outlet.take_turn(ToPeer));
        assert!(outlet.give_turn_back(FromPeer));
        assert!(!outlet.take_turn(FromPeer) && outlet.take_turn(ToPeer));
    }
}
