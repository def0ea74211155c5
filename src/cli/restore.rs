//! `dimsegate restore`: a backup becomes a folder again, or is shown to be one that can.

mod proof;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::audit::used;
use super::exit;
use crate::audit::reviewers;
use crate::backup::{Archive, BackupError, Identity, Manifest, digest_of};
use crate::files::full;

/// In the folder of a restore.
const MANIFEST: &str = "backup-manifest.json";

/// Restore a backup into a folder of its own, or with --check prove that this can be done
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate restore gate.age --identity backup-identity.txt --check
  dimsegate restore gate.age --identity backup-identity.txt --to /srv/gate

--to DIR is made, or empty: nothing is ever written over. All of the backup is unpacked beside it and compared first, and gets
that name at the end, so that a restore is whole or nothing. Files are of mode 0600 in folders of mode 0700 and belong to
whoever restores; give them to the account that the proxy runs as. What the configuration names by a relative path is in DIR as
it was in the working directory; what it names by an absolute path /a/b is DIR/a/b, and is to be moved there, or named anew.

The records are not in a backup. The new trail begins with a record that names the head of the one before. Heads and cursors are
in DIR/of-the-trail, for whoever brings the files of the old trail as well.

--check reads all of it, compares every SHA-256, unpacks it into a private temporary folder ($TMPDIR) that is removed, reads the
configuration there with the keys that are at their places (or below --keys DIR), opens every crosswalk with its key and every
row in it, and looks for the heads in the trails where they are at hand. It changes nothing.

Exit status: 0 restored, or it can be; 1 with --check: keys are missing or others, a crosswalk does not open, or a trail has not
the head; 64 neither --to nor --check, 65 it cannot be opened, is damaged or of a later version, 73 DIR is not empty or cannot be written,
78 with --check: the configuration has problems.")]
pub(super) struct Args {
    /// The backup
    #[arg(value_name = "FILE")]
    backup: PathBuf,
    /// The key that opens it, as age-keygen writes it; may be repeated
    #[arg(long = "identity", value_name = "FILE", required = true)]
    identities: Vec<PathBuf>,
    /// The folder to restore into
    #[arg(long, value_name = "DIR", required_unless_present = "check", conflicts_with = "check")]
    to: Option<PathBuf>,
    /// Prove that it can be restored, and change nothing
    #[arg(long)]
    check: bool,
    /// With --check: where keys that are not in it lie, by the paths of the configuration; without it, at these paths
    #[arg(long, value_name = "DIR", requires = "check")]
    keys: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let done = opened(args).and_then(|archive| match &args.to {
        Some(folder) => restore(args, archive, folder),
        None => proof::run(args, archive),
    });
    done.map_or_else(|status| status, |()| ExitCode::SUCCESS)
}

fn opened(args: &Args) -> Result<Archive, ExitCode> {
    let mut identities: Vec<Identity> = Vec::new();
    for file in &args.identities {
        identities.extend(reviewers::read_identities(file).map_err(|error| {
            eprintln!("{}: {error}", full(file));
            ExitCode::from(exit::UNREADABLE)
        })?);
    }
    Archive::open(&args.backup, &identities).map_err(|why| refused(&args.backup, &why))
}

/// Says why, and which file it is about.
fn refused(backup: &Path, why: &BackupError) -> ExitCode {
    match why {
        BackupError::Io { path, .. } if path == backup => eprintln!("{why}"),
        BackupError::Io { .. } => {
            eprintln!("{why}");
            return ExitCode::from(exit::CANNOT_CREATE);
        }
        _ => eprintln!("{}: {why}", full(backup)),
    }
    ExitCode::from(match why {
        BackupError::NoRoom { .. } => exit::CANNOT_CREATE,
        _ => exit::UNREADABLE,
    })
}

fn restore(args: &Args, archive: Archive, folder: &Path) -> Result<(), ExitCode> {
    let failed = |path: &Path, error: &io::Error| {
        eprintln!("{}: {error}; nothing was restored", full(path));
        ExitCode::from(exit::CANNOT_CREATE)
    };
    is_empty(folder).map_err(|error| failed(folder, &error))?;
    let part = beside(folder);
    DirBuilder::new().mode(0o700).create(&part).map_err(|error| failed(&part, &error))?;
    let filled = fill(args, archive, &part).and_then(|manifest| {
        // Over an empty folder, and over nothing else.
        fs::rename(&part, folder).map_err(|error| failed(folder, &error))?;
        Ok(manifest)
    });
    if filled.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    told(&filled?, folder);
    Ok(())
}

/// Nothing is there, or a folder without anything in it.
fn is_empty(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        found => {
            if !found?.is_dir() {
                return Err(io::Error::other("is no folder; name one that is empty or not there"));
            }
            match fs::read_dir(folder)?.next() {
                None => Ok(()),
                Some(_) => Err(io::Error::other("is not empty; name a folder that is, or that is not there")),
            }
        }
    }
}

/// On the disk of the folder, with a name that nobody else has.
fn beside(folder: &Path) -> PathBuf {
    // A slash behind the name is none of the name.
    let mut name = folder.components().as_path().as_os_str().to_owned();
    name.push(format!(".restoring-{}", std::process::id()));
    name.into()
}

fn fill(args: &Args, archive: Archive, part: &Path) -> Result<Manifest, ExitCode> {
    let manifest = archive.unpack(part).map_err(|why| refused(&args.backup, &why))?;
    let finished = || -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&manifest)?;
        crate::files::put(&part.join(MANIFEST), 0o600, &text)?;
        for head in &manifest.heads {
            let trail = part.join(head.directory.below());
            let before = head.head.as_deref().unwrap_or("none");
            let text = format!("--to: backup of {}, head of the trail before {before}", manifest.made);
            used::begin("restore", &trail, text)?;
        }
        Ok(())
    };
    finished().map_err(|error| {
        eprintln!("{}: {error}; nothing was restored", full(part));
        ExitCode::from(exit::CANNOT_CREATE)
    })?;
    Ok(manifest)
}

fn told(manifest: &Manifest, folder: &Path) {
    println!("{}: {} files, backup of {}", folder.display(), manifest.members.len(), manifest.made);
    for member in manifest.members.iter().filter(|one| one.place.is_absolute()) {
        println!("{}: is to be at {}, or named anew", folder.join(member.below()).display(), member.place);
    }
    for reference in &manifest.references {
        let path = proof::place_of(&reference.place, folder);
        let state = match digest_of(&path) {
            Ok((sha256, _)) if reference.sha256.as_ref().is_none_or(|expected| *expected == sha256) => {
                continue;
            }
            Ok(_) => "is another file than the one before",
            Err(_) => "is missing",
        };
        println!("{}: {state}; bring it from where keys are kept", path.display());
    }
    println!("next: dimsegate check -c {}, from {}", manifest.configuration, folder.display());
}
