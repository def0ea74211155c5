//! What there is to tell of, and which records are of which.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Notice;

/// What somebody wants to be told of: a value of `when`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// No address of an upstream can be had, or one can again.
    UpstreamDown,
    /// A certificate or a revocation list ends soon, or has ended.
    CertificateEnds,
    /// Somebody was not let in.
    Refusals,
    /// Something that a person should look at: a certificate that is another's, a trail that was changed.
    SecurityAlert,
    /// A repository has not had records for a while.
    RepositoryBehind,
    /// Records cannot be written.
    RecordsFailing,
    /// The disk of the records has less free than is reserved.
    Disk,
    /// A configuration was refused, and the one before stays in force.
    ConfigurationRefused,
    /// The proxy has started.
    Restarted,
    /// Nothing: somebody tries whether a message arrives. No value of `when`.
    Test,
}

/// What a record says that decides whether somebody is told.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Said<'r> {
    event: &'r str,
    #[serde(default, borrow)]
    reason: Option<std::borrow::Cow<'r, str>>,
    #[serde(default, borrow)]
    peer: Option<std::borrow::Cow<'r, str>>,
    #[serde(default, borrow)]
    about: Option<std::borrow::Cow<'r, str>>,
    #[serde(default, borrow)]
    explanation: Option<std::borrow::Cow<'r, str>>,
    #[serde(default)]
    problems: Vec<String>,
    #[serde(default)]
    count: Option<u64>,
}

/// What a record is an occasion for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happened {
    pub occasion: Occasion,
    /// The label of a refusal or an alert.
    pub reason: String,
    /// Which upstream, certificate, list or repository, where it is about one.
    pub about: String,
    /// The `[[peer]]` that matched, where it is about one.
    pub peer: String,
    /// For people.
    pub sentence: String,
    /// How often, where the record stands for several.
    pub count: u64,
}

impl Occasion {
    /// Every one that `when` can name.
    pub const ALL: [Self; 9] = [
        Self::UpstreamDown,
        Self::CertificateEnds,
        Self::Refusals,
        Self::SecurityAlert,
        Self::RepositoryBehind,
        Self::RecordsFailing,
        Self::Disk,
        Self::ConfigurationRefused,
        Self::Restarted,
    ];

    /// The word of a `when` list that stands for this occasion.
    pub fn label(self) -> &'static str {
        match self {
            Self::UpstreamDown => Notice::UpstreamDown.label(),
            Self::CertificateEnds => "certificate-ends",
            Self::Refusals => "refusals",
            Self::SecurityAlert => "security-alert",
            Self::RepositoryBehind => Notice::RepositoryBehind.label(),
            Self::RecordsFailing => "records-failing",
            Self::Disk => "disk",
            Self::ConfigurationRefused => "configuration-refused",
            Self::Restarted => "restarted",
            Self::Test => "test",
        }
    }

    pub(super) fn of_alert(reason: &str) -> Self {
        let is = |notices: &[Notice]| notices.iter().any(|notice| notice.label() == reason);
        match () {
            () if is(&[Notice::CertificateEnding, Notice::CertificateEnded]) => Self::CertificateEnds,
            () if is(&[Notice::RevocationListEnding, Notice::RevocationListEnded]) => Self::CertificateEnds,
            () if is(&[Notice::UpstreamDown, Notice::UpstreamUp]) => Self::UpstreamDown,
            () if is(&[Notice::RepositoryBehind]) => Self::RepositoryBehind,
            () if is(&[Notice::RecordsLost, Notice::AuditFileReplaced]) => Self::RecordsFailing,
            () => Self::SecurityAlert,
        }
    }
}

impl Happened {
    /// Once, about nobody in particular.
    pub(super) fn new(occasion: Occasion, sentence: &str) -> Self {
        let (reason, about, peer) = Default::default();
        Self { occasion, reason, about, peer, sentence: sentence.to_owned(), count: 1 }
    }

    /// What tells one from another of the same kind. An upstream that is down, and is up again, is the same one.
    pub(super) fn subject(&self) -> (Occasion, String) {
        let subject = match self.occasion {
            Occasion::UpstreamDown => self.about.clone(),
            // None of them has a line break in it.
            _ => [self.reason.as_str(), &self.about, &self.peer].join("\n"),
        };
        (self.occasion, subject)
    }

    /// Whether it is the end of what the same subject was an occasion for before.
    pub(super) fn is_over(&self) -> bool {
        self.reason == Notice::UpstreamUp.label()
    }
}

/// What a record, as it is written, is an occasion for; `None` where nobody needs to be told.
pub(super) fn of_record(line: &str) -> Option<Happened> {
    let said: Said<'_> = serde_json::from_str(line).ok()?;
    let reason = said.reason.as_deref().unwrap_or_default().to_owned();
    let about = said.about.map(Into::into).unwrap_or_default();
    let peer = said.peer.map(Into::into).unwrap_or_default();
    let occasion = match said.event {
        "connection-refused" | "association-rejected" => Occasion::Refusals,
        "security-alert" => Occasion::of_alert(&reason),
        "configuration-refused" => Occasion::ConfigurationRefused,
        "started" => Occasion::Restarted,
        _ => return None,
    };
    let sentence = match occasion {
        Occasion::ConfigurationRefused => said.problems.first().cloned().unwrap_or_default(),
        Occasion::Restarted => "the proxy has started".into(),
        _ => said.explanation.map(Into::into).unwrap_or_default(),
    };
    Some(Happened { occasion, reason, about, peer, sentence, count: said.count.unwrap_or(1) })
}

#[cfg(test)]
mod tests {
    use super::{Occasion, of_record};

    #[test]
    fn each_record_that_somebody_should_look_at_is_an_occasion_and_no_other() {
        let record = |event: &str, more: &str| {
            format!(r#"{{"time":"2026-11-30T10:00:00Z","event":"{event}","sequence":4{more}}}"#)
        };
        let reason = |label: &str| format!(r#","reason":"{label}","explanation":"why \"so\"""#);
        for (event, more, expected) in [
            ("connection-refused", reason("address-not-allowed"), Some(Occasion::Refusals)),
            ("association-rejected", reason("calling-ae-title-unknown"), Some(Occasion::Refusals)),
            ("security-alert", reason("certificate-mismatch"), Some(Occasion::SecurityAlert)),
            ("security-alert", reason("certificate-ending"), Some(Occasion::CertificateEnds)),
            ("security-alert", reason("revocation-list-ended"), Some(Occasion::CertificateEnds)),
            ("security-alert", reason("upstream-up"), Some(Occasion::UpstreamDown)),
            ("security-alert", reason("repository-behind"), Some(Occasion::RepositoryBehind)),
            ("security-alert", reason("records-lost"), Some(Occasion::RecordsFailing)),
            (
                "configuration-refused",
                r#","problems":["x.toml:1:1: y"]"#.into(),
                Some(Occasion::ConfigurationRefused),
            ),
            ("started", String::new(), Some(Occasion::Restarted)),
            ("association-closed", r#","reason":null"#.into(), None),
            ("operation", String::new(), None),
        ] {
            let happened = of_record(&record(event, &more));
            assert_eq!(happened.as_ref().map(|one| one.occasion), expected, "{event} {more}");
            if more.contains("explanation") {
                assert_eq!(happened.unwrap().sentence, "why \"so\"");
            }
        }
        assert_eq!(of_record("no record"), None);
    }
}
