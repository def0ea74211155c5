//! However a peer's bytes are cut, its messages are the same.

use std::task::Poll;

use proptest::prelude::*;

use super::peer::*;
use crate::buffer::Inbox;
use crate::dimse;
use crate::upper::Terms;
use crate::upper::contexts::Contexts;
use crate::upper::incoming::{Incoming, Part};
use crate::upper::opening::{Opening, Reading};

/// Context, command set, data set.
type Whole = (u8, Vec<u8>, Option<Vec<u8>>);

fn receive(inbox: &mut Inbox, bytes: &[u8]) {
    let put = |room: &mut tokio::io::ReadBuf<'_>| {
        room.put_slice(bytes);
        Poll::Ready(Ok(()))
    };
    assert!(matches!(inbox.receive(put), Poll::Ready(Ok(count)) if count == bytes.len()));
    inbox.unseal();
}

/// The pieces of a stream, as long as the sizes say, again and again.
fn cut<'a>(mut bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut sizes = sizes.iter().copied().cycle();
    std::iter::from_fn(move || {
        let size = sizes.next()?.min(bytes.len());
        let (piece, rest) = bytes.split_at(size);
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

fn agreed() -> Contexts {
    let asked = asked().to_rq(16_384).unwrap();
    let crate::upper::Answer::Accept(acceptance) = crate::upper::Answer::accept_all(&asked) else { panic!() };
    Contexts::agreed(&asked, &acceptance.to_ac(&asked, 16_384).unwrap()).unwrap()
}

fn messages(bytes: &[u8], sizes: &[usize]) -> Vec<Whole> {
    let (mut incoming, mut inbox) = (Incoming::new(&agreed(), &Terms::default()), Inbox::default());
    let mut messages: Vec<Whole> = Vec::new();
    for piece in cut(bytes, sizes) {
        receive(&mut inbox, piece);
        while let Some(part) = incoming.next(&mut inbox).unwrap() {
            match part {
                Part::Command { context, command } => {
                    let data_set = command.has_data_set.then(Vec::new);
                    messages.push((context, command.bytes().to_vec(), data_set));
                }
                Part::Data { range, .. } => {
                    let data_set = messages.last_mut().unwrap().2.as_mut().unwrap();
                    data_set.extend_from_slice(&inbox.all()[range]);
                }
                other => panic!("{other:?}"),
            }
        }
        // Whatever is between two reads may wait for long.
        inbox.wait();
    }
    assert!(inbox.is_empty() && !incoming.is_inside_message());
    messages
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_messages(
        lengths in prop::collection::vec(prop::option::of(0usize..9000), 1..6),
        fragments in prop::collection::vec(1usize..5000, 1..6),
        sizes in prop::collection::vec(1usize..4000, 1..8),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        let mut fragment = fragments.iter().copied().cycle();
        for (message_id, length) in (1_u16..).zip(lengths) {
            let (context, command) = match length {
                Some(_) => (3, dimse::store_request(CT, "2.25.7", message_id)),
                None => (1, dimse::echo_request(VERIFICATION, message_id)),
            };
            let (head, tail) = command.split_at(fragment.next().unwrap().min(command.len() - 1));
            bytes.extend([p_data(context, COMMAND, head), p_data(context, COMMAND | LAST, tail)].concat());
            let data_set = length.map(|length| (0..length).map(|at| (at * 7) as u8).collect::<Vec<u8>>());
            if let Some(data_set) = &data_set {
                let mut rest = &data_set[..];
                loop {
                    let (now, later) = rest.split_at(fragment.next().unwrap().min(rest.len()));
                    bytes.extend(p_data(context, if later.is_empty() { LAST } else { 0 }, now));
                    rest = later;
                    if rest.is_empty() { break }
                }
            }
            expected.push((context, command, data_set));
        }
        prop_assert_eq!(messages(&bytes, &sizes), expected);
    }

    #[test]
    fn any_chunking_gives_the_same_request(sizes in prop::collection::vec(1usize..200, 1..8)) {
        let (bytes, mut inbox, mut reading) = (request(0), Inbox::default(), Reading::new(1 << 20));
        let mut taken = None;
        for piece in cut(&bytes, &sizes) {
            prop_assert_eq!(&taken, &None);
            receive(&mut inbox, piece);
            taken = reading.take(&mut inbox).unwrap();
        }
        prop_assert_eq!(taken, Some(Opening::Request(bytes[6..].to_vec())));
        prop_assert!(inbox.is_empty());
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 1..200), head in 0usize..40) {
        let good = p_data(3, COMMAND | LAST, &dimse::store_request(CT, "2.25.7", 1));
        let bytes = [&good[..head], &bytes].concat();
        let (mut incoming, mut inbox) = (Incoming::new(&agreed(), &Terms::default()), Inbox::default());
        receive(&mut inbox, &bytes);
        while let Ok(Some(_)) = incoming.next(&mut inbox) {}
        let (mut reading, mut inbox) = (Reading::new(1000), Inbox::default());
        receive(&mut inbox, &bytes);
        let _ = reading.take(&mut inbox);
    }
}
