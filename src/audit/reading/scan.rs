//! Every line of some files, judged by several threads, given back in order.

use std::io;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::RecordFile;
use super::lines::Batches;

/// Batches that wait for a thread, and results that wait to be taken, each.
const WAITING: usize = 2;
const THREADS: usize = 4;
/// Reported damage; a file that is no log at all does not fill memory.
const DAMAGE_LIMIT: usize = 1_000;

/// What to do with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It is not wanted.
    Pass,
    /// It is, and this is what is made of it.
    Keep(T),
    /// With what is wrong.
    Damaged(String),
}

/// The file and the line of a record, for messages to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Counted from 1; 0 is the file as a whole.
    pub line: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.path.display()),
            line => write!(f, "{}:{line}", self.path.display()),
        }
    }
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it is.
    pub place: Place,
    /// What is wrong, for people.
    pub what: String,
}

/// What a scan saw of a trail beside what was wanted: how many lines, and what is damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Lines that were looked at, wanted or not.
    pub lines: u64,
    /// The first thousand.
    pub damage: Vec<Damage>,
    /// How many pieces of damage there are, those that are not told included.
    pub damaged: u64,
    /// Files that only a reviewer's identity opens, and none was given.
    pub encrypted: Vec<PathBuf>,
}

enum Work {
    Lines(usize, Vec<u8>),
    Failed(usize, io::Error),
}

enum Done<T> {
    /// Of a file: how many lines, and what came of those that were not passed, each with its place in the batch.
    Lines(usize, u64, Vec<(u64, Verdict<T>)>),
    Failed(usize, io::Error),
}

/// Judges every line of `files` (without its line feed) and hands what is kept to `take`, in the order of the lines.
/// `take` ends the scan with [`ControlFlow::Break`]. A line that is no object at all is damaged whatever `judge` says.
pub fn scan<T: Send>(
    files: &[RecordFile],
    judge: impl Fn(&[u8]) -> Verdict<T> + Sync,
    take: impl FnMut(T) -> ControlFlow<()>,
) -> Kept {
    scan_while(files, &|| true, judge, take)
}

/// As [`scan`], for as long as it is to go on: asked before each batch of lines. What was begun by then is still handed over.
pub fn scan_while<T: Send>(
    files: &[RecordFile],
    goes_on: &(dyn Fn() -> bool + Sync),
    judge: impl Fn(&[u8]) -> Verdict<T> + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) -> Kept {
    let count = thread::available_parallelism().map_or(2, NonZero::get).clamp(1, THREADS);
    let judge = &judge;
    thread::scope(|scope| {
        let (mut to, mut from) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (give, work) = sync_channel(WAITING);
            let (done, results) = sync_channel(WAITING);
            scope.spawn(move || work_off(&work, &done, judge));
            to.push(give);
            from.push(results);
        }
        scope.spawn(move || read(files, goes_on, &to));
        collect(files, &from, &mut take)
    })
}

/// Hands batches round, so that results come round in the same order.
fn read(files: &[RecordFile], goes_on: &(dyn Fn() -> bool + Sync), to: &[SyncSender<Work>]) {
    let mut round = to.iter().cycle();
    let mut give = |work| goes_on() && round.next().is_some_and(|thread| thread.send(work).is_ok());
    for (number, file) in files.iter().enumerate().filter(|(_, file)| !file.is_sealed()) {
        let mut batches = match Batches::open(file) {
            Ok(batches) => batches,
            Err(error) => {
                if give(Work::Failed(number, error)) {
                    continue;
                }
                return;
            }
        };
        loop {
            let (work, more) = match batches.next() {
                Ok(batch) if batch.is_empty() => break,
                Ok(batch) => (Work::Lines(number, batch), true),
                Err(error) => (Work::Failed(number, error), false),
            };
            if !give(work) {
                return;
            }
            if !more {
                break;
            }
        }
    }
}

fn work_off<T>(work: &Receiver<Work>, done: &SyncSender<Done<T>>, judge: &impl Fn(&[u8]) -> Verdict<T>) {
    for work in work {
        let result = match work {
            Work::Failed(file, error) => Done::Failed(file, error),
            Work::Lines(file, batch) => {
                let (lines, verdicts) = judge_all(&batch, judge);
                Done::Lines(file, lines, verdicts)
            }
        };
        if done.send(result).is_err() {
            return;
        }
    }
}

fn judge_all<T>(batch: &[u8], judge: &impl Fn(&[u8]) -> Verdict<T>) -> (u64, Vec<(u64, Verdict<T>)>) {
    let (mut lines, mut verdicts, mut start) = (0, Vec::new(), 0);
    while start < batch.len() {
        let rest = batch.get(start..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        match whole(line).map_or_else(|| judge(line), |what| Verdict::Damaged(what.into())) {
            Verdict::Pass => {}
            verdict => verdicts.push((lines, verdict)),
        }
        lines += 1;
        start += length + 1;
    }
    (lines, verdicts)
}

/// What is wrong with a line that does not even look like an object.
fn whole(line: &[u8]) -> Option<&'static str> {
    match (line.first(), line.last()) {
        (None, _) => Some("an empty line"),
        (Some(b'{'), Some(b'}')) => None,
        (Some(b'{'), _) => Some("cut off before its end"),
        _ => Some("no JSON object"),
    }
}

fn collect<T>(
    files: &[RecordFile],
    from: &[Receiver<Done<T>>],
    take: &mut impl FnMut(T) -> ControlFlow<()>,
) -> Kept {
    let mut kept = Kept::default();
    let encrypted = files.iter().filter(|file| file.is_sealed());
    kept.encrypted = encrypted.map(|file| file.path.clone()).collect();
    let mut current = (usize::MAX, 0);
    let path = |file: usize| files.get(file).map(|file| file.path.clone()).unwrap_or_default();
    for results in from.iter().cycle() {
        let Ok(done) = results.recv() else { break };
        match done {
            Done::Failed(file, error) => kept.note(path(file), 0, format!("cannot be read on: {error}")),
            Done::Lines(file, lines, verdicts) => {
                if current.0 != file {
                    current = (file, 0);
                }
                for (number, verdict) in verdicts {
                    match verdict {
                        Verdict::Pass => {}
                        Verdict::Damaged(what) => kept.note(path(file), current.1 + number + 1, what),
                        Verdict::Keep(value) => {
                            if take(value).is_break() {
                                return kept;
                            }
                        }
                    }
                }
                current.1 += lines;
                kept.lines += lines;
            }
        }
    }
    kept
}

impl Kept {
    fn note(&mut self, path: PathBuf, line: u64, what: String) {
        self.damaged += 1;
        if self.damage.len() < DAMAGE_LIMIT {
            self.damage.push(Damage { place: Place { path, line }, what });
        }
    }

    /// Whether everything could be read.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.encrypted.is_empty()
    }
}
