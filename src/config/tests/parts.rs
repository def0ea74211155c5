//! What offline commands read of a configuration, and what they leave alone.

use std::fs;

use super::material::Material;
use crate::config::{crosswalk_tables, patient_identifiers, rules, ruleset};

/// Nothing that a listener, an upstream, another rewrite or the records name is there, and some of it is no value.
const ELSEWHERE: &str = r#"
[limits]
grace = "5 parsecs"
[audit]
directory = "/nowhere/audit"
signing-key = "conf/nothing.key"
patient-identifiers = "keyed-hash"
secret-file = "conf/audit.key"
[[listener]]
name = "l"
address = "127.0.0.1:11112"
[listener.tls]
certificate-chain = "certs/nothing.pem"
private-key = "certs/nothing.key"
[[crosswalk]]
name = "other"
file = "conf/other"
key-file = "conf/nothing.key"
[[crosswalk]]
name = "c"
file = "conf/c"
key-file = "conf/crosswalk.key"
[[rewrite]]
name = "other"
secret-file = "conf/nothing.key"
rules = [{ tag = "Nonsense", action = "uid" }]
[[rewrite]]
name = "w"
crosswalk = "c"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "SOPInstanceUID", action = "uid" }]
"#;

fn written(material: &Material, text: &str) -> std::path::PathBuf {
    let file = material.path("parts.toml");
    fs::write(&file, material.here(text)).unwrap();
    file
}

#[test]
fn rules_need_their_own_secret_and_crosswalk_and_nothing_else() {
    let material = Material::new();
    let file = written(&material, ELSEWHERE);
    let found = rules(&file, None, "w").unwrap();
    assert_ne!(found.ruleset.map_sop_instance_uid("1.2.3"), "1.2.3");
    assert_eq!(found.crosswalk.unwrap().path, material.path("conf/c"));
    fs::remove_file(material.path("conf/crosswalk.key")).unwrap();
    let lacking = rules(&file, None, "w").unwrap_err().to_string();
    assert!(lacking.contains("[[crosswalk]] \"c\" key-file: ") && lacking.lines().count() == 1, "{lacking}");
    assert!(ruleset(&file, None, "w").is_ok(), "which remembers nothing");
    fs::remove_file(material.path("conf/pseudonym.key")).unwrap();
    assert!(ruleset(&file, None, "w").unwrap_err().to_string().contains("[[rewrite]] \"w\" secret-file: "));
}

#[test]
fn what_is_wrong_with_them_is_said_at_its_place() {
    let material = Material::new();
    let wrong = |from: &str, to: &str, name: &str| {
        assert!(ELSEWHERE.contains(from));
        rules(&written(&material, &ELSEWHERE.replace(from, to)), None, name).unwrap_err().to_string()
    };
    assert!(
        wrong("\"w\"", "\"w\"", "x").ends_with(":1:1: no [[rewrite]] is called \"x\", did you mean \"w\"?")
    );
    assert!(
        wrong("crosswalk = \"c\"", "crosswalk = \"d\"", "w").contains("no [[crosswalk]] is called \"d\"")
    );
    assert!(wrong("SOPInstanceUID", "SOPInstancUID", "w").contains("rules[0].tag: "));
    assert!(
        wrong("name = \"w\"", "name = \"w\"\nbogus = 1", "w").contains("bogus: is not a key of this table")
    );
    assert!(wrong("[limits]", "[limits", "w").contains("is not TOML"));
    let twice = wrong("name = \"other\"\nsecret-file", "name = \"w\"\nsecret-file", "w");
    assert!(twice.contains("is taken by the table in line"), "{twice}");
}

#[test]
fn what_is_misspelt_is_told_wherever_it_stands_and_alone() {
    let material = Material::new();
    for (from, to, expected) in [
        ("grace", "profile = \"basic\"\ngrace", ":3:1: limits.profile: is a key of "),
        ("[limits]", "[limit]", ":2:2: limit: is not a key of this table, did you mean \"limits\"?"),
        ("address", "addres", "addres: is not a key of this table, did you mean \"address\"?"),
        (
            "name = \"other\"\nsecret",
            "name = \"other\"\nprofil = \"basic\"\nsecret",
            "did you mean \"profile\"?",
        ),
        ("[[rewrite]]", "[[rewrites]]", "did you mean \"rewrite\"?"),
        ("[[rewrite]]", "[[xyzzy]]", "xyzzy: is not a table that there is, write one of "),
        (
            "[[rewrite]]\nname = \"w\"",
            "[rewrite]\nname = \"w\"",
            "rewrite: is a table, write tables, each under its own [[rewrite]]",
        ),
    ] {
        assert!(ELSEWHERE.contains(from));
        let file = written(&material, &ELSEWHERE.replace(from, to));
        let told = [
            rules(&file, None, "w").unwrap_err(),
            ruleset(&file, None, "w").unwrap_err(),
            patient_identifiers(&file, None).unwrap_err(),
        ];
        for told in told.map(|told| told.to_string()) {
            assert!(told.contains(expected) && told.lines().count() == 1, "{to}: {told}");
        }
        assert!(crosswalk_tables(&file, None).unwrap_err().to_string().contains(expected), "{to}");
    }
}

#[test]
fn crosswalks_and_the_names_of_patients_need_no_certificates_either() {
    let material = Material::new();
    let file = written(&material, ELSEWHERE);
    let lacking = crosswalk_tables(&file, None).unwrap_err().to_string();
    assert!(
        lacking.contains("[[crosswalk]] \"other\" key-file: ") && lacking.lines().count() == 1,
        "{lacking}"
    );
    let one = ELSEWHERE
        .replace("name = \"other\"\nfile", "name = \"second\"\nfile")
        .replace("\"conf/nothing.key\"\n[[crosswalk]]", "\"conf/crosswalk.key\"\n[[crosswalk]]");
    let tables = crosswalk_tables(&written(&material, &one), None).unwrap();
    assert_eq!(tables.remembered.into_iter().collect::<Vec<_>>(), [("w".into(), "c".into())]);
    assert_eq!(tables.crosswalks.len(), 2);
    let named = patient_identifiers(&file, None).unwrap().of("4711").unwrap();
    assert!(!named.contains("4711") && !named.is_empty());
}
