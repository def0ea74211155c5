//! What a period held, added up: the figures of a report, each with its newest records.

mod bucket;
mod burst;
mod certificate;
mod trail;
mod unusual;
mod user;

pub use bucket::{Bucket, NEWEST, Ranking};
pub use burst::{BURST, WITHIN};
pub use certificate::{Certificate, Certificates};
pub use trail::{OfTrail, Trail, TrailFigure};
pub use unusual::{FEWEST, Kind, LEARNING, Unusual, WEEK};
pub use user::OfUser;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::{Filter, Kept, Look, RecordFile, records_for, stamp};
use crate::audit::record::{
    AssociationClosed, AssociationOpened, Bytes, Event, Operation, OperationCounts, Outcome, Record,
};
use unusual::Lookout;

/// A record that several figures may show.
pub type Shared = Arc<Record>;

/// So far back the usual is learned.
pub const HISTORY: Duration = Duration::days(90);

/// From the first, up to and without the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The begin, included.
    pub from: OffsetDateTime,
    /// The end, not included.
    pub to: OffsetDateTime,
}

/// Everything that a report shows.
#[derive(Debug)]
pub struct Figures {
    /// What was asked for.
    pub period: Period,
    /// How long a step of the timeline is: an hour in a period of up to three days, else a day.
    pub step: Duration,
    /// Records of the period.
    pub records: u64,
    /// How many lines were read, and what could not be.
    pub kept: Kept,
    /// `association-opened`.
    pub associations: Bucket,
    /// Connections and associations that were refused.
    pub refusals: Bucket,
    /// Security alerts, by label.
    pub alerts: Ranking,
    /// By begin of the step: associations, refusals.
    pub timeline: BTreeMap<OffsetDateTime, (u64, u64)>,
    /// By peer: all its associations, and how many in each hour of the day (UTC).
    pub peers: BTreeMap<String, (Bucket, [u64; 24])>,
    /// By the name of a user that a requestor named.
    pub users: BTreeMap<String, OfUser>,
    /// Refusals, by label.
    pub refused: Ranking,
    /// Associations by the version of TLS, or `plain`.
    pub versions: Ranking,
    /// Associations over TLS by cipher suite.
    pub ciphers: Ranking,
    /// Associations over TLS by key exchange group.
    pub groups: Ranking,
    /// What both ends showed.
    pub certificates: Certificates,
    /// By peer and upstream.
    pub routes: BTreeMap<(String, String), Route>,
    /// By operation.
    pub operations: BTreeMap<String, OperationFigures>,
    /// By status or label: what was no success.
    pub failed: Ranking,
    /// Associations that ended, by how.
    pub endings: Ranking,
    /// Started, stopped, configurations: the proxy itself.
    pub process: Ranking,
    /// What was done to the records, and what is to be known of their times.
    pub trail: Trail,
    /// Of the requestors' legs of all associations that ended.
    pub bytes: Bytes,
    /// What differs from what was usual before, what matters most first.
    pub unusual: Vec<Unusual>,
    /// The first record that the usual was learned from.
    pub learned_from: Option<OffsetDateTime>,
}

/// What went one way from a peer to an upstream.
#[derive(Debug, Default)]
pub struct Route {
    /// Of the requestors' legs of its associations.
    pub bytes: Bytes,
    /// The closing records of its associations.
    pub bucket: Bucket,
}

/// What became of all operations of one kind, such as C-STORE, in the period.
#[derive(Debug, Default)]
pub struct OperationFigures {
    /// How they turned out.
    pub counts: OperationCounts,
    /// Bytes of their data sets, both directions.
    pub bytes: u64,
    /// Milliseconds that the slowest took.
    pub longest_ms: u64,
    /// Their records.
    pub bucket: Bucket,
}

/// A label for what has none.
pub const NONE: &str = "(none)";
/// Peers, routes and kinds of operation that are counted apart.
const APART: usize = 500;
const OTHERS: &str = "(others)";

