//! Who came, and what they did: as much of it as fits into a configuration.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::ControlFlow;

use ipnet::IpNet;

use crate::audit::reading::{Filter, Kept, RecordFile, records};
use crate::audit::record::{self, AssociationClosed, Direction, Event, Record, Requestor};
use crate::identity::CertificateBinding;
use crate::policy::Operation;
use crate::wire::{AeTitle, Uid};

/// More peers than one configuration is read for by a person.
const MOST_PEERS: usize = 10_000;
/// Of one peer, values of each kind; more would not be read either.
const MOST_VALUES: usize = 256;
/// Associations that are open at once; more than any limit lets be.
const MOST_OPEN: usize = 100_000;
/// Refusals that are told apart.
const MOST_REFUSED: usize = 10_000;
/// So many addresses of one network (/24, /64) are written as that network.
const FEW_ADDRESSES: usize = 8;

/// What tells peers apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub who: Who,
    /// The `[[peer]]` that let it in.
    pub peer: String,
}

/// Those with a certificate come first in a configuration: they say more of themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// As `certificates` of a `[[peer]]` names it.
    Certificate(String),
    /// A calling AE title, where no certificate was shown.
    Title(String),
}

/// What a peer used.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    pub associations: u64,
    pub first: String,
    pub last: String,
    pub listeners: BTreeSet<String>,
    addresses: BTreeSet<IpAddr>,
    pub calling: BTreeSet<String>,
    pub called: BTreeSet<String>,
    /// Fingerprints and names of the certificates that it showed, as bindings.
    pub shown: BTreeSet<String>,
    pub operations: BTreeSet<&'static str>,
    pub classes: BTreeSet<String>,
    pub destinations: BTreeSet<String>,
    pub agreements: BTreeSet<String>,
    /// AE titles that no configuration can name by themselves.
    pub unfit: BTreeSet<String>,
    /// Whether somebody proved to be a user: the rights of users are their own.
    pub has_users: bool,
    /// Whether there was more of something than is kept.
    pub is_cut: bool,
}

/// A refusal, as the records tell it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refused {
    pub reason: String,
    pub address: String,
    pub titles: String,
    pub certificate: String,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub peers: BTreeMap<Key, Used>,
    pub refused: BTreeMap<Refused, u64>,
    /// Refusals beyond those that are told apart.
    pub more_refused: u64,
    /// Associations of peers beyond those that are kept.
    pub more_peers: u64,
    open: HashMap<String, Key>,
}

impl Gathered {
    /// Of the records that a filter keeps.
    pub(super) fn of(files: &[RecordFile], filter: &Filter) -> (Self, Kept) {
        let mut gathered = Self::default();
        let kept = records(files, filter, |record| {
            gathered.take(&record);
            ControlFlow::Continue(())
        });
        (gathered, kept)
    }

    /// That were opened.
    pub(super) fn associations(&self) -> u64 {
        self.peers.values().map(|used| used.associations).sum::<u64>() + self.more_peers
    }

    pub(super) fn take(&mut self, record: &Record) {
        match &record.event {
            // What was open when the process ended is not open now.
            Event::Started(_) => self.open.clear(),
            Event::AssociationOpened(opened) => {
                self.opened(&record.time, &opened.association, &opened.requestor)
            }
            Event::AssociationClosed(closed) => self.closed(&record.time, closed),
            Event::Operation(operation) => self.operation(record, operation),
            Event::AssociationRejected(_) | Event::ConnectionRefused(_) => self.refused(record),
            _ => {}
        }
        let agreement = record.agreement().filter(|_| record.association().is_some());
        let key = record.association().and_then(|id| self.open.get(id));
        if let Some((agreement, used)) = agreement.zip(key.and_then(|key| self.peers.get_mut(key))) {
            used.is_cut |= !add(&mut used.agreements, agreement.to_owned());
        }
    }

    fn opened(&mut self, time: &str, id: &str, requestor: &Requestor) {
        let key = key(requestor);
        if self.peers.len() >= MOST_PEERS && !self.peers.contains_key(&key) {
            self.more_peers += 1;
            return;
        }
        self.peers.entry(key.clone()).or_default().requestor(time, requestor);
        if self.open.len() < MOST_OPEN {
            self.open.insert(id.to_owned(), key);
        }
    }

    fn closed(&mut self, time: &str, closed: &AssociationClosed) {
        if closed.upstream.is_none() {
            let contexts = "no presentation context was allowed";
            return self.add_refused(
                closed.label().unwrap_or(contexts),
                Some(&closed.requestor),
                closed.count,
            );
        }
        if self.open.remove(&closed.association).is_none() {
            // It was opened before.
            self.opened(time, &closed.association, &closed.requestor);
            self.open.remove(&closed.association);
            let used = self.peers.get_mut(&key(&closed.requestor));
            let done = closed.operations.iter().filter(|(_, counts)| counts.success + counts.warning > 0);
            if let Some(used) = used {
                used.operations
                    .extend(done.filter_map(|(name, _)| Some(name.parse::<Operation>().ok()?.name())));
            }
        }
    }

    fn operation(&mut self, record: &Record, operation: &record::Operation) {
        let key = self.open.get(&*operation.association).cloned();
        if let Some(reason) = &operation.reason {
            let reason = format!("{} {reason}", operation.operation);
            let used = key.and_then(|key| self.peers.get(&key));
            let titles = used.and_then(|used| used.calling.first()).cloned().unwrap_or_default();
            let refused = Refused { reason, address: String::new(), titles, certificate: String::new() };
            return self.count_refused(refused, record.times());
        }
        if let Some(used) = key.and_then(|key| self.peers.get_mut(&key)) {
            used.operation(operation);
        }
    }

