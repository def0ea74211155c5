//! What a curator gets of a run: an inventory of the texts that are left, rules and a list of what was accepted from its
//! page, and a review of a sample before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::browser::Browser;
use crate::corpus;
use crate::de_identification::Site;
use crate::page::is_for_everybody;
use crate::peers::{self, peers_folder};
use crate::process::Finished;

const OPTIONS: &str = "clean-identifiers = false\nburned-in = \"pass\"\noptions = [\"clean-descriptors\", \"retain-patient-characteristics\"]\n";

/// The objects of the scored set, whose names and numbers are known, and rules for them.
fn site() -> Site {
    let site = Site::of(&[("basic", OPTIONS)]);
    let mut make = std::process::Command::new(peers_folder().join("venv/bin/python3"));
    make.env("PYTHONDONTWRITEBYTECODE", "1");
    make.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deid/score")).arg("make");
    Finished::run({
        make.arg(site.folder.path().join("set"));
        make
    })
    .expect_success();
    site
}

fn rewritten(site: &Site, out: &str, options: &[&str]) -> Finished {
    let set = site.folder.path().join("set/objects");
    site.rewrite("basic", &site.folder.path().join(out), options, &[&set])
}

fn path(site: &Site, name: &str) -> String {
    site.folder.path().join(name).display().to_string()
}

fn read(file: &str) -> Value {
    serde_json::from_slice(&fs::read(file).expect("an inventory")).expect("JSON")
}

/// Attribute, text and times of each pair.
fn pairs(inventory: &Value) -> Vec<(String, String, u64)> {
    let all = inventory["pairs"].as_array().expect("pairs").iter();
    let word = |pair: &Value, key: &str| pair[key].as_str().unwrap_or_default().to_owned();
    all.map(|pair| (word(pair, "attribute"), word(pair, "text"), pair["times"].as_u64().unwrap_or(0)))
        .collect()
}

const COUNTED: &str = r#"
import collections, json, pathlib, sys
import pydicom
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
FREE = {"LO", "LT", "SH", "ST", "UC", "UT", "AE", "CS", "PN", "UR"}
found = collections.Counter()

def walk(data_set, around):
    for element in data_set:
        here = f"{around}({element.tag.group:04X},{element.tag.element:04X})"
        if element.VR == "SQ":
            for item in element.value:
                walk(item, here + ".")
        elif element.VR in FREE and not element.tag.is_private and element.value:
            value = element.value
            text = "\\".join(map(str, value)) if element.VM > 1 else str(value)
            found[here + "\0" + text.strip()] += 1

for path in pathlib.Path(sys.argv[1]).iterdir():
    walk(pydicom.dcmread(path), "")
print(json.dumps(found))
"#;

/// Attribute and text, with how often pydicom finds them.
fn counted(folder: &str) -> BTreeMap<String, u64> {
    let mut command = std::process::Command::new(peers_folder().join("venv/bin/python3"));
    command.args(["-W", "ignore", "-c", COUNTED, folder]);
    serde_json::from_str(&Finished::run(command).expect_success()).expect("JSON")
}

#[test]
fn an_inventory_has_every_text_that_pydicom_finds_in_what_was_written() {
    let site = site();
    let json = path(&site, "left.json");
    let finished = rewritten(&site, "out", &["--inventory", &json]);
    // One object says that it has burned-in text of nobody's mask, and passes here.
    assert!(finished.success, "{}", finished.output);
    let inventory = read(&json);
    assert_eq!(inventory["left-out"], serde_json::json!([]));
    let ours: BTreeMap<String, u64> = pairs(&inventory)
        .into_iter()
        .map(|(attribute, text, times)| (format!("{attribute}\0{text}"), times))
        .collect();
    let theirs = counted(&path(&site, "out"));
    assert!(theirs.len() > 200, "{}", theirs.len());
    let missed: Vec<_> = theirs.iter().filter(|(pair, times)| ours.get(*pair) != Some(times)).collect();
    assert_eq!(missed, Vec::new(), "of pydicom's");
}

