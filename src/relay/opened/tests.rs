//! A broken promise, from where it is found to what is said of it: on both legs, in the log and in the records.

use std::fs;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Dialled, Established, Opened, Place};
use crate::audit::Audit;
use crate::buffer::Inbox;
use crate::config::sample;
use crate::logged;
use crate::policy::{Blocks, Facts, Grant, Verdict, decide};
use crate::relay::arrival::Arrival;
use crate::relay::drive::Open;
use crate::relay::early::Early;
use crate::relay::gate::{Gate, Stage};
use crate::relay::in_force::InForce;
use crate::relay::leg::Leg;
use crate::relay::{associate, check, records};
use crate::scratch::Scratch;
use crate::upper::Transport;
use crate::wire::RawAeTitle;
use crate::wire::associate::{
    APPLICATION_CONTEXT, AnsweredContext, AssociateAc, AssociateRq, ContextResult, ProposedContext,
    UserInformation,
};

const IMPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";
const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
/// A-ABORT of the provider, without a reason (PS3.8 Table 9-26).
const ABORT: &[u8] = &[7, 0, 0, 0, 0, 4, 0, 0, 2, 0];

/// What is there when it is over.
struct Told {
    log: String,
    /// What the requestor heard, and the upstream.
    heard: [Vec<u8>; 2],
    closing: serde_json::Value,
    /// Associations that the limits count, and those in the table of open ones.
    counted: (u32, usize),
}

/// Opens an association over two legs, with `breaks` before it is driven, and waits for its end.
fn told(upstream: impl FnOnce(DuplexStream) -> Box<dyn Transport>, breaks: impl FnOnce(&mut Open)) -> Told {
    let home = Scratch::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut heard, mut counted) = Default::default();
    let log = logged::during(|| {
        (heard, counted) = runtime.block_on(to_the_end(&home, upstream, breaks));
    });
    Told { log, heard, closing: closing(&home), counted }
}

async fn to_the_end(
    home: &Scratch,
    upstream: impl FnOnce(DuplexStream) -> Box<dyn Transport>,
    breaks: impl FnOnce(&mut Open),
) -> ([Vec<u8>; 2], (u32, usize)) {
    let settings = Arc::new(sample::read(home.path(), "").settings);
    let (audit, writing) = Audit::start(settings.audit.clone()).unwrap();
    let (_stage, staged) = watch::channel(Stage::Running);
    let gate = Arc::new(Gate::new(InForce::open(settings, None).unwrap(), audit, staged, check));
    let arrival = arrival(&gate);
    let (of_requestor, mut requestor) = duplex(1 << 16);
    let (of_upstream, mut archive) = duplex(1 << 16);
    let mut opened = opened(&arrival, Box::new(of_requestor), upstream(of_upstream)).await;
    breaks(&mut opened.open);
    let (mut to_requestor, mut to_upstream) = (Vec::new(), Vec::new());
    let served = async {
        opened.serve(&arrival).await;
        (gate.limiter.open_associations(), gate.live.list().len())
    };
    // Nobody closes before dimsegate does, but a requestor that has heard of the end.
    let hear = async {
        let mut pdu = [0; 10];
        archive.read_exact(&mut pdu).await.unwrap();
        to_upstream.extend(pdu);
        drop(archive);
        requestor.read_to_end(&mut to_requestor).await.unwrap();
    };
    let (counted, ()) = tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(served, hear) })
        .await
        .expect("it ends");
    writing.close().await;
    ([to_requestor, to_upstream], counted)
}

fn arrival(gate: &Arc<Gate>) -> Arrival {
    let in_force = gate.in_force.load_full();
    let settings = in_force.settings.clone();
    Arrival {
        gate: gate.clone(),
        listener: settings.listeners[0].clone(),
        in_force,
        settings,
        id: gate.next_id(),
        from: ([127, 0, 0, 1], 4711).into(),
        reached: ([127, 0, 0, 1], 104).into(),
        began: Instant::now(),
        rounds: 0,
        tls: None,
        user: None,
        once: None,
        may_check: false,
        slot: gate.slots.take_now().unwrap(),
        witness: None,
    }
}

