use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;

use super::{at, key, secret, user};
use crate::scratch::Scratch;
use crate::users::{Store, User, UsersError, check_new_name, read};

fn names(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.name.as_str()).collect()
}

#[test]
fn nobody_new_is_called_as_records_call_those_whom_nobody_knows() {
    assert!(check_new_name("Unknown").unwrap_err().contains("in the records"));
    assert!(check_new_name("unknown2").is_ok() && check_new_name("a b").is_err());
    let home = Scratch::new();
    let file = home.path().join("users.toml");
    Store::new(&file).add(user("unknown")).unwrap();
    assert_eq!(names(&read(&file).unwrap()), ["unknown"], "one who is there already");
}

#[test]
fn what_is_written_is_read() {
    let home = Scratch::new();
    let (file, store) = (home.path().join("users.toml"), Store::new(&home.path().join("users.toml")));
    let sealed = key().seal("anna", &secret()).unwrap();
    let anna = User {
        one_time: Some(sealed.clone()),
        roles: vec!["administrator".into(), "night-shift".into()],
        not_after: Some(at(1_800_000_000)),
        disabled: true,
        peers: vec!["lyon".into()],
        ..user("anna")
    };
    store.add(anna).unwrap();
    store.add(user("bert")).unwrap();
    let users = read(&file).unwrap();
    assert_eq!(names(&users), ["anna", "bert"]);
    let [anna, bert] = users.as_slice() else { panic!("two") };
    assert!(anna.one_time == Some(sealed) && anna.hash == *super::HASH && anna.disabled && !bert.disabled);
    assert_eq!((anna.not_after, bert.not_after), (Some(at(1_800_000_000)), None));
    assert_eq!(
        (&anna.roles[..], &anna.peers[..]),
        (&["administrator".into(), "night-shift".to_owned()][..], &["lyon".to_owned()][..])
    );
    assert_eq!(anna.administration(), Some(crate::users::AdminRole::Administrator));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.starts_with("# The users of dimsegate") && text.contains("not-after = \"2027-01-15T08:00:00Z\""),
        "{text}"
    );
    store.change("anna", |anna| anna.disabled = false).unwrap();
    store.remove("bert").unwrap();
    let users = read(&file).unwrap();
    assert!(names(&users) == ["anna"] && !users[0].disabled);
    assert!(matches!(store.remove("bert"), Err(UsersError::Unknown { .. })));
    assert!(matches!(store.add(user("ANNA")), Err(UsersError::Exists { name, .. }) if name == "anna"));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_nothing_is_changed() {
    let home = Scratch::new();
    let file = home.path().join("users.toml");
    let store = Store::new(&file);
    store.add(user("anna")).unwrap();
    let good = fs::read_to_string(&file).unwrap();
    for (from, to, place, what) in [
        ("name = \"anna\"", "nme = \"anna\"", "4:1", "unknown field `nme`"),
        ("name = \"anna\"", "name = \"an na\"", "4:8", "cannot be the name of a user"),
        ("name = \"anna\"", "name = 7", "4:8", "invalid type"),
        ("$argon2id", "$argon2x", "5:12", "passcode is no argon2id hash"),
        ("roles", "not-after = \"tomorrow\"\nroles", "6:13", "not-after is no date"),
        ("roles", "one-time-secret = \"?\"\nroles", "6:19", "one-time-secret is none"),
        ("[[user]]", "[[users]]", "3:3", "unknown field `users`"),
        ("roles = [", "roles = [[", "6:", ""),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&file, good.replacen(from, to, 1)).unwrap();
        let told = store.change("anna", |_| {}).unwrap_err().to_string();
        let begin = format!("{}:{place}", file.display());
        assert!(told.starts_with(&begin) && told.contains(what), "{told}");
        assert_eq!(fs::read_to_string(&file).unwrap(), good.replacen(from, to, 1));
    }
    // Cut anywhere it is one file or none, and never more than was there.
    for end in 0..good.len() {
        fs::write(&file, &good[..end]).unwrap();
        assert!(read(&file).map_or(0, |users| users.len()) <= 1);
    }
    let twice = good.replacen("# ", &format!("{}# ", good.replace("anna", "Anna")), 1);
    fs::write(&file, twice).unwrap();
    assert!(read(&file).unwrap_err().to_string().contains("a second user is called \"anna\""));
    fs::write(&file, [good.as_bytes(), b"# \xff"].concat()).unwrap();
    assert!(read(&file).unwrap_err().to_string().ends_with("is not UTF-8"));
}

#[test]
fn a_file_that_others_can_read_a_pipe_and_a_huge_one_are_refused() {
    let home = Scratch::new();
    let file = home.path().join("users.toml");
    let store = Store::new(&file);
    assert!(matches!(read(&file), Err(UsersError::Missing(_))));
    assert!(matches!(store.remove("anna"), Err(UsersError::Missing(_))));
    store.add(user("anna")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    for told in
        [read(&file).unwrap_err(), store.remove("anna").unwrap_err(), store.add(user("bert")).unwrap_err()]
    {
        assert!(told.to_string().contains("can be read by others (mode 0640), type: chmod 600"), "{told}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(9 << 20).unwrap();
    assert!(matches!(read(&file), Err(UsersError::TooLarge { .. })));
    fs::remove_file(&file).unwrap();
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &file, kind, mode, 0).unwrap();
    assert!(read(&file).unwrap_err().to_string().contains("is a pipe"));
}

#[test]
fn the_mode_stays_and_a_link_stays_a_link() {
    let home = Scratch::new();
    let (real, link) = (home.path().join("real.toml"), home.path().join("users.toml"));
    Store::new(&real).add(user("anna")).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o400)).unwrap();
    symlink(&real, &link).unwrap();
    Store::new(&link).change("anna", |anna| anna.disabled = true).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(read(&real).unwrap()[0].disabled);
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o7777, 0o400);
}

#[test]
fn changes_at_once_are_all_kept() {
    let home = Scratch::new();
    let store = Store::new(&home.path().join("users.toml"));
    thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..5 {
                    store.add(user(&format!("user-{thread}-{number}"))).unwrap();
                }
            });
        }
    });
    assert_eq!(read(&home.path().join("users.toml")).unwrap().len(), 40);
}

#[test]
fn a_step_counts_once_also_for_another_process() {
    let home = Scratch::new();
    let file = home.path().join("users.toml");
    let store = Store::new(&file);
    store.add(user("anna")).unwrap();
    store.add(user("bert")).unwrap();
    let take = |name, step| Store::new(&file).take_step(name, step).unwrap();
    assert!(take("anna", 7) && !take("anna", 7) && !take("anna", 6) && take("bert", 7) && take("anna", 8));
    let used = home.path().join("users.toml.used");
    assert_eq!(fs::read_to_string(&used).unwrap(), r#"{"anna":8,"bert":7}"#);
    assert_eq!(fs::metadata(&used).unwrap().permissions().mode() & 0o7777, 0o600);
    // Of whoever is gone nothing is kept.
    store.remove("bert").unwrap();
    assert!(take("anna", 9));
    assert_eq!(fs::read_to_string(&used).unwrap(), r#"{"anna":9}"#);
    // What cannot be read lets nobody in a second time.
    fs::write(&used, "{").unwrap();
    assert!(store.take_step("anna", 10).is_err());
}
