//! `dimsegate audit export`: a period of the trail with its proof, for somebody else.

mod beside;
mod verify;

pub(super) use verify::verify;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use time::OffsetDateTime;

use super::{complain, period, used};
use crate::audit::export::{self, ExportError, Order, Statement};
use crate::audit::reading::Identities;
use crate::audit::reviewers::read_identities;
use crate::cli::exit;
use crate::cli::tenant::OfTenant;
use crate::cli::words::counted;
use crate::config;
use crate::files::full;

/// Write the records of a period, with their proof, configuration and certificates, into one zip
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate audit export -c conf/dimsegate.toml --from 2026-03-01 --to 2026-03-02 -o case.zip
  dimsegate audit verify case.zip --public-key conf/audit-signing.key.pub

The zip holds the records of the period byte for byte, up to the checkpoint behind them that signs them; the head of the
trail; the configuration without comments and secrets; the certificates and revocation lists that it names, without keys;
which versions and configurations were in force; and SHA256SUMS, which the signing-key of [audit] signs. Whoever has the
public half proves all of it: with dimsegate, or with unzip, sha256sum and openssl.

Patients are in it as the records name them. It is readable for its owner only, and never written over a file. Where a
part cannot be read (an encrypted day without --identity, a certificate that is gone), the rest is written, and what is
missing is said here and in export.json.

Exit status: 0, 65 something could not be read, 73 the zip cannot be made, 78 [audit] has problems.")]
pub(super) struct Args {
    /// The configuration: where the records are, and what signs
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub of: OfTenant,
    /// The begin of the period: 2026-03-01, 2026-03-01T08:30 (UTC), or 2h or 14d before now
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    pub from: OffsetDateTime,
    /// Its end; a date is the end of its day. Absent: now
    #[arg(long, value_name = "TIME", value_parser = period::to)]
    pub to: Option<OffsetDateTime>,
    /// The zip
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// A reviewer's identity, for encrypted days; may be repeated
    #[arg(long = "identity", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let settings = match config::records_of(&args.config, args.of.name()) {
        Ok(settings) => settings,
        Err(problems) => return complain(&problems.to_string(), exit::BAD_CONFIGURATION),
    };
    let mut identities = Vec::new();
    for file in &args.identities {
        match read_identities(file) {
            Ok(read) => identities.extend(read),
            Err(error) => return complain(&format!("{}: {error}", full(file)), exit::UNREADABLE),
        }
    }
    used::note("export", &settings.directory);
    let beside = beside::of(&args.config, args.of.name());
    let order = Order {
        directory: &settings.directory,
        identities: &Identities::new(identities),
        from: args.from,
        to: args.to.unwrap_or_else(OffsetDateTime::now_utc),
        key: settings.checkpoints.as_ref().map(|checkpoints| checkpoints.key.as_ref()),
        beside: &beside,
    };
    match export::write(&order, &args.output) {
        Ok(told) => tell(args, &told),
        Err(error) => refuse(args, &error),
    }
}

fn refuse(args: &Args, error: &ExportError) -> ExitCode {
    match error {
        ExportError::Exists | ExportError::Write(_) => {
            complain(&format!("{}: {error}", full(&args.output)), exit::CANNOT_CREATE)
        }
        ExportError::Trail { .. } | ExportError::NoRecord { .. } => {
            complain(&error.to_string(), exit::UNREADABLE)
        }
    }
}

fn tell(args: &Args, told: &Statement) -> ExitCode {
    let mut out = std::io::stdout().lock();
    // A reader that has gone away has read enough; the file is there.
    let _ = lines(args, told).iter().try_for_each(|line| writeln!(out, "{line}"));
    let mut err = std::io::stderr().lock();
    for one in &told.not_read {
        let _ = writeln!(err, "{}: not in the export: {}", one.file, one.reason);
    }
    for one in &told.damage {
        let _ = writeln!(err, "{one}");
    }
    if told.not_read.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::UNREADABLE) }
}

fn lines(args: &Args, told: &Statement) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", args.output.display(), counted(told.records, "record"))];
    if let (Some(first), Some(last)) = (&told.first, &told.last) {
        let (from, to) = (first.sequence, last.sequence);
        lines.push(format!("  from record {from} of {} to record {to} of {}", first.time, last.time));
    }
    lines.push(match &told.key {
        Some(key) => format!("  signed by key {key}; check it with: dimsegate audit verify"),
        None => {
            "  signed by nobody: [audit] has no signing-key, and whoever has the zip can change it".to_owned()
        }
    });
    match told.damage.len() {
        0 => {}
        places => lines.push(format!("  the trail itself is BROKEN in {}", counted(places, "place"))),
    }
    if let Some(one) = told.configuration.as_ref().filter(|one| !one.was_in_force) {
        lines.push(format!(
            "  {} is not what was in force then, or no longer: export.json names what was",
            one.file
        ));
    }
    lines
}
