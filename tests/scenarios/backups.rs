//! One file with all that cannot be made again, taken of a running proxy, and a proxy made of it elsewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::crosswalk::{RULES, ct, exported};
use crate::gate::{self, Gate, Ran, Setup, leaked};
use crate::object::Object;
use crate::peers::{self, Archive};
use crate::raw::{Peer, rejection, verification};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::tokens::{bearing, claiming, issuer, make_keys};
use crate::upper;
use crate::wait;

const STATE: &str = "[admin]\nlisten = \"unix:admin.sock\"\nstate-directory = \"state\"\n";
const REJECTED: [u8; 4] = [0, 1, 1, 1];
const USED: [u8; 4] = [0, 1, 2, 1];

fn setup(archive: &Archive) -> Setup {
    let extra = leaked(format!("{STATE}{}{RULES}", issuer("required-claims = [\"jti\"]")));
    Setup {
        listener: "user-identity = \"accept\"\nuser-identity-in-clear = true",
        audit: "signing-key = \"conf/trail.key\"",
        limits: "connections-per-minute-per-address = 100000",
        peers: gate::peer("rewrite = \"site\""),
        extra,
        ..Setup::plain(archive.address)
    }
}

/// An identity in the site's folder, and its public key.
fn identity(site: &Site, name: &str) -> String {
    let ran = gate::run(site, &["audit", "identity", name]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let text = fs::read_to_string(site.path(name)).expect("an identity");
    text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("its public key").to_owned()
}

fn backup(site: &Site, to: &str, more: &[&str]) -> Ran {
    gate::run(site, &[&["backup", "-c", "dimsegate.toml", "-o", to], more].concat())
}

fn restore(site: &Site, file: &str, more: &[&str]) -> Ran {
    gate::run(site, &[&["restore", file, "--identity", "reader.txt"], more].concat())
}

/// Sends one object with storescu; what storescp kept of it.
fn stored(gate: &Gate, archive: &Archive, object: &Object) -> Object {
    let before = archive.files();
    let (_folder, files) = peers::files_of(std::slice::from_ref(object));
    let sent = ["-xe", "-aet", "SITE", "-aec", "PACS"];
    peers::requestor("storescu", gate.address, &sent, &[&files[0]]).expect_success();
    let file = wait::until("the object", || archive.files().into_iter().find(|one| !before.contains(one)));
    let kept = Object::from_file(&file).expect("a file that storescp wrote");
    fs::remove_file(file).expect("removed");
    kept
}

fn with_token(gate: &Gate, token: &str) {
    let mut requestor = Peer::plain(gate.address);
    requestor.send(&bearing(token).encode());
    requestor.associate(upper::ASSOCIATE_AC);
    requestor.release();
}

fn verified(site: &Site, key: &str) {
    let ran = gate::run(site, &["audit", "verify", "audit", "--public-key", key]);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("intact"), "{}", ran.out);
}

