//! Who is asked for the consent of patients, and what is wrong with that.

use super::material::{GOOD, Material, errors};

const FHIR: &str = "[[consent]]\nname = \"c\"\nsource = \"fhir\"\nurl = \"https://fhir.example/r4\"\nsystem = \"urn:oid:1.2\"\n\
    [consent.tls]\nca = \"certs/ca.pem\"\n";
const ELEMENT: &str = "[[consent]]\nname = \"c\"\nsource = \"element\"\n";

fn asking(more: &str) -> String {
    format!("{GOOD}consent = \"c\"\n{more}")
}

fn listed(list: &str) -> Vec<String> {
    Material::shared().secret("conf/consents.csv", list.as_bytes(), 0o644);
    errors(&asking("[[consent]]\nname = \"c\"\nsource = \"file\"\nfile = \"conf/consents.csv\"\n"))
}

#[test]
fn each_source_is_taken_and_a_list_is_part_of_the_configuration() {
    for source in [FHIR, ELEMENT] {
        assert_eq!(errors(&asking(source)), [""; 0]);
    }
    assert_eq!(listed("identifier,decision\nP1,granted\n"), [""; 0]);
    let file = "[[consent]]\nname = \"c\"\nsource = \"file\"\nfile = \"conf/consents.csv\"\n";
    let loaded = Material::shared().compile(&asking(file)).unwrap().settings;
    let path = Material::shared().path("conf/consents.csv");
    assert!(loaded.watched.contains_key(&path) && loaded.files.iter().any(|one| one.file == path));
    Material::shared().secret("conf/consents.csv", b"identifier,decision\nP1,withdrawn\n", 0o644);
    let other = Material::shared().compile(&asking(file)).unwrap().settings;
    assert_ne!(loaded.digest, other.digest);
}

#[test]
fn what_is_wrong_with_a_list_is_told_where_it_is_named() {
    let found = listed("identifier,decision\nS3CRET,granted\nS3CRET,granted\n");
    assert!(
        found.len() == 1
            && found[0].contains("file: ")
            && found[0].contains("line 3 is about the same patient"),
        "{found:?}"
    );
    assert!(!found[0].contains("S3CRET"), "{found:?}");
}

#[test]
fn what_is_wrong_with_a_source_is_told_with_the_place() {
    let fhir = |from: &str, to: &str| {
        assert!(FHIR.contains(from), "{from}");
        asking(&FHIR.replace(from, to))
    };
    for (text, expected) in [
        (format!("{GOOD}consent = \"d\"\n{ELEMENT}"), "no [[consent]] is called \"d\""),
        (format!("{GOOD}consent-scope = \"x\"\n"), "says what for, and nobody is asked"),
        (asking(&ELEMENT.replace("element", "elements")), "source"),
        (asking(&format!("{ELEMENT}file = \"x\"\n")), "file: goes with source = \"file\" only"),
        (asking(&format!("{ELEMENT}issuer = \"x\"\n")), "issuer: is of no use"),
        (asking("[[consent]]\nname = \"c\"\nsource = \"file\"\n"), "file: is missing"),
        (
            asking("[[consent]]\nname = \"c\"\nsource = \"file\"\nfile = \"conf/none.csv\"\n"),
            "cannot be read",
        ),
        (fhir("https", "http"), "url: "),
        (fhir("/r4", "/r4?x=1"), "has a query"),
        (fhir("system = \"urn:oid:1.2\"\n", ""), "system"),
        (fhir("system", "deadline = \"21s\"\nsystem"), "is longer than 20 seconds"),
        (fhir("system", "cache-for = \"61m\"\nsystem"), "is longer than an hour"),
        (fhir("[consent.tls]\nca = \"certs/ca.pem\"\n", ""), "tls: is missing"),
    ] {
        let found = errors(&text);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
}

#[test]
fn what_may_surprise_is_a_risk() {
    let told = |text: &str| Material::shared().risks(text).join("\n");
    assert!(
        told(&asking(&ELEMENT.replace("source", "unknown = \"pass\"\nsource")))
            .contains("lets everybody's data go on of whom nothing is known")
    );
    assert!(told(&format!("{GOOD}{ELEMENT}")).contains("no [[peer]] asks it"));
    let reader = asking(ELEMENT).replace("[\"C-STORE\"]", "[\"C-STORE\", \"C-FIND\", \"N-CREATE\"]");
    let told = told(&reader);
    assert!(told.contains("its role allows C-FIND, which brings none: it is refused"), "{told}");
    assert!(told.contains("by N-CREATE nobody can tell whose data it shows"), "{told}");
}

#[test]
fn an_upstream_with_pseudonyms_can_say_whose_nothing_is() {
    const TWO_WAY: &str = "rewrite = \"w\"\nrewrite-direction = \"from-peer\"\ntwo-way = true\n";
    const REWRITE: &str = "[[crosswalk]]\nname = \"x\"\nfile = \"conf/crosswalk\"\nkey-file = \"conf/crosswalk.key\"\n[[rewrite]]\nname = \"w\"\n\
        crosswalk = \"x\"\nsecret-file = \"conf/pseudonym.key\"\nrules = [{ tag = \"PatientID\", action = \"replace\", value = \"{pseudonym}\" }]\n";
    let text = asking(&format!("{TWO_WAY}{ELEMENT}{REWRITE}"));
    assert_eq!(errors(&text), [""; 0]);
    let found = errors(&text.replace("[\"C-STORE\"]", "[\"C-STORE\", \"C-GET\"]"));
    assert!(found.len() == 1 && found[0].contains("consent: cannot be asked"), "{found:?}");
}
