//! The commands on a crosswalk, beside a running proxy and without one.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dimsegate::crosswalk::{self, Crosswalk, Secret};
use dimsegate::rewrite::{Correspondence, Kind};
use zeroize::Zeroizing;

use crate::crosswalk::{RULES, association, command, ct, database, exported, of, remembering, stored, uids};
use crate::gate::{self, Gate, Setup};
use crate::raw::{self, Upstream};
use crate::site::Site;
use crate::wait;

#[test]
fn a_patient_is_erased_and_a_key_rotated_only_while_no_proxy_runs() {
    let upstream = Upstream::bind();
    let setup = remembering(upstream.address);
    let mut gate = Gate::start(&setup);
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (first, _) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    let mut other = ct(2, 20_000);
    let at = other.data_set.windows(8).position(|window| window == b"PID-0815").expect("the Patient ID");
    other.data_set[at..at + 8].copy_from_slice(b"PID-0816");
    let (second, _) = stored(&mut requestor, &mut acceptor, &other, 2);
    raw::release(requestor, acceptor);

    let new_key = gate.site.path("conf/new.key");
    fs::write(&new_key, [7; 48]).expect("a key written");
    fs::set_permissions(&new_key, fs::Permissions::from_mode(0o600)).expect("permissions set");
    let rotate = ["rotate-key", "--rewrite", "site", "--new-key-file", "conf/new.key"];
    for refused in [&["erase", "--patient", "PID-0815"][..], &rotate[..]] {
        let (status, out, err) = command(&gate.site, refused);
        assert_eq!((status, out.as_str()), (69, ""), "{err}");
        assert!(err.contains("in use by another process") && err.contains(&gate.pid().to_string()), "{err}");
    }
    let with_records_of_its_own = setup.toml().replace("directory = \"audit\"", "directory = \"audit-2\"");
    fs::write(gate.site.path("second.toml"), with_records_of_its_own).expect("a configuration written");
    let second_proxy = gate::command(&gate.site, &["run", "-c", "second.toml"]).output().expect("a run");
    let said = String::from_utf8_lossy(&second_proxy.stderr).into_owned();
    assert_eq!(second_proxy.status.code(), Some(69), "{said}");
    assert!(said.contains("crosswalk/domain") && said.contains("is in use by another process"), "{said}");
    // SIGHUP keeps it open.
    gate.reload(&setup.toml().replace("level = \"debug\"", "level = \"info\""));
    wait::until("the reload", || (gate.count("configuration-loaded") == 2).then_some(()));
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    assert_eq!(stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1).0, first);
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());

    let whole = exported(&gate.site);
    let (status, out, err) = command(&gate.site, &rotate);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("key version 2") && out.contains("conf/new.key"), "{out}");
    let check = gate::command(&gate.site, &["check", "-c", "dimsegate.toml"]).output().expect("check");
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert_eq!(check.status.code(), Some(78), "{said}");
    assert!(said.contains("key-file") && said.contains("another key, its key version 2"), "{said}");
    let toml = setup.toml().replace("conf/crosswalk.key", "conf/new.key");
    fs::write(gate.site.path("dimsegate.toml"), &toml).expect("a configuration written");
    assert_eq!(exported(&gate.site), whole);

    let (status, out, err) = command(&gate.site, &["erase", "--rewrite", "site", "--patient", "PID-0815"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("of one patient"), "{out}");
    let left = uids(&gate.site);
    assert!(!left.contains_key(&first) && left.contains_key(&second), "{left:?}");
    assert!(exported(&gate.site).iter().all(|one| one["real"] != "PID-0815" && one["patient"] != "PID-0815"));
    let Gate { site, .. } = gate;
    let gate = Gate::start_with(site, &toml, "");
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    assert_eq!(stored(&mut requestor, &mut acceptor, &other, 1).0, second);
    raw::release(requestor, acceptor);
}

/// How much of it is in the journal when the rotation is killed.
fn killed_while_rotating(site: &Site, journal: u64) {
    let arguments = ["crosswalk", "rotate-key", "-c", "dimsegate.toml", "--new-key-file", "conf/new.key"];
    let mut child = gate::command(site, &arguments).spawn().expect("dimsegate");
    let written = || fs::metadata(site.path("crosswalk/domain-wal")).map_or(0, |file| file.len());
    wait::until("the journal to grow, or the end", || {
        (written() > journal || child.try_wait().expect("a child").is_some()).then_some(())
    });
    child.kill().expect("SIGKILL");
    child.wait().expect("an end");
}

