//! What every form of a report says, and never says.

use std::path::Path;

use time::macros::datetime;

use super::model::Evidence;
use super::page::page;
use super::text::text;
use crate::audit::reading::figures::Period;
use crate::config::{Settings, sample};
use crate::evidence::tests::rich::{Home, facts};
use crate::evidence::{Facts, Recorded, Report, Trail, controls, judged};
use crate::scratch::Scratch;

const PERIOD: Period = Period { from: datetime!(2026-03-01 0:00 UTC), to: datetime!(2026-04-01 0:00 UTC) };

fn evidence(report: Report, facts: &Facts<'_>) -> Evidence {
    let controls = controls().unwrap();
    let judged = judged(report, &controls, facts);
    Evidence::of(report, (Path::new("gate's.toml"), &controls), PERIOD, facts, judged)
}

fn bare(settings: &Settings) -> Facts<'_> {
    let (recorded, trail) = (Recorded::default(), Trail::default());
    Facts { recorded, trail, ..facts(settings) }
}

/// Text, page and JSON, blanks made one, and markup taken back.
fn forms(evidence: &Evidence) -> [String; 3] {
    let json = serde_json::to_string(evidence).unwrap().replace("\\\"", "\"");
    let page = page(evidence).replace("&#39;", "'").replace("&quot;", "\"").replace("&lt;", "<");
    let page = page.replace("&#96;", "`").replace("&amp;", "&");
    [text(evidence), page, json].map(|form| form.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_form_has_each_caveat_and_the_dates_and_never_says_that_a_control_is_met() {
    let (home, folder) = (Home::new(), Scratch::new());
    let (rich, small) = (home.settings(&[]), sample::read(folder.path(), "").settings);
    let date = controls().unwrap().date;
    for (name, report) in Report::ALL {
        for facts in [facts(&rich), bare(&small)] {
            let evidence = evidence(report, &facts);
            for form in forms(&evidence) {
                let lower = form.to_lowercase();
                for word in ["compliant", "certified", "complies"] {
                    assert!(!lower.contains(word), "{name}: {word}");
                }
                assert!(form.contains("provides evidence for controls"), "{name}");
                assert!(form.contains(&date), "{name}: the date of the data");
                for control in &evidence.controls {
                    assert!(form.contains(&control.title), "{name}: {}", control.id);
                    let caveat = control.caveat.as_deref().unwrap_or_default();
                    assert!(form.contains(caveat), "{name}: the caveat of {}", control.id);
                }
            }
        }
    }
}

#[test]
fn our_own_mapping_and_what_is_only_proposed_are_marked_in_every_form() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let facts = facts(&settings);
    let mark = "our own mapping; not from the publisher";
    for report in [Report::NistCsf, Report::Soc2, Report::Dpia, Report::Mds2] {
        let evidence = evidence(report, &facts);
        for form in forms(&evidence) {
            // Of each control, and once of them all.
            assert_eq!(form.matches(mark).count(), evidence.controls.len() + 1, "{report:?}");
        }
    }
    for form in forms(&evidence(Report::Hipaa, &facts)) {
        assert!(!form.contains(mark));
        assert!(form.contains("PROPOSED"), "{form}");
    }
}

#[test]
fn what_is_found_has_its_lines_and_a_command_and_what_is_missing_a_remedy() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let evidence = evidence(Report::Hipaa, &facts(&settings));
    let file = std::fs::read_to_string(&settings.path).unwrap();
    let line = 1 + file.lines().position(|line| line.starts_with("client-authentication")).unwrap();
    for form in forms(&evidence) {
        let place = format!("line {line}: listener \"remote\".tls.client-authentication");
        let json = format!("{{\"key\":\"listener \"remote\".tls.client-authentication\",\"line\":{line}}}");
        assert!(form.contains(&place) || form.contains(&json), "{form}");
        let search = "--from 2026-03-01T00:00:00.000000Z --to 2026-04-01T00:00:00.000000Z --event";
        assert!(form.contains("dimsegate audit search") && form.contains(search), "{form}");
        assert!(form.contains("write down how patients' data are reached"), "{form}");
        assert!(form.contains(r"-c 'gate'\''s.toml'") || form.contains(r"-c 'gate'\\''s.toml'"), "{form}");
    }
    assert!(evidence.lacks() && evidence.in_force);
    assert!(evidence.count(crate::evidence::Standing::Found) > 8, "{}", evidence.summary());
}

#[test]
fn without_records_nothing_is_found_and_that_is_said() {
    let folder = Scratch::new();
    let settings = sample::read(folder.path(), "").settings;
    let evidence = evidence(Report::Gdpr, &bare(&settings));
    assert!(evidence.controls.iter().all(|control| control.found.is_empty()));
    for form in forms(&evidence) {
        assert!(form.contains("no record is of this period"), "{form}");
    }
    assert!(text(&evidence).contains("there are no records of the period, so nothing is found"));
}

#[test]
fn a_name_is_never_markup() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let mut facts = facts(&settings);
    facts.recorded.rewrites.insert("<script>x</script>".to_owned());
    let page = page(&evidence(Report::Hipaa, &facts));
    assert!(page.contains("&lt;script&gt;x") && !page.contains("<script"));
    for outside in ["src=", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}
