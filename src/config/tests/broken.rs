//! What is said about files with mistakes.

use time::Duration;

use super::material::{GOOD, Material};
use crate::config::load;

fn errors(text: &str) -> Vec<String> {
    Material::shared().errors(text)
}

/// Errors of [`GOOD`] with one line replaced.
fn with(line: &str, edited: &str) -> Vec<String> {
    assert!(GOOD.contains(&format!("\n{line}\n")), "{line}");
    errors(&GOOD.replace(&format!("\n{line}\n"), &format!("\n{edited}\n")))
}

/// Risks of [`GOOD`] with something added.
fn risks_with(added: &str) -> Vec<String> {
    Material::shared().risks(&format!("{GOOD}{added}"))
}

#[test]
fn the_good_one_has_neither_errors_nor_risks() {
    assert_eq!(errors(GOOD), Vec::<String>::new());
    assert_eq!(risks_with(""), Vec::<String>::new());
}

#[test]
fn every_problem_of_a_file_is_reported_at_its_place() {
    let text = r#"[limits]
idle-timeout = 300
max-pdu-length = 0
[[listener]]
name = "l"
address = "0.0.0.0"
upstream = "pcas"
[[upstream]]
name = "pacs"
addresses = ["10.0.0.5", "b:0"]
[[role]]
name = "r"
operations = ["C-STORE", "STORE"]
sop-classes = ["CTImageStorag"]
[[peer]]
name = "p"
networks = ["203.0.113.5/24",
            "lyon"]
calling-ae-titles = []
role = "q"
network = "x"
"#;
    assert_eq!(
        errors(text),
        [
            "2:16: limits.idle-timeout: has no unit, write a string such as \"300s\"",
            "3:18: limits.max-pdu-length: is out of range, write 4096 to 16777216 bytes",
            "6:11: [[listener]] \"l\" address: \"0.0.0.0\" is not an address with a port, write an address and a port, \
             as in \"0.0.0.0:2762\" or \"[::]:2762\"",
            "7:12: [[listener]] \"l\" upstream: no [[upstream]] is called \"pcas\", did you mean \"pacs\"?",
            "10:14: [[upstream]] \"pacs\" addresses[0]: \"10.0.0.5\" is not an address with a port, write host:port, as in \
             \"pacs.example:104\", \"10.0.0.5:104\" or \"[2001:db8::5]:104\"",
            "10:26: [[upstream]] \"pacs\" addresses[1]: \"b:0\" has no port from 1 to 65535, end it in a port, as in \":104\"",
            "13:26: [[role]] \"r\" operations[1]: \"STORE\" is not a DIMSE operation, did you mean \"C-STORE\"?",
            "14:16: [[role]] \"r\" sop-classes[0]: \"CTImageStorag\" is no SOP class, did you mean \"CTImageStorage\"?",
            "17:13: [[peer]] \"p\" networks[0]: \"203.0.113.5/24\" has bits beyond its prefix, write \"203.0.113.0/24\" or \
             \"203.0.113.5\"",
            "18:13: [[peer]] \"p\" networks[1]: \"lyon\" is not a network, write one as \"203.0.113.0/24\" or \"2001:db8::/32\"",
            "19:21: [[peer]] \"p\" calling-ae-titles: is empty, so that nothing matches, list at least one, or remove the key",
            "20:8: [[peer]] \"p\" role: no [[role]] is called \"q\", did you mean \"r\"?",
            "21:1: [[peer]] \"p\" network: is not a key of this table, did you mean \"networks\"?",
        ]
    );
}

