//! `dimsegate audit`: the records, offline.

pub(super) mod certificates;
pub(super) mod command;
mod configurations;
pub(super) mod ends;
mod export;
mod head;
mod keys;
pub(super) mod period;
mod reasons;
pub(super) mod report;
mod row;
mod search;
mod show;
#[cfg(test)]
mod tests;
pub(super) mod trail;
pub(super) mod used;
mod values;
pub(super) mod verify;
mod who;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::exit;
use crate::audit::reading::Kept;

/// Check, search, show and report the records, and make the keys that protect them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, a key that signs the records, and what a reviewer does with its public half:
  dimsegate audit key conf/audit-signing.key
  dimsegate audit verify audit --public-key conf/audit-signing.key.pub
  dimsegate audit report audit --from 7d -o week.html

Who reads records with these commands is a record itself: a note in DIR/used, which the proxy takes into the trail within
about a second, or when it next starts. Where no note can be left, standard error says so.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say whether the records are what was written, or exactly where they are not
    Verify(verify::Args),
    /// Print the head of the trail, SEQUENCE:SHA256, to be handed to somebody who keeps it
    Head(head::Args),
    /// Make the key that signs the records: FILE, and FILE.pub for reviewers
    Key(keys::Key),
    /// Make a reviewer's identity, for whom closed files are encrypted
    Identity(keys::Identity),
    /// Write the records of a period, with their proof, configuration and certificates, into one zip
    Export(export::Args),
    /// Find records by time, peer, AE title, address, outcome, study and more
    Search(Box<search::Args>),
    /// Tell one association as a story
    Show(show::Args),
    /// List certificates and revocation lists by when they end: of requestors, of the proxy, of upstreams
    Certificates(certificates::Args),
    /// List the configurations that were in force: since when, by whom, and what changed
    Configurations(configurations::Args),
    /// List every label that a record may carry: what it means, where to look, how it is answered
    Reasons(reasons::Args),
    /// Write one HTML page about a period: figures, drawings, and what is unusual
    Report(report::Args),
}

impl Command {
    /// Name and folder of a command that reads records.
    fn reads(&self) -> Option<(&'static str, &Path)> {
        match self {
            Self::Verify(args) => Some(("verify", &args.place)),
            Self::Search(args) => Some(("search", &args.trail.folder)),
            Self::Show(args) => Some(("show", &args.trail.folder)),
            Self::Certificates(args) => Some(("certificates", &args.trail.folder)),
            Self::Configurations(args) => Some(("configurations", &args.trail.folder)),
            Self::Report(args) => Some(("report", &args.trail.folder)),
            // It leaves its note when it knows the folder.
            Self::Export(_) => None,
            Self::Head(_) | Self::Key(_) | Self::Identity(_) | Self::Reasons(_) => None,
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    if let Some((command, folder)) = args.command.reads() {
        used::note(command, folder);
    }
    match &args.command {
        Command::Verify(args) => verify::run(args),
        Command::Head(args) => head::run(args),
        Command::Key(args) => keys::make_key(args),
        Command::Identity(args) => keys::make_identity(args),
        Command::Export(args) => export::run(args),
        Command::Search(args) => search::run(args),
        Command::Show(args) => show::run(args),
        Command::Certificates(args) => certificates::run(args),
        Command::Configurations(args) => configurations::run(args),
        Command::Reasons(args) => reasons::run(args),
        Command::Report(args) => report::run(args),
    }
}

pub(super) fn complain(text: &str, status: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
    ExitCode::from(status)
}

/// Damaged lines on standard error, one a line, and the exit status that they ask for.
pub(super) fn tell_damage(kept: &Kept) -> ExitCode {
    let mut err = std::io::stderr().lock();
    for damage in &kept.damage {
        let _ = writeln!(err, "{}: skipped: {}", damage.place, super::table::visible(&damage.what));
    }
    let untold = kept.damaged.saturating_sub(kept.damage.len() as u64);
    if untold > 0 {
        let _ = writeln!(err, "and {untold} more damaged lines");
    }
    for path in &kept.encrypted {
        let path = path.display();
        let _ = writeln!(
            err,
            "{path}: skipped: encrypted for a reviewer; name the reviewer's identity file with --identity"
        );
    }
    if kept.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(exit::UNREADABLE) }
}
