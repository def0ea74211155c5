//! The deframer against any bytes in any chunking: the same messages, the same end, and never more used than was given.

use dimsegate::wire::{Deframer, Event, Kind};

/// What is left of the events when the places at which fragments were cut are forgotten.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Piece { context_id: u8, kind: Kind, bytes: Vec<u8>, last: bool },
    Other(String),
}

pub fn check(input: &[u8]) {
    let Some((&size, bytes)) = input.split_first() else { return };
    let (whole, whole_end) = read(bytes, usize::MAX);
    let (pieces, pieces_end) = read(bytes, usize::from(size) * 17 + 1);
    assert_eq!(whole_end, pieces_end);
    assert_same(whole, pieces);
}

/// The messages, and why reading ended if the bytes were not to blame.
fn read(bytes: &[u8], size: usize) -> (Vec<Told>, Option<String>) {
    let mut deframer = Deframer::new(16384);
    let (mut told, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        loop {
            let given = &bytes[start..end];
            let (used, event) = match deframer.next(given) {
                Ok(step) => step,
                Err(malformed) => return (told, Some(malformed.to_string())),
            };
            assert!(used <= given.len(), "{used} of {} bytes", given.len());
            start += used;
            match event {
                None => {
                    assert_eq!(
                        deframer.next(&bytes[start..end]).ok(),
                        Some((0, None)),
                        "more to say of the same bytes"
                    );
                    break;
                }
                Some(event) => {
                    assert!(used > 0, "{event:?} out of nothing");
                    note(&mut told, event);
                }
            }
        }
        if end == bytes.len() {
            return (told, None);
        }
        end = end.saturating_add(size).min(bytes.len());
    }
}

fn note(told: &mut Vec<Told>, event: Event<'_>) {
    let Event::Fragment(fragment) = event else {
        told.push(Told::Other(format!("{event:?}")));
        return;
    };
    if let Some(Told::Piece { context_id, kind, bytes, last }) = told.last_mut()
        && (*context_id, *kind, *last) == (fragment.context_id, fragment.kind, false)
    {
        bytes.extend(fragment.bytes);
        *last = fragment.last;
        return;
    }
    let (bytes, last) = (fragment.bytes.to_vec(), fragment.last);
    told.push(Told::Piece { context_id: fragment.context_id, kind: fragment.kind, bytes, last });
}

/// The same but for the end of a fragment that has not arrived whole: how much of it is told depends on the chunks.
fn assert_same(mut one: Vec<Told>, mut other: Vec<Told>) {
    let open = |told: &[Told]| matches!(told.last(), Some(Told::Piece { last: false, .. }));
    if one.len() != other.len() {
        let longer = if one.len() > other.len() { &mut one } else { &mut other };
        assert!(open(longer), "{:?}", longer.last());
        longer.pop();
    }
    if let (
        Some(Told::Piece { bytes: a, last: false, .. }),
        Some(Told::Piece { bytes: b, last: false, .. }),
    ) = (one.last_mut(), other.last_mut())
    {
        let both = a.len().min(b.len());
        a.truncate(both);
        b.truncate(both);
    }
    assert_eq!(one, other);
}