#[test]
fn what_is_missing_is_reported_at_its_table() {
    let key = |header: &str, key: &str| format!("{header}\n{key}\n");
    assert_eq!(
        errors("[[listener]]\n[[peer]]\n"),
        [
            "1:1: [[listener]] #1: holds nothing, write name, address, or remove it",
            "2:1: [[peer]] #1: holds nothing, write name, networks, calling-ae-titles, role, or remove it",
        ]
    );
    let text = [
        key("[[listener]]", "health-checks-from = []"),
        key("[[upstream]]", "wait = \"1s\""),
        key("[[role]]", "move-destinations = [\"X\"]"),
        key("[[peer]]", "tenant = \"x\""),
        key("[[route]]", "called-ae-title = \"X\""),
    ];
    let found = errors(&text.concat());
    let missing: Vec<&str> = found.iter().filter_map(|error| error.split(": is missing").next()).collect();
    assert_eq!(
        missing,
        [
            "1:1: [[listener]] #1 name",
            "1:1: [[listener]] #1 address",
            "3:1: [[upstream]] #1 name",
            "3:1: [[upstream]] #1 addresses",
            "5:1: [[role]] #1 name",
            "5:1: [[role]] #1 operations",
            "5:1: [[role]] #1 sop-classes",
            "7:1: [[peer]] #1 name",
            "7:1: [[peer]] #1 networks",
            "7:1: [[peer]] #1 calling-ae-titles",
            "7:1: [[peer]] #1 role",
            "9:1: [[route]] #1 upstream",
        ]
    );
    assert_eq!(
        errors(""),
        ["1:1: listener: is missing, add a [[listener]] with a name, an address and an upstream"]
    );
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
    assert_eq!((errors(&good), Material::shared().risks(&good)), (Vec::new(), Vec::new()));
    for (from, to, expected) in [
        ("rewrite-direction = \"to-peer\"", "", "needs to know on which side the real patients are"),
        ("\"to-peer\"", "\"both\"", "needs to know on which side the real patients are"),
        ("rewrite = \"w\"\n", "", "needs a rewrite, add rewrite"),
        ("crosswalk = \"c\"\n", "", "needs a crosswalk, and rewrite \"w\" has none"),
        ("\"PatientID\"", "\"StudyID\"", "needs Patient IDs that lead back"),
    ] {
        let found = errors(&with("two-way = true", from, to));
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

#[test]
fn single_mistakes_are_named() {
    for (line, edited, expected) in [
        ("name = \"p\"", "name = \"p q\"", "14:8: [[peer]] \"p q\" name: \"p q\" is not a name"),
        (
            "role = \"r\"",
            "role = \"r\"\nrewrite = \"x\"",
            "no [[rewrite]] is called \"x\", none is configured",
        ),
        (
            "role = \"r\"",
            "role = \"r\"\nlisteners = [\"m\"]",
            "listeners[0]: no [[listener]] is called \"m\", did you mean \"l\"?",
        ),
        ("role = \"r\"", "role = \"r\"\nbytes-per-second = \"100MB/s\"", "\"100MB/s\" is not a size"),
        (
            "role = \"r\"",
            "role = \"r\"\nmax-associations = 0",
            "is out of range, write a number from 1 to 1000000",
        ),
        ("role = \"r\"", "role = \"r\"\ncertificates = [\"gw.x\"]", "\"gw.x\" is not a certificate binding"),
        ("role = \"r\"", "role = \"r\"\nrewrite-direction = \"in\"", "\"in\" is not known"),
        (
            "networks = [\"10.0.0.0/8\"]",
            "networks = \"10.0.0.0/8\"",
            "networks: is a string, write an array of strings",
        ),
        (
            "calling-ae-titles = [\"A*\"]",
            "calling-ae-titles = [\"ABCDEFGHIJKLMNOPQ\"]",
            "more than the 16 characters",
        ),
        ("operations = [\"C-STORE\"]", "operations = \"all\"", "is a string, write an array of strings"),
        (
            "upstream = \"u\"",
            "upstream = \"u\"\nproxy-protocol-from = [\"x\"]",
            "proxy-protocol-from[0]: \"x\" is not a network",
        ),
        ("name = \"u\"", "name = \"u\"\ncalled-ae-title = \"A\\\\B\"", "is no AE title"),
        ("name = \"u\"", "name = \"u\"\nconnect-timeout = \"0s\"", "is zero, write a longer time"),
    ] {
        let found = with(line, edited);
        assert!(found.len() == 1 && found[0].contains(expected), "{edited}: {found:?}");
    }
}

#[test]
fn names_and_addresses_are_used_once() {
    let again =
        GOOD.replace("[[role]]", "[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:11112\"\n[[role]]");
    let found = errors(&again);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("name: is taken by the table in line 2"), "{found:?}");
    assert!(found[1].contains("127.0.0.1:11112 is taken by listener \"l\" in line 2"), "{found:?}");
}

#[test]
fn syntax_errors_are_reported_line_by_line_and_alone() {
    let found = errors("[limits]\nidle-timeout = \n[[peer]\nname = \"x\ngrace = 5 6\n");
    let lines: Vec<&str> = found.iter().filter_map(|error| error.split(':').next()).collect();
    assert!(lines.len() >= 2 && found.iter().all(|error| error.contains("is not TOML")), "{found:?}");
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{found:?}");
    assert!(errors("a = 1\na = 2")[0].starts_with("2:1: is not TOML: duplicate key"));
}

#[test]
fn what_follows_a_bracket_that_is_not_closed_is_told_of_no_other_table() {
    let found = errors(
        "[limits]\ngrace = [\"5s\"\nidle-timeout = \"5m\"\n[[peer]]\nname = \"p\"\n[log]\nlevel = x y\n",
    );
    let lines: Vec<&str> = found.iter().filter_map(|error| error.split(':').next()).collect();
    assert_eq!(lines, ["3", "7"], "{found:?}");
    assert!(found.iter().all(|error| error.contains("is not TOML")), "{found:?}");
}

#[test]
fn a_header_that_is_missing_or_misspelt_is_told_once() {
    let limits = format!("{GOOD}max-associations = 5\nidle-timeout = \"5m\"\ngrace = \"1s\"\n");
    assert_eq!(
        errors(&limits),
        [
            "19:1: [[peer]] \"p\" idle-timeout: is a key of [limits], as is one key after it, write that header above it"
        ]
    );
    assert_eq!(
        with("[[role]]", "[[rolle]]"),
        ["9:3: rolle: is not a key of this table, did you mean \"role\"?"]
    );
    let twice = with("[[role]]", "");
    assert!(
        twice.len() == 1
            && twice[0].starts_with("10:1: is not TOML: duplicate key, remove one of the two, or write"),
        "{twice:?}"
    );
    let tables = with("[[role]]", "[[xyzzy]]");
    assert!(
        tables.len() == 1
            && tables[0].starts_with("9:3: xyzzy: is not a table that there is, write one of [log]")
    );
}

#[test]
fn what_follows_from_a_value_that_cannot_be_read_is_not_told() {
    let table = |keys: &str| {
        errors(&format!(
            "{GOOD}rewrite = \"w\"\ntwo-way = true\nrewrite-direction = \"to-peer\"\n[[rewrite]]\nname = \"w\"\n{keys}"
        ))
    };
    for (keys, expected) in [
        ("profile = 1\noptions = [\"retain-uids\"]\nkeep-times = true", "profile: is an integer"),
        (
            "profile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\noptions = 1\nkeep-times = true",
            "options: is an integer",
        ),
        (
            "profile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\nburned-in = \"masc\"\nmasks = []",
            "\"masc\" is not known",
        ),
        (
            "secret-file = \"conf/pseudonym.key\"\nrules = []\ncrosswalk = \"x\"",
            "no [[crosswalk]] is called \"x\"",
        ),
    ] {
        let found = table(keys);
        assert!(found.len() == 1 && found[0].contains(expected), "{keys}: {found:?}");
    }
}

#[test]
fn of_very_many_wrong_names_the_first_are_compared_with_the_right_ones() {
    let peer = |at: usize| {
        format!(
            "[[peer]]\nname = \"p{at}\"\nnetworks = [\"11.0.0.0/8\"]\ncalling-ae-titles = [\"A\"]\nrole = \"x{at}\"\n"
        )
    };
    let found = errors(&(GOOD.to_owned() + &(0..150).map(peer).collect::<String>()));
    let compared = found
        .iter()
        .filter(|error| error.ends_with("write one of r") || error.contains("did you mean"))
        .count();
    assert_eq!((found.len(), compared), (150, 100));
    assert!(
        found[149].ends_with("no [[role]] is called \"x149\", write the name of a [[role]]"),
        "{}",
        found[149]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_one_problem() {
    let material = Material::new();
    let missing = load(&material.path("none.toml")).unwrap_err().errors;
    assert!(missing.len() == 1 && missing[0].problem.starts_with("cannot be read: "), "{missing:?}");
    std::fs::write(material.path("latin1.toml"), b"[log]\nlevel = \"\xe9\"").unwrap();
    let latin1 = load(&material.path("latin1.toml")).unwrap_err().errors;
    assert_eq!((latin1[0].line, latin1[0].column, latin1[0].problem.as_str()), (2, 10, "is not UTF-8"));
}

const TLS: &str = r#"
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
fn audit_hashes_need_a_secret() {
    let found = errors(&format!("{GOOD}[audit]\npatient-identifiers = \"keyed-hash\"\n"));
    assert!(found.len() == 1 && found[0].contains("audit.secret-file: is missing"), "{found:?}");
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
    let dir = tempfile::tempdir().unwrap();
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
fn masks_are_checked_where_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("key");
    std::fs::write(&secret, [b'k'; 32]).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let found = |lines: &str| {
        let secret = secret.display();
        let table = "[[rewrite]]\nname = \"w\"\nprofile = \"basic\"\n";
        errors(&format!("{GOOD}{table}secret-file = \"{secret}\"\n{lines}\n"))
    };
    let mask = |keys: &str| found(&format!("burned-in = \"mask\"\nmasks = [{{ {keys} }}]"));
    assert_eq!(mask("rectangles = [[0, 0, 65535, 1]]"), Vec::<String>::new());
    let all = "sop-class = \"UltrasoundImageStorage\", manufacturer = \"ACME\", model = \"X\", rows = 9, columns = 9";
    assert_eq!(mask(&format!("{all}, rectangles = [[0, 0, 9, 1], [8, 8, 1, 1]]")), Vec::<String>::new());
    for (keys, expected) in [
        ("rows = 9", "masks[0].rectangles: is missing"),
        ("rectangles = []", "masks[0].rectangles: holds 0 rectangles"),
        ("rectangles = [[0, 0, 9]]", "masks[0].rectangles[0]: cannot be read"),
        ("rectangles = [[0, 0, 9, 1.5]]", "masks[0].rectangles[0]: cannot be read"),
        ("rectangles = [0, 0, 9, 1]", "masks[0].rectangles[0]: cannot be read"),
        ("rectangles = [[0, 0, 0, 1]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rectangles = [[0, -1, 2, 2]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rectangles = [[65535, 0, 2, 2]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rows = 8, rectangles = [[0, 8, 1, 1]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rows = 0, rectangles = [[0, 0, 1, 1]]", "masks[0].rows: is out of range"),
        ("sop-class = \"CT\", rectangles = [[0, 0, 1, 1]]", "is neither a UID nor a known keyword"),
        ("modell = \"X\", rectangles = [[0, 0, 1, 1]]", "did you mean \"model\"?"),
    ] {
        let found = mask(keys);
        assert!(!found.is_empty() && found[0].contains(expected), "{keys}: {found:?}");
    }
    assert!(found("burned-in = \"mask\"")[0].contains("masks: is missing"));
    let one = "burned-in = \"mask\"\nmasks = [{ rectangles = [[0, 0, 1, 1]] }]\n";
    assert_eq!(
        found(&format!("{one}compressed-pixels = \"decode\"\nlargest-frame = \"1MiB\"")),
        Vec::<String>::new()
    );
    let (decode, little) = ("compressed-pixels = \"decode\"\n", "[limits]\ndecoding-memory = \"100MiB\"\n");
    let small = found(&format!("{one}{decode}{little}"));
    assert!(
        small.len() == 1 && small[0].contains("limits.decoding-memory: is less than the 402915328 bytes"),
        "{small:?}"
    );
    let enough = found(&format!("{one}{decode}largest-frame = \"16MiB\"\n{little}"));
    assert_eq!(enough, Vec::<String>::new());
    assert_eq!(found("tolerance = \"strict\""), Vec::<String>::new());
    let other = found("tolerance = \"lenient\"");
    assert!(other.len() == 1 && other[0].contains("tolerance"), "{other:?}");
    let idle = found(&format!("{one}largest-frame = \"1MiB\""));
    assert!(idle[0].contains("largest-frame: needs compressed-pixels = \"decode\""), "{idle:?}");
    for key in
        ["masks = [{ rectangles = [[0, 0, 1, 1]] }]", "unmasked = \"pass\"", "compressed-pixels = \"decode\""]
    {
        let found = found(key);
        assert!(found.len() == 1 && found[0].contains("needs burned-in = \"mask\""), "{found:?}");
    }
}

#[test]
fn the_keys_that_protect_records_are_checked() {
    let material = Material::new();
    let good = "[audit]\nsigning-key = \"conf/audit-signing.key\"\nretention-days = 2190\n\
        encrypt-to = [\"age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa\"]\n";
    assert_eq!(material.risks(&format!("{GOOD}{good}")), Vec::<String>::new());
    material.secret("conf/open.key", b"x", 0o640);
    for (key, expected) in [
        ("signing-key = \"conf/audit.key\"", "is not the PEM of an Ed25519 private key"),
        ("signing-key = \"conf/none.key\"", "dimsegate audit key"),
        ("signing-key = \"conf/open.key\"", "can be read by others (mode 0640)"),
        ("encrypt-to = [\"age1x\"]", "audit.encrypt-to[0]: is not a public key of age"),
        ("durability = \"always\"", "audit.durability: \"always\" is not known"),
        ("retention-days = 0", "audit.retention-days: is out of range"),
        ("checkpoint-records = 0", "audit.checkpoint-records: is out of range"),
    ] {
        let found = material.errors(&format!("{GOOD}[audit]\n{key}\n"));
        assert!(found.len() == 1 && found[0].contains(expected), "{key}: {found:?}");
    }
}

#[test]
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
    for (added, expected) in [
        (basic, "\"w\": makes one patient of all"),
        (&format!("{basic}{days}"), "date-shift-days: lies within less than a year"),
        (&format!("{basic}{digits}"), "length: is short enough for two values to share a pseudonym"),
        (
            &format!("{listener}proxy-protocol-from = [\"0.0.0.0/0\"]"),
            "lets whoever connects say which address",
        ),
        (&format!("{listener}proxy-protocol-from = [\"::/1\", \"8000::/1\"]"), "lets whoever connects say"),
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
        let found = risks_with(added);
        assert!(found.iter().any(|risk| risk.contains(expected)), "{added}: {found:?}");
    }
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
