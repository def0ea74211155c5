//! Room for records that wait to be written: bytes of memory, so many and no more.

use tokio::sync::{Semaphore, TryAcquireError, watch};

/// Shared by those who record. Whoever takes room says how much it holds; it is given back when the record is written.
#[derive(Debug)]
pub(super) struct Room {
    free: Semaphore,
    capacity: u32,
    /// The process ends: nobody waits any more, neither for room nor for the disk.
    hurried: watch::Sender<bool>,
}

/// Why no room is given: the writer has ended, and what waits is lost.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended;

impl Room {
    pub(super) fn new(capacity: u32) -> Self {
        Self { free: Semaphore::new(capacity as usize), capacity, hurried: watch::Sender::new(false) }
    }

    /// What a record of so many bytes takes: never more than there is.
    fn cost(&self, weight: usize) -> u32 {
        u32::try_from(weight).unwrap_or(u32::MAX).min(self.capacity)
    }

    /// Takes room if there is enough, and gives how much of it.
    pub(super) fn take(&self, weight: usize) -> Result<Option<u32>, Ended> {
        let cost = self.cost(weight);
        match self.free.try_acquire_many(cost) {
            Ok(room) => {
                room.forget();
                Ok(Some(cost))
            }
            Err(TryAcquireError::NoPermits) => Ok(None),
            Err(TryAcquireError::Closed) => Err(Ended),
        }
    }

    /// Waits for room, and gives how much of it was taken: none where the process ends.
    pub(super) async fn wait_for(&self, weight: usize) -> Result<u32, Ended> {
        if let Some(cost) = self.take(weight)? {
            return Ok(cost);
        }
        let cost = self.cost(weight);
        tokio::select! {
            room = self.free.acquire_many(cost) => {
                room.map_err(|_| Ended)?.forget();
                Ok(cost)
            }
            () = self.hurried() => if self.is_closed() { Err(Ended) } else { Ok(0) },
        }
    }

    pub(super) fn give_back(&self, cost: usize) {
        self.free.add_permits(cost);
    }

    /// From now on nobody waits.
    pub(super) fn hurry(&self) {
        self.hurried.send_replace(true);
    }

    /// Waits until nobody shall wait any more.
    pub(super) async fn hurried(&self) {
        // The sender lives as long as this.
        let _ = self.hurried.subscribe().wait_for(|hurried| *hurried).await;
    }

    /// Ends the waiting: whoever waits for room, or asks for it later, is told [`Ended`].
    pub(super) fn close(&self) {
        self.free.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.free.is_closed()
    }

    /// Whether as good as all of it is taken.
    pub(super) fn is_taken(&self) -> bool {
        self.free.available_permits() < (self.capacity / 64) as usize
    }

    /// Whether no more than half of it is taken.
    pub(super) fn is_half_free(&self) -> bool {
        self.free.available_permits() >= (self.capacity / 2) as usize
    }

    /// Whether so many bytes are half of it, or more.
    pub(super) fn is_half(&self, taken: u64) -> bool {
        taken >= u64::from(self.capacity / 2)
    }
}
