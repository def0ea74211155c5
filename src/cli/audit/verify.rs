//! `dimsegate audit verify`: whether the records are what was written, or an export is what was exported.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{complain, export};
use crate::audit::head::Head;
use crate::audit::reviewers::{self, Identity};
use crate::audit::signing::PublicKey;
use crate::audit::verify::{Known, Verification, verify};
use crate::cli::exit;
use crate::cli::words::counted;
use crate::files::full;

/// Say whether the records are what was written, or exactly where they are not
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate audit verify audit --public-key conf/audit-signing.key.pub
  dimsegate audit verify audit --public-key conf/audit-signing.key.pub --since 1042:9f86d081884c7d65…
  dimsegate audit verify case.zip --public-key conf/audit-signing.key.pub

Of a zip of dimsegate audit export every member is held against SHA256SUMS, that against its signature, and each record
against the one behind it. Nothing else is needed for that than the zip and the public key.

Exit status: 0 intact, 4 broken, 5 intact but for records that nobody had signed when a run took them over, 65 something
could not be read, or was not when it was exported. Of an export, 5 is also one that no key signed that was given.

Without --public-key nobody knows who wrote the records: whoever can write the files can write them anew. With it nothing
is believed that is not signed. Whoever put all files back to an earlier day, audit.head too, is found out by a later head
only, which somebody else has kept: see dimsegate audit head.")]
pub(super) struct Args {
    /// The folder of the records, or a zip of dimsegate audit export
    #[arg(value_name = "DIR|ZIP")]
    pub place: PathBuf,
    /// The public half of the key that signs; may be repeated, for keys of earlier times
    #[arg(long = "public-key", value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// A reviewer's identity, for encrypted files; may be repeated
    #[arg(long = "identity", value_name = "FILE")]
    identities: Vec<PathBuf>,
    /// A head that was handed out earlier: this record has to be there. What runs said of themselves up to it is known, and
    /// no longer told as damage; may be repeated
    #[arg(long, value_name = "SEQUENCE:SHA256")]
    since: Vec<Head>,
    /// Print one JSON object on standard output instead
    #[arg(long)]
    json: bool,
}

/// Runs the command: 0 intact, 4 broken, 5 not proven, 65 where something could not be read.
pub(super) fn run(args: &Args) -> ExitCode {
    if args.place.is_file() {
        return exported(args);
    }
    let found = match read_and_verify(args) {
        Ok(found) => found,
        Err((file, error)) => {
            eprintln!("{}: {error}", full(&file));
            return ExitCode::from(exit::UNREADABLE);
        }
    };
    // A reader that has gone away has read enough.
    let _ = if args.json { as_json(&found) } else { as_text(args, &found) };
    ExitCode::from(status(&found))
}

fn exported(args: &Args) -> ExitCode {
    if !args.since.is_empty() || !args.identities.is_empty() {
        let text = "--since and --identity go with a folder of records only: an export has lines of its own, and is not encrypted";
        return complain(text, exit::USAGE);
    }
    match read_keys(&args.public_keys) {
        Ok(keys) => export::verify(&args.place, &keys, args.json),
        Err((file, error)) => complain(&format!("{}: {error}", full(&file)), exit::UNREADABLE),
    }
}

fn status(found: &Verification) -> u8 {
    match found.is_intact() {
        false if !found.breaks.is_empty() => exit::BROKEN_CHAIN,
        _ if found.files == 0 || !found.unread.is_empty() => exit::UNREADABLE,
        false => exit::NOT_PROVEN,
        true => 0,
    }
}

