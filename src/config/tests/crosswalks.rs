//! `[[crosswalk]]`, and who names one.

use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::material::{GOOD, Material};
use crate::crosswalk::{Crosswalk, Secret};

/// Whose peer rewrites with a crosswalk.
static ONE: LazyLock<String> = LazyLock::new(|| {
    let rest = r#"rewrite = "w"
[[crosswalk]]
name = "c"
file = "conf/c"
key-file = "conf/crosswalk.key"
[[rewrite]]
name = "w"
crosswalk = "c"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "SOPInstanceUID", action = "uid" }]
"#;
    [GOOD, rest].concat()
});

fn errors(from: &str, to: &str) -> Vec<String> {
    assert!(ONE.contains(from), "{from}");
    Material::shared().errors(&ONE.replacen(from, to, 1))
}

fn only(errors: &[String], place: &str, what: &str) {
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with(place) && errors[0].contains(what), "{errors:?}");
}

#[test]
fn a_rewrite_leads_to_its_crosswalk() {
    let settings = Material::shared().compile(&ONE).unwrap().settings;
    assert_eq!(settings.remembered["w"], "c".into());
    assert_eq!(settings.crosswalks["c"].path, Material::shared().path("conf/c"));
    assert_eq!(Material::shared().risks(&ONE), Vec::<String>::new());
    assert!(!Material::shared().path("conf/c").exists(), "nothing is made");
}

#[test]
fn mistakes_are_reported_at_their_place() {
    only(&errors("crosswalk = \"c\"", "crosswalk = \"d\""), "25:13: ", "no [[crosswalk]] is called \"d\"");
    only(&errors("file = \"conf/c\"\n", ""), "19:1: ", "file: is missing");
    only(&errors("key-file = \"conf/crosswalk.key\"\n", ""), "19:1: ", "key-file: is missing");
    only(&errors("conf/crosswalk.key", "conf/nothing.key"), "22:12: ", "cannot be read");
    only(
        &errors(
            "secret-file = \"conf/pseudonym.key\"\nrules = [{ tag = \"SOPInstanceUID\", action = \"uid\" }]",
            "rules = [{ tag = \"PatientName\", action = \"empty\" }]",
        ),
        "25:13: ",
        "has no pseudonyms to remember",
    );
    let twice =
        "[[crosswalk]]\nname = \"d\"\nfile = \"conf/c\"\nkey-file = \"conf/crosswalk.key\"\n[[rewrite]]";
    only(&errors("[[rewrite]]", twice), "25:8: ", "is the file of the crosswalk in line 19");
}

#[test]
fn what_is_risky_is_said() {
    let risks = |from: &str, to: &str| Material::shared().risks(&ONE.replacen(from, to, 1));
    let same = risks("conf/crosswalk.key", "conf/pseudonym.key");
    assert!(same.len() == 1 && same[0].contains("the secret of the pseudonyms"), "{same:?}");
    let unused = risks("crosswalk = \"c\"\n", "");
    assert!(unused.len() == 1 && unused[0].contains("no [[rewrite]] names it"), "{unused:?}");
}

#[test]
fn a_file_of_another_key_or_kind_is_found_before_it_is_needed() {
    let material = Material::new();
    let text = material.here(&ONE);
    let secret = Secret::new(Zeroizing::new(vec![b'o'; 48]));
    drop(Crosswalk::open(&material.path("conf/c"), &secret).unwrap());
    only(&material.errors(&text), "22:12: ", "another key, its key version 1");
    std::fs::write(material.path("conf/c"), "something else, and long enough to be looked at".repeat(100))
        .unwrap();
    only(&material.errors(&text), "21:8: ", "is no crosswalk of dimsegate");
}

const DOMAIN: &str = r#"
[[crosswalk]]
name = "c"
file = "crosswalk/of-a-test"
key-file = "conf/crosswalk.key"
[[rewrite]]
name = "w"
secret-file = "conf/pseudonym.key"
crosswalk = "c"
profile = "basic"
rules = [{ tag = "PatientID", action = "pseudonym" }]
"#;

#[test]
fn two_ways_need_a_crosswalk_a_side_and_patients_that_lead_back() {
    let with = |keys: &str, from: &str, to: &str| {
        let peer = format!("rewrite = \"w\"\nrewrite-direction = \"to-peer\"\n{keys}");
        let text = format!("{GOOD}{keys}{DOMAIN}", keys = peer);
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let good = with("two-way = true", "", "");
    assert_eq!((Material::shared().errors(&good), Material::shared().risks(&good)), (Vec::new(), Vec::new()));
    for (from, to, expected) in [
        ("rewrite-direction = \"to-peer\"", "", "needs to know on which side the real patients are"),
        ("\"to-peer\"", "\"both\"", "needs to know on which side the real patients are"),
        ("rewrite = \"w\"\n", "", "needs a rewrite, add rewrite"),
        ("crosswalk = \"c\"\n", "", "needs a crosswalk, and rewrite \"w\" has none"),
        ("\"PatientID\"", "\"StudyID\"", "needs Patient IDs that lead back"),
    ] {
        let found = Material::shared().errors(&with("two-way = true", from, to));
        assert!(found.len() == 1 && found[0].contains(expected), "{from}: {found:?}");
        assert!(found[0].contains("two-way"), "{found:?}");
    }
    let moved = "options = [\"retain-longitudinal-modified-dates\"]\ndate-shift-days = [-30, 30]\nprofile";
    for (from, to, expected) in [
        ("profile = \"basic\"\n", "", "shows every attribute that no rule names"),
        ("profile = \"basic\"\n", "", "lets UIDs pass as they are"),
        ("profile", "options = [\"retain-uids\"]\nprofile", "lets UIDs pass as they are"),
        ("profile", moved, "moves dates into the future"),
        ("profile", moved, "by how many days its patient's dates are moved"),
        ("[\"C-STORE\"]", "[\"C-MOVE\"]", "may let the upstream send objects anywhere"),
    ] {
        let found = Material::shared().risks(&with("two-way = true", from, to));
        assert!(found.iter().any(|risk| risk.contains(expected)), "{from}: {found:?}");
    }
    let queries = with("", "[\"C-STORE\"]", "[\"C-STORE\", \"C-FIND\"]");
    let found = Material::shared().risks(&queries);
    assert!(found.len() == 1 && found[0].contains("also allows C-FIND, write two-way = true"), "{found:?}");
}
