//! `dimsegate audit key` and `identity`: what signs the records, and what opens encrypted ones.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::audit::reviewers;
use crate::audit::signing::SigningKey;
use crate::cli::exit;
use crate::files::full;

/// Make the key that signs the records (Ed25519): FILE, and FILE.pub for reviewers
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate audit key conf/audit-signing.key

FILE stays with the proxy, readable by its account only; give FILE.pub to whoever reviews the records, on another
machine. A key that is replaced is kept as FILE.pub for the records that it signed. Never overwrites.")]
pub(super) struct Key {
    /// Where the key goes; the public half goes to FILE.pub
    file: PathBuf,
}

/// Make a reviewer's identity (age, X25519), for whom closed files are encrypted
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, on the reviewer's machine:
  dimsegate audit identity reviewer.txt

FILE never goes to the proxy. What is printed goes into its configuration: [audit] encrypt-to. age-keygen does the same.
Never overwrites.")]
pub(super) struct Identity {
    /// Where the identity goes
    file: PathBuf,
}

/// Runs `key`: 0, or 73 where a file cannot be made.
pub(super) fn make_key(args: &Key) -> ExitCode {
    let (key, secret) = match SigningKey::generate() {
        Ok(made) => made,
        Err(error) => {
            eprintln!("dimsegate: the key {error}");
            return ExitCode::from(exit::UNAVAILABLE);
        }
    };
    let mut public = args.file.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    if public.exists() {
        return refused(&public, &std::io::ErrorKind::AlreadyExists.into());
    }
    let written = write_new(&args.file, secret.as_bytes(), 0o600)
        .and_then(|()| write_new(&public, key.public_key().to_pem().as_bytes(), 0o644));
    if let Err((file, error)) = written {
        return refused(&file, &error);
    }
    println!(
        "made the key {id}:
  {file}  secret; in the configuration: [audit] signing-key = \"{file}\"
  {public}  for reviewers: dimsegate audit verify DIR --public-key {public}",
        id = key.id(),
        file = args.file.display(),
        public = public.display(),
    );
    ExitCode::SUCCESS
}

/// Runs `identity`: 0, or 73 where the file cannot be made.
pub(super) fn make_identity(args: &Identity) -> ExitCode {
    let (secret, public) = match reviewers::new_identity() {
        Ok(made) => made,
        Err(error) => {
            eprintln!("dimsegate: no identity can be made: {error}");
            return ExitCode::from(exit::UNAVAILABLE);
        }
    };
    if let Err((file, error)) = write_new(&args.file, secret.as_bytes(), 0o600) {
        return refused(&file, &error);
    }
    println!(
        "made {file}, which opens files that are encrypted for it; without it nobody can
in the configuration of the proxy: [audit] encrypt-to = [\"{public}\"]
to check them: dimsegate audit verify DIR --identity {file}",
        file = args.file.display(),
    );
    ExitCode::SUCCESS
}

fn write_new(file: &Path, bytes: &[u8], mode: u32) -> Result<(), (PathBuf, std::io::Error)> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(bytes).and_then(|()| opened.sync_all()));
    written.map_err(|error| (file.to_owned(), error))
}

fn refused(file: &Path, error: &std::io::Error) -> ExitCode {
    let why = match error.kind() {
        std::io::ErrorKind::AlreadyExists => "is there already; nothing is overwritten".to_owned(),
        _ => format!("cannot be written: {error}"),
    };
    eprintln!("{}: {why}", full(file));
    ExitCode::from(exit::CANNOT_CREATE)
}
