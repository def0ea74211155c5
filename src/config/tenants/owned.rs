//! Files and folders that are one tenant's alone: its trail, its people, its keys and secrets.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::super::diagnostic::Diagnostic;
use super::super::report::{Located, Place};
use super::super::secret;
use super::super::section::Section;
use super::super::settings::{AdminListen, Settings};
use super::compiling::{Compiled, problem};
use crate::files;

/// Something that no other tenant may have.
pub(super) struct Owned {
    what: What,
    place: Place,
}

enum What {
    /// Nor may one lie in another.
    Folder(Whereabouts),
    File(Whereabouts),
    /// A file with a key or a secret, by what is in it, too.
    Key(Whereabouts, Option<Vec<u8>>),
    /// Where it is kept what outlives a restart.
    State(Whereabouts),
    /// By its fingerprint.
    Secret(Vec<u8>),
    /// Where an administration interface is: its file, or its address.
    Socket(Whereabouts),
    Address(SocketAddr),
}

/// Where something is, by whichever way it is named.
struct Whereabouts {
    resolved: PathBuf,
    /// Device and number, where it is there already.
    inode: Option<(u64, u64)>,
}

impl Whereabouts {
    fn of(path: &Path) -> Self {
        let inode = path.metadata().ok().map(|found| (found.dev(), found.ino()));
        Self { resolved: resolved(path), inode }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.resolved == other.resolved || (self.inode.is_some() && self.inode == other.inode)
    }
}

/// Without links and dots, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut above = whole.as_path();
    let mut rest = PathBuf::new();
    loop {
        if let Ok(found) = above.canonicalize() {
            return if rest.as_os_str().is_empty() { found } else { found.join(rest) };
        }
        match (above.parent(), above.file_name()) {
            (Some(parent), Some(name)) => {
                rest = if rest.as_os_str().is_empty() { name.into() } else { Path::new(name).join(&rest) };
                above = parent;
            }
            _ => return whole,
        }
    }
}

/// Keys of tables that name a file nobody else may have.
const OF_TABLES: [(&str, &[&str]); 3] =
    [("crosswalk", &["file"]), ("rewrite", &["secret-file"]), ("consent", &["file"])];
/// The same, of files with a secret. Those of rewrites are compared as they are used.
const SECRETS_OF_TABLES: [(&str, &[&str]); 2] = [("crosswalk", &["key-file"]), ("notify", &["secret-file"])];

/// SHA-256 of a secret, without line ends behind it; `None` of what cannot be read, which was told, and of what is no file, which
/// could be read once only.
fn digest_of(path: &Path) -> Option<Vec<u8>> {
    let is_file = path.metadata().is_ok_and(|found| found.is_file());
    let content = is_file.then(|| files::read(path, secret::LONGEST).ok()).flatten().map(Zeroizing::new)?;
    let end = content.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    Some(digest::digest(&digest::SHA256, content.get(..end)?).as_ref().to_vec())
}

/// Where one keeps what outlives a restart. Problems with it are told where its trail is named.
pub(super) fn state(of: &Compiled, folder: &Path) -> Option<Owned> {
    let place = of.owned.first()?.place.clone();
    Some(Owned { what: What::State(Whereabouts::of(folder)), place })
}

/// What one text names.
pub(super) fn of(root: &Section<'_>, settings: &Settings) -> Vec<Owned> {
    let mut owned = Vec::new();
    let audit = root.table("audit");
    let trail = audit.as_ref().map_or_else(|| root.place_of("audit"), |audit| audit.place_of("directory"));
    owned.push(Owned { what: What::Folder(Whereabouts::of(&settings.audit.directory)), place: trail });
    let files = |section: &Section<'_>, keys: &[&'static str]| -> Vec<Owned> {
        let file = |Located { value, place }: Located<PathBuf>| Owned {
            what: What::File(Whereabouts::of(&value)),
            place,
        };
        keys.iter().filter_map(|key| section.path(key)).map(file).collect()
    };
    let secrets = |section: &Section<'_>, keys: &[&'static str]| -> Vec<Owned> {
        let secret = |Located { value, place }: Located<PathBuf>| Owned {
            what: What::Key(Whereabouts::of(&value), digest_of(&value)),
            place,
        };
        keys.iter().filter_map(|key| section.path(key)).map(secret).collect()
    };
    owned.extend(audit.iter().flat_map(|audit| secrets(audit, &["signing-key", "secret-file"])));
    let users = root.table("users");
    owned.extend(users.iter().flat_map(|users| files(users, &["file"])));
    owned.extend(users.iter().flat_map(|users| secrets(users, &["key-file"])));
    if let (Some(admin), Some(section)) = (&settings.admin, root.table("admin")) {
        let socket = |listen: &AdminListen| match listen {
            AdminListen::Unix(path) => What::Socket(Whereabouts::of(path)),
            AdminListen::Tcp(address) => What::Address(*address),
        };
        let place = || section.place_of("listen");
        owned.extend(admin.listen.iter().map(|listen| Owned { what: socket(listen), place: place() }));
    }
    for (key, keys) in OF_TABLES {
        owned.extend(root.tables(key).iter().flat_map(|section| files(section, keys)));
    }
    for (key, keys) in SECRETS_OF_TABLES {
        owned.extend(root.tables(key).iter().flat_map(|section| secrets(section, keys)));
    }
    for rewrite in root.tables("rewrite") {
        owned.extend(rewrite.inline_tables("secrets").iter().flat_map(|secret| files(secret, &["file"])));
        let secret = rewrite.called().and_then(|name| settings.secret_fingerprints.get(name));
        let (secret, place) = (secret.map(|tag| tag.as_ref().to_vec()), rewrite.place.clone());
        owned.extend(secret.map(|secret| Owned { what: What::Secret(secret), place }));
    }
    owned
}