#[test]
fn kill_9_while_rotating_leaves_it_whole_under_one_key() {
    let site = Site::new();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    fs::write(site.path("dimsegate.toml"), remembering(nowhere).toml()).expect("a configuration");
    let key = |path: &str, byte: u8| {
        fs::write(site.path(path), [byte; 48]).expect("a key written");
        fs::set_permissions(site.path(path), fs::Permissions::from_mode(0o600)).expect("permissions set");
    };
    key("conf/crosswalk.key", 1);
    key("conf/new.key", 2);
    let secret = |byte| Secret::new(Zeroizing::new(vec![byte; 48]));
    let uid = |n: u32| Correspondence {
        kind: Kind::Uid,
        real: format!("1.2.826.0.1.{n}").into_bytes(),
        pseudonym: format!("2.25.{n}").into_bytes(),
        patient: Some(format!("PID-{}", n % 100).into_bytes()),
        written: None,
    };
    let made = Crosswalk::open(&database(&site), &secret(1)).expect("a crosswalk");
    made.store_blocking((0..20_000).map(uid).collect()).expect("stored");
    drop(made);
    let (mut current, mut other, mut ended) = (1, 2, BTreeMap::new());
    for journal in [0, 100_000, 1_000_000, 3_000_000, u64::MAX] {
        killed_while_rotating(&site, journal);
        let whole = crosswalk::show(&database(&site), &secret(current));
        let rotated = crosswalk::show(&database(&site), &secret(other));
        let (known, unknown) = if whole.is_ok() { (whole, rotated) } else { (rotated, whole) };
        let known = known.expect("one of the keys opens it");
        assert_eq!(known.kinds.get(&Kind::Uid), Some(&20_000));
        let said = unknown.expect_err("and the other does not").to_string();
        assert!(said.contains(&format!("key version {}", known.key_version)), "{said}");
        *ended.entry(known.key_version).or_insert(0) += 1;
        if known.key_version % 2 != u32::from(current) % 2 {
            std::mem::swap(&mut current, &mut other);
            key("conf/crosswalk.key", current);
            key("conf/new.key", other);
        }
    }
    assert!(ended.len() > 1 && ended.contains_key(&1), "killed too early or too late each time: {ended:?}");
}

#[test]
fn an_export_is_for_its_owner_and_of_whom_it_was_asked() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&remembering(upstream.address));
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    raw::release(requestor, acceptor);
    let (status, out, _) = command(&gate.site, &["export", "-o", "all.csv"]);
    assert_eq!((status, out.as_str()), (0, ""));
    let file = gate.site.path("all.csv");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).expect("text");
    assert!(text.starts_with("kind,attribute,real,pseudonym,patient,issuer\n"), "{text}");
    assert!(text.contains("value,AccessionNumber,A-4711,"), "{text}");
    let (status, _, err) = command(&gate.site, &["export", "-o", "all.csv"]);
    assert!(status == 73 && err.contains("nothing is overwritten"), "{status} {err}");
    let pseudonym =
        of(&exported(&gate.site), "value", "PatientID")[0]["pseudonym"].as_str().expect("one").to_owned();
    let (_, by_pseudonym, _) = command(&gate.site, &["export", "--pseudonym", &pseudonym]);
    assert_eq!(by_pseudonym, text);
    let (_, nobody, _) = command(&gate.site, &["export", "--patient", "NOBODY"]);
    assert_eq!(nobody.lines().count(), 1);
    let (status, _, err) = command(&gate.site, &["export", "--rewrite", "other"]);
    assert!(status == 78 && err.contains("those with one: site"), "{err}");
    let (status, shown, _) = command(&gate.site, &["show"]);
    assert!(status == 0 && shown.contains("4  uid") && !shown.contains("PID"), "{shown}");
}

