//! From records, one after the other, to messages.

use super::association::Ends;
use super::message::{Message, Outcome, Participant};
use super::source::Source;
use super::state::{Association, MOST_REMEMBERED, State};
use super::transfer::{self, Key, Transfer};
use super::{administration, authentication, operation, process, refusal, trail};
use crate::audit::record::{Event, Operation, Record};
use crate::vocabulary::Ended;

/// A study still being transferred is told in part after so many seconds.
const LONGEST_GATHERING: i64 = 15 * 60;

/// Events of which no repository is told, each with the reason.
pub const NOT_SENT: [(&str, &str); 1] = [(
    "checkpoint",
    "it signs the records before it, and nobody did anything; `audit head` hands its hash out",
)];

/// Makes messages. The same records after the same state give the same messages.
#[derive(Clone, Debug)]
pub struct Renderer {
    source: Source,
    state: State,
}

impl Renderer {
    /// Goes on from a stored state; [`State::default`] before the first record.
    pub fn new(source: Source, state: State) -> Self {
        Self { source, state }
    }

    /// What it remembers of the records so far: to be stored with how far they were read.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The system in whose name the messages are.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The process whose records are being read.
    pub fn process_id(&self) -> Option<u32> {
        self.state.process_id
    }

    /// The messages that a record gives rise to: none, one, or several.
    pub fn render(&mut self, record: &Record) -> Vec<Message> {
        match &record.event {
            // The first record of a run: whatever was open before ended with the process that had it.
            Event::TrailContinued(found) => {
                let mut messages = self.tell_all(record);
                self.state.process_id = None;
                messages.push(trail::continued(found, record, &self.proxy()));
                messages
            }
            Event::Started(started) => {
                // Trails of the first versions begin a run with this.
                let mut messages = self.tell_all(record);
                self.state.process_id = Some(started.process_id);
                messages.extend(process::started(record, &self.proxy()));
                messages
            }
            Event::Stopped(_) => {
                let mut messages = self.tell_all(record);
                messages.extend(process::stopped(record, &self.proxy()));
                messages
            }
            Event::ConfigurationLoaded(_) => {
                vec![process::configured(record, &self.proxy(), Outcome::Success)]
            }
            Event::ConfigurationRefused(_) => {
                vec![process::configured(record, &self.proxy(), Outcome::SeriousFailure)]
            }
            Event::ConnectionRefused(_) | Event::AssociationRejected(_) if self.state.was_alerted(record) => {
                Vec::new()
            }
            Event::ConnectionRefused(_) | Event::AssociationRejected(_) => {
                refusal::refused(record, &self.proxy()).into_iter().collect()
            }
            Event::SecurityAlert(_) => {
                let message = refusal::refused(record, &self.proxy());
                if message.is_some() {
                    self.state.alerted(record);
                }
                message.into_iter().collect()
            }
            Event::AssociationOpened(_) => self.opened(record),
            Event::Operation(operation) => self.operated(operation, record),
            Event::AssociationClosed(_) => self.closed(record),
            Event::AuditLogUsed(used) => vec![trail::used(used, record, &self.proxy())],
            Event::FileClosed(closed) => vec![trail::closed(closed, record, &self.proxy())],
            Event::RecordsDeleted(deleted) => vec![trail::deleted(deleted, record, &self.proxy())],
            Event::Administration(done) => vec![administration::done(done, record, &self.proxy())],
            Event::ClockStepped(_) => vec![trail::clock(record, &self.proxy())],
            Event::Checkpoint(_) | Event::Other(_) => Vec::new(),
        }
    }

    fn proxy(&self) -> Participant {
        self.source.proxy(self.state.process_id)
    }

    fn opened(&mut self, record: &Record) -> Vec<Message> {
        if let Some(id) = record.association() {
            self.state.open(id, Ends::of(record), record.sequence);
        }
        let mut messages = self.tell_excess(record);
        messages.extend(authentication::succeeded(record, &self.proxy()));
        messages
    }

