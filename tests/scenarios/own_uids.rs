//! UIDs that come from the pseudonyms' side: whatever is written there, and in whichever message, names nothing that is
//! real.

use serde_json::{Value, json};

use crate::association::Message;
use crate::command::{
    AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE, C_FIND_RQ, C_GET_RQ, C_STORE_RQ, Command, DATA_SET_TYPE,
    ERROR_COMMENT, MESSAGE_ID, MESSAGE_ID_RESPONDED_TO, NO_DATA_SET, STATUS,
};
use crate::crosswalk::{exported, uids};
use crate::gate::{self, Gate, Setup};
use crate::object::short;
use crate::raw::{self, Peer, Upstream};
use crate::two_way::readers;
use crate::upper::{self, Request};

const FIND: (u8, &str) = (1, "1.2.840.10008.5.1.4.1.2.2.1");
const GET: (u8, &str) = (3, "1.2.840.10008.5.1.4.1.2.2.3");
const CT: (u8, &str) = (5, upper::CT_IMAGE_STORAGE);
const STEP: (u8, &str) = (7, "1.2.840.10008.3.1.2.3.3");
const COMMITMENT: (u8, &str) = (9, "1.2.840.10008.1.20.1");
/// The one instance of storage commitment (PS3.4 J.3.5).
const COMMITTER: &str = "1.2.840.10008.1.20.1.1";
const REQUESTED_SOP_CLASS: u16 = 0x0003;
const REQUESTED_SOP_INSTANCE: u16 = 0x1001;
const N_EVENT_REPORT_RQ: u16 = 0x0100;
const N_GET_RQ: u16 = 0x0110;
const N_SET_RQ: u16 = 0x0120;
const N_ACTION_RQ: u16 = 0x0130;
const N_CREATE_RQ: u16 = 0x0140;

const PATIENT: &[u8] = b"PID-0815";
/// Of a patient whom the reader has never seen.
const UNKNOWN: &str = "1.2.826.0.1.99.1";

struct Pair {
    gate: Gate,
    requestor: Peer,
    acceptor: Peer,
}

/// Through a peer of that `rewrite-direction`, with a context for each of the classes.
fn opened(upstream: &Upstream, direction: &str) -> Pair {
    let keys = format!("rewrite = \"site\"\nrewrite-direction = \"{direction}\"\ntwo-way = true");
    let gate = Gate::start(&Setup { peers: gate::peer(&keys), ..readers(upstream.address) });
    associated(gate, upstream)
}

fn associated(gate: Gate, upstream: &Upstream) -> Pair {
    let request = [FIND, GET, CT, STEP, COMMITMENT]
        .into_iter()
        .fold(Request::new("READER", "PACS"), |request, (_, class)| {
            request.context(class, &[upper::EXPLICIT_LITTLE])
        });
    let (requestor, acceptor) = raw::open(&gate.plain(), upstream, &request, 16384);
    Pair { gate, requestor, acceptor }
}

fn request(field: u16, (_, class): (u8, &str), id: u16, data_set: bool) -> Command {
    let affected =
        field == C_FIND_RQ || field == C_GET_RQ || field == N_CREATE_RQ || field == N_EVENT_REPORT_RQ;
    let element = if affected { AFFECTED_SOP_CLASS } else { REQUESTED_SOP_CLASS };
    let command = Command::new(field).uid(element, class).us(MESSAGE_ID, id);
    let command = if affected && field < 0x0100 { command.us(0x0700, 0) } else { command };
    command.us(DATA_SET_TYPE, if data_set { 0 } else { NO_DATA_SET })
}

fn response(to: &Command, status: u16, data_set: bool) -> Command {
    to.response(status).us(DATA_SET_TYPE, if data_set { 0 } else { NO_DATA_SET })
}

fn keys(patient: &[u8], study: &str) -> Vec<u8> {
    [short(8, 0x52, "CS", b"STUDY"), short(0x10, 0x20, "LO", patient), uid(0x20, 0x0D, study)].concat()
}

fn uid(group: u16, element: u16, value: &str) -> Vec<u8> {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(0);
    }
    short(group, element, "UI", &value)
}

