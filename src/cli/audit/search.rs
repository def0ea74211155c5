//! `dimsegate audit search`: the records that meet every condition.

use std::collections::VecDeque;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use ipnet::IpNet;
use time::OffsetDateTime;

use super::row::Row;
use super::{list, period, tell_damage};
use crate::audit::reading::{Filter, Hours, Outcome, Pattern, Record, Wanted, search};
use crate::cli::demo::story::Style;
use crate::cli::table::Table;

const EXAMPLE: &str = "Examples:
  dimsegate audit search audit --from 24h --outcome refused
  dimsegate audit search audit --peer lyon --operation C-STORE --outcome failure
  dimsegate audit search audit --study 1.2.840.99.7 --json | jq .association

Values may hold * and ?. Times: 2026-03-01, 2026-03-01T08:30 (UTC), RFC 3339, today, or how long ago (15m, 24h, 7d);
--to with a date is the end of that day. An operation has the peer, AE titles, address and TLS of its association.
Plain and zstd files are read; a damaged line is told on standard error and skipped. Lines that a condition rules out
are not looked at closely: audit verify looks at all.

Exit status: 0 everything was read, 65 something was damaged or is encrypted (the rest was searched).";

/// On a terminal, unless --limit says otherwise.
const SCREENFUL: usize = 200;

/// Find records by time, peer, AE title, address, outcome, study and more
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The directory of [audit]
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Not before this time
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    pub from: Option<OffsetDateTime>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = period::to)]
    pub to: Option<OffsetDateTime>,
    /// In this hour of the day (UTC), or from the first to the last: 22-5
    #[arg(long, value_name = "HOUR")]
    pub hour: Option<Hours>,
    /// The [[peer]] that matched
    #[arg(long, value_name = "NAME")]
    pub peer: Option<Pattern>,
    #[arg(long, value_name = "AE")]
    pub calling: Option<Pattern>,
    #[arg(long, value_name = "AE")]
    pub called: Option<Pattern>,
    /// Address of the requestor, or a network such as 203.0.113.0/24
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub address: Option<IpNet>,
    #[arg(long, value_name = "NAME")]
    pub listener: Option<Pattern>,
    #[arg(long, value_name = "NAME")]
    pub upstream: Option<Pattern>,
    /// TLS version (1.2, 1.3), or plain
    #[arg(long, value_name = "VERSION")]
    pub tls: Option<Pattern>,
    #[arg(long, value_name = "NAME")]
    pub cipher: Option<Pattern>,
    /// SHA-256 of the requestor's certificate
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    pub certificate: Option<Pattern>,
    /// operation, association-rejected, …; may be given more than once
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    pub event: Vec<String>,
    /// success, warning, failure, refused, or how an association ended: ended=timeout
    #[arg(long, value_name = "OUTCOME")]
    pub outcome: Option<Wanted>,
    /// Label of a refusal or failure, such as calling-ae-title-unknown
    #[arg(long, value_name = "LABEL")]
    pub reason: Option<Pattern>,
    #[arg(long, value_name = "ID")]
    pub association: Option<String>,
    /// C-STORE, C-FIND, …
    #[arg(long, value_name = "NAME")]
    pub operation: Option<Pattern>,
    /// Status of an operation, as recorded: 0xA700
    #[arg(long, value_name = "STATUS")]
    pub status: Option<Pattern>,
    /// SOP instance UID, as it came or as it was rewritten
    #[arg(long, value_name = "UID")]
    pub sop_instance: Option<Pattern>,
    /// Study instance UID, as it came or as it was rewritten
    #[arg(long, value_name = "UID")]
    pub study: Option<Pattern>,
    /// The patient as recorded: with keyed hashes, the hash
    #[arg(long, value_name = "PATIENT")]
    pub patient: Option<Pattern>,
    /// At most so many, the newest; without it 200 on a terminal, and all in a pipe
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The lines as they were written, which is what a pipe gets anyway
    #[arg(long)]
    pub json: bool,
    /// A table in a pipe too
    #[arg(long, conflicts_with = "json")]
    pub table: bool,
}

fn network(text: &str) -> Result<IpNet, String> {
    let whole = |text: &str| text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(|| whole(text)).ok_or_else(|| "is no address or network".to_owned())
}

