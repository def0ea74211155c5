use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroU32;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use time::macros::date;
use time::{Date, Duration};

use super::{Name, NotTaken, Patient, Seen};
use crate::scratch::Scratch;

const TODAY: Date = date!(2026 - 12 - 01);

fn patient(number: usize) -> Patient {
    Patient::of("pacs", Some(format!("P{number}").as_bytes()), None, None).unwrap()
}

fn patients(numbers: impl IntoIterator<Item = usize>) -> Vec<Patient> {
    numbers.into_iter().map(patient).collect()
}

fn peer(name: &str, most: u32) -> (Name, NonZeroU32) {
    (Name::Peer(name.into()), NonZeroU32::new(most).unwrap())
}

fn user(name: &str, most: u32) -> (Name, NonZeroU32) {
    (Name::User(name.into()), NonZeroU32::new(most).unwrap())
}

#[test]
fn a_patient_counts_once_a_day_also_in_the_next_run() {
    let home = Scratch::new();
    let folder = home.path().join("state");
    let limits = [peer("lyon", 3)];
    let seen = Seen::in_folder(&folder);
    assert!(!folder.exists(), "nothing is made before there is something to keep");
    seen.take(&limits, &patients([1, 2, 1]), TODAY).unwrap();
    seen.take(&limits, &patients([2]), TODAY).unwrap();
    let next = Seen::in_folder(&folder);
    // All of them or none.
    assert_eq!(next.take(&limits, &patients([3, 4]), TODAY), Err(NotTaken::TooMany));
    next.take(&limits, &patients([4]), TODAY).unwrap();
    let last = Seen::in_folder(&folder);
    for run in [&next, &last] {
        assert_eq!(run.take(&limits, &patients([3]), TODAY), Err(NotTaken::TooMany));
        run.take(&limits, &patients([1, 2, 4]), TODAY).unwrap();
    }
    let tomorrow = TODAY.next_day().unwrap();
    last.take(&limits, &patients([3, 1, 5]), tomorrow).unwrap();
    assert_eq!(last.take(&limits, &patients([2]), tomorrow), Err(NotTaken::TooMany));
}

#[test]
fn peers_and_users_have_lists_of_their_own_and_both_are_asked() {
    let home = Scratch::new();
    let seen = Seen::in_folder(home.path());
    seen.take(&[peer("anna", 9), user("anna", 1)], &patients([1]), TODAY).unwrap();
    // The user has no room: nothing is counted, of the peer neither.
    assert_eq!(seen.take(&[peer("anna", 2), user("anna", 1)], &patients([2]), TODAY), Err(NotTaken::TooMany));
    seen.take(&[peer("anna", 2), user("bert", 1)], &patients([2]), TODAY).unwrap();
    assert_eq!(seen.take(&[peer("anna", 2), user("carl", 1)], &patients([3]), TODAY), Err(NotTaken::TooMany));
    seen.take(&[peer("lyon", 1), user("carl", 1)], &patients([3]), TODAY).unwrap();
    // A limit that is lowered lets see again whom one has seen, and nobody else.
    seen.take(&[peer("anna", 1)], &patients([1, 2]), TODAY).unwrap();
    seen.take(&[], &patients(0..50), TODAY).unwrap();
}

