//! Whatever is done to an export is found, and what is exported is what was recorded.

use super::{Beside, Export, ExportError, Order, Statement, verify, write, zip};
use crate::audit::chain::{Chain, Draft};
use crate::audit::files::{Form, TrailFile};
use crate::audit::head::{self, Head};
use crate::audit::reading::Identities;
use crate::audit::signing::{Purpose, SigningKey};
use crate::audit::{LineHash, link};
use crate::scratch::Scratch;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::LazyLock;
use time::macros::{date, datetime};
use time::{Date, Duration};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap().0);

const DAYS: [Date; 3] = [date!(2026 - 01 - 01), date!(2026 - 01 - 02), date!(2026 - 01 - 03)];
const DAY_TWO: &str = "records/audit-2026-01-02.jsonl";
const DAY_THREE: &str = "records/audit-2026-01-03.jsonl";

type Members = BTreeMap<String, Vec<u8>>;

/// Three days of eight records, a checkpoint at the fourth place of each, and one as the last line of all.
struct Trail {
    home: Scratch,
    lines: Vec<Vec<u8>>,
}

impl Trail {
    fn new() -> Self {
        let mut draft = Draft::new(Chain::BEGINNING);
        for number in 0..24_i64 {
            let time =
                datetime!(2026-01-01 12:00 UTC) + Duration::days(number / 8) + Duration::minutes(number);
            if number % 8 == 3 || number == 23 {
                draft.checkpoint(time, &KEY, number == 23);
            } else {
                draft.record(time, "operation", format!(r#"{{"association":"a{number}"}}"#).as_bytes());
            }
        }
        let lines: Vec<_> = draft.lines.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        let home = Scratch::new();
        fs::create_dir(home.path().join("audit")).unwrap();
        for (day, lines) in DAYS.iter().zip(lines.chunks(8)) {
            fs::write(TrailFile::new(&home.path().join("audit"), *day, Form::default()).path, lines.concat())
                .unwrap();
        }
        let last = lines.last().unwrap().strip_suffix(b"\n").unwrap();
        let head = Head { sequence: link::parse(last).unwrap().sequence, sha256: LineHash::of(last) };
        head::store(&home.path().join("audit"), &head, Some(&KEY)).unwrap();
        Self { home, lines }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn export(&self, days: (usize, usize), key: Option<&SigningKey>) -> Result<Statement, ExportError> {
        let beside = Beside { members: vec![("configuration/a".into(), b"b".to_vec())], ..Beside::default() };
        let order = Order {
            directory: &self.path("audit"),
            identities: &Identities::default(),
            from: DAYS[days.0].midnight().assume_utc(),
            to: DAYS[days.1].midnight().assume_utc() + Duration::days(1) - Duration::SECOND,
            key,
            beside: &beside,
        };
        write(&order, &self.path("case.zip"))
    }

    fn verify(&self) -> Export {
        verify(&self.path("case.zip"), &[KEY.public_key()]).unwrap()
    }

    fn members(&self) -> Members {
        read(&self.path("case.zip")).unwrap()
    }

    /// The zip anew, as somebody writes it who has no key; whether `SHA256SUMS` is made to fit.
    fn forge(&self, members: &Members, fitting: bool) {
        let file = File::create(self.path("case.zip")).unwrap();
        if !fitting {
            return write_zip(file, members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        }
        let mut out = zip::Writer::new(file, datetime!(2026-01-01 0:00 UTC));
        for (name, bytes) in members.iter().filter(|(name, _)| !name.starts_with("SHA256SUMS")) {
            out.whole(name, bytes).unwrap();
        }
        out.finish(Purpose::Export.context(), |_| members.get("SHA256SUMS.sig").cloned()).unwrap();
    }
}

fn write_zip<'a>(to: File, members: impl Iterator<Item = (&'a str, &'a [u8])>) {
    let mut archive = ZipArchiveWriter::new(to);
    for (name, bytes) in members {
        let (mut entry, config) =
            archive.new_file(name).compression_method(CompressionMethod::STORE).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(bytes).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
}

fn read(path: &std::path::Path) -> std::io::Result<Members> {
    let zip = zip::Reader::open(File::open(path)?)?;
    let each = zip.members.iter().map(|(name, member)| {
        let mut bytes = Vec::new();
        zip.read(member)?.read_to_end(&mut bytes)?;
        Ok((name.clone(), bytes))
    });
    each.collect()
}

fn told(found: &Export) -> String {
    let breaks = found.records.breaks.iter().map(ToString::to_string);
    found.wrong.iter().map(ToString::to_string).chain(breaks).collect::<Vec<_>>().join("\n")
}

fn statement_of(members: &Members) -> Statement {
    serde_json::from_slice(&members["export.json"]).unwrap()
}

/// What somebody without a key makes the statement tell, so that it fits these lines.
fn fit_statement(members: &mut Members) {
    let mut told = statement_of(members);
    let records = members.iter().filter(|(name, _)| name.starts_with("records/"));
    let lines: Vec<Vec<u8>> = records
        .flat_map(|(_, text)| text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec))
        .collect();
    let parsed =
        |line: &[u8]| link::parse(line.strip_suffix(b"\n").unwrap()).map(|link| link.sequence).unwrap();
    told.records = lines.len() as u64;
    told.first.as_mut().unwrap().sequence = parsed(&lines[0]);
    let last = lines.last().unwrap();
    told.last.as_mut().unwrap().sequence = parsed(last);
    told.head = Some(LineHash::of(last.strip_suffix(b"\n").unwrap()));
    members.insert("export.json".into(), serde_json::to_vec(&told).unwrap());
}

#[test]
fn a_period_is_exported_byte_for_byte_up_to_the_checkpoint_behind_it_and_proven_by_the_public_key() {
    let trail = Trail::new();
    let told = trail.export((1, 1), Some(&KEY)).unwrap();
    let members = trail.members();
    assert_eq!(members[DAY_TWO], trail.lines[8..16].concat());
    // The first checkpoint behind the day is the fourth record of the next.
    assert_eq!(members[DAY_THREE], trail.lines[16..20].concat());
    assert!(!members.contains_key("records/audit-2026-01-01.jsonl"));
    assert_eq!(statement_of(&members), told);
    assert_eq!((told.first.unwrap().sequence, told.last.unwrap().sequence, told.records), (9, 20, 12));
    let found = trail.verify();
    assert!(found.is_proven() && found.records.signed_up_to == Some(20), "{}", self::told(&found));
    let other = SigningKey::generate().unwrap().0;
    let found = verify(&trail.path("case.zip"), &[other.public_key()]).unwrap();
    assert!(!found.is_undamaged() && !found.signed);
    assert!(!verify(&trail.path("case.zip"), &[]).unwrap().is_proven());
}

#[test]
fn an_export_that_ends_where_the_trail_ends_is_proven_too() {
    for days in [(0, 2), (2, 2)] {
        let trail = Trail::new();
        trail.export(days, Some(&KEY)).unwrap();
        assert!(trail.verify().is_proven());
        fs::remove_file(trail.path("case.zip")).unwrap();
        trail.export(days, None).unwrap();
        let found = trail.verify();
        assert!(found.is_undamaged() && !found.is_proven(), "{}", told(&found));
    }
}

#[test]
fn whoever_has_the_zip_and_no_key_changes_removes_and_adds_nothing_unseen() {
    type Change = fn(&mut Members);
    let changes: [(&str, Change); 7] = [
        ("a byte", |members| {
            let text = members.get_mut(DAY_TWO).unwrap();
            let at = text.iter().position(|&byte| byte == b'a').unwrap();
            text[at + 200] ^= 1;
        }),
        ("a record", |members| {
            let text = &members[DAY_TWO];
            let lines: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').collect();
            let cut = [&lines[..2], &lines[3..]].concat().concat();
            members.insert(DAY_TWO.into(), cut);
        }),
        ("the tail", |members| {
            members.remove(DAY_THREE);
        }),
        ("the tail behind a checkpoint", |members| {
            members.remove(DAY_THREE);
            let text = &members[DAY_TWO];
            let lines: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').take(4).collect();
            let cut = lines.concat();
            members.insert(DAY_TWO.into(), cut);
        }),
        ("a member", |members| drop(members.remove("configuration/a"))),
        ("what a member says", |members| drop(members.insert("configuration/a".into(), b"c".to_vec()))),
        ("one more", |members| drop(members.insert("configuration/b".into(), b"c".to_vec()))),
    ];
    for (what, change) in changes {
        let trail = Trail::new();
        trail.export((1, 1), Some(&KEY)).unwrap();
        let mut members = trail.members();
        change(&mut members);
        for (fitting, statement) in [(false, false), (true, false), (true, true)] {
            if statement {
                fit_statement(&mut members);
            }
            trail.forge(&members, fitting);
            let found = trail.verify();
            assert!(!found.is_undamaged(), "{what}, fitting: {fitting}, {statement}");
        }
        members.remove("SHA256SUMS.sig");
        trail.forge(&members, true);
        let found = trail.verify();
        assert!(!found.is_proven(), "{what}, unsigned");
        // Of the records themselves the checkpoints and the head tell, where nobody signed the whole.
        let is_of_records = !what.contains("member") && what != "one more";
        assert_eq!(found.is_undamaged(), !is_of_records, "{what}, unsigned: {}", told(&found));
    }
}

#[test]
fn an_unsigned_export_without_the_head_does_not_tell_where_it_ended() {
    let trail = Trail::new();
    trail.export((2, 2), None).unwrap();
    let mut members = trail.members();
    assert!(trail.verify().is_undamaged());
    members.remove("audit.head");
    trail.forge(&members, true);
    assert!(told(&trail.verify()).contains("audit.head: not there"));
}

#[test]
fn no_byte_of_the_zip_can_be_changed_so_that_it_proves_something_else() {
    let trail = Trail::new();
    trail.export((2, 2), Some(&KEY)).unwrap();
    let (members, good) = (trail.members(), fs::read(trail.path("case.zip")).unwrap());
    let mut proven = 0;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x20;
        fs::write(trail.path("case.zip"), &bytes).unwrap();
        if verify(&trail.path("case.zip"), &[KEY.public_key()]).is_ok_and(|found| found.is_proven()) {
            // Times, modes and checksums of the zip itself are under no signature.
            assert_eq!(trail.members(), members, "byte {at}");
            proven += 1;
        }
    }
    assert!(proven < good.len() / 2, "{proven} of {}", good.len());
    for length in 0..good.len() {
        fs::write(trail.path("case.zip"), &good[..length]).unwrap();
        assert!(verify(&trail.path("case.zip"), &[KEY.public_key()]).is_err(), "{length}");
    }
}

#[test]
fn two_members_of_one_name_are_seen() {
    let trail = Trail::new();
    trail.export((1, 1), Some(&KEY)).unwrap();
    let members = trail.members();
    let all = members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let twice = [(DAY_TWO, &b"{}\n"[..])].into_iter().chain(all);
    write_zip(File::create(trail.path("case.zip")).unwrap(), twice);
    assert!(told(&trail.verify()).contains("it is there twice"));
}

#[test]
fn what_is_there_is_not_written_over_and_a_failure_leaves_nothing() {
    let trail = Trail::new();
    fs::write(trail.path("case.zip"), "kept").unwrap();
    assert!(matches!(trail.export((1, 1), Some(&KEY)), Err(ExportError::Exists)));
    assert_eq!(fs::read(trail.path("case.zip")).unwrap(), b"kept");
    fs::remove_file(trail.path("case.zip")).unwrap();
    std::os::unix::fs::symlink("elsewhere", trail.path("case.zip")).unwrap();
    assert!(matches!(trail.export((1, 1), Some(&KEY)), Err(ExportError::Exists)));
    fs::remove_file(trail.path("case.zip")).unwrap();
    for day in [1, 2, 3] {
        fs::write(trail.path(&format!("audit/audit-2026-01-0{day}.jsonl")), "").unwrap();
    }
    assert!(matches!(trail.export((1, 1), Some(&KEY)), Err(ExportError::NoRecord { .. })));
    let left: Vec<_> = fs::read_dir(trail.home.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_could_not_be_read_is_said_and_the_rest_is_there() {
    let trail = Trail::new();
    let day = trail.path("audit/audit-2026-01-02.jsonl");
    fs::rename(&day, day.with_extension("jsonl.age")).unwrap();
    let found = trail.export((0, 2), Some(&KEY)).unwrap();
    assert!(found.not_read.iter().any(|one| one.file.contains("2026-01-02")), "{:?}", found.not_read);
    let found = trail.verify();
    assert!(found.is_undamaged() && found.records.records == 16, "{}", told(&found));
    assert!(!found.statement.not_read.is_empty());
}

#[test]
fn a_trail_that_is_damaged_is_exported_as_it_stands_and_says_so() {
    let trail = Trail::new();
    let day = trail.path("audit/audit-2026-01-02.jsonl");
    let text = fs::read_to_string(&day).unwrap().replacen("\"a9\"", "\"b9\"", 1);
    fs::write(&day, &text).unwrap();
    let found = trail.export((0, 2), Some(&KEY)).unwrap();
    assert!(found.damage.len() == 1 && found.damage[0].contains("edited"), "{:?}", found.damage);
    assert_eq!(trail.members()[DAY_TWO], text.into_bytes());
    assert!(told(&trail.verify()).contains("audit-2026-01-02.jsonl:2: record 10: edited"));
}
