//! Whether patients have consented: the list in force at once, a server once it has answered.
//!
//! A source is shared by all associations whose peers name it. What is put into force by a reload counts for those that are open too, from
//! the next object on.
//!
//! # Why
//!
//! - **Why a server is asked by whoever waits**, and no list is fetched: what it knows of a patient is theirs, and a copy of all of it would
//!   be one more place to lose it.
//! - **Why a pause behind a failure**: each object would wait for the deadline.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::machine::{Consented, Consents};
use crate::config::{ConsentServer, ConsentSettings, ConsentSource};
use crate::consent::{Distribution, LARGEST_ANSWER, Remembered, Said, Who, of_object, query, said_by};
use crate::http::Get;

/// Answers of one server that are remembered: less than 1 MB.
const MOST_REMEMBERED: usize = 10_000;
/// Questions to one server at once.
const AT_ONCE: usize = 8;
/// From a failure to the next question.
const PAUSE: Duration = Duration::from_secs(1);
/// From one line of the log to the next that says that a server cannot be asked.
const SILENCE: Duration = Duration::from_secs(60);

/// A `[[consent]]`.
pub(crate) struct Source {
    name: Arc<str>,
    settings: ArcSwap<ConsentSettings>,
    /// Of a server; anew where that becomes another one.
    remembered: ArcSwap<Remembered>,
    turns: Semaphore,
    failed: Mutex<Failed>,
}

/// When the server could not be asked, and when that was said last.
#[derive(Default)]
struct Failed {
    at: Option<Instant>,
    told: Option<Instant>,
}

/// Why a server has not said anything.
enum Unanswered {
    /// It is not there, and would not answer another question either.
    Any(String),
    /// It answers, and not this question.
    This(String),
}

impl Unanswered {
    /// What goes wrong below HTTP has a kind of its own.
    fn of(error: &io::Error) -> Self {
        let kind: fn(String) -> Self =
            if error.kind() == io::ErrorKind::Other { Self::This } else { Self::Any };
        kind(error.to_string())
    }
}

/// Who is asked for one association, and what the data is for.
pub(crate) struct Asked {
    /// `None`: the configuration names it no longer.
    source: Option<Arc<Source>>,
    scope: Option<Arc<str>>,
}

impl Source {
    pub(super) fn of(name: Arc<str>, settings: Arc<ConsentSettings>) -> Self {
        Self {
            name,
            settings: ArcSwap::new(settings),
            remembered: ArcSwap::from_pointee(Remembered::of(MOST_REMEMBERED)),
            turns: Semaphore::new(AT_ONCE),
            failed: Mutex::default(),
        }
    }

    /// Other settings have come into force. What was remembered of another server, or may be of one, is forgotten.
    pub(super) fn follow(&self, settings: &Arc<ConsentSettings>) {
        let fingerprint = |settings: &ConsentSettings| match &settings.source {
            ConsentSource::Fhir(server) => Some(server.fingerprint.clone()),
            _ => None,
        };
        let before = self.settings.swap(settings.clone());
        if fingerprint(&before) != fingerprint(settings) {
            self.remembered.store(Arc::new(Remembered::of(MOST_REMEMBERED)));
        }
    }

    fn remembered(&self, server: &ConsentServer, whom: &Who, scope: Option<&str>) -> Option<Said> {
        self.remembered.load().said(whom, scope, server.cache_for, Instant::now())
    }

    /// Asks the server, or says what it has said while this waited for its turn.
    async fn ask(
        &self,
        server: &Arc<ConsentServer>,
        whom: &Who,
        scope: Option<&str>,
    ) -> Result<Said, Unanswered> {
        let asked = async {
            let _turn = self.turns.acquire().await.map_err(|closed| Unanswered::This(closed.to_string()))?;
            if let Some(said) = self.remembered(server, whom, scope) {
                return Ok(said);
            }
            let remembered = self.remembered.load_full();
            let path = format!("{}{}", server.path, query(whom, &server.system));
            let get = Get {
                address: &server.address,
                authority: &server.authority,
                path: &path,
                accept: "application/fhir+json",
                longest: LARGEST_ANSWER,
            };
            let asked_at = Instant::now();
            let answer = get.over(server.tls.clone(), server.server_name.clone()).await;
            let answer = answer.map_err(|error| Unanswered::of(&error))?;
            let purpose = scope.map(str::to_owned);
            let read = move || said_by(&answer, purpose.as_deref(), OffsetDateTime::now_utc());
            let said = tokio::task::spawn_blocking(read).await;
            let said = said.map_err(|error| Unanswered::This(error.to_string()))?;
            let said = said.map_err(|problem| Unanswered::This(format!("the answer {problem}")))?;
            remembered.note(whom, scope, said, (server.cache_for, asked_at));
            Ok(said)
        };
        let late = || Err(Unanswered::Any(format!("there is no answer within {:?}", server.deadline)));
        timeout(server.deadline, asked).await.unwrap_or_else(|_| late())
    }

