//! Implementations beside those of `peers`: odil, dcmjs-dimse, dicom-rs, and DCMTK's parallel and printing requestors.
//!
//! Each does with dimsegate between what it does directly, and what arrives are the bytes that it sent.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::crosswalk::ct;
use crate::gate::{Gate, Setup};
use crate::object::Object;
use crate::peers::{self, dcmtk, peers_folder};
use crate::process::{self, Finished, Process};
use crate::scratch::Scratch;
use crate::wait;

/// The study of every made object.
const STUDY: &str = "2.25.200000000000000000000000000000000002";

/// The records of that operation say success, and nothing else.
fn assert_operations(gate: &Gate, operation: &str, count: usize) {
    gate.event("association-closed");
    let records = gate.records();
    let statuses = || records.iter().filter(|record| record["operation"] == operation);
    assert_eq!(statuses().count(), count, "{records:#?}");
    assert!(statuses().all(|record| record["status"] == "0x0000"), "{records:#?}");
}

/// Runs odil's command with what its AE titles are.
fn odil(verb: &str, gate: &Gate, rest: &[&str]) -> String {
    let mut command = Command::new("odil");
    command.args([verb, "127.0.0.1", &gate.address.port().to_string(), "ODIL", "ORTHANC"]).args(rest);
    Finished::run(command).expect_success()
}

#[test]
fn odil_echoes_stores_and_finds() {
    let archive = peers::orthanc();
    let (gate, object) = (Gate::start(&Setup::plain(archive.address)), ct(1, 50_000));
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    odil("echo", &gate, &[]);
    odil("store", &gate, &[&files[0]]);
    let found = odil("find", &gate, &["study", "QueryRetrieveLevel=STUDY", "PatientID", "StudyInstanceUID"]);
    assert!(found.contains(STUDY), "{found}");
    for operation in ["C-ECHO", "C-STORE", "C-FIND"] {
        gate.record(operation, |record| record["operation"] == operation && record["status"] == "0x0000");
    }
    assert_eq!(gate.event("association-closed")["calling-ae-title"], "ODIL");
}

