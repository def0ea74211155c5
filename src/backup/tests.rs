//! Backups that are whole, and all that somebody may make of one.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::entry::{END, MANIFEST, header, padding};
use super::{
    Archive, BackupError, Content, Identity, Kind, Manifest, Member, Place, Source, VERSION, digest_of, write,
};
use crate::age;
use crate::scratch::Scratch;

const CONFIGURATION: &str = "conf/dimsegate.toml";

fn place(text: &str) -> Place {
    text.to_owned().try_into().unwrap()
}

fn manifest() -> Manifest {
    Manifest {
        format: Manifest::format(),
        version: VERSION,
        made_by: "dimsegate".into(),
        made: "2026-12-01T00:00:00Z".into(),
        configuration: place(CONFIGURATION),
        digest: String::new(),
        tenants: Vec::new(),
        heads: Vec::new(),
        members: Vec::new(),
        references: Vec::new(),
    }
}

fn source(kind: Kind, at: &str, bytes: &[u8]) -> Source {
    Source::new(kind, place(at), Path::new(at), Content::Bytes(bytes.to_vec())).unwrap()
}

fn configuration() -> Source {
    source(Kind::Configuration, CONFIGURATION, b"[log]\n")
}

/// One of several members, of which one is longer than a chunk of age; and what opens it.
fn backup(home: &Path) -> (PathBuf, Identity) {
    let (identity, _) = Identity::generate().unwrap();
    let path = home.join("gate.age");
    let long: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let sources = vec![
        configuration(),
        source(Kind::TrailHead, "audit/audit.head", b"{}\n"),
        source(Kind::State, "/var/lib/dimsegate/state/patients", &long),
        source(Kind::State, "state/empty", b""),
        source(Kind::Key, &format!("{}/{}", "d".repeat(120), "k".repeat(120)), b"key"),
    ];
    let made = write(&path, &[identity.public().clone()], manifest(), sources).unwrap();
    assert_eq!((made.sha256, made.length), digest_of(&path).unwrap());
    (path, identity)
}

fn unpacked(path: &Path, identity: &Identity, to: &Path) -> Result<Manifest, BackupError> {
    fs::create_dir_all(to).unwrap();
    Archive::open(path, std::slice::from_ref(identity))?.unpack(to)
}

/// A file as somebody could make it who has the public key.
fn forged(home: &Path, manifest: &str, behind: &[u8]) -> (PathBuf, Identity) {
    let (identity, _) = Identity::generate().unwrap();
    let path = home.join("forged.age");
    let mut out = age::encrypt(File::create(&path).unwrap(), &[identity.public().clone()]).unwrap();
    let length = manifest.len() as u64;
    out.write_all(&header(MANIFEST, 0, length)).unwrap();
    out.write_all(manifest.as_bytes()).unwrap();
    out.write_all(&vec![0; padding(length)]).unwrap();
    out.write_all(behind).unwrap();
    out.finish().unwrap();
    (path, identity)
}

fn with(members: Vec<Member>) -> String {
    serde_json::to_string(&Manifest { members, ..manifest() }).unwrap()
}

#[test]
fn what_was_backed_up_is_unpacked_for_its_owner_alone_and_says_what_it_was() {
    let home = Scratch::new();
    let (path, identity) = backup(home.path());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let to = home.path().join("to");
    let manifest = unpacked(&path, &identity, &to).unwrap();
    assert_eq!(manifest.members.len(), 5);
    let long = fs::read(to.join("var/lib/dimsegate/state/patients")).unwrap();
    assert!(
        long.len() == 200_000
            && long.iter().zip(0..).all(|(byte, at): (_, u32)| *byte == at.to_le_bytes()[0])
    );
    assert_eq!(
        fs::read(to.join("of-the-trail/audit/audit.head")).unwrap(),
        b"{}\n",
        "not where a trail begins"
    );
    assert_eq!(fs::read(to.join("d".repeat(120)).join("k".repeat(120))).unwrap(), b"key");
    let mode = |at: &str| fs::metadata(to.join(at)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("conf"), mode(CONFIGURATION), mode("state/empty")], [0o700, 0o600, 0o600]);
}

#[test]
fn nothing_is_written_over_and_what_fails_leaves_nothing() {
    let home = Scratch::new();
    let (path, identity) = backup(home.path());
    let names = || fs::read_dir(home.path()).unwrap().count();
    let before = fs::read(&path).unwrap();
    let again = write(&path, &[identity.public().clone()], manifest(), vec![configuration()]);
    assert!(matches!(again, Err(BackupError::Exists(_))));
    assert_eq!((fs::read(&path).unwrap(), names()), (before, 1));
    // What is written to while it is read is of no moment.
    let state = home.path().join("state");
    fs::write(&state, "counted: 1").unwrap();
    let other = home.path().join("other.age");
    for (change, fails) in [("counted: 2", true), ("cut", true), ("counted: 1, and appended", false)] {
        fs::write(&state, "counted: 1").unwrap();
        let sources = vec![configuration(), Source::open(Kind::State, place("state/x"), &state).unwrap()];
        fs::write(&state, change).unwrap();
        let made = write(&other, &[identity.public().clone()], manifest(), sources);
        assert_eq!(matches!(made, Err(BackupError::Changed(_))), fails, "{change}: {made:?}");
        assert_eq!(names(), if fails { 2 } else { 3 }, "{change}");
    }
}

