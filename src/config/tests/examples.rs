//! The files of `conf/` mean what they say, and no key of theirs may be mistyped unnoticed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::material::Material;
use crate::config::Settings;
use crate::policy::{Blocks, Facts, Operation, Verdict, decide};
use crate::vocabulary::Reason;
use crate::wire::AeTitle;

const REFERENCE: &str = include_str!("../../../conf/dimsegate.toml");
const MODALITY: &str = include_str!("../../../conf/modality-to-pacs.toml");
const TELERADIOLOGY: &str = include_str!("../../../conf/teleradiology.toml");
pub(super) const EXAMPLES: [(&str, &str); 3] =
    [("dimsegate", REFERENCE), ("modality-to-pacs", MODALITY), ("teleradiology", TELERADIOLOGY)];

#[test]
fn every_example_is_right() {
    for (name, text) in EXAMPLES {
        let found = Material::shared().compile(text);
        assert!(found.is_ok(), "{name}: {}", found.unwrap_err());
    }
    assert_eq!(Material::shared().risks(MODALITY), Vec::<String>::new());
}

/// With the reference, and a repository that stands there in comments: whatever it is that a table reads.
#[test]
fn every_file_that_is_read_is_watched() {
    let material = Material::shared();
    let repository = "[[audit.repository]]\nname = \"arr\"\naddress = \"arr.example:6514\"\n[audit.repository.tls]\n\
                      ca = \"certs/arr-ca.pem\"\n";
    std::fs::copy(material.path("certs/pacs-ca.pem"), material.path("certs/arr-ca.pem")).unwrap();
    let text = format!("{REFERENCE}{repository}");
    let written =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(" # ").next().unwrap());
    let named: BTreeSet<PathBuf> = written
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|value| [".pem", ".key", "words-fr.txt"].iter().any(|end| value.ends_with(end)))
        .map(|value| material.path(value))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    let watched = material.compile(&text).unwrap().settings.watched;
    assert_eq!(watched.keys().cloned().collect::<BTreeSet<_>>(), named);
    assert!(watched.values().all(Option::is_some));
}

/// `key = …` at the beginning of a line, or after `{ `.
fn keys(line: &str) -> Option<(usize, &str)> {
    let start = if line.trim_start().starts_with("{ ") { line.find("{ ")? + 2 } else { 0 };
    let rest = line.get(start..)?;
    let key = rest.split_once(" = ")?.0;
    key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-').then_some((start, key))
}

#[test]
fn a_bogus_neighbour_of_any_key_is_refused_with_the_right_one() {
    for (name, text) in EXAMPLES {
        let lines: Vec<&str> = text.lines().collect();
        let mut tried = 0;
        for (index, line) in lines.iter().enumerate() {
            let Some((start, key)) = keys(line) else { continue };
            let (before, after) = line.split_at(start);
            let separator = if start == 0 { "\n" } else { ", " };
            let edited = format!("{before}{key}x = 1{separator}{after}");
            let mut broken = lines.clone();
            broken[index] = &edited;
            let errors = Material::shared().errors(&broken.join("\n"));
            assert_eq!(errors.len(), 1, "{name}: {key}: {errors:?}");
            assert!(errors[0].starts_with(&format!("{}:{}: ", index + 1, start + 1)), "{errors:?}");
            assert!(
                errors[0].contains(&format!("{key}x: is not a key of this table, did you mean \"")),
                "{errors:?}"
            );
            tried += 1;
        }
        assert!(tried > 15, "{name}: {tried}");
    }
}

#[test]
fn a_misspelt_value_makes_no_key_of_the_reference_unknown() {
    for (name, text) in EXAMPLES {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            for edited in
                [line.replace(" = \"", " = \"q"), line.replace("[\"", "[\"q"), line.replace(" = ", " = -")]
            {
                let mut broken = lines.clone();
                broken[index] = &edited;
                let errors = Material::shared().errors(&broken.join("\n"));
                let unknown = errors.iter().find(|error| error.contains("is not a key of this table"));
                assert_eq!(unknown, None, "{name}: {edited}");
            }
        }
    }
}

