use super::{Due, Store};
use crate::daemon::blocking::error::{BlockError, LONGEST, MOST, MOST_AUTOMATIC};
use crate::daemon::blocking::kept::{Kept, NAME, Row};
use crate::policy::{AutomaticBlocks, Blocks};
use crate::scratch::Scratch;
use crate::vocabulary::Reason;
use arc_swap::ArcSwap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn open(folder: &Path) -> (Store, Arc<ArcSwap<Blocks>>) {
    let in_force = Arc::new(ArcSwap::default());
    (Store::open(folder, in_force.clone(), Arc::new(|| {})).unwrap(), in_force)
}

#[tokio::test]
async fn a_block_is_on_the_disk_and_in_force_when_it_is_answered_and_no_number_comes_again() {
    let home = Scratch::new();
    let folder = home.path().join("state");
    let (store, in_force) = open(&folder);
    let of = |text: &str| (text.parse().unwrap(), None);
    let first = store.add(of("ae-title:OLD"), ("stolen", "anna")).await.unwrap();
    let second = (of("peer:lyon").0, Some(Duration::from_secs(3600)));
    let second = store.add(second, ("under repair", "anna")).await.unwrap();
    assert_eq!((first.id, second.id), (1, 2));
    assert_eq!(second.until.unwrap() - second.since, Duration::from_secs(3600));
    store.remove(2).await.unwrap();
    assert!(matches!(store.remove(2).await, Err(BlockError::Unknown(2))));
    let (again, kept) = open(&folder);
    let kept = kept.load_full();
    assert_eq!(kept.iter().collect::<Vec<_>>(), [&first]);
    assert_eq!(in_force.load_full(), kept);
    assert_eq!(again.add(of("peer:oslo"), ("x", "y")).await.unwrap().id, 3);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join(NAME))), (0o700, 0o600));
}

#[tokio::test]
async fn whom_the_disk_does_not_take_is_shut_out_in_memory_which_is_said_and_written_once_it_can_be() {
    let home = Scratch::new();
    let (store, in_force) = open(home.path());
    let of = |text: &str| (text.parse().unwrap(), None);
    let kept = store.add(of("peer:oslo"), ("x", "y")).await.unwrap();
    // A folder in the place of the file that is written beside.
    let beside = home.path().join(format!("{NAME}-new"));
    fs::create_dir_all(beside.join("x")).unwrap();
    let said = store.add(of("peer:lyon"), ("x", "y")).await.unwrap_err();
    assert!(matches!(said, BlockError::OnlyInMemory { id: 2, .. }), "{said:?}");
    let text = said.to_string();
    assert!(text.starts_with("block 2 is in force, but only in memory: ") && text.contains(NAME), "{text}");
    let ids = |blocks: &Blocks| blocks.iter().map(|block| block.id).collect::<Vec<_>>();
    assert_eq!((ids(&in_force.load()), ids(&open(home.path()).1.load())), (vec![1, 2], vec![1]));
    // Of one that the disk has, the disk decides whether it is taken back; of one that it never had, nobody does.
    let refused = store.remove(kept.id).await;
    assert!(matches!(refused, Err(BlockError::NotKept { .. })), "{refused:?}");
    store.add(of("peer:bern"), ("x", "y")).await.unwrap_err();
    assert_eq!(store.remove(3).await.unwrap().id, 3);
    assert_eq!((ids(&in_force.load()), store.save_again().await), (vec![1, 2], false));
    fs::remove_dir_all(beside).unwrap();
    assert!(store.save_again().await);
    assert_eq!(ids(&open(home.path()).1.load()), [1, 2]);
    assert_eq!(store.remove(2).await.unwrap().id, 2);
    assert_eq!(ids(&open(home.path()).1.load()), [1]);
}