#[test]
fn half_a_backup_a_changed_one_and_that_of_somebody_else_are_refused() {
    let home = Scratch::new();
    let (path, identity) = backup(home.path());
    let (other, _) = Identity::generate().unwrap();
    let to = home.path().join("to");
    assert!(matches!(unpacked(&path, &other, &to), Err(BackupError::Closed(age::Error::NoMatch))));
    let whole = fs::read(&path).unwrap();
    let damaged = home.path().join("damaged.age");
    let refused = |bytes: &[u8]| {
        fs::write(&damaged, bytes).unwrap();
        fs::remove_dir_all(&to).ok();
        unpacked(&damaged, &identity, &to).is_err()
    };
    for end in (0..whole.len()).step_by(4099).chain([whole.len() - 1]) {
        assert!(refused(&whole[..end]), "cut at {end}");
    }
    for at in (0..whole.len()).step_by(2053).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(refused(&bytes), "changed at {at}");
    }
    assert!(refused(&[&whole[..], b"x"].concat()), "more behind it");
    assert!(refused(b"") && refused(b"not age"));
    assert!(!refused(&whole));
}

#[test]
fn a_place_leads_down_only() {
    for wrong in
        ["", "/", ".", "..", "../../x", "a/../../x", "a//b", "a/./b", "/../x", "a/", "a\nb", "a\0b", "//x"]
    {
        assert!(Place::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        let claimed = with(vec![configuration().member().clone()])
            .replace(CONFIGURATION, &wrong.escape_default().to_string());
        let home = Scratch::new();
        let (path, identity) = forged(home.path(), &claimed, &[0; END]);
        let opened = Archive::open(&path, &[identity]).err();
        assert!(
            matches!(opened, Some(BackupError::Manifest(_) | BackupError::NoBackup)),
            "{wrong:?}: {opened:?}"
        );
    }
    assert_eq!(Place::of(Path::new("conf/../state/./x")).unwrap(), place("state/x"));
    assert_eq!(Place::of(Path::new("/etc/../x")).unwrap(), place("/x"));
    assert!(Place::of(Path::new("../x")).unwrap().is_absolute());
}

#[test]
fn what_a_manifest_claims_and_cannot_be_is_refused_before_anything_is_written() {
    let home = Scratch::new();
    let first = configuration().member().clone();
    let claimed =
        |at: &str, length| Member { kind: Kind::State, place: place(at), length, sha256: String::new() };
    let to = home.path().join("to");
    let refused = |manifest: &str, behind: &[u8]| {
        let (path, identity) = forged(home.path(), manifest, behind);
        fs::remove_dir_all(&to).ok();
        unpacked(&path, &identity, &to).unwrap_err()
    };
    let files = || fs::read_dir(&to).unwrap().count();
    let newer = with(vec![first.clone()]).replace("\"version\":1", "\"version\":2,\"more\":{}");
    assert!(matches!(refused(&newer, &[0; END]), BackupError::Newer { version: 2 }));
    let spool = with(vec![first.clone()]).replace("\"configuration\",\"place\"", "\"spool\",\"place\"");
    assert!(matches!(refused(&spool, &[0; END]), BackupError::Manifest(_)));
    let huge = refused(&with(vec![first.clone(), claimed("state/x", u64::MAX / 2)]), &[0; END]);
    assert!(matches!(huge, BackupError::NoRoom { .. }), "{huge}");
    assert_eq!(files(), 0);
    let inside = refused(&with(vec![first.clone(), claimed("conf/dimsegate.toml/x", 0)]), &[0; END]);
    assert!(matches!(inside, BackupError::Manifest(_)), "{inside}");
    // As a member that is absolute and one that is not.
    let twice = refused(&with(vec![first.clone(), claimed("/conf/dimsegate.toml", 0)]), &[0; END]);
    assert!(matches!(twice, BackupError::Manifest(_)), "{twice}");
    let none = refused(&with(Vec::new()), &[0; END]);
    assert!(matches!(none, BackupError::Manifest(_)), "{none}");
    // 20 GB that do not come.
    let member = claimed("state/x", 20_000_000_000);
    let content = [
        &header(CONFIGURATION, 1, 6)[..],
        b"[log]\n",
        &[0; 506],
        &header("state/x", 2, member.length),
        b"few",
    ];
    let ended = refused(&with(vec![first.clone(), member]), &content.concat());
    assert!(matches!(ended, BackupError::Damaged(_) | BackupError::NoRoom { .. }), "{ended}");
    // Something else than the manifest says.
    for content in [&b"[bad]\n"[..], b"[log]"] {
        let padded = [content, &vec![0; 512 - content.len()]].concat();
        let behind = [&header(CONFIGURATION, 1, content.len() as u64)[..], &padded, &[0; END]].concat();
        let told = refused(&with(vec![first.clone()]), &behind);
        assert!(matches!(told, BackupError::Damaged(_)), "{told}");
    }
    let good = [&header(CONFIGURATION, 1, 6)[..], b"[log]\n", &[0; 506], &[0; END]].concat();
    let behind = refused(&with(vec![first.clone()]), &[&good[..], &[0]].concat());
    assert!(matches!(behind, BackupError::Damaged(_)), "{behind}");
    let (path, identity) = forged(home.path(), &with(vec![first]), &good);
    fs::remove_dir_all(&to).ok();
    unpacked(&path, &identity, &to).unwrap();
}
