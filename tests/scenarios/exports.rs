//! A period of the trail in one zip, which others can read, and prove with what everybody has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::association::Association;
use crate::full_disk;
use crate::gate::{self, Gate, Setup};
use crate::process::Finished;
use crate::raw::verification;
use crate::site::Site;

const AUDIT: &str = "signing-key = \"conf/signing.key\"\ncheckpoint-records = 4";
const EXPORT: [&str; 7] = ["audit", "export", "-c", "dimsegate.toml", "--from", "1h", "-o"];
const VERIFY: [&str; 4] = ["audit", "verify", "--public-key", "conf/signing.key.pub"];
const SECRET: &str = "T0000-s3cret";

fn site() -> Site {
    let site = Site::new();
    assert!(Finished::run(gate::command(&site, &["audit", "key", "conf/signing.key"])).success);
    site
}

/// A proxy that relayed ten C-ECHOs over TLS, and has stopped.
fn stopped(extra: &'static str) -> Gate {
    let setup = Setup { audit: AUDIT, extra, ..Setup::tls(full_disk::sink().0) };
    let mut gate = Gate::start_in(site(), &setup);
    let mut association =
        Association::open(&gate.tls(), &verification("SITE", "PACS")).expect("an association");
    for id in 1..=10 {
        assert_eq!(association.echo(1, id).expect("an answer"), 0);
    }
    association.release().expect("a release");
    gate.event("association-closed");
    assert!(gate.stop().success());
    gate
}

fn export(site: &Site, zip: &str) -> (i32, String) {
    gate::told(site, &[&EXPORT[..], &[zip]].concat())
}

fn verify(site: &Site, zip: &str) -> (i32, String) {
    gate::told(site, &[&VERIFY[..], &[zip]].concat())
}

fn ran(site: &Site, program: &str, arguments: &[&str], folder: &str) -> String {
    let mut command = Command::new(program);
    command.current_dir(site.path(folder)).args(arguments);
    Finished::run(command).expect_success()
}

fn text(site: &Site, name: &str) -> String {
    fs::read_to_string(site.path(name)).expect("a text")
}

#[test]
fn an_export_is_read_by_others_and_proven_by_sha256sum_and_openssl_alone() {
    let gate = stopped("");
    let site = &gate.site;
    let (status, said) = export(site, "case.zip");
    assert_eq!(status, 0, "{said}");
    let mode = fs::metadata(site.path("case.zip")).expect("a zip").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let python = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(*z.namelist())";
    let names = ran(site, "python3", &["-c", python, "case.zip"], "");
    ran(site, "python3", &["-m", "zipfile", "-e", "case.zip", "case"], "");
    ran(site, "sha256sum", &["--check", "--strict", "SHA256SUMS"], "case");
    let listed = fs::read_to_string(site.path("case/SHA256SUMS")).expect("a manifest");
    for name in names.split_whitespace().filter(|name| !name.starts_with("SHA256SUMS")) {
        assert!(listed.contains(&format!("  {name}\n")), "{name} in {listed}");
    }
    let line =
        "pkeyutl -verify -rawin -in SHA256SUMS -pubin -inkey ../conf/signing.key.pub -sigfile SHA256SUMS.sig";
    let said = ran(site, "openssl", &line.split(' ').collect::<Vec<_>>(), "case");
    assert!(said.contains("Verified Successfully"), "{said}");
    // The commands for trails read what was unpacked.
    let found = gate::run(site, &["audit", "search", "case/records", "--event", "operation", "--json"]);
    assert!(found.status == 0 && found.out.lines().count() == 10, "{}", found.out);
}

#[test]
fn an_export_has_what_was_in_force_and_no_secret() {
    let notify = "[[notify]]\nname = \"n\"\nurl = \"http://127.0.0.1:9/T0000-s3cret\"\n# T0000-s3cret\n";
    let gate = stopped(notify);
    let site = &gate.site;
    let (status, said) = export(site, "case.zip");
    assert_eq!(status, 0, "{said}");
    ran(site, "python3", &["-m", "zipfile", "-e", "case.zip", "case"], "");
    let told: Value = serde_json::from_str(&text(site, "case/export.json")).expect("JSON");
    assert_eq!(told["configuration"]["was-in-force"], true, "{told}");
    assert_eq!(told["configuration"]["hidden"], serde_json::json!(["notify \"n\".url"]));
    assert_eq!(told["versions"][0]["version"], env!("CARGO_PKG_VERSION"));
    let digest = gate.event("configuration-loaded")["file-sha256"].clone();
    assert_eq!(told["configurations"][0]["file-sha256"], digest);
    let toml = text(site, "case/configuration/dimsegate.toml");
    assert!(toml.contains("signing-key = \"conf/signing.key\"") && !toml.contains(SECRET), "{toml}");
    let certificates = told["certificates"].as_array().expect("certificates");
    let member = |end: &str| {
        let found =
            certificates.iter().find(|one| one["file"].as_str().is_some_and(|file| file.ends_with(end)));
        text(site, &format!("case/{}", found.expect("a certificate")["member"].as_str().expect("a name")))
    };
    assert!(member("certs/server.pem").contains("BEGIN CERTIFICATE"));
    for file in walked(&site.path("case")) {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("a file")).into_owned();
        assert!(!text.contains("PRIVATE KEY") && !text.contains(SECRET), "{}", file.display());
    }
    // Who exported it is a record of the next run, as reading is.
    assert!(fs::read_dir(site.path("audit/used")).expect("notes").count() > 0);
}

