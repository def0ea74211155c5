use proptest::prelude::*;

use super::{Encoding, Event, Header, Kind, Observer, PathStep, Raw, ScanProblem, Scanner, Syntax, Tag, Vr};

const LE: &str = "1.2.840.10008.1.2.1";

fn short(tag: [u8; 4], vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    [&tag[..], vr, &(value.len() as u16).to_le_bytes(), value].concat()
}

fn long(tag: [u8; 4], vr: &[u8; 2], length: u32) -> Vec<u8> {
    [&tag[..], vr, &[0, 0], &length.to_le_bytes()].concat()
}

fn item(element: u8, length: u32) -> Vec<u8> {
    [&[0xFE, 0xFF, element, 0xE0], &length.to_le_bytes()[..]].concat()
}

/// A sequence of defined length in an item of undefined length, then fragments.
fn data_set() -> Vec<u8> {
    let name = short([0x10, 0, 0x10, 0], b"PN", b"DOE ");
    [
        long([0x40, 0, 0x75, 2], b"SQ", u32::MAX),
        item(0x00, u32::MAX),
        long([0x40, 0, 0x30, 0xA7], b"SQ", 8 + name.len() as u32),
        item(0x00, name.len() as u32),
        name,
        item(0x0D, 0),
        item(0xDD, 0),
        long([0xE0, 0x7F, 0x10, 0], b"OB", u32::MAX),
        item(0x00, 0),
        item(0x00, 2),
        vec![1, 2],
        item(0xDD, 0),
    ]
    .concat()
}

type Seen = Vec<(Kind, Vec<u8>)>;

/// Kinds with their bytes, values put together, from input in chunks.
fn scan(input: &[u8], sizes: &[usize]) -> (Seen, Result<(), ScanProblem>) {
    let mut scanner = Scanner::new(Syntax::EXPLICIT_LE, 32);
    let mut seen = Seen::new();
    let (mut rest, mut sizes) = (input, sizes.iter().cycle());
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        let mut at = 0;
        loop {
            match scanner.next(chunk, &mut at) {
                Ok(Some(Event { kind, raw })) => {
                    let bytes = match raw {
                        Raw::Input(range) => &chunk[range],
                        Raw::Carried => scanner.carried(),
                    };
                    match (kind, seen.last_mut()) {
                        (Kind::Value { .. }, Some((last @ Kind::Value { .. }, value))) => {
                            *last = kind;
                            value.extend(bytes);
                        }
                        _ => seen.push((kind, bytes.to_vec())),
                    }
                }
                Ok(None) => break,
                Err(error) => return (seen, Err(error.problem)),
            }
        }
        assert_eq!(at, chunk.len());
        rest = behind;
    }
    (seen, scanner.finish().map_err(|error| error.problem))
}

#[test]
fn events_come_in_order_with_their_bytes() {
    let (seen, end) = scan(&data_set(), &[usize::MAX]);
    assert_eq!(end, Ok(()));
    let syntax = Syntax::EXPLICIT_LE;
    let header = |group, element, vr: &[u8; 2], length| Header {
        tag: Tag(group, element),
        vr: Vr::known(*vr).unwrap(),
        length,
        syntax,
    };
    let kinds: Vec<Kind> = seen.iter().map(|(kind, _)| *kind).collect();
    let expected = [
        Kind::SequenceStart(header(0x40, 0x275, b"SQ", None)),
        Kind::ItemStart { length: None, syntax },
        Kind::SequenceStart(header(0x40, 0xA730, b"SQ", Some(20))),
        Kind::ItemStart { length: Some(12), syntax },
        Kind::Element(header(0x10, 0x10, b"PN", Some(4))),
        Kind::Value { rest: 0 },
        Kind::ItemEnd,
        Kind::SequenceEnd,
        Kind::ItemEnd,
        Kind::SequenceEnd,
        Kind::FragmentsStart(header(0x7FE0, 0x10, b"OB", None)),
        Kind::Fragment { length: 0 },
        Kind::Fragment { length: 2 },
        Kind::Value { rest: 0 },
        Kind::FragmentsEnd,
    ];
    assert_eq!(kinds, expected);
    let bytes: Vec<u8> = seen.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(bytes, data_set(), "every byte is of one event");
}

#[test]
fn the_path_counts_items() {
    let item_of = |value: &[u8]| {
        let element = short([0x10, 0, 0x20, 0], b"LO", value);
        [item(0x00, element.len() as u32), element].concat()
    };
    let items = [item_of(b""), item_of(b"x ")].concat();
    let input = [long([0x40, 0, 0x75, 2], b"SQ", items.len() as u32), items].concat();
    let mut scanner = Scanner::new(Syntax::EXPLICIT_LE, 32);
    let (mut at, mut paths) = (0, Vec::new());
    while let Some(event) = scanner.next(&input, &mut at).unwrap() {
        if let Kind::Element(_) = event.kind {
            paths.push(scanner.path().collect::<Vec<_>>());
        }
    }
    let step = |item| vec![PathStep { sequence: Tag(0x40, 0x275), item }];
    assert_eq!(paths, [step(1), step(2)]);
    assert_eq!((scanner.depth(), scanner.position()), (0, input.len() as u64));
}