/// A sequence of one item for each.
fn sequence(group: u16, element: u16, items: &[Vec<u8>]) -> Vec<u8> {
    let item =
        |item: &Vec<u8>| [&[0xFE, 0xFF, 0x00, 0xE0][..], &(item.len() as u32).to_le_bytes(), item].concat();
    let items: Vec<u8> = items.iter().flat_map(item).collect();
    let head = [group.to_le_bytes(), element.to_le_bytes(), *b"SQ", [0, 0]].concat();
    [head.as_slice(), &(items.len() as u32).to_le_bytes(), &items].concat()
}

fn text_of(data_set: &[u8], group: u16, element: u16) -> String {
    let tag = [group.to_le_bytes(), element.to_le_bytes()].concat();
    let at = data_set.windows(4).position(|window| window == tag).expect("the element") + 8;
    let length = usize::from(u16::from_le_bytes([data_set[at - 2], data_set[at - 1]]));
    String::from_utf8_lossy(&data_set[at..at + length]).trim_end_matches(['\0', ' ']).to_owned()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

impl Pair {
    /// A query; what the upstream hears of it, and what the reader hears of the answers.
    fn asked(&mut self, id: u16, keys: &[u8], answers: &[Vec<u8>]) -> (Message, Vec<Message>) {
        self.requestor.send_message(FIND.0, &request(C_FIND_RQ, FIND, id, true), Some(keys), 16384);
        let heard = self.acceptor.message();
        for answer in answers {
            let pending = response(&heard.command, 0xFF00, true);
            self.acceptor.send_message(FIND.0, &pending, Some(answer), 16384);
        }
        self.acceptor.send_message(FIND.0, &response(&heard.command, 0, false), None, 16384);
        let told = (0..=answers.len()).map(|_| self.requestor.message()).collect();
        (heard, told)
    }

    /// What the reader sees of a study, by patient and study.
    fn seen(&mut self, id: u16, patient: &[u8], study: &str) -> (String, String) {
        let (_, told) = self.asked(id, &keys(b"", ""), &[keys(patient, study)]);
        let shown = told[0].data_set.as_ref().expect("an answer");
        (text_of(shown, 0x10, 0x20), text_of(shown, 0x20, 0x0D))
    }

    /// An object of the reader's; what the upstream gets.
    fn stored(&mut self, id: u16, instance: &str, data_set: &[u8]) -> Message {
        let command = Command::c_store_rq(id, CT.1, instance);
        self.requestor.send_message(CT.0, &command, Some(data_set), 16384);
        let heard = self.acceptor.message();
        self.acceptor.send_message(CT.0, &heard.command.response(0), None, 16384);
        let answer = self.requestor.message().command;
        assert_eq!(answer.number(STATUS), Some(0));
        assert_eq!(answer.text(AFFECTED_SOP_INSTANCE).as_deref(), Some(instance));
        heard
    }

    /// What a request of the reader is answered here.
    fn refused(&mut self, context: u8, command: &Command, data_set: Option<&[u8]>) -> Command {
        self.requestor.send_message(context, command, data_set, 16384);
        self.requestor.message().command
    }

    fn rows_of(&self, uid: &str) -> Vec<Value> {
        let all = exported(&self.gate.site).into_iter();
        all.filter(|one| one["real"] == uid || one["pseudonym"] == uid).collect()
    }
}

fn object(instance: &str, patient: &str, study: &str, referenced: &str) -> Vec<u8> {
    let item = [uid(8, 0x1150, CT.1), uid(8, 0x1155, referenced)].concat();
    [
        uid(8, 0x16, CT.1),
        uid(8, 0x18, instance),
        sequence(8, 0x1140, &[item]),
        short(0x10, 0x20, "LO", patient.as_bytes()),
        uid(0x20, 0x0D, study),
    ]
    .concat()
}

#[test]
fn an_object_cannot_be_filed_under_a_real_uid_nor_make_one_reachable() {
    let upstream = Upstream::bind();
    let mut pair = opened(&upstream, "to-peer");
    let (patient, _) = pair.seen(1, PATIENT, "1.2.826.0.1.77");
    // Of another patient: one study that went out, one that nobody here has heard of.
    let (_, known) = pair.seen(2, b"PID-0816", "1.2.826.0.1.88");
    for (id, study) in [(10, "1.2.826.0.1.88"), (20, UNKNOWN)] {
        let instance = format!("{study}.1.1");
        let data_set = object(&instance, &patient, study, &format!("{study}.1.2"));
        let heard = pair.stored(id, &instance, &data_set);
        let arrived = heard.data_set.expect("an object");
        assert!(!holds(&arrived, study) && holds(&arrived, "PID-0815"), "{study} was claimed");
        let named = uids(&pair.gate.site);
        let told = heard.command.text(AFFECTED_SOP_INSTANCE).expect("an instance");
        assert_eq!(told, named[&instance]);
        assert!(holds(&arrived, &told) && holds(&arrived, &named[study]));
        // Sent again, it is the same object there.
        let again = pair.stored(id + 1, &instance, &data_set);
        assert_eq!((again.command.text(AFFECTED_SOP_INSTANCE), again.data_set), (Some(told), Some(arrived)));
        // And to look for it finds what was stored, nothing else.
        let (heard, _) = pair.asked(id + 2, &keys(b"", study), &[]);
        assert_eq!(text_of(&heard.data_set.expect("keys"), 0x20, 0x0D), named[study]);
    }
    // What is real goes out under pseudonyms, as if nobody had claimed it.
    assert_eq!(pair.seen(3, b"PID-0816", "1.2.826.0.1.88").1, known);
    let (other, shown) = pair.seen(4, b"PID-0816", UNKNOWN);
    assert!(shown != UNKNOWN && other != patient);
    // What the reader stored, it sees as it named it, after a restart too.
    let stored = uids(&pair.gate.site)[UNKNOWN].clone();
    assert_eq!(pair.seen(5, PATIENT, &stored).1, UNKNOWN);
    let Pair { mut gate, requestor, acceptor } = pair;
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());
    let Gate { site, .. } = gate;
    let mut pair = associated(Gate::start_in(site, &readers(upstream.address)), &upstream);
    assert_eq!(pair.seen(6, PATIENT, &stored).1, UNKNOWN);
    let instance = format!("{UNKNOWN}.1.1");
    let heard = pair.stored(7, &instance, &object(&instance, &patient, UNKNOWN, "2.25.1"));
    assert_eq!(text_of(&heard.data_set.expect("an object"), 0x20, 0x0D), stored);
    raw::release(pair.requestor, pair.acceptor);
}

