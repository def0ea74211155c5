//! The certificates that requestors and upstreams showed.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Bucket, Shared};
use crate::audit::record::{Tls, Upstream};

/// So many certificates are told apart, and so many AE titles of each.
const APART: usize = 500;
const TITLES: usize = 8;

/// The certificates that records name, by the SHA-256 of each, with how often and until when.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Those of requestors.
    pub shown: BTreeMap<String, Certificate>,
    /// Associations over TLS without one.
    pub without: Bucket,
    /// Of upstreams, by name and fingerprint.
    pub of_upstreams: BTreeMap<(String, String), Certificate>,
}

/// A certificate, and who came with it.
#[derive(Debug, Default)]
pub struct Certificate {
    /// Its subject (RFC 4514).
    pub subject: String,
    /// Its subject alternative names.
    pub names: Vec<String>,
    /// Who vouches for it, or else whom it names; empty where records do not say.
    pub issuer: String,
    /// Calling AE titles that came with it, the first eight.
    pub titles: BTreeSet<String>,
    /// Peers that showed it, or the upstream.
    pub places: BTreeSet<String>,
    /// When it was for the first time and the last.
    pub shown: Option<(OffsetDateTime, OffsetDateTime)>,
    /// Where records say it.
    pub ends: Option<OffsetDateTime>,
    /// The associations that it was shown in.
    pub bucket: Bucket,
}

impl Certificates {
    pub(super) fn add(&mut self, tls: &Tls, record: &Shared) {
        let Some(fingerprint) = &tls.fingerprint else { return self.without.add(record) };
        if self.shown.len() >= APART && !self.shown.contains_key(fingerprint.as_str()) {
            return;
        }
        let certificate = self.shown.entry(fingerprint.to_string()).or_default();
        certificate.add(tls, record.peer().unwrap_or_default(), record);
        if let Some(title) = record.calling_ae_title().filter(|_| certificate.titles.len() < TITLES) {
            certificate.titles.insert(title.to_owned());
        }
    }

    /// What the upstream of an association showed.
    pub(super) fn add_upstream(&mut self, upstream: &Upstream, record: &Shared) {
        let Some(tls) = &upstream.tls else { return };
        let Some(fingerprint) = &tls.fingerprint else { return };
        let key = (upstream.name.to_string(), fingerprint.to_string());
        if self.of_upstreams.len() < APART || self.of_upstreams.contains_key(&key) {
            self.of_upstreams.entry(key).or_default().add(tls, &upstream.name, record);
        }
    }
}

impl Certificate {
    fn add(&mut self, tls: &Tls, place: &str, record: &Shared) {
        if self.bucket.count == 0 {
            self.subject = tls.subject.as_deref().unwrap_or_default().to_owned();
            let vouching = tls.authority.as_ref().map(|authority| authority.subject.clone());
            let named = || tls.issuer.clone();
            self.issuer = vouching.or_else(named).unwrap_or_default();
            self.names = tls.san.clone();
            self.ends = tls.not_after.as_deref().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        }
        if !self.places.contains(place) && self.places.len() < APART {
            self.places.insert(place.to_owned());
        }
        if let Some(at) = record.at() {
            self.shown = Some(self.shown.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
        self.bucket.add(record);
    }
}
