use super::answers::{Answers, Flags};
use super::configuration;
use super::folder::Folder;
use crate::config;
use crate::scratch::Scratch;
use clap::Parser;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[derive(Debug, Parser)]
struct All {
    #[command(flatten)]
    flags: Flags,
}

/// Every answer is the default; nobody is asked.
fn answers() -> Answers {
    All::parse_from(["init", "--yes"]).flags.answers().unwrap()
}

fn within(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_made_has_no_errors_and_no_risks() {
    let home = Scratch::new();
    let mut folder = Folder::begin(&home.path().join("a/b")).unwrap();
    folder.fill(&answers()).unwrap();
    let chosen = All::parse_from(["init", "--make-passcode"]).flags.source.choose_or("anna", false).unwrap();
    let confirmed = crate::cli::user::second_factor_of("anna").unwrap();
    super::first_user(&folder, "anna", (&chosen, confirmed)).unwrap();
    folder.keep();
    let loaded = config::load(&folder.configuration()).unwrap();
    let users = crate::users::read(&folder.file("keys/users.toml")).unwrap();
    let [anna] = users.as_slice() else { panic!("{} users", users.len()) };
    assert!(anna.name == "anna" && anna.roles == ["administrator"] && anna.one_time.is_some());
    assert_eq!(loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(loaded.settings.audit.directory, home.path().join("a/b/audit"));
    drop(folder);
    assert_eq!(within(&home.path().join("a/b")), ["audit", "certs", "dimsegate.toml", "keys", "state"]);
    for secret in [
        "certs/ca.key",
        "certs/server.key",
        "certs/site.key",
        "keys/audit.key",
        "keys/audit-signing.key",
        "keys/users.toml",
        "keys/users.key",
    ] {
        let mode = fs::metadata(home.path().join("a/b").join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{secret}");
    }
    assert!(configuration::text(&answers()).lines().count() < 60);
}

#[test]
fn a_failure_half_way_leaves_nothing() {
    let home = Scratch::new();
    let bad = Answers { site: "server".into(), ..answers() };
    let mut folder = Folder::begin(&home.path().join("a/b")).unwrap();
    assert!(folder.fill(&bad).unwrap_err().contains("server.pem exists already"));
    assert!(home.path().join("a/b/certs/server.pem").exists(), "it failed before the half");
    drop(folder);
    assert_eq!(within(home.path()), Vec::<String>::new());
    // A folder that was there stays.
    fs::create_dir(home.path().join("mine")).unwrap();
    let mut folder = Folder::begin(&home.path().join("mine")).unwrap();
    assert!(folder.fill(&bad).is_err());
    drop(folder);
    assert_eq!(within(&home.path().join("mine")), Vec::<String>::new());
}

#[test]
fn a_folder_with_something_in_it_stays_as_it_is() {
    let home = Scratch::new();
    fs::write(home.path().join("audit"), "mine").unwrap();
    assert!(Folder::begin(home.path()).err().unwrap().contains("is not empty"));
    assert!(Folder::begin(&home.path().join("audit")).err().unwrap().contains("cannot be used"));
    assert_eq!(fs::read(home.path().join("audit")).unwrap(), b"mine");
}

#[test]
fn answers_that_would_make_a_wrong_file_are_refused() {
    for (flag, bad, good) in [
        (
            "--name",
            &["", "a b", "*.example", "dns:x", "uri:urn:x"][..],
            &["10.0.0.4", "::1", "gate.example"][..],
        ),
        ("--pacs", &["pacs", "10.0.0.5:0", "\"]:104"], &["pacs:104", "[2001:db8::5]:104"]),
        ("--pacs-ae-title", &["", "A*", "\"", "SEVENTEEN_LETTERS", "A\\B"], &["PACS", "MY PACS"]),
        ("--site", &["", "ca", "Server", "-a", "a-", "a.b", "a/b", "7"], &["lyon", "site-7"]),
        ("--site-network", &["lyon", "10.0.0.1/8"], &["10.0.0.0/8", "10.0.0.1"]),
        ("--user", &["", "an na", "-a", "é"], &["anna", "anna@x"]),
    ] {
        for text in bad {
            assert!(All::try_parse_from(["init", flag, text]).is_err(), "{flag} {text:?}");
        }
        for text in good {
            assert!(All::try_parse_from(["init", flag, text]).is_ok(), "{flag} {text:?}");
        }
    }
}
