use super::{Current, People};
use crate::config::sample;
use crate::files::{Looks, Stamp};
use crate::scratch::Scratch;
use crate::users::{Hash, Store, User, Users};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A file with these users, and those who were read from it.
struct Site {
    current: Current,
    file: PathBuf,
    /// What the clock shows.
    now: Instant,
    home: Scratch,
}

impl Site {
    fn new(names: &[&str]) -> Self {
        let home = Scratch::new();
        let file = home.path().join("users.toml");
        let hash = Hash::of("seven quiet herons").unwrap();
        for name in names {
            let user = User {
                name: (*name).to_owned(),
                hash: hash.clone(),
                one_time: None,
                roles: Vec::new(),
                not_after: None,
                disabled: false,
                peers: Vec::new(),
            };
            Store::new(&file).add(user).unwrap();
        }
        let stamp = Stamp::of(&file);
        let users = Users::open(&file, None).unwrap();
        let looks = Looks::new(stamp);
        let current = Current { settings: Weak::new(), file: file.clone(), stamp, looks, users, told: false };
        Self { current, file, now: Instant::now(), home }
    }

    /// The text of each user.
    fn blocks(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap();
        text.split("[[user]]").skip(1).map(|user| format!("[[user]]{user}")).collect()
    }

    fn append(&self, text: &str) {
        OpenOptions::new().append(true).open(&self.file).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Looks, and does this in each pause, told how long it has taken by then. Whether the file was read, and how long that took.
    fn follow(&mut self, mut meanwhile: impl FnMut(Duration)) -> (bool, Duration) {
        let (began, now) = (self.now, &mut self.now);
        let is_read = self.current.follow(Stamp::of(&self.file), &mut |wait| {
            *now += wait;
            if !wait.is_zero() {
                meanwhile(*now - began);
            }
            *now
        });
        (is_read, self.now - began)
    }

    fn knows(&self, name: &str) -> bool {
        self.current.users.knows(name)
    }
}

#[test]
fn a_file_that_is_written_in_place_for_long_takes_their_right_from_nobody_and_is_read_when_it_stands_still() {
    let mut site = Site::new(&["anna", "bert", "nora"]);
    let (file, blocks) = (site.file.clone(), site.blocks());
    fs::write(&file, &blocks[0]).unwrap();
    // A block now and then, for longer than any login waits.
    let mut writing = OpenOptions::new().append(true).open(&file).unwrap();
    for _ in 0..4 {
        let (is_read, took) = site.follow(|_| writing.write_all(b"\n").unwrap());
        assert!(!is_read && took <= Duration::from_millis(500), "{took:?}");
        assert!(site.knows("nora"), "half of the file counts");
        site.now += Duration::from_millis(8);
        writing.write_all(b"\n").unwrap();
    }
    site.append(&blocks[1]);
    site.now += Duration::from_secs(5);
    assert!(site.follow(|_| ()).0);
    assert_eq!(["anna", "bert", "nora"].map(|name| site.knows(name)), [true, true, false]);
    assert_eq!(site.follow(|_| panic!("it has not changed")), (false, Duration::ZERO));
}

#[test]
fn a_file_with_a_pause_of_60_ms_between_two_blocks_is_read_whole() {
    let mut site = Site::new(&["anna", "bert"]);
    let (file, blocks) = (site.file.clone(), site.blocks());
    fs::write(&file, &blocks[0]).unwrap();
    let mut rest = Some(blocks[1].clone());
    let mut writing = OpenOptions::new().append(true).open(&file).unwrap();
    let (is_read, _) = site.follow(|passed| {
        let rest = rest.take_if(|_| passed >= Duration::from_millis(60));
        writing.write_all(rest.unwrap_or_default().as_bytes()).unwrap();
    });
    assert!(is_read && rest.is_none() && site.knows("bert"));
}

#[tokio::test]
async fn whoever_keeps_the_hours_is_told_once_that_somebody_is_writing_the_file_and_looks_again() {
    let site = Site::new(&["anna"]);
    let users = "[users]\nfile = \"HOME/users.toml\"\n";
    let settings = Arc::new(sample::read(site.home.path(), users).settings);
    let keeper = Arc::new(Notify::new());
    let people = People::new(keeper.clone());
    let is_told = async || timeout(Duration::ZERO, keeper.notified()).await.is_ok();
    assert!(people.now(&settings).is_some());
    assert!(is_told().await && !people.is_moving(), "of the first users");
    let mut now = Instant::now();
    for is_first in [true, false] {
        site.append("\n");
        let looked = people.now_by(&settings, &mut |wait| {
            site.append("\n");
            now += wait;
            now
        });
        assert!(looked.is_some_and(|users| users.knows("anna")) && people.is_moving());
        assert_eq!(is_told().await, is_first);
    }
    let later = now + Duration::from_secs(1);
    people.now_by(&settings, &mut |_| later);
    assert!(is_told().await && !people.is_moving(), "it was read");
}
