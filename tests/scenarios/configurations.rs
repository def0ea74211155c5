//! Every file in conf/ is a configuration that `dimsegate check` finds nothing in, and none of its tables takes a key
//! that does not exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::gate;
use crate::process::Finished;
use crate::site::Site;

const BAD_CONFIGURATION: i32 = 78;

/// Risks that a shipped configuration takes; `check --strict` finds these and no others.
const TAKEN: [(&str, &str); 5] = [
    (
        "dimsegate.toml",
        "[[peer]] \"lyon\": rewrites only what C-STOREs carry, and its role also allows N-CREATE",
    ),
    ("dimsegate.toml", "[[rewrite]] \"trial\": no [[peer]] has it"),
    ("teleradiology.toml", "audit.signing-key: is missing"),
    (
        "teleradiology.toml",
        "[[peer]] \"on-call\": tells whoever reads back a report of its own by how many days",
    ),
    (
        "teleradiology.toml",
        "[[peer]] \"readers\": tells whoever reads back a report of its own by how many days",
    ),
];

#[test]
fn every_shipped_configuration_is_clean_but_for_the_risks_that_it_takes() {
    let site = Site::new();
    for file in shipped() {
        let name = copy_into(&site, &file, &fs::read_to_string(&file).expect("a configuration"));
        let (status, said) = gate::told(&site, &["check", "--strict", "-c", &name]);
        let told: Vec<&str> = said.lines().filter(|line| line.starts_with("risk: ")).collect();
        let taken: Vec<&str> =
            TAKEN.iter().filter(|(of, _)| file.ends_with(of)).map(|(_, risk)| *risk).collect();
        assert_eq!(status, i32::from(!taken.is_empty()), "{said}");
        assert_eq!(told.len(), taken.len(), "{said}");
        for (told, taken) in told.iter().zip(taken) {
            assert!(told.contains(&format!(": {taken}")), "{taken} in {said}");
        }
    }
}

#[test]
fn a_key_that_does_not_exist_is_refused_in_every_table() {
    let site = Site::new();
    for file in shipped() {
        let text = fs::read_to_string(&file).expect("a configuration");
        let lines: Vec<&str> = text.lines().collect();
        for (index, _) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('[')) {
            let mut changed = lines.clone();
            changed.insert(index + 1, "bogus-key = 1");
            let name = copy_into(&site, &file, &changed.join("\n"));
            let output = gate::command(&site, &["check", "-c", &name]).output().expect("dimsegate check");
            let said = String::from_utf8_lossy(&output.stderr);
            let place = format!("{name}:{}:1: ", index + 2);
            assert_eq!(output.status.code(), Some(BAD_CONFIGURATION), "{place}{said}");
            assert!(said.contains(&place) && said.contains("bogus-key"), "{place}in {said}");
        }
    }
}

#[test]
fn problems_come_all_at_once_each_with_its_place() {
    let site = Site::new();
    let text = "[limits]\nmax-associations = \"many\"\nidle-timeout = \"5 parsecs\"\n\n[[listener]]\nname = \"a\"\naddress = \"nowhere\"\nupstream = \"missing\"\n";
    fs::write(site.path("bad.toml"), text).expect("a configuration written");
    let output = gate::command(&site, &["check", "-c", "bad.toml"]).output().expect("dimsegate check");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(BAD_CONFIGURATION), "{said}");
    for (place, key) in [
        ("bad.toml:2:", "max-associations"),
        ("bad.toml:3:", "idle-timeout"),
        ("bad.toml:7:", "address"),
        ("bad.toml:8:", "upstream"),
    ] {
        assert!(
            said.lines().any(|line| line.contains(place) && line.contains(key)),
            "{place} {key} in {said}"
        );
    }
    let run = Finished::run(gate::command(&site, &["run", "-c", "bad.toml"]));
    assert!(!run.success && run.output.contains("bad.toml:2:"), "{}", run.output);
}

#[test]
fn tables_that_are_toml_alone_and_not_together_are_no_configuration() {
    let site = Site::new();
    let text = "[audit]\nrepository = \"x\"\n[audit.repository.tls]\nca = \"y\"\n";
    fs::write(site.path("bad.toml"), text).expect("a configuration written");
    let output = gate::command(&site, &["check", "-c", "bad.toml"]).output().expect("dimsegate check");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(BAD_CONFIGURATION), "{said}");
    assert!(said.starts_with("bad.toml:3:8: is not TOML: ") && said.lines().count() == 1, "{said}");
}

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf");
    let entries = fs::read_dir(folder).expect("the folder conf/");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    assert!(!files.is_empty(), "no configuration in conf/");
    files
}

fn copy_into(site: &Site, file: &Path, text: &str) -> String {
    let name = format!("conf/{}", file.file_name().expect("a name").to_string_lossy());
    fs::write(site.path(&name), text).expect("a configuration written");
    name
}
