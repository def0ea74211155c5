//! The hot paths without a socket, on fixed inputs and as often as asked, for callgrind to count their instructions:
//! `instructions deframer 200`. A short run is subtracted from a long one, which leaves the path alone. Without a path, all of
//! them are counted and held against bench/instructions.toml; `--accept` writes that file.

#![allow(dead_code, reason = "the load generator's modules are used in part")]

#[path = "../load/object.rs"]
mod object;
#[path = "../load/upper.rs"]
mod upper;

mod counting;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::hmac;
use dimsegate::dataset::{Encoding, Observer};
use dimsegate::policy::{Blocks, Facts, decide};
use dimsegate::rewrite::{
    BurnedIn, Expected, Output, ProfileOption, ProfileSpec, Recalled, RuleSpec, Ruleset, RulesetSpec,
    Transform, Vocabulary,
};
use dimsegate::wire::Deframer;
use dimsegate::wire::associate::AssociateRq;

use object::Object;

/// What the relay reads at once, in bytes.
const READ: usize = 256 << 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [path, count] = arguments.as_slice() else { return counted(&arguments) };
    let count: usize = count.parse().expect("a number of times");
    match path.as_str() {
        "deframer" => deframer(count),
        "observer" => observer(count),
        "transform" => transform(count, &Object::ct(529_000), rules()),
        // Not among those that are counted: what the whole profile is compared with.
        "basic" => transform(count, &Object::detailed_ct(529_000), profile(false)),
        "profile" => transform(count, &Object::detailed_ct(529_000), profile(true)),
        "decision" => decision(count),
        other => panic!("no path is called {other}"),
    }
}

/// Ends with 1 where a path needs more than before.
fn counted(arguments: &[String]) {
    let program = std::env::current_exe().expect("the path of this program");
    let accept = arguments.iter().any(|argument| argument == "--accept");
    let counts = counting::run(&program, accept).unwrap_or_else(|error| panic!("{error}"));
    if counts.worse {
        std::process::exit(1);
    }
}

/// The P-DATA-TF PDUs of a CT slice, in the pieces that they are read in.
fn deframer(count: usize) {
    let bytes = upper::p_data(1, 0, &Object::ct(529_000).data_set, 131_072);
    let mut deframer = Deframer::new(131_072);
    for _ in 0..count {
        let (mut start, mut end) = (0, 0);
        while end < bytes.len() {
            end = (end + READ).min(bytes.len());
            while let Ok((used, event)) = deframer.next(&bytes[start..end]) {
                start += used;
                if black_box(event).is_none() {
                    break;
                }
            }
        }
        assert_eq!(start, bytes.len());
    }
}

/// What the records need to know of a CT slice that passes as it is.
fn observer(count: usize) {
    let object = Object::ct(529_000);
    let encoding = Encoding::of(&object.transfer_syntax).expect("a known transfer syntax");
    for _ in 0..count {
        let mut observer = Observer::new(encoding);
        object.data_set.chunks(READ).for_each(|read| observer.observe(black_box(read)));
        black_box(&observer);
    }
}

/// A CT slice through the scanner and a set of rules.
fn transform(count: usize, object: &Object, rules: Ruleset) {
    let encoding = Encoding::of(&object.transfer_syntax).expect("a known transfer syntax");
    // As in an association: one patient, one set of identifiers.
    let (rules, recalled) = (Arc::new(rules), Recalled::default());
    for _ in 0..count {
        let expected = Expected {
            sop_class_uid: object.sop_class.parse().expect("a UID"),
            sop_instance_uid: object.sop_instance.parse().expect("a UID"),
        };
        let transform = Transform::new(rules.clone(), encoding, expected);
        let (mut transform, mut output) = (transform.recalling(recalled.clone()), Output::new());
        for read in object.data_set.chunks(READ) {
            transform.push(read, &mut output).expect("a data set that can be rewritten");
            black_box(&output);
            output.clear();
        }
        transform.finish(&mut output).expect("a whole data set");
    }
}

/// Twenty rules, and no profile.
fn rules() -> Ruleset {
    compiled(include_str!("../twenty.toml"), None)
}

/// The Basic Profile with moved dates; the whole of it has what is on by itself, and the usual options.
fn profile(whole: bool) -> Ruleset {
    let mut options = vec![ProfileOption::RetainLongitudinalModifiedDates];
    if whole {
        options.extend([ProfileOption::CleanDescriptors, ProfileOption::RetainPatientCharacteristics]);
    }
    let profile = ProfileSpec {
        options,
        date_shift_days: (-365, -1),
        keep_times: true,
        refuse_documents: true,
        refuse_private_classes: true,
        burned_in: BurnedIn::Refuse,
        vocabulary: Vocabulary::default(),
        clean_identifiers: whole,
        identifiers: Vec::new(),
    };
    compiled(include_str!("../profile.toml"), Some(profile))
}

fn compiled(toml: &str, profile: Option<ProfileSpec>) -> Ruleset {
    let table: toml::Table = toml.parse().expect("TOML");
    let rules = table["rewrite"][0]["rules"].as_array().expect("a list of rules");
    let text =
        |rule: &toml::Value, key: &str| rule.get(key).and_then(|value| value.as_str()).map(str::to_string);
    let rule = |rule: &toml::Value| RuleSpec {
        tag: text(rule, "tag").expect("a tag"),
        action: text(rule, "action").expect("an action"),
        value: text(rule, "value"),
        find: text(rule, "find"),
        length: rule.get("length").and_then(toml::Value::as_integer).map(|length| length as usize),
    };
    let secret = Some(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
    let spec =
        RulesetSpec { rules: rules.iter().map(rule).collect(), profile, secret, ..RulesetSpec::default() };
    Ruleset::compile(spec).expect("rules that are right")
}

/// The decision about a request with 64 presentation contexts.
fn decision(count: usize) {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/instructions/policy.toml");
    let loaded = dimsegate::config::load(&policy).expect("a policy without errors");
    let mut request = upper::Request::new("LOAD_CT1", "PACS");
    for _ in 0..64 {
        request = request.context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE, upper::IMPLICIT_LITTLE]);
    }
    let requested = AssociateRq::decode(&request.encode()[6..]).expect("a request that decodes");
    let facts = Facts {
        listener: "local",
        address: "127.0.0.1".parse().expect("an address"),
        certificate: None,
        tls: None,
        authorities: &[],
        user: None,
        calling: &requested.calling,
        called: &requested.called,
        contexts: &requested.contexts,
        blocks: &Blocks::default(),
        now: std::time::SystemTime::now().into(),
    };
    for _ in 0..count {
        black_box(decide(&loaded.settings.policy, black_box(&facts)));
    }
}
