//! What has to be remembered between two records, in a form that can be stored.

use super::association::Ends;
use super::transfer::Transfer;
use crate::audit::record::Record;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Associations that are open, and what was transferred on them and not told yet. Bounded, whatever the records say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub(super) process_id: Option<u32>,
    associations: BTreeMap<String, Association>,
    /// Refusals of which an alert told before the record of the refusal itself.
    alerts: BTreeSet<String>,
}

/// One association.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Association {
    /// Unknown where the record that opened it was not seen.
    pub ends: Option<Ends>,
    pub transfers: Vec<Transfer>,
    /// Studies whose beginning was told, by direction and UID.
    pub begun: BTreeSet<String>,
    /// Refusals that were told.
    pub alerted: BTreeSet<String>,
    /// Of the first record.
    sequence: u64,
}

/// Open associations; the oldest is given up beyond that.
const MOST_ASSOCIATIONS: usize = 4096;
/// Transfers not yet told, of all associations.
const MOST_TRANSFERS: usize = 2048;
/// Studies and refusals remembered of one association.
pub(super) const MOST_REMEMBERED: usize = 256;

impl State {
    pub(super) fn open(&mut self, id: &str, ends: Option<Ends>, sequence: u64) {
        let association = Association { ends, sequence, ..Association::default() };
        self.associations.insert(id.to_owned(), association);
    }

    /// The association of a record, known before or not.
    pub(super) fn of(&mut self, id: &str, record: &Record) -> &mut Association {
        let fresh = || Association { sequence: record.sequence, ..Association::default() };
        self.associations.entry(id.to_owned()).or_insert_with(fresh)
    }

    pub(super) fn close(&mut self, id: &str) -> Option<Association> {
        self.associations.remove(id)
    }

    pub(super) fn close_all(&mut self) -> BTreeMap<String, Association> {
        std::mem::take(&mut self.associations)
    }

    pub(super) fn alerted(&mut self, record: &Record) {
        if self.alerts.len() >= MOST_REMEMBERED {
            self.alerts.clear();
        }
        self.alerts.insert(refusal(record));
    }

    /// Whether an alert told of this refusal; once.
    pub(super) fn was_alerted(&mut self, record: &Record) -> bool {
        self.alerts.remove(&refusal(record))
    }

    /// The oldest association, where there are too many of them or of their transfers.
    pub(super) fn excess(&mut self) -> Option<(String, Association)> {
        let transfers = self.associations.values().map(|association| association.transfers.len());
        if self.associations.len() <= MOST_ASSOCIATIONS && transfers.sum::<usize>() <= MOST_TRANSFERS {
            return None;
        }
        let oldest = self.associations.iter().min_by_key(|(_, association)| association.sequence)?;
        let id = oldest.0.clone();
        self.associations.remove(&id).map(|association| (id, association))
    }
}

fn refusal(record: &Record) -> String {
    format!("{} {}", record.association().unwrap_or_default(), record.reason().unwrap_or_default())
}
