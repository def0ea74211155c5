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
use queue::{Queue, Turn};

/// Decodes frames for all associations: the memory that they lie in, the queue of those that wait, and the threads that
/// do it.
pub(crate) struct Decoders {
    shelf: Arc<Shelf>,
    queue: Arc<Queue>,
    /// How long a frame waits for room and for its turn.
    patience: Mutex<Duration>,
}

impl Decoders {
    pub(crate) fn new(limits: &Limits) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let FrameMemory { decoding, lying, pixels } = limits.decoding_memory;
        // Connections need processors too.
        let queue = Queue::new(decoding, (processors / 2).max(1));
        let patience = Mutex::new(limits.dimse_timeout);
        Self { shelf: Shelf::new(bytes(lying), bytes(pixels)), queue, patience }
    }

    /// Other limits hold from now on.
    pub(crate) fn apply(&self, limits: &Limits) {
        let FrameMemory { decoding, lying, pixels } = limits.decoding_memory;
        self.shelf.resize(bytes(lying), bytes(pixels));
        self.queue.resize(decoding);
        *self.patience.lock().unwrap_or_else(PoisonError::into_inner) = limits.dimse_timeout;
    }

    /// Bytes that are taken, by frames that lie and by those that are being decoded.
    pub(crate) fn taken(&self) -> u64 {
        self.queue.taken().saturating_add(self.shelf.taken() as u64)
    }

    /// Where the frames of a peer lie.
    pub(crate) fn corner(&self, peer: Arc<str>) -> Corner {
        self.shelf.corner(peer)
    }

    /// Decodes a frame of a peer on a thread of its own, in its turn. The turn lasts until that is done, whoever still waits for
    /// it.
    pub(crate) async fn decode(&self, peer: Arc<str>, mut frame: Box<Frame>) -> Pixels {
        let Some(turn) = self.in_time(self.turn(peer, &mut frame)).await else { return Pixels::no_room() };
        let work = move || {
            let pixels = frame.decode(turn.bytes());
            drop(turn);
            pixels
        };
        elsewhere(work).await.unwrap_or_else(Pixels::undecodable)
    }

    /// Room for the pixels is awaited first: it comes as archives read, and nobody's turn has to wait for that.
    async fn turn(&self, peer: Arc<str>, frame: &mut Frame) -> Option<Turn> {
        loop {
            let changed = self.shelf.changed();
            if frame.make_room(self.queue.bytes()).ok()? {
                break;
            }
            changed.await;
        }
        self.queue.turn(peer, frame.room(), frame.is_first()).await
    }

    /// What comes before the patience is over.
    async fn in_time<T>(&self, wait: impl Future<Output = Option<T>>) -> Option<T> {
        let patience = *self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        timeout(patience, wait).await.ok().flatten()
    }
}

async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::queue::Queue;
    use super::{Decoders, elsewhere};
    use crate::buffer::Shelf;

    #[tokio::test]
    async fn who_waits_for_too_long_has_no_turn() {
        let queue = Queue::new(10, 1);
        let decoders =
            Decoders { shelf: Shelf::new(0, 0), queue: queue.clone(), patience: Mutex::new(Duration::ZERO) };
        let has_turn = || decoders.in_time(queue.turn("a".into(), 10, true));
        let turn = has_turn().await;
        assert!(turn.is_some() && has_turn().await.is_none());
        drop(turn);
        assert!(has_turn().await.is_some());
    }

    #[tokio::test]
    async fn work_is_done_by_threads_that_serve_nobody_else() {
        let here = std::thread::current().id();
        let there = elsewhere(|| std::thread::current().id()).await;
        assert!(there.is_some_and(|there| there != here));
        assert!(elsewhere(|| -> () { panic!("a decoder's") }).await.is_none());
    }
}
