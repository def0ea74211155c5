//! Under a profile, what goes out is legal for its VR: names in every attribute that cannot hold one, judged by pydicom.

use std::path::Path;

use crate::de_identification::{Site, only_file};
use crate::peers;
use crate::process::Finished;

fn misfits(what: &str, file: &Path) -> Finished {
    let mut command = peers::python("misfits.py");
    command.arg(what).arg(file);
    Finished::run(command)
}

#[test]
fn pydicom_finds_no_value_that_its_vr_cannot_hold() {
    let every = "options = [\"retain-device-identity\", \"retain-institution-identity\", \"retain-patient-characteristics\", \
                 \"retain-longitudinal-full-dates\", \"clean-descriptors\", \"clean-structured-content\", \
                 \"clean-graphics\", \"retain-uids\"]\n";
    let passes = "burned-in = \"pass\"\n";
    let site = Site::of(&[("basic", passes), ("every", &format!("{passes}{every}"))]);
    let file = site.folder.path().join("named.dcm");
    let made = misfits("make", &file);
    assert!(made.success, "{}", made.output);
    let before = misfits("judge", &file);
    assert!(before.output.lines().count() > 500, "{}", before.output);
    for name in ["basic", "every"] {
        let out = site.folder.path().join(name);
        let done = site.rewrite(name, &out, &["--diff"], &[&file]);
        assert!(done.success, "{}", done.output);
        assert!(done.output.contains("put right: data-set-misfit"), "{}", done.output);
        assert!(done.output.contains("not legal for its VR (PS3.5 6.2)"), "{}", done.output);
        let judged = misfits("judge", &only_file(&out));
        assert!(judged.success && judged.output.is_empty(), "{name}: {}", judged.output);
    }
}
