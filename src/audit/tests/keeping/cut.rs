//! The end of a trail that was cut off behind days that the proxy itself cannot read.

use super::*;
use crate::audit::head::Head;
use crate::scratch::Scratch;
use crate::vocabulary::HeadFound;

struct Trail {
    _home: Scratch,
    key: Arc<SigningKey>,
    identities: Vec<Identity>,
    settings: AuditSettings,
}

impl Trail {
    /// Five records of yesterday, encrypted, and a run of today.
    async fn new() -> Self {
        let home = home();
        let directory = home.path().join("audit");
        fs::create_dir(&directory).unwrap();
        earlier(&directory, &[1]);
        let key = Arc::new(SigningKey::generate().unwrap().0);
        let head = head::read(&directory, &[]).unwrap().unwrap().head;
        head::store(&directory, &head, Some(&key)).unwrap();
        let (secret, public) = reviewers::new_identity().unwrap();
        fs::write(home.path().join("identity"), secret).unwrap();
        let identities = reviewers::read_identities(&home.path().join("identity")).unwrap();
        let keeping = Keeping { reviewers: Reviewers::new(&[&public]).unwrap(), ..Keeping::default() };
        let checkpoints = Checkpoints { key: key.clone(), records: 10, interval: Duration::from_secs(3600) };
        let settings =
            AuditSettings { checkpoints: Some(checkpoints), ..super::settings(&directory, keeping) };
        run_until(settings.clone(), record_of(&directory, "file-closed")).await;
        Self { _home: home, key, identities, settings }
    }

    fn directory(&self) -> &Path {
        &self.settings.directory
    }

    fn head(&self) -> Head {
        head::read(self.directory(), &[]).unwrap().unwrap().head
    }

    fn cut(&self) {
        fs::remove_file(TrailFile::new(self.directory(), today(), Form::default()).path).unwrap();
    }

    fn note(&self) -> std::path::PathBuf {
        self.directory().join(format!("{}.closed", files::stem(ago(1))))
    }

    /// What a further run finds, and the number that it begins with.
    async fn goes_on(&self) -> (HeadFound, u64) {
        run_until(self.settings.clone(), || true).await;
        let text = fs::read_to_string(TrailFile::new(self.directory(), today(), Form::default()).path);
        let text = text.unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["event"], "trail-continued");
        (HeadFound::of(first["head"].as_str().unwrap()).unwrap(), first["sequence"].as_u64().unwrap())
    }

    fn damages(&self, identities: &[Identity]) -> Vec<Damage> {
        let keys = [self.key.public_key()];
        let known = Known { keys: &keys, identities, ..Known::default() };
        let found = verify(self.directory(), known, &mut |_| ()).unwrap();
        found.breaks.into_iter().map(|one| one.damage).collect()
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_behind_an_encrypted_day_is_told_and_its_gap_stays() {
    let trail = Trail::new().await;
    let known = trail.head().sequence;
    assert_eq!(trail.damages(&[]), []);
    trail.cut();
    assert_eq!(trail.damages(&[]), [Damage::CutBefore { known, last: 5 }]);
    assert_eq!(trail.goes_on().await, (HeadFound::Cut, known + 1));
    let gap = Damage::Missing { from: 6, to: known };
    let told = Damage::FoundBy { head: HeadFound::Cut, known: Some(known) };
    let found = trail.damages(&[]);
    assert!(found.contains(&gap) && found.contains(&told), "{found:?}");
}

#[tokio::test]
async fn where_nothing_says_how_an_encrypted_day_ends_a_cut_is_told_and_no_number_comes_twice() {
    let trail = Trail::new().await;
    let known = trail.head().sequence;
    trail.cut();
    fs::remove_file(trail.note()).unwrap();
    assert_eq!(trail.goes_on().await, (HeadFound::Cut, known + 1));
}

#[tokio::test]
async fn a_trail_that_ends_with_an_encrypted_day_goes_on_from_what_was_noted_of_it() {
    let trail = Trail::new().await;
    trail.cut();
    let noted: Span = serde_json::from_slice(&fs::read(trail.note()).unwrap()).unwrap();
    let end = Head { sequence: noted.last, sha256: noted.head };
    head::store(trail.directory(), &end, Some(&trail.key)).unwrap();
    assert_eq!(trail.damages(&[]), []);
    assert_eq!(trail.goes_on().await, (HeadFound::Fits, 6));
    assert_eq!((trail.damages(&[]), trail.damages(&trail.identities)), (vec![], vec![]));

    // Another record in the place of the last.
    trail.cut();
    let other = Head { sha256: LineHash::of(b"another"), ..end };
    head::store(trail.directory(), &other, Some(&trail.key)).unwrap();
    assert_eq!(trail.damages(&[]), [Damage::NotAsKnown { known: 5 }]);
    assert_eq!(trail.goes_on().await.0, HeadFound::Differs);
}
