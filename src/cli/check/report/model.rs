//! A report as it is printed: every word of it, and the JSON that is kept.

use std::path::Path;

use serde::Serialize;

use crate::audit::reading::figures::Period;
use crate::audit::reading::stamp;
use crate::cli::audit::command::{Line, quoted};
use crate::evidence::{
    Controls, Facts, Finding, Flow, Judged, Missing, Place, Query, Report, Standing, flows,
};

/// What stands above every report.
pub(super) const WORDING: &str = "This report provides evidence for controls. It does not say that they are met: people judge that, \
    from much that no proxy sees.";

/// The whole of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Evidence {
    pub report: &'static str,
    pub title: &'static str,
    /// [`WORDING`].
    pub note: &'static str,
    pub configuration: String,
    pub digest: String,
    pub from: String,
    pub to: String,
    pub written: String,
    pub directory: String,
    pub records: u64,
    /// Whether records of the period name this configuration.
    pub in_force: bool,
    pub trail: String,
    /// Of the publishers' texts.
    pub data_date: String,
    /// Of our own mapping, where the report has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_mapping: Option<String>,
    pub controls: Vec<Shown>,
    pub flows: Vec<Flow>,
    #[serde(skip)]
    pub period: Period,
}

/// A control.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Shown {
    pub id: String,
    pub framework: String,
    pub reference: String,
    pub title: String,
    pub requirement: String,
    pub proposed: bool,
    /// How a mapping of our own is marked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
    pub standing: &'static str,
    pub can_show: Vec<String>,
    pub found: Vec<OfCheck>,
    pub missing: Vec<NotFound>,
    /// Why no machine can show it.
    pub not_by_proxy: Vec<String>,
    pub caveat: Option<String>,
    #[serde(skip)]
    pub is: Standing,
}

/// Evidence of one check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct OfCheck {
    pub check: String,
    pub said: String,
    pub places: Vec<Place>,
    pub query: String,
}

/// What one check did not find.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct NotFound {
    pub check: String,
    #[serde(flatten)]
    pub what: Missing,
}

/// What is said of a control that names no check.
const BY_PEOPLE: &str = "organisational: no machine can show it";

impl Evidence {
    pub(super) fn of(
        report: Report,
        (config, controls): (&Path, &Controls),
        period: Period,
        facts: &Facts<'_>,
        judged: Vec<Judged>,
    ) -> Self {
        let settings = facts.settings;
        let commands = Commands { config, directory: &settings.audit.directory.to_string_lossy(), period };
        let controls_shown: Vec<Shown> =
            judged.into_iter().map(|one| Shown::of(one, &controls.own_note, &commands)).collect();
        let has_own = controls_shown.iter().any(|one| one.mapping.is_some());
        Self {
            report: report.name(),
            title: report.title(),
            note: WORDING,
            configuration: config.display().to_string(),
            digest: settings.digest.clone(),
            from: stamp(period.from),
            to: stamp(period.to),
            written: stamp(facts.now),
            directory: settings.audit.directory.display().to_string(),
            records: facts.recorded.records,
            in_force: facts.recorded.configurations.contains(&settings.digest),
            trail: trail(facts),
            data_date: controls.date.clone(),
            own_mapping: has_own.then(|| format!("{}: {}", controls.own_note, controls.own_date)),
            controls: controls_shown,
            flows: flows(settings),
            period,
        }
    }

    /// Whether anything is missing.
    pub(super) fn lacks(&self) -> bool {
        self.controls.iter().any(|one| !one.missing.is_empty())
    }

    /// How many controls stand so.
    pub(super) fn count(&self, standing: Standing) -> usize {
        self.controls.iter().filter(|one| one.is == standing).count()
    }

    /// `evidence found for 3, partly for 2, …`.
    pub(super) fn summary(&self) -> String {
        format!(
            "evidence found for {}, for parts of {}, missing for {}, not by a proxy {}",
            self.count(Standing::Found),
            self.count(Standing::Partly),
            self.count(Standing::Missing),
            self.count(Standing::NotByProxy)
        )
    }

    /// What records the report rests on, in a sentence.
    pub(super) fn rests_on(&self) -> String {
        let named = match (self.records, self.in_force) {
            (0, _) => "there are no records of the period, so nothing is found",
            (_, false) => "no record of the period names this configuration, so nothing is found",
            (_, true) => "records of the period name this configuration",
        };
        format!("{named}; {}", self.trail)
    }
}

fn trail(facts: &Facts<'_>) -> String {
    let trail = facts.trail;
    match (trail.breaks, trail.signed_up_to) {
        _ if facts.recorded.records == 0 && trail == crate::evidence::Trail::default() => {
            "there is no trail to verify".to_owned()
        }
        (1.., _) => "the trail is BROKEN: dimsegate audit verify says where".to_owned(),
        _ if trail.unsigned > 0 => {
            "the trail holds but for records that were not signed in their time".to_owned()
        }
        _ if trail.unread > 0 => "the trail holds as far as it was read".to_owned(),
        (0, Some(up_to)) => format!("the trail holds, signed up to record {up_to}"),
        (0, None) => "the trail holds and is not signed".to_owned(),
    }
}

impl Shown {
    fn of(judged: Judged, own_note: &str, commands: &Commands<'_>) -> Self {
        let is = judged.standing();
        let Judged { control, findings } = judged;
        let mut shown = Self {
            proposed: control.is_proposed(),
            id: control.id,
            framework: control.framework,
            reference: control.reference,
            title: control.title,
            requirement: control.requirement_type,
            mapping: control.is_own_mapping.then(|| own_note.to_owned()),
            standing: is.words(),
            can_show: control.proxy_evidence,
            found: Vec::new(),
            missing: Vec::new(),
            not_by_proxy: Vec::new(),
            caveat: control.caveat,
            is,
        };
        if findings.is_empty() {
            shown.not_by_proxy.push(BY_PEOPLE.to_owned());
        }
        for (check, finding) in findings {
            match finding {
                Finding::Found(found) => shown.found.push(OfCheck {
                    check,
                    said: found.said,
                    places: found.places,
                    query: commands.line(&found.query),
                }),
                Finding::Missing(what) => shown.missing.push(NotFound { check, what }),
                Finding::NotByProxy(why) => shown.not_by_proxy.push(why.to_owned()),
            }
        }
        shown
    }
}

/// Commands about one configuration, its records and a period.
struct Commands<'a> {
    config: &'a Path,
    directory: &'a str,
    period: Period,
}

impl Commands<'_> {
    fn line(&self, query: &Query) -> String {
        let config = quoted(&self.config.to_string_lossy());
        match query {
            Query::Search(options) => {
                let period = Line::new("search", self.directory)
                    .with("from", &stamp(self.period.from))
                    .with("to", &stamp(self.period.to));
                let with = |line: Line, (option, value): &(&'static str, String)| line.with(option, value);
                options.iter().fold(period, with).to_string()
            }
            Query::Verify => Line::new("verify", self.directory).to_string(),
            Query::Configurations => Line::new("configurations", self.directory).to_string(),
            Query::Certificates => format!("{} -c {config}", Line::new("certificates", self.directory)),
            Query::Check => format!("dimsegate check -c {config}"),
            Query::Conformance => format!("dimsegate conformance -c {config} -o statement.html"),
        }
    }
}

impl Place {
    /// `line 12: listener "remote".tls`, or that a default holds.
    pub(super) fn words(&self) -> String {
        match self.line {
            Some(line) => format!("line {line}: {}", self.key),
            None => format!("not in the file: {}, whose default holds", self.key),
        }
    }
}