fn dcmjs(arguments: &[&str]) -> Command {
    let folder = peers_folder().join("node");
    let mut command = Command::new(folder.join("node"));
    command.env("NODE_PATH", folder.join("node_modules"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/dcmjs.js")).args(arguments);
    command
}

fn lines(output: &str) -> Vec<Value> {
    output.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect()
}

#[test]
fn dcmjs_dimse_on_both_sides_echoes_stores_and_finds() {
    let folder = Scratch::new();
    let mut archive = Process::start(dcmjs(&["scp"]), &folder.path().join("output.log"));
    let port = wait::until("dcmjs-dimse to listen", || {
        assert!(archive.ended().is_none(), "{}", archive.output());
        u16::try_from(lines(&archive.output()).first()?["listening"].as_u64()?).ok()
    });
    let gate = Gate::start(&Setup::plain(SocketAddr::from(([127, 0, 0, 1], port))));
    let object = ct(1, 50_000);
    let (_files, names) = peers::files_of(std::slice::from_ref(&object));
    let output = Finished::run(dcmjs(&["scu", &gate.address.port().to_string(), &names[0]])).expect_success();
    let told = lines(&output).pop().unwrap_or_else(|| panic!("{output}"));
    let wanted = json!({ "echo": 0, "store": 0, "find": [0xFF00, 0], "studies": ["2.25.4711"] });
    assert_eq!(told, wanted);
    let stored = |line: &Value| line["operation"] == "C-STORE" && line["instance"] == object.sop_instance;
    assert!(lines(&archive.output()).iter().any(stored), "{}", archive.output());
    for operation in ["C-ECHO", "C-STORE", "C-FIND"] {
        assert_operations(&gate, operation, 1);
    }
}

fn dicom_rs(program: &str) -> Command {
    Command::new(peers_folder().join("dicom-rs/bin").join(program))
}

#[test]
fn dicom_rs_stores_to_dicom_rs_in_parallel() {
    let folder = Scratch::new();
    let log = Scratch::new();
    let (_archive, address) = process::listening(&log.path().join("output.log"), |port| {
        let mut command = dicom_rs("dicom-storescp");
        command.args(["--promiscuous", "--non-blocking", "-p", &port.to_string(), "-o"]).arg(folder.path());
        command
    });
    let gate = Gate::start(&Setup::plain(address));
    let objects: Vec<Object> = (0..8).map(|number| ct(number, 30_000 + number)).collect();
    let (_files, names) = peers::files_of(&objects);
    let mut command = dicom_rs("dicom-storescu");
    command.args(["--concurrency", "4", "--fail-first", &gate.address.to_string()]).args(&names);
    Finished::run(command).expect_success();
    for object in &objects {
        let path = folder.path().join(format!("{}.dcm", object.sop_instance));
        let stored = wait::until("a stored object", || Object::from_part10(&fs::read(&path).ok()?));
        assert_eq!(
            (stored.sop_instance, stored.sop_class),
            (object.sop_instance.clone(), object.sop_class.clone())
        );
        assert!(
            stored.data_set.ends_with(&object.data_set[object.data_set.len() - 20_000..]),
            "other pixels"
        );
    }
    wait::until("four associations closed", || (gate.count("association-closed") == 4).then_some(()));
    assert_operations(&gate, "C-STORE", objects.len());
}

#[test]
fn one_orthanc_moves_a_study_through_the_gate_to_another() {
    let destination = peers::orthanc();
    let gate = Gate::start(&Setup::plain(destination.address));
    let source = peers::orthanc_with(&json!({ "gate": ["ORTHANC", "127.0.0.1", gate.address.port()] }));
    let objects = [ct(1, 60_000), ct(2, 61_000)];
    let (_folder, files) = peers::files_of(&objects);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    peers::requestor("storescu", source.address, &["-aec", "ORTHANC"], &files).expect_success();
    let study = format!("StudyInstanceUID={}", STUDY);
    let level = "QueryRetrieveLevel=STUDY";
    let options = ["-S", "-aec", "ORTHANC", "-aem", "ORTHANC", "-k", level, "-k", &study];
    peers::requestor("movescu", source.address, &options, &[]).expect_success();
    gate.event("association-closed");
    assert_operations(&gate, "C-STORE", objects.len());
    let level = "QueryRetrieveLevel=IMAGE";
    let options = ["-v", "-S", "-aec", "ORTHANC", "-k", level, "-k", &study, "-k", "SOPInstanceUID"];
    let found = peers::requestor("findscu", destination.address, &options, &[]).expect_success();
    assert!(objects.iter().all(|object| found.contains(&object.sop_instance)), "{found}");
}

#[test]
fn dcmsend_in_parallel_delivers_every_byte() {
    let archive = peers::storescp(&["--fork"]);
    let gate = Gate::start(&Setup::plain(archive.address));
    let objects: Vec<Object> = (0..12).map(|number| ct(number, 40_000 + number * 2)).collect();
    std::thread::scope(|scope| {
        for some in objects.chunks(2) {
            let gate = &gate;
            scope.spawn(move || {
                let (_folder, files) = peers::files_of(some);
                let files: Vec<&str> = files.iter().map(String::as_str).collect();
                peers::requestor("dcmsend", gate.address, &["-aec", "PACS"], &files).expect_success();
            });
        }
    });
    let mut stored = archive.stored(objects.len());
    stored.sort_by(|one, other| one.sop_instance.cmp(&other.sop_instance));
    for (stored, sent) in stored.iter().zip(&objects) {
        assert_eq!(stored.sop_instance, sent.sop_instance);
        assert!(stored.data_set == sent.data_set, "other bytes than were sent");
    }
    wait::until("six associations closed", || (gate.count("association-closed") == 6).then_some(()));
    assert_operations(&gate, "C-STORE", objects.len());
}

/// A folder as DCMTK's printing programs want it, whose only printer is at `address`.
fn print_folder(address: SocketAddr) -> Scratch {
    let folder = Scratch::new();
    for inner in ["spool", "database", "lut"] {
        fs::create_dir(folder.path().join(inner)).expect("a new folder");
    }
    let settings = format!(
        "[[GENERAL]]\n[PRINT]\nDirectory = spool\nDeletePrintJobs = false\n[DATABASE]\nDirectory = database\n\
         [LUT]\nDirectory = lut\n[NETWORK]\naetitle = PRINTSCU\n[[COMMUNICATION]]\n[PRINTER]\nAetitle = PRINTER\n\
         Description = a printer\nHostname = 127.0.0.1\nPort = {}\nType = LOCALPRINTER\nDisplayFormat = 1,1\n\
         FilmDestination = PROCESSOR\nFilmSizeID = 8INX10IN\nMagnificationType = NONE\nMaxDensity = 320\n\
         MinDensity = 20\nMaxPDU = 16384\nMediumType = PAPER\n",
        address.port()
    );
    fs::write(folder.path().join("print.cfg"), settings).expect("a file written");
    folder
}

fn printing(program: &str, folder: &Path) -> Command {
    let mut command = dcmtk(program);
    command.current_dir(folder).args(["-v", "-c", "print.cfg", "-p", "PRINTER"]);
    command
}

/// The files in a print folder's database whose names begin in that way.
fn kept(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("database")).expect("the database");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .collect()
}

/// What is behind the header of Pixel Data, the last element.
fn pixels(file: &Path) -> Vec<u8> {
    let data_set = Object::from_file(file).expect("a DICOM file").data_set;
    let at = data_set.windows(4).rposition(|tag| tag == [0xE0, 0x7F, 0x10, 0x00]).expect("pixel data");
    data_set[at + 12..].to_vec()
}

#[test]
fn a_film_that_dcmprscu_prints_comes_out_as_it_was_rendered() {
    let address = process::free_address();
    let printer = print_folder(address);
    let mut scp = Process::start(printing("dcmprscp", printer.path()), &printer.path().join("output.log"));
    wait::until("dcmprscp to listen", || {
        assert!(scp.ended().is_none(), "{}", scp.output());
        std::net::TcpStream::connect(address).ok()
    });
    let gate = Gate::start(&Setup::plain(address));
    let workstation = print_folder(gate.address);
    let image =
        crate::corpus::files().into_iter().find(|file| file.ends_with("CT_small.dcm")).expect("an image");
    let mut render = printing("dcmpsprt", workstation.path());
    render.arg(image);
    Finished::run(render).expect_success();
    let [job] = &kept(workstation.path(), "SP_")[..] else { panic!("one print job") };
    let [rendered] = &kept(workstation.path(), "HG_")[..] else { panic!("one rendered image") };
    let mut spool = printing("dcmprscu", workstation.path());
    spool.arg(job);
    let output = Finished::run(spool).expect_success();
    assert!(output.contains("Association accepted"), "{output}");
    let printed = wait::until("the printed image", || kept(printer.path(), "HG_").pop());
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "released", "{closed}");
    assert!(pixels(&printed) == pixels(rendered), "other pixels than were rendered");
    // Session, film box and image box, then the print itself.
    for (operation, success) in [("N-CREATE", 2), ("N-SET", 1), ("N-ACTION", 1)] {
        assert_eq!(closed["operations"][operation]["success"], success, "{closed}");
    }
}
