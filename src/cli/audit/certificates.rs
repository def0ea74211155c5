//! `dimsegate audit certificates`: what ends, and when.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::row::clock;
use super::trail::Trail;
use super::{complain, tell_damage};
use crate::audit::reading::{Filter, Kept, Record, RecordFile, Tls, records};
use crate::cli::demo::story::Style;
use crate::cli::table::{Table, screen};
use crate::config::{self, Settings};

const EXAMPLE: &str = "Examples:
  dimsegate audit certificates audit -c conf/dimsegate.toml --within 60d
  dimsegate audit certificates audit --within 10y

The certificates that requestors and upstreams showed are those of the records; with -c, the files of the configuration
are read too: the proxy's own certificates, CA certificates and revocation lists, for every listener, upstream and
repository. What has ended already and is not renewed is listed first.

Exit status: 0, 65 something was damaged or is encrypted, 78 bad configuration.";

/// List certificates and revocation lists by when they end: of requestors, of the proxy, of upstreams
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    pub trail: Trail,
    /// The configuration, whose files are read too
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
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
struct Ending {
    at: OffsetDateTime,
    /// `the certificate of CN=lyon`.
    what: String,
    /// Who showed it, or the file.
    place: String,
    fingerprint: String,
    last_shown: String,
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let (mut endings, kept) = shown(&files);
    if let Some(file) = &args.config {
        match config::load(file) {
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
    let _ = lines(&endings, now).iter().try_for_each(|line| writeln!(out, "{line}"));
    tell_damage(&kept)
}

fn lines(endings: &[Ending], now: OffsetDateTime) -> Vec<String> {
    let style = Style::of_standard_output();
    let titles = ["ends", "in", "what", "where", "last shown (UTC)", "SHA-256"];
    let mut table = Table::new(titles).within(screen(160)).stacked(3);
    for ending in endings {
        let day = ending.at.format(format_description!("[year]-[month]-[day]")).unwrap_or_default();
        let Ending { what, place, fingerprint, last_shown, .. } = ending;
        table.row([&day, &left(ending.at - now), what, place, last_shown, fingerprint]);
    }
    let mut lines = table.lines(|row, column, cell| match (row, column) {
        (0, _) => style.bold(cell),
        (row, 0 | 1) if endings.get(row - 1).is_some_and(|ending| ending.at < now) => style.red(cell),
        (_, 0 | 1) => style.yellow(cell),
        _ => cell.to_owned(),
    });
    if endings.is_empty() {
        lines = vec![style.dim("nothing ends in that time")];
    }
    lines
}

fn left(left: Duration) -> String {
    match left.whole_days() {
        _ if left.is_negative() => "over".to_owned(),
        0 => "hours".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// Those of the trail: the newest record of each.
fn shown(files: &[RecordFile]) -> (Vec<Ending>, Kept) {
    let mut seen: BTreeMap<String, Ending> = BTreeMap::new();
    let asked = Filter { events: vec!["association-opened".to_owned()], ..Filter::default() };
    let kept = records(files, &asked, |record| {
        let peer = record.peer.as_deref().unwrap_or("unknown");
        let of_requestor = record.tls.as_ref().map(|tls| (tls, format!("peer {peer}")));
        let upstream = record.upstream.as_ref();
        let of_upstream =
            upstream.and_then(|one| Some((one.tls.as_ref()?, format!("upstream {}", one.name))));
        for (tls, place) in of_requestor.into_iter().chain(of_upstream) {
            let ending = ending(tls, place, &record);
            seen.extend(ending.map(|ending| (format!("{} {}", ending.fingerprint, ending.place), ending)));
        }
        ControlFlow::Continue(())
    });
    (seen.into_values().collect(), kept)
}

fn ending(tls: &Tls, place: String, record: &Record) -> Option<Ending> {
    Some(Ending {
        at: OffsetDateTime::parse(tls.not_after.as_deref()?, &Rfc3339).ok()?,
        what: format!("the certificate of {}", tls.subject.as_deref().unwrap_or_default()),
        place,
        fingerprint: tls.fingerprint.as_deref().unwrap_or_default().to_owned(),
        last_shown: clock(&record.time),
    })
}

/// Those in the files of a configuration, each with every table that names it.
fn configured(settings: &Settings) -> Vec<Ending> {
    let mut all: BTreeMap<(PathBuf, OffsetDateTime, String), Vec<&str>> = BTreeMap::new();
    for (table, end) in &settings.ends {
        all.entry((end.file.clone(), end.at, end.what.clone())).or_default().push(table);
    }
    let ending = |((file, at, what), tables): (_, Vec<&str>)| {
        let file: PathBuf = file;
        let place = format!("{} of {}", file.display(), tables.join(", "));
        Ending { at, what, place, fingerprint: String::new(), last_shown: String::new() }
    };
    all.into_iter().map(ending).collect()
}
