//! Which versions ran in a period, and which configurations were in force: what was when it began, too.

use std::ops::ControlFlow;

use super::{InForce, Ran};
use crate::audit::reading::{Filter, Kept, RecordFile, records};
use crate::audit::record::{Event, Record};

const EVENTS: [&str; 2] = ["started", "configuration-loaded"];

/// More than a trail has where nobody writes it by hand.
const MOST: usize = 10_000;

/// What the trail tells, oldest first; at most ten thousand of each.
pub(super) fn history(files: &[RecordFile], from: &str, to: &str) -> (Vec<Ran>, Vec<InForce>, Kept) {
    let (mut versions, mut configurations) = (Period::new(from), Period::new(from));
    let filter = Filter { events: EVENTS.map(str::to_owned).to_vec(), ..Filter::default() };
    let kept = records(files, &filter, |record: Record| {
        let since = record.time.clone();
        if since.as_str() > to {
            return ControlFlow::Continue(());
        }
        match record.event {
            Event::Started(started) => versions.add(&record.time, Ran { since, version: started.version }),
            Event::ConfigurationLoaded(loaded) => {
                let digest = loaded.configuration;
                let one = InForce { since, file: loaded.file, file_sha256: loaded.file_sha256, digest };
                configurations.add(&record.time, one);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    (versions.all, configurations.all, kept)
}

/// The last before a time, and those since.
struct Period<'a, T> {
    from: &'a str,
    all: Vec<T>,
}

impl<'a, T> Period<'a, T> {
    fn new(from: &'a str) -> Self {
        Self { from, all: Vec::new() }
    }

    fn add(&mut self, since: &str, one: T) {
        if since < self.from {
            self.all.clear();
        }
        if self.all.len() < MOST {
            self.all.push(one);
        }
    }
}
