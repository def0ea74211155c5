//! Records of what was not let in, and of what a person should look at.

use super::{RefusedCertificate, Requestor, Tls};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

/// A connection that did not come as far as an association request that could be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ConnectionRefused {
    /// Id that its association would have had; absent where it did not come that far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    /// Name of the listener.
    pub listener: String,
    /// Absent where the record is about more addresses than were told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The port there; absent with the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What TLS proved, where it was established.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// What the listener speaks. Without `tls`, TLS was not established there, and nothing proved who it was.
    pub transport: Transport,
    /// A stable label, such as `address-not-allowed`, `connection-rate`, `certificate-revoked`.
    pub reason: Cow<'static, str>,
    /// For people: what was found, and what was expected.
    pub explanation: String,
    /// The TLS alert that was sent or received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Cow<'static, str>>,
    /// What was shown, where the certificate is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<RefusedCertificate>,
    /// The A-ABORT that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<Abort>,
    /// How many the record stands for, where they were gathered; it tells of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl ConnectionRefused {
    /// As the record of this many, from more addresses than were told apart.
    pub(in crate::audit) fn of_anybody(self, count: u64) -> Box<Self> {
        let explanation = format!("{count} refusals from more addresses than are told apart in a minute");
        Box::new(Self {
            association: None,
            address: None,
            port: None,
            tls: None,
            certificate: None,
            explanation,
            count: Some(count),
            ..self
        })
    }
}

/// A request for an association that was refused, as what it was before that: a connection.
pub(in crate::audit) fn of_anybody(
    requestor: Requestor,
    reason: Cow<'static, str>,
    explanation: String,
) -> ConnectionRefused {
    ConnectionRefused {
        association: None,
        listener: requestor.listener,
        address: None,
        port: None,
        tls: None,
        // Its request was read, so TLS was established where the listener has it.
        transport: if requestor.tls.is_some() { Transport::Tls } else { Transport::Plain },
        reason,
        explanation,
        alert: None,
        certificate: None,
        abort: None,
        count: None,
    }
}

/// What a listener expects of whoever connects: TLS, or DICOM at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TLS, to be established before anything else.
    #[default]
    Tls,
    /// DICOM without TLS.
    Plain,
}

/// Source and reason of an A-ABORT (PS3.8 §9.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// 0 the service-user, 2 the service-provider.
    pub source: u8,
    /// Of the service-provider (PS3.8 Table 9-26); else 0.
    pub reason: u8,
}

/// Something that a person should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct SecurityAlert {
    /// Id of the association that it came of, as the fields below; absent where it came of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    /// Name of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Name of the `[[peer]]` that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Where the connection came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The port there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What TLS proved of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// AE title of who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling_ae_title: Option<String>,
    /// AE title that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_ae_title: Option<String>,
    /// A stable label, such as `trail-changed`, `records-lost`.
    pub reason: Cow<'static, str>,
    /// Of which upstream, certificate, list or repository it is told, as the configuration names it: never what a peer chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// For people: what was found, and what to do.
    pub explanation: String,
    /// What was shown, where a certificate that was refused is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<RefusedCertificate>,
    /// `records-lost` only: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}
