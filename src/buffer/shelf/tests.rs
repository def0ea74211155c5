use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use proptest::prelude::*;

use super::{Lot, NoRoom, Shelf, lock};

const KIB: usize = 1 << 10;

fn held(shelf: &Shelf, peer: &str) -> usize {
    shelf.books().peers.get(peer).map_or(0, |holding| holding.taken)
}

fn filled(shelf: &Arc<Shelf>, peer: &str, bytes: usize) -> Lot {
    let mut lot = shelf.corner(peer.into()).lot();
    lot.append(&vec![1; bytes], bytes).unwrap();
    lot
}

#[test]
fn bytes_lie_where_they_were_put_until_they_are_dropped() {
    let shelf = Shelf::new(100 * KIB, 0);
    let mut lot = shelf.corner("a".into()).lot();
    for part in [&b"ab"[..], b"", b"cd"] {
        lot.append(part, 99 * KIB).unwrap();
    }
    assert_eq!((lot.look(<[u8]>::to_vec), lot.len()), (Ok(b"abcd".to_vec()), 4));
    assert_eq!(held(&shelf, "a"), 16 * KIB);
    assert_eq!(lot.exchange(50 * KIB), Ok(b"abcd".to_vec()));
    assert_eq!(held(&shelf, "a"), 50 * KIB);
    lot.put(vec![7; 40 * KIB]).unwrap();
    assert_eq!((held(&shelf, "a"), lot.len()), (40 * KIB, 40 * KIB));
    drop(lot);
    let books = shelf.books();
    assert_eq!((books.taken, books.peers.len()), (0, 0));
}

#[test]
fn who_began_first_of_those_that_hold_most_gives_way_and_nobody_else() {
    let shelf = Shelf::new(100 * KIB, 0);
    let slow = filled(&shelf, "many", 30 * KIB);
    let small = filled(&shelf, "small", 20 * KIB);
    let [second, third] = [30 * KIB, 20 * KIB].map(|bytes| filled(&shelf, "many", bytes));
    let mut other = shelf.corner("other".into()).lot();
    assert_eq!(other.append(&[0; 10 * KIB], 10 * KIB), Ok(()));
    let is_there = |lot: &Lot| lot.look(|_| ()).is_ok();
    assert_eq!([&slow, &second, &third, &small].map(is_there), [false, true, true, true]);
    assert_eq!(
        (held(&shelf, "many"), held(&shelf, "small"), held(&shelf, "other")),
        (50 * KIB, 20 * KIB, 10 * KIB)
    );
    // It learns of that when it comes for it.
    let mut slow = slow;
    assert_eq!(
        (slow.append(&[1], 40 * KIB), slow.exchange(1), slow.put(Vec::new())),
        (Err(NoRoom), Err(NoRoom), Err(NoRoom))
    );
    drop(slow);
    assert_eq!(shelf.books().taken, 80 * KIB);
}

#[test]
fn who_would_hold_more_than_any_other_gets_what_is_free_and_takes_nothing_away() {
    let shelf = Shelf::new(100 * KIB, 0);
    let (first, second) = (filled(&shelf, "a", 40 * KIB), filled(&shelf, "b", 40 * KIB));
    let mut more = shelf.corner("b".into()).lot();
    assert_eq!(more.append(&[0; 21 * KIB], 21 * KIB), Err(NoRoom));
    assert_eq!(more.append(&[0; 20 * KIB], 20 * KIB), Ok(()));
    assert!(first.look(|_| ()).is_ok() && second.look(|_| ()).is_ok());
    let mut alone = shelf.corner("a".into()).lot();
    assert_eq!(alone.append(&[0; 30 * KIB], 30 * KIB), Err(NoRoom), "it would hold more than b does");
}

#[test]
fn a_smaller_shelf_takes_nothing_away_until_somebody_needs_the_room() {
    let shelf = Shelf::new(100 * KIB, 0);
    let first = filled(&shelf, "a", 80 * KIB);
    shelf.resize(50 * KIB, 0);
    assert!(first.look(|_| ()).is_ok());
    let second = filled(&shelf, "b", 20 * KIB);
    assert!(first.look(|_| ()).is_err() && second.look(|_| ()).is_ok());
    assert_eq!(shelf.books().taken, 20 * KIB);
}