/// As records have it: lower case, without the `sha256:` of the configuration or the colons of other tools.
fn fingerprint(text: &str) -> Result<Pattern, std::convert::Infallible> {
    let text = text.to_ascii_lowercase();
    text.strip_prefix("sha256:").unwrap_or(&text).replace(':', "").parse()
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let files = match list(&args.folder) {
        Ok(files) => files,
        Err(status) => return status,
    };
    let filter = args.filter();
    let terminal = io::stdout().is_terminal();
    let kept = if args.table || (terminal && !args.json) {
        let limit = args.limit.unwrap_or(if terminal { SCREENFUL } else { usize::MAX });
        let mut newest = Newest::of(limit);
        let kept = search(&files, &filter, |line| newest.take(line));
        let _ = print(&newest, &mut io::stdout().lock(), width(), Style::of_standard_output());
        kept
    } else if let Some(limit) = args.limit {
        let mut newest = Newest::of(limit);
        let kept = search(&files, &filter, |line| newest.take(line));
        let mut out = BufWriter::new(io::stdout().lock());
        let _ =
            newest.lines.iter().try_for_each(|line| write_line(&mut out, line)).and_then(|()| out.flush());
        kept
    } else {
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        // A reader that has gone away has read enough.
        let kept = search(&files, &filter, |line| match write_line(&mut out, &line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
        let _ = out.flush();
        kept
    };
    tell_damage(&kept)
}

fn write_line(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

impl Args {
    /// The conditions.
    pub fn filter(&self) -> Filter {
        let mut filter = Filter {
            from: self.from,
            to: self.to,
            hours: self.hour,
            events: self.event.clone(),
            association: self.association.clone(),
            outcome: self.outcome.clone(),
            reason: self.reason.clone(),
            ..Filter::default()
        };
        let of = &mut filter.of_association;
        (of.listener, of.peer, of.upstream) =
            (self.listener.clone(), self.peer.clone(), self.upstream.clone());
        (of.calling, of.called, of.address) = (self.calling.clone(), self.called.clone(), self.address);
        (of.tls, of.cipher, of.certificate) =
            (self.tls.clone(), self.cipher.clone(), self.certificate.clone());
        let of = &mut filter.of_operation;
        (of.operation, of.status, of.patient) =
            (self.operation.clone(), self.status.clone(), self.patient.clone());
        (of.sop_instance, of.study) = (self.sop_instance.clone(), self.study.clone());
        filter
    }
}

/// The newest lines, and how many there were.
pub struct Newest {
    pub lines: VecDeque<Vec<u8>>,
    pub count: usize,
    limit: usize,
}

impl Newest {
    pub fn of(limit: usize) -> Self {
        Self { lines: VecDeque::new(), count: 0, limit }
    }

    pub fn take(&mut self, line: Vec<u8>) -> ControlFlow<()> {
        self.count += 1;
        self.lines.push_back(line);
        if self.lines.len() > self.limit {
            self.lines.pop_front();
        }
        ControlFlow::Continue(())
    }
}

/// Columns of the terminal, or of `COLUMNS`.
fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let seen = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    seen.or(asked).unwrap_or(160).max(60)
}

/// The table of what was found, and a line about how much that was.
pub fn print(found: &Newest, out: &mut impl Write, width: usize, style: Style) -> io::Result<()> {
    let records: Vec<Record> = found.lines.iter().filter_map(|line| Record::read(line).ok()).collect();
    let rows: Vec<Row> = records.iter().map(Row::of).collect();
    let titles = ["time (UTC)", "event", "association", "peer", "from", "AE titles", "what"];
    let mut table = Table::new(titles).within(width).elastic([6]);
    for row in &rows {
        table.row([&row.time, &row.event, &row.association, &row.who, &row.address, &row.titles, &row.what]);
    }
    let painted = table.lines(|row, column, cell| paint(row, column, cell, &rows, style));
    if !rows.is_empty() {
        for line in painted {
            writeln!(out, "{line}")?;
        }
    }
    let (shown, count) = (rows.len(), found.count);
    let all = if shown < count {
        format!("the newest {shown} of {count} records; --limit shows more")
    } else {
        counted(count)
    };
    writeln!(out, "{}", style.dim(&all))
}

fn counted(count: usize) -> String {
    match count {
        0 => "no record".into(),
        1 => "1 record".into(),
        _ => format!("{count} records"),
    }
}

fn paint(row: usize, column: usize, cell: &str, rows: &[Row], style: Style) -> String {
    let found = row.checked_sub(1).and_then(|row| rows.get(row));
    match (found, column) {
        (None, _) => style.bold(cell),
        (Some(_), 0) => style.dim(cell),
        (Some(row), 1) if row.event == "security-alert" => style.red(cell),
        (Some(row), 1 | 6) => match row.outcome {
            Some(Outcome::Failure | Outcome::Refused) => style.red(cell),
            Some(Outcome::Warning) => style.yellow(cell),
            _ => cell.to_owned(),
        },
        _ => cell.to_owned(),
    }
}
