//! Pixels masked: in real files, offline, judged by pydicom's bytes and by what DCMTK's dcm2pnm shows; and in flight.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use serde_json::Value;

use crate::command::{Command as Dimse, STATUS};
use crate::corpus;
use crate::de_identification::{Site, only_file};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::peers_folder;
use crate::raw::{self, Peer, Upstream};
use crate::rewriting::pass;
use crate::upper::{self, Pdu, Request};
use crate::wait::PATIENCE;

/// Overlapping, beyond the right edge of most images, and one that no image of 64 rows has.
const RECTANGLES: &str = "[[3, 2, 21, 9], [10, 5, 9, 30], [40, 40, 9000, 3], [1, 2000, 5, 5]]";

#[test]
fn what_pydicom_reads_and_dcm2pnm_shows_is_black_in_the_rectangles_only() {
    let said = judged("", None);
    assert!(said["shown"].as_u64().is_some_and(|shown| shown >= 90), "{said}");
    for kind in [
        "MONOCHROME1 16 Explicit VR Little Endian",
        "MONOCHROME2 16 Explicit VR Big Endian",
        "MONOCHROME2 8 Deflated Explicit VR Little Endian",
        "PALETTE COLOR 8 Explicit VR Big Endian",
        "RGB 8 Explicit VR Big Endian",
        "RGB 16 Explicit VR Little Endian",
        "YBR_FULL 8 Explicit VR Little Endian",
    ] {
        assert!(said["kinds"][kind].as_u64().is_some_and(|count| count >= 1), "{kind}: {said}");
    }
}

#[test]
fn compressed_pixels_are_what_dcmtk_decodes_but_for_the_rectangles() {
    let said = judged("compressed-pixels = \"decode\"\n", Some("decode"));
    for kind in [
        "MONOCHROME2 16 RLE Lossless",
        "RGB 8 RLE Lossless",
        "RGB 16 RLE Lossless",
        "RGB 8 JPEG Baseline (Process 1)",
        "MONOCHROME2 16 JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])",
    ] {
        assert!(said["kinds"][kind].as_u64().is_some_and(|count| count >= 1), "{kind}: {said}");
    }
}

/// Every real file through masks, and what tests/peers/pixels.py says of it.
fn judged(keys: &str, option: Option<&str>) -> Value {
    let masks = format!("burned-in = \"mask\"\nmasks = [{{ rectangles = {RECTANGLES} }}]\n{keys}");
    let site = Site::of(&[("masked", &masks)]);
    let lines = corpus::files().into_iter().enumerate().map(|(index, file)| {
        let out = site.folder.path().join(index.to_string());
        let finished = site.rewrite("masked", &out, &[], &[&file]);
        let after = if finished.success { only_file(&out) } else { PathBuf::new() };
        format!("{}\t{}\n", file.display(), after.display())
    });
    let lines: String = lines.collect();
    let mut command = Command::new(peers_folder().join("venv/bin/python3"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pixels.py")).arg(RECTANGLES);
    let judge =
        command.arg(site.folder.path()).args(option).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut judge = judge.expect("python; tests/run installs it");
    judge.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("a reader");
    let said: Value =
        serde_json::from_slice(&judge.wait_with_output().expect("its output").stdout).expect("JSON");
    assert_eq!(said["wrong"], serde_json::json!({}), "{said}");
    said
}

const MASKED: &str = r#"[[rewrite]]
name = "site"
profile = "basic"
secret-file = "conf/pseudonym.key"
burned-in = "mask"
masks = [{ sop-class = "CTImageStorage", manufacturer = "Phantom Works", rows = 512, rectangles = [[0, 0, 512, 2], [500, 509, 12, 3]] }]"#;

const ROW: usize = 512 * 2;

#[test]
fn pixels_are_masked_in_flight() {
    let upstream = Upstream::bind();
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: MASKED, peers, ..Setup::plain(upstream.address) });
    let ct = Object::ct(Object::ct(0).data_set.len() + 512 * ROW);
    let passed = pass(&gate, &upstream, &ct).expect("a syntax that can be rewritten");
    let (_, received) = passed.received.expect("an object");
    let pixels = |data_set: &[u8]| data_set[data_set.len() - 512 * ROW..].to_vec();
    let mut expected = pixels(&ct.data_set);
    expected[..2 * ROW].fill(0);
    (509..512).for_each(|row| expected[row * ROW + 1000..(row + 1) * ROW].fill(0));
    assert!(pixels(&received) == expected && pixels(&ct.data_set) != expected);
    let flag = short(0x28, 0x301, "CS", b"NO");
    assert!(received.windows(flag.len()).any(|bytes| bytes == flag));
    assert!(received.windows(6).any(|code| code == b"113101"));
}

