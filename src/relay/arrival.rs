//! What is known of a connection while it becomes an association, and what is recorded of it.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ipnet::IpNet;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::gate::Gate;
use super::identified::Identified;
use super::in_force::InForce;
use super::recent::{Asked, Because, Recalled, Shown};
use super::repeated::Due;
use super::slots::Slot;
use crate::audit::{self, Event};
use crate::config::{ListenerSettings, Settings};
use crate::identity::Certificate;
use crate::policy;
use crate::policy::limits::{Of, Over};
use crate::policy::{Blocks, Facts, KeyLines, ProvenUser, Refusal, Stated, TlsVersion};
use crate::tls::Session;
use crate::tokens::Once;
use crate::trace::Witness;
use crate::vocabulary::Reason;
use crate::wire::associate::AssociateRq;
use crate::wire::pdu::Abort;

/// A connection, from its first byte on.
pub(crate) struct Arrival {
    pub gate: Arc<Gate>,
    /// In force when the connection came, and for as long as it lasts.
    pub in_force: Arc<InForce>,
    /// Its settings.
    pub settings: Arc<Settings>,
    pub listener: Arc<ListenerSettings>,
    pub id: Arc<str>,
    /// Of the requestor, behind any load balancer.
    pub from: SocketAddr,
    /// Where the connection came in.
    pub reached: SocketAddr,
    pub began: Instant,
    /// How often open associations had been asked about again by then.
    pub rounds: u64,
    pub tls: Option<Session>,
    /// Whom the request names as its user, where the listener looks at that.
    pub user: Option<Identified>,
    /// What that is proven by, where it is taken once, and until it is.
    pub once: Option<Once>,
    /// It may come and go to see whether the proxy is there: a load balancer for itself, or a monitor.
    pub may_check: bool,
    /// Its place among the connections of the gate.
    pub slot: Slot,
    /// Where somebody traces it, or may.
    pub witness: Option<Arc<Witness>>,
}

/// A refusal in the words of its record.
pub(crate) struct Refused {
    pub reason: Reason,
    pub explanation: String,
    /// What a TLS peer was told or said.
    pub alert: Option<Cow<'static, str>>,
    /// What the requestor showed, where that is the reason. Nothing in it is proven.
    pub certificate: Option<Box<Certificate>>,
    /// What the requestor got instead of an answer.
    pub abort: Option<Abort>,
    /// The key of the configuration that refuses it, where one does.
    pub stated: Option<Stated>,
    /// What the policy says of it, where it decided.
    pub because: Option<Box<Because>>,
}

impl Refused {
    pub(super) fn new(reason: Reason, explanation: impl Into<String>) -> Self {
        Self {
            reason,
            explanation: explanation.into(),
            alert: None,
            certificate: None,
            abort: None,
            stated: None,
            because: None,
        }
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::new(reason, reason.to_string())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let (reason, stated) = (refusal.reason, refusal.stated);
        let explanation = format!("{}. To let it in: {}", with_line(&refusal.detail, stated), refusal.remedy);
        Self { stated, because: Some(Box::new(refusal.into())), ..Self::new(reason, explanation) }
    }
}

fn with_line(detail: &str, stated: Option<Stated>) -> String {
    stated.map_or_else(|| detail.to_owned(), |stated| format!("{detail} ({stated})"))
}

impl Refused {
    /// By a limit of the peer, or of `[limits]`, with the line that states it.
    pub(super) fn limited(over: Over, keys: &KeyLines) -> Self {
        Self::beyond(over, keys, &over.reason.to_string())
    }

    /// The same, where `found` says more than the reason does.
    pub(super) fn beyond(over: Over, keys: &KeyLines, found: &str) -> Self {
        let stated = keys.of(over.key);
        let explanation = match (stated, over.of) {
            (None, Of::All) => format!("{found} (the default of {} in [limits])", over.key),
            _ => with_line(found, stated),
        };
        Self { stated, ..Self::new(over.reason, explanation) }
    }

    /// A warning where it is a security alert in the records.
    fn log(&self, what: &str) {
        let (reason, explanation) = (self.reason.label(), &self.explanation);
        if self.reason.is_security_alert() {
            tracing::warn!(reason, %explanation, "{what}");
        } else {
            tracing::info!(reason, %explanation, "{what}");
        }
    }
}