#[test]
fn what_is_likeliest_to_name_somebody_comes_first_and_says_why() {
    let site = site();
    let json = path(&site, "left.json");
    let table = rewritten(&site, "out", &["--inventory", &json, "--inventory", "-"]);
    let inventory = read(&json);
    let place = |wanted: &str| {
        let all = pairs(&inventory);
        all.iter().position(|(_, text, _)| text.contains(wanted)).unwrap_or_else(|| panic!("no {wanted}"))
    };
    // A name in a text that no row lists, before a word of the standard.
    assert!(place("Amélie Lefèvre") < place("MONOCHROME2"));
    let name = &inventory["pairs"][place("liver tumor Amélie Lefèvre")];
    assert_eq!(name["keyword"], "ContentDescription");
    assert_eq!(name["why"], serde_json::json!(["capitals", "free text"]));
    assert!(Path::new(&path(&site, "out")).join(name["example"].as_str().expect("a name")).is_file());
    for told in ["ContentDescription", "capitals, free text", "long number: four digits or more in a row"] {
        assert!(table.output.contains(told), "{told} in {}", table.output);
    }
}

#[test]
fn what_was_accepted_is_not_listed_again() {
    let site = site();
    let (json, seen) = (path(&site, "left.json"), path(&site, "seen.json"));
    rewritten(&site, "out", &["--inventory", &json]);
    let before = pairs(&read(&json));
    // One by what the page gives, one by hand.
    let first = &read(&json)["pairs"][0];
    let list = serde_json::json!([
        { "attribute": first["attribute"], "keyword": "", "text": "", "digest": first["digest"] },
        { "attribute": "(0008,0060)", "text": "MR" },
    ]);
    fs::write(&seen, list.to_string()).expect("a file written");
    rewritten(&site, "again", &["--inventory", &json, "--accepted", &seen]);
    let after = read(&json);
    let left = pairs(&after);
    let gone: Vec<_> = before.iter().filter(|pair| !left.contains(pair)).collect();
    assert_eq!(gone.len(), 2, "{gone:?}");
    assert!(gone.iter().any(|(attribute, text, _)| attribute == "(0008,0060)" && text == "MR"));
    assert_eq!(after["accepted"].as_u64(), Some(gone.iter().map(|(.., times)| times).sum()));
    fs::write(&seen, "[{\"attribute\": 1}]").expect("a file written");
    let refused = rewritten(&site, "third", &["--inventory", &json, "--accepted", &seen]);
    assert!(!refused.success && refused.output.contains("seen.json: is no list of accepted texts"));
    assert!(!Path::new(&path(&site, "third")).exists(), "nothing is written before the list is read");
}

#[test]
fn the_page_makes_rules_that_do_it_and_a_list_that_hides_it() {
    let site = site();
    let (page, seen) = (path(&site, "left.html"), path(&site, "seen.json"));
    let finished = rewritten(&site, "out", &["--inventory", &page]);
    assert!(finished.success, "{}", finished.output);
    let browser = Browser::start();
    browser.open(&format!("file://{page}"));
    browser.until("document.querySelectorAll('.pair').length > 50");
    let decide = |filter: &str, what: &str| {
        browser.run(&format!(
            "const box = document.querySelector('input[type=search]'); box.value = {filter:?}; \
             box.dispatchEvent(new Event('input')); const one = document.querySelector('.pair select'); \
             one.value = {what:?}; one.dispatchEvent(new Event('change'))"
        ));
    };
    decide("liver tumor Amélie", "pattern");
    decide("DocumentTitle", "remove");
    decide("MONOCHROME2", "accept");
    browser.until("document.querySelector('[role=status]').textContent.startsWith('3 of ')");
    let field = |id: &str| {
        browser
            .run(&format!("return document.getElementById('{id}').value"))
            .as_str()
            .expect("text")
            .to_owned()
    };
    let rules = field("toml");
    assert_eq!(rules.lines().count(), 2, "{rules}");
    fs::write(&seen, field("accepted")).expect("a file written");
    assert_eq!(browser.console(), Vec::<String>::new());
    // The rules are rules: what they are about is gone, and what was accepted is not listed.
    let with = format!("{OPTIONS}rules = [\n{rules}\n]\n");
    let stricter = Site::of(&[("basic", &with)]);
    let json = path(&stricter, "left.json");
    let set = site.folder.path().join("set/objects");
    let again = stricter.rewrite(
        "basic",
        &stricter.folder.path().join("out"),
        &["--inventory", &json, "--accepted", &seen],
        &[&set],
    );
    assert!(again.success, "{}", again.output);
    let left = pairs(&read(&json));
    for (attribute, text, _) in &left {
        assert!(
            attribute != "(0042,0010)" && text != "MONOCHROME2" && !text.contains("Amélie"),
            "{attribute} {text}"
        );
    }
}

