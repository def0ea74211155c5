//! `[users]`, and where relative paths begin.

use std::path::Path;

use time::macros::datetime;

use super::material::{GOOD, Material};
use crate::config::load::compile;
use crate::config::{load, users_of};
use crate::users::{Hash, Key, OneTimeSecret, Store, User};

const TABLE: &str = "[users]\nfile = \"conf/people.toml\"\nkey-file = \"conf/users.key\"\n";

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        hash: Hash::of("seven quiet herons").unwrap(),
        one_time: Key::new(&[b'k'; 48]).unwrap().seal(name, &OneTimeSecret::generate().unwrap()).ok(),
        roles: Vec::new(),
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    }
}

fn with(material: &Material, users: impl IntoIterator<Item = User>) {
    let store = Store::new(&material.path("conf/people.toml"));
    users.into_iter().for_each(|user| store.add(user).unwrap());
}

#[test]
fn what_is_risky_of_users_is_said() {
    let material = Material::new();
    let text = [GOOD, TABLE].concat();
    with(&material, [user("anna"), User { peers: vec!["p".into()], ..user("bert") }]);
    assert_eq!(material.risks(&text), Vec::<String>::new());
    with(
        &material,
        [
            User { one_time: None, ..user("carl") },
            User { one_time: None, disabled: true, ..user("dora") },
            User { not_after: Some(datetime!(2020-01-31 0:00 UTC)), ..user("emil") },
            User { peers: vec!["p".into(), "q".into()], ..user("fay") },
        ],
    );
    let risks = material.risks(&text);
    assert_eq!(risks.len(), 3, "{risks:?}");
    for (risk, expected) in risks.iter().zip([
        "19:8: users.file: \"carl\": the passcode alone will do, dimsegate user one-time-code",
        "19:8: users.file: \"emil\": ended, dimsegate user remove",
        "19:8: users.file: \"fay\": may use a peer that no [[peer]] is called, ",
    ]) {
        assert!(risk.starts_with(expected), "{risk}");
    }
}

#[test]
fn a_file_of_users_or_a_key_that_is_wrong_is_told_at_its_key() {
    let material = Material::new();
    let text = [GOOD, TABLE].concat();
    let only = |text: &str, expected: &[&str]| {
        let errors = material.errors(text);
        assert!(errors.len() == 1 && expected.iter().all(|part| errors[0].contains(part)), "{errors:?}");
    };
    only(&text, &["19:8: users.file: ", "people.toml cannot be read: it is not there"]);
    with(&material, [user("anna")]);
    only(
        &text.replace("key-file = \"conf/users.key\"\n", ""),
        &["18:1: ", "key-file: is missing", "\"anna\""],
    );
    only(&text.replace("users.key", "nothing.key"), &["20:12: users.key-file: ", "cannot be read"]);
    only(
        &text.replace("users.key", "pseudonym-2.key"),
        &["20:12: ", "does not open the one-time secret of \"anna\""],
    );
    let good = std::fs::read(material.path("conf/people.toml")).unwrap();
    material.secret("conf/people.toml", &good, 0o640);
    only(&text, &["19:8: users.file: ", "can be read by others (mode 0640), type: chmod 600"]);
    material.secret("conf/people.toml", b"[[user]]\nname = \"anna\"\n", 0o600);
    only(&text, &["19:8: users.file: ", "people.toml:1:1: missing field `passcode`"]);
}

#[test]
fn commands_find_the_users_whatever_else_is_wrong() {
    let material = Material::new();
    let file = material.path("c.toml");
    std::fs::write(&file, material.here(&format!("[limits]\ngrace = \"5 parsecs\"\n{TABLE}"))).unwrap();
    let found = users_of(&file, None).unwrap();
    assert!(found.file == material.path("conf/people.toml") && found.key.is_some());
    std::fs::write(&file, "[limits]\ngrace = \"5s\"\n").unwrap();
    assert!(users_of(&file, None).unwrap_err().to_string().contains("has no [users]"));
    std::fs::write(&file, "[usres]\nfile = \"x\"\n").unwrap();
    let told = users_of(&file, None).unwrap_err().to_string();
    assert!(told.lines().count() == 1 && told.contains("did you mean \"users\"?"), "{told}");
}

