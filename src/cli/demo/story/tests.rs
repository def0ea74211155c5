use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::super::changes::{Change, Comparison};
use super::super::records::Account;
use super::super::site::Site;
use super::{Next, Story, Style};
use crate::scratch::Scratch;

fn told_by(tell: impl FnOnce(&mut Story<&mut Vec<u8>>)) -> String {
    let mut out = Vec::new();
    tell(&mut Story::new(&mut out, Style::PLAIN));
    String::from_utf8(out).unwrap()
}

fn change(path: &str, keyword: &str, before: Option<&str>, after: Option<&str>) -> Change {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Change { path: path.into(), keyword: keyword.into(), before: owned(before), after: owned(after) }
}

#[test]
fn steps_line_up_with_their_places() {
    let text = told_by(|story| {
        story.title();
        story.done("archive on 127.0.0.1:11112, plain DICOM", Some(Path::new("/tmp/demo/archive")));
        story.done("C-ECHO, then 8 objects sent", None);
    });
    assert_eq!(
        text,
        "
dimsegate demo: a CT study through TLS, an archive behind, all on this machine's loopback

  ✓ archive on 127.0.0.1:11112, plain DICOM                    /tmp/demo/archive
  ✓ C-ECHO, then 8 objects sent
"
    );
}

#[test]
fn changes_show_what_was_sent_and_what_is_held() {
    let comparison = Comparison {
        changes: vec![
            change("(0008,1140)[1](0008,1155)", "ReferencedSOPInstanceUID", Some(&uid('1')), Some(&uid('2'))),
            change("(0009,0010)", "private creator", Some("DIMSEGATE DEMO 1.0"), None),
            change("(0010,0010)", "PatientName", Some("DURAND^CAMILLE\x1b[31m"), Some("SUBJECT^DEMO")),
            change("(0010,0030)", "PatientBirthDate", Some("19610428"), Some("")),
            change("(0012,0062)", "PatientIdentityRemoved", None, Some("YES")),
        ],
        unchanged: 80,
    };
    let text =
        told_by(|story| story.changes("instance 2 of 8", &comparison, &["References hold.".to_owned()]));
    assert_eq!(
        text,
        "
What changed (instance 2 of 8)

  tag                        keyword                   the modality sent       the archive holds
  (0008,1140)[1](0008,1155)  ReferencedSOPInstanceUID  2.25.1111111111111111…  2.25.222222222222222…
  (0009,0010)                private creator           DIMSEGATE DEMO 1.0      (removed)
  (0010,0010)                PatientName               DURAND^CAMILLE\\u{1b}[…  SUBJECT^DEMO
  (0010,0030)                PatientBirthDate          19610428                (emptied)
  (0012,0062)                PatientIdentityRemoved    (absent)                YES

  5 of 85 elements changed; the other 80, the pixels among them, arrived as they left.
  References hold.
"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

fn uid(digit: char) -> String {
    format!("2.25.{}", digit.to_string().repeat(39))
}

fn read<T: serde::de::DeserializeOwned>(fields: serde_json::Value) -> T {
    serde_json::from_value(fields).unwrap()
}

fn told() -> Account {
    let operation = |kind: &str, id: u16, instance: Option<(&str, &str)>, status: &str| {
        let (sent, became) = instance.unzip();
        read(json!({
            "association": "3f0c", "operation": kind, "message-id": id, "status": status,
            "sop-instance": sent, "new-sop-instance": became, "bytes": 135_014, "duration-ms": 4,
            "patient": instance.map(|_| "5bdcc146bf60754e6a042426089575c7"),
        }))
    };
    Account {
        closed: read(json!({
            "association": "3f0c", "listener": "remote", "peer": "demo-ct",
            "address": "127.0.0.1", "port": 40_118,
            "tls": {
                "version": "1.3", "cipher": "TLS13_AES_256_GCM_SHA384", "group": "X25519MLKEM768",
                "subject": "CN=ct", "san": ["dns:ct.demo.example"], "fingerprint": "00",
            },
            "calling-ae-title": "CT_DEMO", "called-ae-title": "ARCHIVE\n",
            "upstream": {"name": "archive", "address": "127.0.0.1:11112"},
            "contexts": [
                {"id": 1, "abstract-syntax": "1.2.840.10008.1.1", "result": 0, "transfer-syntax": "1.2.840.10008.1.2"},
                {"id": 3, "abstract-syntax": "1.2.840.10008.5.1.4.1.1.7", "result": 1},
            ],
            "operations": {"C-ECHO": {"success": 1, "warning": 0, "failure": 0, "refused": 0},
                           "C-STORE": {"success": 7, "warning": 0, "failure": 1, "refused": 0}},
            "bytes": {"in": 1_081_344, "out": 1_620},
            "rewrite": {"name": "demo", "elements": 216},
            "configuration": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
            "duration-ms": 61, "ended": "released", "reason": null,
        })),
        operations: vec![
            operation("C-ECHO", 1, None, "0x0000"),
            operation("C-STORE", 2, Some((&uid('1'), &uid('2'))), "0x0000"),
            operation("C-STORE", 3, Some((&uid('3'), &uid('4'))), "0xA700"),
        ],
    }
}

#[test]
fn records_tell_the_association_and_its_operations() {
    let text = told_by(|story| story.records(&told(), Path::new("/tmp/demo/audit")));
    assert_eq!(
        text,
        "
What was recorded (JSON lines in /tmp/demo/audit)

  association    3f0c: released after 61 ms
  from           CT_DEMO, 127.0.0.1:40118, peer demo-ct
  to             ARCHIVE\\n, upstream archive at 127.0.0.1:11112
  TLS            1.3 TLS13_AES_256_GCM_SHA384 X25519MLKEM768
  certificate    CN=ct (dns:ct.demo.example)
  contexts       1 Verification in Implicit VR Little Endian
                 3 1.2.840.10008.5.1.4.1.1.7 refused by the user
  operations     C-ECHO: 1 success; C-STORE: 7 success, 1 failure
  bytes          1.1 MB in, 1.6 kB out
  rewrite        demo: 216 elements
  configuration  sha-256 b94d27b9934d3e08…

  operation  id  status  bytes   ms  SOP instance               became                     patient
  C-ECHO     1   0x0000  135014  4   -                          -                          -
  C-STORE    2   0x0000  135014  4   2.25.1111111111111111111…  2.25.2222222222222222222…  5bdcc146…
  C-STORE    3   0xA700  135014  4   2.25.3333333333333333333…  2.25.4444444444444444444…  5bdcc146…
"
    );
}

#[test]
fn whoever_is_refused_is_told_with_what_they_got_and_when_they_come_again() {
    let answer = "A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized";
    let text = told_by(|story| story.refusal("STRANGER", answer, Duration::from_secs(10)));
    assert_eq!(
        text,
        "
Who was refused (and is again every 10 seconds, until this ends)

  STRANGER got A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized
  No peer has this AE title. The page says which line refused it, and what would let it in.
"
    );
}

#[test]
fn commands_name_the_files_and_the_port_of_this_demonstration() {
    let folder = Scratch::new();
    let site = Site::open(Some(&folder.path().join("with blank"))).unwrap();
    let next = Next {
        site: &site,
        listener: "127.0.0.1:2762".parse().unwrap(),
        page: "http://127.0.0.1:8765/",
        program: Path::new("dimsegate"),
    };
    let text = told_by(|story| story.next(&next));
    let key = format!("'{}/certs/ct.key'", site.folder().display());
    assert!(text.contains(&format!("echoscu +tls {key} ")), "{text}");
    assert!(text.contains("  http://127.0.0.1:8765/\n"), "{text}");
    assert!(text.contains("-aet CT_DEMO -aec ARCHIVE 127.0.0.1 2762"), "{text}");
    assert!(text.contains(&format!("-c '{}'", site.configuration().display())), "{text}");
}

#[test]
fn the_end_says_what_stays() {
    assert_eq!(told_by(|story| story.end(Path::new("/d"), true)), "\nEverything stays in /d\n");
    assert!(told_by(|story| story.end(Path::new("/d"), false)).starts_with("\nNothing stays"));
}
