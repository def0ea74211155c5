//! Command sets as peers write them, and what goes on of them: what was understood, and nothing else.

use serde_json::{Value, json};

use crate::command::{C_ECHO_RQ, C_GET_RQ, C_MOVE_RQ, Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers;
use crate::raw::{self, Peer, verification};
use crate::scratch::Scratch;
use crate::upper;

const GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const MR: &str = "1.2.840.10008.5.1.4.1.1.4";

fn opened(setup: impl FnOnce(&mut Setup)) -> (Gate, Peer, Peer) {
    let request = verification("SITE", "PACS")
        .context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE])
        .context(GET, &[upper::EXPLICIT_LITTLE])
        .context(MOVE, &[upper::EXPLICIT_LITTLE]);
    let (gate, _, requestor, acceptor) = raw::opened(&request, setup);
    (gate, requestor, acceptor)
}

fn send_raw(peer: &mut Peer, context: u8, bytes: &[u8]) {
    peer.send(&upper::p_data(context, upper::COMMAND, bytes, 16384));
}

/// The bytes of the next message, which has no data set.
fn command_bytes(peer: &mut Peer) -> Vec<u8> {
    let pdu = peer.pdu();
    let pdvs = pdu.pdvs().expect("PDVs");
    assert!(pdvs.iter().all(|pdv| pdv.control & upper::COMMAND != 0), "{pdu:?}");
    pdvs.iter().flat_map(|pdv| pdv.value.to_vec()).collect()
}

