//! A future that is looked at only when something woke it, however often its task wakes up for something else.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// What seldom happens: a deadline, a stop.
pub(crate) struct Seldom<F> {
    future: F,
    /// `None` until the first look.
    bell: Option<Arc<Bell>>,
}

/// Wakes the task, and remembers for whom.
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl<F: Future + Unpin> Seldom<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future, bell: None }
    }

    /// The bell, if the future has to be looked at: it rang, or it is a new one because the task has a new waker.
    fn rung(&mut self, task: &Waker) -> Option<Arc<Bell>> {
        if let Some(bell) = self.bell.as_ref().filter(|bell| bell.task.will_wake(task)) {
            // Read before it is written: it seldom rang.
            let rung = bell.rung.load(Ordering::Relaxed) && bell.rung.swap(false, Ordering::Acquire);
            return rung.then(|| bell.clone());
        }
        let bell = Arc::new(Bell { rung: AtomicBool::new(false), task: task.clone() });
        Some(self.bell.insert(bell).clone())
    }
}

impl<F: Future + Unpin> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let Some(bell) = this.rung(cx.waker()) else { return Poll::Pending };
        let waker = Waker::from(bell);
        Pin::new(&mut this.future).poll(&mut Context::from_waker(&waker))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    use tokio::sync::Notify;

    use super::Seldom;

    #[derive(Default)]
    struct Task(AtomicU32);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn it_is_looked_at_when_it_was_woken_and_only_then() {
        let (event, looks) = (Notify::new(), Cell::new(0));
        let mut waits = pin!(event.notified());
        let seldom = Seldom::new(poll_fn(|cx| {
            looks.set(looks.get() + 1);
            waits.as_mut().poll(cx)
        }));
        let mut seldom = pin!(seldom);
        let task = Arc::new(Task::default());
        let waker = Waker::from(task.clone());
        let mut look = |waker| seldom.as_mut().poll(&mut Context::from_waker(waker));
        assert_eq!([look(&waker), look(&waker), look(&waker)], [Poll::Pending; 3]);
        assert_eq!(looks.get(), 1, "at first, and not again");
        event.notify_one();
        assert_eq!(task.0.load(Ordering::Relaxed), 1, "the task hears of it");
        assert_eq!(look(&waker), Poll::Ready(()));
    }

    #[test]
    fn a_task_that_moved_hears_of_it() {
        let event = Notify::new();
        let seldom = Seldom::new(Box::pin(event.notified()));
        let mut seldom = pin!(seldom);
        let (before, after) = (Arc::new(Task::default()), Arc::new(Task::default()));
        for task in [&before, &after] {
            let waker = Waker::from(task.clone());
            assert!(seldom.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        event.notify_one();
        assert_eq!([&before, &after].map(|task| task.0.load(Ordering::Relaxed)), [0, 1]);
    }
}
