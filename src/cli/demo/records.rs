//! The records of an association, read back from the files that the proxy wrote.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::audit::record::{AssociationClosed, Event, Operation, Record};

/// Everything that was recorded under one association's id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    /// The `association-closed` record.
    pub closed: AssociationClosed,
    /// The `operation` records, in their order.
    pub operations: Vec<Operation>,
}

/// The newest closed association that came from `requestor`; `None` while its closing record is not there.
///
/// # Errors
/// When the folder or a file in it cannot be read. Lines that are no JSON are left out: one may be half written.
pub(super) fn of_association_from(folder: &Path, requestor: SocketAddr) -> io::Result<Option<Account>> {
    let records = read(folder)?;
    let closed = records.iter().rev().find_map(|record| match &record.event {
        Event::AssociationClosed(closed) => {
            let from = (closed.requestor.address, closed.requestor.port);
            (from == (requestor.ip(), requestor.port())).then_some(closed)
        }
        _ => None,
    });
    let Some(closed) = closed else { return Ok(None) };
    let operations = records.iter().filter_map(Record::operation);
    let operations = operations.filter(|operation| *operation.association == closed.association);
    Ok(Some(Account { closed: AssociationClosed::clone(closed), operations: operations.cloned().collect() }))
}

fn read(folder: &Path) -> io::Result<Vec<Record>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    // One file a day, named by its date.
    files.sort();
    let mut records = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        records.extend(text.lines().filter_map(|line| Record::read(line.as_bytes()).ok()));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::of_association_from;
    use crate::scratch::Scratch;

    #[test]
    fn the_last_association_is_told_from_others_across_midnight() {
        let folder = Scratch::new();
        let write =
            |name: &str, lines: &[&str]| std::fs::write(folder.path().join(name), lines.join("\n")).unwrap();
        write(
            "audit-2026-03-01.jsonl",
            &[
                r#"{"time":"t","event":"operation","association":"a","status":"0x0000"}"#,
                r#"{"time":"t","event":"association-closed","association":"a","address":"127.0.0.1","port":40000}"#,
                r#"{"time":"t","event":"operation","association":"b","message-id":1}"#,
                r#"{"time":"t","event":"operation","association":"c","message-id":9}"#,
            ],
        );
        assert_eq!(of_association_from(folder.path(), "127.0.0.1:40001".parse().unwrap()).unwrap(), None);
        write(
            "audit-2026-03-02.jsonl",
            &[
                r#"{"time":"t","event":"operation","association":"b","message-id":2}"#,
                r#"{"time":"t","event":"association-closed","association":"b","address":"127.0.0.1","port":40000,"ended":"released"}"#,
                r#"{"time":"t","event":"association-closed","association":"c","address":"127.0.0.2","port":40000}"#,
                r#"{"time":"t","event":"opera"#,
            ],
        );
        let told = of_association_from(folder.path(), "127.0.0.1:40000".parse().unwrap()).unwrap().unwrap();
        assert_eq!(told.closed.ended.label(), "released");
        let ids: Vec<_> = told.operations.iter().map(|operation| operation.message_id).collect();
        assert_eq!(ids, [1, 2]);
    }
}
