//! Whoever is served at an address of an upstream, and what is learned of the address by it.

use std::net::SocketAddr;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::NotReached;
use super::breaker::{Admission, Rules};
use super::entry::Entry;
use super::standing::{Candidate, Standing};
use crate::vocabulary::Reason;

/// A place at an address, for as long as it is kept.
pub(in crate::relay) struct Place {
    standing: Arc<Standing>,
    address: SocketAddr,
    /// Whether it shows if the address is still down.
    attempt: bool,
    is_judged: bool,
    is_open: bool,
}

/// Why an address is not asked.
pub(super) struct NotAsked {
    pub reason: Reason,
    pub detail: String,
}

impl Standing {
    /// A place at an address.
    ///
    /// # Errors
    /// It is down.
    pub(super) fn admit(self: &Arc<Self>, candidate: &Candidate) -> Result<Place, NotAsked> {
        let mut book = self.book();
        let rules = Rules::new(book.settings.health.as_ref());
        let entry = book.entries.entry(candidate.address);
        let entry = entry.or_insert_with(|| Entry::new(&candidate.called, false));
        let attempt = match entry.breaker.admit(rules, Instant::now()) {
            Admission::Granted => false,
            Admission::Attempt => true,
            Admission::Refused => return Err(not_asked(entry)),
        };
        entry.taken += 1;
        Ok(Place::new(self.clone(), candidate.address, attempt))
    }
}

impl Place {
    pub(in crate::relay) fn new(standing: Arc<Standing>, address: SocketAddr, attempt: bool) -> Self {
        Self { standing, address, attempt, is_judged: false, is_open: false }
    }

    /// There is a connection, with TLS where the upstream has it.
    pub(super) fn connected(&mut self) {
        self.is_judged = true;
        self.standing.change(self.address, |entry, _, rules| entry.connected(rules));
    }

    /// The upstream answered there, and not with yes.
    pub(super) fn answered(&mut self) {
        self.is_judged = true;
        self.standing.change(self.address, Entry::answered);
    }

    /// The upstream accepted the association.
    pub(super) fn opened(&mut self) {
        self.answered();
        self.is_open = true;
        if let Some(entry) = self.standing.book().entries.get_mut(&self.address) {
            entry.open += 1;
        }
    }

    /// The connection is there, and the request had no answer.
    pub(super) fn unanswered(&self, silence: &NotReached) {
        self.standing.change(self.address, |entry, name, _| entry.unanswered(name, silence));
    }

    /// There is no connection, or no TLS.
    pub(super) fn failed(&mut self, failed: &NotReached) {
        self.is_judged = true;
        let attempt = self.attempt;
        self.standing.change(self.address, |entry, name, rules| entry.failed(name, rules, failed, attempt));
    }
}

fn not_asked(entry: &Entry) -> NotAsked {
    let seconds = (OffsetDateTime::now_utc() - entry.since).whole_seconds().max(0);
    let last = entry.failure.as_ref();
    let (reason, why) =
        last.map_or((Reason::UpstreamUnreachable, "no answer"), |last| (last.reason, &last.detail));
    NotAsked { reason, detail: format!("down for {seconds} s, not asked now: {why}") }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.standing.book();
        let Some(entry) = book.entries.get_mut(&self.address) else { return };
        entry.taken = entry.taken.saturating_sub(1);
        entry.open = entry.open.saturating_sub(usize::from(self.is_open));
        if self.attempt && !self.is_judged {
            entry.breaker.gave_up();
        }
        if entry.taken == 0 && !entry.current {
            book.entries.remove(&self.address);
        }
    }
}
