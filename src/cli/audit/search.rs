//! `dimsegate audit search`: the records that meet every condition.

use std::collections::{HashSet, VecDeque};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use ipnet::IpNet;
use time::OffsetDateTime;

use super::row::Row;
use super::trail::Trail;
use super::who::Requestors;
use super::{complain, period, tell_damage, values};
use crate::audit::reading::{
    Filter, Hours, Kept, Outcome, Pattern, Record, RecordFile, Text, Wanted, associations_of, records, search,
};
use crate::cli::demo::story::Style;
use crate::cli::table::{Table, screen};
use crate::config;

const EXAMPLE: &str = "Examples:
  dimsegate audit search audit --outcome refused --from 20:00 --to 06:00
  dimsegate audit search audit --operation C-STORE --study 1.2.840.99.7 --who
  dimsegate audit search audit --patient 4711 -c conf/dimsegate.toml --who
  dimsegate audit search audit --tls plain --who
  dimsegate audit search audit --issuer 'CN=Lyon CA*' --who
  dimsegate audit search audit --unrewritten
  dimsegate audit search audit --study 1.2.840.99.7 --json | jq .association

Values may hold * and ?. Times: 2026-03-01, 2026-03-01T08:30 (UTC), RFC 3339, today, how long ago (15m, 24h, 7d), or
the last time that a clock showed 20:00 (UTC); --to with a date is the end of that day. An operation has the peer, AE
titles, address and TLS of its association. A damaged line is told on standard error and skipped. Lines that a
condition rules out are not looked at closely: audit verify looks at all.

Exit status: 0 everything was read, 2 a condition that no record can meet, 65 something was damaged or is encrypted
(the rest was searched).";

/// On a terminal, unless --limit says otherwise.
const SCREENFUL: usize = 200;

/// Find records by time, peer, AE title, address, outcome, study and more
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    pub trail: Trail,
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
    /// Calling AE title
    #[arg(long, value_name = "AE")]
    pub calling: Option<Pattern>,
    /// Called AE title
    #[arg(long, value_name = "AE")]
    pub called: Option<Pattern>,
    /// Address of the requestor, or a network such as 203.0.113.0/24
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub address: Option<IpNet>,
    /// The [[listener]] that it came to
    #[arg(long, value_name = "NAME")]
    pub listener: Option<Pattern>,
    /// The [[upstream]] that it went to
    #[arg(long, value_name = "NAME")]
    pub upstream: Option<Pattern>,
    /// TLS version (1.2, 1.3), or plain
    #[arg(long, value_name = "VERSION", value_parser = values::tls)]
    pub tls: Option<Pattern>,
    /// TLS cipher suite
    #[arg(long, value_name = "NAME")]
    pub cipher: Option<Pattern>,
    /// SHA-256, subject or a name of the certificate that the requestor showed, accepted or not
    #[arg(long, value_name = "CERTIFICATE", value_parser = values::certificate)]
    pub certificate: Option<Pattern>,
    /// Who issued it: the CA that vouches for it, or whom it names
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<Pattern>,
    /// Digest of the configuration that decided; * for the rest of it
    #[arg(long, value_name = "DIGEST")]
    pub configuration: Option<Pattern>,
    /// The rewrite that applies to the association
    #[arg(long, value_name = "NAME")]
    pub rewrite: Option<Pattern>,
    /// Objects that passed without the rewrite of their peer
    #[arg(long)]
    pub unrewritten: bool,
    /// operation, association-rejected, …; may be given more than once
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    pub event: Vec<String>,
    /// success, warning, failure, refused, or how an association ended: ended=timeout
    #[arg(long, value_name = "OUTCOME", value_parser = values::outcome)]
    pub outcome: Option<Wanted>,
    /// Label of a refusal or failure, such as calling-ae-title-unknown
    #[arg(long, value_name = "LABEL")]
    pub reason: Option<Pattern>,
    /// Id of an association, as records have it
    #[arg(long, value_name = "ID")]
    pub association: Option<String>,
    /// C-STORE, C-FIND, …
    #[arg(long, value_name = "NAME", value_parser = values::operation)]
    pub operation: Option<Pattern>,
    /// Status of an operation, as recorded: 0xA700
    #[arg(long, value_name = "STATUS", value_parser = values::status)]
    pub status: Option<Pattern>,
    /// SOP instance UID, as it came or as it was rewritten
    #[arg(long, value_name = "UID", value_parser = values::uid)]
    pub sop_instance: Option<Pattern>,
    /// Study instance UID, as it came or as it was rewritten
    #[arg(long, value_name = "UID", value_parser = values::uid)]
    pub study: Option<Pattern>,
    /// The patient as recorded; with -c the Patient ID, whatever records make of it
    #[arg(long, value_name = "PATIENT")]
    pub patient: Option<String>,
    /// The configuration whose key records name patients with
    #[arg(short, long, value_name = "FILE", requires = "patient")]
    pub config: Option<PathBuf>,
    /// Who it was: one line for each requestor, instead of one for each record
    #[arg(long, conflicts_with_all = ["json", "limit"])]
    pub who: bool,
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

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let filter = match args.filter() {
        Ok(filter) => filter,
        Err(wrong) => return complain(&wrong, USAGE),
    };
    let terminal = io::stdout().is_terminal();
    let (kept, found) = if args.who {
        requestors(&files, &filter)
    } else if args.table || (terminal && !args.json) {
        newest(&files, &filter, args.limit.unwrap_or(if terminal { SCREENFUL } else { usize::MAX }))
    } else {
        lines(&files, &filter, args.limit)
    };
    match args.misspelt(&files, found) {
        Some(wrong) => complain(&wrong, USAGE),
        None => tell_damage(&kept),
    }
}

