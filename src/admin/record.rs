//! What is done through the interface, as records. Reads are many where a page polls, and refusals where somebody tries: those
//! of one person about one thing are one record at once, and one at the end of the minute with the number of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::access::Who;
use crate::audit::{Administration, AdministrationOutcome, Audit, Event, SecurityAlert};
use crate::policy::limits::of_one_site;
use crate::vocabulary::{Notice, Reason};

const MINUTE: Duration = Duration::from_secs(60);

/// Kinds that are told apart in a minute; those beyond them are counted together.
const MOST: usize = 1000;

/// Bytes of what a record says of a resource.
const LONGEST: usize = 200;

pub(super) struct Recorder {
    audit: Audit,
    /// Since the minute began.
    minute: Mutex<Minute>,
}

#[derive(Default)]
struct Minute {
    /// How many there were behind the first of their kind.
    more: BTreeMap<Kind, u64>,
    /// As whom and from where somebody goes on trying to log in.
    trying: BTreeSet<(String, IpAddr)>,
}

/// What is counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    who: Who,
    action: &'static str,
    resource: String,
    outcome: AdministrationOutcome,
    why: Why,
}

/// Why something was refused, or what was done.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Why {
    /// The label of a login or a token that proved nobody.
    reason: Option<&'static str>,
    explanation: Option<String>,
}

impl Why {
    /// In words alone.
    pub(super) fn told(explanation: impl Into<String>) -> Self {
        Self { reason: None, explanation: Some(explanation.into()) }
    }

    /// With the label by which those who read records know it.
    pub(super) fn labelled(reason: Reason, explanation: impl Into<String>) -> Self {
        Self { reason: Some(reason.label()), ..Self::told(explanation) }
    }
}

impl Minute {
    /// Whether it is the first of its kind. Otherwise it is counted.
    fn take(&mut self, mut kind: Kind) -> bool {
        if self.more.len() >= MOST && !self.more.contains_key(&kind) {
            kind.resource = "/api".into();
            kind.why.explanation = None;
            if kind.outcome == AdministrationOutcome::Refused {
                let Who { by, .. } = kind.who;
                kind.who = Who::anybody(by);
            }
        }
        match self.more.get_mut(&kind) {
            Some(more) => {
                *more = more.saturating_add(1);
                false
            }
            None => {
                self.more.insert(kind, 0);
                true
            }
        }
    }
}

impl Recorder {
    pub(super) fn new(audit: Audit) -> Self {
        Self { audit, minute: Mutex::default() }
    }

