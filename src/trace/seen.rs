//! What is seen of an association. All text in it is escaped and bounded.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use super::command::Element;
use super::negotiation::Associate;
use crate::audit::Tls;

/// One of the three that talk with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Node {
    /// Who asked for the association.
    Requestor,
    /// The proxy itself.
    Dimsegate,
    /// The archive behind it.
    Upstream,
}

/// Something that was seen, and when.
#[derive(Debug)]
pub(crate) struct Seen {
    pub at: Instant,
    /// As records and log call it.
    pub association: Arc<str>,
    pub what: What,
    /// Bytes of memory that it may take.
    pub weight: usize,
}

/// What was seen. In JSON it has its name in `what`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum What {
    /// TCP, of the requestor.
    Connection { listener: String, address: SocketAddr, reached: SocketAddr },
    /// A handshake of TLS is through.
    Tls {
        leg: Node,
        #[serde(flatten)]
        tls: Box<Tls>,
    },
    /// The policy allows it.
    Admitted { peer: String, role: String, upstream: String },
    /// TCP, and TLS where it has that, to the upstream. `passed_over` says why those before this address were not reached.
    Dialled { upstream: String, address: String, passed_over: Vec<String>, took_us: Micros },
    /// Refused by dimsegate, or by the upstream.
    Refused {
        reason: Cow<'static, str>,
        explanation: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        alert: Option<String>,
    },
    /// An A-ASSOCIATE-RQ or -AC.
    Associate {
        #[serde(flatten)]
        way: Way,
        #[serde(flatten)]
        said: Box<Associate>,
    },
    /// A PDU of another kind: `text` is what it says.
    Pdu {
        #[serde(flatten)]
        way: Way,
        text: String,
    },
    /// A command set.
    Command {
        #[serde(flatten)]
        way: Way,
        #[serde(flatten)]
        part: Part,
        /// Such as `C-STORE-RQ`.
        message: String,
        elements: Vec<Element>,
    },
    /// A data set.
    DataSet {
        #[serde(flatten)]
        way: Way,
        #[serde(flatten)]
        part: Part,
    },
    /// How the association ended, and how long who was waited for.
    Ended { ended: Cow<'static, str>, explanation: String, waited_for: Waited },
    /// A leg is closed. `received` and `sent` are bytes, without TLS.
    Closed { leg: Node, by: Node, received: u64, sent: u64 },
}

/// Where something went, how long it is, and who was waited for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Way {
    /// The other end of the leg.
    pub leg: Node,
    pub from: Node,
    pub bytes: u64,
    /// Of silence on this leg before its first byte, where something came before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_us: Option<Micros>,
    /// From its first byte to its last.
    pub took_us: Micros,
    /// Of those that it took, or of the silence before: nothing came, or nothing more was taken.
    pub waited_us: Micros,
    /// What dimsegate sent: how long after the last byte that came on either leg.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_us: Option<Micros>,
}

/// A command set or a data set, in fragments.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Part {
    /// ID of the presentation context.
    pub context: u8,
    pub fragments: u32,
    /// The last fragment was there.
    pub whole: bool,
}

/// How long who was waited for, in all.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Waited {
    pub requestor_us: Micros,
    pub upstream_us: Micros,
    pub dimsegate_us: Micros,
}

/// A duration, in JSON in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Micros(pub Duration);

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for Micros {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl Waited {
    /// Adds a time to what the exchange has taken at this node.
    pub(super) fn add(&mut self, node: Node, more: Duration) {
        let of = match node {
            Node::Requestor => &mut self.requestor_us,
            Node::Upstream => &mut self.upstream_us,
            Node::Dimsegate => &mut self.dimsegate_us,
        };
        of.0 = of.0.saturating_add(more);
    }
}
