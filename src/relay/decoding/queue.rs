//! Whose frame is decoded next: that of the peer that has had least so far, whoever has many.

mod order;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use order::{Order, Waiting};

/// Who waits for a turn, and who has one.
pub(super) struct Queue {
    order: Mutex<Order<oneshot::Sender<Turn>>>,
}

/// A place among those that decode, and memory for that, until it is dropped.
pub(super) struct Turn {
    queue: Arc<Queue>,
    peer: Arc<str>,
    bytes: u64,
    began: Instant,
}

impl Queue {
    /// So many bytes, for so many frames at once.
    pub(super) fn new(bytes: u64, places: usize) -> Arc<Self> {
        Arc::new(Self { order: Mutex::new(Order::new(bytes, places)) })
    }

    /// More memory or less; less, as turns end.
    pub(super) fn resize(self: &Arc<Self>, bytes: u64) {
        self.order().resize(bytes);
        self.go_on();
    }

    /// The memory that there is.
    pub(super) fn bytes(&self) -> u64 {
        self.order().bytes()
    }

    /// What of it turns have.
    pub(super) fn taken(&self) -> u64 {
        self.order().taken()
    }

    /// A turn with so many bytes, or with all that there are. Whose object has gone out in part comes before the same peer's
    /// others.
    pub(super) async fn turn(self: &Arc<Self>, peer: Arc<str>, bytes: u64, is_first: bool) -> Option<Turn> {
        let (tell, told) = oneshot::channel();
        self.order().wait(Waiting { peer, bytes, is_first, tell });
        self.go_on();
        told.await.ok()
    }

    /// Gives turns to those that can have one.
    fn go_on(self: &Arc<Self>) {
        loop {
            let next = self.order().next(oneshot::Sender::is_closed);
            let Some(Waiting { peer, bytes, tell, .. }) = next else { return };
            let turn = Turn { queue: Arc::clone(self), peer, bytes, began: Instant::now() };
            // One who has just gone away gives it back.
            drop(tell.send(turn));
        }
    }

    fn order(&self) -> MutexGuard<'_, Order<oneshot::Sender<Turn>>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The memory that it has.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.queue.order().ended(&self.peer, self.bytes, self.began.elapsed());
        self.queue.go_on();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::{Queue, Turn};

    fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn has_turn(future: Pin<&mut impl Future<Output = Option<Turn>>>) -> Option<Turn> {
        match poll(future) {
            Poll::Ready(turn) => Some(turn.expect("a queue that is never closed")),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_turn_ends_when_it_is_dropped_and_the_next_one_begins() {
        let queue = Queue::new(10, 4);
        let first = has_turn(pin!(queue.turn("a".into(), 6, true))).expect("a turn");
        let mut second = pin!(queue.turn("b".into(), 6, true));
        assert!(has_turn(second.as_mut()).is_none());
        drop(first);
        assert!(has_turn(second).is_some());
    }

    #[test]
    fn who_went_away_keeps_nobody_waiting() {
        let queue = Queue::new(10, 1);
        let first = has_turn(pin!(queue.turn("a".into(), 6, true))).expect("a turn");
        {
            let mut gone = pin!(queue.turn("b".into(), 6, true));
            assert!(has_turn(gone.as_mut()).is_none());
        }
        let mut last = pin!(queue.turn("c".into(), 6, true));
        assert!(has_turn(last.as_mut()).is_none());
        // Another one goes away with a turn that it never saw.
        let mut unseen = Box::pin(queue.turn("d".into(), 6, true));
        assert!(has_turn(unseen.as_mut()).is_none());
        drop(first);
        let last = has_turn(last).expect("a turn");
        drop(last);
        drop(unseen);
        assert!(has_turn(pin!(queue.turn("e".into(), 10, true))).is_some());
    }

    #[test]
    fn who_needs_more_than_there_is_gets_all_and_a_reload_changes_that() {
        let queue = Queue::new(10, 4);
        let all = has_turn(pin!(queue.turn("a".into(), 1 << 30, true))).expect("a turn");
        assert_eq!(all.bytes(), 10);
        let mut other = pin!(queue.turn("b".into(), 1, true));
        assert!(has_turn(other.as_mut()).is_none());
        queue.resize(11);
        assert!(has_turn(other).is_some());
        drop(all);
        queue.resize(2);
        assert_eq!(has_turn(pin!(queue.turn("c".into(), 3, true))).map(|turn| turn.bytes()), Some(2));
    }
}