#[test]
fn relative_paths_begin_where_the_file_says() {
    let material = Material::new();
    let audit = "[audit]\ndirectory = \"audit\"\nsigning-key = \"conf/audit-signing.key\"\n";
    let file = material.path("c.toml");
    std::fs::write(&file, format!("relative-to = \"file\"\n{GOOD}{audit}")).unwrap();
    let loaded = load(&file).unwrap();
    assert_eq!(loaded.settings.audit.directory, material.path("audit"));
    std::fs::write(&file, format!("{GOOD}{audit}")).unwrap();
    assert!(load(&file).unwrap_err().to_string().contains("relative to the working directory"));
    let compiled =
        |text: &str| compile(Path::new("sub/c.toml"), text).map(|loaded| loaded.settings.audit.directory);
    let text = format!("{GOOD}[audit]\ndirectory = \"audit\"\n");
    assert_eq!(compiled(&format!("relative-to = \"file\"\n{text}")).unwrap(), Path::new("sub/audit"));
    assert_eq!(
        compiled(&format!("relative-to = \"working-directory\"\n{text}")).unwrap(),
        Path::new("audit")
    );
    assert_eq!(compiled(&text.replace("\"audit\"", "\"/a\"")).unwrap(), Path::new("/a"));
    let state = |head: &str| compile(Path::new("sub/c.toml"), &format!("{head}{GOOD}")).unwrap().settings;
    assert_eq!(
        state("relative-to = \"file\"\n").state_directory,
        Path::new("sub/state"),
        "also where none is written"
    );
    assert_eq!(state("").state_directory, Path::new("state"));
    let below = compiled(&format!("{text}relative-to = \"file\"\n")).unwrap_err().to_string();
    assert!(
        below.contains("audit.relative-to: is a key of the whole file, write it above the first header"),
        "{below}"
    );
    let other = compiled(&format!("relative-to = \"fiel\"\n{text}")).unwrap_err().to_string();
    assert!(other.contains("did you mean \"file\"?"), "{other}");
}

#[test]
fn who_logs_in_is_known_on_loopback_and_behind_tls_and_in_no_other_way() {
    let material = Material::new();
    with(&material, [user("anna"), User { roles: vec!["operator".into()], ..user("bert") }]);
    let admin = |listen: &str| [GOOD, TABLE, "[admin]\nlisten = ", listen, "\n"].concat();
    let both = admin("[\"unix:run/admin.sock\", \"127.0.0.1:8765\"]");
    assert_eq!(material.risks(&both), Vec::<String>::new());
    let open = admin("\"0.0.0.0:8765\"");
    let found = material.compile(&open).unwrap_err().to_string();
    assert!(found.contains("admin.listen: 0.0.0.0:8765 would let whoever reaches it"), "{found}");
    let tls = "[admin.tls]\ncertificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n\
               client-authentication = \"off\"\n";
    assert!(material.compile(&[&open, tls].concat()).is_ok());
    let access = |role: &str| format!("{both}[[admin.access]]\nrole = \"{role}\"\nunix-users = [\"bert\"]\n");
    assert_eq!(material.risks(&access("operator")), Vec::<String>::new());
    let found = material.risks(&access("viewer"));
    assert!(
        found.len() == 1 && found[0].contains("\"bert\": another role by login than unix-users"),
        "{found:?}"
    );
    Store::new(&material.path("conf/people.toml")).remove("bert").unwrap();
    let found = material.risks(&both);
    assert!(
        found.len() == 1 && found[0].contains("nobody can log in at the administration interface"),
        "{found:?}"
    );
}
