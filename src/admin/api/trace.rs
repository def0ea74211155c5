//! Associations as they go over both legs, as server-sent events, for whoever asks to see them. Whoever reads too slowly loses some,
//! and is told how many.
//!
//! Operators may: what is shown of a data set is its length, but with `patient-identifiers` as recorded, command sets name
//! instances and repeat what an archive writes in its Error Comments.

use std::convert::Infallible;
use std::fmt;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use utoipa::ToSchema;

use super::told::{Failed, ProblemDocument, content, milliseconds, moment};
use crate::admin::Shared;
use crate::admin::access::Who;
use crate::admin::guard::{Known, Recorded};
use crate::admin::sessions::Id;
use crate::audit::AdministrationOutcome;
use crate::config::{Settings, ShownIdentifiers, checked_network, duration, nearest};
use crate::http::{Caller, Problem};
use crate::trace::{Filter, Followed, Following, Shown};
use crate::users::AdminRole;

const RESOURCE: &str = "/api/v1/trace";

/// How long a trace lasts, and how long at most.
const USUAL: &str = "10m";
const LONGEST: Duration = Duration::from_secs(3600);

/// Events that wait for the connection.
const WAITING: usize = 16;

/// After so long without an event, a comment says that the connection lives, and whether the reader still may look is found out.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a reader has for the last events.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Associations that the beginning names: those that were open before.
const MOST_NAMED: usize = 32;

/// Whom to trace: all that is given has to hold.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schema(as = WantedTrace)]
pub(super) struct Wanted {
    /// Name of a `[[peer]]`.
    peer: Option<String>,
    /// Where the requestor is, such as `203.0.113.9` or `203.0.113.0/24`.
    address: Option<String>,
    calling_ae_title: Option<String>,
    /// How long, up to `1h`; absent: `10m`.
    r#for: Option<String>,
}

/// See associations that begin from now on as they go over both legs: `event: trace` (what is traced), `event: seen` (an object with
/// `what`), `event: lost` with a number, `event: ended` (why, and how many there were)
#[utoipa::path(
    post,
    path = "/api/v1/trace",
    request_body = Wanted,
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument),
        (status = 429, body = ProblemDocument, description = "As many traces are open as may be")
    )
)]
pub(super) async fn trace(
    State(shared): State<Shared>,
    Extension(who): Extension<Who>,
    Extension(known): Extension<Known>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failed> {
    let (filter, lasting) = content::<Wanted>(&body)?.checked(&shared.proxy.settings())?;
    let begun = shared.proxy.gate().traces.begin(filter.clone());
    let following = begun.map_err(|many| Problem::new(StatusCode::TOO_MANY_REQUESTS, many.to_string()))?;
    let (sender, body) = Channel::<Bytes, Infallible>::new(WAITING);
    let (held, gone) = oneshot::channel::<()>();
    let what = format!("trace {} of {filter}, for {lasting:?}", following.number);
    shared.recorder.done(&who, "trace-started", RESOURCE, AdministrationOutcome::Success, Some(what)).await;
    let place = shared.begun.place().await;
    let sending = Sending {
        pending: Some(beginning(&shared, &following, &filter, lasting)),
        shown: Shown::since(following.began),
        shared,
        who,
        looking: (known.session, caller),
        following,
        sender,
        seen: 0,
        lost: 0,
    };
    tokio::spawn(async move {
        sending.run(lasting, gone).await;
        drop(place);
    });
    // It ends with its connection, also where nothing is sent any more.
    let body = body.map_frame(move |frame| {
        let _held = &held;
        frame
    });
    Ok(Recorded.on(([(header::CONTENT_TYPE, "text/event-stream")], Body::new(body))))
}

impl Wanted {
    fn checked(self, settings: &Settings) -> Result<(Filter, Duration), Problem> {
        let Self { peer, address, calling_ae_title: calling, r#for } = self;
        let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
        if let Some(name) = &peer {
            let peers = settings.policy.peers.iter().map(|peer| &*peer.name);
            is_configured(name, peers).map_err(bad)?;
        }
        let address = address.as_deref().map(checked_network).transpose();
        let address = address.map_err(|problem| bad(format!("address: {problem}")))?;
        let lasting = duration(r#for.as_deref().unwrap_or(USUAL));
        let lasting = lasting.map_err(|problem| bad(format!("for: {problem}")))?;
        if lasting.is_zero() || lasting > LONGEST {
            return Err(bad("for: a trace lasts 1ms to 1h".into()));
        }
        Ok((Filter { peer, address, calling }, lasting))
    }
}

fn is_configured<'p>(name: &str, peers: impl Iterator<Item = &'p str> + Clone) -> Result<(), String> {
    if peers.clone().any(|peer| peer == name) {
        return Ok(());
    }
    let meant = nearest(name, peers).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Err(format!("peer: the configuration in force has no [[peer]] named {name:?}{meant}"))
}

/// What is traced, and what is not: who was connected before.
fn beginning(shared: &Shared, following: &Following, filter: &Filter, lasting: Duration) -> Bytes {
    let open = shared.proxy.gate().live.list();
    let missed = open.iter().filter(|entry| {
        let facts = &entry.facts;
        filter.holds_open(&facts.peer, facts.from.ip(), facts.calling.as_str())
    });
    let missed: Vec<&str> = missed.map(|entry| &*entry.facts.id).collect();
    let named = missed.get(..MOST_NAMED).unwrap_or(&missed);
    let beginning = json!({
        "trace": following.number,
        "began": moment(OffsetDateTime::now_utc() - following.began.elapsed()),
        "of": filter.to_string(),
        "for-ms": milliseconds(lasting),
        "identifiers": if shows_identifiers(shared) { "as-recorded" } else { "none" },
        "not-traced": named,
        "more-not-traced": missed.len() - named.len(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    format!("event: trace\ndata: {beginning}\n\n").into()
}

fn shows_identifiers(shared: &Shared) -> bool {
    let settings = shared.proxy.settings();
    let how = settings.admin.as_ref().map(|admin| admin.patient_identifiers);
    how == Some(ShownIdentifiers::AsRecorded)
}

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
struct Sending {
    shared: Shared,
    who: Who,
    looking: (Option<Id>, Caller),
    following: Following,
    shown: Shown,
    sender: Sender<Bytes, Infallible>,
    /// What is being sent.
    pending: Option<Bytes>,
    seen: u64,
    lost: u64,
}

impl Sending {
    async fn run(mut self, lasting: Duration, gone: oneshot::Receiver<()>) {
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
                let (session, caller) = self.looking.clone();
                if !self.shared.goes_on(session, caller, AdminRole::Operator).await {
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
