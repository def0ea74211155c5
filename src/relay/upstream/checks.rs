//! Which addresses are to be checked, and what checks have shown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::NotReached;
use super::standing::{Candidate, Standing};

impl Standing {
    /// The addresses whose check is to begin now, and when to look again.
    pub(super) fn checks_due(&self) -> (Vec<Candidate>, Option<Instant>) {
        let (mut book, now) = (self.book(), Instant::now());
        let Some(health) = book.settings.health else { return (Vec::new(), None) };
        let mut due = Vec::new();
        for (address, entry) in &mut book.entries {
            if entry.begins_check(&health, now) {
                due.push(Candidate { address: *address, called: entry.called.clone() });
            }
        }
        let waiting = book.entries.values().filter(|entry| entry.current && !entry.check.under_way);
        (due, waiting.map(|entry| entry.check.due).min())
    }

    /// What a check has shown: how long it took, or what the upstream said instead, which is an answer too.
    pub(super) fn checked(&self, at: &Candidate, shown: Result<Result<Duration, String>, NotReached>) {
        self.change(at.address, |entry, name, rules| match shown {
            Ok(Ok(took)) => {
                (entry.check.took, entry.check.refused) = (Some(took), None);
                entry.answered(name, rules)
            }
            Ok(Err(refused)) => {
                if entry.check.refused.as_ref() != Some(&refused) {
                    tracing::warn!(upstream = %name, address = %entry.called, detail = %refused, "the C-ECHO of the health check is refused; it counts as up");
                }
                entry.check.refused = Some(refused);
                entry.answered(name, rules)
            }
            Err(failed) => entry.failed(name, rules, &failed, false),
        });
        let mut book = self.book();
        if let Some(health) = book.settings.health
            && let Some(entry) = book.entries.get_mut(&at.address)
        {
            entry.check_ended(&health);
        }
    }
}

/// A check under way: however it ends, also with its task or by a defect, the address can be checked again.
pub(super) struct UnderWay {
    standing: Arc<Standing>,
    address: SocketAddr,
}

impl UnderWay {
    pub(super) fn new(standing: Arc<Standing>, address: SocketAddr) -> Self {
        Self { standing, address }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(entry) = self.standing.book().entries.get_mut(&self.address) {
            entry.check.under_way = false;
        }
        // Whoever passed it over looks again.
        self.standing.doubted.notify_one();
    }
}
