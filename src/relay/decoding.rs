//! Frames decoded: by threads that serve no connection, in memory that all associations share.
//!
//! Who has to wait for memory holds none, and no packer unless its message has begun: a data set asks once, before its
//! first frame, for all that it will ever need, and gives it back when its last frame has been sent, or it has failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;

use super::machine::Room;
use crate::rewrite::{Frame, Pixels};

/// What memory is counted in, in bytes: a semaphore counts to four thousand million.
const UNIT: u64 = 1 << 10;

/// What all associations share.
pub(crate) struct Decoders {
    memory: Arc<Semaphore>,
    /// Units of memory, taken or not.
    units: AtomicU32,
    /// Frames that may be decoded at once: connections need processors too.
    places: Arc<Semaphore>,
}

impl Decoders {
    /// With so many bytes of memory.
    pub fn new(bytes: u64) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let units = units(bytes);
        Self {
            memory: Arc::new(Semaphore::new(units as usize)),
            units: AtomicU32::new(units),
            places: Arc::new(Semaphore::new((processors / 2).max(1))),
        }
    }

    /// Changes how much memory there is; less, only as far as it is free.
    pub fn apply(&self, bytes: u64) {
        let (now, wanted) = (self.units.load(Ordering::Relaxed), units(bytes));
        if wanted >= now {
            self.memory.add_permits((wanted - now) as usize);
            self.units.store(wanted, Ordering::Relaxed);
        } else {
            let forgotten = self.memory.forget_permits((now - wanted) as usize);
            self.units.store(now - u32::try_from(forgotten).unwrap_or(now), Ordering::Relaxed);
        }
    }

    /// Waits for so many bytes, or for all that there are.
    pub async fn room(&self, bytes: u64) -> Option<Room> {
        let units = units(bytes).min(self.units.load(Ordering::Relaxed));
        // It is never closed.
        Arc::clone(&self.memory).acquire_many_owned(units).await.ok().map(|permit| Arc::new(permit) as Room)
    }

    /// Decodes a frame on a thread of its own, in its turn. What is in hand for it stays so until that is done, whoever
    /// still waits for it.
    pub async fn decode(&self, frame: Box<Frame>, room: Option<Room>) -> Pixels {
        self.elsewhere(move || {
            let pixels = frame.decode();
            drop((frame, room));
            pixels
        })
        .await
        .unwrap_or_default()
    }

    async fn elsewhere<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::Decoders;

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn memory_is_shared_and_given_back_with_what_was_made_in_it() {
        let decoders = Decoders::new(10 << 10);
        let Poll::Ready(Some(first)) = poll(pin!(decoders.room(6 << 10))) else { panic!("room") };
        let mut second = pin!(decoders.room(6 << 10));
        assert!(poll(second.as_mut()).is_pending());
        let working = first.clone();
        drop(first);
        assert!(poll(second.as_mut()).is_pending(), "a frame is still being decoded");
        drop(working);
        assert!(matches!(poll(second.as_mut()), Poll::Ready(Some(_))));
    }

    #[test]
    fn who_needs_more_than_there_is_gets_all_and_a_reload_changes_that() {
        let decoders = Decoders::new(10 << 10);
        let Poll::Ready(Some(all)) = poll(pin!(decoders.room(1 << 30))) else { panic!("room") };
        assert!(poll(pin!(decoders.room(1))).is_pending());
        decoders.apply(11 << 10);
        assert!(matches!(poll(pin!(decoders.room(1 << 10))), Poll::Ready(Some(_))));
        drop(all);
        decoders.apply(2 << 10);
        let Poll::Ready(Some(_all)) = poll(pin!(decoders.room(1 << 30))) else { panic!("room") };
        assert!(poll(pin!(decoders.room(1))).is_pending());
    }

    #[tokio::test]
    async fn work_is_done_by_threads_that_serve_nobody_else() {
        let here = std::thread::current().id();
        let there = Decoders::new(0).elsewhere(|| std::thread::current().id()).await;
        assert!(there.is_some_and(|there| there != here));
        assert!(Decoders::new(0).elsewhere(|| -> () { panic!("a decoder's") }).await.is_none());
    }
}