#[test]
fn depth_is_capped_even_beyond_what_is_asked() {
    let level = [long([0x40, 0, 0x30, 0xA7], b"SQ", u32::MAX), item(0x00, u32::MAX)].concat();
    let input = level.repeat(10_000);
    for (asked, depth) in [(0, 0), (32, 32), (usize::MAX, 256)] {
        let mut scanner = Scanner::new(Syntax::EXPLICIT_LE, asked);
        let mut at = 0;
        let error = loop {
            match scanner.next(&input, &mut at) {
                Ok(event) => assert!(event.is_some()),
                Err(error) => break error,
            }
        };
        assert_eq!((error.problem, error.path.len()), (ScanProblem::TooDeep, depth));
        assert_eq!(error.offset, depth as u64 * 20);
    }
}

#[test]
fn a_length_near_four_gib_ends_with_the_stream() {
    let input = long([0xE0, 0x7F, 0x10, 0], b"OW", u32::MAX - 1);
    assert_eq!(scan(&input, &[5]).1, Err(ScanProblem::Truncated));
    let nested = [long([0x40, 0, 0x75, 2], b"SQ", u32::MAX - 1), item(0x00, u32::MAX - 1)].concat();
    assert_eq!(scan(&nested, &[5]).1, Err(ScanProblem::Overrun));
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        sizes in proptest::collection::vec(1_usize..20, 1..5),
    ) {
        let mut input = data_set();
        for (at, byte) in damage {
            let at = at.index(input.len());
            input[at] = byte;
        }
        prop_assert_eq!(scan(&input, &[usize::MAX]), scan(&input, &sizes));
    }
}

fn observed(observer: &Observer) -> [Option<String>; 2] {
    let values = [observer.patient_id(), observer.study_instance_uid()];
    values.map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
}

fn observe(encoding: Encoding, input: &[u8], size: usize) -> Observer {
    let mut observer = Observer::new(encoding);
    input.chunks(size).for_each(|chunk| observer.observe(chunk));
    observer
}

#[test]
fn the_observer_sees_the_top_level_and_stops_behind_the_study() {
    let encoding = Encoding::of(LE).unwrap();
    let nested = short([0x10, 0, 0x20, 0], b"LO", b"NOT ME");
    let header = [
        short([8, 0, 0x16, 0], b"UI", b"1.2\0"),
        short([8, 0, 0x18, 0], b"UI", b"1.3\0"),
        long([8, 0, 0x15, 0x11], b"SQ", 8 + nested.len() as u32),
        item(0x00, nested.len() as u32),
        nested,
        short([0x10, 0, 0x20, 0], b"LO", b"PID-1 "),
        short([0x20, 0, 0x0D, 0], b"UI", b"1.4\0"),
    ]
    .concat();
    for size in [1, 7, header.len()] {
        let observer = observe(encoding, &header, size);
        assert_eq!(observed(&observer), ["PID-1", "1.4"].map(|text| Some(text.to_owned())));
        assert!(!observer.wants_more());
        let cut = observe(encoding, &header[..header.len() - 1], size);
        assert!(cut.wants_more() && cut.study_instance_uid().is_none(), "not whole yet");
    }
}

#[test]
fn the_observer_knows_a_wildcard_from_half_of_a_character() {
    let encoding = Encoding::of(LE).unwrap();
    let pattern = |set: &[u8], patient: &[u8]| {
        let data = [short([8, 0, 5, 0], b"CS", set), short([0x10, 0, 0x20, 0], b"LO", patient)].concat();
        let of = |size| observe(encoding, &data, size).is_pattern();
        assert_eq!(of(1), of(data.len()));
        of(1)
    };
    assert!(pattern(b"ISO_IR 100", b"A*") && pattern(b"", b"A\\B ") && pattern(b"GBK ", b"\xD5\\?1"));
    assert!(!pattern(b"\\ISO 2022 IR 87 ", b"\x1b$B$\\$*\x1b(B") && !pattern(b"GBK ", b"\xD5\\"));
}

#[test]
fn the_observer_gives_up_in_silence() {
    let encoding = Encoding::of(LE).unwrap();
    let patient = short([0x10, 0, 0x20, 0], b"LO", b"PID-1 ");
    let damaged = observe(encoding, &[&patient[..], &[0x10, 0, 0x30, 0, b'Z', b'Z', 0, 0]].concat(), 3);
    assert_eq!(observed(&damaged), [Some("PID-1".to_owned()), None]);
    assert!(!damaged.wants_more() && damaged.is_lost());
    let unknown = [&[0x10, 0, 0x10, 0, b'?', b'?', 2, 0, b'A', b' '], &patient[..]].concat();
    assert_eq!(observed(&observe(encoding, &unknown, 3)), [Some("PID-1".to_owned()), None]);
    let pixels = observe(encoding, &long([0xE0, 0x7F, 0x10, 0], b"OB", u32::MAX), 64);
    assert!(!pixels.wants_more());
    let long_id = observe(encoding, &short([0x10, 0, 0x20, 0], b"LO", &[b'x'; 60_000]), 999);
    assert_eq!(long_id.patient_id().map(<[u8]>::len), Some(256));
    assert!(!observe(Encoding::of("1.2.840.10008.1.2.1.99").unwrap(), &patient, 64).wants_more());
}