#[test]
fn a_response_to_a_sub_operation_names_what_was_sent_or_is_withheld() {
    let upstream = Upstream::bind();
    let mut pair = opened(&upstream, "to-peer");
    let get = request(C_GET_RQ, GET, 1, true);
    pair.requestor.send_message(GET.0, &get, Some(&keys(b"", "")), 16384);
    pair.acceptor.message();
    let real = "1.2.826.0.1.77.1.1";
    let data_set = object(real, "PID-0815", "1.2.826.0.1.77", "1.2.826.0.1.77.1.2");
    for (id, claimed, status) in [(1, Some(UNKNOWN), 0xC000), (2, None, 0), (3, Some(real), 0xC000)] {
        pair.acceptor.send_message(CT.0, &Command::c_store_rq(id, CT.1, real), Some(&data_set), 16384);
        let shown = pair.requestor.message();
        assert_eq!(shown.command.field(), C_STORE_RQ);
        let answer = shown.command.response(0);
        let answer = claimed.map_or(answer.clone(), |claimed| answer.uid(AFFECTED_SOP_INSTANCE, claimed));
        pair.requestor.send_message(CT.0, &answer, None, 16384);
        let told = pair.acceptor.message().command;
        assert_eq!((told.number(STATUS), told.number(MESSAGE_ID_RESPONDED_TO)), (Some(status), Some(id)));
        let expected = claimed.is_none().then_some(real);
        assert_eq!(told.text(AFFECTED_SOP_INSTANCE).as_deref(), expected);
    }
    assert_eq!(pair.rows_of(UNKNOWN), Vec::<Value>::new());
    let record = pair.gate.record("what was withheld", |record| record["reason"] == "other-instance");
    assert_eq!((&record["operation"], &record["status"]), (&json!("C-STORE"), &json!("0xC000")));
    pair.acceptor.send_message(GET.0, &response(&get, 0, false), None, 16384);
    assert_eq!(pair.requestor.message().command.number(STATUS), Some(0));
    raw::release(pair.requestor, pair.acceptor);
}