#[test]
fn subjects_that_were_assigned_are_taken_in_all_or_none() {
    let upstream = Upstream::bind();
    let setup = remembering(upstream.address);
    let site = Site::new();
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let list = |text: &str| fs::write(site.path("subjects.csv"), text).expect("a list written");
    let import = |more: &[&str]| command(&site, &[&["import"], more, &["subjects.csv"]].concat());
    list(
        "original,issuer,subject\nPID-0815,,TRIAL-001\nPID-0815,LYON,TRIAL-002\n4711,\"Lyon, Est\",TRIAL-003\n",
    );
    let (status, out, err) = import(&["--dry-run"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("3 subject IDs would be taken in, 0 were there already"), "{out}");
    assert!(!database(&site).exists(), "nothing was written");
    assert!(import(&[]).1.contains("3 subject IDs taken in, 0 were there already"));
    assert!(import(&[]).1.contains("0 subject IDs taken in, 3 were there already"));
    let whole = exported(&site);
    let named = of(&whole, "value", "PatientID");
    assert_eq!(named.len(), 3);
    assert_eq!(
        (&named[1]["real"], &named[1]["issuer"], &named[1]["pseudonym"]),
        (&"PID-0815".into(), &"LYON".into(), &"TRIAL-002".into())
    );

    // What contradicts what is there, or the list itself, is named by its line, and nothing of the list is taken in.
    list("subject,original\nTRIAL-004,4712\nTRIAL-009,PID-0815\nTRIAL-003,4713\n");
    let (status, out, err) = import(&[]);
    assert_eq!((status, out.as_str()), (65, ""), "{err}");
    assert!(err.contains("subjects.csv:3: this patient has another pseudonym already"), "{err}");
    assert!(err.contains("subjects.csv:4: this subject stands for another patient already"), "{err}");
    assert!(
        err.ends_with("nothing was taken in\n") && !err.contains("TRIAL") && !err.contains("471"),
        "{err}"
    );
    list("original,subject\n4712,TRIAL-004\n4713,TRIAL-004\n4714\n");
    let (status, _, err) = import(&[]);
    assert_eq!(status, 65);
    assert!(err.contains("subjects.csv:3: this subject is another patient's in line 2"), "{err}");
    assert!(err.contains("subjects.csv:4: has 1 cells"), "{err}");
    assert_eq!(exported(&site), whole);

    // Which of two patients is meant has to be said.
    let (status, _, err) = command(&site, &["erase", "--patient", "PID-0815"]);
    assert_eq!(status, 64);
    assert!(err.contains("2 patients have this Patient ID; say which with --issuer"), "{err}");
    let (status, out, _) = command(&site, &["export", "--patient", "PID-0815", "--issuer", "LYON"]);
    assert!(status == 0 && out.contains("TRIAL-002") && !out.contains("TRIAL-001"), "{out}");
    assert_eq!(command(&site, &["erase", "--patient", "PID-0815", "--issuer", "LYON"]).0, 0);
    assert_eq!(of(&exported(&site), "value", "PatientID").len(), 2);

    let gate = Gate::start_with(site, &setup.toml(), "");
    fs::write(gate.site.path("subjects.csv"), "original,subject\n4712,TRIAL-004\n").expect("a list written");
    let (status, _, err) = command(&gate.site, &["import", "subjects.csv"]);
    assert!(status == 69 && err.contains("in use by another process"), "{status} {err}");
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (_, sent) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    raw::release(requestor, acceptor);
    let holds = |text: &str| sent.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("TRIAL-001") && holds("ANON^TRIAL-001") && !holds("PID-0815"));
}

#[test]
fn files_are_remembered_too_and_domains_share_nothing() {
    let site = Site::new();
    let two = format!(
        "{RULES}{}",
        RULES.replace("\"domain\"", "\"other\"").replace("crosswalk/domain", "crosswalk/other")
    )
    .replacen("name = \"site\"", "name = \"first\"", 1);
    let extra: &'static str = Box::leak(two.into_boxed_str());
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    fs::write(site.path("dimsegate.toml"), Setup { extra, ..Setup::plain(nowhere) }.toml())
        .expect("a configuration");
    fs::create_dir(site.path("in")).expect("a folder");
    for number in 1..=2 {
        fs::write(site.path(&format!("in/{number}")), ct(number, 20_000).to_part10()).expect("a file");
    }
    let rewrite = |name: &str, input: &str, out: &str| {
        let arguments = ["rewrite", "-c", "dimsegate.toml", "--rewrite", name, input, "-o", out];
        let output = gate::command(&site, &arguments).output().expect("dimsegate rewrite");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files =
            fs::read_dir(site.path(out)).expect("a folder").map(|entry| entry.expect("an entry").path());
        files.map(|file| stem(&file)).collect::<Vec<_>>()
    };
    let made = rewrite("first", "in/1", "out-1");
    rewrite("site", "in/2", "out-2");
    let of = |name: &str| {
        let (status, out, err) = command(&site, &["export", "--rewrite", name, "--json"]);
        assert_eq!(status, 0, "{err}");
        out
    };
    let (first, other) = (of("first"), of("site"));
    assert!(first.contains(&made[0]) && first.contains(&ct(1, 0).sop_instance));
    assert!(!other.contains(&made[0]) && other.contains(&ct(2, 0).sop_instance));
    let (status, _, err) = command(&site, &["export"]);
    assert!(status == 78 && err.contains("--rewrite NAME"), "{err}");
    // With another secret, the first domain still knows its object, and the second does not.
    fs::write(site.path("conf/pseudonym.key"), [9; 48]).expect("a secret written");
    assert_eq!(rewrite("first", "in/1", "out-3"), made);
    assert_ne!(rewrite("site", "in/1", "out-4"), made);
}

fn stem(file: &Path) -> String {
    file.file_stem().expect("a name").to_string_lossy().into_owned()
}
