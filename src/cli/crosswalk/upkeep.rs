//! `show`, `erase` and `rotate-key`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::whose::Whose;
use super::{Which, export, failed};
use crate::cli::exit;
use crate::config;
use crate::crosswalk::{self, Holdings};

/// Say what is in a crosswalk; every page and every value is read and checked
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate crosswalk show -c conf/dimsegate.toml --rewrite cross-border

Shows no values. Without --rewrite, every crosswalk of the configuration.")]
pub(super) struct Show {
    #[command(flatten)]
    which: Which,
}

/// Erase everything of one patient for good: identifiers, names, date shifts, and the UIDs of its objects
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, with the Patient ID not on the command line:
  echo 4711 | dimsegate crosswalk erase -c conf/dimsegate.toml --rewrite cross-border --patient -

The proxy must not be running. What is erased is overwritten in the file; backups of the file still have it. Nobody then
gets from a pseudonym to the patient, or by it to an image. Whoever has the real Patient ID and the secret-file of the
rewrite can still make the same pseudonym from it, and objects of this patient that are sent again will be remembered
again.")]
pub(super) struct Erase {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    whose: Whose,
}

/// Encrypt everything with another key, in one transaction
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  (umask 077; openssl rand -base64 48 > conf/crosswalk-2.key)
  dimsegate crosswalk rotate-key -c conf/dimsegate.toml --rewrite cross-border --new-key-file conf/crosswalk-2.key

The proxy must not be running. Then name the new file in the configuration: key-file of the [[crosswalk]]. If this is
interrupted, the file is whole under one of the two keys; dimsegate check says with which one it opens. What the old
key encrypted is overwritten; keep the old key as long as backups of the file are kept.")]
pub(super) struct RotateKey {
    #[command(flatten)]
    which: Which,
    /// The new key: at least 32 bytes, readable by its owner only
    #[arg(long, value_name = "FILE")]
    new_key_file: PathBuf,
}

/// Runs `show`.
pub(super) fn show(args: &Show) -> Result<(), ExitCode> {
    let tables = args.which.tables()?;
    let shown: Vec<_> = if args.which.rewrite.is_some() || tables.crosswalks.is_empty() {
        vec![args.which.of(&tables)?]
    } else {
        tables.crosswalks.values().collect()
    };
    for crosswalk in shown {
        if !crosswalk.path.exists() {
            println!("{}: not made yet", crosswalk.path.display());
            continue;
        }
        let holdings = crosswalk::show(&crosswalk.path, &crosswalk.secret);
        print(&holdings.map_err(|error| failed(&error))?);
    }
    Ok(())
}

fn print(holdings: &Holdings) {
    let Holdings { path, size, key_version, kinds } = holdings;
    let total: u64 = kinds.values().sum();
    println!("{}: {total} correspondences, {size} bytes, key version {key_version}, intact", path.display());
    for (kind, count) in kinds {
        let (kind, attribute) = export::names(*kind);
        println!("  {count:>10}  {kind} {attribute}");
    }
}

/// Runs `erase`.
pub(super) fn erase(args: &Erase) -> Result<(), ExitCode> {
    let tables = args.which.tables()?;
    let crosswalk = args.which.of(&tables)?;
    let Some(patient) = args.whose.patient(crosswalk)? else {
        eprintln!("say whom to erase, with --patient ID or --pseudonym ID");
        return Err(ExitCode::from(exit::USAGE));
    };
    let erased = crosswalk::erase(&crosswalk.path, &crosswalk.secret, &patient);
    match erased.map_err(|error| failed(&error))? {
        0 => println!("{}: nothing is known of this patient", crosswalk.path.display()),
        erased => println!("{}: erased {erased} correspondences of one patient", crosswalk.path.display()),
    }
    Ok(())
}

/// Runs `rotate-key`.
pub(super) fn rotate_key(args: &RotateKey) -> Result<(), ExitCode> {
    let tables = args.which.tables()?;
    let crosswalk = args.which.of(&tables)?;
    let new = config::crosswalk_key(&args.new_key_file).map_err(|problem| {
        eprintln!("{problem}");
        ExitCode::from(exit::BAD_CONFIGURATION)
    })?;
    if new == crosswalk.secret {
        eprintln!("{} holds the key that is in use", args.new_key_file.display());
        return Err(ExitCode::from(exit::BAD_CONFIGURATION));
    }
    let version =
        crosswalk::rotate(&crosswalk.path, &crosswalk.secret, &new).map_err(|error| failed(&error))?;
    println!(
        "{}: encrypted with key version {version}; now write key-file = \"{}\" in line {} of {}",
        crosswalk.path.display(),
        args.new_key_file.display(),
        crosswalk.line,
        args.which.config.display(),
    );
    Ok(())
}