#[test]
fn a_storage_commitment_by_real_uids_tells_nothing_of_them() {
    let upstream = Upstream::bind();
    let mut pair = opened(&upstream, "to-peer");
    let (_, pseudonym) = pair.seen(1, PATIENT, "1.2.826.0.1.77");
    let named = |transaction: &str, instances: &[&str]| {
        let item = |one: &&str| [uid(8, 0x1150, CT.1), uid(8, 0x1155, one)].concat();
        let items: Vec<_> = instances.iter().map(item).collect();
        [uid(8, 0x1195, transaction), sequence(8, 0x1199, &items)].concat()
    };
    // Known as real, not known, and what the reader may name.
    let asked = ["1.2.826.0.1.77", UNKNOWN, &pseudonym];
    for (id, status) in [(2, 0x0110), (3, 0)] {
        let command = request(N_ACTION_RQ, COMMITMENT, id, true).uid(REQUESTED_SOP_INSTANCE, COMMITTER);
        let data_set = named("2.25.8001", &asked);
        pair.requestor.send_message(COMMITMENT.0, &command.us(0x1008, 1), Some(&data_set), 16384);
        let heard = pair.acceptor.message();
        assert_eq!(heard.command.text(REQUESTED_SOP_INSTANCE).as_deref(), Some(COMMITTER));
        let own = uids(&pair.gate.site);
        let arrived = named(&own["2.25.8001"], &[&own["1.2.826.0.1.77"], &own[UNKNOWN], "1.2.826.0.1.77"]);
        assert_eq!(heard.data_set, Some(arrived));
        let answer = response(&heard.command, status, false).uid(AFFECTED_SOP_INSTANCE, COMMITTER);
        pair.acceptor.send_message(COMMITMENT.0, &answer, None, 16384);
        let told = pair.requestor.message().command;
        assert_eq!(told.number(STATUS), Some(status));
        assert_eq!(told.text(AFFECTED_SOP_INSTANCE).as_deref(), Some(COMMITTER));
    }
    let own = uids(&pair.gate.site);
    let report = request(N_EVENT_REPORT_RQ, COMMITMENT, 9, true).uid(AFFECTED_SOP_INSTANCE, COMMITTER);
    let failed = named(&own["2.25.8001"], &[&own["1.2.826.0.1.77"], &own[UNKNOWN]]);
    pair.acceptor.send_message(COMMITMENT.0, &report.us(0x1002, 2), Some(&failed), 16384);
    let told = pair.requestor.message();
    assert_eq!(told.data_set, Some(named("2.25.8001", &asked[..2])));
    // A reader's answer to it names what it was about, too.
    let answer = told.command.response(0).uid(AFFECTED_SOP_INSTANCE, UNKNOWN);
    pair.requestor.send_message(COMMITMENT.0, &answer, None, 16384);
    let heard = pair.acceptor.message().command;
    assert_eq!((heard.number(STATUS), heard.get(AFFECTED_SOP_INSTANCE)), (Some(0x0110), None));
    raw::release(pair.requestor, pair.acceptor);
}