    fn refused(&mut self, record: &Record) {
        let titles = [record.calling_ae_title(), record.called_ae_title()];
        let refused = Refused {
            reason: record.label().unwrap_or_default().to_owned(),
            address: record.address().map(|address| address.to_string()).unwrap_or_default(),
            titles: titles.into_iter().flatten().collect::<Vec<_>>().join(" to "),
            certificate: record.shown().map(|(subject, ..)| subject.to_owned()).unwrap_or_default(),
        };
        self.count_refused(refused, record.times());
    }

    fn add_refused(&mut self, reason: &str, requestor: Option<&Requestor>, count: Option<u64>) {
        let subject = requestor.and_then(|one| one.tls.as_ref()?.subject.clone());
        let titles = requestor.map(|one| format!("{} to {}", one.calling_ae_title, one.called_ae_title));
        let address = requestor.map(|one| one.address.to_string());
        let refused = Refused {
            reason: reason.to_owned(),
            address: address.unwrap_or_default(),
            titles: titles.unwrap_or_default(),
            certificate: subject.unwrap_or_default(),
        };
        self.count_refused(refused, count.unwrap_or(1));
    }

    fn count_refused(&mut self, refused: Refused, times: u64) {
        if self.refused.len() >= MOST_REFUSED && !self.refused.contains_key(&refused) {
            self.more_refused = self.more_refused.saturating_add(times);
            return;
        }
        let count = self.refused.entry(refused).or_default();
        *count = count.saturating_add(times);
    }
}

fn key(requestor: &Requestor) -> Key {
    let peer = requestor.peer.clone().unwrap_or_default();
    Key { who: who(requestor), peer }
}

fn who(requestor: &Requestor) -> Who {
    let binding = requestor.tls.as_ref().and_then(|tls| {
        let fingerprint = tls.fingerprint.as_ref()?;
        let own = tls.authority.as_ref().is_some_and(|authority| authority.fingerprint == *fingerprint);
        // A certificate that is trusted itself is known by no name in it.
        let named = tls.san.iter().filter(|_| !own);
        let whole = format!("sha256:{fingerprint}");
        let mut all = named.cloned().chain([whole]);
        all.find(|text| text.parse::<CertificateBinding>().is_ok())
    });
    binding.map_or_else(|| Who::Title(as_sent(&requestor.calling_ae_title)), Who::Certificate)
}

/// Whether there was room.
fn add(values: &mut BTreeSet<String>, value: String) -> bool {
    let room = values.len() < MOST_VALUES || values.contains(&value);
    if room {
        values.insert(value);
    }
    room
}

/// A title as it was sent. Records escape quotes; a backslash of its own no title may have (PS3.5 §6.2).
pub(super) fn as_sent(recorded: &str) -> String {
    recorded.replace("\\\"", "\"").replace("\\'", "'")
}

/// A title that a pattern names by itself: one with * or ? names others too.
fn fit(title: &str) -> bool {
    title.parse::<AeTitle>().is_ok_and(|parsed| parsed.as_str() == title) && !title.contains(['*', '?'])
}

impl Used {
    fn requestor(&mut self, time: &str, requestor: &Requestor) {
        self.associations += 1;
        if self.first.is_empty() {
            time.clone_into(&mut self.first);
        }
        time.clone_into(&mut self.last);
        self.has_users |= requestor.identified.as_ref().is_some_and(|one| one.user_identity == "proven");
        self.is_cut |= !add(&mut self.listeners, requestor.listener.clone());
        for (title, known) in
            [(&requestor.calling_ae_title, &mut self.calling), (&requestor.called_ae_title, &mut self.called)]
        {
            let title = as_sent(title);
            let values = if fit(&title) { known } else { &mut self.unfit };
            self.is_cut |= !add(values, title);
        }
        if self.addresses.len() < MOST_VALUES || self.addresses.contains(&requestor.address) {
            self.addresses.insert(requestor.address.to_canonical());
        } else {
            self.is_cut = true;
        }
        if let Some(tls) = &requestor.tls {
            let whole = tls.fingerprint.iter().map(|one| format!("sha256:{one}"));
            for binding in tls.san.iter().cloned().chain(whole) {
                self.is_cut |= !add(&mut self.shown, binding);
            }
        }
    }

    fn operation(&mut self, operation: &record::Operation) {
        if let Ok(known) = operation.operation.parse::<Operation>()
            && operation.direction == Direction::FromPeer
        {
            self.operations.insert(known.name());
        }
        let class = operation.sop_class.as_ref().filter(|uid| uid.parse::<Uid>().is_ok());
        if let Some(uid) = class {
            self.is_cut |= !add(&mut self.classes, uid.clone());
        }
        if let Some(title) = &operation.move_destination {
            let title = as_sent(title);
            let values = if fit(&title) { &mut self.destinations } else { &mut self.unfit };
            self.is_cut |= !add(values, title);
        }
    }

    /// Addresses, or the network where many of one came.
    pub(super) fn networks(&self) -> Vec<String> {
        let mut networks: BTreeMap<IpNet, BTreeSet<IpAddr>> = BTreeMap::new();
        for address in &self.addresses {
            let length = if address.is_ipv4() { 24 } else { 64 };
            if let Ok(network) = IpNet::new(*address, length) {
                networks.entry(network.trunc()).or_default().insert(*address);
            }
        }
        let each = networks.into_iter().flat_map(|(network, addresses)| match addresses.len() {
            0..=FEW_ADDRESSES => addresses.into_iter().map(|one| IpNet::from(one).to_string()).collect(),
            _ => vec![network.to_string()],
        });
        each.collect()
    }
}
