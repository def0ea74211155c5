//! `[admin]`: who can be known at the interface, and what that means.

use super::material::{GOOD, Material, errors};
use crate::config::{AdminListen, ShownIdentifiers};
use crate::users::AdminRole;

const SOCKET: &str = "[admin]\nlisten = \"unix:run/admin.sock\"\n";
const TLS: &str =
    "[admin.tls]\ncertificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n";

#[test]
fn without_the_table_there_is_no_interface_and_a_socket_needs_nothing_else() {
    let material = Material::shared();
    assert!(material.compile(GOOD).unwrap().settings.admin.is_none());
    let text = format!("{GOOD}{SOCKET}[[admin.access]]\nrole = \"operator\"\nunix-groups = [\"dicom\"]\n");
    let loaded = material.compile(&text).unwrap();
    assert!(loaded.warnings.iter().all(|warning| !warning.key.starts_with("admin")), "{:?}", loaded.warnings);
    let admin = loaded.settings.admin.unwrap();
    assert_eq!(admin.listen, [AdminListen::Unix("run/admin.sock".into())]);
    assert_eq!([admin.session_idle, admin.session_max].map(|life| life.as_secs()), [900, 28_800]);
    assert_eq!(admin.patient_identifiers, ShownIdentifiers::None);
    assert_eq!(admin.access[0].role, AdminRole::Operator);
    assert_eq!(admin.access[0].groups, ["dicom"]);
}

#[test]
fn an_interface_at_which_nobody_can_be_known_is_refused_and_on_loopback_a_risk() {
    let listen = |address: &str| format!("{GOOD}[admin]\nlisten = \"{address}\"\n");
    for address in ["0.0.0.0:8765", "[::]:8765", "192.0.2.1:8765"] {
        let found = errors(&listen(address));
        assert!(
            found.len() == 1 && found[0].contains("admin.listen: ") && found[0].contains("[admin.tls]"),
            "{found:?}"
        );
    }
    for address in ["127.0.0.1:8765", "[::1]:8765"] {
        let found = Material::shared().risks(&listen(address));
        assert!(
            found.iter().any(|risk| risk.contains("admin.listen: lets every user and program")),
            "{found:?}"
        );
    }
    let alone = format!("{GOOD}{SOCKET}[[admin.access]]\nrole = \"viewer\"\ncertificates = [\"cn:alice\"]\n");
    let found = Material::shared().risks(&alone);
    assert!(found.iter().any(|risk| risk.contains("never match: without [admin.tls]")), "{found:?}");
    let off = format!("{}{TLS}client-authentication = \"off\"\n", listen("0.0.0.0:8765"));
    let found = errors(&off);
    assert!(found.len() == 1 && found[0].contains("nothing says who it is"), "{found:?}");
}

#[test]
fn it_may_listen_at_several_places_and_the_rules_hold_for_each() {
    let listen = |list: &str| {
        format!("{GOOD}[admin]\nlisten = [{list}]\nsession-idle = \"5m\"\nsession-max = \"1h\"\n")
    };
    let text = listen("\"unix:run/admin.sock\", \"127.0.0.1:8765\"");
    let admin = Material::shared().compile(&text).unwrap().settings.admin.unwrap();
    let address = AdminListen::Tcp("127.0.0.1:8765".parse().unwrap());
    assert_eq!(admin.listen, [AdminListen::Unix("run/admin.sock".into()), address]);
    assert_eq!([admin.session_idle, admin.session_max].map(|life| life.as_secs()), [300, 3600]);
    let found = Material::shared().risks(&text);
    assert!(
        found.iter().any(|risk| risk.contains("admin.listen[1]: lets every user and program")),
        "{found:?}"
    );
    for (list, expected) in [
        ("", "admin.listen: is empty"),
        ("\"unix:a\", 7", "admin.listen[1]: is an integer"),
        ("\"unix:a\", \"0.0.0.0:8765\"", "admin.listen[1]: 0.0.0.0:8765 would let whoever reaches it"),
        ("\"unix:a\", \"127.0.0.1:1\", \"unix:a\"", "admin.listen[2]: is listed twice"),
    ] {
        let found = errors(&listen(list));
        assert!(found.len() == 1 && found[0].contains(expected), "{list}: {found:?}");
    }
}

#[test]
fn what_is_wrong_with_it_is_said_where_it_is() {
    let access = |keys: &str| format!("{SOCKET}[[admin.access]]\n{keys}\n");
    for (text, expected) in [
        ("[admin]\npatient-identifiers = \"none\"\n".to_owned(), "admin.listen: is missing"),
        ("[admin]\nlisten = \"unix:\"\n".to_owned(), "admin.listen: \"unix:\" names no file"),
        ("[admin]\nlisten = \"8765\"\n".to_owned(), "is neither a socket nor an address with a port"),
        (format!("[admin]\nlisten = \"unix:/{}\"\n", "x".repeat(107)), "has 107 bytes at most, this has 108"),
        (access("role = \"viewer\""), "says of nobody that this is their role"),
        (access("unix-users = [\"alice\"]"), "role: is missing"),
        (access("role = \"king\"\nunix-users = [\"alice\"]"), "role: \"king\" is not known"),
        (access("role = \"viewer\"\nunix-users = [\"a:b\"]"), "is no name of a user or group"),
        (
            format!("{SOCKET}patient-identifiers = \"some\"\n"),
            "admin.patient-identifiers: \"some\" is not known",
        ),
        (
            format!("{SOCKET}session-idle = \"9h\"\n"),
            "admin.session-idle: a session would end before it is idle for so long",
        ),
        (format!("{SOCKET}session-max = \"0s\"\n"), "admin.session-max: is zero"),
    ] {
        let found = errors(&format!("{GOOD}{text}"));
        assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
    }
}
