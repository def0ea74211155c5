//! How many patients a reader sees in a day (`max-patients-per-day`): before an Orthanc with five of them, before a PACS of raw
//! bytes, and over a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::command::{C_FIND_RQ, C_GET_RQ, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::peers::{self, Archive};
use crate::process;
use crate::raw;
use crate::scope::{self, FIND, GET, answered, answers, find, got, keys, moved, request, seen, uid};
use crate::site::Site;
use crate::upper::{self, Request};
use crate::user_identity::{self, USERS};
use crate::wait;

/// A test of what is counted in one day, again where that ended meanwhile.
pub fn on_one_day(test: impl Fn()) {
    loop {
        let today = || OffsetDateTime::now_utc().date();
        let begun = today();
        let outcome = catch_unwind(AssertUnwindSafe(&test));
        match outcome {
            Err(failed) if today() == begun => resume_unwind(failed),
            Err(_) => {}
            Ok(()) => return,
        }
    }
}

fn role(name: &str, keys: &str) -> &'static str {
    let all = gate::ROLE_ALL.replace("\"all\"\noperations", &format!("\"{name}\"\noperations"));
    gate::leaked(format!("{all}\n{keys}"))
}

/// Puts another configuration into force.
fn reloaded(gate: &Gate, setup: &Setup) {
    let loaded = gate.count("configuration-loaded");
    gate.reload(&setup.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
}

/// Studies 1 to 5 of a patient each, and a sixth of the first one.
fn filled(archive: &Archive) {
    scope::filled(archive);
    scope::store(archive, &[scope::of_patient(6, "P1", "LYON", "20260103", "MR")]);
}

fn study(number: u8) -> [String; 2] {
    ["0008,0052=STUDY".into(), format!("0020,000D={}", uid(number))]
}

/// The numbers of the studies that a C-GET of each brings.
fn gets(gate: &Gate, numbers: &[u8]) -> BTreeSet<u8> {
    let is_got = |number: &&u8| {
        let [level, uid] = study(**number);
        !got(gate.address, &[&level, &uid]).1.is_empty()
    };
    numbers.iter().filter(is_got).copied().collect()
}

fn moves(gate: &Gate, number: u8) -> bool {
    let [level, uid] = study(number);
    moved(gate.address, &[&level, &uid]).contains("Received Final Move Response (Success)")
}

/// Status and reason of each operation of a kind.
fn told(gate: &Gate, operation: &str) -> Vec<Value> {
    let of_it = gate.records().into_iter().filter(|record| record["operation"] == operation);
    of_it.map(|record| json!([record["status"], record["reason"]])).collect()
}

#[test]
fn a_reader_sees_so_many_patients_a_day_by_whatever_it_asks_also_after_a_restart() {
    on_one_day(|| {
        let workstation = peers::storescp(&["-aet", "READER"]);
        let archive =
            peers::orthanc_with(&json!({"READER": ["READER", "127.0.0.1", workstation.address.port()]}));
        filled(&archive);
        let setup = |most: u32| Setup {
            roles: role("all", &format!("max-patients-per-day = {most}")),
            ..Setup::plain(archive.address)
        };
        let mut gate = Gate::start(&setup(2));
        // Both studies of the first patient, who counts once; then one of the second, whom no answer names.
        let first = find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D", "0010,0020=P1"]);
        assert_eq!(seen(&first), [1, 6].into(), "{first}");
        assert!(!answers(&first).contains("(0010,0021)"), "nobody asked for it: {first}");
        let [_, second] = study(2);
        let series = find(gate.address, "-S", &["0008,0052=SERIES", &second, "0020,000E"]);
        assert_eq!(seen(&series), [2].into(), "{series}");
        // Nobody else, in no way.
        assert_eq!(gets(&gate, &[1, 2, 3, 4, 5, 6]), [1, 2, 6].into());
        assert_eq!([1, 3].map(|number| moves(&gate, number)), [true, false]);
        let all = find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D"]);
        assert!(seen(&all).is_subset(&[1, 2, 6].into()) && !all.contains("Find Response (Success)"), "{all}");
        let fourth = find(gate.address, "-P", &["0008,0052=PATIENT", "0010,0020=P4"]);
        assert!(!answers(&fourth).contains("P4"), "{fourth}");
        wait::until("every closing record", || (gate.count("association-closed") == 12).then_some(()));
        let refused = json!(["0xA702", "too-many-patients"]);
        let gets_told = told(&gate, "C-GET");
        assert_eq!(gets_told.iter().filter(|told| **told == refused).count(), 3, "{gets_told:?}");
        assert_eq!(told(&gate, "C-MOVE"), [json!(["0x0000", null]), refused]);
        let finds = told(&gate, "C-FIND");
        assert_eq!(finds[..2], [json!(["0x0000", null]), json!(["0x0000", null])], "{finds:?}");
        assert_eq!(
            finds[2..],
            [json!(["0xA700", "too-many-patients"]), json!(["0xA700", "too-many-patients"])]
        );

        assert!(gate.stop().success());
        let kept = fs::read_to_string(gate.site.path("state/patients")).expect("what is kept");
        assert_eq!(kept.lines().count(), 3, "{kept}");
        assert!(!kept.contains("P1") && !kept.contains("site"), "{kept}");
        for name in ["state/patients", "state/patients.key"] {
            let mode = fs::metadata(gate.site.path(name)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(!gate.output().contains("DOE^JANE"));
        let Gate { site, .. } = gate;
        let gate = Gate::start_in(site, &setup(2));
        assert_eq!(gets(&gate, &[1, 2, 3, 4, 5, 6]), [1, 2, 6].into());
        // One more from now on.
        reloaded(&gate, &setup(3));
        assert_eq!(gets(&gate, &[4, 5, 1]), [4, 1].into());
        // Whether somebody matches whom nobody may be shown any more is told ten times, and then no more.
        let asked = |patient: &str| {
            let key = format!("0010,0020={patient}");
            find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D", &key])
        };
        for _ in 0..10 {
            assert!(asked("P9").contains("Find Response (Success)"));
            assert!(!asked("P5").contains("Find Response (Success)"));
        }
        let (there, not_there) = (asked("P5"), asked("P9"));
        assert!(!there.contains("(Success)") && !not_there.contains("(Success)"), "{there}{not_there}");
        assert_eq!(workstation.stored(1).len(), 1);
    });
}

/// Before an archive: a peer that may see everybody, and READER, who may see one patient a day; the real patients are on the side that
/// `direction` tells.
fn under_pseudonyms(archive: &Archive, direction: &str, all: &str) -> Gate {
    let peer = |title: &str, role: &str| {
        let name = title.to_lowercase();
        format!(
            "[[peer]]\nname = \"{name}\"\nnetworks = [\"127.0.0.0/8\"]\nrewrite = \"site\"\ntwo-way = true\n\
             rewrite-direction = \"{direction}\"\ncalling-ae-titles = [\"{title}\"]\nrole = \"{role}\"\n"
        )
    };
    let roles = format!("{}\n{}", gate::ROLE_ALL, role("few", "max-patients-per-day = 1"));
    Gate::start(&Setup {
        peers: peer(all, "all") + &peer("READER", "few"),
        roles: gate::leaked(roles),
        extra: crate::two_way::REWRITE,
        ..Setup::plain(archive.address)
    })
}

#[test]
fn under_pseudonyms_the_patients_of_the_archive_are_counted() {
    on_one_day(|| {
        let archive = peers::orthanc();
        filled(&archive);
        let gate = under_pseudonyms(&archive, "to-peer", "ALL");
        // The pseudonyms of all studies, and of whom each is, which somebody else may see.
        let options =
            ["-v", "-S", "-aet", "ALL", "-aec", "ORTHANC", "-k", "0008,0052=STUDY", "-k", "0020,000D"];
        let output =
            peers::requestor("findscu", gate.address, &[&options[..], &["-k", "0010,0020"]].concat(), &[])
                .output;
        let value = |line: &str| {
            let (_, behind) = line.split_once('[')?;
            Some(behind.split_once(']')?.0.trim_end_matches([' ', '\0']).to_owned())
        };
        let shown = answers(&output);
        let of = |tag: &'static str| shown.lines().filter(move |line| line.contains(tag)).filter_map(value);
        let whose: BTreeMap<String, String> = of("(0020,000d)").zip(of("(0010,0020)")).collect();
        assert_eq!(whose.len(), 7, "{output}");
        let is_got = |study: &&String| {
            let objects = got(gate.address, &["0008,0052=STUDY", &format!("0020,000D={study}")]).1;
            !objects.is_empty()
        };
        let studies: BTreeSet<&String> = whose.keys().filter(is_got).collect();
        let patients: BTreeSet<&String> = studies.iter().map(|study| &whose[*study]).collect();
        assert_eq!(patients.len(), 1, "{whose:?} {studies:?}");
        let theirs = whose.iter().filter(|(_, patient)| patients.contains(patient)).map(|(study, _)| study);
        assert_eq!(theirs.collect::<BTreeSet<_>>(), studies);
    });
}

#[test]
fn a_pacs_is_asked_whom_its_answers_are_about_and_told_to_stop() {
    on_one_day(|| {
        let asked = Request::new("READER", "PACS").context(FIND, &[upper::EXPLICIT_LITTLE]);
        let (gate, upstream, mut requestor, mut acceptor) = raw::opened(&asked, |setup| {
            setup.roles = role("all", "max-patients-per-day = 2");
        });
        let study = |patient: Option<&str>, uid: &str| {
            let mut all = [
                (8, 0x52, "CS", "STUDY"),
                (0x10, 0x10, "PN", "DOE^J"),
                (0x10, 0x20, "LO", patient.unwrap_or_default()),
                (0x10, 0x21, "LO", ""),
                (0x20, 0x0D, "UI", uid),
            ]
            .to_vec();
            all.retain(|(_, element, ..)| patient.is_some() || !matches!(element, 0x20 | 0x21));
            all.retain(|(group, _, _, value)| *group != 0x20 || !value.is_empty());
            keys(&all)
        };
        requestor.send_message(1, &request(FIND, C_FIND_RQ, 7), Some(&study(None, "1")), 16384);
        let heard = acceptor.message();
        assert_eq!(heard.data_set, Some(study(Some(""), "1")));
        // Twice the same; one of whom nothing is known; one who is known by the study alone; one too many.
        for (patient, uid) in [("A", "1.1"), ("A", "1.2"), ("", ""), ("", "1.3"), ("B", "1.4"), ("A", "1.5")]
        {
            answered(&mut acceptor, 1, &heard.command, &study(Some(patient), uid));
        }
        for uid in ["1.1", "1.2", "1.3"] {
            let answer = requestor.message();
            assert_eq!(
                (answer.command.number(STATUS), answer.data_set),
                (Some(0xFF00), Some(study(None, uid)))
            );
        }
        assert_eq!(acceptor.message().command.number(0x0100), Some(0x0FFF), "a C-CANCEL");
        acceptor.send_message(1, &heard.command.response(0xFE00), None, 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0xA700));
        upstream.expect_nobody();
        raw::release(requestor, acceptor);
        let record = gate.record("the query", |record| record["operation"] == "C-FIND");
        assert_eq!(
            [&record["status"], &record["reason"], &record["withheld"]],
            [&json!("0xA700"), &json!("too-many-patients"), &json!(1)]
        );
        let closed = gate.event("association-closed");
        assert_eq!(
            closed["operations"]["C-FIND"],
            json!({"success": 0, "warning": 0, "failure": 0, "refused": 1})
        );
    });
}

#[test]
fn nobody_is_shown_where_it_cannot_be_written_down_and_the_log_says_why() {
    let asked = Request::new("READER", "PACS")
        .context(FIND, &[upper::EXPLICIT_LITTLE])
        .context(GET, &[upper::EXPLICIT_LITTLE]);
    let (gate, _upstream, mut requestor, mut acceptor) = raw::opened(&asked, |setup| {
        setup.roles = role("all", "max-patients-per-day = 9");
    });
    fs::create_dir(gate.site.path("state/patients")).expect("a folder in its place");
    let of = |uid: &str| {
        keys(&[
            (8, 0x52, "CS", "STUDY"),
            (0x10, 0x20, "LO", "A"),
            (0x10, 0x21, "LO", ""),
            (0x20, 0x0D, "UI", uid),
        ])
    };
    requestor.send_message(1, &request(FIND, C_FIND_RQ, 7), Some(&of("")), 16384);
    let heard = acceptor.message();
    answered(&mut acceptor, 1, &heard.command, &of("1.2"));
    assert_eq!(acceptor.message().command.number(0x0100), Some(0x0FFF), "a C-CANCEL");
    acceptor.send_message(1, &heard.command.response(0xFE00), None, 16384);
    let last = requestor.message();
    assert_eq!((last.command.number(STATUS), last.data_set), (Some(0xA700), None));
    // What cannot be counted is refused as what a scope cannot judge.
    let of_patient = keys(&[(8, 0x52, "CS", "PATIENT"), (0x10, 0x20, "LO", "A")]);
    requestor.send_message(3, &request(GET, C_GET_RQ, 8), Some(&of_patient), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0124));
    raw::release(requestor, acceptor);
    let record = gate.record("the query", |record| record["operation"] == "C-FIND");
    assert_eq!(record["reason"], "patients-not-counted");
    let record = gate.record("the retrieval", |record| record["operation"] == "C-GET");
    assert_eq!(record["reason"], "outside-scope");
    assert!(gate.output().contains("who saw how many patients, cannot be"), "{}", gate.output());
}

#[test]
fn a_user_has_a_number_of_their_own_through_whatever_peer() {
    on_one_day(|| {
        let (site, _) = user_identity::site();
        let upstream = raw::Upstream::bind();
        let setup = |of_peer: u32, of_user: u32| {
            let most = |name: &str, most: u32| role(name, &format!("max-patients-per-day = {most}"));
            let roles = [most("all", of_user), most("open", of_peer), most("echo", of_user)].join("\n");
            Setup {
                listener: "user-identity = \"accept\"",
                peers: gate::peer("role = \"open\""),
                roles: gate::leaked(roles),
                extra: USERS,
                ..Setup::tls(upstream.address)
            }
        };
        let gate = Gate::start_in(site, &setup(3, 1));
        let sees = |user: &str, patient: &str, is_shown: bool| {
            let asked = user_identity::as_user(user, user_identity::PASSCODE);
            let asked = asked.context(FIND, &[upper::EXPLICIT_LITTLE]);
            let (mut requestor, mut acceptor) = raw::open(&gate.tls(), &upstream, &asked, 16384);
            let of = |patient| {
                keys(&[(8, 0x52, "CS", "PATIENT"), (0x10, 0x20, "LO", patient), (0x10, 0x21, "LO", "")])
            };
            requestor.send_message(3, &request(FIND, C_FIND_RQ, 7), Some(&of("")), 16384);
            let heard = acceptor.message();
            answered(&mut acceptor, 3, &heard.command, &of(patient));
            if is_shown {
                assert_eq!(requestor.message().data_set, Some(of(patient)), "{user} {patient}");
            } else {
                assert_eq!(acceptor.message().command.number(0x0100), Some(0x0FFF), "{user} {patient}");
            }
            acceptor.send_message(3, &heard.command.response(0), None, 16384);
            let last = requestor.message().command.number(STATUS);
            assert_eq!(last, Some(if is_shown { 0 } else { 0xA700 }), "{user} {patient}");
            raw::release(requestor, acceptor);
        };
        sees("nora", "A", true);
        sees("nora", "B", false);
        sees("bert", "B", true);
        sees("bert", "A", false);
        sees("nora", "A", true);
        // The peer has seen two, and what a user was refused counts for nobody.
        reloaded(&gate, &setup(2, 9));
        sees("bert", "A", true);
        sees("nora", "C", false);
        let told = gate.record("the refusal", |record| record["reason"] == "too-many-patients");
        assert_eq!(told["status"], "0xA700");
    });
}

#[test]
fn check_and_explain_say_what_is_counted_and_what_cannot_be() {
    let site = Site::new();
    let upstream = process::free_address();
    let checked = |keys: &str| {
        let setup = Setup { roles: role("all", keys), ..Setup::plain(upstream) };
        fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a file written");
        gate::told(&site, &["check", "-c", "dimsegate.toml"])
    };
    for wrong in ["0", "10001", "\"many\""] {
        let (status, output) = checked(&format!("max-patients-per-day = {wrong}"));
        assert!(status == 78 && output.contains("max-patients-per-day"), "{wrong}: {status} {output}");
    }
    let (status, output) = checked("max-patients-per-day = 5");
    assert!(
        status == 0 && output.contains("max-patients-per-day, by which") && output.contains("N-SET"),
        "{status} {output}"
    );
    assert!(output.contains("max-patients-per-day, and its role allows C-STORE"), "{output}");
    let facts = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let explained = |more: &[&str]| {
        gate::told(&site, &[&facts[..], &["--calling", "READER", "--called", "PACS"], more].concat())
    };
    let (status, output) = explained(&["--operation", "C-FIND"]);
    assert!(status == 0 && output.contains("max-patients-per-day: 5"), "{status} {output}");
    let (status, output) = explained(&["--operation", "N-SET"]);
    assert!(
        status == 3 && output.contains("patients are counted (max-patients-per-day), and it cannot be told"),
        "{output}"
    );
}

#[test]
fn before_an_archive_of_pseudonyms_each_patient_is_counted_once_too() {
    on_one_day(|| {
        let archive = peers::orthanc();
        let gate = under_pseudonyms(&archive, "from-peer", "SITE");
        let objects = [(1, "P1"), (2, "P2"), (6, "P1")]
            .map(|(number, patient)| scope::of_patient(number, patient, "LYON", "20260103", "CT"));
        let (_folder, files) = peers::files_of(&objects);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let options = ["-aet", "SITE", "-aec", "ORTHANC", "-xe", "-R"];
        peers::requestor("storescu", gate.address, &options, &files).expect_success();
        let own = find(archive.address, "-S", &["0008,0052=STUDY", "0020,000D", "0010,0020=P1"]);
        assert!(!own.contains("Find Response: 1"), "the archive has pseudonyms: {own}");
        let of = |patient| {
            let patient = format!("0010,0020={patient}");
            find(gate.address, "-S", &["0008,0052=STUDY", "0020,000D", &patient, "0010,0021=LYON"])
        };
        let first = of("P1");
        assert_eq!(seen(&first), [1, 6].into(), "{first}");
        let second = of("P2");
        assert_eq!(seen(&second), [].into(), "{second}");
        assert_eq!(gets(&gate, &[2]), [].into());
        wait::until("every closing record", || (gate.count("association-closed") == 4).then_some(()));
        assert_eq!(told(&gate, "C-GET"), [json!(["0xA702", "too-many-patients"])]);
    });
}