#[test]
fn what_is_kept_names_nobody_and_is_for_its_owner_alone() {
    let home = Scratch::new();
    let seen = Seen::in_folder(home.path());
    seen.take(&[peer("lyon", 9), user("anna", 9)], &patients([1]), TODAY).unwrap();
    seen.take(&[peer("lyon", 9)], &patients([1]), TODAY.next_day().unwrap()).unwrap();
    let text = fs::read_to_string(home.path().join("patients")).unwrap();
    let words: BTreeSet<&str> = text.lines().skip(1).flat_map(|line| line.split(' ').skip(2)).collect();
    assert_eq!((text.lines().count(), words.len()), (4, 3), "one hash for each list and day: {text}");
    assert!(!text.contains("lyon") && !text.contains("anna") && !text.contains("P1"), "{text}");
    for name in ["patients", "patients.key"] {
        let mode = fs::metadata(home.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // Another key makes other hashes.
    let other = Scratch::new();
    Seen::in_folder(other.path()).take(&[peer("lyon", 9)], &patients([1]), TODAY).unwrap();
    let others = fs::read_to_string(other.path().join("patients")).unwrap();
    assert!(others.lines().all(|line| !text.contains(line)), "{text}{others}");
}

#[test]
fn old_days_go_and_a_clock_that_is_set_back_forgets_nobody() {
    let home = Scratch::new();
    let (seen, limits) = (Seen::in_folder(home.path()), [peer("lyon", 1)]);
    seen.take(&limits, &patients([1]), TODAY).unwrap();
    let tomorrow = TODAY.next_day().unwrap();
    seen.take(&limits, &patients([2]), tomorrow).unwrap();
    let next = Seen::in_folder(home.path());
    for run in [&seen, &next] {
        assert_eq!(run.take(&limits, &patients([3]), TODAY), Err(NotTaken::TooMany));
        assert_eq!(run.take(&limits, &patients([3]), tomorrow), Err(NotTaken::TooMany));
    }
    next.take(&limits, &patients([3]), tomorrow.next_day().unwrap()).unwrap();
    let text = fs::read_to_string(home.path().join("patients")).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("2026-12-01"), "{text}");
}

#[test]
fn who_is_the_same_patient() {
    let of = |upstream, id: &str, issuer: &str, study: &str| {
        Patient::of(upstream, Some(id.as_bytes()), Some(issuer.as_bytes()), Some(study.as_bytes()))
    };
    assert_eq!(of("pacs", "1", "LYON", "1.2"), of("other", "1", "LYON", "1.3"));
    assert_ne!(of("pacs", "1", "LYON", "1.2"), of("pacs", "1", "PARIS", "1.2"));
    assert_ne!(of("pacs", "1", "LYON", "1.2"), of("pacs", "1", "", "1.2"));
    // Without an issuer, one of that upstream; without an ID, each study is somebody.
    assert_eq!(of("pacs", "1", "", "1.2"), of("pacs", "1", "", "1.3"));
    assert_ne!(of("pacs", "1", "", "1.2"), of("other", "1", "", "1.2"));
    assert_eq!(of("pacs", "", "LYON", "1.2"), of("pacs", "", "", "1.2"));
    assert_ne!(of("pacs", "", "", "1.2"), of("pacs", "", "", "1.3"));
    assert_eq!(Patient::of("pacs", None, None, Some(b"1.2")), of("pacs", "", "", "1.2"));
    assert_eq!((of("pacs", "", "LYON", ""), Patient::of("pacs", None, None, None)), (None, None));
    // No two that only look alike when they are written one behind the other.
    assert_ne!(of("pacs", "12", "3", ""), of("pacs", "2", "31", ""));
    assert_ne!(of("pacs", "1", "pacs", ""), of("pacs", "1", "", ""));
}

#[test]
fn nobody_is_shown_where_it_cannot_be_known_or_kept() {
    let home = Scratch::new();
    let (file, key) = (home.path().join("patients"), home.path().join("patients.key"));
    let limits = [peer("lyon", 2)];
    let told = |seen: &Seen, number| match seen.take(&limits, &patients([number]), TODAY) {
        Err(NotTaken::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    };
    let seen = Seen::in_folder(home.path());
    seen.take(&limits, &patients([1]), TODAY).unwrap();
    let whole = fs::read(&file).unwrap();
    let line = String::from_utf8(whole.clone()).unwrap();
    let fresh = || Seen::in_folder(home.path());
    for bad in [
        "x\n",
        "\n2026-12-01 00 00\n",
        &line.replace("2026-12-01", "2026-13-01"),
        &line.replace('\n', " 00\n"),
        &line.to_uppercase(),
        "no newline",
        "\n",
        "\n\n",
    ] {
        fs::write(&file, bad).unwrap();
        let why = told(&fresh(), 2);
        assert!(why.contains("remove both") && why.contains("patients.key"), "{bad:?}: {why}");
    }
    // The proxy ended in the midst of a line.
    fs::write(&file, [&whole[..], &whole[..20]].concat()).unwrap();
    fresh().take(&limits, &patients([1]), TODAY).unwrap();
    assert_eq!(fs::read(&file).unwrap(), whole);
    // The key is another one, too short, or gone.
    let kept = fs::read(&key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    let why = told(&fresh(), 1);
    assert!(why.contains("was made with another key"), "{why}");
    fs::write(&key, &kept[1..]).unwrap();
    let why = told(&fresh(), 1);
    assert!(why.contains("it is not 32 bytes long"), "{why}");
    fs::remove_file(&key).unwrap();
    let why = told(&fresh(), 1);
    assert!(why.contains("patients.key, the key of who saw whom, cannot be read"), "{why}");
    assert!(!key.exists(), "a key was made that fits no line");
    // Nothing can be written, then it can again.
    put(&key, &kept);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let blocked = Seen::impatient(home.path());
    let why = told(&blocked, 1);
    assert!(why.contains("who saw how many patients, cannot be"), "{why}");
    fs::remove_dir(&file).unwrap();
    put(&file, &whole);
    blocked.take(&limits, &patients([1]), TODAY).unwrap();
    assert_eq!(fs::read(&file).unwrap(), whole);
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn unavailable(taken: Result<(), NotTaken>) -> String {
    match taken {
        Err(NotTaken::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_is_lost_begins_no_day_anew_and_both_that_are_removed_do() {
    let home = Scratch::new();
    let (file, key) = (home.path().join("patients"), home.path().join("patients.key"));
    let limits = [peer("lyon", 1)];
    let fresh = || Seen::in_folder(home.path());
    fresh().take(&limits, &patients([1]), TODAY).unwrap();
    let [whole, kept] = [&file, &key].map(|path| fs::read(path).unwrap());
    fs::write(&file, "").unwrap();
    assert!(unavailable(fresh().take(&limits, &patients([2]), TODAY)).contains("is gone or empty"));
    fs::remove_file(&file).unwrap();
    let why = unavailable(fresh().take(&limits, &patients([2]), TODAY));
    assert!(why.contains("is gone or empty") && why.contains("stop dimsegate and remove both"), "{why}");
    assert!(!file.exists());
    put(&file, &whole);
    assert_eq!(fresh().take(&limits, &patients([2]), TODAY), Err(NotTaken::TooMany));
    // It ended after the first line was written, before the key was.
    let mark: Vec<u8> = whole.split_inclusive(|byte| *byte == b'\n').next().unwrap().to_vec();
    fs::remove_file(&key).unwrap();
    put(&file, &mark);
    fresh().take(&limits, &patients([2]), TODAY).unwrap();
    assert_ne!(fs::read(&key).unwrap(), kept);
    for path in [&file, &key] {
        fs::remove_file(path).unwrap();
    }
    fresh().take(&limits, &patients([3]), TODAY).unwrap();
    assert_eq!(fresh().take(&limits, &patients([2]), TODAY), Err(NotTaken::TooMany));
}

#[test]
fn a_file_that_is_removed_or_replaced_forgets_nobody_and_nobody_is_shown_until_it_is_back() {
    let home = Scratch::new();
    let (file, aside) = (home.path().join("patients"), home.path().join("aside"));
    let limits = [peer("lyon", 3)];
    let seen = Seen::in_folder(home.path());
    seen.take(&limits, &patients([1]), TODAY).unwrap();
    let earlier = fs::read(&file).unwrap();
    seen.take(&limits, &patients([2]), TODAY).unwrap();
    let is_refused = |why: &str, day| {
        for number in [1, 3] {
            let told = unavailable(seen.take(&limits, &patients([number]), day));
            assert!(told.contains(why), "{told}");
        }
    };
    fs::rename(&file, &aside).unwrap();
    is_refused("is gone or empty", TODAY);
    // Nor does a new day write one.
    is_refused("is gone or empty", TODAY.next_day().unwrap());
    assert!(!file.exists());
    put(&file, &earlier);
    is_refused("another file has taken the place of", TODAY);
    assert_eq!(fs::read(&file).unwrap(), earlier);
    fs::rename(&aside, &file).unwrap();
    assert_eq!(seen.take(&limits, &patients([3, 4]), TODAY), Err(NotTaken::TooMany));
    seen.take(&limits, &patients([1, 2, 3]), TODAY).unwrap();
    // A run that begins goes by what is there.
    put(&file, &earlier);
    Seen::in_folder(home.path()).take(&limits, &patients([3, 4]), TODAY).unwrap();
}

#[test]
fn a_disk_that_failed_is_tried_again_after_a_pause_and_no_sooner() {
    let home = Scratch::new();
    let file = home.path().join("patients");
    let limits = [peer("lyon", 3)];
    let take = |seen: &Seen| seen.take(&limits, &patients([1]), TODAY);
    let seen = Seen::in_folder(home.path()).with_pause(std::time::Duration::from_secs(3600));
    fs::create_dir(&file).unwrap();
    let why = unavailable(take(&seen));
    fs::remove_dir(&file).unwrap();
    assert_eq!(unavailable(take(&seen)), why);
    assert!(!file.exists(), "nobody has tried");
    take(&seen.with_pause(std::time::Duration::ZERO)).unwrap();
}

#[test]
fn what_was_known_is_written_again_once_the_disk_goes() {
    let home = Scratch::new();
    let (file, beside) = (home.path().join("patients"), home.path().join("patients-new"));
    let limits = [peer("lyon", 2)];
    let seen = Seen::impatient(home.path());
    seen.take(&limits, &patients([1]), TODAY).unwrap();
    // A later day has the file written anew, for which there is no place.
    fs::create_dir_all(beside.join("x")).unwrap();
    let tomorrow = TODAY.next_day().unwrap();
    for _ in 0..2 {
        assert!(unavailable(seen.take(&limits, &patients([2]), tomorrow)).contains("cannot be written"));
    }
    fs::remove_dir_all(&beside).unwrap();
    assert_eq!(seen.take(&limits, &patients([2, 3]), TODAY), Err(NotTaken::TooMany));
    seen.take(&limits, &patients([2, 3]), tomorrow).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 4);
}

#[test]
fn files_that_others_may_write_or_a_key_that_they_may_read_count_for_nothing() {
    let home = Scratch::new();
    let limits = [peer("lyon", 9)];
    Seen::in_folder(home.path()).take(&limits, &patients([1]), TODAY).unwrap();
    let modes = [("patients", 0o620), ("patients", 0o602), ("patients.key", 0o640), ("patients.key", 0o604)];
    for (name, mode) in modes {
        let set = |mode| {
            fs::set_permissions(home.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        set(mode);
        let why = unavailable(Seen::in_folder(home.path()).take(&limits, &patients([1]), TODAY));
        assert!(why.contains("or others may"), "{name} {mode:o}: {why}");
        set(0o600);
        Seen::in_folder(home.path()).take(&limits, &patients([1]), TODAY).unwrap();
    }
}

#[test]
fn there_is_room_for_so_many_of_all_names_and_today_comes_first() {
    let home = Scratch::new();
    let seen = Seen::in_folder(home.path()).with_room(4);
    seen.take(&[peer("lyon", 9)], &patients(0..4), TODAY).unwrap();
    let full = seen.take(&[peer("nice", 9)], &patients([0]), TODAY).unwrap_err();
    assert!(full.to_string().contains("4 patients of all names"), "{full}");
    seen.take(&[peer("lyon", 9)], &patients(0..4), TODAY).unwrap();
    // What is left of the day before makes room.
    let tomorrow = TODAY.next_day().unwrap();
    seen.take(&[peer("nice", 9)], &patients(0..4), tomorrow).unwrap();
    seen.take(&[peer("lyon", 9)], &patients([0]), tomorrow).unwrap_err();
}

#[test]
fn from_the_tenth_query_on_that_ended_because_of_the_limit_none_is_asked_that_day() {
    let home = Scratch::new();
    let seen = Seen::in_folder(home.path());
    let limits = [peer("lyon", 9), user("anna", 1)];
    let [lyon, anna] = limits.clone().map(|(name, _)| name);
    seen.take_of_query(&limits, &patients([1]), TODAY).unwrap();
    for _ in 0..20 {
        // What was refused of a retrieval tells of no match.
        assert_eq!(seen.take(&limits, &patients([2]), TODAY), Err(NotTaken::TooMany));
        seen.take_of_query(&limits, &patients([1]), TODAY).unwrap();
    }
    for number in 0..10 {
        assert!(seen.may_ask(&[lyon.clone(), anna.clone()], TODAY), "{number}");
        assert_eq!(seen.take_of_query(&limits, &patients([2]), TODAY), Err(NotTaken::TooMany));
    }
    assert!(!seen.may_ask(&[lyon.clone(), anna.clone()], TODAY));
    // It is the limit of the one, and of that day.
    assert!(seen.may_ask(&[lyon], TODAY) && seen.may_ask(&[], TODAY));
    let tomorrow = TODAY.next_day().unwrap();
    assert!(seen.may_ask(std::slice::from_ref(&anna), tomorrow));
    seen.take_of_query(&limits, &patients([1]), tomorrow).unwrap();
    assert_eq!(seen.take_of_query(&limits, &patients([2]), tomorrow), Err(NotTaken::TooMany));
    assert!(seen.may_ask(std::slice::from_ref(&anna), tomorrow));
    assert!(Seen::in_folder(home.path()).may_ask(&[anna], TODAY), "a restart begins anew");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Against sets that are counted by hand.
    #[test]
    fn a_name_never_sees_more_than_it_may_and_always_as_many(
        steps in prop::collection::vec((0_usize..3, 0_usize..3, prop::collection::vec(0_usize..8, 1..4), 0_i64..3, any::<bool>()), 1..40),
        most in 1_u32..6,
    ) {
        let home = Scratch::new();
        let mut seen = Seen::in_folder(home.path());
        let mut by_hand = std::collections::HashMap::<(String, i64), BTreeSet<usize>>::new();
        let mut day = 0;
        for (of_peer, of_user, numbers, later, restarts) in steps {
            day += i64::from(later == 2);
            if restarts {
                seen = Seen::in_folder(home.path());
            }
            let limits = [peer(&of_peer.to_string(), most), user(&of_user.to_string(), most + 1)];
            let lists = [(format!("p{of_peer}"), most), (format!("u{of_user}"), most + 1)];
            let with = lists.map(|(list, most)| {
                let before = by_hand.get(&(list.clone(), day)).cloned().unwrap_or_default();
                let all: BTreeSet<usize> = before.into_iter().chain(numbers.iter().copied()).collect();
                (list, most as usize, all)
            });
            let fits = with.iter().all(|(_, most, all)| all.len() <= *most);
            let taken = seen.take(&limits, &patients(numbers.iter().copied()), TODAY + Duration::days(day));
            prop_assert_eq!(taken, if fits { Ok(()) } else { Err(NotTaken::TooMany) });
            if fits {
                by_hand.extend(with.map(|(list, _, all)| ((list, day), all)));
            }
        }
    }
}