/// Reads `files` and adds up the records of `period`. What is usual is learned from up to [`HISTORY`] before it.
pub fn figures(files: &[RecordFile], period: Period) -> Figures {
    figures_for(&Look::AT_ALL, files, period)
}

/// As [`figures`], for somebody who looks so.
pub fn figures_for(look: &Look<'_>, files: &[RecordFile], period: Period) -> Figures {
    let mut collector =
        Collector { figures: Figures::new(period), watch: Lookout::default(), from: stamp(period.from) };
    let history = Filter {
        from: period.from.checked_sub(HISTORY),
        to: Some(period.from),
        events: ["association-opened", "association-rejected"].map(str::to_owned).to_vec(),
        ..Filter::default()
    };
    let now = Filter { from: Some(period.from), to: Some(period.to), ..Filter::default() };
    let before = records_for(look, files, &history, |record| collector.take(record));
    let mut kept = records_for(look, files, &now, |record| collector.take(record));
    // A day that both read is damaged once.
    kept.damage
        .extend(before.damage.into_iter().filter(|damage| !kept.damage.contains(damage)).collect::<Vec<_>>());
    kept.damage.sort_by(|a, b| (&a.place.path, a.place.line).cmp(&(&b.place.path, b.place.line)));
    kept.damaged = kept.damaged.max(kept.damage.len() as u64);
    kept.encrypted.extend(before.encrypted);
    kept.encrypted.sort();
    kept.encrypted.dedup();
    kept.lines += before.lines;
    let Collector { mut figures, watch, .. } = collector;
    figures.kept = kept;
    figures.learned_from = watch.began();
    figures.unusual = watch.unusual();
    figures
}

struct Collector {
    figures: Figures,
    watch: Lookout,
    from: String,
}

impl Collector {
    fn take(&mut self, record: Record) -> ControlFlow<()> {
        let record = Arc::new(record);
        let reported = record.time >= self.from;
        self.watch.see(&record, reported);
        if reported {
            self.figures.add(&record);
        }
        ControlFlow::Continue(())
    }
}

impl Figures {
    fn new(period: Period) -> Self {
        let step = if period.to - period.from <= Duration::days(3) { Duration::HOUR } else { Duration::DAY };
        Self {
            period,
            step,
            records: 0,
            kept: Kept::default(),
            associations: Bucket::default(),
            refusals: Bucket::default(),
            alerts: Ranking::default(),
            timeline: BTreeMap::new(),
            peers: BTreeMap::new(),
            users: BTreeMap::new(),
            refused: Ranking::default(),
            versions: Ranking::default(),
            ciphers: Ranking::default(),
            groups: Ranking::default(),
            certificates: Certificates::default(),
            routes: BTreeMap::new(),
            operations: BTreeMap::new(),
            failed: Ranking::default(),
            endings: Ranking::default(),
            process: Ranking::default(),
            trail: Trail::default(),
            bytes: Bytes::default(),
            unusual: Vec::new(),
            learned_from: None,
        }
    }

    fn add(&mut self, record: &Shared) {
        self.records += 1;
        match &record.event {
            Event::AssociationOpened(opened) => self.opened(opened, record),
            Event::AssociationClosed(closed) => self.closed(closed, record),
            Event::AssociationRejected(_) | Event::ConnectionRefused(_) => self.refused(record),
            Event::Operation(operation) => self.operation(operation, record),
            Event::SecurityAlert(_) => self.alerts.add(record.label().unwrap_or(NONE), record),
            Event::Started(_)
            | Event::Stopped(_)
            | Event::ConfigurationLoaded(_)
            | Event::ConfigurationRefused(_)
            | Event::Administration(_) => self.process.add(record.event.name(), record),
            event if Trail::has(event.name()) => self.trail.add(record),
            _ => {}
        }
    }

