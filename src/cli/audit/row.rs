//! A record in one line for people.

use crate::audit::reading::{Outcome, Record, Text};
use crate::policy::sop_class::keyword;

/// The words of a row of a table, and how its record turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub time: String,
    pub event: String,
    pub association: String,
    /// Peer, or the calling AE title where no peer fitted.
    pub who: String,
    pub address: String,
    /// `LYON_CT1 to PACS`.
    pub titles: String,
    pub what: String,
    pub outcome: Option<Outcome>,
}

impl Row {
    /// Of a record; what it has not is that of its association.
    pub fn of(record: &Record, association: Option<&Record>) -> Self {
        let one = |of: for<'r> fn(&'r Record<'r>) -> &'r Option<Text<'r>>| {
            let text = |record: &Record| of(record).as_deref().map(str::to_owned);
            text(record).or_else(|| association.and_then(text))
        };
        let calling = one(|record| &record.calling_ae_title);
        let titles = match (calling, one(|record| &record.called_ae_title)) {
            (Some(calling), Some(called)) => format!("{calling} to {called}"),
            (one, other) => one.or(other).unwrap_or_default(),
        };
        let mut what = what(record);
        if let Some(count) = record.count {
            what = format!("{count} times: {what}");
        }
        Self {
            time: clock(&record.time),
            event: record.event.to_string(),
            association: record.association.as_deref().unwrap_or_default().to_owned(),
            who: one(|record| &record.peer).unwrap_or_default(),
            address: one(|record| &record.address).unwrap_or_default(),
            titles,
            what,
            outcome: record.outcome(),
        }
    }
}

/// `2026-03-01T08:30:00.123456Z` as `2026-03-01 08:30:00.123`.
pub fn clock(time: &str) -> String {
    time.get(..23).map_or_else(|| time.to_owned(), |time| time.replacen('T', " ", 1))
}

fn what(record: &Record) -> String {
    let reason = record.reason.as_deref();
    match &*record.event {
        "operation" => operation(record),
        "association-opened" => {
            let upstream = record.upstream.as_ref().map(|upstream| upstream.name.to_string());
            let tls = record.tls.as_ref().map_or("plain TCP".into(), |tls| format!("TLS {}", tls.version));
            let rewrite = record.rewrite_name().map(|name| format!("rewrite {name}"));
            [upstream.map(|name| format!("upstream {name}")), Some(tls), rewrite]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ")
        }
        "association-closed" => {
            let counts = record.operations.iter().map(|(name, counts)| {
                format!("{} {name}", counts.success + counts.warning + counts.failure + counts.refused)
            });
            let ended = record.ended.as_deref().unwrap_or("ended").to_owned();
            let bytes = record.bytes.unwrap_or_default();
            let moved = format!("{} in, {} out", amount(bytes.r#in), amount(bytes.out));
            let all: Vec<String> = std::iter::once(ended)
                .chain(reason.map(str::to_owned))
                .chain(counts)
                .chain([moved, duration(record.duration_ms)])
                .filter(|part| !part.is_empty())
                .collect();
            all.join(", ")
        }
        "configuration-loaded" => {
            let text = |text: &Option<Text>| text.as_deref().map(str::to_owned);
            let by = text(&record.user).map(|user| format!("by {user}"));
            [text(&record.file), text(&record.configuration), by]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
        }
        "audit-log-used" => {
            let said = |text: &Option<Text>| text.as_deref().unwrap_or("?").to_owned();
            let (user, command) = (said(&record.user), said(&record.command));
            let arguments = record.arguments.as_deref().unwrap_or_default();
            format!("{user} on {}: {command} {arguments}", said(&record.host))
        }
        _ => {
            let certificate = record.certificate.as_ref().map(|one| {
                format!("certificate {} of {}, SHA-256 {}", one.subject, one.issuer, one.fingerprint)
            });
            let parts =
                [record.version.as_deref(), reason, record.explanation.as_deref(), certificate.as_deref()];
            parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
    }
}

fn operation(record: &Record) -> String {
    let class = record.sop_class.as_deref().map(|uid| keyword(uid).unwrap_or(uid));
    let parts = [
        record.operation.as_deref().map(str::to_owned),
        record.status.as_deref().map(str::to_owned),
        record.reason.as_deref().map(str::to_owned),
        class.map(str::to_owned),
        record.sop_instance.as_deref().map(str::to_owned),
        record.study.as_deref().map(|study| format!("of study {study}")),
        record.rewritten.map(|elements| format!("{elements} elements rewritten")),
        record.bytes.map(|bytes| bytes.r#in).filter(|bytes| *bytes > 0).map(amount),
        Some(duration(record.duration_ms)),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Bytes as people say them.
pub fn amount(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    #[allow(clippy::cast_precision_loss)]
    let mut scaled = bytes as f64 / 1e3;
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"");
    while scaled >= 999.95 {
        let Some(next) = units.next() else { break };
        (scaled, unit) = (scaled / 1e3, next);
    }
    format!("{scaled:.1} {unit}")
}

/// Milliseconds as people say them; empty where there is none.
pub fn duration(milliseconds: Option<u64>) -> String {
    match milliseconds {
        None => String::new(),
        Some(ms @ 0..1_000) => format!("{ms} ms"),
        Some(ms @ 1_000..60_000) => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        Some(ms @ 60_000..3_600_000) => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
        Some(ms) => format!("{} h {:02} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}
