//! Certificates that people made themselves, without a CA: known by what they are, or by their key.

use std::fs;

use crate::gate::{Gate, Setup, leaked, show, told};
use crate::object::Object;
use crate::peers::SecureOrthanc;
use crate::process;
use crate::site::{Site, openssl};

/// One certificate that signed itself, as the manual of Orthanc has it made (with a shorter key, which is made sooner).
fn recipe(site: &Site, name: &str) {
    openssl(
        site,
        &format!(
            "req -x509 -nodes -newkey rsa:2048 -keyout {name}.key -out {name}.pem -subj /C=BE/CN={name}"
        ),
    );
}

const OWN: &str = "certificate-chain = \"certs/gate.pem\"\nprivate-key = \"certs/gate.key\"\n";

#[test]
fn orthanc_and_the_gate_show_each_other_what_they_signed_themselves() {
    let site = Site::new();
    recipe(&site, "gate");
    recipe(&site, "orthanc");
    let address = process::free_address();
    let orthanc = SecureOrthanc::start(&site, "orthanc", "gate", address);
    let listener_tls = leaked(format!("{OWN}client-ca = \"certs/orthanc.pem\""));
    let upstream_tls = leaked(format!("[upstream.tls]\n{OWN}ca = \"certs/orthanc.pem\""));
    let setup = Setup { listener_tls, upstream_tls, ..Setup::tls(orthanc.archive.address) };
    let gate = Gate::start_with(site, &setup.toml().replace("127.0.0.1:0", &address.to_string()), "");
    assert!(orthanc.post("/modalities/gate/echo", b"{}").is_some(), "{}", gate.output());
    let stored = orthanc.post("/instances", &Object::ct(50_000).to_part10()).expect("an object taken");
    let instance = stored["ID"].as_str().expect("an instance").as_bytes().to_vec();
    assert!(orthanc.post("/modalities/gate/store", &instance).is_some(), "{}", gate.output());
    let closed = gate.record("the object", |record| {
        record["event"] == "association-closed" && !record["operations"]["C-STORE"].is_null()
    });
    assert_eq!(closed["operations"]["C-STORE"]["success"], 1);
    assert_eq!(closed["tls"]["subject"], "C=BE, CN=orthanc");
    assert_eq!(closed["tls"]["authority"]["subject"], "C=BE, CN=orthanc");
    // Another certificate that says the same is another one.
    let other = Site::new();
    recipe(&other, "orthanc");
    for file in ["orthanc.pem", "orthanc.key"] {
        fs::copy(other.path(&format!("certs/{file}")), gate.site.path(&format!("certs/copy-{file}")))
            .expect("a copy");
    }
    show(&gate, "copy-orthanc");
    let refused = gate.event("connection-refused");
    assert_eq!(refused["reason"], "certificate-unknown-ca");
    assert!(refused["explanation"].as_str().is_some_and(|text| text.contains("signed itself")), "{refused}");
}

#[test]
fn a_pacs_with_a_common_name_only_is_reached_by_its_key() {
    let site = Site::new();
    recipe(&site, "pacs");
    let (_, shown) = told(&site, &["certs", "show", "certs/pacs.pem"]);
    let pin =
        shown.split_whitespace().find(|word| word.starts_with("spki-sha256:")).expect("a pin").to_owned();
    let [key, certificate] = ["pacs.key", "pacs.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = crate::peers::storescp(&["+tls", &key, &certificate, "-ic"]);
    let upstream_tls = leaked(format!("[upstream.tls]\npins = [\"{pin}\"]"));
    let setup = Setup { upstream_tls, ..Setup::plain(archive.address) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let echo = |site: &Site| told(site, &["echo", "-c", "dimsegate.toml", "--upstream", "pacs"]);
    let (status, text) = echo(&site);
    assert_eq!(status, 0, "{text}");
    fs::write(site.path("dimsegate.toml"), setup.toml().replace(&pin, &pin.replace("spki-sha256:", "dns:")))
        .expect("a file");
    let (status, text) = told(&site, &["check", "-c", "dimsegate.toml"]);
    assert!(status == 78 && text.contains("names no key"), "{text}");
    // Its CA instead of its key: the words say what is missing, and the certificate.
    let ca = setup.toml().replace(&format!("pins = [\"{pin}\"]"), "ca = \"certs/pacs-ca.pem\"");
    fs::write(site.path("dimsegate.toml"), ca).expect("a file");
    let (status, text) = echo(&site);
    assert!(status == 69 && text.contains("pins") && text.contains("CN=pacs, issuer"), "{text}");
}
