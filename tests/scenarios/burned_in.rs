//! Pictures that are likely to carry text: refused with the element that tells, offline and in flight; and real ultrasound
//! masked outside of its regions, judged by pydicom's bytes and by what DCMTK's dcm2pnm shows.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::corpus;
use crate::de_identification::{Site, only_file};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::peers_folder;
use crate::raw::Upstream;
use crate::rewriting::pass;

const WHOLE_SLIDE: &str = "1.2.840.10008.5.1.4.1.1.77.1.6";

#[test]
fn files_that_are_refused_name_the_element_that_tells() {
    let site = Site::of(&[("by-default", "")]);
    for (name, told) in [
        ("burned-in-us-retired.dcm", "(0008,0016)"),
        ("burned-in-us-multiframe-retired.dcm", "(0008,0016)"),
        ("burned-in-screensave.dcm", "(0008,0008)"),
    ] {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/burned_in")).join(name);
        let finished = site.rewrite("by-default", &site.folder.path().join(name), &[], &[&file]);
        assert!(!finished.success, "{name}");
        let why = format!("{told}: burned-in text is likely");
        assert!(finished.output.contains(&why), "{name}: {}", finished.output);
    }
}

const SITE: &str = r#"[[rewrite]]
name = "site"
profile = "basic"
secret-file = "conf/pseudonym.key""#;

/// A picture of a slide, of 2 x 2 pixels.
fn slide(image_type: &str, label: &str) -> Object {
    let elements = [
        short(0x08, 0x08, "CS", image_type.as_bytes()),
        short(0x08, 0x16, "UI", WHOLE_SLIDE.as_bytes()),
        short(0x08, 0x18, "UI", b"1.2.3.4"),
        short(0x10, 0x20, "LO", b"4711"),
        short(0x28, 0x02, "US", &[1, 0]),
        short(0x28, 0x10, "US", &[2, 0]),
        short(0x28, 0x11, "US", &[2, 0]),
        short(0x28, 0x100, "US", &[8, 0]),
        short(0x28, 0x101, "US", &[8, 0]),
        short(0x28, 0x102, "US", &[7, 0]),
        short(0x28, 0x103, "US", &[0, 0]),
        short(0x28, 0x301, "CS", b"NO"),
        short(0x48, 0x10, "CS", label.as_bytes()),
        b"\xE0\x7F\x10\0OB\0\0\x04\0\0\0abcd".to_vec(),
    ];
    Object {
        sop_class: WHOLE_SLIDE.into(),
        sop_instance: "1.2.3.4".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        data_set: elements.concat(),
    }
}

#[test]
fn the_label_of_a_slide_reaches_nobody_and_the_slide_does() {
    let upstream = Upstream::bind();
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: SITE, peers, ..Setup::plain(upstream.address) });
    for (image_type, label, told) in [
        ("ORIGINAL\\PRIMARY\\LABEL\\NONE", "NO", "(0008,0008)"),
        ("ORIGINAL\\PRIMARY\\OVERVIEW\\NONE", "NO", "(0008,0008)"),
        ("ORIGINAL\\PRIMARY\\VOLUME\\NONE", "YES", "(0048,0010)"),
    ] {
        let passed =
            pass(&gate, &upstream, &slide(image_type, label)).expect("a syntax that can be rewritten");
        assert_eq!((passed.status, passed.received.is_none()), (0xC006, true), "{image_type}");
        let comment = passed.comment.expect("a comment");
        assert!(comment.starts_with(told) && comment.contains("label"), "{comment}");
    }
    let passed = pass(&gate, &upstream, &slide("ORIGINAL\\PRIMARY\\VOLUME\\NONE", "NO")).expect("a syntax");
    assert_eq!((passed.status, passed.received.is_some()), (0, true));
}

/// What lies outside of the regions of a file that pydicom carries, (120,60)-(799,518) and (176,522)-(743,576) in 800 x 600:
/// x, y, width, height.
const OUTSIDE: &str = "[[0, 0, 800, 60], [0, 60, 120, 459], [0, 519, 800, 3], [0, 522, 176, 55], [744, 522, 56, 55], [0, 577, 800, 23]]";

#[test]
fn real_ultrasound_is_black_outside_of_its_regions_and_nowhere_else() {
    let keys = "burned-in = \"mask\"\nultrasound-regions = true\ncompressed-pixels = \"decode\"\n";
    let site = Site::of(&[("regions", keys)]);
    let mut lines = String::new();
    for name in ["OBXXXX1A.dcm", "OBXXXX1A_2frame.dcm", "OBXXXX1A_expb.dcm", "OBXXXX1A_rle.dcm"] {
        let file =
            corpus::files().into_iter().find(|file| file.ends_with(name)).expect("a file of pydicom's");
        let out = site.folder.path().join(name);
        let finished = site.rewrite("regions", &out, &[], &[&file]);
        assert!(finished.success, "{name}: {}", finished.output);
        lines += &format!("{}\t{}\n", file.display(), only_file(&out).display());
    }
    // One whose regions do not lie in the image is refused, as ultrasound is that no mask fits.
    let file =
        corpus::files().into_iter().find(|file| file.ends_with("examples_palette.dcm")).expect("a file");
    let finished = site.rewrite("regions", &site.folder.path().join("beyond"), &[], &[&file]);
    assert!(!finished.success && finished.output.contains("no mask fits"), "{}", finished.output);
    // What is compressed is judged by what DCMTK makes of it.
    let (native, compressed): (Vec<&str>, Vec<&str>) =
        lines.lines().partition(|line| !line.contains("_rle.dcm"));
    for (lines, options, shown) in [(native, &[][..], 3), (compressed, &["decode"][..], 1)] {
        let said = judged(site.folder.path(), options, &lines.join("\n"));
        assert_eq!((&said["wrong"], &said["shown"]), (&serde_json::json!({}), &shown.into()), "{said}");
    }
}

/// What tests/peers/pixels.py says of files that should be black there.
fn judged(folder: &Path, options: &[&str], lines: &str) -> Value {
    let mut judge = Command::new(peers_folder().join("venv/bin/python3"));
    judge.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pixels.py")).arg(OUTSIDE).arg(folder);
    let judge = judge.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut judge = judge.expect("python; tests/run installs it");
    judge.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("a reader");
    let said = judge.wait_with_output().expect("its output").stdout;
    serde_json::from_slice(&said).expect("JSON")
}
