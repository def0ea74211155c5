//! conf/dimsegate.toml is the reference of the configuration: every key that the program reads stands in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

#[test]
fn every_key_that_is_read_has_its_line_in_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = fs::read_to_string(root.join("conf/dimsegate.toml")).expect("the reference");
    let keys = keys_read(&root.join("src/config"));
    assert!(keys.len() > 55, "only {} keys found in src/config: {keys:?}", keys.len());
    let stands = |key: &&String| {
        let line = format!(r"(?m)(^|[\s#{{\[.]){key}(\s*=|\])");
        !Regex::new(&line).expect("a pattern").is_match(&reference)
    };
    assert_eq!(keys.iter().filter(stands).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// The first string of every call by which a section of the configuration is read.
fn keys_read(folder: &Path) -> BTreeSet<String> {
    let call = r#"(?:section\s*\.\s*\w+|root\.\w+|rate|bytes|count)\(\s*"([a-z][a-z0-9-]*)""#;
    let call = Regex::new(call).expect("a pattern");
    let files = fs::read_dir(folder).expect("src/config").flatten().map(|entry| entry.path());
    let texts = files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).expect("a source"));
    texts
        .flat_map(|text| call.captures_iter(&text).map(|found| found[1].to_owned()).collect::<Vec<_>>())
        .collect()
}
