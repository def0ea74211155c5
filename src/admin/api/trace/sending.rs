//! A trace that has begun, from its first event to its last word.

use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http_body_util::channel::Sender;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::{RESOURCE, shows_identifiers};
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::admin::api::told::milliseconds;
use crate::admin::credential::Credential;
use crate::audit::AdministrationOutcome;
use crate::http::Caller;
use crate::trace::{Followed, Following, Shown};
use crate::users::AdminRole;

/// After so long without an event, a comment says that the connection lives, and whether the reader still may look is found out.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a reader has for the last events.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Why a trace ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    TimeIsOver,
    ReaderGone,
    NotAllowed,
    Stopping,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeIsOver => "its time is over",
            Self::ReaderGone => "its reader has gone",
            Self::NotAllowed => "its reader may not look any more",
            Self::Stopping => "the proxy stops",
        })
    }
}

/// A trace on its way to its reader.
pub(super) struct Sending {
    pub(super) shared: Shared,
    pub(super) who: Who,
    pub(super) looking: (Option<Credential>, Caller),
    pub(super) following: Following,
    pub(super) shown: Shown,
    pub(super) sender: Sender<Bytes, Infallible>,
    /// What is being sent.
    pub(super) pending: Option<Bytes>,
    pub(super) seen: u64,
    pub(super) lost: u64,
}

impl Sending {
    /// Goes on until its time is over, the proxy stops, or its reader has gone or may not look any more.
    pub(super) async fn run(mut self, lasting: Duration, gone: oneshot::Receiver<()>) {
        let began = Instant::now();
        let mut ending = self.shared.ending.clone();
        let why = tokio::select! {
            biased;
            _ = gone => Why::ReaderGone,
            _ = ending.wait_for(|ending| *ending) => Why::Stopping,
            () = sleep(lasting) => Why::TimeIsOver,
            why = self.follow() => why,
        };
        // A reader who takes nothing any more has had all that it gets.
        let _ = timeout(LAST_WORD, self.last_word(why)).await;
        self.lost += self.following.lost().unwrap_or_default();
        let took = Duration::from_millis(milliseconds(began.elapsed()));
        let Self { shared, who, following, seen, lost, .. } = &self;
        let number = following.number;
        let what = format!("trace {number}: {why}, after {took:?}; {seen} events, {lost} lost");
        shared.recorder.done(who, "trace-ended", RESOURCE, AdministrationOutcome::Success, Some(what)).await;
    }

    /// Sends until the reader has gone or may not look any more.
    async fn follow(&mut self) -> Why {
        let mut settings = self.shared.proxy.changes();
        // The settings may have changed since the request was let in.
        let (mut looked, mut has_changed) = (Instant::now(), true);
        loop {
            if has_changed || looked.elapsed() >= SILENCE {
                (looked, has_changed) = (Instant::now(), false);
                let (shown, caller) = self.looking.clone();
                if !self.shared.goes_on(shown, caller, AdminRole::Operator).await {
                    return Why::NotAllowed;
                }
            }
            if !self.send().await {
                return Why::ReaderGone;
            }
            let next = tokio::select! {
                // Whether the reader may still look comes first.
                biased;
                Ok(()) = settings.changed() => {
                    has_changed = true;
                    continue;
                }
                next = timeout(SILENCE, self.following.next()) => next,
            };
            match next {
                Ok(Some(followed)) => self.take(&followed),
                Ok(None) => return Why::Stopping,
                Err(_) => self.pending = Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// Sends what is pending, where something is. `false`: there is nobody to send it to. It may be cancelled.
    async fn send(&mut self) -> bool {
        let Some(pending) = self.pending.clone() else { return true };
        let sent = self.sender.send_data(pending).await.is_ok();
        self.pending = None;
        sent
    }

    fn take(&mut self, followed: &Followed) {
        self.pending = match followed {
            Followed::Seen(seen) => {
                self.seen += 1;
                let line = self.shown.line(seen, shows_identifiers(&self.shared));
                line.map(|line| format!("event: seen\ndata: {line}\n\n").into())
            }
            Followed::Lost(lost) => {
                self.lost += lost;
                Some(format!("event: lost\ndata: {lost}\n\n").into())
            }
        };
    }

    /// What waits, and that it ends.
    async fn last_word(&mut self, why: Why) {
        if why == Why::ReaderGone {
            return;
        }
        if why == Why::NotAllowed {
            self.pending = None;
        } else {
            while self.send().await
                && let Some(followed) = self.following.next_now()
            {
                self.take(&followed);
            }
            if let Some(lost) = self.following.lost() {
                self.take(&Followed::Lost(lost));
                self.send().await;
            }
        }
        let ended = json!({ "why": why.to_string(), "events": self.seen, "lost": self.lost });
        self.pending = Some(format!("event: ended\ndata: {ended}\n\n").into());
        self.send().await;
    }
}
