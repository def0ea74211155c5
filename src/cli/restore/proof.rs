//! `restore --check`: all that a restore and a start would need, tried without changing anything.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Args, refused};
use crate::audit::verify::{Known, verify};
use crate::backup::{Archive, Head, Kind, Manifest, Place, digest_of};
use crate::cli::exit;
use crate::config::{self, Loaded};
use crate::crosswalk;
use crate::files::full;

/// What was found, and whether something is wrong.
#[derive(Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    fn right(text: &str) {
        println!("ok: {text}");
    }

    fn wrong(&mut self, text: &str) {
        self.wrong = self.wrong.saturating_add(1);
        println!("wrong: {text}");
    }
}

/// A folder that is gone when this is.
struct Private(PathBuf);

impl Private {
    fn make() -> io::Result<Self> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("the system has no random bytes"))?;
        let name = format!("dimsegate-restore-{:016x}", u64::from_be_bytes(random));
        let folder = std::path::absolute(env::temp_dir().join(name))?;
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs it.
pub(super) fn run(args: &Args, archive: Archive) -> Result<(), ExitCode> {
    let failed = |error: io::Error| {
        eprintln!("{}: {error}", full(&env::temp_dir()));
        ExitCode::from(exit::CANNOT_CREATE)
    };
    let folder = Private::make().map_err(failed)?;
    let manifest = archive.unpack(&folder.0).map_err(|why| refused(&args.backup, &why))?;
    let (sha256, _) = digest_of(&args.backup).map_err(failed)?;
    Findings::right(&format!(
        "backup of {} by {}, SHA-256 {sha256}: {} files, each is what its SHA-256 says",
        manifest.made,
        manifest.made_by,
        manifest.members.len()
    ));
    let mut findings = Findings::default();
    for head in &manifest.heads {
        trail(head, &mut findings);
    }
    let from = args.keys.clone().map_or_else(env::current_dir, std::path::absolute).map_err(failed)?;
    let complete = keys(&manifest, args, &from, &folder.0, &mut findings).map_err(failed)?;
    if !complete {
        println!("not tried: the configuration and its crosswalks, which need these keys");
        return Err(ExitCode::from(1));
    }
    // Relative paths begin in the folder: this process does nothing else.
    env::set_current_dir(&folder.0).map_err(failed)?;
    let loaded = config::load(&folder.0.join(manifest.configuration.below())).map_err(|problems| {
        println!("wrong: the configuration:\n{problems}");
        ExitCode::from(exit::BAD_CONFIGURATION)
    })?;
    Findings::right(&format!("the configuration {} has no errors", manifest.configuration));
    crosswalks(&manifest, &loaded, &folder.0, &mut findings);
    // Not from a folder that is about to be removed.
    let _ = env::set_current_dir("/");
    if findings.wrong > 0 { Err(ExitCode::from(1)) } else { Ok(()) }
}

/// Where a file is by a place, seen from a folder.
pub(super) fn place_of(place: &Place, from: &Path) -> PathBuf {
    from.join(place.path())
}

/// Whether a trail that is here has the head of the backup.
fn trail(head: &Head, findings: &mut Findings) {
    let (Some(text), folder) = (&head.head, head.directory.path()) else { return };
    if !folder.is_dir() {
        return Findings::right(&format!(
            "the trail {} is not at hand; its head was {text}",
            folder.display()
        ));
    }
    let Ok(since) = text.parse() else {
        return findings.wrong(&format!("{text:?} is no head of a trail"));
    };
    let known = Known { since: &[since], ..Known::default() };
    match verify(folder, known, &mut |_| {}) {
        Ok(found) if found.breaks.is_empty() && found.unread.is_empty() => {
            Findings::right(&format!("the trail {} has the head {text}", folder.display()));
        }
        Ok(found) if found.breaks.is_empty() => {
            Findings::right(&format!(
                "the trail {} is encrypted in part; its head was {text}",
                folder.display()
            ));
        }
        Ok(_) => findings.wrong(&format!(
            "the trail {} is broken, or has not the head {text}; dimsegate audit verify says where",
            folder.display()
        )),
        Err(error) => findings.wrong(&format!("the trail {}: {error}", folder.display())),
    }
}

/// Puts links to keys where the configuration of the folder finds them. Whether all are there and the same.
fn keys(
    manifest: &Manifest,
    args: &Args,
    from: &Path,
    folder: &Path,
    findings: &mut Findings,
) -> io::Result<bool> {
    let before = findings.wrong;
    for reference in &manifest.references {
        let path = match (&args.keys, reference.place.is_absolute()) {
            (Some(_), true) => from.join(reference.place.below()),
            _ => place_of(&reference.place, from),
        };
        match digest_of(&path) {
            Ok((sha256, _)) if reference.sha256.as_ref().is_none_or(|expected| *expected == sha256) => {
                let link = folder.join(reference.place.below());
                if let Some(above) = link.parent() {
                    DirBuilder::new().recursive(true).mode(0o700).create(above)?;
                }
                symlink(&path, link)?;
            }
            Ok(_) => {
                findings.wrong(&format!("{} is another file than the one of the backup", path.display()))
            }
            Err(error) => findings.wrong(&format!("{}: {error}; it is not in the backup", path.display())),
        }
    }
    let complete = findings.wrong == before;
    if complete && !manifest.references.is_empty() {
        Findings::right(&format!("{} keys and secrets are there and the same", manifest.references.len()));
    }
    Ok(complete)
}

/// Opens each with its key, and every row.
fn crosswalks(manifest: &Manifest, loaded: &Loaded, folder: &Path, findings: &mut Findings) {
    let tenants = loaded.tenants.iter().map(|one| &*one.settings);
    let named = std::iter::once(&loaded.settings).chain(tenants).flat_map(|site| site.crosswalks.values());
    let mut opened = 0;
    for crosswalk in named {
        let place = crosswalk.path.strip_prefix(folder).ok().map(Path::to_owned);
        let below = place.or_else(|| Some(Place::of(&crosswalk.path).ok()?.below().to_owned()));
        let Some(path) = below.map(|below| folder.join(below)).filter(|path| path.exists()) else { continue };
        match crosswalk::show(&path, &crosswalk.secret) {
            Ok(held) => {
                opened += 1;
                let count: u64 = held.kinds.values().sum();
                Findings::right(&format!(
                    "the crosswalk {}: {count} correspondences",
                    crosswalk.path.display()
                ));
            }
            Err(error) => findings.wrong(&error.to_string()),
        }
    }
    let members = manifest.members.iter().filter(|one| one.kind == Kind::Crosswalk).count();
    if opened < members {
        findings.wrong(&format!("{} of {members} crosswalks were not opened", members - opened));
    }
}