fn operation(gate: &Gate, name: &str) -> Value {
    gate.record(name, |record| record["event"] == "operation" && record["operation"] == name)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

const ECHO: &str =
    "0000020012000000 312e322e3834302e31303030382e312e3100 0000000102000000 3000 0000100102000000 0100
    0000000802000000 0101";
const FIELD_FIRST: &str =
    "0000000102000000 3000 0000020012000000 312e322e3834302e31303030382e312e3100 0000100102000000 0100
    0000000802000000 0101";

#[test]
fn requests_that_other_servers_answer_are_put_right_and_recorded() {
    let good = Command::c_echo_rq(1).encode();
    assert_eq!(hex(ECHO), good[12..]);
    let list = "08000000 04000000 0e000000 08005800 06000000 312e322e3300";
    for (what, bytes, tolerated) in [
        ("without a length", hex(ECHO), json!(["command-group-length"])),
        ("a length of 0", hex(&format!("0000000004000000 00000000 {ECHO}")), json!(["command-group-length"])),
        ("two too long", hex(&format!("0000000004000000 3a000000 {ECHO}")), json!(["command-group-length"])),
        ("out of order", hex(&format!("0000000004000000 38000000 {FIELD_FIRST}")), json!(["command-order"])),
        (
            "group 0008 behind",
            [&good[..], &hex(list)].concat(),
            json!(["command-element-00080000", "command-element-00080058"]),
        ),
        ("as it should be", good.clone(), Value::Null),
    ] {
        let (gate, mut requestor, mut acceptor) = opened(|_| ());
        send_raw(&mut requestor, 1, &bytes);
        assert_eq!(command_bytes(&mut acceptor), good, "{what}");
        acceptor.send_message(1, &Command::c_echo_rq(1).response(0), None, 16384);
        assert_eq!(requestor.message().command, Command::c_echo_rq(1).response(0), "{what}");
        raw::release(requestor, acceptor);
        assert_eq!(operation(&gate, "C-ECHO")["tolerated"], tolerated, "{what}");
    }
}

#[test]
fn a_command_set_with_two_readings_is_refused() {
    let good = Command::c_echo_rq(1).encode();
    let twice = [&good[..], &hex("0000100102000000 0200")].concat();
    let cut_off = [&good[..], &hex("0800580006000000 312e322e33")].concat();
    for bytes in [twice, cut_off] {
        let (gate, mut requestor, mut acceptor) = opened(|_| ());
        send_raw(&mut requestor, 1, &bytes);
        assert_eq!(requestor.expect(upper::ABORT)[2..], [2, 6]);
        assert_eq!(acceptor.expect(upper::ABORT)[2], 2);
        assert_eq!(gate.event("association-closed")["ended"], "protocol-error");
    }
}

#[test]
fn nothing_goes_on_but_what_the_standard_lists_for_the_message() {
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let retired = |command: Command| command.bytes(0x5010, b"DOE^JANE".to_vec());
    let echo = Command::c_echo_rq(1);
    requestor.send_message(1, &retired(echo.clone()), None, 16384);
    assert_eq!(command_bytes(&mut acceptor), echo.encode());
    acceptor.send_message(1, &retired(echo.response(0)).uid(0x1001, "2.25.9"), None, 16384);
    assert_eq!(command_bytes(&mut requestor), echo.response(0).encode());
    let object = Object::ct(1_000);
    let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    let with_both = store.clone().uid(0x0003, &object.sop_class).uid(0x1001, &object.sop_instance);
    requestor.send_message(3, &retired(with_both), Some(&object.data_set), 16384);
    let stored = acceptor.message();
    assert_eq!((&stored.command, stored.data_set.as_ref()), (&store, Some(&object.data_set)));
    // A value of another kind than its element has is nothing that the standard lists.
    let answer = store.response(0xB007).bytes(0x0903, b"DOE^".to_vec()).bytes(0x0901, b"DOE^JA".to_vec());
    acceptor.send_message(3, &answer, None, 16384);
    assert_eq!(command_bytes(&mut requestor), store.response(0xB007).encode());
    raw::release(requestor, acceptor);
    assert_eq!(
        operation(&gate, "C-ECHO")["tolerated"],
        json!([
            "command-element-00005010",
            "response-command-element-00001001",
            "response-command-element-00005010"
        ])
    );
    assert_eq!(
        operation(&gate, "C-STORE")["tolerated"],
        json!([
            "command-element-00000003",
            "command-element-00001001",
            "command-element-00005010",
            "response-command-element-00000901",
            "response-command-element-00000903"
        ])
    );
}

const RULES: &str = r#"[[rewrite]]
name = "site"
profile = "basic"
secret-file = "conf/pseudonym.key"
rules = [{ tag = "PatientID", action = "pseudonym" }]"#;

#[test]
fn the_original_instance_does_not_go_out_beside_its_pseudonym() {
    let (_gate, mut requestor, mut acceptor) = opened(|setup| {
        setup.peers = gate::peer("rewrite = \"site\"");
        setup.extra = RULES;
    });
    let object = Object::ct(1_000);
    let store = Command::c_store_rq(2, &object.sop_class, &object.sop_instance);
    requestor.send_message(3, &store.uid(0x1001, &object.sop_instance), Some(&object.data_set), 16384);
    let bytes = acceptor.message().command.encode();
    let real = object.sop_instance.as_bytes();
    assert!(!bytes.windows(real.len()).any(|window| window == real), "{bytes:02x?}");
}

#[test]
fn a_move_destination_goes_on_as_it_was_understood() {
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let query = short(0x0020, 0x000D, "UI", b"1.2.3");
    let to = |id: u16, destination: &[u8]| {
        let command = Command::new(C_MOVE_RQ).uid(2, MOVE).us(0x0110, id).us(0x0700, 0).us(0x0800, 0);
        command.bytes(0x0600, destination.to_vec())
    };
    for (id, destination, goes_on) in [
        (1, &b"READER1\0\0\0\0\0\0\0\0\0"[..], &b"READER1 "[..]),
        (2, b"READER1\0", b"READER1 "),
        (3, b"READER1         ", b"READER1         "),
    ] {
        requestor.send_message(7, &to(id, destination), Some(&query), 16384);
        let seen = acceptor.message();
        assert_eq!(seen.command, to(id, goes_on));
        acceptor.send_message(7, &seen.command.response(0), None, 16384);
        assert_eq!(requestor.message().command.number(STATUS), Some(0));
    }
    // What is no AE title is no destination, wherever a C-MOVE may send to.
    requestor.send_message(7, &to(4, b"READER1\0READER2\0"), Some(&query), 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0xA801));
    raw::release(requestor, acceptor);
    let moved = operation(&gate, "C-MOVE");
    assert_eq!(
        (&moved["move-destination"], &moved["tolerated"]),
        (&json!("READER1"), &json!(["command-padding"]))
    );
}