#[test]
fn an_instance_that_a_reader_creates_has_a_name_of_its_own_from_the_first_try_on() {
    let upstream = Upstream::bind();
    let mut pair = opened(&upstream, "to-peer");
    let (patient, study) = pair.seen(1, PATIENT, "1.2.826.0.1.77");
    let step = |study: &str| {
        let item = [uid(8, 0x1155, UNKNOWN), uid(0x20, 0x0D, study)].concat();
        [short(0x10, 0x20, "LO", patient.as_bytes()), sequence(0x40, 0x0270, &[item])].concat()
    };
    let create = |id| request(N_CREATE_RQ, STEP, id, true).uid(AFFECTED_SOP_INSTANCE, UNKNOWN);
    let mut called = Vec::new();
    for (id, status) in [(2, 0x0110), (3, 0)] {
        pair.requestor.send_message(STEP.0, &create(id), Some(&step(&study)), 16384);
        let heard = pair.acceptor.message();
        // Durable before it went out, whatever the answer will be.
        let own = uids(&pair.gate.site)[UNKNOWN].clone();
        assert_eq!(heard.command.text(AFFECTED_SOP_INSTANCE), Some(own.clone()));
        let data_set = heard.data_set.expect("a procedure step");
        assert!(!holds(&data_set, UNKNOWN) && holds(&data_set, &own) && holds(&data_set, "1.2.826.0.1.77"));
        pair.acceptor.send_message(STEP.0, &heard.command.response(status), None, 16384);
        let told = pair.requestor.message().command;
        assert_eq!(told.number(STATUS), Some(status));
        assert_eq!(told.text(AFFECTED_SOP_INSTANCE).as_deref(), Some(UNKNOWN));
        called.push(own);
    }
    assert_eq!(called[0], called[1]);
    let [row] = pair.rows_of(UNKNOWN).try_into().expect("one row");
    assert_eq!((&row["kind"], &row["patient"]), (&json!("own-uid"), &json!("PID-0815")));
    let set = request(N_SET_RQ, STEP, 4, true).uid(REQUESTED_SOP_INSTANCE, UNKNOWN);
    pair.requestor.send_message(STEP.0, &set, Some(&uid(8, 0x1155, "1.2.826.0.1.88")), 16384);
    let heard = pair.acceptor.message();
    assert_eq!(heard.command.text(REQUESTED_SOP_INSTANCE).as_ref(), Some(&called[0]));
    assert!(!holds(&heard.data_set.expect("a change"), "1.2.826.0.1.88"));
    pair.acceptor.send_message(STEP.0, &heard.command.response(0), None, 16384);
    assert_eq!(pair.requestor.message().command.number(STATUS), Some(0));
    // A pseudonym is not there to be created again, and neither a real UID nor an unknown one to be changed.
    let again = request(N_CREATE_RQ, STEP, 5, true).uid(AFFECTED_SOP_INSTANCE, &study);
    let answer = pair.refused(STEP.0, &again, Some(&step(&study)));
    assert_eq!(answer.number(STATUS), Some(0x0111));
    assert_eq!(pair.gate.because("duplicate-instance")["operation"], "N-CREATE");
    for (id, named) in [(6, "1.2.826.0.1.77"), (7, "1.2.826.0.1.66")] {
        let get = request(N_GET_RQ, STEP, id, false).uid(REQUESTED_SOP_INSTANCE, named);
        let answer = pair.refused(STEP.0, &get, None);
        assert_eq!(
            (answer.number(STATUS), answer.text(ERROR_COMMENT).as_deref()),
            (Some(0x0112), Some("no such SOP instance"))
        );
    }
    raw::release(pair.requestor, pair.acceptor);
}

#[test]
fn a_query_names_no_instance_in_its_command_set() {
    let upstream = Upstream::bind();
    let mut pair = opened(&upstream, "to-peer");
    let find = request(C_FIND_RQ, FIND, 1, true).uid(AFFECTED_SOP_INSTANCE, UNKNOWN);
    pair.requestor.send_message(FIND.0, &find, Some(&keys(b"", "")), 16384);
    let heard = pair.acceptor.message().command;
    assert_eq!(heard.get(AFFECTED_SOP_INSTANCE), None, "{heard:?}");
    pair.acceptor.send_message(FIND.0, &response(&heard, 0, false), None, 16384);
    pair.requestor.message();
    assert_eq!(pair.rows_of(UNKNOWN), Vec::<Value>::new());
    raw::release(pair.requestor, pair.acceptor);
}