#[test]
fn the_page_of_an_inventory_is_for_everybody_and_its_texts_are_no_markup() {
    let site = site();
    let (page, objects) = (path(&site, "left.html"), path(&site, "set/objects"));
    let hostile = "import pydicom, sys\n\
                   d = pydicom.dcmread(sys.argv[1] + '/0101.dcm')\n\
                   d.DocumentTitle = '</script><img src=x onerror=alert(1)>\\u202eabc'\n\
                   d.SpecificCharacterSet = 'ISO_IR 192'\n\
                   d.save_as(sys.argv[1] + '/0101.dcm')";
    let mut spoil = std::process::Command::new(peers_folder().join("venv/bin/python3"));
    spoil.args(["-c", hostile, &objects]);
    Finished::run(spoil).expect_success();
    rewritten(&site, "out", &["--inventory", &page]);
    let browser = Browser::start();
    browser.open(&format!("file://{page}"));
    browser.until("document.querySelectorAll('.pair').length > 50");
    assert_eq!(browser.run("return document.images.length"), 0);
    let shown = browser.run("return [...document.querySelectorAll('.text')].map(one => one.textContent).find(one => one.includes('onerror'))");
    assert_eq!(shown, "</script><img src=x onerror=alert(1)>\\u{202e}abc");
    // By the keyboard alone: the first decision.
    browser.tab_to("at.tagName === 'SELECT'");
    browser.press('a');
    browser.until("document.getElementById('accepted').value.includes('digest')");
    let axe = peers::peers_folder().join("node/node_modules/axe-core/axe.min.js");
    browser.run(&fs::read_to_string(axe).expect("axe-core, which tests/run installs"));
    is_for_everybody(&browser, "inventory");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_review_shows_both_sides_of_a_sample_with_their_pixels() {
    let site = site();
    let page = path(&site, "review.html");
    let finished = rewritten(&site, "out", &["--review", &page, "--sample", "36"]);
    assert!(finished.success, "{}", finished.output);
    let mode = fs::metadata(&page).expect("the page").permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "it holds what was there before");
    let browser = Browser::start();
    browser.open(&format!("file://{page}"));
    browser.until("[...document.images].every(one => one.complete && one.naturalWidth > 0)");
    assert_eq!(browser.run("return document.querySelectorAll('section').length"), 36);
    // Of the JPEG frames, native and RLE ones: both sides of each image but those of reports and the like.
    let images = browser.run("return document.images.length").as_u64().expect("a number");
    assert!(images >= 54, "{images}");
    let ct = browser.text("section");
    for told in ["HOLLOWAY^JANE^MARIE", "PatientName", "(0040,0275)[1].(0040,0009)", "ELEMENTS CHANGED"] {
        assert!(ct.contains(told), "{told} in {ct}");
    }
    assert_eq!(browser.console(), Vec::<String>::new(), "nothing is fetched and nothing runs");
    let axe = peers::peers_folder().join("node/node_modules/axe-core/axe.min.js");
    browser.run(&fs::read_to_string(axe).expect("axe-core, which tests/run installs"));
    is_for_everybody(&browser, "before-and-after");
}

#[test]
fn real_files_are_listed_and_reviewed_and_those_that_are_refused_say_why() {
    let site = Site::of(&[("basic", "")]);
    let (page, json) = (path(&site, "review.html"), path(&site, "left.json"));
    let files = corpus::files();
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    let options = ["--review", &page, "--sample", "200", "--inventory", &json];
    let finished = site.rewrite("basic", &site.folder.path().join("out"), &options, &files);
    assert!(!finished.output.contains("cannot be shown"), "{}", finished.output);
    let written = fs::read_dir(site.folder.path().join("out")).expect("the folder").count();
    assert_eq!(read(&json)["files"].as_u64(), Some(written as u64));
    let text = fs::read_to_string(&page).expect("a page");
    assert!(text.contains("burned-in text is likely") && text.contains("Not shown: "));
}

#[test]
fn canaries_that_stay_are_told_by_attribute() {
    let site = site();
    let finished = rewritten(&site, "out", &["--canary"]);
    let told = finished.output.split("kept as the rules say, by attribute:\n").nth(1).expect("a list");
    assert!(told.contains("(0070,0081) ContentDescription: "), "{told}");
    assert!(!told.contains("PatientName"), "{told}");
    assert!(!Path::new(&path(&site, "out")).exists());
}
