//! A panic in the task of an association, as an answer like others: whoever has to end it well is still there.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A promise of our own was broken so badly that the code gave up. Where that was is in the log. What it said is nowhere: it may
/// have values of a data set in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panicked;

/// What a future gives, or that it panicked. It is not polled again then, and whoever looks at what it worked with finds that as
/// the panic left it.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