#[test]
fn an_archive_of_pseudonyms_claims_nothing_in_what_it_answers() {
    let upstream = Upstream::bind();
    let mut pair = opened(&upstream, "from-peer");
    let data_set = object("1.2.826.0.1.77.1.1", "PID-0815", "1.2.826.0.1.77", "1.2.826.0.1.77.1.2");
    // C-STORE: another instance than was sent.
    let store = Command::c_store_rq(1, CT.1, "1.2.826.0.1.77.1.1");
    pair.requestor.send_message(CT.0, &store, Some(&data_set), 16384);
    let heard = pair.acceptor.message();
    let patient = text_of(heard.data_set.as_ref().expect("an object"), 0x10, 0x20);
    let answer = heard.command.response(0).uid(AFFECTED_SOP_INSTANCE, UNKNOWN);
    pair.acceptor.send_message(CT.0, &answer, None, 16384);
    let told = pair.requestor.message().command;
    assert_eq!((told.number(STATUS), told.get(AFFECTED_SOP_INSTANCE)), (Some(0xC000), None));
    // C-FIND: in the command sets nothing, in an answer what becomes a name of its own.
    pair.requestor.send_message(FIND.0, &request(C_FIND_RQ, FIND, 2, true), Some(&keys(b"", "")), 16384);
    let heard = pair.acceptor.message().command;
    let pending = response(&heard, 0xFF00, true).uid(AFFECTED_SOP_INSTANCE, UNKNOWN);
    pair.acceptor.send_message(FIND.0, &pending, Some(&keys(patient.as_bytes(), "1.2.826.0.1.88")), 16384);
    let told = pair.requestor.message();
    assert_eq!(told.command.get(AFFECTED_SOP_INSTANCE), None, "{:?}", told.command);
    let answer = told.data_set.expect("an answer");
    assert_eq!(text_of(&answer, 0x10, 0x20), "PID-0815");
    assert_eq!(text_of(&answer, 0x20, 0x0D), uids(&pair.gate.site)["1.2.826.0.1.88"]);
    let last = response(&heard, 0, false).uid(AFFECTED_SOP_INSTANCE, UNKNOWN);
    pair.acceptor.send_message(FIND.0, &last, None, 16384);
    assert_eq!(pair.requestor.message().command.get(AFFECTED_SOP_INSTANCE), None);
    assert_eq!(pair.rows_of(UNKNOWN), Vec::<Value>::new());
    // N-CREATE: the other side names what it makes, unless it was told, and never by a pseudonym.
    for (id, asked, named, status) in [
        (3, None, "2.25.9001", 0),
        (4, Some("1.2.826.0.1.78"), UNKNOWN, 0x0110),
        (5, None, patient_study(&pair).as_str(), 0x0110),
    ] {
        let create = request(N_CREATE_RQ, STEP, id, true);
        let create = asked.map_or(create.clone(), |uid| create.uid(AFFECTED_SOP_INSTANCE, uid));
        pair.requestor.send_message(STEP.0, &create, Some(&short(0x10, 0x20, "LO", PATIENT)), 16384);
        let heard = pair.acceptor.message().command;
        let created = heard.response(0).uid(AFFECTED_SOP_INSTANCE, named);
        pair.acceptor.send_message(STEP.0, &created, None, 16384);
        let told = pair.requestor.message().command;
        assert_eq!(told.number(STATUS), Some(status), "{named}");
        let shown = (status == 0).then(|| uids(&pair.gate.site)[named].clone());
        assert_eq!(told.text(AFFECTED_SOP_INSTANCE), shown);
    }
    assert_eq!(pair.rows_of(UNKNOWN), Vec::<Value>::new());
    // N-GET of it: by that name, and of nothing else.
    let own = uids(&pair.gate.site)["2.25.9001"].clone();
    for (id, named, status) in [(6, "2.25.9001", 0), (7, UNKNOWN, 0x0110)] {
        let get = request(N_GET_RQ, STEP, id, false).uid(REQUESTED_SOP_INSTANCE, &own);
        pair.requestor.send_message(STEP.0, &get, None, 16384);
        let heard = pair.acceptor.message().command;
        assert_eq!(heard.text(REQUESTED_SOP_INSTANCE).as_deref(), Some("2.25.9001"));
        let answer = response(&heard, 0, true).uid(AFFECTED_SOP_INSTANCE, named);
        let attributes = uid(8, 0x1155, "1.2.826.0.1.66");
        pair.acceptor.send_message(STEP.0, &answer, Some(&attributes), 16384);
        let told = pair.requestor.message();
        assert_eq!(told.command.number(STATUS), Some(status));
        let shown = (status == 0).then(|| own.clone());
        assert_eq!(told.command.text(AFFECTED_SOP_INSTANCE), shown);
        if let Some(told) = told.data_set {
            assert_eq!(text_of(&told, 8, 0x1155), uids(&pair.gate.site)["1.2.826.0.1.66"]);
        }
    }
    assert_eq!(pair.rows_of(UNKNOWN), Vec::<Value>::new());
    raw::release(pair.requestor, pair.acceptor);
}

/// The pseudonym of the study that was sent.
fn patient_study(pair: &Pair) -> String {
    let known = uids(&pair.gate.site);
    let (pseudonym, _) = known.iter().find(|(_, real)| *real == "1.2.826.0.1.77").expect("the study");
    pseudonym.clone()
}