#[test]
fn no_example_makes_one_patient_of_all() {
    for (name, text) in EXAMPLES {
        let risks = Material::shared().risks(text);
        assert!(!risks.iter().any(|risk| risk.contains("one patient of all")), "{name}: {risks:?}");
    }
}

#[test]
fn a_value_that_is_emptied_is_refused_or_leaves_everything_whole() {
    for (_, text) in EXAMPLES {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some((start, key)) = keys(line) else { continue };
            for value in ["\"\"", "[]", "\" \"", "[\"\"]"] {
                let rest = if start == 0 {
                    String::new()
                } else {
                    format!(", {}", &line[line.find(", ").unwrap() + 2..])
                };
                let edited = format!("{}{key} = {value}{rest}", &line[..start]);
                let mut broken = lines.clone();
                broken[index] = &edited;
                if let Ok(loaded) = Material::shared().compile(&broken.join("\n")) {
                    whole(&loaded.settings);
                }
            }
        }
    }
}

#[test]
fn a_bogus_key_of_any_table_is_refused() {
    for (name, text) in EXAMPLES {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('[')) {
            let edited = format!("{line}\nqqqqqqqqqqqqqqq = 1");
            let mut broken = lines.clone();
            broken[index] = &edited;
            let errors = Material::shared().errors(&broken.join("\n"));
            assert_eq!(errors.len(), 1, "{name}: {line}: {errors:?}");
            assert!(errors[0].starts_with(&format!("{}:1: ", index + 2)), "{errors:?}");
            assert!(
                errors[0].ends_with("qqqqqqqqqqqqqqq: is not a key of this table, remove it"),
                "{errors:?}"
            );
        }
    }
}

#[test]
fn a_value_of_another_type_is_refused_at_its_place() {
    for (index, line) in MODALITY.lines().enumerate() {
        let Some((0, key)) = keys(line) else { continue };
        for value in ["1.5", "[1]", "{ a = 1 }", "true", "1979-05-27", "[[]]"] {
            let mut broken: Vec<&str> = MODALITY.lines().collect();
            let edited = format!("{key} = {value}");
            broken[index] = &edited;
            let errors = Material::shared().errors(&broken.join("\n"));
            let here = format!("{}:", index + 1);
            assert!(errors.iter().any(|error| error.starts_with(&here)), "{edited}: {errors:?}");
        }
    }
}

#[test]
fn the_reference_says_the_defaults_and_compiles_to_what_it_says() {
    let settings = Material::shared().compile(REFERENCE).unwrap().settings;
    let defaults = Material::shared().compile(MODALITY).unwrap().settings.limits;
    let mut limits = settings.limits;
    assert_eq!(limits.counts.associations_per_minute.unwrap().get(), 3000);
    limits.counts.associations_per_minute = None;
    limits.counts.associations_per_minute_per_address = None;
    // The other one decodes nothing.
    assert_eq!(std::mem::take(&mut limits.decoding_memory.pixels), 64 << 20);
    assert_eq!(limits, defaults);
    assert_eq!(limits.associate_timeout, Duration::from_secs(10));
    assert_eq!(limits.counts.connections_per_minute_per_address.get(), 120);
    let lyon = &settings.policy.peers[0];
    assert_eq!(
        (&*lyon.name, &*lyon.role.name, lyon.rewrite.as_deref()),
        ("lyon", "modality", Some("cross-border"))
    );
    assert_eq!((lyon.max_associations, lyon.associations_per_minute), (Some(8), Some(60)));
    assert_eq!((lyon.operations_per_second, lyon.bytes_per_second), (Some(200), Some(104_857_600)));
    assert_eq!(REFERENCE.lines().nth(lyon.line - 1), Some("[[peer]]"));
    assert!(
        lyon.role.operations.contains(&Operation::NAction)
            && !lyon.role.operations.contains(&Operation::CMove)
    );
    assert_eq!(settings.upstreams["pacs"].addresses, ["10.0.0.5:104", "10.0.0.6:104"]);
    assert_eq!(settings.rewrites["cross-border"].len(), 14);
    assert_eq!(settings.digest.len(), 64);
}

