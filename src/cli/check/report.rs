//! `check --report`: what configuration and records show of the controls that auditors ask for.

mod model;
mod page;
mod text;

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use time::{Duration, OffsetDateTime};

use crate::audit::reading::figures::Period;
use crate::audit::reading::{Identities, ReadError, RecordFile, files_for};
use crate::audit::reviewers::read_identities;
use crate::cli::audit::report::write;
use crate::cli::audit::{complain, period, tell_damage, used};
use crate::cli::words::counted;
use crate::cli::{exit, load, print, review};
use crate::config::Settings;
use crate::evidence::{Facts, Report, Trail, controls, judged, keys_beside, loose_keys, recorded};
use crate::files::full;
use model::Evidence;

/// What `--report` takes.
pub(super) fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Report::ALL.map(|(name, _)| name))
}

/// What only a report asks for.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OfReport {
    /// With --report: write it, as NAME.json or as one HTML page
    #[arg(short, long, value_name = "FILE", requires = "report")]
    pub output: Option<PathBuf>,
    /// With --report: begin of the period; 90 days before its end, if it is not given
    #[arg(long, value_name = "TIME", value_parser = period::from, requires = "report")]
    pub from: Option<OffsetDateTime>,
    /// With --report: end of the period; now, if it is not given
    #[arg(long, value_name = "TIME", value_parser = period::to, requires = "report")]
    pub to: Option<OffsetDateTime>,
    /// With --report: the public half of a key that signed the records in earlier times; may be repeated
    #[arg(long = "public-key", value_name = "FILE", requires = "report")]
    pub public_keys: Vec<PathBuf>,
    /// With --report: a reviewer's identity, for encrypted days; may be repeated
    #[arg(long = "identity", value_name = "FILE", requires = "report")]
    pub identities: Vec<PathBuf>,
}

const SPAN: Duration = Duration::days(90);

/// Runs the command.
pub(super) fn run(name: &str, config: &Path, args: &super::Args) -> Result<ExitCode, ExitCode> {
    let (_, report) = Report::ALL.into_iter().find(|(known, _)| *known == name).ok_or(ExitCode::from(2))?;
    let settings = load(config, args.tenant.as_deref())?.settings;
    let now = OffsetDateTime::now_utc();
    let period = span(&args.of_report, now)?;
    used::note("check", &settings.audit.directory);
    let files = files(&settings, &args.of_report.identities)?;
    let facts = Facts {
        settings: &settings,
        places: settings.places(),
        trail: trail(&settings, &args.of_report, &files)?,
        recorded: recorded(&files, period),
        loose_keys: loose_keys(&settings),
        keys_beside: keys_beside(&settings),
        now,
    };
    let controls = controls().map_err(|error| complain(&error.to_string(), exit::UNAVAILABLE))?;
    let judged = judged(report, &controls, &facts);
    let evidence = Evidence::of(report, (config, &controls), period, &facts, judged);
    shown(args, &evidence)?;
    let status = tell_damage(&facts.recorded.kept);
    Ok(match (facts.trail.breaks, facts.recorded.kept.is_whole()) {
        (1.., _) => ExitCode::from(exit::BROKEN_CHAIN),
        (0, false) => status,
        (0, true) if facts.trail.unread > 0 => ExitCode::from(exit::UNREADABLE),
        (0, true) if args.strict && evidence.lacks() => ExitCode::from(1),
        (0, true) => ExitCode::SUCCESS,
    })
}

fn span(args: &OfReport, now: OffsetDateTime) -> Result<Period, ExitCode> {
    let to = args.to.unwrap_or(now);
    let from = args.from.or_else(|| to.checked_sub(SPAN)).unwrap_or(to);
    if from >= to { Err(complain("--from is not before --to", 2)) } else { Ok(Period { from, to }) }
}

/// None where the proxy has not run yet: then everything is missing, which the report says.
fn files(settings: &Settings, readers: &[PathBuf]) -> Result<Vec<RecordFile>, ExitCode> {
    let unreadable = |text: String| complain(&text, exit::UNREADABLE);
    let mut identities = Vec::new();
    for file in readers {
        let read = read_identities(file);
        identities.extend(read.map_err(|error| unreadable(format!("{}: {error}", full(file))))?);
    }
    let is_missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    match files_for(&settings.audit.directory, &Identities::new(identities)) {
        Ok(files) => Ok(files),
        Err(ReadError::Empty { .. }) => Ok(Vec::new()),
        Err(ReadError::Folder { error, .. }) if is_missing(&error) => Ok(Vec::new()),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

fn trail(settings: &Settings, args: &OfReport, files: &[RecordFile]) -> Result<Trail, ExitCode> {
    if files.is_empty() {
        return Ok(Trail::default());
    }
    let found = review::verified(settings, &args.public_keys, &args.identities)?;
    Ok(Trail {
        breaks: found.more_breaks.saturating_add(found.breaks.len() as u64),
        unsigned: found.adopted.len() as u64,
        signed_up_to: found.signed_up_to,
        unread: found.unread.len() as u64,
    })
}

fn shown(args: &super::Args, evidence: &Evidence) -> Result<(), ExitCode> {
    let json = || serde_json::to_string_pretty(evidence).unwrap_or_default() + "\n";
    // A reader that has gone away has read enough.
    let said = |text: String| drop(print(text.as_bytes()));
    let Some(file) = &args.of_report.output else {
        said(if args.json { json() } else { text::text(evidence) });
        return Ok(());
    };
    let is_json = args.json || file.extension() == Some(OsStr::new("json"));
    let content = if is_json { json() } else { page::page(evidence) };
    write(file, content.as_bytes()).map_err(|error| {
        complain(&format!("{}: cannot be written: {error}", full(file)), exit::UNAVAILABLE)
    })?;
    said(format!(
        "{}: {}, {}\n",
        file.display(),
        counted(evidence.controls.len(), "control"),
        evidence.summary()
    ));
    Ok(())
}