/// Each that two of them have, told of the later one. It is not said whose the other is.
pub(super) fn problems(path: &Path, all: &[Compiled]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (at, compiled) in all.iter().enumerate() {
        let before: Vec<&Owned> = all.iter().take(at).flat_map(|one| &one.owned).collect();
        for own in &compiled.owned {
            let told = before.iter().find_map(|other| collides(&own.what, &other.what));
            let Some((what, remedy)) = told else { continue };
            problems.extend(problem(path, &compiled.text, &own.place, what, remedy));
        }
        let others: Vec<(bool, &Owned)> = all
            .iter()
            .enumerate()
            .flat_map(|(other, one)| one.owned.iter().map(move |owned| (other == at, owned)))
            .collect();
        for own in &compiled.owned {
            let told = others.iter().find_map(|(is_own, other)| lies_in(&own.what, &other.what, *is_own));
            let Some((what, remedy)) = told else { continue };
            problems.extend(problem(path, &compiled.text, &own.place, what, remedy));
        }
    }
    problems
}

/// Whether something lies where another tenant's things are, or records lie where the state of anybody is.
fn lies_in(own: &What, other: &What, is_own: bool) -> Option<(&'static str, &'static str)> {
    let within = |one: &Whereabouts, two: &Whereabouts| one.resolved.starts_with(&two.resolved);
    match (own, other) {
        (What::Folder(own), What::State(other)) => {
            let collide = own.is_same(other) || within(own, other) || within(other, own);
            let problem =
                "is the folder of what outlives a restart (state-directory), or lies in it, or it lies there";
            collide.then_some((problem, "give each tenant a folder apart"))
        }
        (What::File(own) | What::Key(own, _), What::Folder(other)) => {
            let problem = "lies in the folder of the records of another tenant, or of the machine";
            (!is_own && within(own, other)).then_some((problem, "keep it apart"))
        }
        (What::File(own) | What::Key(own, _), What::State(other)) => {
            let is_of_tenant = other
                .resolved
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"tenant-"));
            let problem = "lies in the folder of what outlives a restart of another tenant";
            (!is_own && is_of_tenant && within(own, other)).then_some((problem, "keep it apart"))
        }
        _ => None,
    }
}

fn collides(own: &What, other: &What) -> Option<(&'static str, &'static str)> {
    match (own, other) {
        (What::Folder(own), What::Folder(other)) => {
            let within = |one: &Whereabouts, two: &Whereabouts| one.resolved.starts_with(&two.resolved);
            let collide = own.is_same(other) || within(own, other) || within(other, own);
            let told = (
                "is the folder of another trail, or lies in it, or it lies there",
                "give each tenant a folder apart",
            );
            collide.then_some(told)
        }
        (What::Key(own, content), What::Key(other, others)) if !own.is_same(other) => {
            let same = content.is_some() && content == others;
            same.then_some(("has the same content as one of another tenant", "make one for each"))
        }
        (What::File(own) | What::Key(own, _), What::File(other) | What::Key(other, _)) => {
            own.is_same(other).then_some(("is a file of another tenant", "give each tenant its own"))
        }
        (What::Secret(own), What::Secret(other)) => (own == other).then_some((
            "has a secret that another tenant has: both together can tell which of their patients are one",
            "make one for each: openssl rand -out FILE 32",
        )),
        (What::Socket(own), What::Socket(other)) => own.is_same(other).then_some(OF_ANOTHER_INTERFACE),
        (What::Address(own), What::Address(other)) => {
            (own == other && own.port() != 0).then_some(OF_ANOTHER_INTERFACE)
        }
        _ => None,
    }
}

const OF_ANOTHER_INTERFACE: (&str, &str) =
    ("is where another tenant is administered", "give each tenant its own socket or address");

#[cfg(test)]
mod tests {
    use super::{Whereabouts, resolved};
    use crate::scratch::Scratch;

    #[test]
    fn one_file_is_the_same_by_whichever_way_it_is_named() {
        let home = Scratch::new();
        let (folder, file) = (home.path().join("folder"), home.path().join("folder/key"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&file, "x").unwrap();
        let (link, hard) = (home.path().join("link"), home.path().join("hard"));
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        std::fs::hard_link(&file, &hard).unwrap();
        let own = Whereabouts::of(&file);
        for named in [link.join("key"), folder.join("../folder/./key"), hard] {
            assert!(own.is_same(&Whereabouts::of(&named)), "{}", named.display());
        }
        assert!(!own.is_same(&Whereabouts::of(&folder.join("other"))));
        // What is not there yet is known by where it will be.
        assert_eq!(resolved(&link.join("new/trail")), resolved(&folder.join("new/trail")));
    }
}
