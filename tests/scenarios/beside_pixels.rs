//! What stands beside the pixels in the same bytes does not go out, and the pixels are the same: in real files, offline, judged
//! by pydicom and DCMTK's decoders; and in flight.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::corpus;
use crate::de_identification::{Site, only_file};
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::peers_folder;
use crate::raw::Upstream;
use crate::rewriting::pass;
use crate::scratch::Scratch;

const TEXT: &[u8] = b"CANARY^PATIENT";

/// What tests/peers/beside.py says in one of its modes.
fn script(mode: &str, folder: &Path, lines: &str) -> String {
    let mut command = Command::new(peers_folder().join("venv/bin/python3"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/beside.py")).arg(mode).arg(folder);
    let script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut script = script.expect("python; tests/run installs it");
    let mut stdin = script.stdin.take().expect("a pipe");
    stdin.write_all(lines.as_bytes()).expect("a reader");
    drop(stdin);
    String::from_utf8(script.wait_with_output().expect("its output").stdout).expect("text")
}

/// Real files with a text beside their pixels: each with the one that it was made of.
fn planted(folder: &Path, files: impl Iterator<Item = PathBuf>) -> Vec<(PathBuf, PathBuf)> {
    let lines: String = files.map(|file| format!("{}\n", file.display())).collect();
    let pair = |line: &str| line.split_once('\t').map(|(file, planted)| (file.into(), planted.into()));
    script("plant", folder, &lines).lines().filter_map(pair).collect()
}

#[test]
fn text_beside_the_pixels_of_real_files_does_not_come_out_and_their_pixels_are_the_same() {
    let site = Site::of(&[("beside", "burned-in = \"pass\"\n")]);
    let folder = site.folder.path();
    let mut lines = String::new();
    for (index, (file, planted)) in planted(folder, corpus::files().into_iter()).iter().enumerate() {
        let out = folder.join(format!("out-{index}"));
        let finished = site.rewrite("beside", &out, &[], &[planted]);
        let after = if finished.success { only_file(&out) } else { PathBuf::new() };
        lines += &format!("{}\t{}\t{}\n", file.display(), planted.display(), after.display());
    }
    let said: Value = serde_json::from_str(&script("judge", folder, &lines)).expect("JSON");
    assert_eq!(said["wrong"], serde_json::json!({}), "{said:#}");
    for (kind, least) in [
        ("Explicit VR Little Endian: bytes", 50),
        ("Explicit VR Big Endian: bytes", 3),
        ("JPEG Baseline (Process 1): dcmdjpeg", 10),
        ("JPEG Extended (Process 2 and 4): dcmdjpeg", 1),
        (
            "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1]): dcmdjpeg",
            3,
        ),
        ("JPEG-LS Lossless Image Compression: dcmdjpls", 2),
        ("JPEG 2000 Image Compression (Lossless Only): bytes", 5),
        ("JPEG 2000 Image Compression: bytes", 3),
        ("RLE Lossless: dcmdrle", 5),
    ] {
        assert!(said["kinds"][kind].as_u64().is_some_and(|count| count >= least), "{kind}: {said:#}");
    }
}

const SITE: &str = r#"[[rewrite]]
name = "site"
profile = "basic"
secret-file = "conf/pseudonym.key"
burned-in = "pass""#;

#[test]
fn in_flight_too() {
    let (upstream, folder) = (Upstream::bind(), Scratch::new());
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: SITE, peers, ..Setup::plain(upstream.address) });
    for name in ["SC_rgb_jpeg_dcmtk.dcm", "US1_J2KR.dcm", "MR_small_jpeg_ls_lossless.dcm", "CT_small.dcm"] {
        let files = corpus::files().into_iter().filter(|file| file.ends_with(name)).take(1);
        let all = planted(folder.path(), files);
        let bytes = std::fs::read(&all[0].1).expect("a planted file");
        let object = Object::from_part10(&bytes).expect("a DICOM file");
        assert!(object.data_set.windows(TEXT.len()).any(|bytes| bytes == TEXT), "{name}");
        let passed = pass(&gate, &upstream, &object).expect("a syntax that can be rewritten");
        let (_, received) = passed.received.expect("an object");
        assert!(!received.windows(TEXT.len()).any(|bytes| bytes == TEXT), "{name}");
    }
}
