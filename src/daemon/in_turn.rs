//! What one tenant records of what the whole process does, one after the other, while nobody else waits for its disk.

use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// What waits for a disk that takes nothing. What comes then is lost, and the log says so.
const WAITING: usize = 256;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does one job after the other.
pub(super) struct InTurn {
    jobs: mpsc::Sender<Job>,
    doing: JoinHandle<()>,
}

impl InTurn {
    pub(super) fn begin() -> Self {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING);
        let doing = tokio::spawn(async move {
            while let Some(job) = waiting.recv().await {
                job.await;
            }
        });
        Self { jobs, doing }
    }

    /// Behind all that waits. It does not wait for that.
    pub(super) fn take(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.queue(Box::pin(job));
    }

    /// The first one: as much of it as needs no wait is done when this is back.
    pub(super) fn take_first(&self, job: impl Future<Output = ()> + Send + 'static) {
        let mut job: Job = Box::pin(job);
        if job.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.queue(job);
        }
    }

    fn queue(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            tracing::error!(
                "a reload is not recorded in one of the trails: its disk has not taken those before it"
            );
        }
    }

    /// Returns once all is done that waits now.
    pub(super) async fn done(&self) {
        let (tell, told) = oneshot::channel();
        self.take(async move {
            let _ = tell.send(());
        });
        // It is gone where there was no room for it.
        let _ = told.await;
    }

    /// The same, and nothing comes any more.
    pub(super) async fn end(self) {
        drop(self.jobs);
        // A job that panicked has told so.
        let _ = self.doing.await;
    }
}

#[cfg(test)]
mod tests {
    use super::{InTurn, WAITING};
    use std::future::pending;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn jobs_are_done_in_their_order_and_nobody_waits_for_one_that_hangs() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let (one, other) = (InTurn::begin(), InTurn::begin());
        let note = |number: usize| {
            let done = done.clone();
            async move {
                tokio::task::yield_now().await;
                done.lock().unwrap().push(number);
            }
        };
        other.take(pending());
        (0..2 * WAITING).for_each(|_| other.take(note(99)));
        one.take_first(note(1));
        [2, 3].into_iter().for_each(|number| one.take(note(number)));
        one.done().await;
        assert_eq!(*done.lock().unwrap(), [1, 2, 3]);
        one.take(note(4));
        one.end().await;
        assert_eq!(*done.lock().unwrap(), [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn what_needs_no_wait_of_the_first_is_done_at_once() {
        let done = Arc::new(Mutex::new(0));
        let (first, turn) = (done.clone(), InTurn::begin());
        turn.take_first(async move {
            *first.lock().unwrap() += 1;
            tokio::task::yield_now().await;
            *first.lock().unwrap() += 1;
        });
        assert_eq!(*done.lock().unwrap(), 1);
        turn.end().await;
        assert_eq!(*done.lock().unwrap(), 2);
    }
}
