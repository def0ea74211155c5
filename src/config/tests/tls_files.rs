//! The files of `tls`: missing, wrong, soon over, or open to others.

use time::Duration;

use super::material::{GOOD, Material, errors};

pub(super) const TLS: &str = r#"
[[listener]]
name = "tls"
address = "0.0.0.0:2762"
upstream = "u"
[listener.tls]
certificate-chain = "certs/server.pem"
private-key = "certs/server.key"
client-ca = "certs/ca.pem"
revocation-lists = ["certs/ca.crl.pem"]
"#;

#[test]
fn files_that_are_missing_or_wrong_are_named_at_their_keys() {
    let text = format!("{GOOD}{TLS}")
        .replace("certs/server.pem", "certs/none.pem")
        .replace("certs/ca.pem", "certs/no.pem");
    let found = errors(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("24:21: [[listener]] \"tls\" tls.certificate-chain: "), "{found:?}");
    assert!(found[1].starts_with("26:13: [[listener]] \"tls\" tls.client-ca: "), "{found:?}");
    let found = errors(&format!("{GOOD}{TLS}").replace("certs/server.key", "certs/client.key"));
    assert!(found.len() == 1 && found[0].contains("tls.private-key: "), "{found:?}");
}

#[test]
fn a_ca_or_a_client_key_left_out_is_missed() {
    let without = |line: &str| errors(&format!("{GOOD}{TLS}").replace(line, ""));
    assert!(without("client-ca = \"certs/ca.pem\"\n")[0].contains("tls.client-ca: is missing"));
    assert!(without("private-key = \"certs/server.key\"\n")[0].contains("tls.private-key: is missing"));
    let upstream = GOOD.replace(
        "[[role]]",
        "[upstream.tls]\nca = \"certs/pacs-ca.pem\"\nprivate-key = \"certs/client.key\"\n[[role]]",
    );
    let found = errors(&upstream);
    assert!(found.len() == 1 && found[0].contains("\"u\" tls.certificate-chain: is missing"), "{found:?}");
}

#[test]
fn the_name_of_an_upstream_with_one_host_need_not_be_repeated() {
    let tls = GOOD.replace("[[role]]", "[upstream.tls]\nca = \"certs/pacs-ca.pem\"\n[[role]]");
    let settings = Material::shared().compile(&tls).unwrap().settings;
    assert_eq!(settings.upstreams["u"].tls.as_ref().unwrap().settings.server_name, "10.0.0.5");
    let two = tls.replace("[\"10.0.0.5:104\"]", "[\"a.example:104\", \"b.example:104\"]");
    assert!(errors(&two)[0].contains("tls.server-name: is missing"));
}

#[test]
fn certificates_that_end_soon_and_open_keys_are_risks() {
    let material = Material::new();
    let text = format!("{GOOD}certificates = [\"dns:x\"]\n{TLS}");
    assert_eq!(material.risks(&text), Vec::<String>::new());
    material.certificate("server", "server", Duration::days(20));
    material.certificate("ca", "ca", Duration::days(-2));
    let key = std::fs::read(material.path("certs/server.key")).unwrap();
    material.secret("certs/server.key", &key, 0o644);
    let found = material.risks(&text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].contains("tls.certificate-chain: ") && found[0].contains(" ends in 19 days"),
        "{found:?}"
    );
    assert!(found[1].contains("tls.private-key: ") && found[1].contains("chmod o-rwx"), "{found:?}");
    assert!(found[2].contains("tls.client-ca: ") && found[2].contains(" ended 2 days ago"), "{found:?}");
}
