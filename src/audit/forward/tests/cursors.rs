//! How far a destination has come: kept, sealed, and believed only where the seal vouches for it.

use super::*;

/// What a renderer remembers of an association that sent an object of a study.
fn remembered() -> State {
    let mut renderer = Renderer::new(source(), State::default());
    for line in [OPENED, STORED] {
        renderer.render(&read(line.as_bytes()).unwrap());
    }
    renderer.state().clone()
}

const OPENED: &str = r#"{"time":"2026-01-02T03:04:05.000006Z","event":"association-opened","sequence":1,"association":"a1-of-4711","address":"192.0.2.7","calling-ae-title":"SCANNER","called-ae-title":"PACS"}"#;

const STORED: &str = r#"{"time":"2026-01-02T03:04:05.000007Z","event":"operation","sequence":2,"association":"a1-of-4711","operation":"C-STORE","direction":"from-peer","sop-class":"1.2.840.10008.5.1.4.1.1.2","study":"1.2.840.99.77","patient":"hmac:0815","status":"0x0000","duration-ms":1}"#;

#[test]
fn what_a_cursor_remembers_of_studies_is_sealed_and_read_again() {
    let home = Scratch::new();
    let position = Position { file: FIRST.into(), offset: 4 };
    let kept = Cursor { position, sequence: 2, messages: 1, state: remembered() };
    kept.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let path = path_of(home.path(), "arr");
    let bytes = fs::read(&path).unwrap();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(
        shown.starts_with(
            "{\"file\":\"audit-2026-01-02.jsonl\",\"offset\":4,\"sequence\":2,\"messages\":1}\n"
        ),
        "{shown}"
    );
    for secret in ["1.2.840", "0815", "SCANNER", "192.0.2", "a1-of-4711"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(load(home.path(), Begin::Now), kept);
    // As an earlier version wrote it.
    let mut clear = serde_json::to_value(&kept).unwrap();
    assert!(clear.get("state").is_none());
    clear["state"] = serde_json::to_value(&kept.state).unwrap();
    fs::write(&path, clear.to_string()).unwrap();
    assert_eq!(load(home.path(), Begin::Now), kept);
}

#[test]
fn a_cursor_that_its_seal_does_not_vouch_for_begins_with_the_oldest_record_and_says_so() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let position = Position { file: FIRST.into(), offset: 4 };
    let kept = Cursor { position, sequence: 2, messages: 1, state: remembered() };
    kept.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let path = path_of(home.path(), "arr");
    let bytes = fs::read(&path).unwrap();
    let end = bytes.iter().position(|&byte| byte == b'\n').unwrap();
    let flipped =
        |at: usize| bytes.iter().enumerate().map(|(i, b)| b ^ u8::from(i == at)).collect::<Vec<_>>();
    let moved =
        [&br#"{"file":"audit-2026-01-02.jsonl","offset":9,"sequence":2,"messages":1}"#[..], &bytes[end..]];
    let broken = [
        ("moved on", moved.concat()),
        ("damaged", flipped(bytes.len() - 1)),
        ("of another nonce", flipped(end + 1)),
        ("cut off within the seal", bytes[..end + 9].to_vec()),
        ("cut off before the seal", bytes[..=end].to_vec()),
        ("without its seal", bytes[..end].to_vec()),
        ("empty", Vec::new()),
    ];
    for (how, broken) in broken {
        fs::write(&path, broken).unwrap();
        let log = logged(|| assert_eq!(load(home.path(), Begin::Now), Cursor::default(), "{how}"));
        assert_eq!(log.matches("all records are sent again").count(), 1, "{how}: {log}");
    }
    fs::write(&path, &bytes).unwrap();
    fs::write(home.path().join("forward.key"), [7; 32]).unwrap();
    let log = logged(|| assert_eq!(load(home.path(), Begin::Now), Cursor::default(), "another key"));
    assert!(log.contains("all records are sent again"), "{log}");
}

/// What is logged on this thread while `work` is done.
fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Write::write(&mut *self.0.lock().unwrap(), bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, work);
    String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn a_cursor_that_cannot_be_stored_is_told_once_and_when_it_can_again() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let to =
        Destination { begin: Begin::Oldest, ..destination(syslog("127.0.0.1:9".into(), Transport::Udp)) };
    let mut progress = Progress::new(home.path().to_owned(), to, Hold::default(), Arc::default()).unwrap();
    assert!(progress.next().unwrap().is_some());
    progress.settle();
    let in_the_way = home.path().join("forward-arr.cursor-new");
    fs::create_dir_all(in_the_way.join("x")).unwrap();
    let log = logged(|| (0..20).for_each(|_| progress.store()));
    assert_eq!(log.matches("cannot store how far").count(), 1, "{log}");
    fs::remove_dir_all(in_the_way).unwrap();
    let log = logged(|| (0..3).for_each(|_| progress.store()));
    assert_eq!((log.lines().count(), log.matches("is stored again").count()), (1, 1), "{log}");
    assert_eq!(load(home.path(), Begin::Now).sequence, 1);
}

#[test]
fn a_cursor_that_cannot_be_read_means_everything_again() {
    let home = Scratch::new();
    append(home.path(), FIRST, "one\n");
    let fresh = load(home.path(), Begin::Now);
    assert_eq!(fresh.position, Position { file: FIRST.into(), offset: 4 });
    assert_eq!(load(home.path(), Begin::Oldest), Cursor::default());
    let kept = Cursor { sequence: 7, messages: 9, ..fresh };
    kept.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    assert_eq!(load(home.path(), Begin::Oldest), kept);
    fs::write(path_of(home.path(), "arr"), b"{\"file\":").unwrap();
    assert_eq!(load(home.path(), Begin::Now), Cursor::default());
}

#[test]
fn a_trail_that_begins_anew_is_sent_though_a_cursor_is_years_beyond_it() {
    let home = Scratch::new();
    append(home.path(), FIRST, &configured(1));
    let position = Position { file: "audit-2036-01-02.jsonl".into(), offset: 77 };
    let cursor = Cursor { position, sequence: 70, messages: 60, ..Cursor::default() };
    cursor.store(home.path(), "arr", &Seal::of(home.path()).unwrap()).unwrap();
    let to = destination(syslog("127.0.0.1:9".into(), Transport::Udp));
    let begin =
        || Progress::new(home.path().to_owned(), to.clone(), Hold::default(), Arc::default()).unwrap();
    let log = logged(|| {
        let mut progress = begin();
        let parcels = progress.next().unwrap().unwrap();
        assert_eq!((parcels[0].sequence, parcels[0].number), (1, 61), "a number is not given twice");
        progress.settle();
        progress.store();
    });
    assert_eq!(log.matches("it is sent from its beginning").count(), 1, "{log}");
    assert!(begin().next().unwrap().is_none(), "once");
}
