//! The profile of PS3.15 Annex E over every real file, offline, judged by those who did not write it: pydicom,
//! dicom-anonymizer, Orthanc, DCMTK and dciodvfy.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::corpus;
use crate::peers::peers_folder;
use crate::process::{self, Finished};
use crate::scratch::Scratch;

/// Where dicom-anonymizer or Orthanc and dimsegate differ on purpose, by the element at the end of the path: the class in Source
/// Image Sequence (0008,2112), whose code X/Z/U* lets it stay with new UIDs, and its purpose code; well-known instances
/// of palettes; and a SOP Class UID, which no row names.
const ACCEPTED: [&str; 7] =
    ["00081150", "00080100", "00080102", "00080104", "00080018", "00281199", "00080016"];
/// X/Z is done as Z, since a type 2 sequence may be empty; General Study has it as type 3, with one item or more.
const VALIDITY: &str = "ReferencedStudySequence(0008,1110)";

pub struct Site {
    pub folder: Scratch,
}

impl Site {
    fn new() -> Self {
        let every = "\"retain-safe-private\", \"retain-device-identity\", \"retain-institution-identity\", \
                     \"retain-patient-characteristics\", \"retain-longitudinal-modified-dates\", \"clean-descriptors\", \
                     \"clean-structured-content\", \"clean-graphics\"";
        let passes = "burned-in = \"pass\"\n";
        Self::of(&[("basic", passes), ("every", &format!("{passes}options = [{every}]\n"))])
    }

    /// With a `[[rewrite]]` of each name, the profile and these keys.
    pub fn of(rewrites: &[(&str, &str)]) -> Self {
        let folder = Scratch::new();
        let secret = folder.path().join("key");
        fs::write(&secret, [b'k'; 32]).expect("a file written");
        Command::new("chmod").arg("600").arg(&secret).status().expect("chmod");
        let rewrite = |(name, keys): &(&str, &str)| {
            format!(
                "[[rewrite]]\nname = \"{name}\"\nprofile = \"basic\"\nsecret-file = \"{}\"\n\
                 private-sop-classes = \"pass\"\nencapsulated-documents = \"replace\"\n{keys}",
                secret.display()
            )
        };
        let rest = "[audit]\ndirectory = \"audit\"\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\nupstream = \"u\"\n\
                    [[upstream]]\nname = \"u\"\naddresses = [\"127.0.0.1:104\"]\n\
                    [[role]]\nname = \"r\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
                    [[peer]]\nname = \"p\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"X\"]\nrole = \"r\"\n";
        let rewrites: String = rewrites.iter().map(rewrite).collect();
        let text = [rest, &rewrites].concat();
        fs::write(folder.path().join("conf.toml"), text).expect("a file written");
        Self { folder }
    }

    pub fn rewrite(&self, name: &str, out: &Path, options: &[&str], files: &[&Path]) -> Finished {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
        command.arg("rewrite").arg("-c").arg(self.folder.path().join("conf.toml"));
        command.args(["--rewrite", name]).args(options).arg("-o").arg(out).args(files);
        Finished::run(command)
    }

    /// Every file that can be rewritten, and what came of it.
    fn pairs(&self) -> Vec<(PathBuf, PathBuf)> {
        let done = corpus::files().into_iter().enumerate().filter_map(|(index, file)| {
            let out = self.folder.path().join(index.to_string());
            let finished = self.rewrite("basic", &out, &[], &[&file]);
            finished.success.then(|| (file, only_file(&out)))
        });
        done.collect()
    }
}

pub fn only_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.next().expect("a file was written")
}

#[test]
fn no_canary_comes_out_of_any_real_file() {
    let site = Site::new();
    let files = corpus::files();
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    for (name, least) in [("basic", 220), ("every", 200)] {
        let out = site.folder.path().join("none");
        let said = site.rewrite(name, &out, &["--canary"], &files).output;
        assert!(!said.contains("a canary came out"), "{said}");
        let checked = said.lines().filter(|line| line.contains(" planted, ")).count();
        assert!(checked >= least, "{checked} files were checked: {said}");
        assert!(!out.exists());
    }
}

#[test]
fn pydicom_reads_and_dicom_anonymizer_would_have_changed_no_more() {
    let site = Site::new();
    judged(&site.pairs(), &[], 220);
}

#[test]
fn orthanc_would_have_changed_no_more() {
    let site = Site::new();
    let storage = site.folder.path().join("orthanc");
    let settings = site.folder.path().join("orthanc.json");
    let (_orthanc, address) = process::listening(&site.folder.path().join("orthanc.log"), |port| {
        // Several files have one SOP Instance UID.
        let value = serde_json::json!({
            "Name": "judge", "StorageDirectory": storage, "IndexDirectory": storage, "Plugins": [],
            "HttpServerEnabled": true, "HttpPort": port, "DicomServerEnabled": false, "AuthenticationEnabled": false,
            "RemoteAccessAllowed": false, "OverwriteInstances": true,
        });
        fs::write(&settings, value.to_string()).expect("a file written");
        let mut command = Command::new("Orthanc");
        command.arg(&settings);
        command
    });
    judged(&site.pairs(), &[&format!("http://{address}")], 205);
}

/// Asks tests/peers/second_opinion.py; what differs has to be accepted, and `least` files have to be judged.
fn judged(pairs: &[(PathBuf, PathBuf)], options: &[&str], least: u64) {
    let mut command = Command::new(peers_folder().join("venv/bin/python3"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/second_opinion.py")).args(options);
    let judge = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut judge = judge.expect("python; tests/run installs it");
    let lines: String =
        pairs.iter().map(|(before, after)| format!("{}\t{}\n", before.display(), after.display())).collect();
    judge.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("a reader");
    let output = judge.wait_with_output().expect("its output").stdout;
    let said: Value = serde_json::from_slice(&output).expect("JSON");
    assert!(said["judged"].as_u64().is_some_and(|judged| judged >= least), "{said}");
    assert_eq!(said["unread"], serde_json::json!({}), "{said}");
    let differing = said["differing"].as_object().expect("an object");
    let surprises: Vec<_> = differing.iter().filter(|(tag, _)| !ACCEPTED.contains(&tag.as_str())).collect();
    assert!(surprises.is_empty(), "{surprises:?}");
}

#[test]
fn dcmtk_reads_and_dciodvfy_finds_no_new_errors() {
    let site = Site::new();
    let pairs = site.pairs();
    assert!(pairs.len() >= 220, "{}", pairs.len());
    // dciodvfy takes the bytes of a deflated data set for elements, so it has no opinion on them.
    for (before, after) in pairs.into_iter().filter(|(before, _)| !before.ends_with("image_dfl.dcm")) {
        let dumped = |file: &Path| {
            let mut command = Command::new("dcmdump");
            command.arg("-q").arg(file);
            Finished::run(command).success
        };
        assert!(dumped(&after) || !dumped(&before), "{}", before.display());
        let new: Vec<_> = errors(&after).difference(&errors(&before)).cloned().collect();
        let new: Vec<_> = new.iter().filter(|error| !error.contains(VALIDITY)).collect();
        assert!(new.is_empty(), "{}: {new:?}", before.display());
    }
}

/// The errors that dciodvfy finds, without the UIDs in them, which are new.
fn errors(file: &Path) -> BTreeSet<String> {
    let mut command = Command::new("dciodvfy");
    command.arg("-new").arg(file);
    let said = Finished::run(command).output;
    let errors = said.lines().filter(|line| line.starts_with("Error"));
    errors.map(|line| line.split(" = <").next().unwrap_or(line).to_owned()).collect()
}
