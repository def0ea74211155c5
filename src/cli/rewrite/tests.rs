use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::curation::Curation;
use super::every::run_with;
use super::memory::Memory;
use super::{How, Sender, part10};
use crate::rewrite::{RuleSpec, Ruleset, RulesetSpec};
use crate::scratch::Scratch;
use aws_lc_rs::hmac;

const CLASS: &str = "1.2.840.10008.5.1.4.1.1.2";
const LE: &str = "1.2.840.10008.1.2.1";

fn rules(rules: &[(&str, &str)]) -> Arc<Ruleset> {
    let rule = |(tag, action): &(&str, &str)| RuleSpec {
        tag: (*tag).into(),
        action: (*action).into(),
        ..RuleSpec::default()
    };
    let secret = Some(hmac::Key::new(hmac::HMAC_SHA256, b"a test's secret"));
    let spec = RulesetSpec { rules: rules.iter().map(rule).collect(), secret, ..RulesetSpec::default() };
    Arc::new(Ruleset::compile(spec).unwrap())
}

fn element(tag: [u8; 4], vr: &[u8; 2], value: &str) -> Vec<u8> {
    let padded = if value.len() % 2 == 1 { format!("{value}\0") } else { value.to_owned() };
    [&tag[..], vr, &(padded.len() as u16).to_le_bytes(), padded.as_bytes()].concat()
}

fn file(syntax: &str, instance: &str, name: &str) -> Vec<u8> {
    let mut bytes = part10::write(CLASS, instance, syntax);
    bytes[..2].copy_from_slice(b"MZ");
    bytes.extend(element([8, 0, 0x16, 0], b"UI", CLASS));
    bytes.extend(element([8, 0, 0x18, 0], b"UI", instance));
    bytes.extend(element([0x10, 0, 0x10, 0], b"PN", name));
    bytes
}

struct Ran {
    failed: usize,
    shown: String,
    problems: String,
    files: Vec<PathBuf>,
}

fn ran(rules: &Arc<Ruleset>, inputs: &[PathBuf], out: &Path, diff: bool) -> Ran {
    let (mut shown, mut problems) = (Vec::new(), Vec::new());
    let how = How { rules, memory: &Memory::None, sender: &Sender::default(), diff };
    let failed = run_with(&how, (inputs, out), &mut Curation::default(), &mut shown, &mut problems).unwrap();
    let mut files: Vec<PathBuf> = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { failed, shown: text(shown), problems: text(problems), files }
}

#[test]
fn folders_are_walked_and_files_named_by_their_new_uid() {
    let dir = Scratch::new();
    let (deep, out) = (dir.path().join("in/deep"), dir.path().join("in/out"));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("a"), file(LE, "1.2.3", "DOE^JANE")).unwrap();
    fs::write(dir.path().join("in/b"), file(LE, "1.2.4", "DOE^JIM")).unwrap();
    let rules = rules(&[("SOPInstanceUID", "uid"), ("PatientName", "remove")]);
    let ran = ran(&rules, &[dir.path().join("in")], &out, true);
    assert_eq!((ran.failed, ran.problems.as_str()), (0, ""));
    let mut expected: Vec<_> =
        ["1.2.3", "1.2.4"].map(|uid| out.join(format!("{}.dcm", rules.map_uid(uid)))).to_vec();
    expected.sort();
    assert_eq!(ran.files, expected);
    let uid = rules.map_uid("1.2.3");
    let mut whole = part10::write(CLASS, &uid, LE);
    whole.extend(element([8, 0, 0x16, 0], b"UI", CLASS));
    whole.extend(element([8, 0, 0x18, 0], b"UI", &uid));
    assert_eq!(fs::read(out.join(format!("{uid}.dcm"))).unwrap(), whole, "with an empty preamble");
    let object = dicom_object::open_file(out.join(format!("{uid}.dcm"))).unwrap();
    assert_eq!(object.meta().media_storage_sop_instance_uid(), uid);
    let line = ran.shown.lines().find(|line| line.contains("PatientName") && line.contains("JANE")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(
        words,
        ["(0010,0010)", "PatientName", "\"DOE^JANE\"", "->", "absent", "rule", "2", "PatientName"]
    );
}

