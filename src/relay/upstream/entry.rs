//! What is known of one address of an upstream.

use std::net::SocketAddr;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::NotReached;
use super::breaker::{Breaker, Change, Rules};
use super::shown::{AddressState, Availability};
use crate::audit::forward::Failing;
use crate::config::Health;
use crate::vocabulary::Reason;

/// Between two checks of an address of which it is not sure whether it is up.
const SOON: Duration = Duration::from_secs(2);

/// What is known of an address.
pub(super) struct Entry {
    pub called: String,
    pub breaker: Breaker,
    pub failing: Failing,
    pub since: OffsetDateTime,
    pub failure: Option<Failure>,
    /// Who is served there, or on the way.
    pub taken: usize,
    /// Of these, associations that it has accepted.
    pub open: usize,
    /// Whether the settings in force have it. One that they no longer have lasts as long as somebody is served there.
    pub current: bool,
    /// When it last said something.
    pub answered: Option<Instant>,
    /// Whether a request had no answer since then.
    pub doubted: bool,
    pub check: Check,
}

pub(super) struct Failure {
    pub reason: Reason,
    pub detail: String,
    pub at: OffsetDateTime,
}

/// Of the checks by C-ECHO.
pub(super) struct Check {
    pub due: Instant,
    pub under_way: bool,
    pub took: Option<Duration>,
    pub refused: Option<String>,
}

impl Entry {
    pub(super) fn new(called: &str, current: bool) -> Self {
        Self {
            called: called.to_owned(),
            breaker: Breaker::default(),
            failing: Failing::default(),
            since: OffsetDateTime::now_utc(),
            failure: None,
            taken: 0,
            open: 0,
            current,
            answered: None,
            doubted: false,
            check: Check { due: Instant::now(), under_way: false, took: None, refused: None },
        }
    }

    pub(super) fn answered(&mut self, upstream: &str, rules: Rules) -> Option<Change> {
        self.answered = Some(Instant::now());
        self.doubted = false;
        if self.failing.over() {
            tracing::info!(%upstream, address = %self.called, "address answers again");
        }
        let change = self.breaker.answered(rules);
        self.changed(change)
    }

    /// Where nobody checks it, a connection is all that tells without a requestor's words that it is there.
    pub(super) fn connected(&mut self, rules: Rules) -> Option<Change> {
        if rules.checked() {
            return None;
        }
        let change = self.breaker.answered(rules);
        self.changed(change)
    }

    /// A requestor's request had no answer: that may be the requestor's doing, and a check tells whether it is.
    pub(super) fn unanswered(&mut self, upstream: &str, silence: &NotReached) -> Option<Change> {
        self.doubted = true;
        self.check.due = self.check.due.min(Instant::now() + SOON);
        if !self.breaker.is_down() {
            self.remember(upstream, silence);
        }
        None
    }

    /// No connection, no TLS, or no answer to a C-ECHO of dimsegate.
    pub(super) fn failed(
        &mut self,
        upstream: &str,
        rules: Rules,
        failed: &NotReached,
        attempt: bool,
    ) -> Option<Change> {
        self.remember(upstream, failed);
        // One that takes one association at a time, and has one, is there.
        if failed.connected && self.open > 0 && !self.breaker.is_down() {
            return None;
        }
        let change = self.breaker.failed(rules, Instant::now(), jitter(), attempt);
        self.check.due = self.check.due.min(Instant::now() + SOON);
        self.changed(change)
    }

    fn remember(&mut self, upstream: &str, failed: &NotReached) {
        let detail = &failed.detail;
        if let Some(times) = self.failing.again(Instant::now()) {
            tracing::warn!(%upstream, address = %self.called, detail, times, "address did not answer");
        }
        let at = OffsetDateTime::now_utc();
        self.failure = Some(Failure { reason: failed.reason, detail: detail.clone(), at });
    }

    fn changed(&mut self, change: Option<Change>) -> Option<Change> {
        if change.is_some() {
            self.since = OffsetDateTime::now_utc();
        }
        change
    }

    /// Whether nothing speaks against it since it last answered.
    pub(super) fn is_sound(&self) -> bool {
        self.breaker.is_sound() && !self.doubted
    }

    /// Whether a check would show nothing new, or take the place of somebody who is served there.
    fn needs_no_check(&self, health: &Health, now: Instant) -> bool {
        let lately = self.answered.is_some_and(|at| now.duration_since(at) < health.echo);
        // One that waits for its answer shows nothing where somebody waited in vain.
        let serves = self.open > 0 || (self.taken > 0 && !self.doubted);
        !self.breaker.is_down() && (serves || (self.is_sound() && lately))
    }

    /// Whether a check is to begin now.
    pub(super) fn begins_check(&mut self, health: &Health, now: Instant) -> bool {
        if !self.current || self.check.under_way || now < self.check.due {
            return false;
        }
        if self.needs_no_check(health, now) {
            self.check.due = now + health.echo;
            return false;
        }
        self.check.under_way = true;
        true
    }

    /// A check has ended: the next one is due.
    pub(super) fn check_ended(&mut self, health: &Health) {
        let between = if self.is_sound() { health.echo } else { health.echo.min(SOON) };
        self.check.due = Instant::now() + between - between / 10 * u32::from(jitter()) / 255;
        self.check.under_way = false;
    }

    pub(super) fn state(&self, address: SocketAddr) -> AddressState {
        AddressState {
            address,
            called: self.called.clone(),
            availability: match &self.breaker {
                breaker if breaker.is_probing() => Availability::Probing,
                breaker if breaker.is_down() => Availability::Down,
                _ => Availability::Up,
            },
            since: self.since,
            last_failure: self.failure.as_ref().map(|failure| (failure.at, failure.detail.clone())),
            associations: self.open,
            last_check: self.check.took,
            check_refused: self.check.refused.clone(),
        }
    }
}

/// Without randomness all come back at once, which is no harm to anybody who is there.
fn jitter() -> u8 {
    let mut random = [0];
    aws_lc_rs::rand::fill(&mut random).map_or(0, |()| random[0])
}
