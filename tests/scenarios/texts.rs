//! Texts that are cleaned in flight say what they said: sent by storescu, taken by pynetdicom, read by pydicom.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::process::Finished;
use crate::scratch::Scratch;
use crate::site::Site;
use crate::wait;

const REWRITE: &str = "[[rewrite]]\nname = \"site\"\nprofile = \"basic\"\noptions = [\"clean-descriptors\"]\n\
                       secret-file = \"conf/pseudonym.key\"\nvocabulary = [\"conf/words.txt\"]\n";

fn script(arguments: &[&str]) -> String {
    let mut command = peers::python("texts.py");
    command.args(arguments);
    Finished::run(command).expect_success()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What pydicom reads of a file when it has been sent through the gate.
fn sent(gate: &Gate, archive: &PythonArchive, folder: &Scratch, file: &str) -> Value {
    let stored =
        || archive.events().into_iter().filter(|event| event["event"] == "C-STORE").collect::<Vec<_>>();
    let before = stored().len();
    let path = folder.path().join(file);
    let options = ["-aet", "SITE", "-aec", "PACS", "-xe"];
    peers::requestor("storescu", gate.plain().address, &options, &[text(&path)]).expect_success();
    let event = wait::until("a C-STORE", || stored().into_iter().nth(before));
    let object = Object::from_part10(&fs::read(&path).expect("a file")).expect("an object");
    let arrived = Object { data_set: archive.data_set(&event), ..object };
    let out = folder.path().join(format!("arrived-{file}"));
    fs::write(&out, arrived.to_part10()).expect("a file written");
    serde_json::from_str(&script(&["read", text(&out)])).expect("JSON")
}

#[test]
fn a_text_that_arrives_says_what_it_said_and_shows_what_is_gone() {
    let (archive, folder, site) = (PythonArchive::start(&[]), Scratch::new(), Site::new());
    script(&["make", text(folder.path())]);
    let words = site.path("conf/words.txt");
    fs::write(&words, "# none yet\n").expect("a file written");
    let peers = gate::peer("rewrite = \"site\"");
    let setup =
        Setup { extra: REWRITE, peers, limits: "reload-files = \"50ms\"", ..Setup::plain(archive.address()) };
    let gate = Gate::start_in(site, &setup);

    let image = sent(&gate, &archive, &folder, "ct.dcm");
    assert_eq!(
        image,
        json!({
            "StudyDescription": "CT HEAD W/O CONTRAST",
            "SeriesDescription": "No tumor in [...] left lung",
            "ProtocolName": "Schädel nativ 5mm, [...2]",
            "ImageComments": "Pas de lésion de l'épaule gauche\r\n[...3]",
            "RequestedProcedureDescription": "",
        })
    );

    let structures = sent(&gate, &archive, &folder, "rt.dcm");
    let names: Vec<&str> =
        structures["names"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    let whole = [
        "Lung_L",
        "Lung_R",
        "SpinalCord",
        "PTV_6000",
        "PTV_7000",
        "Bladder-PTV",
        "A_Carotid_L",
        "GTVp",
        "CTV1",
        "zPTV_70",
    ];
    assert_eq!(names[..whole.len()], whole);
    assert_eq!(
        names[whole.len()..],
        ["Lung_L^[...2]", "GTV [...]", "GTV [...3]", "[...]", "[...3]", "[...4]"]
    );
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(structures["StructureSetLabel"], "PLAN [...]");

    // A word of the site stays from the moment on that its file has it.
    let loaded = gate.count("configuration-loaded");
    fs::write(&words, "quokka\n").expect("a file written");
    wait::until("the words", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let structures = sent(&gate, &archive, &folder, "rt.dcm");
    assert_eq!(structures["names"][names.len() - 1], "Quokka");

    // What cannot be read changes nothing, and is told by its line.
    fs::write(&words, "quokka\n4711\n").expect("a file written");
    let refused = gate.event("configuration-refused");
    assert!(refused.to_string().contains("conf/words.txt:2: "), "{refused}");
    assert_eq!(sent(&gate, &archive, &folder, "rt.dcm")["names"][names.len() - 1], "Quokka");
}
