//! Derived objects over thousands of slices: they pass under the profile though the patient comes late, without the
//! patient's words in any text; pydicom reads what arrived. What may wait is bounded, for one and for all.

use serde_json::Value;

use crate::command::{Command, ERROR_COMMENT, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::monitoring;
use crate::object::Object;
use crate::peers;
use crate::process::Finished;
use crate::raw::{self, Peer, Upstream};
use crate::rewriting::pass;
use crate::scratch::Scratch;
use crate::upper::{self, Request};
use crate::wait;

const BASIC: &str = "[[rewrite]]\nname = \"site\"\nprofile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\n\
                     rules = [{ tag = \"PatientID\", action = \"replace\", value = \"{pseudonym}\" }]\n";

fn basic(upstream: std::net::SocketAddr, limits: &'static str) -> Setup {
    Setup { extra: BASIC, peers: gate::peer("rewrite = \"site\""), limits, ..Setup::plain(upstream) }
}

/// A segmentation, as pydicom writes it.
fn segmentation(folder: &Scratch, slices: usize) -> (String, Object) {
    let file = folder.path().join(format!("{slices}.dcm"));
    let mut command = peers::python("derived.py");
    command.args(["segmentation", &slices.to_string()]).arg(&file);
    Finished::run(command).expect_success();
    (file.display().to_string(), Object::from_file(&file).expect("a file of pydicom's"))
}

fn read(file: &std::path::Path) -> Value {
    let mut command = peers::python("derived.py");
    command.arg("read").arg(file);
    serde_json::from_str(&Finished::run(command).expect_success()).expect("a JSON line")
}

#[test]
fn a_segmentation_over_two_thousand_slices_arrives_without_the_patients_words() {
    let archive = peers::storescp(&[]);
    let gate = Gate::start(&basic(archive.address, ""));
    let folder = Scratch::new();
    let (file, object) = segmentation(&folder, 2000);
    assert!(object.data_set.len() > 200_000, "{}", object.data_set.len());
    peers::requestor("storescu", gate.address, &["-xe", "-R"], &[&file]).expect_success();
    archive.stored(1);
    let read = read(&archive.files()[0]);
    assert_eq!(
        (&read["instances"], &read["kept"], &read["pixels"]),
        (&2000.into(), &0.into(), &8.into()),
        "{read}"
    );
    let texts: Vec<&str> =
        read["texts"].as_array().expect("texts").iter().filter_map(Value::as_str).collect();
    for text in [
        "ContentDescription=of ***, by Dr *** at ***",
        "SegmentLabel=***'s lesion",
        "SegmentDescription=lesion of *** ***, seen ***, call ***",
        "TrackingID=***-1",
        "CodeMeaning=Lesion ***",
        "CodeValue=49755003",
        "ContentLabel=LESIONS",
        "Manufacturer=ACME",
    ] {
        assert!(texts.contains(&text), "{text} in {texts:#?}");
    }
    let all = texts.join("\n").to_lowercase();
    for word in
        ["müller", "mueller", "jörg", "0012345", "acc-77-1", "house", "mary", "s7711", "1950", "123456"]
    {
        assert!(!all.contains(word), "{word} in {all}");
    }
}

#[test]
fn one_that_would_wait_with_more_than_may_is_refused_with_the_reason() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&basic(upstream.address, "held-data-set = \"128KiB\""));
    let folder = Scratch::new();
    let passed = pass(&gate, &upstream, &segmentation(&folder, 2000).1).expect("an explicit syntax");
    assert_eq!(
        (passed.status, passed.comment.as_deref()),
        (0xC003, Some("(0040,2017): identifiers come too late"))
    );
    assert!(passed.received.is_none());
    let record = gate.event("operation");
    assert_eq!(record["fault"]["problem"], "identifiers come too late", "{record}");
    let passed = pass(&gate, &upstream, &segmentation(&folder, 500).1).expect("an explicit syntax");
    assert_eq!(passed.status, 0);
}

fn held(metrics: std::net::SocketAddr) -> u64 {
    let (_, text) = monitoring::get(metrics, "/metrics");
    let used = "\ndimsegate_limit_used{limit=\"held-data-sets\",peer=\"none\"} ";
    let number = text.split_once(used).expect("a limit").1.lines().next().expect("a number");
    number.parse::<f64>().expect("a number") as u64
}

fn begin(requestor: &mut Peer, object: &Object, bytes: usize) {
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send(&upper::p_data(1, upper::COMMAND, &command.encode(), 16384));
    for piece in object.data_set[..bytes].chunks(16000) {
        requestor.send(&upper::pdu(upper::P_DATA, &upper::pdv(1, 0, piece)));
    }
}

fn end(requestor: &mut Peer, object: &Object, from: usize) {
    requestor.send(&upper::p_data(1, 0, &object.data_set[from..], 16384));
}

#[test]
fn associations_share_what_may_wait_and_give_it_back() {
    let upstream = Upstream::bind();
    let folder = Scratch::new();
    let object = segmentation(&folder, 3500).1;
    // Up to the patient, nearly.
    let most = object.data_set.len() - 3000;
    let (gate, metrics) = monitoring::watched(&basic(
        upstream.address,
        "held-data-sets = \"1MiB\"\nheld-data-set = \"512KiB\"",
    ));
    let request = || Request::new("SITE", "PACS").context(&object.sop_class, &[&object.transfer_syntax]);
    let open = || raw::open(&gate.plain(), &upstream, &request(), 16384);
    let mut all = [open(), open()];
    for (number, (requestor, _)) in all.iter_mut().enumerate() {
        begin(requestor, &object, most);
        let least = (number as u64 + 1) * most as u64;
        wait::until("a data set that waits", || (held(metrics) >= least).then_some(()));
    }
    let counted = held(metrics);
    assert!(counted <= 1 << 20, "{counted}");
    let leaves = (1_u64 << 20) - counted < most as u64;
    assert!(leaves, "a third one would find room: {counted}, {most}");
    let (mut third, late) = open();
    begin(&mut third, &object, most);
    end(&mut third, &object, most);
    let answer = third.message().command;
    assert_eq!(
        (answer.number(STATUS), answer.text(ERROR_COMMENT)),
        (Some(0xA700), Some("no memory to hold a long header in at present".into()))
    );
    raw::release(third, late);
    for (mut requestor, mut acceptor) in all {
        end(&mut requestor, &object, most);
        let message = acceptor.message();
        assert!(message.data_set.is_some_and(|data| data.len() > 200_000));
        acceptor.send_message(message.context, &message.command.response(0), None, 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0));
        raw::release(requestor, acceptor);
    }
    wait::until("what was held to be given back", || (held(metrics) == 0).then_some(()));
}
