//! `[[rewrite]]`: its secrets, rules and profile.

use super::material::{GOOD, Material, errors};
use crate::scratch::Scratch;

const REWRITE: &str = r#"
[[rewrite]]
name = "w"
secret-file = "conf/test.key"
rules = [
  { tag = "PatientID", action = "pseudonym" },
  { tag = "SOPInstanceUID", action = "uid" },
]
"#;

fn secret(bytes: &[u8], mode: u32) -> Vec<String> {
    let material = Material::new();
    material.secret("conf/test.key", bytes, mode);
    material.errors(&format!("{GOOD}{REWRITE}"))
}

#[test]
fn secrets_are_long_and_private() {
    assert_eq!(secret(&[b'x'; 32], 0o600), Vec::<String>::new());
    assert_eq!(secret(&[[b'x'; 32].as_slice(), b"\n"].concat(), 0o400), Vec::<String>::new());
    let short = secret(&[[b'x'; 31].as_slice(), b"\n"].concat(), 0o600);
    assert!(short.len() == 1 && short[0].contains("holds 31 bytes, fewer than 32"), "{short:?}");
    let open = secret(&[b'x'; 32], 0o640);
    assert!(open.len() == 1 && open[0].contains("(mode 0640), type: chmod 600 "), "{open:?}");
    assert!(!open[0].contains("xxx"), "{open:?}");
}

#[test]
fn rules_are_checked_where_they_stand() {
    let rules = |rules: &str| errors(&format!("{GOOD}[[rewrite]]\nname = \"w\"\nrules = [\n{rules}\n]\n"));
    let found = rules(
        "{ tag = \"PatientNam\", action = \"empty\" },\n{ tag = \"PatientID\", action = \"drop\" },\n{ tag = \"X\" }",
    );
    assert!(
        found[0].starts_with("21:9: [[rewrite]] \"w\" rules[0].tag: ") && found[0].contains("PatientName"),
        "{found:?}"
    );
    assert!(found[1].starts_with("22:31: [[rewrite]] \"w\" rules[1].action: "), "{found:?}");
    assert!(found[2].starts_with("23:1: [[rewrite]] \"w\" rules[2].action: is missing"), "{found:?}");
    assert_eq!(found.len(), 3);
    let needs = rules("{ tag = \"PatientID\", action = \"pseudonym\" }");
    assert!(needs.len() == 1 && needs[0].contains("secret-file"), "{needs:?}");
}

#[test]
fn profiles_are_never_silently_ignored() {
    let profile = |line: &str| errors(&format!("{GOOD}[[rewrite]]\nname = \"w\"\n{line}\nrules = []\n"));
    assert_eq!(profile("profile = \"none\"\noptions = []"), Vec::<String>::new());
    assert!(profile("profile = \"basic\"")[0].contains("secret-file: is missing"));
    assert!(profile("options = [\"clean-descriptors\"]")[0].contains("options: needs a profile"));
    assert!(profile("burned-in = \"refuse\"")[0].contains("burned-in: needs a profile"));
    let dir = Scratch::new();
    let secret = dir.path().join("key");
    std::fs::write(&secret, [b'k'; 32]).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let basic = |line: &str| {
        let secret = secret.display();
        profile(&format!("profile = \"basic\"\nsecret-file = \"{secret}\"\n{line}"))
    };
    assert_eq!(basic("options = [\"retain-uids\"]"), Vec::<String>::new());
    let both = "options = [\"retain-longitudinal-full-dates\", \"retain-longitudinal-modified-dates\"]";
    assert!(basic(both)[0].contains("exclude each other"));
    assert!(basic("options = [\"retain-uid\"]")[0].contains("retain-uids"));
    assert!(
        basic("date-shift-days = [-5, -1]")[0]
            .contains("needs the option retain-longitudinal-modified-dates")
    );
    let modified = "options = [\"retain-longitudinal-modified-dates\"]\ndate-shift-days = ";
    assert_eq!(basic(&format!("{modified}[-5, -1]")), Vec::<String>::new());
    for wrong in ["[0, 0]", "[1, -1]", "[1]", "3", "[-99999, 1]"] {
        assert_eq!(basic(&format!("{modified}{wrong}")).len(), 1, "{wrong}");
    }
}

