//! Who is behind records: one line for each requestor.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::row::clock;
use crate::audit::record::{Event, Record};
use crate::cli::demo::story::Style;
use crate::cli::table::{Table, wrapped};
use crate::cli::words::counted;

/// What tells requestors apart, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Who {
    peer: String,
    address: String,
    titles: String,
    over: String,
    certificate: String,
    issuer: String,
}

/// Records of one of them.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// More than records, where some stand for many.
    times: u64,
    first: String,
    last: String,
    /// Reasons and failures, each with its number.
    why: BTreeMap<String, u64>,
}

/// Adds records up, by association as long as it is not known whose that is.
#[derive(Debug, Default)]
pub(super) struct Requestors {
    associations: HashMap<String, (Option<Who>, Tally)>,
    /// Of records without an association.
    others: BTreeMap<Who, Tally>,
    records: usize,
}

impl Requestors {
    /// A line of the trail.
    pub(super) fn add(&mut self, line: &[u8]) {
        let Ok(record) = Record::read(line) else { return };
        self.records += 1;
        let itself = record.address().is_some().then(|| Who::of(&record));
        match record.association() {
            Some(id) => {
                let (who, tally) = self.associations.entry(id.to_owned()).or_default();
                *who = who.take().or(itself);
                tally.add(&record);
            }
            // The proxy's own records are nobody's.
            None => {
                if let Some(who) = itself {
                    self.others.entry(who).or_default().add(&record);
                }
            }
        }
    }

    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// The associations of which only operations were seen.
    pub(super) fn unknown(&self) -> HashSet<String> {
        let unknown = self.associations.iter().filter(|(_, (who, _))| who.is_none());
        unknown.map(|(id, _)| id.clone()).collect()
    }

    /// A line for each requestor, with what is `known` of associations.
    pub(super) fn lines(
        mut self,
        known: &HashMap<String, Record>,
        width: usize,
        style: Style,
    ) -> Vec<String> {
        let associations = self.associations.len();
        for (id, (who, tally)) in self.associations {
            let who = who.or_else(|| known.get(&id).map(Who::of)).unwrap_or_default();
            self.others.entry(who).or_default().join(tally);
        }
        let titles = [
            "peer",
            "from",
            "AE titles",
            "over",
            "times",
            "first (UTC)",
            "last (UTC)",
            "why",
            "certificate",
            "issued by",
        ];
        let mut table = Table::new(titles).within(width).stacked(3);
        for (who, tally) in &self.others {
            let Who { peer, address, titles, over, certificate, issuer } = who;
            let peer = if peer.is_empty() { "no peer" } else { peer };
            let (times, why) = (tally.times.to_string(), tally.why());
            let (first, last) = (clock(&tally.first), clock(&tally.last));
            table.row([peer, address, titles, over, &times, &first, &last, &why, certificate, issuer]);
        }
        let requestors = self.others.len();
        let times: u64 = self.others.values().map(|tally| tally.times).fold(0, u64::saturating_add);
        let mut lines = table.lines(|row, column, cell| match (row, column) {
            (0, _) | (_, 0) => style.bold(cell),
            (_, 7) => style.red(cell),
            _ => cell.to_owned(),
        });
        let records = match counted(self.records, "record") {
            records if times > self.records as u64 => format!("{records} that stand for {times}"),
            records => records,
        };
        let (who, associations) = (counted(requestors, "requestor"), counted(associations, "association"));
        let all = format!("{who}, {records}, {associations}");
        if requestors == 0 {
            lines.clear();
        }
        let all = if self.records == 0 { "no record".to_owned() } else { all };
        lines.extend(wrapped(&all, width).iter().map(|line| style.dim(line)));
        lines
    }
}

impl Who {
    fn of(record: &Record) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let titles = match (record.calling_ae_title(), record.called_ae_title()) {
            (Some(calling), Some(called)) => format!("{calling} to {called}"),
            (one, other) => text(one.or(other)),
        };
        let over = match record.came_over() {
            None => "TLS, not established".to_owned(),
            Some("plain") => "plain TCP".to_owned(),
            Some(version) => format!("TLS {version}"),
        };
        let (certificate, issuer) = match record.shown() {
            None => (String::new(), ""),
            Some((subject, issuer, sha256)) => {
                (format!("{subject} (SHA-256 {sha256})"), issuer.unwrap_or_default())
            }
        };
        let authority = record.tls().and_then(|tls| tls.authority.as_ref());
        Self {
            peer: text(record.peer()),
            address: record.address().map(|address| address.to_string()).unwrap_or_default(),
            titles,
            over,
            certificate,
            issuer: authority.map_or(issuer, |authority| &authority.subject).to_owned(),
        }
    }
}

impl Tally {
    fn add(&mut self, record: &Record) {
        self.times = self.times.saturating_add(record.times());
        let time = record.time.clone();
        if self.first.is_empty() || time < self.first {
            self.first.clone_from(&time);
        }
        if time > self.last {
            self.last = time;
        }
        if let Some(label) = record.label() {
            // As a rule the refusal that it is about has a record, too.
            let alert = matches!(record.event, Event::SecurityAlert(_));
            *self.why.entry(label.to_owned()).or_default() += if alert { 0 } else { record.times() };
        }
    }

    fn join(&mut self, other: Self) {
        self.times = self.times.saturating_add(other.times);
        if self.first.is_empty() || other.first < self.first {
            self.first = other.first;
        }
        self.last = other.last.max(std::mem::take(&mut self.last));
        for (label, count) in other.why {
            *self.why.entry(label).or_default() += count;
        }
    }

    /// `certificate-revoked (2), association-rate (1)`.
    fn why(&self) -> String {
        let each = self.why.iter().map(|(label, count)| match count {
            0 => format!("{label} (alert)"),
            _ => format!("{label} ({count})"),
        });
        each.collect::<Vec<_>>().join(", ")
    }
}
