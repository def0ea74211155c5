//! `dimsegate audit certificates`: what ends, and when.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::ends::{Life, Nearness, SOON, nearness, words};
use super::row::clock;
use super::trail::Trail;
use super::{complain, tell_damage};
use crate::audit::reading::{Filter, Kept, RecordFile, records, stamp};
use crate::audit::record::{Record, Tls};
use crate::cli::demo::story::Style;
use crate::cli::table::{Table, screen, wrapped};
use crate::cli::tenant::OfTenant;
use crate::cli::words::counted;
use crate::config::{self, Settings};

const EXAMPLE: &str = "Examples:
  dimsegate audit certificates audit -c conf/dimsegate.toml --within 60d
  dimsegate audit certificates audit --within 10y

The certificates that requestors and upstreams showed are those of the records; with -c, the files of the configuration
are read too: the proxy's own certificates, CA certificates and revocation lists, for every listener, upstream and
repository. What has ended already is listed first. One that was renewed is left out: where one of the same name that ends
later was shown in its place since.

Exit status: 0, 65 something was damaged or is encrypted, 78 bad configuration.";

/// List certificates and revocation lists by when they end: of requestors, of the proxy, of upstreams
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    #[command(flatten)]
    pub trail: Trail,
    /// The configuration, whose files are read too
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    of: OfTenant,
    /// Those that end before so long is over: 60d, 26w, 10y
    #[arg(long, value_name = "TIME", default_value = "60d", value_parser = within)]
    pub within: Duration,
}

fn within(text: &str) -> Result<Duration, String> {
    let wrong = || format!("\"{text}\" is no time; write 60d, 26w or 10y");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let count: i64 = text.strip_suffix(unit).and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    let days = match unit {
        'd' => Some(count),
        'w' => count.checked_mul(7),
        'y' => count.checked_mul(366),
        _ => None,
    };
    days.filter(|days| (0..=1_000_000).contains(days)).map(Duration::days).ok_or_else(wrong)
}

/// One that ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Ending {
    /// When.
    pub at: OffsetDateTime,
    /// `the certificate of CN=lyon`.
    pub what: String,
    /// Who showed it, or the file.
    pub place: String,
    fingerprint: String,
    /// The first time and the last that it was; `None` of a file.
    shown: Option<(OffsetDateTime, OffsetDateTime)>,
}

impl Ending {
    fn life(&self) -> Option<Life<'_>> {
        let (first_shown, last_shown) = self.shown?;
        let places = vec![self.place.as_str()];
        Some(Life { name: &self.what, places, ends: self.at, first_shown, last_shown })
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let (mut endings, kept) = shown(&files, None);
    if let Some(file) = &args.config {
        match config::load_of(file, args.of.name()) {
            Ok(loaded) => endings.extend(configured(&loaded.settings)),
            Err(problems) => return complain(&problems.to_string(), crate::cli::exit::BAD_CONFIGURATION),
        }
    }
    let now = OffsetDateTime::now_utc();
    endings.retain(|ending| ending.at - now < args.within);
    endings.sort();
    endings.dedup();
    let mut out = std::io::stdout().lock();
    // A reader that has gone away has read enough.
    let _ = lines(&endings, now, screen(160)).iter().try_for_each(|line| writeln!(out, "{line}"));
    tell_damage(&kept)
}

fn lines(endings: &[Ending], now: OffsetDateTime, width: usize) -> Vec<String> {
    let style = Style::of_standard_output();
    let titles = ["end (UTC)", "from now", "what", "where", "last shown (UTC)", "SHA-256"];
    let mut table = Table::new(titles).within(width).stacked(3);
    for ending in endings {
        let day = ending.at.format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
        let Ending { what, place, fingerprint, .. } = ending;
        let last_shown = ending.shown.map(|(_, last)| clock(&stamp(last))).unwrap_or_default();
        table.row([&day, &words(ending.at, now), what, place, &last_shown, fingerprint]);
    }
    let nearness = |ending: &Ending| nearness(ending.at, now);
    let mut lines = table.lines(|row, column, cell| match (row, column) {
        (0, _) => style.bold(cell),
        (row, 0..=2) => match endings.get(row - 1).map(nearness) {
            Some(Nearness::Ended) => style.red(cell),
            Some(Nearness::Soon) => style.yellow(cell),
            _ => cell.to_owned(),
        },
        _ => cell.to_owned(),
    });
    if endings.is_empty() {
        return vec![style.dim("nothing ends in that time")];
    }
    let count = |wanted| endings.iter().filter(|ending| nearness(ending) == wanted).count();
    let summary = summary(count(Nearness::Ended), count(Nearness::Soon), count(Nearness::Later));
    lines.extend(wrapped(&summary, width));
    lines
}

/// `2 have ended, 1 ends within 30 days, 4 end later`
fn summary(ended: usize, soon: usize, later: usize) -> String {
    let verb = |count, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let within = format!("within {}", counted(SOON.whole_days(), "day"));
    let parts = [
        (ended, verb(ended, "has ended", "have ended")),
        (soon, format!("{} {within}", verb(soon, "ends", "end"))),
        (later, format!("{} later", verb(later, "ends", "end"))),
    ];
    let told = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, told)| told);
    told.collect::<Vec<_>>().join(", ")
}

