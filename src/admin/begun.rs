//! What is begun is done, and recorded, also where whoever asked for it has hung up.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;

use crate::http::Problem;

/// At once. Whoever asks for more waits.
const MOST: u32 = 64;

/// How long the end of the interface waits for what is begun.
const GRACE: Duration = Duration::from_secs(2);

/// Work that goes on without whoever asked for it.
#[derive(Clone)]
pub(super) struct Begun {
    places: Arc<Semaphore>,
}

impl Default for Begun {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST as usize)) }
    }
}

impl Begun {
    /// Does something to its end, also if this is dropped once it has a place.
    pub(super) async fn run(&self, work: impl Future<Output = Response> + Send + 'static) -> Response {
        let Ok(place) = self.places.clone().acquire_owned().await else {
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the interface ends").into_response();
        };
        whole(async move {
            let response = work.await;
            drop(place);
            response
        })
        .await
    }

    /// A place for what goes on behind its answer, and is waited for at the end while it is kept. `None`: the interface ends.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }

    /// Waits for what is begun, for a while. Nothing more begins.
    pub(super) async fn end(&self) {
        if timeout(GRACE, self.places.acquire_many(MOST)).await.is_err() {
            tracing::warn!(
                "what was asked through the administration interface is not done yet, and not waited for"
            );
        }
        self.places.close();
    }
}

/// Goes on to its end from when it is first asked, and has an answer also after a defect.
pub(super) async fn whole(work: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(work).await.unwrap_or_else(|error| defect(&error))
}

fn defect(error: &JoinError) -> Response {
    tracing::error!(%error, "a request ended by a defect of dimsegate; please report it");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of dimsegate; its log says more")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::Begun;
    use axum::response::IntoResponse;
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::task::Poll;
    use tokio::sync::{Notify, oneshot};

    #[tokio::test]
    async fn what_is_begun_ends_without_whoever_asked_and_the_end_waits_for_it() {
        let begun = Begun::default();
        let (go, (done, mut seen)) = (Arc::new(Notify::new()), oneshot::channel());
        let going = go.clone();
        let mut asked = Box::pin(begun.run(async move {
            going.notified().await;
            done.send("recorded").unwrap();
            "done".into_response()
        }));
        let polled = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(asked);
        go.notify_one();
        begun.end().await;
        assert_eq!(seen.try_recv(), Ok("recorded"));
        assert_eq!(begun.run(async { "late".into_response() }).await.status(), 503);
    }
}
