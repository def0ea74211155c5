//! Work on threads for that, so much of it at once and no more.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Bounds how much work is done on blocking threads at once; who has no turn waits.
pub(super) struct InTurn(Arc<Semaphore>);

impl InTurn {
    /// Turns for so many pieces of work at once.
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// What `work` gives, when its turn comes; `None`: it ended without an answer. It keeps its turn to its end, which it comes to
    /// also where nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.0.clone().acquire_owned().await.ok()?;
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        worked.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::mpsc;

    use super::InTurn;

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_the_work_also_where_nobody_waits_for_it() {
        let turns = InTurn::new(1);
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let given_up = turns.run(move || {
            begin.send(()).unwrap();
            ended.recv()
        });
        tokio::select! {
            biased;
            _ = given_up => unreachable!("it waits for the test"),
            () = ready(()) => {}
        }
        begun.recv().unwrap();
        assert_eq!(turns.0.available_permits(), 0);
        let mut next = Box::pin(turns.run(|| 7));
        tokio::select! {
            biased;
            _ = &mut next => unreachable!("there is no turn"),
            () = ready(()) => {}
        }
        end.send(()).unwrap();
        assert_eq!(next.await, Some(7));
    }

    #[tokio::test]
    async fn work_that_panics_gives_no_answer_and_its_turn_back() {
        let turns = InTurn::new(1);
        let none: Option<()> = turns.run(|| panic!("as a defect does")).await;
        assert_eq!(none, None);
        assert_eq!(turns.run(|| 7).await, Some(7));
    }
}
