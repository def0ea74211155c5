//! The records that tell the story of one association.

use super::{Labelled, label_of, said};
use crate::identity::Certificate;
use crate::vocabulary::Ended;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Who asked for an association, and how it came in. Every field is in every record; `null` where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Requestor {
    /// Name of the listener that the connection came in by.
    pub listener: String,
    /// The `[[peer]]` that matched.
    pub peer: Option<String>,
    /// [`Ipv4Addr::UNSPECIFIED`] in a record that names none.
    #[serde(deserialize_with = "address_or_none")]
    pub address: IpAddr,
    /// The port there; 0 in a record that names none.
    pub port: u16,
    /// What TLS proved of it; `None` over plain TCP.
    pub tls: Option<Tls>,
    /// The user that it names, where the listener looks at that; else its fields are missing.
    #[serde(flatten)]
    pub identified: Option<Identified>,
    /// As it came, without the spaces around it.
    pub calling_ae_title: String,
    /// The AE title that it asked for, likewise.
    pub called_ae_title: String,
    /// What it says of the software that it is; `None` where it says nothing.
    pub implementation: Option<Implementation>,
}

/// A user identity (PS3.7 D.3.3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Identified {
    /// The name, made printable.
    pub user: String,
    /// `proven`, or `claimed`: without a proof, or with one that was not accepted.
    pub user_identity: Cow<'static, str>,
    /// By what, beside the certificate: `passcode`, `one-time-code`.
    pub factors: Vec<Cow<'static, str>>,
}

impl Default for Requestor {
    fn default() -> Self {
        Self {
            listener: String::new(),
            peer: None,
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 0,
            tls: None,
            identified: None,
            calling_ae_title: String::new(),
            called_ae_title: String::new(),
            implementation: None,
        }
    }
}

/// What is no address is none: the rest of the record is worth reading all the same.
fn address_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpAddr, D::Error> {
    said::text(deserializer, |text| text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED.into()))
}

/// What TLS settled on one leg: version, cipher suite, and the certificate of the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Tls {
    /// `1.2` or `1.3`.
    pub version: Cow<'static, str>,
    /// The cipher suite by its name in the registry of IANA, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: Cow<'static, str>,
    /// The key exchange group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Cow<'static, str>>,
    /// Of the peer's certificate; `null` where it showed none.
    pub subject: Option<String>,
    /// Its subject alternative names (RFC 5280 §4.2.1.6); empty where it showed none.
    pub san: Vec<String>,
    /// The issuer as the certificate names it; [`Tls::authority`] is who really vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Its serial number, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// SHA-256 of the certificate.
    pub fingerprint: Option<String>,
    /// When the certificate ends (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
    /// The CA certificate of the configuration that vouches for it, or itself where its key is trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
}

/// A CA certificate that the configuration trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Authority {
    /// Its subject, as RFC 4514 writes a name.
    pub subject: String,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
}

impl From<&Certificate> for Authority {
    fn from(certificate: &Certificate) -> Self {
        Self { subject: certificate.subject.clone(), fingerprint: certificate.fingerprint.clone() }
    }
}

/// A certificate that was shown and refused, so that nothing in it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RefusedCertificate {
    /// Its subject, as it claims (RFC 4514).
    pub subject: String,
    /// Who it says has issued it.
    pub issuer: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate.
    pub fingerprint: String,
    /// When it ends (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

impl From<&Certificate> for RefusedCertificate {
    fn from(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            fingerprint: certificate.fingerprint.clone(),
            not_after: end_of(certificate.not_after),
        }
    }
}

impl Tls {
    /// The record of a session. `certificate` is the peer's.
    pub fn new(
        version: impl Into<Cow<'static, str>>,
        cipher: impl Into<Cow<'static, str>>,
        group: Option<Cow<'static, str>>,
        certificate: Option<&Certificate>,
    ) -> Self {
        Self {
            version: version.into(),
            cipher: cipher.into(),
            group,
            subject: certificate.map(|certificate| certificate.subject.clone()),
            san: certificate.map(|certificate| certificate.san.clone()).unwrap_or_default(),
            issuer: certificate.map(|certificate| certificate.issuer.clone()),
            serial: certificate.map(|certificate| certificate.serial.clone()),
            fingerprint: certificate.map(|certificate| certificate.fingerprint.clone()),
            authority: None,
            not_after: certificate.and_then(|certificate| end_of(certificate.not_after)),
        }
    }
}

/// `None` for a certificate whose dates could not be read.
fn end_of(not_after: OffsetDateTime) -> Option<String> {
    let known = not_after > OffsetDateTime::UNIX_EPOCH;
    known.then(|| not_after.to_offset(time::UtcOffset::UTC).format(&Rfc3339).ok()).flatten()
}

/// Implementation class UID and version name (PS3.7 Annex D.3.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Implementation {
    /// The Implementation Class UID; PS3.7 has it in every request, some requestors have not.
    pub class_uid: Option<String>,
    /// The Implementation Version Name, of at most 16 characters, made printable.
    pub version_name: Option<String>,
}

