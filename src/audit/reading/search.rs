//! A filter over a folder's files.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use time::Duration;

use super::filter::Compiled;
use super::{Filter, Kept, RecordFile, of_days, scan, scan_while};
use crate::audit::record::Record;

const ENDS: [&str; 2] = ["association-opened", "association-closed"];

/// Hands every line that `filter` keeps to `take`, oldest first, byte for byte, without its line feed.
/// Files of other days are not opened.
pub fn search(files: &[RecordFile], filter: &Filter, take: impl FnMut(Vec<u8>) -> ControlFlow<()>) -> Kept {
    let associations = filter.asks_associations().then(|| associations(files, filter));
    let compiled = Compiled::new(filter, associations);
    let (first, last) = filter.days();
    scan(&of_days(files, first, last), |line| compiled.judge(line, |line, _| line.to_vec()), take)
}

/// Reads every record that `filter` keeps as [`Record`], parsed on the threads that read.
pub fn records(files: &[RecordFile], filter: &Filter, take: impl FnMut(Record) -> ControlFlow<()>) -> Kept {
    records_for(&Look::AT_ALL, files, filter, take)
}

/// How somebody looks at records.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// What is shown of a record, which comes with its line; `None` is nothing.
    pub shown: &'a (dyn Fn(&[u8], Record) -> Option<Record> + Sync),
    /// Whether it is to go on. Where it is not, what was read by then is no whole.
    pub goes_on: &'a (dyn Fn() -> bool + Sync),
}

impl Look<'_> {
    /// At everything, to its end.
    pub const AT_ALL: Self = Look { shown: &|_, record| Some(record), goes_on: &|| true };
}

/// As [`records`], for somebody who looks so.
pub fn records_for(
    look: &Look<'_>,
    files: &[RecordFile],
    filter: &Filter,
    mut take: impl FnMut(Record) -> ControlFlow<()>,
) -> Kept {
    let compiled = Compiled::new(filter, None);
    let (first, last) = filter.days();
    let judge = |line: &[u8]| compiled.judge(line, |line, record| (look.shown)(line, record));
    let take = |shown: Option<Record>| shown.map_or(ControlFlow::Continue(()), &mut take);
    scan_while(&of_days(files, first, last), look.goes_on, judge, take)
}

/// The record that tells most of each of these associations, whenever it was: operations have only their ids.
pub fn associations_of(files: &[RecordFile], ids: &HashSet<String>) -> HashMap<String, Record> {
    let mut found = HashMap::new();
    if ids.is_empty() {
        return found;
    }
    let asked = Filter { events: ENDS.map(str::to_owned).to_vec(), ..Filter::default() };
    records(files, &asked, |record| {
        let id = record.association().filter(|id| ids.contains(*id)).map(str::to_owned);
        if let Some(id) = id {
            found.insert(id, record);
        }
        ControlFlow::Continue(())
    });
    found
}

/// The associations that have what `filter` asks of associations, one day around its period included: an operation in
/// the period may belong to one that opened before it and ended after it.
fn associations(files: &[RecordFile], filter: &Filter) -> HashSet<String> {
    let asked = Filter {
        from: filter.from.and_then(|from| from.checked_sub(Duration::DAY)),
        to: filter.to.and_then(|to| to.checked_add(Duration::DAY)),
        events: ENDS.map(str::to_owned).to_vec(),
        association: filter.association.clone(),
        of_association: filter.of_association.clone(),
        ..Filter::default()
    };
    let mut found = HashSet::new();
    records(files, &asked, |record| {
        found.extend(record.association().map(str::to_owned));
        ControlFlow::Continue(())
    });
    found
}
