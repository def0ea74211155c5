//! What the documents say of keys: of every one that there is, under its table, and of no other.

use std::collections::BTreeMap;

use crate::config::shape::{Kind, ROOT, Shape, TENANT};

const REFERENCE: &str = include_str!("../../../conf/dimsegate.toml");
const TEXTS: [(&str, &str); 3] = [
    ("README.md", include_str!("../../../README.md")),
    ("conf/README.md", include_str!("../../../conf/README.md")),
    ("certs/README.md", include_str!("../../../certs/README.md")),
];

/// The lines under each header of a reference, also of tables that it only shows in comments.
fn sections(reference: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut header = "";
    for line in reference.lines().map(|line| line.trim_start_matches("# ").trim_start()) {
        let first = line.split(' ').next().unwrap_or_default();
        if first.starts_with('[') && first.ends_with(']') {
            header = first;
        }
        sections.entry(header).or_default().push(line);
    }
    sections
}

/// Whether a line shows the key: with a value, or among those that are as above.
fn shows(line: &str, key: &str) -> bool {
    let with_value = format!("{key} = ");
    let inside = line.match_indices(&with_value).any(|(at, _)| line[..at].ends_with(", "));
    line.trim_start_matches("{ ").starts_with(&with_value)
        || line.contains(&format!("{{ {with_value}"))
        || (inside && line.contains("{ "))
        || (line.ends_with(" as above") && line.split([' ', ',']).any(|word| word == key))
}

/// The keys of a table, and of all inside it, that are not shown under its header.
fn undocumented(shape: &Shape, header: &str, sections: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    const SAME: [&str; 2] = ["[upstream.tls]", "[listener.tls]"];
    let of = |header: &str| sections.get(header).cloned().unwrap_or_default();
    let mut lines = of(header);
    let first = lines.first().copied().unwrap_or_default();
    lines.extend(SAME.iter().filter(|same| first.contains(&format!("as {same}"))).flat_map(|same| of(same)));
    let headed = |key: &str| shape.part(key).is_some_and(|part| part.kind != Kind::Inline);
    let missing = shape.keys().filter(|key| !headed(key) && !lines.iter().any(|line| shows(line, key)));
    let mut missing: Vec<String> = missing.map(|key| format!("{header} {key}")).collect();
    for part in shape.parts {
        let header = if part.kind == Kind::Inline { header } else { part.shape.header };
        missing.extend(undocumented(part.shape, header, sections));
    }
    missing
}

#[test]
fn the_reference_shows_every_key_under_its_table() {
    let missing = |reference: &str| undocumented(&ROOT, "", &sections(reference));
    assert_eq!(missing(REFERENCE), Vec::<String>::new());
    assert_eq!(undocumented(&TENANT, TENANT.header, &sections(REFERENCE)), Vec::<String>::new());
    // A key of the same name elsewhere does not stand for it.
    let (before, after) = REFERENCE.split_once("[[crosswalk]]\nname = ").unwrap();
    assert_eq!(missing(&format!("{before}[[crosswalk]]\n# {after}")), ["[[crosswalk]] name"]);
    assert_eq!(missing(&REFERENCE.replace(" length = ", " ")), ["[[rewrite]] length"]);
}

fn is_a_key(shape: &Shape, key: &str) -> bool {
    shape.has(key) || shape.parts.iter().any(|part| is_a_key(part.shape, key))
}

/// What a text writes as a key with its value: in a line of its own, or between backticks.
fn written(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("    ")).map(str::trim_start);
    let quoted = text.split('`').skip(1).step_by(2);
    let keys = lines.chain(quoted).filter_map(|code| code.split_once(" = ")).map(|(key, _)| key);
    keys.filter(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')).collect()
}

#[test]
fn the_texts_write_no_key_that_there_is_not() {
    let mut found = 0;
    for (name, text) in TEXTS {
        for key in written(text) {
            assert!(is_a_key(&ROOT, key) || TENANT.has(key), "{name} writes {key}");
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}
