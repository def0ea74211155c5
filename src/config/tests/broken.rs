//! What is said about files with mistakes: each at its place, all at once.

use super::material::{GOOD, Material, errors, errors_with};
use crate::config::load;

#[test]
fn the_good_one_has_neither_errors_nor_risks() {
    assert_eq!(errors(GOOD), Vec::<String>::new());
    assert_eq!(Material::shared().risks(GOOD), Vec::<String>::new());
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
        (
            "[[listener]]",
            "[automatic-blocks]\nwithin = \"2d\"\nfor = \"1d\"\n[[listener]]",
            "within: is longer than a day",
        ),
        (
            "[[listener]]",
            "[automatic-blocks]\nexempt = [\"gw\"]\n[[listener]]",
            "exempt[0]: \"gw\" is not a network",
        ),
        ("name = \"u\"", "name = \"u\"\nconnect-timeout = \"0s\"", "is zero, write a longer time"),
    ] {
        let found = errors_with(line, edited);
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
fn a_file_that_cannot_be_read_is_one_problem() {
    let material = Material::new();
    let missing = load(&material.path("none.toml")).unwrap_err().errors;
    assert!(missing.len() == 1 && missing[0].problem.starts_with("cannot be read: "), "{missing:?}");
    std::fs::write(material.path("latin1.toml"), b"[log]\nlevel = \"\xe9\"").unwrap();
    let latin1 = load(&material.path("latin1.toml")).unwrap_err().errors;
    assert_eq!((latin1[0].line, latin1[0].column, latin1[0].problem.as_str()), (2, 10, "is not UTF-8"));
}
