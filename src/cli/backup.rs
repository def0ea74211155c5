//! `dimsegate backup`: all that cannot be made again, in one encrypted file.

mod gathering;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::audit::used;
use super::exit;
use crate::backup::{BackupError, Last, Made, Recipient, write};
use crate::config::{self, Loaded};
use crate::crosswalk::CrosswalkError;
use crate::files::{full, read};

/// Longer than any file of public keys.
const LONGEST: u64 = 64 << 10;

/// Write all that cannot be made again into one encrypted file; the proxy may be running
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate backup -c conf/dimsegate.toml -o gate.age --recipient age1…
  dimsegate backup -c conf/dimsegate.toml -o gate.age --recipient conf/backup.pub --with-keys
  dimsegate restore gate.age --identity backup-identity.txt --check

It holds the configuration of all tenants, certificates and revocation lists, users, blocks, tokens that were used, patients that were seen,
crosswalks as of one moment, how far records were sent, and the heads of the trails. It never holds the records themselves: copy
their files, which only grow. Keys and secrets are named in it, each with its SHA-256, and kept out of it without --with-keys:
without them no pseudonym is the same again, so keep them elsewhere.

The file has its name only when all of it is on the disk. Nothing is written over. That it was made is a record, with the
SHA-256 of the file: encryption does not say who made it. Run it as the account that the proxy runs as.

Exit status: 0 made, 64 nobody to encrypt it for, 65 something cannot be read, 73 the file cannot be written, 78 a bad
configuration.")]
pub(super) struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// The backup; it must not be there
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Who can open it: age1…, or a file of such keys; may be repeated; without it, those of [backup] recipients
    #[arg(long = "recipient", value_name = "KEY")]
    recipients: Vec<String>,
    /// Put keys and secrets into it, too
    #[arg(long)]
    with_keys: bool,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Crosswalk(#[from] CrosswalkError),
    #[error("{0}")]
    Place(#[from] crate::backup::NotAPlace),
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    made(args).map_or_else(|status| status, |()| ExitCode::SUCCESS)
}

fn made(args: &Args) -> Result<(), ExitCode> {
    let loaded = config::load(&args.config).map_err(|problems| {
        eprintln!("{problems}");
        ExitCode::from(exit::BAD_CONFIGURATION)
    })?;
    let recipients = recipients(args, &loaded)?;
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let gathered = gathering::gathered(args, &loaded, &now).map_err(|why| failed(&why))?;
    let (members, references) = (gathered.sources.len(), gathered.manifest.references.len());
    let made = write(&args.output, &recipients, gathered.manifest, gathered.sources);
    let made = made.map_err(|why| failed(&why.into()))?;
    remember(args, &loaded, now, &made);
    println!("{}: {members} files, {} bytes, SHA-256 {}", args.output.display(), made.length, made.sha256);
    if references > 0 && !args.with_keys {
        println!("{references} keys and secrets are not in it; restore --check says which");
    }
    Ok(())
}

fn recipients(args: &Args, loaded: &Loaded) -> Result<Vec<Recipient>, ExitCode> {
    let mut all = Vec::new();
    for named in &args.recipients {
        all.extend(recipients_of(named).map_err(|error| {
            eprintln!("--recipient {named}: {error}; give a public key (age1…), or a file of them");
            ExitCode::from(exit::USAGE)
        })?);
    }
    if args.recipients.is_empty() {
        all.clone_from(&loaded.settings.backup_recipients);
    }
    if all.is_empty() {
        eprintln!(
            "nobody could open it; give --recipient age1…, or write recipients = [\"age1…\"] in [backup]"
        );
        return Err(ExitCode::from(exit::USAGE));
    }
    Ok(all)
}

/// A key, or the keys of a file, one a line beside comments.
fn recipients_of(named: &str) -> io::Result<Vec<Recipient>> {
    if let Ok(one) = named.parse() {
        return Ok(vec![one]);
    }
    let text = read(Path::new(named), LONGEST)?;
    let text = String::from_utf8(text).map_err(|_| io::Error::other("is no text"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed =
        lines.map(|line| line.parse().map_err(|_| io::Error::other("has a line that is no public key")));
    parsed.collect()
}

/// Says in each trail that it was made, and for `check` when.
fn remember(args: &Args, loaded: &Loaded, made: String, file: &Made) {
    let sites = gathering::sites(loaded);
    let keys = if args.with_keys { "with keys" } else { "without keys" };
    let text = format!("-o {} ({keys}, sha256 {})", args.output.display(), file.sha256);
    for settings in &sites {
        used::note_that("backup", &settings.audit.directory, text.clone());
    }
    let folder = &loaded.settings.state_directory;
    let last = Last { made, sha256: file.sha256.clone() };
    if let Err(error) = last.remember(folder) {
        eprintln!("{}: check cannot tell when this backup was made: {error}", full(folder));
    }
}

fn failed(why: &Failed) -> ExitCode {
    eprintln!("{why}; no backup was made");
    ExitCode::from(match why {
        Failed::Backup(BackupError::Exists(_)) => exit::CANNOT_CREATE,
        Failed::Backup(BackupError::Io { path, .. }) if path.extension().is_some_and(|end| end == "part") => {
            exit::CANNOT_CREATE
        }
        Failed::Crosswalk(CrosswalkError::NotWritable { .. }) => exit::CANNOT_CREATE,
        _ => exit::UNREADABLE,
    })
}
