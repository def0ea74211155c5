//! What is done through the interface, as records. Reads are many where a page polls: those of one person about one thing
//! are one record a minute, with their number.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::access::Who;
use crate::audit::{Administration, AdministrationOutcome, Audit, Event};

const MINUTE: Duration = Duration::from_secs(60);

/// Kinds of reads that are told apart in a minute; those beyond them are counted together.
const MOST: usize = 1000;

/// Bytes of what a record says of a resource.
const LONGEST: usize = 200;

pub(super) struct Recorder {
    audit: Audit,
    /// Reads behind the first of their kind, since the minute began.
    reads: Mutex<BTreeMap<(Who, String), u64>>,
}

impl Recorder {
    pub(super) fn new(audit: Audit) -> Self {
        Self { audit, reads: Mutex::default() }
    }

    /// Somebody read something. The first time in a minute is recorded at once, and those like it at the end of the minute.
    pub(super) async fn read(&self, who: &Who, resource: &str) {
        let is_first = {
            let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
            // Another process of the same person is no other reader.
            let who = Who { process_id: None, address: None, ..who.clone() };
            let mut key = (who, cut(resource));
            if reads.len() >= MOST && !reads.contains_key(&key) {
                key.1 = "/api".into();
            }
            match reads.get_mut(&key) {
                Some(more) => {
                    *more = more.saturating_add(1);
                    false
                }
                None => {
                    reads.insert(key, 0);
                    true
                }
            }
        };
        if is_first {
            self.record(who, "read", resource, AdministrationOutcome::Success, None, None).await;
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
        self.record(who, action, resource, outcome, explanation, None).await;
    }

    async fn record(
        &self,
        who: &Who,
        action: &'static str,
        resource: &str,
        outcome: AdministrationOutcome,
        explanation: Option<String>,
        count: Option<u64>,
    ) {
        let record = Administration {
            user: who.user.clone(),
            user_id: who.user_id,
            process_id: who.process_id,
            fingerprint: who.fingerprint.clone(),
            address: who.address.map(|address| address.ip().to_canonical()),
            port: who.address.map(|address| address.port()),
            role: who.role.map(|role| role.name()),
            action,
            resource: cut(resource),
            outcome,
            explanation,
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
        let reads = std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner));
        for ((who, resource), more) in reads.into_iter().filter(|(_, more)| *more > 0) {
            self.record(&who, "read", &resource, AdministrationOutcome::Success, None, Some(more)).await;
        }
    }
}

fn cut(resource: &str) -> String {
    resource.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::Recorder;
    use crate::admin::access::Who;
    use crate::audit::{Audit, AuditSettings};
    use crate::scratch::Scratch;

    fn who(process_id: u32) -> Who {
        Who {
            user: "alice".into(),
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
            recorder.read(&who(process_id), "/api/v1/associations").await;
        }
        recorder.read(&who(1), "/api/v1/peers").await;
        recorder.tell().await;
        recorder.read(&who(1), "/api/v1/peers").await;
        records.close().await;
        let files = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
        let day = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
        let text = std::fs::read_to_string(day).unwrap();
        let told: Vec<&str> = text.lines().filter(|line| line.contains("\"administration\"")).collect();
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told[2].contains("\"count\":299") && !told[2].contains("process-id"), "{}", told[2]);
    }
}