#[test]
fn one_bad_file_does_not_stop_the_others_and_leaves_nothing() {
    let dir = Scratch::new();
    let at = |name: &str| dir.path().join(name);
    let good = file(LE, "1.2.3", "DOE");
    fs::write(at("good"), &good).unwrap();
    fs::write(at("cut"), &file(LE, "1.2.4", "DOE^JANE")[..file(LE, "1.2.4", "DOE^JANE").len() - 2]).unwrap();
    fs::write(at("raw"), &good[132..]).unwrap();
    fs::write(at("private"), file("1.2.840.113619.5.2", "1.2.5", "DOE")).unwrap();
    fs::write(at("same"), &good).unwrap();
    let mut other = file(LE, "1.2.6", "DOE");
    let in_data_set = other.windows(5).rposition(|bytes| bytes == b"1.2.6").unwrap();
    other[in_data_set + 4] = b'7';
    fs::write(at("other"), other).unwrap();
    let inputs = ["absent", "cut", "good", "other", "private", "raw", "same"].map(at);
    let ran = ran(&rules(&[("PatientName", "remove")]), &inputs, &at("out"), false);
    assert_eq!(ran.failed, 6);
    assert_eq!(ran.files, [at("out/1.2.3.dcm")]);
    let lines: Vec<&str> = ran.problems.lines().collect();
    assert_eq!(lines.len(), 6, "one line each: {lines:?}");
    let says = |file: &str, what: &str| lines.iter().any(|line| line.contains(file) && line.contains(what));
    assert!(says("/absent: ", "cannot be opened"));
    assert!(
        says("/cut: ", "(0010,0010) at byte ") && says("/cut: ", ": data set ends inside; expected the rest")
    );
    assert!(says("/raw: ", "DICM"));
    assert!(says("/private: ", "1.2.840.113619.5.2"));
    assert!(says("/same: ", "exists already"));
    assert!(says("/other: ", "(0008,0018) differs from the file meta information"));
}

#[test]
fn a_damaged_start_is_told_apart() {
    use part10::Part10Error as E;
    let whole = part10::write(CLASS, "1.2.3", LE);
    assert_eq!(part10::read(&whole).unwrap().data_set, whole.len());
    assert_eq!(part10::read(&whole[..131]), Err(E::Prefix));
    assert_eq!(part10::read(&part10::write(CLASS, "../../x", LE)), Err(E::Missing(2, 3)));
    assert_eq!(part10::read(&part10::write("1.2.840.10008.1.3.10", "1.2", LE)), Err(E::Directory));
    let enough = whole.windows(4).position(|bytes| bytes == [2, 0, 0x12, 0]).unwrap();
    for end in 134..enough {
        assert!(part10::read(&whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn canaries_that_come_out_are_named_and_nothing_is_written() {
    use crate::rewrite::ProfileSpec;
    let dir = Scratch::new();
    let (path, out) = (dir.path().join("in"), dir.path().join("out"));
    fs::write(&path, file(LE, "1.2.3", "DOE^JANE")).unwrap();
    let checked = |rules: &Arc<Ruleset>| {
        let (mut shown, mut problems) = (Vec::new(), Vec::new());
        let inputs = [path.clone()];
        let failed =
            super::canary::run_with(rules, &inputs, &out, &Sender::default(), &mut shown, &mut problems)
                .unwrap();
        (failed, String::from_utf8([shown, problems].concat()).unwrap())
    };
    let secret = Some(hmac::Key::new(hmac::HMAC_SHA256, b"a test's secret"));
    let basic = RulesetSpec { secret, profile: Some(ProfileSpec::default()), ..RulesetSpec::default() };
    let (failed, said) = checked(&Arc::new(Ruleset::compile(basic).unwrap()));
    assert!(failed == 0 && said.contains("1 planted, 0 kept"), "{said}");
    let kept = checked(&rules(&[("SOPInstanceUID", "uid")]));
    assert!(kept.0 == 0 && kept.1.contains("1 planted, 1 kept"), "rules without a profile promise nothing");
    assert!(!out.exists());
}