#[test]
fn what_cannot_be_masked_reaches_nobody() {
    let upstream = Upstream::bind();
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: MASKED, peers, ..Setup::plain(upstream.address) });
    let ct = Object::ct(Object::ct(0).data_set.len() + 512 * ROW);
    let header = &ct.data_set[..ct.data_set.len() - 512 * ROW - 12];
    let fragments = [
        &b"\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF"[..],
        b"\xFE\xFF\0\xE0\0\0\0\0\xFE\xFF\0\xE0\x02\0\0\0\xFF\xD8\xFE\xFF\xDD\xE0\0\0\0\0",
    ];
    let jpeg = Object {
        transfer_syntax: "1.2.840.10008.1.2.4.50".into(),
        data_set: [header, &fragments.concat()].concat(),
        ..ct.clone()
    };
    let short_of_one = Object { data_set: [header, &short_pixels(512 * ROW - 2)].concat(), ..ct };
    for (object, comment) in [
        (jpeg, "(7FE0,0010): compressed pixels cannot be masked"),
        (short_of_one, "(7FE0,0010): length is not that of the image; not masked"),
    ] {
        let passed = pass(&gate, &upstream, &object).expect("a syntax that can be rewritten");
        assert_eq!((passed.status, passed.comment.as_deref()), (0xC007, Some(comment)));
        assert!(passed.received.is_none());
    }
}

fn short_pixels(length: usize) -> Vec<u8> {
    let mut element = b"\xE0\x7F\x10\0OW\0\0".to_vec();
    element.extend((length as u32).to_le_bytes());
    element.resize(12 + length, 7);
    element
}

const RLE: &str = "1.2.840.10008.1.2.5";

/// A CT in RLE whose pixels are the numbers of their rows, and these pixels.
fn rle() -> (Object, Vec<u8>) {
    let ct = Object::ct(Object::ct(0).data_set.len() + 512 * ROW);
    let header = &ct.data_set[..ct.data_set.len() - 512 * ROW - 12];
    let plane = |byte: fn(u16) -> u8| -> Vec<u8> {
        (0..512).flat_map(|row| std::iter::repeat_n([129, byte(row)], 4)).flatten().collect()
    };
    let (high, low) = (plane(|row| (row >> 8) as u8), plane(|row| row as u8));
    let mut frame: Vec<u8> =
        [2, 64, 64 + high.len() as u32].iter().flat_map(|word| word.to_le_bytes()).collect();
    frame.resize(64, 0);
    frame.extend([high, low].concat());
    let mut data_set = [header, b"\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF\xFE\xFF\0\xE0\0\0\0\0"].concat();
    data_set.extend(b"\xFE\xFF\0\xE0");
    data_set.extend((frame.len() as u32).to_le_bytes());
    data_set.extend(frame);
    data_set.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
    let pixels = (0..512_u16).flat_map(|row| std::iter::repeat_n(row.to_le_bytes(), 512)).flatten().collect();
    (Object { transfer_syntax: RLE.into(), data_set, ..ct }, pixels)
}

#[test]
fn decoded_objects_go_on_in_the_context_for_native_ones_and_their_answers_come_back() {
    let upstream = Upstream::bind();
    let extra: &'static str = Box::leak(format!("{MASKED}\ncompressed-pixels = \"decode\"").into_boxed_str());
    let gate = Gate::start(&Setup {
        extra,
        peers: gate::peer("rewrite = \"site\""),
        ..Setup::plain(upstream.address)
    });
    let (object, mut pixels) = rle();
    let class = &object.sop_class;
    let both = Request::new("SITE", "PACS").context(class, &[RLE]).context(class, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &both, 16384);
    for message_id in [1, 2] {
        let store = Dimse::c_store_rq(message_id, class, &object.sop_instance);
        requestor.send_message(1, &store, Some(&object.data_set), 16384);
        let message = acceptor.message();
        assert_eq!(message.context, 3, "explicit VR little endian");
        let received = message.data_set.expect("an object");
        pixels[..2 * ROW].fill(0);
        (509..512).for_each(|row| pixels[row * ROW + 1000..(row + 1) * ROW].fill(0));
        assert!(received.ends_with(&pixels));
        acceptor.send_message(3, &message.command.response(0), None, 16384);
        let answer = requestor.message();
        assert_eq!((answer.context, answer.command.number(STATUS)), (1, Some(0)));
    }
    raw::release(requestor, acceptor);

    let passed = pass(&gate, &upstream, &object).expect("a syntax that can be rewritten");
    assert_eq!((passed.status, passed.received.is_none()), (0xC007, true), "there is no such context");
}

