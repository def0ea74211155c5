//! Each check that finds something has a configuration, or records, that lack it.

pub(crate) mod rich;

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use time::Duration;

use super::{CHECKS, Control, Controls, Facts, Finding, Judged, Report, Standing, controls, judged};
use crate::config::Settings;
use crate::policy::Policy;
use rich::{Changes, Home, facts};

/// What is taken away.
enum Lack {
    Text(&'static Changes),
    Settings(fn(&mut Settings)),
    Facts(fn(&mut Facts<'_>)),
    Home(fn(&Home)),
}
use Lack::{Facts as OfFacts, Home as OfHome, Settings as OfSettings, Text};

/// No check finds anything here, whatever the configuration says: nothing of it is built, or people have to show it.
const NEVER: [&str; 6] = [
    "clock_sync",
    "digest_logging",
    "breakglass_defined",
    "tenant_isolation",
    "incident_export",
    "adequacy_list_fresh",
];

const NO_TLS: &Changes = &[(
    "[listener.tls]\ncertificate-chain = \"HOME/certs/server.pem\"\nprivate-key = \"HOME/keys/server.key\"\nclient-authentication = \"required\"\nclient-ca = \"HOME/certs/ca.pem\"\nrevocation-lists = [\"HOME/certs/ca.crl.pem\"]\n",
    "user-identity-in-clear = true\n",
)];

fn lacking(check: &str) -> Vec<Lack> {
    match check {
        "allowlist_nonempty" => vec![OfSettings(|settings| settings.policy = Arc::new(Policy::default()))],
        "default_deny" => vec![Text(&[
            ("\"203.0.113.0/24\"", "\"0.0.0.0/0\""),
            ("\"LYON\"", "\"*\""),
            ("certificates = [\"dns:gw.lyon.example\"]\n", ""),
            ("client-authentication = \"required\"", "client-authentication = \"optional\""),
        ])],
        "idle_timeout_set" => vec![Text(&[("\"5m\"", "\"2h\"")])],
        "admin_loopback" => vec![Text(&[(
            "listen = \"unix:HOME/admin.sock\"",
            "listen = \"192.0.2.1:8765\"\ntls = { certificate-chain = \"HOME/certs/server.pem\", private-key = \"HOME/keys/server.key\", client-authentication = \"off\" }",
        )])],
        "rule_review_dates" => vec![OfFacts(|facts| _ = facts.recorded.readings.remove("review"))],
        "mtls_required" => vec![Text(&[("\"required\"", "\"optional\"")]), Text(NO_TLS)],
        "no_shared_cert_binding" => vec![
            Text(&[("dns:gw.geneva.example", "dns:gw.lyon.example")]),
            Text(&[("certificates = [\"dns:gw.geneva.example\"]\n", "")]),
        ],
        "identity_required" => vec![Text(&[("\"require\"", "\"accept\"")])],
        "mfa_rules" => vec![Text(&[("[\"certificate\", \"passcode\"]", "[\"certificate\"]")])],
        "lockout_set" => vec![
            Text(&[("when = [\"refusals\"]", "when = [\"disk\"]")]),
            OfSettings(|settings| {
                settings.admin = None;
                for listener in &mut settings.listeners {
                    Arc::make_mut(listener).user_identity = crate::config::UserIdentity::Ignore;
                }
            }),
        ],
        "crl_fresh" => vec![
            Text(&[("revocation-lists = [\"HOME/certs/ca.crl.pem\"]\n", "")]),
            OfFacts(|facts| facts.now += Duration::days(61)),
        ],
        "cert_expiry" => vec![
            OfHome(|home| home.certificates(Duration::days(20), Duration::days(60))),
            OfFacts(|facts| facts.now += Duration::days(366)),
        ],
        "no_plain_listener" => vec![Text(NO_TLS), OfFacts(|facts| facts.recorded.plain = 1)],
        "tls_profile" => vec![Text(NO_TLS), Text(&[("[upstream.tls]\nca = \"HOME/certs/ca.pem\"\n", "")])],
        "upstream_tls" => vec![Text(&[("[upstream.tls]\nca = \"HOME/certs/ca.pem\"\n", "")])],
        "self_test_recent" => vec![Text(&[("health = { echo = \"30s\" }\n", "")])],
        "key_file_permissions" => vec![OfHome(|home| {
            let key = home.path().join("keys/server.key");
            fs::set_permissions(key, Permissions::from_mode(0o640)).unwrap();
        })],
        "destination_country_set" => vec![
            Text(&[("country = \"FR\"\nblocked", "blocked")]),
            Text(&[("operations = [\"C-STORE\"]", "operations = [\"C-STORE\", \"C-MOVE\"]")]),
        ],
        "destination_metadata_complete" => vec![OfFacts(|facts| facts.now += Duration::days(100 * 366))],
        "safeguard_ref_present" => vec![Text(&[("\"scc\"", "\"adequacy\""), ("\"bcr\"", "\"adequacy\"")])],
        "derogation_permits_expire" => vec![Text(&[("\"derogation\"", "\"authorization\"")])],
        "dsp_block_list" => {
            vec![Text(&[("\"CN\", ", "")]), Text(&[("country = \"FR\"\nblocked", "blocked")])]
        }
        "binding_rules_present" => vec![Text(&[("\"bcr\"", "\"scc\"")])],
        _ => lacking_records(check),
    }
}

/// As [`lacking`], of records and rewrites.
fn lacking_records(check: &str) -> Vec<Lack> {
    match check {
        "audit_enabled" => vec![
            Text(&[("\"block\"", "\"allow\"")]),
            OfFacts(|facts| _ = facts.recorded.alerts.insert("records-lost".into(), 1)),
            OfFacts(|facts| facts.recorded.records = 0),
        ],
        "audit_chain_verifies" => vec![
            Text(&[("signing-key = \"HOME/keys/signing.key\"\n", "")]),
            OfFacts(|facts| facts.trail.breaks = 1),
            OfFacts(|facts| facts.trail.unsigned = 1),
            OfFacts(|facts| facts.trail.unread = 1),
            OfFacts(|facts| facts.trail.signed_up_to = None),
        ],
        "audit_forwarding_ok" => vec![
            OfSettings(|settings| settings.forwarding.clear()),
            Text(&[(
                "transport = \"tls\"\n[audit.repository.tls]\nca = \"HOME/certs/ca.pem\"\n",
                "transport = \"udp\"\n",
            )]),
            OfFacts(|facts| _ = facts.recorded.alerts.insert("repository-behind".into(), 1)),
        ],
        "audit_schema_valid" => vec![OfSettings(|settings| settings.forwarding.clear())],
        "audit_review_export" => vec![
            OfFacts(|facts| facts.recorded.readings.clear()),
            OfFacts(|facts| facts.recorded.readings = [("check".into(), 3), ("verify".into(), 1)].into()),
        ],
        "config_hash_logged" => vec![OfFacts(|facts| facts.recorded.configurations.clear())],
        "retention_days_ge_2192" => vec![Text(&[("3000", "2191")])],
        "metrics_enabled" => vec![
            OfSettings(|settings| settings.notifications.clear()),
            OfSettings(|settings| (settings.metrics, settings.admin) = (None, None)),
        ],
        "spool_disabled_or_encrypted" => vec![Text(&[("\"none\"", "\"clear\"")])],
        "rewrite_rules_listed" => {
            vec![OfFacts(|facts| _ = facts.recorded.rewrites.insert("of another file".into()))]
        }
        "deid_profile_named" => vec![Text(&[("rewrite = \"cross\"", "rewrite = \"bare\"")])],
        "pixel_policy_set" => vec![Text(&[("burned-in = \"refuse\"", "burned-in = \"pass\"")])],
        "deid_rules_per_destination" => vec![Text(&[("rewrite = \"cross\"\n[[peer]]", "[[peer]]")])],
        "deid_default" => vec![Text(&[("rewrite = \"cross\"\n[[peer]]", "rewrite = \"bare\"\n[[peer]]")])],
        "mapping_key_separate" => vec![
            Text(&[("keys/two.key", "keys/one.key")]),
            Text(&[("HOME/crosswalk/x", "HOME/keys/x")]),
            Text(&[("HOME/crosswalk/x", "HOME/crosswalk/../keys/x")]),
            OfSettings(|settings| settings.secret_fingerprints.clear()),
        ],
        _ => Vec::new(),
    }
}

/// The finding of a check where this is taken away.
fn without(check: fn(&Facts<'_>) -> Finding, lack: &Lack) -> Finding {
    let home = Home::new();
    if let OfHome(change) = lack {
        change(&home);
    }
    let mut settings = home.settings(if let Text(changes) = lack { changes } else { &[] });
    if let OfSettings(change) = lack {
        change(&mut settings);
    }
    let mut facts = facts(&settings);
    if let OfFacts(change) = lack {
        change(&mut facts);
    }
    check(&facts)
}

#[test]
fn what_is_found_is_missing_where_the_configuration_or_the_records_lack_it() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let all = facts(&settings);
    for (name, check) in CHECKS {
        let finding = check(&all);
        let lacks = lacking(name);
        let is_found = matches!(finding, Finding::Found(_));
        assert_eq!(is_found, !NEVER.contains(&name), "{name}: {finding:?}");
        assert_eq!(is_found, !lacks.is_empty(), "{name}: what is found has something that lacks it");
        for (number, lack) in lacks.iter().enumerate() {
            let finding = without(check, lack);
            assert!(matches!(finding, Finding::Missing(_)), "{name}, {number}: {finding:?}");
        }
    }
}

#[test]
fn a_key_of_every_side_that_speaks_tls_is_looked_at() {
    let home = Home::new();
    let changes: &[(&str, &str)] = &[(
        "[audit.repository.tls]\nca = \"HOME/certs/ca.pem\"\n",
        "[audit.repository.tls]\nca = \"HOME/certs/ca.pem\"\ncertificate-chain = \"HOME/certs/server.pem\"\nprivate-key = \"HOME/keys/sent.key\"\n",
    )];
    let sent = home.path().join("keys/sent.key");
    fs::copy(home.path().join("keys/server.key"), &sent).unwrap();
    assert_eq!(super::loose_keys(&home.settings(changes)), [""; 0].map(std::path::PathBuf::from));
    fs::set_permissions(&sent, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(super::loose_keys(&home.settings(changes)), [sent]);
}

#[test]
fn a_finding_names_lines_of_the_file_that_are_there() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let text = fs::read_to_string(&settings.path).unwrap();
    let facts = facts(&settings);
    let mut lines = 0;
    for (name, check) in CHECKS {
        let Finding::Found(found) = check(&facts) else { continue };
        for place in found.places.iter().filter(|place| place.line.is_some()) {
            let line = text.lines().nth(place.line.unwrap() - 1).unwrap();
            let key = place.key.rsplit('.').next().unwrap().split(' ').next().unwrap();
            assert!(line.contains(key), "{name}: {place:?}: {line}");
            lines += 1;
        }
    }
    assert!(lines > 25, "{lines}");
}

#[test]
fn every_check_of_the_data_is_there_and_every_check_is_asked_for() {
    let controls = controls().unwrap();
    let Controls { all, .. } = &controls;
    let told: Vec<&Control> = Report::ALL.iter().flat_map(|(_, report)| report.of(&controls)).collect();
    assert_eq!(told.len(), all.len(), "each control in one report");
    let asked: BTreeSet<&str> = told.iter().flat_map(|control| &control.checks).map(String::as_str).collect();
    let known: BTreeSet<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
    assert_eq!(asked, known);
    assert_eq!(CHECKS.len(), known.len(), "each once");
    let ids: BTreeSet<&str> = all.iter().map(|control| control.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "each once");
}

fn report(report: Report, facts: &Facts<'_>) -> Vec<Judged> {
    judged(report, &controls().unwrap(), facts)
}

#[test]
fn every_report_has_controls_and_those_that_nobody_published_are_marked() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let facts = facts(&settings);
    for (name, which) in Report::ALL {
        let judged = report(which, &facts);
        assert!(judged.len() >= 4, "{name}: {}", judged.len());
        assert!(judged.iter().any(|one| one.standing() == Standing::Found), "{name}");
        let is_own = ["dpia", "nist-csf", "soc-2", "mds2"].contains(&name);
        assert!(!is_own || judged.iter().all(|one| one.control.is_own_mapping), "{name}");
    }
    let published = report(Report::Hipaa, &facts);
    assert!(published.iter().all(|one| !one.control.is_own_mapping));
    assert_eq!(published.iter().filter(|one| one.control.is_proposed()).count(), 1);
    let families = report(Report::Nist1800, &facts);
    assert!(families.iter().all(|one| one.control.is_own_mapping), "its data name no checks");
}

#[test]
fn nothing_is_found_in_a_period_without_records_of_this_configuration() {
    let home = Home::new();
    let settings = home.settings(&[]);
    let empty: [fn(&mut Facts<'_>); 3] = [
        |facts| facts.recorded = super::Recorded::default(),
        |facts| facts.recorded.configurations = ["another".to_owned()].into(),
        |facts| facts.trail.breaks = 1,
    ];
    for change in empty {
        let mut facts = facts(&settings);
        change(&mut facts);
        for (name, which) in Report::ALL {
            for one in report(which, &facts) {
                let is_found = one.findings.iter().any(|(_, finding)| matches!(finding, Finding::Found(_)));
                assert!(!is_found, "{name}: {}", one.control.id);
            }
        }
    }
}

#[test]
fn a_control_stands_as_its_checks_do() {
    let control = controls().unwrap().all.remove(0);
    let found = || super::finding::found("x", Vec::new(), super::Query::Check);
    let missing = || super::finding::missing("x", "y");
    let standing = |findings: Vec<Finding>| {
        let findings = findings.into_iter().map(|one| (String::new(), one)).collect();
        Judged { control: control.clone(), findings }.standing()
    };
    let by_people = || Finding::NotByProxy("x");
    assert_eq!(standing(vec![]), Standing::NotByProxy);
    assert_eq!(standing(vec![by_people()]), Standing::NotByProxy);
    assert_eq!(standing(vec![found(), by_people()]), Standing::Found);
    assert_eq!(standing(vec![found(), missing()]), Standing::Partly);
    assert_eq!(standing(vec![missing(), by_people()]), Standing::Missing);
}