#[test]
fn a_modality_without_its_certificate_is_refused_as_such() {
    let settings = Material::shared().compile(MODALITY).unwrap().settings;
    let title = |text: &str| text.parse::<AeTitle>().unwrap().to_raw();
    let facts = Facts {
        listener: "remote",
        address: "203.0.113.9".parse().unwrap(),
        certificate: None,
        tls: None,
        authorities: &[],
        user: None,
        calling: &title("LYON_MR7"),
        called: &title("PACS"),
        contexts: &[],
        blocks: &Blocks::default(),
        now: std::time::SystemTime::now().into(),
    };
    let Verdict::Refuse(refusal) = decide(&settings.policy, &facts) else { panic!("allowed") };
    assert_eq!(refusal.reason, Reason::CertificateMismatch);
}

/// Nothing that is taken refers to what was left out.
fn whole(settings: &Settings) {
    let upstream = |name: &Arc<str>| settings.upstreams.contains_key(name);
    assert!(settings.listeners.iter().all(|listener| listener.upstream.as_ref().is_none_or(upstream)));
    assert!(settings.policy.routes.iter().all(|route| upstream(&route.upstream)));
    assert!(settings.upstreams.values().all(|upstream| !upstream.addresses.is_empty()));
    for peer in &settings.policy.peers {
        assert!(peer.rewrite.as_ref().is_none_or(|name| settings.rewrites.contains_key(name)));
        assert!(peer.upstream.as_ref().is_none_or(upstream));
        let crosswalk = peer.rewrite.as_ref().and_then(|name| settings.remembered.get(name));
        assert!(crosswalk.is_none_or(|name| settings.crosswalks.contains_key(name)));
        assert!(!peer.networks.is_empty() && !peer.calling.is_empty() && !peer.role.operations.is_empty());
        let listeners = || settings.listeners.iter().map(|listener| &listener.name);
        assert!(peer.listeners.iter().flatten().all(|name| listeners().any(|known| known == name)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Nothing that can be typed is worse than an error.
    #[test]
    fn no_damage_to_a_file_panics(at in 0..REFERENCE.len(), length in 0_usize..40, put in "[\\PC\"\\[\\]{}=\n,]{0,6}") {
        let keep = |at: usize| REFERENCE.char_indices().map(|(i, _)| i).find(|i| *i >= at).unwrap_or(REFERENCE.len());
        let (from, to) = (keep(at), keep(at + length));
        let damaged = format!("{}{put}{}", &REFERENCE[..from], &REFERENCE[to..]);
        match Material::shared().compile(&damaged) {
            Ok(loaded) => whole(&loaded.settings),
            Err(found) => {
                let lines = damaged.lines().count() + 1;
                prop_assert!(!found.errors.is_empty());
                prop_assert!(found.errors.iter().all(|error| (1..=lines).contains(&error.line) && error.column > 0));
            }
        }
    }

    #[test]
    fn random_text_has_problems_that_each_point_to_a_line_of_it(text in "(\\[\\[?(peer|role|listener|upstream|rewrite|limits|audit)\\]\\]?\n|[a-z]{1,9} = [\\PC]{0,9}\n|\\PC{0,20}\n){0,12}") {
        // Not even the fewest keys are there.
        let errors = Material::shared().compile(&text).expect_err("problems").errors;
        let lines = text.split('\n').count();
        let has_place = |line: usize| (1..=lines).contains(&line);
        prop_assert!(!errors.is_empty() && errors.iter().all(|error| has_place(error.line)), "{errors:?} of {lines} lines");
    }
}
