//! Who came, and why it was let in or not.

use super::super::super::ends::{Nearness, nearness, words};
use super::super::super::row::clock;
use super::Chapters;
use super::values::{joined, moment, some, text};
use crate::audit::record::{Abort, Event, Record, Rejection, Tls, Transport};
use crate::cli::table::visible;
use crate::vocabulary::{Reason, of_reason, of_rejection};

/// Reasons whose explanation names the peer that came nearest; others name the one that it is.
const NEAREST: [Reason; 4] = [
    Reason::AddressNotAllowed,
    Reason::CallingAeTitleUnknown,
    Reason::CertificateMismatch,
    Reason::CalledAeTitleUnknown,
];

impl Chapters {
    pub(super) fn who(&mut self, begin: &Record) {
        self.chapter("Who came");
        let port = begin.port().map(|port| port.to_string()).unwrap_or_default();
        let address = begin.address().map(|address| address.to_string()).unwrap_or_default();
        let address = format!("{address} port {port}");
        let listener = text(begin.listener());
        match (some(begin.calling_ae_title()), some(begin.called_ae_title())) {
            (Some(calling), Some(called)) => self.say(&format!(
                "AE title {calling} from {address}, at listener \"{listener}\", calling {called}"
            )),
            _ => self.say(&format!("{address}, at listener \"{listener}\", before any AE title was named")),
        }
        let software = begin.requestor().and_then(|requestor| requestor.implementation.as_ref());
        let software = software.and_then(|software| {
            joined([some(software.version_name.as_deref()), some(software.class_uid.as_deref())], ", ")
        });
        if let Some(software) = software {
            self.say(&format!("software {software}"));
        }
        self.proof(begin);
        self.user(begin);
        if let Some(shown) = begin.refused_certificate() {
            let (subject, issuer) = (visible(&shown.subject), visible(&shown.issuer));
            let hash = visible(&shown.fingerprint);
            let ends = some(shown.not_after.as_deref()).map(|ends| self.ends(&ends)).unwrap_or_default();
            self.say(&format!(
                "it showed the certificate {subject} of {issuer}{ends}, SHA-256 {hash}, which was refused"
            ));
        }
    }

    fn user(&mut self, begin: &Record) {
        let Some(identified) = begin.requestor().and_then(|requestor| requestor.identified.as_ref()) else {
            return;
        };
        let user = visible(&identified.user);
        self.say(&match &*identified.user_identity {
            "proven" => format!("user {user}, proven by {}", visible(&identified.factors.join(", "))),
            _ => format!("it named the user {user}, and nothing proved that"),
        });
    }

    /// What proved who came.
    fn proof(&mut self, begin: &Record) {
        match (begin.tls(), &begin.event) {
            (Some(tls), _) => self.tls(tls),
            (None, Event::ConnectionRefused(refused)) if refused.transport == Transport::Tls => {
                self.say("TLS was not established, so nothing proved who it was");
            }
            (None, _) => {
                self.say("over plain TCP: nothing proved who it was, and anybody on the way could read along")
            }
        }
    }

    pub(super) fn tls(&mut self, tls: &Tls) {
        let exchange = some(tls.group.as_deref()).map(|group| format!("key exchange {group}"));
        let cipher = some(Some(&*tls.cipher).filter(|cipher| !cipher.is_empty()));
        let session = joined([Some(format!("TLS {}", visible(&tls.version))), cipher, exchange], ", ");
        self.say(&session.unwrap_or_default());
        let Some(subject) = some(tls.subject.as_deref()) else {
            return self.say("it showed no certificate");
        };
        let names: Vec<String> = tls.san.iter().map(|name| visible(name)).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let ends = some(tls.not_after.as_deref()).map(|ends| self.ends(&ends)).unwrap_or_default();
        let hash = text(tls.fingerprint.as_deref());
        let issuer = tls.authority.as_ref().map(|authority| authority.subject.as_str());
        let issuer = some(issuer.or(tls.issuer.as_deref()));
        let issuer = issuer.map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
        self.say(&format!("certificate {subject}{names}{issuer}{ends}, SHA-256 {hash}"));
    }

    /// Until when a certificate is valid; what has ended meanwhile, or will soon, stands out.
    fn ends(&self, not_after: &str) -> String {
        let until = format!(", valid until {}", clock(not_after));
        let Some(end) = moment(not_after) else { return until };
        let words = words(end, self.now);
        match nearness(end, self.now) {
            Nearness::Ended => format!("{until} ({})", self.style.red(&words)),
            Nearness::Soon => format!("{until} ({})", self.style.yellow(&words)),
            Nearness::Later => until,
        }
    }

    pub(super) fn refusal(&mut self, refused: &Record) {
        self.chapter("Why it was refused");
        let label = text(refused.reason());
        let meaning = of_reason(&label);
        self.say(&format!(
            "{}{}",
            self.style.red(&label),
            meaning.map(|meaning| format!(": {}", meaning.what)).unwrap_or_default()
        ));
        if let Some(count) = refused.count() {
            self.say(&match count {
                1 => "one more of its kind came within the minute".to_owned(),
                _ => format!("it tells of {count} within a minute, of which this was the last"),
            });
        }
        if let Some(explanation) = some(refused.explanation()) {
            let is_miss = NEAREST.iter().any(|reason| reason.label() == label);
            let what = if is_miss && explanation.contains("peer \"") { "nearest miss" } else { "in detail" };
            self.say(&format!("{what}: {explanation}"));
        }
        self.say(&answer(refused));
        if let Some(meaning) = meaning {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    pub(super) fn admission(&mut self, begin: &Record) {
        self.chapter("Why it was let in");
        let configuration = text(begin.configuration());
        let peer = text(begin.peer());
        self.say(&format!(
            "every condition of peer \"{peer}\" held, under the configuration with digest {configuration}"
        ));
        match begin.upstream() {
            None => self.say("nothing was asked of an upstream"),
            Some(upstream) => self.say(&format!(
                "passed on to upstream \"{}\" at {}, as {} calling {}",
                visible(&upstream.name),
                visible(&upstream.address),
                visible(&upstream.calling_ae_title),
                visible(&upstream.called_ae_title),
            )),
        }
    }
}

/// What the requestor was told.
fn answer(refused: &Record) -> String {
    match &refused.event {
        Event::AssociationRejected(rejected) => {
            let Rejection { result, source, reason } = rejected.rejection;
            let words = of_rejection(result.into(), source.into(), reason.into());
            format!("the requestor was told A-ASSOCIATE-RJ {result}/{source}/{reason}, {words}")
        }
        Event::ConnectionRefused(refused) => match (&refused.alert, refused.abort) {
            (Some(alert), _) => format!("the connection ended with TLS alert {}", visible(alert)),
            (None, Some(Abort { source, reason })) => {
                format!("the requestor was told A-ABORT source {source}, reason {reason}")
            }
            (None, None) => "the connection was closed without an answer".to_owned(),
        },
        _ => "the connection was closed without an answer".to_owned(),
    }
}
