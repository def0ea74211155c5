//! What a proposal would have refused of the records that it was made of.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;

use super::comment::shown;
use super::gathered::as_sent;
use crate::audit::reading::{Filter, RecordFile, records};
use crate::audit::record::{self, Authority, Direction, Event, Record, Requestor, Tls};
use crate::config::{self, Diagnostics, Settings};
use crate::identity::Certificate;
use crate::policy::{self, Blocks, Facts, Peer, TlsVersion, recognised};
use crate::wire::{AeTitle, Uid};

/// Associations that are open at once.
const MOST_OPEN: usize = 100_000;
/// Reasons that are told.
const MOST_TOLD: usize = 40;

/// How many there were, and how many would have been refused, by what would have refused them.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub associations: u64,
    pub operations: u64,
    pub refused: BTreeMap<String, u64>,
    open: HashMap<String, Arc<Peer>>,
}

impl Replayed {
    /// Of a configuration with the proposal in it.
    ///
    /// # Errors
    /// What is wrong with that configuration.
    pub(super) fn of(
        path: &Path,
        merged: &str,
        files: &[RecordFile],
        filter: &Filter,
    ) -> Result<Self, Diagnostics> {
        let settings = config::load_text(path, merged)?.settings;
        let mut replayed = Self::default();
        records(files, filter, |record| {
            replayed.take(&settings, &record);
            ControlFlow::Continue(())
        });
        Ok(replayed)
    }

    fn take(&mut self, settings: &Settings, record: &Record) {
        match &record.event {
            Event::Started(_) => self.open.clear(),
            Event::AssociationOpened(opened) => {
                self.associations += 1;
                match again(settings, record, &opened.requestor) {
                    Ok(peer) if self.open.len() < MOST_OPEN => {
                        self.open.insert(opened.association.clone(), peer);
                    }
                    Ok(_) => {}
                    Err(why) => self.refuse(format!("association: {why}"), 1),
                }
            }
            Event::AssociationClosed(closed) => drop(self.open.remove(&closed.association)),
            Event::Operation(operation) if operation.reason.is_none() => {
                let times = record.times();
                self.operations = self.operations.saturating_add(times);
                let peer = self.open.get(&*operation.association).cloned();
                if let Some(why) = peer.and_then(|peer| denied(&peer, operation)) {
                    self.refuse(why, times);
                }
            }
            _ => {}
        }
    }

    fn refuse(&mut self, why: String, times: u64) {
        let known = self.refused.contains_key(&why) || self.refused.len() < MOST_TOLD;
        let key = if known { why } else { "others".to_owned() };
        let count = self.refused.entry(key).or_default();
        *count = count.saturating_add(times);
    }

    /// Lines before the tables.
    pub(super) fn comment(&self) -> String {
        let (associations, operations) = (self.associations, self.operations);
        if self.refused.is_empty() {
            return format!(
                "# Of {associations} associations and {operations} operations of that time it would have refused none.\n"
            );
        }
        let mut text = format!(
            "# Of {associations} associations and {operations} operations of that time it would have refused:\n"
        );
        for (why, count) in &self.refused {
            text.push_str(&format!("# {count} x {}\n", shown(why)));
        }
        text
    }
}

/// The peer that would let it in now. What TLS made of a certificate is taken as it was.
fn again(settings: &Settings, record: &Record, requestor: &Requestor) -> Result<Arc<Peer>, String> {
    let title = |text: &str| {
        as_sent(text).parse::<AeTitle>().map(|title| title.to_raw()).map_err(|error| error.to_string())
    };
    let (calling, called) = (title(&requestor.calling_ae_title)?, title(&requestor.called_ae_title)?);
    let tls = requestor.tls.as_ref();
    let certificate = tls.and_then(certificate);
    let authorities: Vec<Arc<Certificate>> =
        tls.and_then(|tls| tls.authority.as_ref()).map(authority).into_iter().collect();
    let facts = Facts {
        listener: &requestor.listener,
        address: requestor.address.to_canonical(),
        certificate: certificate.as_ref(),
        tls: tls.and_then(|tls| TlsVersion::of(&tls.version)),
        authorities: &authorities,
        user: None,
        calling: &calling,
        called: &called,
        contexts: &[],
        blocks: &Blocks::default(),
        now: record.at().unwrap_or(OffsetDateTime::UNIX_EPOCH),
    };
    recognised(&settings.policy, &facts).map_err(|refusal| refusal.reason.to_string())
}

fn certificate(tls: &Tls) -> Option<Certificate> {
    let subject = tls.subject.clone()?;
    Some(Certificate {
        common_name: common_name(&subject),
        subject,
        san: tls.san.clone(),
        fingerprint: tls.fingerprint.clone()?,
        key_fingerprint: String::new(),
        serial: tls.serial.clone().unwrap_or_default(),
        issuer: tls.issuer.clone().unwrap_or_default(),
        not_after: OffsetDateTime::UNIX_EPOCH,
    })
}

fn authority(authority: &Authority) -> Arc<Certificate> {
    Arc::new(Certificate {
        common_name: common_name(&authority.subject),
        subject: authority.subject.clone(),
        san: Vec::new(),
        fingerprint: authority.fingerprint.clone(),
        key_fingerprint: String::new(),
        serial: String::new(),
        issuer: String::new(),
        not_after: OffsetDateTime::UNIX_EPOCH,
    })
}

fn common_name(subject: &str) -> Option<String> {
    subject.split(", ").find_map(|part| part.strip_prefix("CN=")).map(str::to_owned)
}

/// Why the role of a peer would have refused an operation.
fn denied(peer: &Peer, operation: &record::Operation) -> Option<String> {
    let name = &operation.operation;
    let role = &peer.role;
    let known = name.parse::<policy::Operation>();
    if operation.direction == Direction::FromPeer
        && known.is_ok_and(|known| !role.operations.contains(&known))
    {
        return Some(format!("{name} of peer \"{}\": operation-not-allowed", peer.name));
    }
    let class = operation.sop_class.as_ref().and_then(|uid| uid.parse::<Uid>().ok());
    if class.is_some_and(|uid| !role.sop_classes.contains(&uid)) {
        return Some(format!("{name} of peer \"{}\": sop-class-not-allowed", peer.name));
    }
    let destination = as_sent(operation.move_destination.as_ref()?).parse::<AeTitle>().ok()?;
    let allowed = role.move_destinations.as_ref();
    let denied = allowed.is_some_and(|all| !all.iter().any(|one| one.matches(&destination)));
    denied.then(|| format!("{name} of peer \"{}\": move-destination-not-allowed", peer.name))
}
