//! The report on the records, made apart from everything else: on a thread of its own that gives way to the relay, one at a time,
//! and for a while only. Who wants more has the command, which may take as long as it likes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::audit::reading::figures::Figures;

/// How long one may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The least that the system gives (setpriority(2)).
const GIVING_WAY: i32 = 19;

/// How figures become a page: what they are of, and when it is written.
pub type Written = fn(&Figures, &str, OffsetDateTime) -> String;

/// A place for one report, and how it is written.
#[derive(Clone)]
pub(super) struct Reports {
    pub written: Written,
    place: Arc<Semaphore>,
}

/// Whether a report is still wanted.
#[derive(Clone)]
pub(super) struct Wanted {
    since: Instant,
    left: Arc<AtomicBool>,
}

/// Says that nobody waits any more, once it is dropped.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Wanted {
    /// Whether somebody waits for it, and has not waited too long.
    pub(super) fn goes_on(&self) -> bool {
        !self.left.load(Relaxed) && self.since.elapsed() < PATIENCE
    }
}

impl Reports {
    pub(super) fn new(written: Written) -> Self {
        Self { written, place: Arc::new(Semaphore::new(1)) }
    }

    /// The place, where nobody has it.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.place.clone().try_acquire_owned().ok()
    }
}

/// Does something on a thread of its own, which keeps the place until it ends. `None`: there is no thread to be had, or it ended by
/// a defect.
pub(super) async fn apart<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    work: impl FnOnce(&Wanted) -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    let left = Arc::new(AtomicBool::new(false));
    let _waiting = Waiting(left.clone());
    let wanted = Wanted { since: Instant::now(), left };
    let begun = thread::Builder::new().name("report".into()).spawn(move || {
        // Threads that it begins are as it is. Where the system does not let it, it is no worse than any other thread.
        let _ = rustix::process::setpriority_process(None, GIVING_WAY);
        let done = work(&wanted);
        drop(place);
        tell.send(done)
    });
    begun.ok()?;
    told.await.ok()
}

#[cfg(test)]
mod tests {
    use super::{Reports, apart};
    use std::future::poll_fn;
    use std::sync::mpsc;
    use std::task::Poll;

    #[tokio::test]
    async fn there_is_one_at_a_time_and_it_ends_where_nobody_waits() {
        let reports = Reports::new(|_, _, _| String::new());
        let place = reports.place().unwrap();
        assert!(reports.place().is_none());
        let (tell, told) = mpsc::channel();
        let mut asked = Box::pin(apart(place, move |wanted| {
            while wanted.goes_on() {
                std::thread::yield_now();
            }
            tell.send(()).unwrap();
        }));
        assert!(poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await.is_pending());
        drop(asked);
        told.recv().unwrap();
        while reports.place().is_none() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_made_comes_back_and_a_defect_is_told_from_it() {
        let reports = Reports::new(|_, _, _| String::new());
        assert_eq!(apart(reports.place().unwrap(), |wanted| wanted.goes_on()).await, Some(true));
        let defect = apart(reports.place().unwrap(), |_| -> u8 { panic!("a defect, on purpose") }).await;
        assert_eq!(defect, None);
        assert!(reports.place().is_some(), "the place is free again");
    }
}
