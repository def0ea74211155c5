//! What is risky in files that are right.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::material::{GOOD, Material};
use super::tls_files::TLS;

fn risks(text: &str) -> Vec<String> {
    Material::shared().risks(text)
}

fn only(found: &[String], expected: &str) {
    assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_with_errors_has_no_risks() {
    let text = format!("{GOOD}[audit]\non-failure = \"allow\"\nretention-days = 1\ncompres = true\n");
    let found = Material::shared().compile(&text).unwrap_err();
    assert_eq!((found.errors.len(), found.warnings), (1, Vec::new()));
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table")]
fn what_is_risky_is_said() {
    let peer = |name: &str, keys: &str| format!("[[peer]]\nname = \"{name}\"\nrole = \"r\"\n{keys}\n");
    let narrow = peer("n", "networks = [\"10.1.0.0/16\"]\ncalling-ae-titles = [\"AB\"]");
    let any = peer("any", "networks = [\"0.0.0.0/0\"]\ncalling-ae-titles = [\"*\"]");
    let bound =
        peer("b", "networks = [\"11.0.0.0/8\"]\ncalling-ae-titles = [\"B\"]\ncertificates = [\"dns:x\"]");
    let mover =
        "[[role]]\nname = \"m\"\noperations = [\"C-MOVE\", \"C-ECHO\"]\nsop-classes = [\"query-retrieve\"]\n";
    let route = "[[route]]\ncalled-ae-title = \"X*\"\nupstream = \"u\"\n[[route]]\ncalled-ae-title = \"XY\"\nupstream = \"u\"\n";
    let basic = "[[rewrite]]\nname = \"w\"\nprofile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\n";
    let listener = "[[listener]]\nname = \"m\"\naddress = \"127.0.0.1:104\"\n";
    let days = "options = [\"retain-longitudinal-modified-dates\"]\ndate-shift-days = [-300, -30]";
    let digits = "rules = [{ tag = \"AccessionNumber\", action = \"pseudonym\", length = 8 }]";
    let two_domains = format!(
        "[[crosswalk]]\nname = \"c\"\nfile = \"crosswalk/c\"\nkey-file = \"conf/users.key\"\n{basic}crosswalk = \"c\"\n{}",
        basic.replace("\"w\"", "\"v\"")
    );
    for (added, expected) in [
        (basic, "\"w\": makes one patient of all"),
        (&format!("{basic}{days}"), "date-shift-days: lies within less than a year"),
        (
            &format!(
                "{basic}rules = [{{ tag = \"StudyDescription\", action = \"pattern\", find = \"1\", value = \"2\" }}]"
            ),
            "has no effect: the profile has its turn behind it (Table E.1-1 2026d Study Description: X, basic)",
        ),
        (
            &basic.replace("pseudonym", "audit"),
            "holds a secret that can be guessed: one byte, again and again",
        ),
        (&two_domains, "is the secret of [[rewrite]] \"w\", whose crosswalk is not this one's"),
        (&format!("{basic}{digits}"), "length: is short enough for two values to share a pseudonym"),
        (
            &format!("{listener}proxy-protocol-from = [\"0.0.0.0/0\"]"),
            "lets whoever connects say which address",
        ),
        (&format!("{listener}proxy-protocol-from = [\"::/1\", \"8000::/1\"]"), "lets whoever connects say"),
        ("[automatic-blocks]\nexempt = [\"::/1\", \"8000::/1\"]", "holds every address: nobody is blocked"),
        (
            "[automatic-blocks]\nrefusals = 5",
            "is so few that one connection that is no DICOM blocks its address",
        ),
        ("[automatic-blocks]\nwithin = \"2m\"\nfor = \"1m\"", "is shorter than within"),
        (narrow.as_str(), "never decides: peer \"p\" in line 13 always matches first"),
        (&any, "lets any AE title in from any network"),
        (&bound, "never matches: no listener of it asks for a certificate"),
        (mover, "lets peers send studies to any destination by C-MOVE"),
        (mover, "lists C-ECHO, but no SOP class that carries it"),
        (route, "never matches: the route in line 18 takes it"),
        ("[audit]\non-failure = \"allow\"", "lets associations go unrecorded"),
        ("[audit]\npatient-identifiers = \"clear\"", "writes patients' identifiers into the records"),
        ("[audit]\ndirectory = \"audit\"", "audit.signing-key: is missing: whoever can write the records"),
        ("[audit]\nretention-days = 365", "deletes records after 365 days; HIPAA asks for six years"),
        (
            "[[rewrite]]\nname = \"w\"\nrules = [{ tag = \"PatientID\", action = \"empty\" }]",
            "keep their SOP Instance UID",
        ),
        (
            "[[rewrite]]\nname = \"w\"\nrules = [{ tag = \"(0010,xxxx)\", action = \"empty\" }, { tag = \"PatientID\", action = \"keep\" }]",
            "never matches: rules[0] decides on all of its elements",
        ),
        (
            "[[listener]]\nname = \"m\"\naddress = \"0.0.0.0:104\"",
            "is plain DICOM for every machine that reaches it",
        ),
        (
            &TLS.replace("client-ca", "client-authentication = \"optional\"\nclient-ca"),
            "lets requestors in that show no certificate",
        ),
    ] {
        let found = risks(&format!("{GOOD}{added}"));
        assert!(found.iter().any(|risk| risk.contains(expected)), "{added}: {found:?}");
    }
}

/// The risks of an audit folder, which is the material's `records` of this mode, in a folder `parent`.
fn of_folder(parent: u32, mode: Option<u32>) -> Vec<String> {
    let material = Material::new();
    let above = material.path("parent");
    std::fs::create_dir(&above).unwrap();
    if let Some(mode) = mode {
        std::fs::create_dir(above.join("records")).unwrap();
        chmod(&above.join("records"), mode);
    }
    chmod(&above, parent);
    let records = above.join("records");
    material.risks(&format!(
        "{GOOD}[audit]\nsigning-key = \"conf/audit-signing.key\"\ndirectory = \"{}\"\n",
        records.display()
    ))
}

#[test]
fn a_folder_for_records_belongs_to_the_proxy_alone() {
    for mode in [Some(0o700), Some(0o750), Some(0o755), None] {
        assert_eq!(of_folder(0o755, mode), Vec::<String>::new(), "{mode:?}");
    }
    only(&of_folder(0o755, Some(0o770)), "audit.directory: ");
    only(&of_folder(0o755, Some(0o777)), "can be written by others (mode 0777), who can take records away");
    only(
        &of_folder(0o777, Some(0o750)),
        "which everybody can write (mode 0777): whoever does can put another folder",
    );
    only(&of_folder(0o777, None), "which everybody can write (mode 0777)");
    // In a folder such as /tmp nobody can take away what is another's.
    assert_eq!(of_folder(0o1777, Some(0o750)), Vec::<String>::new());
}

#[test]
fn a_folder_for_records_can_be_written() {
    let material = Material::new();
    std::fs::write(material.path("file"), "").unwrap();
    let of = |directory: &str| {
        let directory = material.path(directory);
        let table = format!(
            "[audit]\nsigning-key = \"conf/audit-signing.key\"\ndirectory = \"{}\"\n",
            directory.display()
        );
        material.risks(&format!("{GOOD}{table}"))
    };
    assert_eq!(of("made/when/it/is/needed"), Vec::<String>::new());
    assert!(!material.path("made").exists(), "nothing is made");
    only(&of("file"), "20:13: audit.directory: cannot be written: ");
    only(&of("file"), "file is not a folder, give it to the account that the proxy runs as");
    only(&of("file/audit"), "cannot be written: ");
}

#[test]
fn an_upstream_that_is_the_proxy_itself_is_told() {
    let with = |address: &str| risks(&GOOD.replace("10.0.0.5:104", address));
    for itself in ["127.0.0.1:11112", "localhost:11112", "0.0.0.0:11112"] {
        let expected = "addresses[0]: is where listener \"l\" in line 2 of this proxy listens";
        only(&with(itself), expected);
    }
    for other in ["127.0.0.1:11113", "127.0.0.2:11112", "pacs.example:11112", "[::1]:11112"] {
        assert_eq!(with(other), Vec::<String>::new(), "{other}");
    }
}

#[test]
fn what_nobody_uses_is_told() {
    let role = "[[role]]\nname = \"idle\"\noperations = [\"C-STORE\"]\nsop-classes = [\"storage\"]\n";
    only(&risks(&format!("{GOOD}{role}")), "18:1: [[role]] \"idle\": no [[peer]] and no user has it");
    let upstream = "[[upstream]]\nname = \"idle\"\naddresses = [\"10.0.0.6:104\"]\n";
    only(
        &risks(&format!("{GOOD}{upstream}")),
        "\"idle\": no [[listener]], [[route]] or [[peer]] leads to it",
    );
    let route = "[[route]]\ncalled-ae-title = \"X\"\nupstream = \"idle\"\n";
    assert_eq!(risks(&format!("{GOOD}{upstream}{route}")), Vec::<String>::new());
    let rewrite = "[[rewrite]]\nname = \"idle\"\nrules = [{ tag = \"StationName\", action = \"set\", value = \"x\" }, { tag = \"SOPInstanceUID\", action = \"uid\" }]\nsecret-file = \"conf/pseudonym.key\"\n";
    only(&risks(&format!("{GOOD}{rewrite}")), "[[rewrite]] \"idle\": no [[peer]] has it");
    let listener = "[[listener]]\nname = \"idle\"\naddress = \"127.0.0.1:11113\"\nupstream = \"u\"\n";
    assert_eq!(risks(&format!("{GOOD}{listener}")), Vec::<String>::new());
    only(&risks(&format!("{GOOD}listeners = [\"l\"]\n{listener}")), "\"idle\": no [[peer]] may use it");
}

/// [`GOOD`] behind TLS, with these keys for its listener and its peer.
fn behind_tls(listener: &str, peer: &str) -> String {
    let tls =
        "[listener.tls]\ncertificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\n";
    GOOD.replacen("[[upstream]]", &format!("{tls}{listener}\n[[upstream]]"), 1) + peer
}

const ANY_OF_THE_CA: &str = "client-ca = \"certs/ca.pem\"\nrevocation-lists = [\"certs/ca.crl.pem\"]";

#[test]
fn what_a_certificate_proves_is_told() {
    let known = "is known by network and AE title alone: any certificate that listener \"l\" trusts will do";
    only(&risks(&behind_tls(ANY_OF_THE_CA, "")), known);
    assert_eq!(risks(&behind_tls(ANY_OF_THE_CA, "certificates = [\"dns:x\"]\n")), Vec::<String>::new());
    let pin = |digit: &str| format!("\"spki-sha256:{}\"", digit.repeat(64));
    let (one, two) = (format!("pins = [{}]", pin("a")), format!("pins = [{}, {}]", pin("a"), pin("b")));
    assert_eq!(risks(&behind_tls(&one, "")), Vec::<String>::new());
    only(&risks(&behind_tls(&two, "")), known);
    let nameless = risks(&behind_tls(&one, "certificates = [\"dns:x\"]\n"));
    only(&nameless, "never matches: its listeners trust keys only, and nobody vouches for names");
    let issuers = format!("issuers = [\"sha256:{}\"]\n", "a".repeat(64));
    only(
        &risks(&behind_tls(ANY_OF_THE_CA, &issuers)),
        "never matches: its issuers are none that its listeners trust",
    );
}

/// Two peers that rewrite, with these keys, and what else there is.
fn two_peers(first: &str, second: &str, rest: &str) -> String {
    let other =
        "[[peer]]\nname = \"q\"\nnetworks = [\"11.0.0.0/8\"]\ncalling-ae-titles = [\"B*\"]\nrole = \"r\"\n";
    format!("{GOOD}{first}\n{other}{second}\n{rest}")
}

fn rewrite(name: &str, key: &str) -> String {
    let rules = "rules = [{ tag = \"SOPInstanceUID\", action = \"uid\" }]";
    format!("[[rewrite]]\nname = \"{name}\"\nsecret-file = \"conf/{key}.key\"\n{rules}\n")
}

#[test]
fn two_tenants_with_the_same_pseudonyms_are_told() {
    let same = rewrite("w", "pseudonym");
    let tenants = |one: &str, other: &str, rest: &str| risks(&two_peers(one, other, rest));
    let (lyon, bonn) = ("rewrite = \"w\"\ntenant = \"lyon\"", "rewrite = \"w\"\ntenant = \"bonn\"");
    let found = tenants(lyon, bonn, &same);
    only(
        &found,
        "[[peer]] \"q\": has the pseudonyms of peer \"p\" in line 13, which is of another tenant: both together",
    );
    assert!(!found[0].contains("qv3m"), "{found:?}");
    assert_eq!(tenants(lyon, lyon, &same), Vec::<String>::new());
    assert_eq!(tenants(lyon, "rewrite = \"w\"", &same), Vec::<String>::new());
    // The secret counts, not the name of what uses it.
    let other = "rewrite = \"v\"\ntenant = \"bonn\"";
    let found = tenants(lyon, other, &format!("{same}{}", rewrite("v", "crosswalk")));
    only(&found, "of another tenant (rewrite \"v\" has the secret of rewrite \"w\")");
    assert_eq!(tenants(lyon, other, &format!("{same}{}", rewrite("v", "pseudonym-2"))), Vec::<String>::new());
}

#[test]
fn peers_of_two_cas_with_the_same_pseudonyms_are_told() {
    let material = Material::new();
    let tls = |name: &str, port: u16, ca: &str| {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\nupstream = \"u\"\n[listener.tls]\n\
             certificate-chain = \"certs/server.pem\"\nprivate-key = \"certs/server.key\"\nclient-ca = \"certs/{ca}.pem\"\n\
             revocation-lists = [\"certs/{ca}.crl.pem\"]\n"
        )
    };
    let peer = |listener: &str, keys: &str| {
        format!("listeners = [\"{listener}\"]\nrewrite = \"w\"\ncertificates = [\"dns:x\"]\n{keys}")
    };
    let with = |one: &str, other: &str| {
        let listeners = format!("{}{}", tls("m", 11113, "ca"), tls("n", 11114, "pacs-ca"));
        let rest = format!("{}{listeners}", rewrite("w", "pseudonym"));
        let found = material.risks(&two_peers(one, other, &rest));
        found.into_iter().filter(|risk| risk.contains("pseudonyms")).collect::<Vec<_>>()
    };
    only(&with(&peer("m", ""), &peer("n", "")), "which is of another CA: both together can tell");
    assert_eq!(with(&peer("m", ""), &peer("m", "")), Vec::<String>::new());
    let one = "tenant = \"t\"";
    assert_eq!(with(&peer("m", one), &peer("n", one)), Vec::<String>::new());
}

#[test]
fn monitors_from_everywhere_are_a_risk() {
    let found =
        risks(&GOOD.replacen("upstream = \"u\"\n", "upstream = \"u\"\nhealth-checks-from = [\"::/0\"]\n", 1));
    only(
        &found,
        "health-checks-from: keeps whoever looks at the port, and asks for nothing, out of the records",
    );
}
