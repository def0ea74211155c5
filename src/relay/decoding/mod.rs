//! Frames decoded: by threads that serve no connection, in memory that all associations share.
//!
//! Two parts of it. In one a frame lies while it comes, waits, and is sent on: as slowly as its sender sends, or its reader
//! reads. That is a [`Shelf`], where who holds most gives way to the others. The other part is for frames that are being decoded:
//! a [turn](queue) begins when all of a frame has come, and ends when its pixels lie on the shelf, so that nobody but the
//! decoder decides how long it takes.

mod queue;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::buffer::{Corner, Shelf};
use crate::config::Limits;
use crate::rewrite::{Frame, FrameMemory, Pixels};
use queue::Queue;

/// What all associations share.
pub(crate) struct Decoders {
    shelf: Arc<Shelf>,
    queue: Arc<Queue>,
    /// How long a frame waits for its turn.
    patience: Mutex<Duration>,
}

impl Decoders {
    pub fn new(limits: &Limits) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let FrameMemory { decoding, lying } = limits.decoding_memory;
        // Connections need processors too.
        let queue = Queue::new(decoding, (processors / 2).max(1));
        let patience = Mutex::new(limits.dimse_timeout);
        Self { shelf: Shelf::new(bytes(lying)), queue, patience }
    }

    /// Other limits hold from now on.
    pub fn apply(&self, limits: &Limits) {
        let FrameMemory { decoding, lying } = limits.decoding_memory;
        self.shelf.resize(bytes(lying));
        self.queue.resize(decoding);
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner) = limits.dimse_timeout;
    }

    /// Where the frames of a peer lie.
    pub fn corner(&self, peer: Arc<str>) -> Corner {
        self.shelf.corner(peer)
    }

    /// Decodes a frame of a peer on a thread of its own, in its turn. The turn lasts until that is done, whoever still waits for
    /// it.
    pub async fn decode(&self, peer: Arc<str>, frame: Box<Frame>) -> Pixels {
        let patience = *self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = self.queue.turn(peer, frame.room(), frame.is_first());
        let Ok(Some(turn)) = timeout(patience, turn).await else { return Pixels::no_room() };
        let work = move || {
            let pixels = frame.decode(turn.bytes());
            drop(turn);
            pixels
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Pixels::undecodable())
    }
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