/// Orthanc's answer where some objects could not be sent: the list of them stands in the command set, and no data set is
/// announced.
#[test]
fn counts_and_status_of_a_retrieval_arrive_where_its_failures_stand_in_the_command_set() {
    let (gate, mut requestor, mut acceptor) = opened(|_| ());
    let get = Command::new(C_GET_RQ).uid(2, GET).us(0x0110, 1).us(0x0700, 0).us(0x0800, 0);
    let query = short(0x0020, 0x000D, "UI", b"1.2.3");
    requestor.send_message(5, &get, Some(&query), 16384);
    acceptor.message();
    let answer = get.response(0xB000).us(0x1020, 0).us(0x1021, 2).us(0x1022, 1).us(0x1023, 0);
    let list = hex(
        "08000000 04000000 24000000 08005800 1c000000 312e322e3832362e302e312e333638303034332e31302e3939392e37",
    );
    send_raw(&mut acceptor, 5, &[answer.encode(), list].concat());
    assert_eq!(command_bytes(&mut requestor), answer.encode());
    raw::release(requestor, acceptor);
    let got = operation(&gate, "C-GET");
    let expected = json!(["response-command-element-00080000", "response-command-element-00080058"]);
    assert_eq!((&got["status"], &got["tolerated"]), (&json!("0xB000"), &expected));
}

const TWO_WAY: &str = r#"[[crosswalk]]
name = "readers"
file = "crosswalk/readers"
key-file = "conf/crosswalk.key"
[[rewrite]]
name = "site"
profile = "basic"
crosswalk = "readers"
secret-file = "conf/pseudonym.key"
rules = [
  { tag = "PatientName", action = "replace", value = "ANON^{pseudonym}" },
  { tag = "PatientID", action = "replace", value = "{pseudonym}" },
]"#;

/// The UID of the only study, as findscu gets it.
fn study(address: std::net::SocketAddr) -> String {
    let options = ["-v", "-S", "-aec", "ORTHANC", "-k", "0008,0052=STUDY", "-k", "0020,000D"];
    let output = peers::requestor("findscu", address, &options, &[]).expect_success();
    let (_, answers) = output.split_once("Find Response: 1").expect("an answer");
    let (_, value) = answers.split_once("(0020,000d) UI [").expect("a study");
    value.split_once(']').expect("a value").0.trim_end_matches(['\0', ' ']).to_owned()
}

#[test]
fn orthanc_tells_a_reader_that_cannot_take_one_object_how_many_it_got() {
    let archive = peers::orthanc();
    let mr = Object::ct(3_000).named(MR, "2.25.200000000000000000000000000000000009");
    let (_folder, files) = peers::files_of(&[Object::ct(3_000), mr.clone()]);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let options = ["-xe", "-R", "-aet", "SITE", "-aec", "ORTHANC"];
    peers::requestor("storescu", archive.address, &options, &files).expect_success();
    // It takes CT only. Whether Orthanc goes on behind a failure is a matter of the order that it sends in.
    let retrieval = |address| {
        let got = Scratch::new();
        let folder = got.path().display().to_string();
        let study = study(address);
        let options = ["--called", "ORTHANC", "--folder", &folder, "--study", &study];
        let answer = peers::scu("get", address, &options);
        ["status", "Completed", "Failed", "Warning"].map(|key| answer[key].clone())
    };
    let direct = retrieval(archive.address);
    assert_eq!(direct[2], 1, "{direct:?}");
    let two_way = "rewrite = \"site\"\nrewrite-direction = \"to-peer\"\ntwo-way = true";
    for (peer, extra) in [("", ""), (two_way, TWO_WAY)] {
        let setup = Setup { peers: gate::peer(peer), extra, ..Setup::plain(archive.address) };
        let gate = Gate::start(&setup);
        let tap = crate::tap::Tap::before(gate.address);
        assert_eq!(retrieval(tap.address), direct);
        let get = operation(&gate, "C-GET");
        let expected = json!(["response-command-element-00080000", "response-command-element-00080058"]);
        assert_eq!(get["tolerated"], expected, "{get}");
        let closed = |record: &Value| !record["operations"]["C-GET"].is_null();
        assert_eq!(gate.record("the retrieval", closed)["ended"], "released");
        assert!(peer.is_empty() || !tap.heard(&mr.sop_instance), "a real UID went to the reader");
    }
}

#[test]
fn an_operation_that_is_none_has_its_answer_whatever_else_it_says() {
    let (_gate, mut requestor, acceptor) = opened(|_| ());
    let unknown = Command::new(C_ECHO_RQ).bytes(0x0100, vec![0x55, 5]).us(0x0110, 1).us(0x0800, 0x0101);
    send_raw(&mut requestor, 1, &unknown.encode()[12..]);
    assert_eq!(requestor.message().command.number(STATUS), Some(0x0211));
    raw::release(requestor, acceptor);
}