fn walked(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walked(&path) } else { vec![path] }).collect()
}

#[test]
fn a_zip_that_somebody_changed_with_a_tool_of_theirs_is_not_proven() {
    let gate = stopped("");
    let site = &gate.site;
    assert_eq!(export(site, "case.zip").0, 0);
    let (status, said) = verify(site, "case.zip");
    assert!(status == 0 && said.contains("proven: it is what was exported"), "{said}");
    // Rewrites a member, fits SHA256SUMS to it, and leaves the signature.
    let python = r##"
import hashlib, sys, zipfile
old = zipfile.ZipFile(sys.argv[1]); new = zipfile.ZipFile(sys.argv[2], "w")
members = {name: old.read(name) for name in old.namelist()}
record = next(name for name in members if name.startswith("records/"))
members[record] = members[record].replace(b'"SITE"', b'"SIDE"', 1)
names = [name for name in members if not name.startswith("SHA256SUMS")]
lines = [hashlib.sha256(members[name]).hexdigest() + "  " + name + "\n" for name in names]
members["SHA256SUMS"] = ("# dimsegate audit export 1\n" + "".join(lines)).encode()
[new.writestr(name, data) for name, data in members.items()]
"##;
    ran(site, "python3", &["-c", python, "case.zip", "forged.zip"], "");
    let (status, said) = verify(site, "forged.zip");
    assert!(status == 4 && said.contains("SHA256SUMS.sig: forged") && said.contains(": edited"), "{said}");
    let (status, said) = gate::told(site, &["audit", "verify", "case.zip"]);
    assert!(status == 5 && said.contains("give --public-key"), "{said}");
    fs::write(site.path("no.zip"), "PK").expect("a file");
    assert_eq!(verify(site, "no.zip").0, 65);
}

#[test]
fn a_running_proxy_is_exported_to_its_last_record_and_a_file_is_never_written_over() {
    let setup = Setup { audit: AUDIT, ..Setup::plain(full_disk::sink().0) };
    let gate = Gate::start_in(site(), &setup);
    let mut association =
        Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
    assert_eq!(association.echo(1, 1).expect("an answer"), 0);
    association.release().expect("a release");
    gate.event("association-closed");
    let (status, said) = export(&gate.site, "case.zip");
    assert_eq!(status, 0, "{said}");
    assert_eq!(verify(&gate.site, "case.zip").0, 0);
    let before = fs::read(gate.site.path("case.zip")).expect("a zip");
    let (status, said) = export(&gate.site, "case.zip");
    assert!(status == 73 && said.contains("is not written over"), "{said}");
    assert_eq!(fs::read(gate.site.path("case.zip")).expect("a zip"), before);
    let (status, said) = gate::told(
        &gate.site,
        &[
            "audit",
            "export",
            "-c",
            "dimsegate.toml",
            "--from",
            "2020-01-01",
            "--to",
            "2020-01-02",
            "-o",
            "none.zip",
        ],
    );
    assert!(status == 65 && said.contains("no record is from 2020-01-01"), "{said}");
    assert!(!gate.site.path("none.zip").exists());
}

#[test]
fn a_disk_that_is_full_leaves_no_half_zip_and_a_broken_configuration_no_case_without_records() {
    let gate = stopped("");
    let site = &gate.site;
    let mut command = Command::new("bash");
    let line = format!("trap '' XFSZ; ulimit -f 1; exec {} \"$@\"", env!("CARGO_BIN_EXE_dimsegate"));
    command.current_dir(site.root()).args(["-c", &line, "bash"]).args(EXPORT).arg("case.zip");
    let output = command.output().expect("a shell");
    assert_eq!(output.status.code(), Some(73), "{}", String::from_utf8_lossy(&output.stderr));
    let left = fs::read_dir(site.root()).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().into_string().expect("a name")).collect();
    assert!(!left.iter().any(|name| name.contains("zip") || name.starts_with(".tmp")), "{left:?}");
    fs::remove_file(site.path("certs/ca.pem")).expect("a certificate less");
    let (status, said) = export(site, "case.zip");
    assert!(status == 65 && said.contains("not in the export: its certificates and lists"), "{said}");
    let (status, said) = verify(site, "case.zip");
    assert!(status == 65 && said.contains("not all of it could be exported"), "{said}");
}
