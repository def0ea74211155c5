use super::Inbox;
use crate::buffer::NoneMayWait;
use proptest::prelude::*;
use std::task::Poll;

/// Records of a header, data and a tag, as they lie on the wire; headers and tags are of bytes that no data has.
fn records(all: &[u8], lengths: &[usize]) -> Vec<(Vec<u8>, usize)> {
    let (mut rest, mut lengths) = (all, lengths.iter().cycle());
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (data, after) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        records.push(([&[0xF5; 5], data, &[0xF6; 17]].concat(), data.len()));
        rest = after;
    }
    records
}

proptest! {
    /// A reader that uses up whole groups of bytes only sees the data in order, wherever records and reads end.
    #[test]
    fn data_is_read_in_order_whatever_is_left_over(
        length in 1usize..120_000,
        lengths in prop::collection::vec(1usize..20_000, 1..6),
        reads in prop::collection::vec(1usize..70_000, 1..6),
        groups in prop::collection::vec(1usize..900, 1..6),
        waits in any::<bool>(),
    ) {
        let all: Vec<u8> = (0..length).map(|n| (n % 241) as u8).collect();
        let records = records(&all, &lengths);
        let wire: Vec<u8> = records.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        let mut whole = records.iter();
        let (mut inbox, mut got, mut at) = (Inbox::default(), Vec::new(), 0);
        let (mut reads, mut groups) = (reads.iter().cycle(), groups.iter().cycle());
        let mut group = *groups.next().unwrap();
        let mut record = whole.next();
        while at < wire.len() {
            if waits {
                prop_assert!(inbox.receive(|_| Poll::Pending).is_pending());
                prop_assert!(!inbox.has_buffer() || !inbox.is_empty());
            }
            let piece = &wire[at..wire.len().min(at + reads.next().unwrap())];
            let Poll::Ready(Ok(count)) = inbox.receive(|room| { room.put_slice(piece); Poll::Ready(Ok(())) })
            else { panic!("there is room") };
            at += count;
            while let Some((bytes, data)) = record.filter(|(bytes, _)| inbox.sealed().len() >= bytes.len()) {
                prop_assert_eq!(inbox.data(5, *data), Some(()));
                inbox.unsealed(bytes.len());
                record = whole.next();
            }
            let last = record.is_none();
            loop {
                let unread = inbox.unread();
                let used = if unread.len() >= group || (last && inbox.available() == unread.len()) { unread.len().min(group) } else { 0 };
                got.extend_from_slice(&unread[..used]);
                inbox.consume(used);
                match used {
                    0 if !inbox.next_piece() => break,
                    0 => {}
                    _ => group = *groups.next().unwrap(),
                }
            }
        }
        prop_assert!(got == all);
        prop_assert!(inbox.is_empty());
        inbox.rest();
        prop_assert_eq!(inbox.all().len(), 0);
    }
}

#[test]
fn few_wait_with_a_buffer_and_the_others_with_as_many_bytes_as_they_have() {
    let none = NoneMayWait::begin();
    let mut inbox = Inbox::default();
    let _ = inbox.receive(|room| {
        room.put_slice(&[7; 100]);
        Poll::Ready(Ok(()))
    });
    assert_eq!(inbox.data(5, 30), Some(()));
    inbox.unsealed(60);
    inbox.consume(10);
    inbox.wait();
    assert_eq!((inbox.all().len(), inbox.unread(), inbox.available()), (60, &[7; 20][..], 20));
    drop(none);
}

#[test]
fn data_that_does_not_lie_in_what_is_sealed_is_refused() {
    let mut inbox = Inbox::default();
    let _ = inbox.receive(|room| {
        room.put_slice(&[7; 100]);
        Poll::Ready(Ok(()))
    });
    assert_eq!(inbox.data(90, 11), None);
    assert_eq!(inbox.data(usize::MAX, 2), None);
    assert_eq!(inbox.available(), 0);
    assert_eq!(inbox.data(90, 10), Some(()));
    assert_eq!(inbox.unread(), [7; 10]);
}

#[test]
fn a_full_inbox_takes_no_more_and_says_so() {
    let mut inbox = Inbox::default();
    let full = inbox.receive(|room| {
        let all = room.remaining();
        room.initialize_unfilled();
        room.advance(all);
        Poll::Ready(Ok(()))
    });
    assert!(matches!(full, Poll::Ready(Ok(count)) if count == 256 * 1024));
    let more = inbox.receive(|_| panic!("there is no room"));
    assert!(matches!(more, Poll::Ready(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData));
    let mut other = Inbox::default();
    let _ = other.receive(|room| {
        room.put_slice(&[1]);
        Poll::Ready(Ok(()))
    });
    inbox.unseal();
    assert!(inbox.take_over(&mut other).is_err(), "what does not fit is not lost in silence");
}
