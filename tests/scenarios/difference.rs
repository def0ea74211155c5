//! `check --diff`: what a new configuration newly admits or denies, before it is put into force.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dimsegate::users::{Hash, Store, User};

use crate::gate::{self, Ran, Setup};
use crate::login;
use crate::site::Site;

const WIDER: &str = "[[role]]\nname = \"all\"\noperations = [\"C-ECHO\", \"C-STORE\", \"C-FIND\"]\nsop-classes = [\"all\"]\n\
    transfer-syntaxes = [\"ExplicitVRLittleEndian\", \"ImplicitVRLittleEndian\"]\nhours = \"mon-fri 07:00-19:00 Europe/Paris\"";
const NARROWER: &str = "[[role]]\nname = \"all\"\noperations = [\"C-ECHO\", \"C-STORE\"]\nsop-classes = [\"storage\", \"Verification\"]\n\
    transfer-syntaxes = [\"ExplicitVRLittleEndian\"]\nhours = \"mon-fri 07:00-12:00 Europe/Paris\"\nrequire = [\"certificate\"]\nminimum-tls = \"1.3\"";

fn compared(site: &Site, old: &Setup, new: &Setup, more: &[&str]) -> Ran {
    for (name, setup) in [("old.toml", old), ("new.toml", new)] {
        fs::write(site.path(name), setup.toml()).expect("a configuration written");
    }
    gate::run(site, &[&["check", "--diff", "old.toml", "new.toml"], more].concat())
}

