//! What somebody who can write all files does, and has no key.

use super::*;
use crate::audit::head;
use crate::audit::signing::SigningKey as Key;
use crate::audit::tests::home;
use crate::audit::verify::Adopted;
use crate::audit::{Audit, AuditSettings, Checkpoints, Stopped, TrailContinued};
use crate::scratch::Scratch;
use crate::vocabulary::HeadFound;
use std::path::PathBuf;
use std::sync::Arc;

/// A trail of runs that sign it.
struct Trail {
    home: Scratch,
    key: Arc<Key>,
}

fn key() -> Arc<Key> {
    Arc::new(Key::generate().unwrap().0)
}

impl Trail {
    /// One run has ended in good order.
    async fn new() -> Self {
        let trail = Self { home: home(), key: key() };
        trail.run(3).await;
        assert!(trail.verify(&[]).is_intact(), "{:?}", trail.verify(&[]));
        trail
    }

    async fn start(&self, records: u64) -> (Audit, crate::audit::AuditTask) {
        let every = std::time::Duration::from_secs(3600);
        let checkpoints = Checkpoints { key: self.key.clone(), records: 1000, interval: every };
        let settings = AuditSettings {
            checkpoints: Some(checkpoints),
            durability: crate::audit::Durability::EveryRecord,
            ..AuditSettings::new(self.home.path())
        };
        let (audit, task) = Audit::start(settings).unwrap();
        for aborted in 0..records {
            audit
                .record(Event::Stopped(Stopped {
                    reason: "x".into(),
                    aborted,
                    health_checks: None,
                    duration_ms: 0,
                }))
                .await;
        }
        (audit, task)
    }

    async fn run(&self, records: u64) {
        self.start(records).await.1.close().await;
    }

    fn verify(&self, since: &[Head]) -> Verification {
        let keys = &[self.key.public_key()];
        verify(self.home.path(), Known { keys, since, ..Known::default() }, &mut |_| ()).unwrap()
    }

    fn head(&self) -> Head {
        head::read(self.home.path(), &[]).unwrap().unwrap().head
    }

