//! When the deadlines of an association are looked at again.

use std::pin::Pin;
use std::task::Context;
use std::time::Instant;

use tokio::task::coop::unconstrained;
use tokio::time::sleep_until;

use super::seldom::Seldom;

/// Rings when they have to be.
pub(super) struct Alarm(Seldom<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Alarm {
    /// One that is not set yet.
    pub(super) fn new() -> Self {
        Self(Seldom::new(Box::pin(std::future::pending())))
    }

    /// Looks if it rings, or if somebody `asks` for a look, and sets it to the time that `look` gives.
    ///
    /// # Errors
    /// That of the look.
    pub(super) fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        mut asks: bool,
        mut look: impl FnMut() -> Result<Instant, E>,
    ) -> Result<(), E> {
        while std::mem::take(&mut asks) || Pin::new(&mut self.0).poll(cx).is_ready() {
            let then = look()?;
            // What is always busy may use up the share of work that the runtime gives to a task; a deadline needs none of it.
            self.0 = Seldom::new(Box::pin(unconstrained(sleep_until(then.into()))));
            // That has come since the task woke up, whose time the look goes by: another look now would find the same.
            if then <= tokio::time::Instant::now().into_std() {
                cx.waker().wake_by_ref();
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake, Waker};
    use std::time::{Duration, Instant};

    use super::Alarm;

    #[derive(Default)]
    struct Task(AtomicU32);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Looks once, if it does, and finds this time.
    fn looks(alarm: &mut Alarm, task: &Arc<Task>, asks: bool, then: Instant) -> bool {
        let waker = Waker::from(task.clone());
        let mut looked = false;
        let polled = alarm.poll(&mut Context::from_waker(&waker), asks, || {
            assert!(!std::mem::replace(&mut looked, true), "a second look with the same time");
            Ok::<_, Infallible>(then)
        });
        assert_eq!(polled, Ok(()));
        looked
    }

    #[tokio::test]
    async fn a_time_that_has_come_already_is_looked_at_at_the_next_wake_up() {
        let (mut alarm, task) = (Alarm::new(), Arc::new(Task::default()));
        let now = Instant::now();
        let (before, later) =
            (now.checked_sub(Duration::from_secs(1)).unwrap(), now + Duration::from_secs(3600));
        assert!(!looks(&mut alarm, &task, false, before));
        assert!(looks(&mut alarm, &task, true, before));
        assert!(task.0.load(Ordering::Relaxed) > 0, "it wakes up at once");
        while !looks(&mut alarm, &task, false, later) {
            tokio::task::yield_now().await;
        }
        assert!(!looks(&mut alarm, &task, false, later), "it has not rung since");
        assert!(looks(&mut alarm, &task, true, later));
    }
}