#[tokio::test]
async fn what_is_begun_is_on_the_disk_in_force_and_followed_also_where_nobody_waits_for_it() {
    let home = Scratch::new();
    let in_force = Arc::new(ArcSwap::<Blocks>::default());
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let (seen, file) = (in_force.clone(), home.path().join(NAME));
    let then = move || tell.try_send((seen.load().iter().count(), file.exists())).unwrap();
    let store = Store::open(home.path(), in_force, Arc::new(then)).unwrap();
    let mut adding = Box::pin(store.add(("peer:lyon".parse().unwrap(), None), ("x", "y")));
    let begun = std::future::poll_fn(|cx| std::task::Poll::Ready(adding.as_mut().poll(cx))).await;
    drop((begun, adding));
    assert_eq!(told.recv().await, Some((1, true)));
    assert_eq!(open(home.path()).1.load().iter().count(), 1);
}

#[tokio::test]
async fn what_may_not_last_is_in_force_and_its_answer_says_both() {
    let home = Scratch::new();
    let (mut store, in_force) = open(home.path());
    store.write = |_, _| Ok(Some(std::io::Error::other("the folder")));
    let error = store.add(("peer:lyon".parse().unwrap(), None), ("x", "y")).await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("the change of block 1 is in force, but a crash"), "{said}");
    assert!(said.ends_with("blocks.json: the folder"), "{said}");
    assert_eq!(in_force.load().iter().count(), 1);
    assert!(matches!(store.remove(1).await, Err(BlockError::NotSure { id: 1, .. })));
    assert_eq!(**in_force.load(), Blocks::default());
}