    fn file(&self) -> PathBuf {
        crate::audit::files::list(self.home.path()).unwrap().pop().unwrap().path
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.file()).unwrap().lines().map(str::to_owned).collect()
    }

    fn put(&self, lines: &[String]) {
        fs::write(self.file(), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    /// Lines behind the last, chained as they have to be, by whoever has the binary.
    fn append(&self, event: &Event) {
        let mut lines = self.lines();
        let last = lines.last().unwrap().as_bytes();
        let next_sequence = crate::audit::link::parse(last).unwrap().sequence + 1;
        let mut draft = Draft::new(Chain { next_sequence, head: LineHash::of(last), unsigned: 0 });
        draft.record(time::OffsetDateTime::now_utc(), event.name(), &body_of(event));
        lines.push(String::from_utf8(draft.lines).unwrap().trim().to_owned());
        self.put(&lines);
    }

    /// Neither as it is nor after the next run and its end is the trail intact.
    async fn is_never_intact_again(&self, what: &str) -> Verification {
        let before = self.verify(&[]);
        assert!(!before.is_intact(), "{what}: {before:?}");
        self.run(2).await;
        self.run(2).await;
        let after = self.verify(&[]);
        assert!(!after.is_intact(), "{what}, after a run: {after:?}");
        after
    }
}

fn has(found: &Verification, wanted: impl Fn(&Damage) -> bool) -> bool {
    found.breaks.iter().any(|one| wanted(&one.damage))
}

fn stopped() -> Event {
    Event::Stopped(Stopped { reason: "forged".into(), aborted: 0, health_checks: None, duration_ms: 0 })
}

#[tokio::test]
async fn signed_records_cut_off_the_end_leave_a_gap_for_ever() {
    let trail = Trail::new().await;
    let head = trail.head();
    let lines = trail.lines();
    trail.put(&lines[..2]);
    let found = trail.verify(&[]);
    assert!(
        has(&found, |damage| *damage == Damage::CutBefore { known: head.sequence, last: 2 }),
        "{found:?}"
    );
    let after = trail.is_never_intact_again("cut").await;
    assert!(has(&after, |damage| matches!(damage, Damage::Missing { from: 3, to } if *to == head.sequence)));
    let told = Damage::FoundBy { head: HeadFound::Cut, known: Some(head.sequence) };
    assert!(has(&after, |damage| *damage == told), "{after:?}");
}

/// As many files of later days as there are not looked through where nothing is signed.
#[tokio::test]
async fn lines_of_ones_own_in_files_of_later_days_do_not_hide_a_cut() {
    let trail = Trail::new().await;
    let head = trail.head();
    let lines = trail.lines();
    trail.put(&lines[..2]);
    let today = time::OffsetDateTime::now_utc();
    let mut chain = Chain { next_sequence: 3, head: LineHash::of(lines[1].as_bytes()), unsigned: 0 };
    for day in 1..6 {
        let mut draft = Draft::new(chain);
        for _ in 0..5 {
            let event = stopped();
            draft.record(today + Duration::days(day), event.name(), &body_of(&event));
        }
        fs::write(file(&trail.home, (today + Duration::days(day)).date()).path, &draft.lines).unwrap();
        chain = draft.chain;
    }
    let after = trail.is_never_intact_again("hidden").await;
    let told = |damage: &Damage| matches!(damage, Damage::FoundBy { head: HeadFound::Cut | HeadFound::Differs, known } if *known == Some(head.sequence));
    assert!(has(&after, told), "{after:?}");
}

#[tokio::test]
async fn a_cut_whose_head_is_removed_forged_or_made_of_a_checkpoint_is_told_too() {
    for head in [None, Some("{}".to_owned()), Some(String::new())] {
        let trail = Trail::new().await;
        trail.run(1).await;
        let lines = trail.lines();
        // A whole run, up to the end of the one before: every signature fits.
        let end = lines.iter().position(|line| line.contains("\"last\":true")).unwrap();
        trail.put(&lines[..=end]);
        let path = head::path_of(trail.home.path());
        match &head {
            None => fs::remove_file(path).unwrap(),
            Some(text) => fs::write(path, text).unwrap(),
        }
        trail.is_never_intact_again(&format!("head {head:?}")).await;
    }
    let trail = Trail::new().await;
    let checkpoint = trail.lines()[1].clone();
    let sha256 = LineHash::of(checkpoint.as_bytes());
    let signature = checkpoint.split_once(",\"key\"").unwrap().1;
    let forged = format!("{{\"sequence\":2,\"sha256\":\"{sha256}\",\"key\"{signature}\n");
    fs::write(head::path_of(trail.home.path()), forged).unwrap();
    let found = trail.is_never_intact_again("a checkpoint as a head").await;
    let told = Damage::FoundBy { head: HeadFound::Forged, known: Some(2) };
    assert!(has(&found, |damage| *damage == told), "{found:?}");
}

#[tokio::test]
async fn an_old_trail_with_its_old_head_is_found_out_by_who_was_handed_a_later_one() {
    let trail = Trail::new().await;
    let (old, old_head) = (trail.lines(), fs::read(head::path_of(trail.home.path())).unwrap());
    trail.run(2).await;
    let witness: Head = trail.head().to_string().parse().unwrap();
    assert!(trail.verify(&[witness]).is_intact());
    trail.put(&old);
    fs::write(head::path_of(trail.home.path()), old_head).unwrap();
    assert!(trail.verify(&[]).is_intact(), "nothing in the files tells");
    assert!(!trail.verify(&[witness]).is_intact());
    trail.run(5).await;
    let found = trail.verify(&[witness]);
    assert!(has(&found, |damage| *damage == Damage::NotAsKnown { known: witness.sequence }), "{found:?}");
}

#[tokio::test]
async fn a_record_appended_while_the_proxy_was_stopped_is_never_believed() {
    let trail = Trail::new().await;
    trail.append(&stopped());
    let found = trail.is_never_intact_again("appended").await;
    assert!(has(&found, |damage| *damage == Damage::Appended), "{found:?}");
    let continued = trail.lines().into_iter().filter(|line| line.contains("trail-continued")).nth(1).unwrap();
    assert!(continued.contains(r#""unsigned":1,"ended":false"#), "{continued}");

    // Not even what looks like the beginning of a run, or its checkpoint once more.
    let trail = Trail::new().await;
    trail.append(&Event::TrailContinued(Box::new(TrailContinued {
        head: HeadFound::New.into(),
        ..TrailContinued::default()
    })));
    trail.append(&stopped());
    trail.is_never_intact_again("appended behind a beginning").await;
    let trail = Trail::new().await;
    let mut lines = trail.lines();
    lines.push(lines.last().unwrap().clone());
    trail.put(&lines);
    trail.is_never_intact_again("a checkpoint twice").await;
}

#[tokio::test]
async fn what_a_run_takes_over_after_a_crash_is_told_until_it_was_seen() {
    let trail = Trail::new().await;
    let before = trail.lines().len();
    // Never closed: as after a crash. The lock goes with the writer.
    let (audit, task) = trail.start(2).await;
    let crashed = trail.lines();
    let running = trail.verify(&[]);
    assert!(running.is_intact() && running.signed_up_to == Some(before as u64 + 2), "{running:?}");
    let head = fs::read(head::path_of(trail.home.path())).unwrap();
    task.close().await;
    drop(audit);
    trail.put(&crashed);
    fs::write(head::path_of(trail.home.path()), head).unwrap();
    trail.append(&stopped());
    trail.run(1).await;
    let found = trail.verify(&[]);
    let from = before as u64 + 3;
    assert_eq!(
        (found.adopted.as_slice(), found.breaks.len()),
        (&[Adopted { from, to: from + 2, by: from + 3 }][..], 0)
    );
    assert!(!found.is_intact());
    assert!(trail.verify(&[trail.head()]).is_intact(), "who has seen it is not told again");
}

#[tokio::test]
async fn a_deletion_that_nobody_signed_accounts_for_nothing() {
    let trail = Trail::new().await;
    let lines = trail.lines();
    let head = LineHash::of(lines[1].as_bytes());
    let span = Span { first: 1, last: 2, head };
    let deleted = RecordsDeleted { file: "x".into(), lines: Some(span), reason: "retention-days".into() };
    trail.put(&lines[2..]);
    trail.append(&Event::RecordsDeleted(deleted));
    let found = trail.is_never_intact_again("a forged deletion").await;
    assert!(has(&found, |damage| *damage == Damage::Missing { from: 1, to: 2 }), "{found:?}");
}

#[tokio::test]
async fn a_trail_that_was_emptied_is_not_intact() {
    for with_head in [true, false] {
        let trail = Trail::new().await;
        let last = trail.head().sequence;
        trail.put(&[]);
        if !with_head {
            fs::remove_file(head::path_of(trail.home.path())).unwrap();
        }
        assert!(has(&trail.verify(&[]), |damage| *damage == Damage::Empty));
        let found = trail.is_never_intact_again("emptied").await;
        let gap = has(&found, |damage| *damage == Damage::Missing { from: 1, to: last });
        assert_eq!(gap, with_head, "{found:?}");
    }
    let nothing = Scratch::new();
    assert!(!check(&nothing, &[]).is_intact());
}

#[tokio::test]
async fn a_trail_before_its_first_record_of_substance_is_signed() {
    let trail = Trail { home: home(), key: key() };
    let (_audit, task) = trail.start(0).await;
    let found = trail.verify(&[]);
    assert!(found.is_intact() && found.checkpoints == 1, "{found:?}");
    task.close().await;
}

#[test]
fn what_is_no_file_is_called_so_and_not_waited_for() {
    let home = write(&trail(true));
    let path = file(&home, date!(2026 - 01 - 04)).path;
    crate::audit::regular::tests::pipe(&path);
    let found = verify(home.path(), Known::default(), &mut |_| {}).unwrap();
    let said: Vec<String> = found.breaks.iter().map(ToString::to_string).collect();
    let expected = format!("{}: cannot be read on: is a pipe, not a regular file", path.display());
    assert!(matches!(&said[..], [one] if one.starts_with(&expected)), "{said:?}");
}
