//! What belongs in a backup of a configuration, in the order in which it is read.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Args, Failed};
use crate::audit::head;
use crate::backup::{
    BackupError, Content, Head, Kind, Last, Manifest, Place, Reference, Source, VERSION, digest_of,
};
use crate::config::{Loaded, Settings};
use crate::crosswalk;

/// Folders in folders of a state directory.
const DEEPEST: usize = 8;
/// Bytes of a file that may be a password: its digest would let somebody try which.
const GUESSABLE: u64 = 32;

/// Ready to be written; the members of the manifest are those of the sources.
pub(super) struct Gathered {
    pub manifest: Manifest,
    pub sources: Vec<Source>,
}

/// Everything once, and the first of what is named twice.
struct Gathering {
    sources: Vec<Source>,
    places: BTreeSet<PathBuf>,
    /// Whole paths of what is no state, though it may lie in a state directory.
    apart: BTreeSet<PathBuf>,
}

/// What runs, each with a trail of its own: the machine or everybody, then tenants.
pub(super) fn sites(loaded: &Loaded) -> Vec<&Settings> {
    let tenants = loaded.tenants.iter().map(|one| &*one.settings);
    std::iter::once(&loaded.settings).chain(tenants).collect()
}

/// Heads of trails come first: whatever a record up to there tells of was on the disk before it was written, and is read behind.
pub(super) fn gathered(args: &Args, loaded: &Loaded, made: &str) -> Result<Gathered, Failed> {
    let sites = sites(loaded);
    let mut all = Gathering { sources: Vec::new(), places: BTreeSet::new(), apart: BTreeSet::new() };
    let configuration = Place::of(&args.config)?;
    all.file(Kind::Configuration, &args.config)?;
    let heads: Result<Vec<Head>, Failed> =
        sites.iter().map(|site| all.trail(&site.audit.directory)).collect();
    let heads = heads?;
    all.keep_apart(args, &sites);
    for site in &sites {
        all.crosswalks(args, site)?;
    }
    for users in sites.iter().filter_map(|site| site.users.as_ref()) {
        all.file(Kind::Users, &users.file)?;
    }
    for site in &sites {
        all.folder(&site.state_directory, 0)?;
    }
    let references = all.named(args, &sites)?;
    let name = |site: &&Settings| site.tenant.as_deref().map(str::to_owned);
    let manifest = Manifest {
        format: Manifest::format(),
        version: VERSION,
        made_by: format!("dimsegate {}", env!("CARGO_PKG_VERSION")),
        made: made.to_owned(),
        configuration,
        digest: loaded.settings.digest.clone(),
        tenants: sites.iter().filter_map(name).collect(),
        heads,
        members: Vec::new(),
        references,
    };
    Ok(Gathered { manifest, sources: all.sources })
}

impl Gathering {
    fn file(&mut self, kind: Kind, path: &Path) -> Result<(), Failed> {
        let source = Source::open(kind, Place::of(path)?, path)?;
        self.push(source);
        Ok(())
    }

    fn push(&mut self, source: Source) {
        if self.places.insert(source.member().below()) {
            self.sources.push(source);
        }
    }

    /// The head of a trail, and how far it was sent.
    fn trail(&mut self, directory: &Path) -> Result<Head, Failed> {
        let path = head::path_of(directory);
        let kept =
            head::read(directory, &[]).map_err(|error| BackupError::Io { path: path.clone(), error })?;
        if kept.is_some() {
            self.file(Kind::TrailHead, &path)?;
        }
        for cursor in cursors(directory) {
            self.file(Kind::Cursor, &cursor)?;
        }
        Ok(Head { directory: Place::of(directory)?, head: kept.map(|kept| kept.head.to_string()) })
    }

    fn keep_apart(&mut self, args: &Args, sites: &[&Settings]) {
        for site in sites {
            self.apart.insert(whole(&site.audit.directory));
            for crosswalk in site.crosswalks.values() {
                self.apart
                    .extend(["", "-wal", "-shm", ".lock"].map(|end| beside(&whole(&crosswalk.path), end)));
            }
        }
        self.apart.extend(["", ".part"].map(|end| beside(&whole(&args.output), end)));
    }

    /// Each as of one moment. A copy lies beside the backup, and has no name any more when it is read.
    fn crosswalks(&mut self, args: &Args, site: &Settings) -> Result<(), Failed> {
        for crosswalk in site.crosswalks.values() {
            if !crosswalk.path.exists() {
                continue;
            }
            let copy = beside(&args.output, &format!(".part-{}", std::process::id()));
            let copied = crosswalk::copy(&crosswalk.path, &crosswalk.secret, &copy);
            let opened = copied.map_err(Failed::from).and_then(|()| {
                File::open(&copy).map_err(|error| BackupError::Io { path: copy.clone(), error }.into())
            });
            let _ = fs::remove_file(&copy);
            let _ = fs::remove_file(beside(&copy, "-journal"));
            let place = Place::of(&crosswalk.path)?;
            self.push(Source::new(Kind::Crosswalk, place, &crosswalk.path, Content::File(opened?))?);
        }
        Ok(())
    }

    /// Everything of a state directory but locks, what is being written, and what is no file.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Failed> {
        let failed = |error| BackupError::Io { path: folder.to_owned(), error };
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        let paths: Result<BTreeSet<PathBuf>, io::Error> = entries.map(|entry| Ok(entry?.path())).collect();
        for path in paths.map_err(failed)? {
            let passing = [".lock", "-new"]
                .iter()
                .any(|end| path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes()));
            if passing || Last::is_at(&path) || self.apart.contains(&whole(&path)) {
                continue;
            }
            // Gone meanwhile, where it cannot be looked at.
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            if found.is_file() {
                self.file(Kind::State, &path)?;
            } else if found.is_dir() && depth < DEEPEST {
                self.folder(&path, depth + 1)?;
            }
        }
        Ok(())
    }

    /// What the configurations name: certificates and lists are in it; of the rest, what is not is told.
    fn named(&mut self, args: &Args, sites: &[&Settings]) -> Result<Vec<Reference>, Failed> {
        let public: BTreeSet<PathBuf> =
            sites.iter().flat_map(|site| site.files.iter().map(|one| whole(&one.file))).collect();
        let named: BTreeSet<&PathBuf> = sites.iter().flat_map(|site| site.watched.keys()).collect();
        let mut references = Vec::new();
        for path in named {
            let place = Place::of(path)?;
            if self.places.contains(place.below()) {
                continue;
            }
            match (public.contains(&whole(path)), args.with_keys) {
                (true, _) => self.file(Kind::Certificate, path)?,
                (false, true) => self.file(Kind::Key, path)?,
                (false, false) => references.push(reference(place, path)?),
            }
        }
        Ok(references)
    }
}

fn reference(place: Place, path: &Path) -> Result<Reference, Failed> {
    let (sha256, length) =
        digest_of(path).map_err(|error| BackupError::Io { path: path.to_owned(), error })?;
    Ok(Reference { place, sha256: (length >= GUESSABLE).then_some(sha256) })
}

fn cursors(directory: &Path) -> Vec<PathBuf> {
    let is_cursor = |path: &PathBuf| path.extension().is_some_and(|end| end == "cursor");
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut cursors: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_cursor).collect();
    cursors.sort();
    cursors
}

fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