/// Of a command line that asks for what cannot be.
const USAGE: u8 = 2;

/// One line for each requestor.
fn requestors(files: &[RecordFile], filter: &Filter) -> (Kept, usize) {
    let mut all = Requestors::default();
    let kept = search(files, filter, |line| {
        all.add(&line);
        ControlFlow::Continue(())
    });
    let count = all.records();
    let known = associations_of(files, &all.unknown());
    let lines = all.lines(&known, screen(160), Style::of_standard_output());
    let mut out = io::stdout().lock();
    // A reader that has gone away has read enough.
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    (kept, count)
}

/// A table of the newest.
fn newest(files: &[RecordFile], filter: &Filter, limit: usize) -> (Kept, usize) {
    let mut newest = Newest::of(limit);
    let kept = search(files, filter, |line| newest.take(line));
    let _ = print(&newest, files, &mut io::stdout().lock(), screen(160), Style::of_standard_output());
    (kept, newest.count)
}

/// The lines as they were written.
fn lines(files: &[RecordFile], filter: &Filter, limit: Option<usize>) -> (Kept, usize) {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if let Some(limit) = limit {
        let mut newest = Newest::of(limit);
        let kept = search(files, filter, |line| newest.take(line));
        let written = newest.lines.iter().try_for_each(|line| write_line(&mut out, line));
        let _ = written.and_then(|()| out.flush());
        return (kept, newest.count);
    }
    let mut count = 0;
    let kept = search(files, filter, |line| {
        count += 1;
        match write_line(&mut out, &line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let _ = out.flush();
    (kept, count)
}

fn write_line(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

impl Args {
    /// The conditions.
    ///
    /// # Errors
    /// One that no record can meet, in words.
    pub fn filter(&self) -> Result<Filter, String> {
        if self.from.zip(self.to).is_some_and(|(from, to)| from >= to) {
            return Err("--from is not before --to".into());
        }
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
        (of.tls, of.cipher) = (self.tls.clone(), self.cipher.clone());
        (of.certificate, of.issuer) = (self.certificate.clone(), self.issuer.clone());
        (of.rewrite, of.configuration) = (self.rewrite.clone(), self.configuration.clone());
        if self.unrewritten && of.rewrite.is_none() {
            of.rewrite = Some(pattern("*"));
        }
        let of = &mut filter.of_operation;
        of.unrewritten = self.unrewritten;
        (of.operation, of.status, of.patient) =
            (self.operation.clone(), self.status.clone(), self.patient()?);
        (of.sop_instance, of.study) = (self.sop_instance.clone(), self.study.clone());
        Ok(filter)
    }

    /// As records have it.
    fn patient(&self) -> Result<Option<Pattern>, String> {
        let (Some(patient), Some(file)) = (&self.patient, &self.config) else {
            return Ok(self.patient.as_deref().map(pattern));
        };
        let identifiers = config::patient_identifiers(file).map_err(|problems| problems.to_string())?;
        let named = identifiers.of(patient);
        let nobody = || format!("{}: records name no patients: patient-identifiers", file.display());
        named.map(|named| Some(pattern(&named))).ok_or_else(nobody)
    }

    /// What is wrong with a name that no record ever had, where nothing was found.
    fn misspelt(&self, files: &[RecordFile], found: usize) -> Option<String> {
        type Named = fn(&Record) -> Option<String>;
        let events: Vec<Option<Pattern>> = self.event.iter().map(|event| Some(pattern(event))).collect();
        let mut asked: Vec<(&str, &Option<Pattern>, Named)> = vec![
            ("peer", &self.peer, |record| own(record.peer.as_ref())),
            ("calling AE title", &self.calling, |record| own(record.calling_ae_title.as_ref())),
            ("called AE title", &self.called, |record| own(record.called_ae_title.as_ref())),
            ("listener", &self.listener, |record| own(record.listener.as_ref())),
            ("upstream", &self.upstream, |record| own(record.upstream.as_ref().map(|one| &one.name))),
            ("cipher suite", &self.cipher, |record| own(record.tls.as_ref().map(|tls| &tls.cipher))),
            ("reason", &self.reason, |record| record.label().map(str::to_owned)),
        ];
        asked.extend(
            events.iter().map(|event| ("event", event, (|record| own(Some(&record.event))) as Named)),
        );
        asked.retain(|(_, wanted, _)| wanted.is_some());
        if found > 0 || asked.is_empty() {
            return None;
        }
        let mut known: Vec<HashSet<String>> =
            asked.iter().map(|(what, ..)| values::always(what).map(str::to_owned).collect()).collect();
        records(files, &Filter::default(), |record| {
            for (seen, (_, _, named)) in known.iter_mut().zip(&asked) {
                seen.extend(named(&record));
            }
            ControlFlow::Continue(())
        });
        asked.iter().zip(&known).find_map(|((what, wanted, _), seen)| {
            // Where nobody has come yet, any name may be right.
            let unheard =
                |wanted: &&Pattern| !seen.is_empty() && !seen.iter().any(|name| wanted.matches(name));
            let wanted = wanted.as_ref().filter(unheard)?;
            let mut seen: Vec<&str> = seen.iter().map(String::as_str).collect();
            seen.sort_unstable();
            Some(values::unknown(what, &wanted.to_string(), &seen))
        })
    }
}

fn own(text: Option<&Text>) -> Option<String> {
    text.map(ToString::to_string)
}

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
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

/// The table of what was found, and a line about how much that was.
pub fn print(
    found: &Newest,
    files: &[RecordFile],
    out: &mut impl Write,
    width: usize,
    style: Style,
) -> io::Result<()> {
    let records: Vec<Record> = found.lines.iter().filter_map(|line| Record::read(line).ok()).collect();
    let lacking = records.iter().filter(|record| &*record.event == "operation");
    let ids: HashSet<String> =
        lacking.filter_map(|record| record.association.as_deref().map(str::to_owned)).collect();
    let known = associations_of(files, &ids);
    let association = |record: &Record| record.association.as_deref().and_then(|id| known.get(id));
    let rows: Vec<Row> = records.iter().map(|record| Row::of(record, association(record))).collect();
    let titles = ["time (UTC)", "event", "what", "peer", "from", "AE titles", "association"];
    let mut table = Table::new(titles).within(width).stacked(3);
    for row in &rows {
        table.row([&row.time, &row.event, &row.what, &row.who, &row.address, &row.titles, &row.association]);
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
        (Some(row), 1 | 2) => match row.outcome {
            Some(Outcome::Failure | Outcome::Refused) => style.red(cell),
            Some(Outcome::Warning) => style.yellow(cell),
            _ => cell.to_owned(),
        },
        _ => cell.to_owned(),
    }
}