    fn operated(&mut self, operation: &Operation, record: &Record) -> Vec<Message> {
        let (id, name) = (&*operation.association, &*operation.operation);
        if id.is_empty() || name.is_empty() {
            return Vec::new();
        }
        let proxy = self.proxy();
        let association = self.state.of(id, record);
        let ends = association.ends.clone().unwrap_or_else(Ends::unknown);
        let mut messages = Vec::new();
        if operation.reason.is_some()
            && operation::outcome(operation) != Outcome::Success
            && association.is_news(operation)
        {
            messages.push(operation::refused(operation, record, &ends, &proxy));
        }
        match name {
            "C-STORE" => {
                messages.extend(association.stored((id, operation), record, &ends, &proxy));
                messages.extend(self.tell_excess(record));
            }
            "C-FIND" | "C-MOVE" | "C-GET" => {
                messages.push(operation::query(operation, record, &ends, &proxy))
            }
            _ => messages.extend(operation::normalized(operation, record, &ends, &proxy)),
        }
        messages
    }

    fn closed(&mut self, record: &Record) -> Vec<Message> {
        let Some(id) = record.association() else { return Vec::new() };
        let association = self.state.close(id).unwrap_or_default();
        let mut messages = tell(id, association, Ends::of(record), &self.proxy(), record);
        // An alert of its own went before a protocol error.
        if record.ended() == Some(Ended::Policy.label()) {
            messages.extend(refusal::refused(record, &self.proxy()));
        }
        messages
    }

    fn tell_all(&mut self, at: &Record) -> Vec<Message> {
        let proxy = self.proxy();
        let all = self.state.close_all();
        all.into_iter().flat_map(|(id, association)| tell(&id, association, None, &proxy, at)).collect()
    }

    fn tell_excess(&mut self, at: &Record) -> Vec<Message> {
        let proxy = self.proxy();
        let excess = self.state.excess();
        excess.map(|(id, association)| tell(&id, association, None, &proxy, at)).unwrap_or_default()
    }
}

impl Association {
    /// Whether this refusal has not been told; a refused study of a thousand instances is one alert.
    fn is_news(&mut self, operation: &Operation) -> bool {
        let what = format!(
            "{} {} {}",
            operation.operation,
            operation.sop_class.as_deref().unwrap_or_default(),
            operation.reason.as_deref().unwrap_or_default()
        );
        remember(&mut self.alerted, what)
    }

    fn stored(
        &mut self,
        (id, operation): (&str, &Operation),
        record: &Record,
        ends: &Ends,
        proxy: &Participant,
    ) -> Vec<Message> {
        let mut messages = self.told_for_age(id, record, ends, proxy);
        let study = operation.study.as_deref().unwrap_or_default();
        let begins = format!("{} {study}", operation.direction.label());
        if operation.reason.is_none() && remember(&mut self.begun, begins) {
            messages.push(transfer::begun(operation, record, ends, proxy));
        }
        let key = Key::of(operation);
        match self.transfers.iter_mut().find(|transfer| transfer.takes(&key)) {
            Some(transfer) => transfer.add(operation, record),
            None => {
                let mut transfer = Transfer::new(operation, record);
                transfer.add(operation, record);
                self.transfers.push(transfer);
            }
        }
        messages
    }

    fn told_for_age(&mut self, id: &str, at: &Record, ends: &Ends, proxy: &Participant) -> Vec<Message> {
        let now = process::time_of(at).unix_timestamp();
        let old = |transfer: &mut Transfer| transfer.age(now) > LONGEST_GATHERING;
        let told: Vec<Transfer> = self.transfers.extract_if(.., old).collect();
        told.iter().flat_map(|transfer| transfer.messages(id, ends, proxy, at)).collect()
    }
}

/// Everything transferred on an association that is over.
fn tell(
    id: &str,
    association: Association,
    closing: Option<Ends>,
    proxy: &Participant,
    at: &Record,
) -> Vec<Message> {
    let ends = association.ends.or(closing).unwrap_or_else(Ends::unknown);
    association.transfers.iter().flat_map(|transfer| transfer.messages(id, &ends, proxy, at)).collect()
}

/// Whether it was not known before. Forgets everything when it is too much: telling twice is no harm.
fn remember(known: &mut std::collections::BTreeSet<String>, what: String) -> bool {
    if known.len() >= MOST_REMEMBERED && !known.contains(&what) {
        known.clear();
    }
    known.insert(what)
}