/// A CT of one byte a pixel in RLE, black, whose frame is 8 MiB and some thousand bytes of runs.
fn large_frame() -> Object {
    let ct = Object::ct(0);
    let runs = 4096 * 2048 / 128;
    let mut frame: Vec<u8> = [1_u32, 64].iter().flat_map(|word| word.to_le_bytes()).collect();
    frame.resize(64, 0);
    frame.extend([129, 0].repeat(runs));
    let (class, instance) = (&ct.sop_class, &ct.sop_instance);
    let uid = |uid: &str| if uid.len() % 2 == 1 { format!("{uid}\0") } else { uid.to_owned() };
    let number = |element, value: u16| short(0x28, element, "US", &value.to_le_bytes());
    let header = [
        short(8, 0x16, "UI", uid(class).as_bytes()),
        short(8, 0x18, "UI", uid(instance).as_bytes()),
        short(0x10, 0x20, "LO", b"4711"),
        number(2, 1),
        short(0x28, 4, "CS", b"MONOCHROME2 "),
        number(0x10, 2048),
        number(0x11, 4096),
        number(0x100, 8),
        number(0x101, 8),
        number(0x102, 7),
        number(0x103, 0),
    ];
    let mut data_set = header.concat();
    data_set.extend(b"\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF\xFE\xFF\0\xE0\0\0\0\0\xFE\xFF\0\xE0");
    data_set.extend((frame.len() as u32).to_le_bytes());
    data_set.extend(frame);
    data_set.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
    Object { transfer_syntax: RLE.into(), data_set, ..ct }
}

const LARGE: &str = r#"[[rewrite]]
name = "site"
profile = "basic"
secret-file = "conf/pseudonym.key"
burned-in = "mask"
compressed-pixels = "decode"
largest-frame = "8MiB"
masks = [{ rows = 2048, rectangles = [[0, 0, 4096, 2]] }]"#;

/// Reads the object whose first PDU is `pdu`, and answers it.
fn take(acceptor: &mut Peer, mut pdu: Pdu) {
    let (mut command, mut bytes) = (Vec::new(), 0);
    loop {
        for pdv in pdu.pdvs().expect("PDVs") {
            if pdv.control & upper::COMMAND != 0 {
                command.extend(pdv.value);
                continue;
            }
            bytes += pdv.value.len();
            if pdv.control & upper::LAST != 0 {
                assert!(bytes > 4096 * 2048, "{bytes}");
                let command = Dimse::parse(&command).expect("a command set");
                return acceptor.send_message(3, &command.response(0), None, 16384);
            }
        }
        pdu = acceptor.pdu();
    }
}

/// While the upstream of one does not read, the others wait for the memory that its frame is in, and nobody else waits.
#[test]
fn all_associations_share_the_memory_that_decoding_takes_and_others_go_on() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup {
        extra: LARGE,
        limits: "decoding-memory = \"49MiB\"",
        peers: gate::peer("rewrite = \"site\""),
        ..Setup::plain(upstream.address)
    });
    let object = &large_frame();
    let class = &object.sop_class;
    let both = Request::new("SITE", "PACS").context(class, &[RLE]).context(class, &[upper::EXPLICIT_LITTLE]);
    let pairs: Vec<_> = (0..3).map(|_| raw::open(&gate.plain(), &upstream, &both, 16384)).collect();
    let (mut other, mut others) =
        raw::open(&gate.plain(), &upstream, &raw::verification("SITE", "PACS"), 16384);
    let mut echo = |message_id| {
        other.send_message(1, &Dimse::c_echo_rq(message_id), None, 16384);
        let echo = others.message();
        others.send_message(1, &echo.command.response(0), None, 16384);
        assert_eq!(other.message().command.number(STATUS), Some(0));
    };
    let (told, begun) = mpsc::channel();
    std::thread::scope(|scope| {
        for (mut requestor, mut acceptor) in pairs {
            scope.spawn(move || {
                let store = Dimse::c_store_rq(1, class, &object.sop_instance);
                requestor.send_message(1, &store, Some(&object.data_set), 16384);
                assert_eq!(requestor.message().command.number(STATUS), Some(0));
            });
            let told = told.clone();
            scope.spawn(move || {
                let first = acceptor.pdu();
                let (go, going) = mpsc::channel();
                told.send(go).expect("somebody who listens");
                going.recv().expect("a word");
                take(&mut acceptor, first);
                // Until the requestor has gone.
                acceptor.rest();
            });
        }
        for message_id in 1..4 {
            let go: mpsc::Sender<()> = begun.recv_timeout(PATIENCE).expect("an object on its way");
            (0..100).for_each(|number| echo(message_id * 100 + number));
            assert!(begun.try_recv().is_err(), "two objects are in hand at once");
            go.send(()).expect("an upstream");
        }
    });
}
