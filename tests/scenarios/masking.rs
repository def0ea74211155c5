//! Pixels masked: in real files, offline, judged by pydicom's bytes and by what DCMTK's dcm2pnm shows; and in flight.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{Command as Dimse, ERROR_COMMENT, STATUS};
use crate::corpus;
use crate::de_identification::{Site, only_file};
use crate::gate::{self, Gate, Setup};
use crate::object::{Object, short};
use crate::peers::peers_folder;
use crate::raw::{self, Peer, Upstream};
use crate::rewriting::pass;
use crate::upper::{self, Pdu, Request};
use crate::wait;

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
        "RGB 8 JPEG 2000 Image Compression (Lossless Only)",
        "MONOCHROME1 16 JPEG 2000 Image Compression (Lossless Only)",
        "MONOCHROME2 16 JPEG 2000 Image Compression (Lossless Only)",
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

/// A `[[peer]]` for one calling AE title.
fn peer_called(title: &str) -> String {
    let keys = format!("rewrite = \"site\"\ncalling-ae-titles = [\"{title}\"]");
    gate::peer(&keys).replace("name = \"site\"", &format!("name = \"{}\"", title.to_lowercase()))
}

/// An association of which the objects can be decoded.
fn open(gate: &Gate, upstream: &Upstream, title: &str, object: &Object) -> (Peer, Peer) {
    let (class, syntax) = (&object.sop_class, &object.transfer_syntax);
    let request = Request::new(title, "PACS").context(class, &[syntax]);
    raw::open(&gate.plain(), upstream, &request.context(class, &[upper::EXPLICIT_LITTLE]), 16384)
}

fn store(requestor: &mut Peer, object: &Object) {
    let command = Dimse::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &command, Some(&object.data_set), 16384);
}

fn status(requestor: &mut Peer) -> (Option<u16>, Option<String>) {
    let answer = requestor.message().command;
    (answer.number(STATUS), answer.text(ERROR_COMMENT))
}

const NO_ROOM: &str = "(7FE0,0010): no memory to decode a frame in at present";

/// Decoded pixels that an upstream does not read cost the peer that sent them, and nobody else waits.
#[test]
fn who_sends_to_an_upstream_that_does_not_read_holds_nobody_up() {
    let upstream = Upstream::bind();
    // Of this, 24.4 MiB are for frames that lie about.
    let gate = Gate::start(&Setup {
        extra: LARGE,
        limits: "decoding-memory = \"57MiB\"",
        peers: [peer_called("MANY"), peer_called("OTHER")].join("\n"),
        ..Setup::plain(upstream.address)
    });
    let object = &large_frame();
    let mut unread: Vec<_> = (0..4).map(|_| open(&gate, &upstream, "MANY", object)).collect();
    let (mut waiting, mut last) = unread.pop().expect("an association");
    let begun: Vec<_> = (unread.into_iter())
        .map(|(mut requestor, mut acceptor)| {
            store(&mut requestor, object);
            let first = acceptor.pdu();
            (requestor, acceptor, first)
        })
        .collect();
    // There is room for the pixels of three.
    store(&mut waiting, object);

    let (mut other, mut reads) = open(&gate, &upstream, "OTHER", object);
    read_and_stored(&mut other, &mut reads, |other| store(other, object));
    raw::release(other, reads);

    // What the other one gave back is there for the fourth.
    read_and_stored(&mut waiting, &mut last, |_| ());
    raw::release(waiting, last);
    let [first, second, third] = <[_; 3]>::try_from(begun).ok().expect("three");
    for (mut requestor, mut acceptor, pdu) in [second, third] {
        std::thread::scope(|scope| {
            scope.spawn(|| take(&mut acceptor, pdu));
            assert_eq!(status(&mut requestor).0, Some(0));
        });
        raw::release(requestor, acceptor);
    }
    let (mut evicted, mut late, _) = first;
    std::thread::scope(|scope| {
        let aborted = scope.spawn(|| {
            loop {
                let pdu = late.pdu();
                if pdu.kind != upper::P_DATA {
                    return pdu.kind;
                }
                let whole = pdu.pdvs().expect("PDVs").iter().any(|pdv| pdv.control == upper::LAST);
                assert!(!whole, "it is called whole");
            }
        });
        assert_eq!(status(&mut evicted), (Some(0xA700), Some(NO_ROOM.into())));
        assert_eq!(aborted.join().expect("no panic"), upper::ABORT);
    });
}

/// Reads an object that is sent now or was before, and answers it.
fn read_and_stored(requestor: &mut Peer, acceptor: &mut Peer, sends: impl FnOnce(&mut Peer)) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let first = acceptor.pdu();
            take(acceptor, first);
        });
        sends(requestor);
        assert_eq!(status(requestor).0, Some(0));
    });
}

