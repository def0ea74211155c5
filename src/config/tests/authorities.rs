//! `client-ca` and `ca`: one file, or several.

use time::Duration;

use super::material::{GOOD, Material};

fn with(listener: &str, upstream: &str) -> String {
    let own = "certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"";
    GOOD.replace("upstream = \"u\"\n", &format!("upstream = \"u\"\n[listener.tls]\n{own}\n{listener}\n"))
        .replace(":104\"]\n", &format!(":104\"]\n[upstream.tls]\nserver-name = \"pacs\"\n{upstream}\n"))
}

const ONE: &str = "client-ca = \"certs/ca.pem\"";
const UPSTREAM: &str = "ca = \"certs/pacs-ca.pem\"";

#[test]
fn several_files_trust_what_is_in_each_and_all_of_them_are_of_the_configuration() {
    let material = Material::new();
    material.certificate("second-ca", "second-ca", Duration::days(365));
    let several = with(
        "client-ca = [\"certs/ca.pem\", \"certs/second-ca.pem\", \"certs/ca.pem\"]",
        "ca = [\"certs/pacs-ca.pem\", \"certs/second-ca.pem\"]",
    );
    let settings = material.compile(&several).unwrap().settings;
    let tls = settings.listeners[0].tls.as_ref().unwrap();
    assert_eq!(
        tls.built.trust.as_ref().unwrap().signing().count(),
        2,
        "and the one that is listed twice counts once"
    );
    let digests = |name: &str| {
        let file = material.path(name);
        settings.files.iter().filter(|one| one.file == file).map(|one| one.sha256.clone()).collect::<Vec<_>>()
    };
    for name in ["certs/ca.pem", "certs/second-ca.pem", "certs/pacs-ca.pem"] {
        assert_eq!(digests(name).len(), 1, "{name}");
    }
    material.certificate("second-ca", "second-ca", Duration::days(300));
    let later = material.compile(&several).unwrap().settings;
    assert_ne!(later.digest, settings.digest);
    assert_eq!(later.file_digest, settings.file_digest);
    // One file as before.
    let one = material.compile(&with(ONE, UPSTREAM)).unwrap().settings;
    assert_eq!(one.listeners[0].tls.as_ref().unwrap().built.trust.as_ref().unwrap().signing().count(), 1);
}

#[test]
fn what_is_wrong_with_one_of_several_is_said_at_its_place() {
    let material = Material::new();
    material.secret("certs/empty.pem", b"nothing", 0o644);
    let errors = |listener: &str, upstream: &str| material.errors(&with(listener, upstream));
    let only = |errors: Vec<String>, place: &str, what: &str| {
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(place) && errors[0].contains(what), "{errors:?}");
    };
    let second = |file: &str| format!("[\"certs/ca.pem\", \"certs/{file}.pem\"]");
    let tls = "[[listener]] \"l\" tls.client-ca";
    only(
        errors(&format!("client-ca = {}", second("none")), UPSTREAM),
        &format!("{tls}[1]: "),
        "none.pem cannot be read",
    );
    only(
        errors(&format!("client-ca = {}", second("empty")), UPSTREAM),
        &format!("{tls}[1]: "),
        "holds no certificate",
    );
    only(errors("client-ca = []", UPSTREAM), tls, "is empty");
    only(errors("client-ca = [1]", UPSTREAM), &format!("{tls}[0]: "), "is an integer, write a string");
    only(
        errors("client-ca = 1", UPSTREAM),
        tls,
        "write the name of a file in a string, or several in an array",
    );
    let upstream = "[[upstream]] \"u\" tls.ca";
    only(
        errors(ONE, &format!("ca = {}", second("empty"))),
        &format!("{upstream}[1]: "),
        "holds no certificate",
    );
    only(errors(ONE, "ca = []"), upstream, "is empty");
}