fn read_and_verify(args: &Args) -> Result<Verification, (PathBuf, String)> {
    let keys = read_keys(&args.public_keys)?;
    let mut identities: Vec<Identity> = Vec::new();
    for file in &args.identities {
        let read = reviewers::read_identities(file).map_err(|error| (file.clone(), error.to_string()))?;
        identities.extend(read);
    }
    let bar = progress(&args.place);
    let known = Known { keys: &keys, identities: &identities, since: &args.since };
    let found = verify(&args.place, known, &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    found.map_err(|error| (args.place.clone(), error.to_string()))
}

/// Public keys of those who signed.
pub(in crate::cli) fn read_keys(files: &[PathBuf]) -> Result<Vec<PublicKey>, (PathBuf, String)> {
    let read = |file: &PathBuf| {
        let text = std::fs::read(file).map_err(|error| (file.clone(), error.to_string()))?;
        PublicKey::from_pem(&text).map_err(|error| (file.clone(), error.to_string()))
    };
    files.iter().map(read).collect()
}

/// On a terminal only.
fn progress(directory: &Path) -> indicatif::ProgressBar {
    if !io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{spinner} {bytes} of lines, {bytes_per_sec}  {msg}");
    let bar = indicatif::ProgressBar::new_spinner().with_message(directory.display().to_string());
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

fn as_json(found: &Verification) -> io::Result<()> {
    let mut report = serde_json::to_value(found)?;
    if let Some(fields) = report.as_object_mut() {
        fields.insert("intact".into(), found.is_intact().into());
    }
    writeln!(io::stdout().lock(), "{report:#}")
}

fn as_text(args: &Args, found: &Verification) -> io::Result<()> {
    let (directory, mut out) = (args.place.display(), io::stdout().lock());
    for one in &found.breaks {
        writeln!(out, "{one}")?;
    }
    if found.more_breaks > 0 {
        writeln!(out, "and {} more", found.more_breaks)?;
    }
    for unread in &found.unread {
        writeln!(out, "{}: not read: it {}", unread.file.display(), unread.reason)?;
    }
    for torn in &found.torn {
        writeln!(out, "{torn}: torn by a crash, and closed off by the next start")?;
    }
    if let Some(place) = &found.unfinished {
        writeln!(out, "{place}: unfinished: it is being written, or a crash tore it")?;
    }
    for adopted in &found.adopted {
        writeln!(
            out,
            "records {} to {}: nobody had signed them when the run took over that begins with record {}; what is in them is not proven",
            adopted.from, adopted.to, adopted.by
        )?;
    }
    let places = found.more_breaks.saturating_add(found.breaks.len() as u64);
    let verdict = match (places, found.unread.is_empty()) {
        _ if found.files == 0 => "holds no records".to_owned(),
        (0, _) if !found.adopted.is_empty() => {
            "intact but for records that were not signed in their time".to_owned()
        }
        (0, true) => "intact".to_owned(),
        (0, false) => "intact as far as it was read".to_owned(),
        (places, _) => format!("BROKEN in {}", counted(places, "place")),
    };
    let (records, files) = (counted(found.records, "record"), counted(found.files, "file"));
    writeln!(out, "{directory}: {verdict}: {records} in {files}")?;
    if let (Some(first), Some(last)) = (&found.first, &found.last) {
        writeln!(
            out,
            "  from record {} of {} to record {} of {}",
            first.sequence, first.time, last.sequence, last.time
        )?;
    }
    if let Some(head) = found.head {
        let last = found.last.as_ref().map_or(0, |last| last.sequence);
        writeln!(out, "  the last line's SHA-256 is {head}; next time: --since {last}:{head}")?;
    }
    writeln!(out, "  {}", signed(args, found))
}

fn signed(args: &Args, found: &Verification) -> String {
    let last = found.last.as_ref().map_or(0, |last| last.sequence);
    match found.signed_up_to {
        _ if found.checkpoints == 0 => "not signed".into(),
        _ if args.public_keys.is_empty() => {
            format!(
                "checkpoints: {}; their signatures were not checked: give --public-key",
                found.checkpoints
            )
        }
        None => format!("checkpoints: {}, none of them signed by that key", found.checkpoints),
        Some(up_to) if up_to == last => {
            format!("signed up to the last, in {}", counted(found.checkpoints, "checkpoint"))
        }
        Some(up_to) => {
            let rest = last.saturating_sub(up_to);
            format!(
                "signed up to record {up_to}, in {}; {rest} behind it are not yet, and nothing is known of them",
                counted(found.checkpoints, "checkpoint")
            )
        }
    }
}
