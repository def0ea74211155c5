//! The association that was used last on behalf of one association of a peer, until that asks again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

/// Something dear to open that can be kept for the next who needs it, such as an association.
pub(super) trait Lasting: Send + 'static {
    /// Whether somebody may wait for what it takes.
    fn is_waited_for(&self) -> bool;
    /// Parts from it in an orderly way.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// One at most: who has another one to keep meanwhile closes the one before.
pub(super) struct Kept<L> {
    slot: Arc<Slot<L>>,
    /// How long it is kept unused.
    unused: Duration,
}

struct Slot<L>(Mutex<Option<Idle<L>>>);

struct Idle<L> {
    lasting: L,
    /// Closes it.
    later: AbortHandle,
}

impl<L: Lasting> Kept<L> {
    /// An empty slot; what is kept in it is closed once it was not used for so long.
    pub(super) fn of(unused: Duration) -> Self {
        Self { slot: Arc::new(Slot(Mutex::new(None))), unused }
    }

    /// What is kept, to be used again.
    pub(super) fn take(&self) -> Option<L> {
        self.slot.take()
    }

    /// Keeps it for a while. Where others wait for an association with the same upstream, it is closed for them instead.
    pub(super) fn keep(&self, lasting: L) {
        if lasting.is_waited_for() {
            return part(lasting);
        }
        let (slot, unused) = (self.slot.clone(), self.unused);
        // Locked until the handle is in it: a task that is early has to find what it closes.
        let mut idle = self.slot.idle();
        let later = tokio::spawn(async move {
            sleep(unused).await;
            slot.take().into_iter().for_each(part);
        });
        let before = idle.replace(Idle { lasting, later: later.abort_handle() });
        drop(idle);
        if let Some(before) = before {
            before.later.abort();
            part(before.lasting);
        }
    }

    /// Closes what is kept: the operation is over, or the association.
    pub(super) fn close(&self) {
        self.take().into_iter().for_each(part);
    }
}

impl<L> Slot<L> {
    fn take(&self) -> Option<L> {
        let Idle { lasting, later } = self.idle().take()?;
        later.abort();
        Some(lasting)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Idle<L>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody waits for how it parts; it keeps its turn until then.
fn part(lasting: impl Lasting) {
    tokio::spawn(lasting.close());
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    struct One {
        number: u8,
        is_waited_for: bool,
        closed: Sender<u8>,
    }

    impl Lasting for One {
        fn is_waited_for(&self) -> bool {
            self.is_waited_for
        }

        async fn close(self) {
            self.closed.send(self.number).await.unwrap();
        }
    }

    fn some() -> (impl Fn(u8) -> One, Receiver<u8>) {
        let (closed, told) = channel(8);
        (move |number| One { number, is_waited_for: false, closed: closed.clone() }, told)
    }

    #[tokio::test]
    async fn what_is_kept_is_used_again_or_closed_when_it_was_unused_for_long_enough() {
        let (one, mut closed) = some();
        let kept = Kept::of(Duration::MAX);
        assert!(kept.take().is_none());
        for _ in 0..3 {
            kept.keep(one(1));
            assert_eq!(kept.take().map(|one| one.number), Some(1));
        }
        assert!(kept.take().is_none() && closed.try_recv().is_err());
        let kept = Kept::of(Duration::from_millis(1));
        kept.keep(one(2));
        assert_eq!(closed.recv().await, Some(2));
        assert!(kept.take().is_none());
        // Also where the association of the peer is gone meanwhile.
        kept.keep(one(3));
        drop(kept);
        assert_eq!(closed.recv().await, Some(3));
    }

    #[tokio::test]
    async fn it_is_closed_at_once_when_it_is_over_waited_for_or_one_too_many() {
        let (one, mut closed) = some();
        let kept = Kept::of(Duration::MAX);
        kept.keep(one(1));
        kept.close();
        assert_eq!(closed.recv().await, Some(1));
        kept.keep(One { is_waited_for: true, ..one(2) });
        assert_eq!(closed.recv().await, Some(2));
        kept.keep(one(3));
        kept.keep(one(4));
        assert_eq!(closed.recv().await, Some(3));
        assert_eq!(kept.take().map(|one| one.number), Some(4));
    }
}
