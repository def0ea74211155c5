//! `dimsegate propose`: the peers and roles that the records show, for a configuration that lets in nobody else.

mod comment;
mod gathered;
mod replayed;
mod written;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use time::OffsetDateTime;

use super::audit::{period, tell_damage, used};
use super::tenant::OfTenant;
use super::{exit, load, print};
use crate::audit::reading::{Filter, Identities, RecordFile, files_for, stamp};
use crate::audit::reviewers::read_identities;
use crate::files::full;
use gathered::Gathered;
use replayed::Replayed;

/// Write the [[peer]]s and [[role]]s that the records of a time show, and say what they would have refused of it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate propose -c conf/dimsegate.toml --from 14d -o proposed.toml
  dimsegate check -c proposed-and-the-rest.toml
  dimsegate check --diff conf/dimsegate.toml proposed-and-the-rest.toml

For a roll-out: a wide [[peer]] lets everybody in for a time, and what came is proposed: for each certificate, or where none
was shown for each calling AE title, the listeners, networks, AE titles, operations and SOP classes that were really used.
Everything else is taken over from the [[peer]] that let it in: rewrite, scope, upstream, limits. Put the tables in the
place of that peer, or before it.

It allows what was done, whether or not somebody should have done it: read it first. What was refused in that time is in
comments below, and never proposed. Titles with * or ? would be patterns, and are left out. Then the records are held
against the proposal: comments above it say how many associations and operations it would have refused, and why.

Exit status: 0, 65 no association in that time, or something was damaged or is encrypted, 73 the file cannot be made, 78 bad
configuration.")]
pub(super) struct Args {
    /// The configuration that was in force
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub of: OfTenant,
    /// The begin of the time: 2026-03-01, 2026-03-01T08:30 (UTC), or 14d before now
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    pub from: OffsetDateTime,
    /// Its end; a date is the end of its day. Absent: now
    #[arg(long, value_name = "TIME", value_parser = period::to)]
    pub to: Option<OffsetDateTime>,
    /// Where to write it; a file that is there is not written over. Absent: standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// A reviewer's identity, for encrypted days; may be repeated
    #[arg(long = "identity", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    match propose(args) {
        Ok(status) | Err(status) => status,
    }
}

fn propose(args: &Args) -> Result<ExitCode, ExitCode> {
    let loaded = load(&args.config, args.of.name())?;
    let directory = &loaded.settings.audit.directory;
    used::note("propose", directory);
    let files = files(args, directory)?;
    let filter = Filter { from: Some(args.from), to: args.to, ..Filter::default() };
    let (gathered, kept) = Gathered::of(&files, &filter);
    if gathered.associations() == 0 {
        let text = format!("{}: no association was opened in that time", full(directory));
        return Err(complain(&text, exit::UNREADABLE));
    }
    let proposal = written::proposal(loaded.settings.text(), args.of.name(), &gathered);
    let replayed = Replayed::of(&args.config, &proposal.merged, &files, &filter).map_err(|problems| {
        complain(&format!("the proposal is none: {problems}"), exit::BAD_CONFIGURATION)
    })?;
    let to = stamp(args.to.unwrap_or_else(OffsetDateTime::now_utc));
    let about = comment::about(&directory.display().to_string(), (&stamp(args.from), &to), &gathered);
    let whole = [about, replayed.comment(), proposal.tables, comment::refused(&gathered)].concat();
    write(args.output.as_deref(), whole.as_bytes())
        .map_err(|(name, error)| complain(&format!("{name}: {error}"), exit::CANNOT_CREATE))?;
    let _ = write!(io::stderr().lock(), "{}", replayed.comment().replace("# ", ""));
    Ok(tell_damage(&kept))
}

fn complain(text: &str, status: u8) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "{text}");
    ExitCode::from(status)
}

fn files(args: &Args, directory: &Path) -> Result<Vec<RecordFile>, ExitCode> {
    let mut identities = Vec::new();
    for file in &args.identities {
        let read = read_identities(file);
        identities
            .extend(read.map_err(|error| complain(&format!("{}: {error}", full(file)), exit::UNREADABLE))?);
    }
    files_for(directory, &Identities::new(identities))
        .map_err(|error| complain(&error.to_string(), exit::UNREADABLE))
}

/// Whole, or not at all.
fn write(to: Option<&Path>, bytes: &[u8]) -> Result<(), (String, io::Error)> {
    let Some(path) = to else {
        return print(bytes).map_err(|error| ("standard output".to_owned(), error));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut half| {
        half.write_all(bytes)?;
        half.as_file().sync_all()?;
        half.persist_noclobber(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| (full(path).to_string(), error))
}