    fn has_just_failed(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.at.is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Said once a minute. An address that is asked has the identifier of a patient in it, and is not told.
    fn fail(&self, unanswered: &Unanswered) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let detail = match unanswered {
            Unanswered::Any(detail) => {
                failed.at = Some(now);
                detail
            }
            // What one patient is called, which whoever sends decides, stops the questions about no other.
            Unanswered::This(detail) => detail,
        };
        if failed.told.is_none_or(|told| now.saturating_duration_since(told) >= SILENCE) {
            failed.told = Some(now);
            tracing::warn!(consent = %self.name, detail, "the server of consents cannot be asked; nothing goes on that needs it");
        }
    }
}

impl Asked {
    pub(super) fn of(source: Option<Arc<Source>>, scope: Option<Arc<str>>) -> Self {
        Self { source, scope }
    }

    /// Whether a patient has consented, however long that takes: at most for the deadline of the server.
    pub(super) async fn find_out(&self, whom: Option<&Who>) -> Consented {
        match (Consents::of(self, whom), whom) {
            (Some(consented), _) => consented,
            (None, Some(whom)) => self.ask(whom).await,
            (None, None) => Consented::No,
        }
    }

    /// The same of one who has to be asked about.
    pub(super) async fn ask(&self, whom: &Who) -> Consented {
        let Some(source) = &self.source else { return Consented::NotKnown };
        let settings = source.settings.load_full();
        let ConsentSource::Fhir(server) = &settings.source else {
            return Consents::of(self, Some(whom)).unwrap_or(Consented::NotKnown);
        };
        if source.has_just_failed() {
            return Consented::NotKnown;
        }
        match source.ask(server, whom, self.scope.as_deref()).await {
            Ok(said) => consented(said, &settings),
            Err(unanswered) => {
                source.fail(&unanswered);
                Consented::NotKnown
            }
        }
    }
}

fn consented(said: Said, settings: &ConsentSettings) -> Consented {
    match said {
        Said::Granted => Consented::Yes,
        Said::Unknown if settings.passes_unknown => Consented::Yes,
        Said::Unknown | Said::Withdrawn => Consented::No,
    }
}

impl Consents for Asked {
    fn is_in_objects(&self) -> bool {
        let source = self.source.as_ref();
        source.is_some_and(|source| matches!(source.settings.load().source, ConsentSource::Element))
    }

    fn of(&self, whom: Option<&Who>) -> Option<Consented> {
        let Some(source) = &self.source else { return Some(Consented::NotKnown) };
        let settings = source.settings.load();
        let scope = self.scope.as_deref();
        let said = match (&settings.source, whom) {
            (ConsentSource::Element, _) => Said::Unknown,
            // It may be of somebody who has withdrawn theirs.
            (_, None) => Said::Withdrawn,
            (ConsentSource::File(list), Some(whom)) => {
                list.said(whom, scope, OffsetDateTime::now_utc().date())
            }
            (ConsentSource::Fhir(_), Some(whom))
                if !whom.issuer.is_empty() && *whom.issuer != *settings.issuer =>
            {
                Said::Unknown
            }
            (ConsentSource::Fhir(server), Some(whom)) => source.remembered(server, whom, scope)?,
        };
        Some(consented(said, &settings))
    }

    fn by_object(&self, items: &[Distribution], protocol: &[u8]) -> Consented {
        let Some(source) = &self.source else { return Consented::NotKnown };
        consented(of_object(items, protocol, self.scope.as_deref()), &source.settings.load())
    }
}