/// Everything below a folder, with what is in it.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(tree(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_restore_elsewhere_gives_the_same_pseudonyms_holds_blocks_and_used_tokens_and_has_an_intact_trail() {
    let archive = peers::storescp(&["--fork"]);
    let site = Site::new();
    make_keys(&site);
    assert_eq!(gate::run(&site, &["audit", "key", "conf/trail.key"]).status, 0);
    let setup = setup(&archive);
    let mut gate = Gate::start_in(site, &setup);
    let public = identity(&gate.site, "reader.txt");
    let first = stored(&gate, &archive, &ct(1, 20_000));
    let token = claiming(&gate.site, &json!({"jti": "once"}));
    with_token(&gate, &token);
    assert_eq!(rejection(&gate.plain(), &bearing(&token)), USED);
    let blocked =
        gate::run(&gate.site, &["block", "-c", "dimsegate.toml", "--reason", "lost", "ae-title:GONE"]);
    assert_eq!(blocked.status, 0, "{}", blocked.err);
    let remembered = exported(&gate.site);
    // An association is open, and another one stores, while it is made.
    let mut open = Peer::plain(gate.address);
    open.send(&verification("SITE", "PACS").encode());
    open.associate(upper::ASSOCIATE_AC);
    let many: Vec<Object> = (100..140).map(|number| ct(number, 20_000)).collect();
    let (_folder, files) = peers::files_of(&many);
    let made = std::thread::scope(|scope| {
        let storing = scope.spawn(|| {
            let names: Vec<&str> = files.iter().map(String::as_str).collect();
            peers::requestor("storescu", gate.address, &["-xe", "-aet", "SITE", "-aec", "PACS"], &names)
        });
        let made = backup(&gate.site, "gate.age", &["--recipient", &public]);
        storing.join().expect("no panic").expect_success();
        made
    });
    open.release();
    assert_eq!(made.status, 0, "{}{}", made.out, made.err);
    let mode = fs::metadata(gate.site.path("gate.age")).expect("the backup").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let noted = gate
        .record("the backup", |record| record["event"] == "audit-log-used" && record["command"] == "backup");
    let sha256 = made.out.split("SHA-256 ").nth(1).and_then(|text| text.get(..64)).expect("a digest");
    assert!(noted["arguments"].as_str().expect("arguments").contains(sha256), "{noted}");
    // Nothing of it is readable, and the proxy's log says nothing of it.
    let bytes = fs::read(gate.site.path("gate.age")).expect("the backup");
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    assert!(!bytes.windows(4).any(|window| window == b"GONE"));
    // A later object is none of the backup, and the same by the secret.
    let later = stored(&gate, &archive, &ct(2, 20_000));

    let before = tree(gate.site.root());
    let checked = restore(&gate.site, "gate.age", &["--check"]);
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
    for told in [
        "each is what its SHA-256 says",
        "keys and secrets are there and the same",
        "has no errors",
        "the crosswalk crosswalk/domain: ",
        "the trail audit has the head ",
    ] {
        assert!(checked.out.contains(told), "{told} in {}", checked.out);
    }
    assert!(checked.out.contains(sha256), "{}", checked.out);
    let of = |all: &[(PathBuf, Vec<u8>)]| -> Vec<(PathBuf, Vec<u8>)> {
        // A trail that runs grows by itself, and SQLite has its index of the journal for readers.
        let still = |one: &&(PathBuf, Vec<u8>)| {
            ["audit", "output.log", "-shm"].iter().all(|part| !one.0.display().to_string().contains(part))
        };
        all.iter().filter(still).cloned().collect()
    };
    assert_eq!(of(&tree(gate.site.root())), of(&before), "it changes nothing");
    assert!(gate.stop().success());
    verified(&gate.site, "conf/trail.key.pub");
    let head = gate::run(&gate.site, &["audit", "head", "audit"]).out;

    // Elsewhere: nothing is there but the keys, which somebody else kept.
    let elsewhere = Site::new();
    let root = elsewhere.root().to_owned();
    for name in ["certs", "conf"] {
        fs::remove_dir_all(root.join(name)).expect("removed");
    }
    for entry in fs::read_dir(&root).expect("a folder").flatten() {
        fs::remove_file(entry.path()).expect("removed");
    }
    let restored = restore(&gate.site, "gate.age", &["--to", root.to_str().expect("UTF-8")]);
    assert_eq!(restored.status, 0, "{}{}", restored.out, restored.err);
    assert!(restored.out.contains("conf/pseudonym.key: is missing"), "{}", restored.out);
    for (path, _) in tree(&root) {
        let mode = fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        let note = path.extension().is_some_and(|end| end == "note");
        assert_eq!(mode, if note { 0o644 } else { 0o600 }, "{}", path.display());
    }
    assert!(!root.join("audit/audit.head").exists() && root.join("of-the-trail/audit/audit.head").exists());
    for entry in fs::read_dir(gate.site.path("conf")).expect("keys").flatten() {
        let to = root.join("conf").join(entry.file_name());
        if !to.exists() {
            fs::create_dir_all(root.join("conf")).expect("a folder");
            fs::copy(entry.path(), to).expect("a key brought");
        }
    }
    let kept = exported(&elsewhere);
    assert!(remembered.len() > 5 && remembered.iter().all(|one| kept.contains(one)), "{kept:#?}");
    let mut second = Gate::start_in(elsewhere, &setup);
    let again = stored(&second, &archive, &ct(1, 20_000));
    assert!(again.data_set == first.data_set, "the same pseudonyms");
    assert_eq!(stored(&second, &archive, &ct(2, 20_000)).sop_instance, later.sop_instance);
    assert_eq!(rejection(&second.plain(), &verification("GONE", "PACS")), REJECTED);
    assert_eq!(rejection(&second.plain(), &bearing(&token)), USED);
    with_token(&second, &claiming(&second.site, &json!({"jti": "another"})));
    let begun = second.record("the restore", |record| {
        record["event"] == "audit-log-used" && record["command"] == "restore"
    });
    let named = begun["arguments"].as_str().expect("arguments");
    let (sequence, sha256) =
        named.split("trail before ").nth(1).and_then(|head| head.split_once(':')).expect("a head");
    let line = trail(&gate.site)
        .into_iter()
        .nth(sequence.parse::<usize>().expect("a number") - 1)
        .expect("the record");
    assert_eq!(hash(&line), sha256, "the record of the old trail, before {head}");
    assert!(second.stop().success());
    verified(&second.site, "conf/trail.key.pub");
}