    fn minute(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody read something, or it was not there to be read.
    pub(super) async fn read(&self, who: &Who, resource: &str, outcome: AdministrationOutcome) {
        // Another process of the same person is no other reader.
        let gathered = Who { process_id: None, address: None, ..who.clone() };
        let kind =
            Kind { who: gathered, action: "read", resource: cut(resource), outcome, why: Why::default() };
        let is_first = self.minute().take(kind);
        if is_first {
            self.record(who, "read", resource, outcome, Why::default(), None).await;
        }
    }

    /// Somebody wanted what they may not.
    pub(super) async fn refused(&self, who: &Who, action: &'static str, resource: &str, why: Why) {
        let from = who.address.map(|address| SocketAddr::new(of_one_site(address.ip().to_canonical()), 0));
        let gathered = Who { process_id: None, address: from, ..who.clone() };
        let resource = cut(resource);
        let outcome = AdministrationOutcome::Refused;
        let kind = Kind { who: gathered, action, resource: resource.clone(), outcome, why: why.clone() };
        let is_first = self.minute().take(kind);
        if is_first {
            self.record(who, action, &resource, outcome, why, None).await;
        }
    }

    /// Somebody tries to log in after too many wrong attempts: an alert, once a minute.
    pub(super) async fn logins_go_on(&self, user: &str, address: IpAddr) {
        let address = address.to_canonical();
        let is_first = {
            let trying = &mut self.minute().trying;
            trying.len() < MOST && trying.insert((user.to_owned(), of_one_site(address)))
        };
        if is_first {
            let as_whom =
                if user == "unknown" { "a user whom there is not".into() } else { format!("\"{user}\"") };
            let explanation =
                format!("after too many wrong attempts, somebody goes on trying to log in as {as_whom}");
            let reason = Notice::LoginsGoOn.label().into();
            let alert =
                SecurityAlert { reason, explanation, address: Some(address), ..SecurityAlert::default() };
            self.audit.record_refusal(Event::SecurityAlert(Box::new(alert)));
        }
    }

    /// Somebody did something, or tried to.
    pub(super) async fn done(
        &self,
        who: &Who,
        action: &'static str,
        resource: &str,
        outcome: AdministrationOutcome,
        explanation: Option<String>,
    ) {
        self.record(who, action, resource, outcome, Why { reason: None, explanation }, None).await;
    }

    async fn record(
        &self,
        who: &Who,
        action: &'static str,
        resource: &str,
        outcome: AdministrationOutcome,
        why: Why,
        count: Option<u64>,
    ) {
        let record = Administration {
            user: who.user.clone(),
            user_id: who.user_id,
            process_id: who.process_id,
            fingerprint: who.fingerprint.clone(),
            address: who.address.map(|address| address.ip().to_canonical()),
            // Of some that were gathered there is none.
            port: who.address.map(|address| address.port()).filter(|port| *port != 0),
            role: who.role.map(|role| role.name().into()),
            action: action.into(),
            resource: cut(resource),
            outcome,
            reason: why.reason.map(Into::into),
            explanation: why.explanation,
            count,
        };
        let event = Event::Administration(Box::new(record));
        match (outcome, action) {
            // Whoever may not, or only looks, must not have to wait for a disk.
            (AdministrationOutcome::Refused, _) | (_, "read") => self.audit.record_refusal(event),
            _ => self.audit.record(event).await,
        }
    }

    /// Tells what was counted each minute, for as long as somebody may ask.
    pub(super) async fn each_minute(self: Arc<Self>) {
        let still: Weak<Self> = Arc::downgrade(&self);
        drop(self);
        loop {
            tokio::time::sleep(MINUTE).await;
            let Some(recorder) = still.upgrade() else { return };
            recorder.tell().await;
        }
    }

    /// Tells what was counted.
    pub(super) async fn tell(&self) {
        let Minute { more, .. } = std::mem::take(&mut *self.minute());
        for (kind, more) in more.into_iter().filter(|(_, more)| *more > 0) {
            let Kind { who, action, resource, outcome, why } = kind;
            self.record(&who, action, &resource, outcome, why, Some(more)).await;
        }
    }
}

fn cut(resource: &str) -> String {
    resource.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::Recorder;
    use crate::admin::access::{By, Who};
    use crate::audit::AdministrationOutcome::{Failure, Success};
    use crate::audit::{Audit, AuditSettings};
    use crate::scratch::Scratch;

    fn who(process_id: u32) -> Who {
        Who {
            user: "alice".into(),
            by: By::Socket,
            user_id: Some(1000),
            process_id: Some(process_id),
            fingerprint: None,
            address: None,
            role: None,
        }
    }

    #[tokio::test]
    async fn a_page_that_polls_is_one_record_at_once_and_one_a_minute() {
        let home = Scratch::new();
        let (audit, records) = Audit::start(AuditSettings::new(home.path())).unwrap();
        let recorder = Recorder::new(audit);
        for process_id in 0..300 {
            recorder.read(&who(process_id), "/api/v1/associations", Success).await;
        }
        recorder.read(&who(1), "/api/v1/peers", Success).await;
        recorder.tell().await;
        recorder.read(&who(1), "/api/v1/peers", Success).await;
        // It was there, and is not any more.
        recorder.read(&who(1), "/api/v1/peers", Failure).await;
        records.close().await;
        let files = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
        let day = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
        let text = std::fs::read_to_string(day).unwrap();
        let told: Vec<&str> = text.lines().filter(|line| line.contains("\"administration\"")).collect();
        assert_eq!(told.len(), 5, "{told:#?}");
        assert!(told[..4].iter().all(|line| line.contains("\"outcome\":\"success\"")), "{told:#?}");
        assert!(told[4].contains("\"outcome\":\"failure\""), "{}", told[4]);
        assert!(told[2].contains("\"count\":299") && !told[2].contains("process-id"), "{}", told[2]);
    }
}
