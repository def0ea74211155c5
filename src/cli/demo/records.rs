//! The records of an association, read back from the files that the proxy wrote.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

/// Everything that was recorded under one association's id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// The `association-closed` record.
    pub closed: Value,
    /// The `operation` records, in their order.
    pub operations: Vec<Value>,
}

/// The newest closed association that came from `requestor`; `None` while its closing record is not there.
///
/// # Errors
/// When the folder or a file in it cannot be read. Lines that are no JSON are left out: one may be half written.
pub(super) fn of_association_from(folder: &Path, requestor: SocketAddr) -> io::Result<Option<Told>> {
    let records = read(folder)?;
    let address = requestor.ip().to_string();
    let closed = records.iter().rev().find(|record| {
        record["event"] == "association-closed"
            && record["port"] == requestor.port()
            && record["address"] == address.as_str()
    });
    let Some(closed) = closed else { return Ok(None) };
    let operation =
        |record: &&Value| record["event"] == "operation" && record["association"] == closed["association"];
    let operations = records.iter().filter(operation).cloned().collect();
    Ok(Some(Told { closed: closed.clone(), operations }))
}

fn read(folder: &Path) -> io::Result<Vec<Value>> {
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
        records.extend(text.lines().filter_map(|line| serde_json::from_str(line).ok()));
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
                r#"{"event":"operation","association":"a","status":"0x0000"}"#,
                r#"{"event":"association-closed","association":"a","address":"127.0.0.1","port":40000}"#,
                r#"{"event":"operation","association":"b","message-id":1}"#,
                r#"{"event":"operation","association":"c","message-id":9}"#,
            ],
        );
        assert_eq!(of_association_from(folder.path(), "127.0.0.1:40001".parse().unwrap()).unwrap(), None);
        write(
            "audit-2026-03-02.jsonl",
            &[
                r#"{"event":"operation","association":"b","message-id":2}"#,
                r#"{"event":"association-closed","association":"b","address":"127.0.0.1","port":40000,"ended":"released"}"#,
                r#"{"event":"association-closed","association":"c","address":"127.0.0.2","port":40000}"#,
                r#"{"event":"opera"#,
            ],
        );
        let told = of_association_from(folder.path(), "127.0.0.1:40000".parse().unwrap()).unwrap().unwrap();
        assert_eq!(told.closed["ended"], "released");
        let ids: Vec<_> =
            told.operations.iter().map(|operation| operation["message-id"].as_u64().unwrap()).collect();
        assert_eq!(ids, [1, 2]);
    }
}