/// Lines of a trail of one or two days.
fn trail(site: &Site) -> Vec<String> {
    let days = tree(&site.path("audit"))
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"));
    let texts = days.map(|(_, bytes)| String::from_utf8(bytes).expect("UTF-8"));
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn hash(line: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, line.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A site that does not run, with a backup of it: no proxy is needed for that.
fn resting(backup_keys: &str) -> (Site, String) {
    let site = Site::new();
    let nowhere = ([127, 0, 0, 1], 9).into();
    let setup = Setup {
        extra: leaked(format!("{RULES}{backup_keys}")),
        peers: gate::peer("rewrite = \"site\""),
        ..Setup::plain(nowhere)
    };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration");
    let public = identity(&site, "reader.txt");
    (site, public)
}

#[test]
fn nothing_is_restored_over_what_is_there_and_what_cannot_be_restored_leaves_nothing() {
    let (site, public) = resting("");
    assert_eq!(backup(&site, "gate.age", &["--recipient", &public]).status, 0);
    let again = backup(&site, "gate.age", &["--recipient", &public]);
    assert!(again.status == 73 && again.err.contains("is there already"), "{}", again.err);
    let nobody = backup(&site, "other.age", &[]);
    assert!(nobody.status == 64 && nobody.err.contains("--recipient"), "{}", nobody.err);
    fs::create_dir(site.path("full")).expect("a folder");
    fs::write(site.path("full/live"), "data").expect("a file");
    fs::create_dir(site.path("empty")).expect("a folder");
    symlink("empty", site.path("link")).expect("a link");
    let home = Scratch::new();
    for (to, why) in [
        ("full", "is not empty"),
        ("link", "is no folder"),
        ("reader.txt", "is no folder"),
        ("none/at/all", "No such file"),
    ] {
        let ran = restore(&site, "gate.age", &["--to", to]);
        assert!(
            ran.status == 73 && ran.err.contains(why) && ran.err.contains("nothing was restored"),
            "{to}: {}",
            ran.err
        );
    }
    let whole = fs::read(site.path("gate.age")).expect("a backup");
    let mut changed = whole.clone();
    *changed.last_mut().expect("a byte") ^= 1;
    identity(&site, "other.txt");
    for (bytes, why) in
        [(&whole[..whole.len() / 2], "is damaged"), (&changed, "is damaged"), (b"no age", "is not opened")]
    {
        fs::write(home.path().join("half.age"), bytes).expect("a file");
        let half = home.path().join("half.age").display().to_string();
        for how in [&["--to", "new"][..], &["--check"]] {
            let ran = restore(&site, &half, how);
            assert!(ran.status == 65 && ran.err.contains(why), "{how:?}: {} {}", ran.status, ran.err);
        }
    }
    let other = gate::run(&site, &["restore", "gate.age", "--identity", "other.txt", "--to", "new"]);
    assert!(other.status == 65 && other.err.contains("none of the identities opens it"), "{}", other.err);
    let left: Vec<String> = fs::read_dir(site.root())
        .expect("the folder")
        .flatten()
        .map(|one| one.file_name().into_string().expect("UTF-8"))
        .collect();
    assert!(
        !left.iter().any(|name| name.contains("new") || name.contains("restoring") || name.contains(".part")),
        "{left:?}"
    );
    assert_eq!(fs::read_dir(site.path("empty")).expect("a folder").count(), 0);
    // An empty folder is taken.
    assert_eq!(restore(&site, "gate.age", &["--to", "empty/"]).status, 0);
    assert!(site.path("empty/dimsegate.toml").exists());
}

#[test]
fn keys_are_in_it_only_where_that_is_asked_for_and_else_it_is_told_which_are_missing_or_others() {
    let (site, public) = resting("");
    let secret = fs::read(site.path("conf/pseudonym.key")).expect("a secret");
    assert_eq!(backup(&site, "without.age", &["--recipient", &public]).status, 0);
    fs::write(site.path("public.txt"), format!("# of the vault\n{public}\n")).expect("a file of keys");
    assert_eq!(backup(&site, "with.age", &["--recipient", "public.txt", "--with-keys"]).status, 0);
    for (name, has) in [("without.age", false), ("with.age", true)] {
        let to = format!("of-{name}");
        assert_eq!(restore(&site, name, &["--to", &to]).status, 0);
        let found = fs::read(site.path(&to).join("conf/pseudonym.key")).ok();
        assert_eq!(found, has.then(|| secret.clone()), "{name}");
    }
    assert_eq!(restore(&site, "without.age", &["--check"]).status, 0);
    fs::write(site.path("conf/pseudonym.key"), [9; 48]).expect("another secret");
    let other = restore(&site, "without.age", &["--check"]);
    assert!(other.status == 1 && other.out.contains("conf/pseudonym.key is another file"), "{}", other.out);
    fs::remove_file(site.path("conf/pseudonym.key")).expect("removed");
    let missing = restore(&site, "without.age", &["--check"]);
    assert!(
        missing.status == 1 && missing.out.contains("conf/pseudonym.key: No such file"),
        "{}",
        missing.out
    );
    // Those that are kept elsewhere.
    fs::create_dir_all(site.path("vault")).expect("a folder");
    fs::rename(site.path("conf"), site.path("vault/conf")).expect("moved");
    fs::copy(site.path("of-with.age/conf/pseudonym.key"), site.path("vault/conf/pseudonym.key"))
        .expect("brought");
    let vault = restore(&site, "without.age", &["--check", "--keys", "vault"]);
    assert_eq!(vault.status, 0, "{}{}", vault.out, vault.err);
    assert_eq!(restore(&site, "with.age", &["--check"]).status, 0, "it needs none");
}

#[test]
fn check_warns_until_a_backup_is_made_and_when_the_last_is_older() {
    let (site, public) = resting("");
    let text = fs::read_to_string(site.path("dimsegate.toml")).expect("a configuration");
    let table = format!("[backup]\nevery = \"7d\"\nrecipients = [\"{public}\"]\n{text}");
    fs::write(site.path("dimsegate.toml"), table).expect("a configuration");
    let warned = || gate::run(&site, &["check", "-c", "dimsegate.toml", "--json"]);
    let risks = || -> Vec<String> {
        let found: Value = serde_json::from_str(&warned().out).expect("JSON");
        let all = found["warnings"].as_array().expect("a list").clone();
        let of = all.into_iter().filter(|one| one["key"] == "backup.every");
        of.map(|one| one["problem"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(risks(), ["no backup was made yet"]);
    assert_eq!(backup(&site, "gate.age", &[]).status, 0, "for the recipients of the configuration");
    assert_eq!(risks(), Vec::<String>::new());
    let old = "{\"made\":\"2020-01-01T00:00:00Z\",\"sha256\":\"\"}";
    fs::write(site.path("state/backup.last"), old).expect("an older one");
    assert_eq!(risks(), ["the last backup is older: of 2020-01-01T00:00:00Z"]);
    fs::write(site.path("state/backup.last"), "no time").expect("something else");
    assert!(risks()[0].starts_with("nobody can tell when the last backup was made"), "{:?}", risks());
    // One that fails is none.
    assert_eq!(backup(&site, "gate.age", &[]).status, 73);
    assert!(risks()[0].starts_with("nobody can tell"), "{:?}", risks());
}

/// A file-size limit is an error of the write, as on a full disk (setrlimit(2)).
#[test]
fn a_disk_that_is_full_leaves_neither_half_a_backup_nor_half_a_restore() {
    let (site, public) = resting("");
    fs::create_dir(site.path("state")).expect("a folder");
    fs::write(site.path("state/seen"), vec![7; 400_000]).expect("some state");
    assert_eq!(backup(&site, "gate.age", &["--recipient", &public]).status, 0);
    let limited = |arguments: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 100; exec \"$0\" {arguments}");
        let mut shell = std::process::Command::new("bash");
        shell.current_dir(site.root()).args(["-c", &script, env!("CARGO_BIN_EXE_dimsegate")]);
        let output = shell.output().expect("a shell");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, told) = limited(&format!("backup -c dimsegate.toml -o full.age --recipient {public}"));
    assert!(status == Some(73) && told.contains("File too large"), "{status:?} {told}");
    let (status, told) = limited("restore gate.age --identity reader.txt --to new");
    assert!(status == Some(73) && told.contains("File too large"), "{status:?} {told}");
    for gone in ["full.age", "full.age.part", "new"] {
        assert!(!site.path(gone).exists(), "{gone}");
    }
    let left = fs::read_dir(site.root()).expect("the folder").flatten();
    assert!(!left.into_iter().any(|one| one.file_name().to_string_lossy().contains("restoring")));
}