/// An object with a frame of 1 MiB of pixels, of whose compressed bytes some come, and not the rest.
fn slow_object() -> Object {
    let object = large_frame();
    let number = |element, value: u16| short(0x28, element, "US", &value.to_le_bytes());
    let end = object.data_set.windows(4).position(|bytes| bytes == b"\xE0\x7F\x10\0").expect("pixel data");
    let mut header = object.data_set[..end].to_vec();
    for (element, old, new) in [(0x10, 2048, 1024), (0x11, 4096, 1024)] {
        let (old, new) = (number(element, old), number(element, new));
        let at = header.windows(old.len()).position(|bytes| bytes == old).expect("the number");
        header[at..at + new.len()].copy_from_slice(&new);
    }
    header.extend(b"\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF\xFE\xFF\0\xE0\0\0\0\0\xFE\xFF\0\xE0");
    header.extend((SLOW_FRAGMENT as u32).to_le_bytes());
    Object { transfer_syntax: JPEG.into(), data_set: header, ..object }
}

const JPEG: &str = "1.2.840.10008.1.2.4.50";
const SLOW_FRAGMENT: usize = 128 << 10;

const SMALL: &str = r#"[[rewrite]]
name = "site"
profile = "basic"
secret-file = "conf/pseudonym.key"
burned-in = "mask"
compressed-pixels = "decode"
largest-frame = "1MiB"
masks = [{ rectangles = [[0, 0, 9999, 20]] }]"#;

/// A real ultrasound clip in JPEG, and its pixels as `dimsegate rewrite` masks them.
fn clip() -> (Object, Vec<u8>) {
    let named = |path: &PathBuf| path.ends_with("examples_ybr_color.dcm");
    let file = corpus::files().into_iter().find(named).expect("a file of pydicom's");
    let keys = SMALL.find("burned-in").expect("keys");
    let site = Site::of(&[("site", &SMALL[keys..])]);
    let out = site.folder.path().join("clip");
    assert!(site.rewrite("site", &out, &[], &[&file]).success);
    let masked = std::fs::read(only_file(&out)).expect("the clip");
    let object = Object::from_part10(&std::fs::read(file).expect("the clip")).expect("a DICOM file");
    (object, masked[masked.len() - 30 * 240 * 320 * 3..].to_vec())
}

/// The data set of the next message.
fn received(acceptor: &mut Peer) -> Vec<u8> {
    let message = acceptor.message();
    acceptor.send_message(message.context, &message.command.response(0), None, 16384);
    message.data_set.expect("an object")
}

/// Two peers send slowly, and hold all the memory that they can; the pictures of a third one are masked all the same.
#[test]
fn slow_peers_hold_nobody_elses_pictures_up() {
    let upstream = Upstream::bind();
    // Of this, 3.25 MiB are for frames that lie about.
    let gate = Gate::start(&Setup {
        extra: SMALL,
        limits: "decoding-memory = \"7680KiB\"",
        peers: ["SLOW1", "SLOW2", "FAST"].map(peer_called).join("\n"),
        ..Setup::plain(upstream.address)
    });
    let (slow, (clip, pixels)) = (&slow_object(), clip());
    let part = vec![0; SLOW_FRAGMENT / 8 * 7];
    let mut held: Vec<_> = (0..32)
        .map(|number| {
            let (mut requestor, acceptor) = open(&gate, &upstream, ["SLOW1", "SLOW2"][number / 16], slow);
            let command = Dimse::c_store_rq(1, &slow.sop_class, &slow.sop_instance);
            requestor.send(&upper::p_data(1, upper::COMMAND, &command.encode(), 16384));
            [&slow.data_set, &part].iter().for_each(|bytes| requestor.send(&more(bytes)));
            (requestor, acceptor)
        })
        .collect();
    // They learn of it with what they send next.
    held.iter_mut().for_each(|(requestor, _)| requestor.send(&more(&[0; 8])));
    let full = || gate.output().contains("no memory to decode a frame").then_some(());
    wait::until("memory that is used up", full);

    let (mut fast, mut archive) = open(&gate, &upstream, "FAST", &clip);
    std::thread::scope(|scope| {
        let received = scope.spawn(|| received(&mut archive));
        store(&mut fast, &clip);
        assert_eq!(status(&mut fast).0, Some(0));
        assert!(received.join().expect("no panic").ends_with(&pixels));
    });
    raw::release(fast, archive);

    let mut rest = vec![0; SLOW_FRAGMENT - part.len() - 8];
    rest.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
    for (mut requestor, acceptor) in held {
        requestor.send(&upper::p_data(1, 0, &rest, 16384));
        assert!(matches!(status(&mut requestor).0, Some(0xA700 | 0xC007)));
        // The upstream has heard of none of them.
        raw::release(requestor, acceptor);
    }
}

/// A part of a data set that goes on.
fn more(bytes: &[u8]) -> Vec<u8> {
    let part = |part: &[u8]| {
        let mut pdu = upper::p_data(1, 0, part, 16384);
        pdu[11] &= !upper::LAST;
        pdu
    };
    bytes.chunks(16384 - 6).flat_map(part).collect()
}
