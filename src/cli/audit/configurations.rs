//! `dimsegate audit configurations`: which configuration was in force, since when, by whom, and what changed.

use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;

use time::OffsetDateTime;

use super::row::clock;
use super::trail::Trail;
use super::{period, tell_damage};
use crate::audit::reading::{Filter, search, stamp};
use crate::audit::record::{ConfigurationLoaded, ConfigurationRefused, Event, Record, ReloadedBy};
use crate::cli::demo::story::Style;
use crate::cli::table::{Table, screen, wrapped};
use crate::cli::words::counted;

const EXAMPLE: &str = "Examples:
  dimsegate audit configurations audit
  dimsegate audit configurations audit --at 2026-03-01T08:30

Each line is a configuration: since when and until when it was in force, the keys and files that changed, the SHA-256 of
the file and of the certificates and lists that it names, the file, and who had it read again (the account that sent
SIGHUP, and the process). What was refused is listed too. What was decided under one:
audit search DIR --configuration SHA256.

Exit status: 0, 65 something was damaged or is encrypted.";

const EVENTS: [&str; 3] = ["configuration-loaded", "configuration-refused", "stopped"];

/// List the configurations that were in force: since when, by whom, and what changed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    #[command(flatten)]
    pub trail: Trail,
    /// Only the one that was in force at this time
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    pub at: Option<OffsetDateTime>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let filter = Filter { events: EVENTS.map(str::to_owned).to_vec(), ..Filter::default() };
    let mut records: Vec<Record> = Vec::new();
    let kept = search(&files, &filter, |line| {
        records.extend(Record::read(&line));
        ControlFlow::Continue(())
    });
    let mut rows = rows(&records);
    if let Some(at) = args.at.map(stamp) {
        let holds =
            |row: &Row| row.in_force && row.since <= at && row.until.as_ref().is_none_or(|until| *until > at);
        rows.retain(holds);
    }
    let mut out = std::io::stdout().lock();
    // A reader that has gone away has read enough.
    let _ = lines(&rows).iter().try_for_each(|line| writeln!(out, "{line}"));
    tell_damage(&kept)
}

/// A configuration that was in force, or was to be.
struct Row {
    since: String,
    until: Option<String>,
    in_force: bool,
    digest: String,
    file: String,
    by: String,
    /// What changed, or what was wrong.
    what: String,
}

fn rows(records: &[Record]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for record in records {
        let time = record.time.clone();
        let refused = matches!(record.event, Event::ConfigurationRefused(_));
        if !refused && let Some(before) = rows.iter_mut().rev().find(|row| row.in_force) {
            before.until.get_or_insert(time.clone());
        }
        match &record.event {
            Event::ConfigurationLoaded(loaded) => rows.push(Row::loaded(loaded, time)),
            Event::ConfigurationRefused(refused) => rows.push(Row::refused(refused, time)),
            _ => {}
        }
    }
    rows
}

impl Row {
    fn loaded(loaded: &ConfigurationLoaded, since: String) -> Self {
        let by = match loaded.previous {
            None => "start".to_owned(),
            Some(_) => by(loaded.by.as_ref()),
        };
        Self {
            until: None,
            since,
            in_force: true,
            digest: loaded.configuration.clone(),
            file: loaded.file.clone(),
            by,
            what: changed(loaded),
        }
    }

    fn refused(refused: &ConfigurationRefused, since: String) -> Self {
        let errors = counted(refused.errors, "error");
        Self {
            until: Some(since.clone()),
            since,
            in_force: false,
            digest: String::new(),
            file: refused.file.clone(),
            by: by(refused.by.as_ref()),
            what: format!("refused, {errors}: {}", refused.problems.join("; ")),
        }
    }
}

/// The keys that are not as they were, the files that are not, and what counts from the next start on.
fn changed(loaded: &ConfigurationLoaded) -> String {
    let (keys, waits) = (loaded.changed_keys.join("; "), loaded.waits_for_restart.join("; "));
    let files = loaded.changed.as_ref().map(|files| files.join("; ")).unwrap_or_default();
    let of_files = if keys.is_empty() { "changed " } else { "in " };
    let parts = [("", keys), (of_files, files), ("waits for a restart: ", waits)];
    let told = parts.into_iter().filter(|(_, list)| !list.is_empty());
    told.map(|(how, list)| format!("{how}{list}")).collect::<Vec<_>>().join("; ")
}

fn by(by: Option<&ReloadedBy>) -> String {
    let Some((by, id)) = by.and_then(|by| Some((by, by.user_id?))) else { return String::new() };
    let name = by.user.clone().unwrap_or_else(|| format!("user {id}"));
    match by.process_id {
        Some(process) => format!("{name} (process {process})"),
        None => name,
    }
}

fn lines(rows: &[Row]) -> Vec<String> {
    let style = Style::of_standard_output();
    let titles = ["since (UTC)", "until (UTC)", "what", "SHA-256", "file", "by"];
    let mut table = Table::new(titles).within(screen(160)).stacked(3);
    for row in rows {
        let until = match (&row.until, row.in_force) {
            (_, false) => "never in force".to_owned(),
            (Some(until), _) => clock(until),
            (None, _) => "in force".to_owned(),
        };
        table.row([&clock(&row.since), &until, &row.what, &row.digest, &row.file, &row.by]);
    }
    let mut lines = table.lines(|row, column, cell| match (row, column) {
        (0, _) => style.bold(cell),
        (row, 1 | 2) if rows.get(row - 1).is_some_and(|row| !row.in_force) => style.red(cell),
        (_, 0) => style.dim(cell),
        _ => cell.to_owned(),
    });
    if rows.is_empty() {
        let nothing = "no configuration was in force then, as far as these records tell";
        lines = wrapped(nothing, screen(160)).iter().map(|line| style.dim(line)).collect();
    }
    lines
}