#[test]
fn what_is_newly_admitted_is_told_by_peer_and_key_and_fails_where_strict() {
    let upstream = "127.0.0.1:104".parse().expect("an address");
    let site = Site::new();
    let wider = Setup { roles: WIDER, peers: gate::peer(""), ..Setup::tls(upstream) };
    let narrower =
        Setup { roles: NARROWER, peers: gate::peer("networks = [\"127.0.0.0/16\"]"), ..Setup::tls(upstream) };
    let grown = compared(&site, &narrower, &wider, &["--strict"]);
    assert_eq!(grown.status, 1, "{}{}", grown.out, grown.err);
    let expected = "newly admitted:\n  peer \"site\" (role \"all\")\n    networks            127.0.0.0/8\n    \
        operations          C-FIND\n    sop-classes         all\n    transfer-syntaxes   ImplicitVRLittleEndian\n    hours               mon-fri 07:00-19:00 Europe/Paris\n    \
        require             without certificate\n    \
        minimum-tls         any, or none\nnothing newly denied\n";
    assert_eq!(grown.out, expected);
    assert_eq!(compared(&site, &narrower, &wider, &[]).status, 0, "it is told, and is no failure");
    let shrunk = compared(&site, &wider, &narrower, &["--strict"]);
    assert_eq!(shrunk.status, 0, "{}{}", shrunk.out, shrunk.err);
    assert!(shrunk.out.starts_with("nothing newly admitted\nnewly denied:\n"), "{}", shrunk.out);
    let same = compared(&site, &wider, &wider, &["--strict"]);
    assert_eq!((same.status, &*same.out), (0, "nothing newly admitted\nnothing newly denied\n"));
    let json = compared(&site, &narrower, &wider, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    let first = &json["newly-admitted"][0];
    assert_eq!((&first["what"], &first["detail"]), (&"networks".into(), &"127.0.0.0/8".into()), "{json}");
    assert_eq!(json["newly-denied"], serde_json::json!([]));
}

#[test]
fn what_a_listener_trusts_and_what_stands_behind_a_peer_is_compared_too() {
    let upstream = "127.0.0.1:104".parse().expect("an address");
    let site = Site::new();
    let old = Setup::tls(upstream);
    let rewrite = "[[rewrite]]\nname = \"r\"\nrules = [{ tag = \"PatientName\", action = \"empty\" }]";
    let optional = gate::leaked(gate::LISTENER_TLS.replace("required", "optional"));
    for (new, told) in [
        (Setup { listener_tls: optional, ..Setup::tls(upstream) }, "tls.client-authentication"),
        (Setup { tls: false, ..Setup::tls(upstream) }, "listener \"remote\""),
        (Setup { upstream_keys: "called-ae-title = \"OTHER\"", ..Setup::tls(upstream) }, "upstream"),
        (
            Setup { peers: gate::peer("rewrite = \"r\""), extra: rewrite, ..Setup::tls(upstream) },
            "\"r\", before none",
        ),
    ] {
        let ran = compared(&site, &old, &new, &["--strict"]);
        assert!(ran.status == 1 && ran.out.contains(told), "{told}: {}{}", ran.out, ran.err);
        assert!(ran.out.lines().all(|line| line.chars().count() <= 80), "{}", ran.out);
    }
    // What a key of a listener means is not looked into: it is on both sides.
    let kept = compared(&site, &old, &Setup { listener_tls: optional, ..Setup::tls(upstream) }, &[]);
    assert_eq!(kept.out.matches("tls.client-authentication").count(), 2, "{}", kept.out);
    let users = "[users]\nfile = \"users.toml\"\n[[role]]\nname = \"reader\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]";
    fs::write(site.path("users.toml"), "").expect("a file of users");
    fs::set_permissions(site.path("users.toml"), fs::Permissions::from_mode(0o600)).expect("permissions set");
    let with_users = Setup { extra: users, ..Setup::tls(upstream) };
    let wider = gate::leaked(users.replace("\"C-ECHO\"", "\"C-ECHO\", \"C-STORE\""));
    let ran = compared(&site, &with_users, &Setup { extra: wider, ..Setup::tls(upstream) }, &["--strict"]);
    let expected = "newly admitted:\n  role \"reader\", for users\n    operations          C-STORE\nnothing newly denied\n";
    assert!(ran.status == 1 && ran.out.starts_with(expected), "{}{}", ran.out, ran.err);
    fs::write(site.path("new.toml"), "[limits]\nmax-associations = \"many\"\n")
        .expect("a configuration written");
    let bad = gate::run(&site, &["check", "--diff", "old.toml", "new.toml"]);
    assert!(bad.status == 78 && bad.err.contains("new.toml"), "{}{}", bad.out, bad.err);
}

#[test]
fn users_of_two_files_are_compared_and_of_one_file_nothing_is_claimed() {
    let upstream = "127.0.0.1:104".parse().expect("an address");
    let site = Site::new();
    let hash = Hash::of("seven quiet herons").expect("a hash");
    let user = |name: &str, role: &str| login::user(name, role, &hash);
    let made = |file: &str, users: &[User]| {
        let store = Store::new(&site.path(file));
        users.iter().for_each(|user| store.add(user.clone()).expect("a user"));
    };
    let bert = User { disabled: true, ..user("bert", "all") };
    made("before.toml", &[user("anna", "viewer"), bert]);
    made("after.toml", &[user("anna", "all"), user("bert", "all"), user("nora", "all")]);
    let with = |file: &str| Setup {
        extra: gate::leaked(format!("[users]\nfile = \"{file}\"")),
        ..Setup::tls(upstream)
    };
    let grown = compared(&site, &with("before.toml"), &with("after.toml"), &["--strict"]);
    let expected = "newly admitted:\n  user \"anna\"\n    roles               all\n  \
        user \"bert\"\n    user                is disabled no more; roles: all; peers: any; ends: never\n  \
        user \"nora\"\n    user                is new; roles: all; peers: any; ends: never\n\
        newly denied:\n  user \"anna\"\n    roles               viewer\n";
    assert_eq!((grown.status, &*grown.out), (1, expected), "{}", grown.err);
    let first = compared(&site, &Setup::tls(upstream), &with("after.toml"), &["--strict"]);
    assert!(first.status == 1 && first.out.matches("is new; roles").count() == 3, "{}", first.out);
    let gone = compared(&site, &with("after.toml"), &Setup::tls(upstream), &["--strict"]);
    assert!(gone.status == 0 && gone.out.matches("is there no more").count() == 3, "{}", gone.out);
    let same = compared(&site, &with("after.toml"), &with("./after.toml"), &["--strict"]);
    let said = "nothing newly admitted\nnothing newly denied\nnot compared:\n  [users]\n    file                is the same for both:";
    assert!(same.status == 0 && same.out.starts_with(said), "{}", same.out);
}
