//! Who came, and why it was let in or not.

use serde_json::Value;

use super::super::super::ends::{Nearness, nearness, words};
use super::super::super::row::clock;
use super::Told;
use super::values::{find, joined, list, moment, text};
use crate::cli::table::visible;
use crate::vocabulary::{of_reason, of_rejection};

impl Told {
    pub(super) fn who(&mut self, begin: &Value) {
        self.chapter("Who came");
        let address = format!("{} port {}", text(begin, "/address"), text(begin, "/port"));
        match (find(begin, "/calling-ae-title"), find(begin, "/called-ae-title")) {
            (Some(calling), Some(called)) => self.say(&format!(
                "AE title {calling} from {address}, at listener \"{}\", calling {called}",
                text(begin, "/listener")
            )),
            _ => self.say(&format!(
                "{address}, at listener \"{}\", before any AE title was named",
                text(begin, "/listener")
            )),
        }
        let software =
            [find(begin, "/implementation/version-name"), find(begin, "/implementation/class-uid")];
        if let Some(software) = joined(software, ", ") {
            self.say(&format!("software {software}"));
        }
        match &begin["tls"] {
            Value::Null if begin["event"] == "connection-refused" && begin["transport"] != "plain" => {
                self.say("TLS was not established, so nothing proved who it was");
            }
            Value::Null => {
                self.say(
                    "over plain TCP: nothing proved who it was, and anybody on the way could read along",
                );
            }
            tls => self.tls(tls),
        }
        self.user(begin);
        let shown = &begin["certificate"];
        if shown.is_object() {
            let (subject, issuer) = (text(shown, "/subject"), text(shown, "/issuer"));
            let hash = text(shown, "/fingerprint");
            let ends = find(shown, "/not-after").map(|ends| self.ends(&ends)).unwrap_or_default();
            self.say(&format!(
                "it showed the certificate {subject} of {issuer}{ends}, SHA-256 {hash}, which was refused"
            ));
        }
    }

    fn user(&mut self, begin: &Value) {
        let Some(user) = find(begin, "/user") else { return };
        let factors: Vec<&str> = list(&begin["factors"]).filter_map(Value::as_str).collect();
        self.say(&match begin["user-identity"].as_str() {
            Some("proven") => format!("user {user}, proven by {}", visible(&factors.join(", "))),
            _ => format!("it named the user {user}, and nothing proved that"),
        });
    }

    pub(super) fn tls(&mut self, tls: &Value) {
        let exchange = find(tls, "/group").map(|group| format!("key exchange {group}"));
        let session =
            joined([Some(format!("TLS {}", text(tls, "/version"))), find(tls, "/cipher"), exchange], ", ");
        self.say(&session.unwrap_or_default());
        match find(tls, "/subject") {
            None => self.say("it showed no certificate"),
            Some(subject) => {
                let names: Vec<String> = list(&tls["san"]).filter_map(Value::as_str).map(visible).collect();
                let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
                let ends = find(tls, "/not-after").map(|ends| self.ends(&ends)).unwrap_or_default();
                let hash = text(tls, "/fingerprint");
                let issuer = find(tls, "/authority/subject").or_else(|| find(tls, "/issuer"));
                let issuer = issuer.map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
                self.say(&format!("certificate {subject}{names}{issuer}{ends}, SHA-256 {hash}"));
            }
        }
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

    pub(super) fn refusal(&mut self, refused: &Value) {
        self.chapter("Why it was refused");
        let label = text(refused, "/reason");
        let meaning = of_reason(&label);
        self.say(&format!(
            "{}{}",
            self.style.red(&label),
            meaning.map(|meaning| format!(": {}", meaning.what)).unwrap_or_default()
        ));
        if let Some(count) = refused["count"].as_u64() {
            self.say(&match count {
                1 => "one more of its kind came within the minute".to_owned(),
                _ => format!("it tells of {count} within a minute, of which this was the last"),
            });
        }
        if let Some(explanation) = find(refused, "/explanation") {
            let what = if explanation.contains("peer \"") { "nearest miss" } else { "in detail" };
            self.say(&format!("{what}: {explanation}"));
        }
        let number = |pointer: &str| refused.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        if refused["rejection"].is_object() {
            let (result, source, reason) =
                (number("/rejection/result"), number("/rejection/source"), number("/rejection/reason"));
            let words = of_rejection(result, source, reason);
            self.say(&format!("the requestor was told A-ASSOCIATE-RJ {result}/{source}/{reason}, {words}"));
        } else if let Some(alert) = find(refused, "/alert") {
            self.say(&format!("the connection ended with TLS alert {alert}"));
        } else if refused["abort"].is_object() {
            self.say(&format!(
                "the requestor was told A-ABORT source {}, reason {}",
                number("/abort/source"),
                number("/abort/reason")
            ));
        } else {
            self.say("the connection was closed without an answer");
        }
        if let Some(meaning) = meaning {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    pub(super) fn admission(&mut self, begin: &Value) {
        self.chapter("Why it was let in");
        let configuration = text(begin, "/configuration");
        let peer = text(begin, "/peer");
        self.say(&format!(
            "every condition of peer \"{peer}\" held, under the configuration with digest {configuration}"
        ));
        match find(begin, "/upstream/name") {
            None => self.say("nothing was asked of an upstream"),
            Some(name) => self.say(&format!(
                "passed on to upstream \"{name}\" at {}, as {} calling {}",
                text(begin, "/upstream/address"),
                text(begin, "/upstream/calling-ae-title"),
                text(begin, "/upstream/called-ae-title"),
            )),
        }
    }
}
