//! `[[audit.repository]]` and `[[audit.fhir]]`.

use super::material::{GOOD, Material};
use crate::audit::forward::{Begin, Destination, Kind, Transport};

const TLS: &str = "ca = \"certs/pacs-ca.pem\"\ncertificate-chain = \"certs/client.pem\"\nprivate-key = \"certs/client.key\"\n";

fn repository(keys: &str) -> String {
    format!(
        "{GOOD}[[audit.repository]]\nname = \"arr\"\naddress = \"arr.example:6514\"\n{keys}\n[audit.repository.tls]\n{TLS}"
    )
}

fn fhir(url: &str) -> String {
    format!("{GOOD}[[audit.fhir]]\nname = \"fhir\"\nurl = \"{url}\"\n")
}

fn destination(text: &str) -> Destination {
    let mut loaded = Material::shared().compile(text).unwrap();
    loaded.settings.forwarding.remove(0)
}

#[test]
fn a_repository_has_the_defaults_of_its_standards() {
    let found = destination(&repository("host-name = \"gate.example\""));
    assert_eq!((&*found.name, found.begin), ("arr", Begin::Now));
    assert_eq!(found.source.id, "dimsegate@gate.example");
    let Kind::Syslog(syslog) = found.kind else { panic!("{found:?}") };
    assert_eq!((syslog.facility, syslog.severity, syslog.message_id.as_str()), (10, 5, "IHE+RFC-3881"));
    assert!(matches!(syslog.transport, Transport::Tls(_)) && !syslog.numbered);
    let risks = Material::shared().risks(&repository(""));
    assert!(risks.iter().all(|risk| risk.contains("audit.signing-key")), "{risks:?}");
}

#[test]
fn a_renewed_certificate_is_a_change_and_the_same_file_is_none() {
    let material = Material::new();
    let load = || material.compile(&repository("")).unwrap().settings.forwarding.remove(0);
    let before = load();
    assert_eq!(before, load());
    material.certificate("client", "client", time::Duration::days(300));
    assert_ne!(before, load());
}

#[test]
fn mistakes_are_named_at_their_keys() {
    for (text, expected) in [
        (repository("facility = 24"), "[[audit.repository]] \"arr\" facility: is out of range"),
        (repository("message-id = \"a b\""), "message-id: \"a b\" cannot stand in a syslog header"),
        (repository("source-id = \" \""), "source-id: \" \" is not an identifier"),
        (repository("adress = \"x\""), "adress: is not a key of this table, did you mean \"address\"?"),
        (repository("transport = \"udp\""), "tls: goes with transport = \"tls\" only"),
        (repository("").replace("[audit.repository.tls]\n", "").replace(TLS, ""), "tls: is missing"),
        (
            repository("").replace("arr.example:6514", "arr.example"),
            "address: \"arr.example\" is not an address",
        ),
        (fhir("https://fhir.example/AuditEvent"), "tls: is missing"),
        (fhir("http://fhir.example/AuditEvent"), "url: \"http://fhir.example/…\" sends records in clear"),
        (fhir("ftp://x/"), "is not an https URL"),
        (fhir("https://u:p@x/"), "holds a user name"),
        (fhir("/AuditEvent"), "is not a whole URL"),
        (
            format!("{}[[audit.fhir]]\nname = \"arr\"\nurl = \"http://127.0.0.1/x\"\n", repository("")),
            "name: is taken",
        ),
    ] {
        let found = Material::shared().errors(&text);
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:?}");
    }
}

#[test]
fn what_goes_in_clear_is_a_risk() {
    let udp = repository("transport = \"udp\"").replace("[audit.repository.tls]\n", "").replace(TLS, "");
    for (text, expected) in [
        (udp, "transport: sends records in clear"),
        (fhir("http://127.0.0.1:8080/AuditEvent"), "url: sends records in clear"),
        (
            repository("").replace(TLS, "ca = \"certs/pacs-ca.pem\"\n"),
            "tls: shows the repository no certificate",
        ),
    ] {
        let found = Material::shared().risks(&text);
        assert!(found.iter().any(|risk| risk.contains(expected)), "{expected}: {found:?}");
    }
    let Kind::Fhir(endpoint) = destination(&fhir("http://[::1]/base/AuditEvent")).kind else { panic!() };
    assert_eq!((endpoint.address.as_str(), endpoint.path.as_str()), ("[::1]:80", "/base/AuditEvent"));
}