#[tokio::test]
async fn a_file_that_cannot_be_understood_lets_nobody_start() {
    let home = Scratch::new();
    for (text, told) in [
        ("{", "EOF"),
        (
            r#"{"next":2,"blocks":[{"id":1,"of":"host:a","why":"x","by":"y","since":"2026-11-30T00:00:00Z"}]}"#,
            "is not what a block names",
        ),
        (r#"{"next":2,"blocks":[{"id":1,"of":"peer:a","why":"x","by":"y","since":"today"}]}"#, "\"today\""),
        (r#"{"next":2,"blocks":[],"more":1}"#, "unknown field"),
    ] {
        fs::write(home.path().join(NAME), text).unwrap();
        let error = Store::open(home.path(), Arc::default(), Arc::new(|| {})).err().unwrap().to_string();
        assert!(error.contains(told) && error.contains(NAME), "{error}");
    }
}

#[tokio::test]
async fn as_many_blocks_as_are_accepted_are_read_at_the_next_start() {
    let home = Scratch::new();
    let (store, _) = open(home.path());
    // The longest of everything, and what takes two bytes in JSON.
    let (of, why) = (format!("certificate:spki-sha256:{}", "ab".repeat(32)), "\\".repeat(500));
    let until = Some(Duration::from_secs(3600));
    let first = store.add((of.parse().unwrap(), until), (&why, &"\"".repeat(9000))).await.unwrap();
    assert_eq!(first.by, "\"".repeat(500));
    let row = Row::of(&first);
    let kept = Kept { next: u64::MAX, blocks: vec![Row { id: u64::MAX - 1, ..row }; MOST] };
    assert!((serde_json::to_vec_pretty(&kept).unwrap().len() as u64) < LONGEST);
    let second = store.add((of.parse().unwrap(), None), ("x", "a\u{1b}[2J")).await.unwrap();
    assert_eq!(second.by, "a\u{fffd}[2J");
    assert_eq!(open(home.path()).1.load().iter().collect::<Vec<_>>(), [&first, &second]);
}

#[tokio::test]
async fn what_would_be_too_long_to_be_read_again_is_refused_and_said_where_it_is_there() {
    let home = Scratch::new();
    let file = home.path().join(NAME);
    let of_length = |why: usize| {
        let since = "2026-11-30T00:00:00Z";
        let why = "x".repeat(why);
        format!(
            r#"{{"next":2,"blocks":[{{"id":1,"of":"peer:a","why":"{why}","by":"y","since":"{since}"}}]}}"#
        )
    };
    let longest = usize::try_from(LONGEST).unwrap();
    let text = of_length(longest - of_length(0).len());
    fs::write(&file, &text).unwrap();
    let (store, in_force) = open(home.path());
    let before = in_force.load_full();
    let refused = store.add(("peer:b".parse().unwrap(), None), ("x", "y")).await;
    assert!(matches!(refused, Err(BlockError::Full)), "{refused:?}");
    assert_eq!((in_force.load_full(), fs::read_to_string(&file).unwrap()), (before, text.clone()));
    fs::write(&file, text + " ").unwrap();
    let error = Store::open(home.path(), Arc::default(), Arc::new(|| {})).err().unwrap().to_string();
    assert!(error.contains("longer than 33554432 bytes"), "{error}");
}

#[tokio::test]
async fn a_block_that_would_be_over_at_once_or_never_is_refused() {
    let home = Scratch::new();
    let (store, in_force) = open(home.path());
    for lasting in [Duration::ZERO, Duration::from_secs(8000 * 366 * 24 * 3600), Duration::MAX] {
        let refused = store.add(("peer:a".parse().unwrap(), Some(lasting)), ("x", "y")).await;
        assert!(matches!(refused, Err(BlockError::Lasting)), "{refused:?}");
    }
    assert_eq!(**in_force.load(), Blocks::default());
}

#[tokio::test]
async fn a_reason_is_given_in_short_and_without_what_could_move_a_cursor() {
    let home = Scratch::new();
    let (store, _) = open(home.path());
    for why in ["", "a\nb", "\u{1b}[2J", &"x".repeat(501)] {
        let refused = store.add(("peer:a".parse().unwrap(), None), (why, "y")).await;
        assert!(matches!(refused, Err(BlockError::Reason)), "{refused:?}");
    }
}

fn due(number: usize, seconds: u64) -> Due {
    let (within, lasting) = (Duration::from_secs(60), Duration::from_secs(seconds));
    Due {
        of: format!("address:10.{}.{}.{}", number >> 16, (number >> 8) & 0xFF, number & 0xFF)
            .parse()
            .unwrap(),
        count: 20,
        last: Reason::HttpOnDicomPort,
        address: "10.0.0.1".parse().unwrap(),
        listener: "remote".into(),
        rules: Arc::new(AutomaticBlocks { refusals: 20, within, lasting, exempt: Vec::new() }),
    }
}

#[tokio::test]
async fn those_that_nobody_decided_on_are_made_once_kept_and_leave_those_of_people_be() {
    let home = Scratch::new();
    let (store, in_force) = open(home.path());
    let by_hand = store.add(("address:10.0.0.1".parse().unwrap(), None), ("x", "y")).await.unwrap();
    let made = store.add_automatic(vec![due(1, 60), due(2, 3600), due(2, 3600), due(3, 600)]).await.unwrap();
    assert!(made.not_kept.is_none());
    let ids: Vec<u64> = made.made.iter().map(|(block, _)| block.id).collect();
    assert_eq!(ids, [2, 3], "10.0.0.1 is blocked already, and 10.0.0.2 once");
    assert_eq!(open(home.path()).1.load_full(), in_force.load_full());
    let many = (0..MOST_AUTOMATIC).map(|number| due(1000 + number, 7200)).collect();
    assert_eq!(store.add_automatic(many).await.unwrap().made.len(), MOST_AUTOMATIC);
    let there = in_force.load_full();
    assert_eq!(there.iter().filter(|block| block.automatic).count(), MOST_AUTOMATIC);
    let first: Vec<u64> = there.iter().take(2).map(|block| block.id).collect();
    assert_eq!(first, [by_hand.id, 4], "those gave way that end first");
    store.add(("peer:lyon".parse().unwrap(), None), ("x", "y")).await.unwrap();
}