impl Arrival {
    pub(super) fn facts<'a>(&'a self, requested: &'a AssociateRq, blocks: &'a Blocks) -> Facts<'a> {
        Facts {
            listener: &self.listener.name,
            address: self.from.ip().to_canonical(),
            certificate: self.tls.as_ref().and_then(|session| session.certificate.as_ref()),
            tls: self.tls_version(),
            authorities: self.tls.as_ref().map_or(&[], |session| &session.authorities),
            user: self.proven_user().map(|user| &**user),
            calling: &requested.calling,
            called: &requested.called,
            contexts: &requested.contexts,
            blocks,
            now: OffsetDateTime::now_utc(),
        }
    }

    /// Which TLS protects the connection; `None` is none.
    pub(super) fn tls_version(&self) -> Option<TlsVersion> {
        TlsVersion::of(self.tls.as_ref()?.version)
    }

    /// Who has proven to be a user.
    pub(super) fn proven_user(&self) -> Option<&Arc<ProvenUser>> {
        self.user.as_ref().and_then(Identified::as_proven)
    }

    /// Whether the address that is known by now is in one of the networks.
    pub(super) fn is_in(&self, networks: &[IpNet]) -> bool {
        let address = self.from.ip().to_canonical();
        networks.iter().any(|network| network.contains(&address))
    }

    /// Records a connection that did not come as far as an answer. One that only looked whether the proxy is there is
    /// counted.
    pub(super) fn refuse_connection(&self, refused: &Refused) {
        let looked = refused.reason == Reason::HealthCheck
            || (self.may_check && refused.reason == Reason::ConnectionLost);
        if looked {
            tracing::debug!("health check");
            self.gate.health_checks.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.seen_refused(refused, None, None);
        self.count_against(policy::weight(refused.reason), refused.reason);
        self.remember(refused, None, None);
        self.gate.metrics.refused(&self.listener.name, None, refused.reason.label());
        let record = audit::ConnectionRefused {
            association: Some(self.id.to_string()),
            listener: self.listener.name.to_string(),
            address: Some(self.from.ip().to_canonical()),
            port: Some(self.from.port()),
            tls: self.audited_tls(),
            transport: match self.listener.tls {
                Some(_) => audit::Transport::Tls,
                None => audit::Transport::Plain,
            },
            reason: refused.reason.label().into(),
            explanation: refused.explanation.clone(),
            alert: refused.alert.clone(),
            certificate: refused.certificate.as_deref().map(Into::into),
            abort: refused.abort.map(audited_abort),
            count: None,
        };
        let event = Event::ConnectionRefused(Box::new(record));
        let Some(event) = self.gate.refusals.of_address(self.from.ip(), event) else { return };
        refused.log("connection refused");
        self.alert(refused, None, None);
        self.gate.audit.record_refusal(event);
    }

    /// Records a request that was answered with this A-ASSOCIATE-RJ.
    pub(super) fn reject(
        &self,
        requested: &AssociateRq,
        peer: Option<&str>,
        refused: &Refused,
        rejection: crate::wire::pdu::Rejection,
    ) {
        self.seen_refused(refused, Some(requested), peer);
        self.count_against(weight_of(requested, refused.reason), refused.reason);
        self.remember(refused, Some(requested), peer);
        self.gate.metrics.refused(&self.listener.name, peer, refused.reason.label());
        let (result, source, reason) = (rejection.result, rejection.source, rejection.reason);
        let record = audit::AssociationRejected {
            association: self.id.to_string(),
            requestor: self.requestor(requested, peer),
            rejection: audit::Rejection { result, source, reason },
            reason: refused.reason.label().into(),
            explanation: refused.explanation.clone(),
            count: None,
        };
        let event = Event::AssociationRejected(Box::new(record));
        let Some(event) = self.gate.refusals.of_address(self.from.ip(), event) else { return };
        refused.log("association rejected");
        self.alert(refused, Some(requested), peer);
        self.gate.audit.record_refusal(event);
    }

    /// Counts a refusal against whoever it is of: never against a load balancer or a monitor, through which others come.
    fn count_against(&self, weight: u32, last: Reason) {
        let Some(rules) = self.settings.automatic_blocks.as_ref().filter(|_| weight > 0) else { return };
        let is_between = |listener: &Arc<ListenerSettings>| {
            self.is_in(&listener.proxy_protocol_from) || self.is_in(&listener.health_checks_from)
        };
        if self.is_in(&rules.exempt) || self.settings.listeners.iter().any(is_between) {
            return;
        }
        let address = self.from.ip().to_canonical();
        let certificate = self.tls.as_ref().and_then(|session| session.certificate.as_ref());
        let of = policy::counted_against(address, certificate, self.proven_user().map(|user| &*user.name));
        let (listener, rules) = (self.listener.name.clone(), rules.clone());
        self.gate.repeated.count(Due { of, count: 0, last, address, listener, rules }, weight);
    }

    /// Keeps a refusal in memory, for whoever asks for the last ones.
    pub(super) fn remember(&self, refused: &Refused, requested: Option<&AssociateRq>, peer: Option<&str>) {
        let proven = self.tls.as_ref();
        let certificate = proven.and_then(|session| session.certificate.clone());
        let now = OffsetDateTime::now_utc();
        self.gate.recent.keep(Recalled {
            id: self.id.clone(),
            first: now,
            last: now,
            count: 1,
            listener: self.listener.name.clone(),
            from: self.from,
            reason: refused.reason,
            explanation: refused.explanation.clone(),
            stated: refused.stated,
            because: refused.because.as_deref().cloned(),
            peer: peer.map(str::to_owned),
            user: self.user.clone(),
            asked: requested
                .map(|requested| Asked::new(requested.calling, requested.called, &requested.contexts)),
            shown: Shown {
                certificate: certificate.or_else(|| refused.certificate.as_deref().cloned()),
                authorities: proven.map(|session| session.authorities.clone()).unwrap_or_default(),
                tls: self.tls_version(),
            },
            configuration: self.settings.digest.clone(),
        });
    }

    fn alert(&self, refused: &Refused, requested: Option<&AssociateRq>, peer: Option<&str>) {
        if !refused.reason.is_security_alert() {
            return;
        }
        let record = audit::SecurityAlert {
            association: Some(self.id.to_string()),
            listener: Some(self.listener.name.to_string()),
            peer: peer.map(str::to_owned),
            address: Some(self.from.ip().to_canonical()),
            port: Some(self.from.port()),
            tls: self.audited_tls(),
            calling_ae_title: requested.map(|requested| requested.calling.to_string()),
            called_ae_title: requested.map(|requested| requested.called.to_string()),
            reason: refused.reason.label().into(),
            about: None,
            explanation: refused.explanation.clone(),
            certificate: refused.certificate.as_deref().map(Into::into),
            records: None,
        };
        self.gate.audit.record_refusal(Event::SecurityAlert(Box::new(record)));
    }

    /// Who asks, as every record of an association says it.
    pub(super) fn requestor(&self, requested: &AssociateRq, peer: Option<&str>) -> audit::Requestor {
        let user = &requested.user;
        audit::Requestor {
            listener: self.listener.name.to_string(),
            peer: peer.map(str::to_owned),
            address: self.from.ip().to_canonical(),
            port: self.from.port(),
            tls: self.audited_tls(),
            identified: self.user.as_ref().map(Identified::audited),
            calling_ae_title: requested.calling.to_string(),
            called_ae_title: requested.called.to_string(),
            implementation: Some(audit::Implementation {
                class_uid: user.implementation_class_uid.as_ref().map(ToString::to_string),
                version_name: user.implementation_version_name.as_deref().map(crate::wire::escape),
            }),
        }
    }

    fn audited_tls(&self) -> Option<audit::Tls> {
        self.tls.as_ref().map(super::proof::proven)
    }
}

fn weight_of(requested: &AssociateRq, reason: Reason) -> u32 {
    let version = requested.user.implementation_version_name.as_deref().map(crate::wire::escape);
    let (calling, called) = (requested.calling.to_string(), requested.called.to_string());
    policy::weight_of_request(reason, &calling, &called, version.as_deref())
}

fn audited_abort(abort: Abort) -> audit::Abort {
    audit::Abort { source: abort.source, reason: abort.reason }
}
