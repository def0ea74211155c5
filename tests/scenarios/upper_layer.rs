//! dimsegate's own end of an association, as the library has it, against real peers of every make.

use std::net::SocketAddr;
use std::time::Duration;

use dimsegate::dimse::{self, CommandField, Operation, Status};
use dimsegate::upper::{Acceptor, Answer, Association, Request, Requestor, Terms, prepare};
use tokio::net::{TcpListener, TcpStream};

use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::upper::{CT_IMAGE_STORAGE, EXPLICIT_LITTLE, IMPLICIT_LITTLE, VERIFICATION};
use crate::wait::PATIENCE;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// That of every made object, as a key of a query.
const STUDY: &str = "StudyInstanceUID=2.25.200000000000000000000000000000000002";

/// A whole association, with the start of a peer in it perhaps. What hangs fails its scenario, and not the run.
const LONGEST: Duration = PATIENCE.saturating_mul(3);

fn within<T>(what: &str, runtime: &tokio::runtime::Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(async { tokio::time::timeout(LONGEST, work).await });
    done.unwrap_or_else(|_| panic!("waited {LONGEST:?} in vain for {what}"))
}

/// C-ECHO, then the objects by C-STORE, each with success.
async fn store(address: SocketAddr, objects: &[Object]) {
    let mut request = Request::new("GATE".parse().expect("a title"), "PACS".parse().expect("a title"));
    let echo = request.propose(VERIFICATION, &[IMPLICIT_LITTLE]).expect("a context");
    let ct = request.propose(CT_IMAGE_STORAGE, &[EXPLICIT_LITTLE]).expect("a context");
    let stream = TcpStream::connect(address).await.expect("a connection");
    prepare(&stream).expect("a socket");
    let mut association = Requestor::open(stream, &request, &Terms::default()).await.expect("an association");
    let asked = dimse::echo_request(VERIFICATION, 1);
    assert_eq!(association.perform(echo, &asked, None).await.expect("an answer"), Status::SUCCESS);
    for (message_id, object) in (2..).zip(objects) {
        let asked = dimse::store_request(&object.sop_class, &object.sop_instance, message_id);
        let stored = association.perform(ct, &asked, Some(&object.data_set)).await.expect("an answer");
        assert_eq!(stored, Status::SUCCESS);
    }
    association.release().await.expect("an orderly end");
}

fn objects() -> Vec<Object> {
    let sizes = [1_000, 300_000, 1_000_001];
    sizes
        .into_iter()
        .zip(["2.25.4711", "2.25.4712", "2.25.4713"])
        .map(|(size, instance)| Object::ct(size).named(CT_IMAGE_STORAGE, instance))
        .collect()
}

#[test]
fn dcmtk_keeps_what_our_requestor_stores() {
    let archive = peers::storescp(&[]);
    let objects = objects();
    within("storescp", &runtime(), store(archive.address, &objects));
    let mut kept = archive.stored(objects.len());
    kept.sort_by(|one, other| one.sop_instance.cmp(&other.sop_instance));
    assert!(kept == objects, "what storescp wrote is what was sent");
}

#[test]
fn pynetdicom_keeps_what_our_requestor_stores() {
    let archive = PythonArchive::start(&["--maximum-length", "4096"]);
    let objects = objects();
    within("pynetdicom", &runtime(), store(archive.address(), &objects));
    let stores: Vec<_> = archive.events().into_iter().filter(|event| event["event"] == "C-STORE").collect();
    let kept: Vec<Vec<u8>> = stores.iter().map(|event| archive.data_set(event)).collect();
    assert!(kept.iter().eq(objects.iter().map(|object| &object.data_set)), "{stores:?}");
}

#[test]
fn orthanc_keeps_what_our_requestor_stores() {
    let (archive, objects) = (peers::orthanc(), objects());
    within("Orthanc", &runtime(), store(archive.address, &objects));
    let keys = ["-v", "-S", "-k", "QueryRetrieveLevel=IMAGE", "-k", STUDY, "-k", "SOPInstanceUID"];
    let found = peers::requestor("findscu", archive.address, &keys, &[]).expect_success();
    for object in objects {
        assert!(found.contains(&object.sop_instance), "{} in {found}", object.sop_instance);
    }
}

/// An acceptor that answers everything with success and keeps the data sets.
async fn serve(listener: TcpListener) -> Vec<Vec<u8>> {
    let (stream, _) = listener.accept().await.expect("a connection");
    prepare(&stream).expect("a socket");
    let accepted = Acceptor::accept(stream, &Terms::default(), Answer::accept_all).await;
    let mut association: Association<TcpStream> = accepted.expect("a request").expect("an association");
    let mut data_sets = Vec::new();
    while let Some(message) = association.receive().await.expect("messages to the release") {
        let (context, command) = (message.context, message.command);
        if let Some(data_set) = message.data_set {
            data_sets.push(data_set.whole(16 << 20).await.expect("a whole data set"));
        }
        let asked = matches!(
            command.field,
            CommandField::Request { operation: Operation::CEcho | Operation::CStore, .. }
        );
        assert!(asked, "{:?}", command.field);
        association
            .send(context, &dimse::response(&command, Status::SUCCESS))
            .await
            .expect("a response sent");
    }
    data_sets
}

/// What came from a requestor that is told the address.
fn served(requestor: impl FnOnce(SocketAddr) + Send) -> Vec<Vec<u8>> {
    let runtime = runtime();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::scope(|scope| {
        let asking = scope.spawn(move || requestor(address));
        let data_sets = within("a requestor", &runtime, serve(listener));
        asking.join().expect("no panic");
        data_sets
    })
}

#[test]
fn dcmtk_is_content_with_our_acceptor() {
    let none = served(|address| {
        peers::requestor("echoscu", address, &[], &[]).expect_success();
    });
    assert_eq!(none, Vec::<Vec<u8>>::new());
    let objects = objects();
    let (_folder, files) = peers::files_of(&objects);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let came = served(|address| {
        peers::requestor("storescu", address, &["-xe"], &files).expect_success();
    });
    assert_eq!(came.len(), objects.len());
    // storescu writes lengths of its own, but the pixels are the end of each.
    for (came, object) in came.iter().zip(&objects) {
        let tail = object.data_set.len().min(500);
        assert!(came.ends_with(&object.data_set[object.data_set.len() - tail..]), "{}", object.sop_instance);
    }
}

#[test]
fn pynetdicom_is_content_with_our_acceptor() {
    served(|address| assert_eq!(peers::scu("echo", address, &[])["status"], 0));
    let objects = objects();
    let (_folder, files) = peers::files_of(&objects);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let came = served(|address| {
        assert_eq!(peers::scu("store", address, &files)["statuses"], serde_json::json!([0, 0, 0]));
    });
    assert!(came.iter().eq(objects.iter().map(|object| &object.data_set)), "what was sent is what came");
}

/// It moves what it was stored to our acceptor, as a requestor of its own.
#[test]
fn orthanc_is_content_with_our_acceptor() {
    let objects = objects();
    let came = served(|address| {
        let destination = serde_json::json!({ "gate": ["GATE", address.ip(), address.port()] });
        let archive = peers::orthanc_with(&destination);
        within("Orthanc", &runtime(), store(archive.address, &objects));
        let keys = ["-S", "-aem", "GATE", "-k", "QueryRetrieveLevel=STUDY", "-k", STUDY];
        peers::requestor("movescu", archive.address, &keys, &[]).expect_success();
    });
    assert_eq!(came.len(), objects.len());
}