/// The leg to the archive: which `[[upstream]]`, at which address, and what TLS proved there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Upstream {
    /// Name of the `[[upstream]]`.
    pub name: String,
    /// The address that answered, with its port.
    pub address: String,
    /// As sent upstream.
    pub called_ae_title: String,
    /// The same of the calling AE title, which the configuration may set.
    pub calling_ae_title: String,
    /// With the certificate that it showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// A presentation context as it was answered to the requestor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Context {
    /// The presentation context ID, odd, 1 to 255 (PS3.8 §9.3.2.2).
    pub id: u8,
    /// UID of the SOP class that was proposed, made printable.
    pub abstract_syntax: String,
    /// PS3.8 Table 9-18: 0 acceptance … 4.
    pub result: u8,
    /// UID of the transfer syntax that was accepted; absent where the context was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_syntax: Option<String>,
}

/// The request was answered with A-ASSOCIATE-RJ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AssociationRejected {
    /// Id of the association, of no other in any run.
    pub association: String,
    /// Who asked.
    #[serde(flatten)]
    pub requestor: Requestor,
    /// The answer on the wire.
    pub rejection: Rejection,
    /// A stable label, such as `calling-ae-title-unknown`, `upstream-unreachable`.
    pub reason: Cow<'static, str>,
    /// For people: the condition that failed nearest to a match.
    pub explanation: String,
    /// How many the record stands for, where they were gathered; it tells of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 §9.3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// 1 rejected-permanent, 2 rejected-transient.
    pub result: u8,
    /// 1 the user, 2 the provider (ACSE), 3 the provider (presentation).
    pub source: u8,
    /// Why, in the numbering of its source (PS3.8 Table 9-21).
    pub reason: u8,
}

/// The request was answered with A-ASSOCIATE-AC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AssociationOpened {
    /// Id of the association; the records of its operations and its closing record carry it, too.
    pub association: String,
    /// Who asked.
    #[serde(flatten)]
    pub requestor: Requestor,
    /// The association that the proxy opened in turn.
    pub upstream: Upstream,
    /// Every presentation context that was proposed, accepted or not.
    pub contexts: Vec<Context>,
    /// Name of the rewrite that applies.
    pub rewrite: Option<String>,
    /// Id of the `[[agreement]]` by which its data travels; absent where its route needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// Digest of the configuration that decided.
    pub configuration: String,
}

/// The whole story of an association that was opened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AssociationClosed {
    /// Id of the association.
    pub association: String,
    /// Who asked.
    #[serde(flatten)]
    pub requestor: Requestor,
    /// The upstream leg; `None` where there never was one, since the policy left nothing to do.
    pub upstream: Option<Upstream>,
    /// Every presentation context that was proposed, accepted or not.
    pub contexts: Vec<Context>,
    /// By operation (`C-STORE`, …).
    pub operations: BTreeMap<Cow<'static, str>, OperationCounts>,
    /// What went over the requestor's leg.
    pub bytes: Bytes,
    /// The rewrite that applied, and what it changed; `None` where none did.
    pub rewrite: Option<Rewrite>,
    /// Id of the `[[agreement]]` by which its data travelled; absent where its route needed none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// Digest of the configuration that decided.
    pub configuration: String,
    /// Milliseconds from the request to the end.
    pub duration_ms: u64,
    /// How it came to its end.
    pub ended: Labelled<Ended>,
    /// A stable label or a short text; `null` after a release.
    pub reason: Option<Cow<'static, str>>,
    /// How many the record stands for, where they were gathered because the policy left nothing to do in any of them; it
    /// tells of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl AssociationClosed {
    /// The part of the reason before its explanation.
    pub fn label(&self) -> Option<&str> {
        self.reason.as_deref().map(label_of)
    }
}

/// How the operations of one kind ended, by the status of their last response (PS3.7 Annex C).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperationCounts {
    /// Success, or pending as the last word.
    pub success: u64,
    /// Done, with a warning.
    pub warning: u64,
    /// Failed, or without any response.
    pub failure: u64,
    /// By dimsegate's policy.
    pub refused: u64,
}

impl fmt::Display for OperationCounts {
    /// Such as `12 success, 1 refused`: what there was.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { success, warning, failure, refused } = *self;
        let counts = [(success, "success"), (warning, "warning"), (failure, "failure"), (refused, "refused")];
        for (index, (count, outcome)) in counts.iter().filter(|(count, _)| *count > 0).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {outcome}")?;
        }
        Ok(())
    }
}

/// Bytes of the requestor's leg, upper layer included: `in` from the requestor, `out` to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bytes {
    /// Bytes that came from the requestor.
    pub r#in: u64,
    /// Bytes that went to it.
    pub out: u64,
}

/// What a rewrite did over a whole association.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Rewrite {
    /// Name of the rewrite in the configuration.
    pub name: String,
    /// Elements changed, removed or added.
    pub elements: u64,
    /// The version of the secret that pseudonyms were made with, where secrets have versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_version: Option<u32>,
}