#[test]
fn what_grows_leaves_room_for_what_is_whole_and_that_may_wait_for_more() {
    let shelf = Shelf::new(100 * KIB, 30 * KIB);
    let mut first = filled(&shelf, "a", 40 * KIB);
    let mut second = filled(&shelf, "a", 30 * KIB);
    assert_eq!(shelf.corner("a".into()).lot().append(&[0], 1), Err(NoRoom));
    assert_eq!((first.make_room(70 * KIB), second.make_room(60 * KIB)), (Ok(true), Ok(false)));
    assert_eq!(second.look(<[u8]>::len), Ok(30 * KIB), "it is still there");
    let mut changed = pin!(shelf.changed());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(changed.as_mut().poll(&mut cx).is_pending());
    drop(first);
    assert!(changed.as_mut().poll(&mut cx).is_ready());
    assert_eq!(second.make_room(60 * KIB), Ok(true));
    let mut changed = pin!(shelf.changed());
    assert!(changed.as_mut().poll(&mut cx).is_pending());
    let _others = [filled(&shelf, "b", 30 * KIB), filled(&shelf, "c", 30 * KIB)];
    assert!(changed.as_mut().poll(&mut cx).is_ready(), "who waits is told");
    assert_eq!(second.make_room(60 * KIB), Err(NoRoom), "it had to give way");
}

#[test]
fn nobody_waits_where_nothing_goes_on() {
    let shelf = Shelf::new(100 * KIB, 30 * KIB);
    let mut lots = ["a", "a", "b"].map(|peer| filled(&shelf, peer, 32 * KIB));
    assert_eq!(lots[0].make_room(60 * KIB), Err(NoRoom));
    assert_eq!(lots[0].make_room(33 * KIB), Ok(true));
    assert_eq!(lots[1].make_room(60 * KIB), Ok(false));
}

#[derive(Clone, Debug)]
enum Act {
    Append(usize),
    Exchange(usize),
    Put(usize),
    Drop,
}

fn acts() -> impl Strategy<Value = Vec<(usize, usize, Act)>> {
    let act = prop_oneof![
        6 => (1..40 * KIB).prop_map(Act::Append),
        1 => (1..90 * KIB).prop_map(Act::Exchange),
        1 => (0..90 * KIB).prop_map(Act::Put),
        1 => Just(Act::Drop),
    ];
    prop::collection::vec((0..5usize, 0..4usize, act), 1..200)
}

const SIZE: usize = 300 * KIB;
const SPARE: usize = 60 * KIB;
const MOST: usize = 120 * KIB;

/// What is true of a shelf at any time.
fn is_sound(shelf: &Shelf) -> bool {
    let books = shelf.books();
    let peers_add_up = books.peers.values().all(|holding| {
        let lots = holding.lots.values();
        let held = lots
            .clone()
            .all(|lot| lock(&lot.contents).as_ref().is_some_and(|bytes| bytes.capacity() <= lot.counted));
        let grows = lots.clone().filter(|lot| lot.grows).map(|lot| lot.counted).sum::<usize>();
        held && grows <= books.size - books.spare
            && !holding.lots.is_empty()
            && holding.taken == lots.map(|lot| lot.counted).sum::<usize>()
    });
    let taken = books.peers.values().map(|holding| holding.taken).sum::<usize>();
    peers_add_up && books.taken == taken && taken <= books.size
}

proptest! {
    /// Whatever peers do, each of them can have its share, nobody within its share loses anything, and nothing is left.
    #[test]
    fn each_peer_can_always_have_its_share(acts in acts()) {
        let shelf = Shelf::new(SIZE, SPARE);
        let names = ["a", "b", "c", "d", "e"];
        let corners = names.map(|name| shelf.corner(name.into()));
        let mut lots: Vec<Vec<Lot>> = corners.iter().map(|corner| (0..4).map(|_| corner.lot()).collect()).collect();
        for (peer, number, act) in acts {
            let before = names.map(|name| held(&shelf, name));
            let is_other = |other: &usize| *other != peer;
            let holders = 1 + (0..5).filter(is_other).filter(|other| before[*other] > 0).count();
            let lot = &mut lots[peer][number];
            let was_there = lot.look(|_| ()).is_ok();
            let most = if matches!(act, Act::Append(_)) { SIZE - SPARE } else { SIZE };
            let grows = match act {
                Act::Append(bytes) if lot.len() + bytes <= MOST => {
                    Some((lot.append(&vec![1; bytes], MOST), (lot.len() + bytes) * 5 / 4 + 16 * KIB))
                }
                Act::Exchange(bytes) => Some((lot.exchange(bytes).map(drop), bytes)),
                Act::Put(bytes) => Some((lot.put(vec![2; bytes]), bytes)),
                Act::Append(_) => None,
                Act::Drop => {
                    *lot = corners[peer].lot();
                    None
                }
            };
            prop_assert!(is_sound(&shelf));
            if let Some((result, bytes)) = grows {
                let within_share = before[peer] + bytes <= most.min(SIZE / holders);
                prop_assert!(result.is_ok() || !was_there || !within_share, "{result:?} of {before:?}");
                for other in (0..5).filter(is_other) {
                    let lost = held(&shelf, names[other]) < before[other];
                    prop_assert!(!lost || before[other] > SIZE / holders, "{before:?}");
                    prop_assert!(!lost || result.is_ok(), "taken away for nothing");
                }
            }
        }
        drop(lots);
        let books = shelf.books();
        prop_assert_eq!((books.taken, books.peers.len()), (0, 0));
    }
}
