//! Pixels masked in real files, offline, judged by pydicom's bytes and by what DCMTK's dcm2pnm shows.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::corpus;
use crate::de_identification::{Site, only_file};
use crate::peers::peers_folder;

/// Overlapping, beyond the right edge of most images, and one that no image of 64 rows has.
const RECTANGLES: &str = "[[3, 2, 21, 9], [10, 5, 9, 30], [40, 40, 9000, 3], [1, 2000, 5, 5]]";

#[test]
fn what_pydicom_reads_and_dcm2pnm_shows_is_black_in_the_rectangles_only() {
    let masks = format!("burned-in = \"mask\"\nmasks = [{{ rectangles = {RECTANGLES} }}]\n");
    let site = Site::of(&[("masked", &masks)]);
    let lines = corpus::files().into_iter().enumerate().map(|(index, file)| {
        let out = site.folder.path().join(index.to_string());
        let finished = site.rewrite("masked", &out, &[], &[&file]);
        let after = if finished.success { only_file(&out) } else { PathBuf::new() };
        format!("{}\t{}\n", file.display(), after.display())
    });
    let lines: String = lines.collect();
    let mut command = Command::new(peers_folder().join("venv/bin/python3"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pixels.py")).arg(RECTANGLES);
    let judge = command.arg(site.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut judge = judge.expect("python; tests/run installs it");
    judge.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("a reader");
    let said: Value =
        serde_json::from_slice(&judge.wait_with_output().expect("its output").stdout).expect("JSON");
    assert_eq!(said["wrong"], serde_json::json!({}), "{said}");
    assert!(said["shown"].as_u64().is_some_and(|shown| shown >= 90), "{said}");
    for kind in [
        "MONOCHROME1 16 Explicit VR Little Endian",
        "MONOCHROME2 16 Explicit VR Big Endian",
        "MONOCHROME2 8 Deflated Explicit VR Little Endian",
        "PALETTE COLOR 8 Explicit VR Big Endian",
        "RGB 8 Explicit VR Big Endian",
        "RGB 16 Explicit VR Little Endian",
        "YBR_FULL 8 Explicit VR Little Endian",
    ] {
        assert!(said["kinds"][kind].as_u64().is_some_and(|count| count >= 1), "{kind}: {said}");
    }
}