#[test]
fn words_of_a_site_are_read_with_the_configuration_and_told_by_their_lines() {
    let material = Material::shared();
    let words =
        |name: &str, text: &[u8]| std::fs::write(material.path(&format!("conf/{name}")), text).unwrap();
    words("words-site.txt", b"# ours\nquokka\n");
    words("words-bad.txt", b"T2*\nfine\n\xE9paule\n12345678\n");
    words("words-long.txt", &b"word\n".repeat(1 << 18));
    words("words-many.txt", &b"*\n".repeat(30));
    let table = |keys: &str| {
        format!(
            "{GOOD}rewrite = \"w\"\n[[rewrite]]\nname = \"w\"\nprofile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\n{keys}\n\
             rules = [{{ tag = \"PatientID\", action = \"pseudonym\" }}]\n"
        )
    };
    let clean =
        |file: &str| table(&format!("options = [\"clean-descriptors\"]\nvocabulary = [\"conf/{file}\"]"));
    let settings = material.compile(&clean("words-site.txt")).unwrap().settings;
    let vocabulary =
        |settings: &crate::config::Settings| settings.rewrites["w"].profile().unwrap().vocabulary.of_site();
    assert_eq!(vocabulary(&settings), 1);
    assert!(settings.watched.contains_key(&material.path("conf/words-site.txt")));
    // Another file of the same name is another rewrite.
    assert!(settings.rewrites_like(&settings, "w"));
    words("words-site.txt", b"quokka wombat\n");
    let other = material.compile(&clean("words-site.txt")).unwrap().settings;
    assert!(vocabulary(&other) == 2 && !other.rewrites_like(&settings, "w"));
    let bad = material.errors(&clean("words-bad.txt"));
    let lines: Vec<bool> = [1, 3, 4]
        .iter()
        .zip(&bad)
        .map(|(line, error)| error.contains(&format!("words-bad.txt:{line}: ")))
        .collect();
    assert_eq!(lines, [true; 3], "{bad:?}");
    assert_eq!(bad.len(), 3, "{bad:?}");
    assert!(bad[0].contains("[[rewrite]] \"w\" vocabulary[0]: "), "{bad:?}");
    assert_eq!(material.errors(&clean("words-many.txt")).len(), 21);
    for (keys, expected) in [
        (clean("words-long.txt"), "is longer than 1048576 bytes"),
        (clean("words-none.txt"), "cannot be read"),
        (clean(""), "a folder"),
        (
            table("options = [\"clean-descriptors\"]\nvocabulary = \"conf/words-site.txt\""),
            "vocabulary: is a string",
        ),
        (table("vocabulary = [\"conf/words-site.txt\"]"), "vocabulary: needs the option clean-descriptors"),
        (
            table("vocabulary = [\"conf/words-site.txt\"]").replace("\"basic\"", "\"none\""),
            "vocabulary: needs a profile",
        ),
    ] {
        let found = material.errors(&keys);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
}

#[test]
fn secrets_have_versions_and_one_is_in_use() {
    let material = Material::shared();
    let table = |keys: &str| {
        let rule = "rules = [{ tag = \"SOPInstanceUID\", action = \"uid\" }]";
        format!("{GOOD}rewrite = \"w\"\n[[rewrite]]\nname = \"w\"\n{keys}\n{rule}\n")
    };
    let one = "{ version = 1, file = \"conf/pseudonym.key\" }";
    let two = "{ version = 2, file = \"conf/pseudonym-2.key\" }";
    let both = format!("secrets = [{two}, {one}]");
    let rules = |keys: &str| material.compile(&table(keys)).unwrap().settings.rewrites["w"].clone();
    let (new, old) =
        (rules(&format!("{both}\ncurrent-secret = 2")), rules("secret-file = \"conf/pseudonym.key\""));
    assert_eq!((new.secret_version(), new.other_secret_versions().collect::<Vec<_>>()), (Some(2), vec![1]));
    assert_eq!((old.secret_version(), old.other_secret_versions().count()), (None, 0));
    assert_eq!(rules(&format!("secrets = [{one}]")).map_uid("1.2.3"), old.map_uid("1.2.3"));
    assert_ne!(new.map_uid("1.2.3"), old.map_uid("1.2.3"));
    let risks = material.risks(&table(&format!("{both}\ncurrent-secret = 1")));
    assert!(
        risks.len() == 1 && risks[0].contains("current-secret: makes pseudonyms with version 1"),
        "{risks:?}"
    );
    for (keys, expected) in [
        (both.clone(), "current-secret: is missing where there are several"),
        (format!("{both}\ncurrent-secret = 3"), "current-secret: is not the version of any"),
        (format!("secrets = [{one}, {one}]"), "secrets[1]: has the version of"),
        (format!("secrets = [{one}, {}]", one.replace('1', "2")), "secrets[1]: is the secret of"),
        (format!("{both}\nsecret-file = \"conf/pseudonym.key\""), "secret-file: stands beside secrets"),
        (
            "secret-file = \"conf/pseudonym.key\"\ncurrent-secret = 1".into(),
            "current-secret: is for secrets only",
        ),
        ("secrets = [{ file = \"conf/pseudonym.key\" }]".into(), "secrets[0].version: is missing"),
        ("secrets = [{ version = 1 }]".into(), "secrets[0].file: is missing"),
        ("secrets = [{ version = 1, file = \"conf/none.key\" }]".into(), "cannot be read"),
        ("secrets = []".into(), "secrets: lists no secret"),
    ] {
        let found = material.errors(&table(&keys));
        assert!(found.iter().any(|error| error.contains(expected)), "{keys}: {found:?}");
    }
}

#[test]
fn values_that_name_the_tenant_need_one() {
    let table = "[[rewrite]]\nname = \"w\"\nrules = [{ tag = \"StationName\", action = \"set\", value = \"{tenant}\" }]\n";
    let peer = |keys: &str| errors(&format!("{}rewrite = \"w\"\n{keys}\n{table}", GOOD));
    assert_eq!(peer("tenant = \"lyon\""), Vec::<String>::new());
    let found = peer("");
    assert!(found.len() == 1 && found[0].contains("\"p\" rewrite: writes {tenant}"), "{found:?}");
    assert!(peer("tenant = \"\"")[0].contains("tenant: \"\" is not a name"));
}

#[test]
fn what_lets_identifiers_pass_is_a_risk_and_patterns_are_checked() {
    let material = Material::new();
    material.secret("conf/test.key", &[b'k'; 32], 0o600);
    let text = |lines: &str, rules: &str| {
        format!(
            "{GOOD}[[rewrite]]\nname = \"w\"\nprofile = \"basic\"\nsecret-file = \"conf/test.key\"\n{lines}\nrules = [{rules}\n\
             {{ tag = \"PatientID\", action = \"pseudonym\" }}]\n"
        )
    };
    let risks = |lines: &str, rules: &str| material.risks(&text(lines, rules)).join("\n");
    let kept = "{ tag = \"StudyDescription\", action = \"keep\" },";
    assert!(risks("", kept).contains("rules[0]: keeps a text as it came"), "{}", risks("", kept));
    assert!(!risks("", "").contains("as it came") && !risks("", "").contains("clean-identifiers"));
    assert!(!risks("", "{ tag = \"Rows\", action = \"keep\" },").contains("as it came"));
    let off = risks("clean-identifiers = false", kept);
    assert!(
        off.contains("clean-identifiers: lets the patient's name") && !off.contains("as it came"),
        "{off}"
    );
    let errors = |lines: &str| material.errors(&text(lines, ""));
    assert_eq!(errors("identifiers = [\"MRN-[0-9]+\"]"), Vec::<String>::new());
    for (wrong, why) in [
        ("identifiers = [\"(\"]", "identifiers[0]: unclosed group"),
        ("identifiers = [\"A\", \"a*\"]", "identifiers[1]: finds what is empty"),
        ("identifiers = [\"A\"]\nclean-identifiers = false", "identifiers: are looked for nowhere"),
    ] {
        let found = errors(wrong);
        assert!(found.len() == 1 && found[0].contains(why), "{found:?}");
    }
    let many = format!("identifiers = [{}]", "\"A\", ".repeat(33));
    assert!(
        errors(&many).len() == 1 && errors(&many)[0].contains("one of more than 32"),
        "{:?}",
        errors(&many)
    );
    let held = |limits: &str| Material::shared().risks(&format!("{GOOD}[limits]\n{limits}\n")).join("\n");
    assert!(held("held-data-sets = \"16MiB\"").contains("held-data-sets: leaves no room"));
    assert!(held("held-data-set = \"250MiB\"").contains("held-data-set: leaves no room"));
    assert!(!held("held-data-sets = \"20MiB\"").contains("leaves no room"));
}