/// Those of the trail, or of what it has from a time on, without those that were renewed.
pub(in crate::cli) fn shown(files: &[RecordFile], from: Option<OffsetDateTime>) -> (Vec<Ending>, Kept) {
    let mut seen: BTreeMap<String, Ending> = BTreeMap::new();
    let asked = Filter { events: vec!["association-opened".to_owned()], from, ..Filter::default() };
    let kept = records(files, &asked, |record| {
        let peer = record.peer().unwrap_or("unknown");
        let of_requestor = record.tls().map(|tls| (tls, format!("peer {peer}")));
        let upstream = record.upstream();
        let of_upstream =
            upstream.and_then(|one| Some((one.tls.as_ref()?, format!("upstream {}", one.name))));
        for (tls, place) in of_requestor.into_iter().chain(of_upstream) {
            let Some(ending) = ending(tls, place, &record) else { continue };
            let key = format!("{} {}", ending.fingerprint, ending.place);
            let first = seen.get(&key).and_then(|before| before.shown).map(|(first, _)| first);
            let shown = ending.shown.map(|(now, _)| (first.unwrap_or(now), now));
            seen.insert(key, Ending { shown, ..ending });
        }
        ControlFlow::Continue(())
    });
    (without_renewed(seen.into_values().collect()), kept)
}

fn without_renewed(endings: Vec<Ending>) -> Vec<Ending> {
    let lives: Vec<Life> = endings.iter().filter_map(Ending::life).collect();
    let renewed = |ending: &Ending| {
        ending.life().is_some_and(|life| lives.iter().any(|other| life.is_renewed_by(other)))
    };
    let kept: Vec<bool> = endings.iter().map(|ending| !renewed(ending)).collect();
    endings.into_iter().zip(kept).filter_map(|(ending, kept)| kept.then_some(ending)).collect()
}

fn ending(tls: &Tls, place: String, record: &Record) -> Option<Ending> {
    Some(Ending {
        at: OffsetDateTime::parse(tls.not_after.as_deref()?, &Rfc3339).ok()?,
        what: format!("the certificate of {}", tls.subject.as_deref().unwrap_or_default()),
        place,
        fingerprint: tls.fingerprint.as_deref().unwrap_or_default().to_owned(),
        shown: record.at().map(|at| (at, at)),
    })
}

/// Those in the files of a configuration, each with every table that names it.
pub(in crate::cli) fn configured(settings: &Settings) -> Vec<Ending> {
    let mut all: BTreeMap<(PathBuf, OffsetDateTime, String), Vec<&str>> = BTreeMap::new();
    for (table, end) in &settings.ends {
        all.entry((end.file.clone(), end.at, end.what.clone())).or_default().push(table);
    }
    let ending = |((file, at, what), tables): (_, Vec<&str>)| {
        let file: PathBuf = file;
        let place = format!("{} of {}", file.display(), tables.join(", "));
        Ending { at, what, place, fingerprint: String::new(), shown: None }
    };
    all.into_iter().map(ending).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn shown(at: OffsetDateTime, place: &str, last_shown: OffsetDateTime) -> Ending {
        Ending {
            at,
            what: "the certificate of CN=lyon".into(),
            place: place.into(),
            fingerprint: at.to_string(),
            shown: Some((last_shown, last_shown)),
        }
    }

    #[test]
    fn what_ends_is_left_out_only_where_another_took_its_place() {
        let old = |place| shown(datetime!(2026-03-01 0:00 UTC), place, datetime!(2026-02-20 0:00 UTC));
        let new = |day| shown(datetime!(2027-03-01 0:00 UTC), "peer lyon", day);
        let left = |endings: Vec<Ending>| without_renewed(endings).len();
        assert_eq!(left(vec![old("peer lyon"), new(datetime!(2026-03-02 0:00 UTC))]), 1);
        assert_eq!(left(vec![old("peer geneva"), new(datetime!(2026-03-02 0:00 UTC))]), 2);
        // Before the old one has ended.
        assert_eq!(left(vec![old("peer lyon"), new(datetime!(2026-02-25 0:00 UTC))]), 1);
        // Both in use.
        assert_eq!(left(vec![old("peer lyon"), new(datetime!(2026-02-15 0:00 UTC))]), 2);
        // The file of one that was never shown.
        assert_eq!(
            left(vec![Ending { shown: None, ..old("peer lyon") }, new(datetime!(2026-03-02 0:00 UTC))]),
            2
        );
    }

    #[test]
    fn what_has_ended_and_what_ends_soon_is_said_in_words() {
        let now = datetime!(2026-03-01 12:00 UTC);
        let at = |left| shown(now + left, "peer lyon", now);
        let lines = lines(&[at(-Duration::days(3)), at(Duration::days(2)), at(Duration::days(90))], now, 160);
        let text = lines.join("\n");
        for part in ["ended 3 days ago", "ends in 2 days", "ends in 90 days"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(lines.last().unwrap(), "1 has ended, 1 ends within 30 days, 1 ends later");
    }
}