    fn tick(&mut self, record: &Record) -> Option<&mut (u64, u64)> {
        let at = record.at()?;
        let step = self.step.whole_seconds();
        let begin = at.unix_timestamp().div_euclid(step).checked_mul(step)?;
        Some(self.timeline.entry(OffsetDateTime::from_unix_timestamp(begin).ok()?).or_default())
    }

    fn opened(&mut self, opened: &AssociationOpened, record: &Shared) {
        self.associations.add(record);
        if let Some(tick) = self.tick(record) {
            tick.0 += 1;
        }
        let peer = apart(&self.peers, or_none(record.peer()), OTHERS.to_owned());
        let (bucket, hours) = self.peers.entry(peer).or_default();
        bucket.add(record);
        if let Some(hour) = record.at().and_then(|at| hours.get_mut(usize::from(at.hour()))) {
            *hour += 1;
        }
        if let Some(of) = self.of_user(record) {
            of.opened(record);
        }
        self.certificates.add_upstream(&opened.upstream, record);
        match &opened.requestor.tls {
            None => self.versions.add("plain", record),
            Some(tls) => {
                self.versions.add(&tls.version, record);
                self.ciphers.add(&tls.cipher, record);
                self.groups.add(tls.group.as_deref().unwrap_or(NONE), record);
                self.certificates.add(tls, record);
            }
        }
    }

    fn closed(&mut self, closed: &AssociationClosed, record: &Shared) {
        self.endings.add(record.ended().unwrap_or(NONE), record);
        let bytes = closed.bytes;
        self.bytes.add(bytes);
        let Some(upstream) = &closed.upstream else { return };
        let key = (or_none(record.peer()), upstream.name.clone());
        let route = self.routes.entry(apart(&self.routes, key, (OTHERS.into(), OTHERS.into()))).or_default();
        route.bytes.add(bytes);
        route.bucket.add(record);
    }

    fn refused(&mut self, record: &Shared) {
        self.refusals.add(record);
        if let Some(tick) = self.tick(record) {
            tick.1 = tick.1.saturating_add(record.times());
        }
        self.refused.add(record.label().unwrap_or(NONE), record);
        if let Some(of) = self.of_user(record) {
            of.refused(record);
        }
    }

    fn of_user(&mut self, record: &Record) -> Option<&mut OfUser> {
        let user = apart(&self.users, record.user()?.to_owned(), OTHERS.to_owned());
        Some(self.users.entry(user).or_default())
    }

    fn operation(&mut self, operation: &Operation, record: &Shared) {
        let key = apart(&self.operations, operation.operation.to_string(), OTHERS.to_owned());
        let figures = self.operations.entry(key).or_default();
        let outcome = operation.outcome();
        figures.counts.count(outcome, record.times());
        figures.bytes = figures.bytes.saturating_add(operation.bytes);
        figures.longest_ms = figures.longest_ms.max(operation.duration_ms);
        figures.bucket.add(record);
        if outcome != Outcome::Success {
            let label = record.label().map(str::to_owned).or_else(|| operation.status_text());
            self.failed.add(label.as_deref().unwrap_or(NONE), record);
        }
    }
}

fn or_none(text: Option<&str>) -> String {
    text.unwrap_or(NONE).to_owned()
}

/// `key`, or `others` where it is new and too many are counted apart already.
fn apart<K: Ord, V>(map: &BTreeMap<K, V>, key: K, others: K) -> K {
    if map.len() < APART || map.contains_key(&key) { key } else { others }
}

impl Bytes {
    fn add(&mut self, other: Self) {
        self.r#in = self.r#in.saturating_add(other.r#in);
        self.out = self.out.saturating_add(other.out);
    }
}

impl OperationCounts {
    fn count(&mut self, outcome: Outcome, times: u64) {
        let count = self.of_mut(outcome);
        *count = count.saturating_add(times);
    }

    fn of_mut(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Success => &mut self.success,
            Outcome::Warning => &mut self.warning,
            Outcome::Failure => &mut self.failure,
            Outcome::Refused => &mut self.refused,
        }
    }
}