async fn opened(arrival: &Arrival, requestor: Box<dyn Transport>, upstream: Box<dyn Transport>) -> Opened {
    let requested = requested();
    let grant = granted(arrival, &requested);
    let permit = arrival.gate.limiter.association(&grant.peer, arrival.from.ip()).unwrap();
    let settings = arrival.settings.upstreams["pacs"].clone();
    let place = Place::new(arrival.gate.upstreams.standing(&settings), ([127, 0, 0, 1], 104).into(), false);
    let offered = associate::upstream_request(&requested, &grant, &settings, 16_384, None).unwrap();
    let answered = answered(&offered);
    let answer = associate::answer(&requested, Some(&offered), Some(&answered), 16_384).unwrap();
    let bytes = answer.encode().unwrap();
    let early = Early::default();
    let established = Established { requested, offered, answered, answer, grant, early };
    let told = records::opened(arrival, &established, ("127.0.0.1:104", None)).await;
    let told = told.unwrap_or_else(|_| panic!("the disk takes records"));
    let address = "127.0.0.1:104".to_owned();
    let (passed_over, took) = (Vec::new(), Duration::ZERO);
    let dialled = Dialled { leg: Leg::new(upstream), address, tls: None, passed_over, took };
    Opened::new(established, arrival, Leg::new(requestor), dialled, &bytes, (permit, place, told))
}

fn granted(arrival: &Arrival, requested: &AssociateRq) -> Grant {
    let facts = Facts {
        listener: &arrival.listener.name,
        address: arrival.from.ip(),
        certificate: None,
        tls: None,
        authorities: &[],
        user: None,
        calling: &requested.calling,
        called: &requested.called,
        contexts: &requested.contexts,
        blocks: &Blocks::default(),
        now: OffsetDateTime::now_utc(),
    };
    match decide(&arrival.settings.policy, &facts) {
        Verdict::Allow(grant) => grant,
        Verdict::Refuse(refusal) => panic!("{}", refusal.detail),
    }
}

fn requested() -> AssociateRq {
    AssociateRq {
        protocol_version: 1,
        called: RawAeTitle(*b"PACS            "),
        calling: RawAeTitle(*b"LYON_CT1        "),
        reserved: [0; 32],
        application_context: APPLICATION_CONTEXT.parse().unwrap(),
        contexts: vec![ProposedContext {
            id: 1,
            abstract_syntax: CT_IMAGE.parse().unwrap(),
            transfer_syntaxes: vec![IMPLICIT_LITTLE_ENDIAN.parse().unwrap()],
        }],
        user: UserInformation { maximum_length: Some(16_384), ..UserInformation::default() },
    }
}

fn answered(offered: &AssociateRq) -> AssociateAc {
    AssociateAc {
        protocol_version: 1,
        called: offered.called,
        calling: offered.calling,
        reserved: offered.reserved,
        application_context: offered.application_context.clone(),
        contexts: vec![AnsweredContext {
            id: 1,
            result: ContextResult::Acceptance,
            transfer_syntax: Some(IMPLICIT_LITTLE_ENDIAN.parse().unwrap()),
        }],
        user: UserInformation { maximum_length: Some(16_384), ..UserInformation::default() },
    }
}

/// The closing record, the only one.
fn closing(home: &Scratch) -> serde_json::Value {
    let files = fs::read_dir(home.path().join("records")).unwrap().map(|entry| entry.unwrap().path());
    let of_days = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let text: String = of_days.map(|path| fs::read_to_string(path).unwrap()).collect();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut closed: Vec<_> = records.filter(|record| record["event"] == "association-closed").collect();
    assert_eq!(closed.len(), 1, "{text}");
    closed.remove(0)
}

/// A stream whose reader panics.
struct Trap(DuplexStream);

impl AsyncRead for Trap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Trap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Transport for Trap {
    fn poll_fill(&mut self, _: &mut Context<'_>, _: &mut Inbox) -> Poll<io::Result<usize>> {
        panic!("a broken promise of this test")
    }
}

#[test]
fn what_lies_outside_of_its_buffer_ends_its_association_as_a_defect_that_is_told_everywhere() {
    let told = told(|stream| Box::new(stream), |open| open.machine.reach_outside());
    assert_eq!(told.heard, [ABORT, ABORT]);
    assert_eq!(told.closing["ended"], "defect", "{}", told.closing);
    let reason = told.closing["reason"].as_str().unwrap();
    assert!(reason.ends_with("what is to be written lies outside of its buffer"), "{reason}");
    assert!(told.log.contains("please report it to its authors"), "{}", told.log);
    assert!(told.log.contains("lies outside of its buffer"), "{}", told.log);
    assert_eq!(told.counted, (0, 0));
}

#[test]
fn a_panic_ends_its_association_as_a_defect_and_gives_back_what_was_counted() {
    let told = told(|stream| Box::new(Trap(stream)), |_| {});
    let [requestor, upstream] = told.heard;
    assert!(requestor.ends_with(ABORT), "{requestor:?}");
    assert_eq!(upstream, ABORT);
    assert_eq!(told.closing["ended"], "defect", "{}", told.closing);
    assert!(told.closing["reason"].as_str().unwrap().contains("panic"), "{}", told.closing);
    assert!(told.log.contains("please report it to its authors"), "{}", told.log);
    assert_eq!(told.counted, (0, 0));
}
