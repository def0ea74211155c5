//! What reading promises, over files that are written here.

mod accesses;
mod figures;
mod files;
mod filters;
mod values;

use crate::audit::Record;
use crate::scratch::Scratch;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::{Filter, Kept, search};

/// Three associations over two days: lyon stores (one failure), geneva is refused an operation, a stranger is rejected.
pub(super) const FIRST: &str = r#"{"time":"2026-03-01T08:00:00.000000Z","event":"started","sequence":1,"version":"0.1.0","previous":"00"}
{"time":"2026-03-01T08:30:00.000000Z","event":"association-opened","sequence":2,"association":"a-1","listener":"remote","peer":"lyon","address":"203.0.113.7","port":40000,"tls":{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384","subject":"CN=lyon","san":[],"fingerprint":"aa"},"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","upstream":{"name":"pacs","address":"10.0.0.5:104"},"contexts":[],"rewrite":"cross-border"}
{"time":"2026-03-01T08:30:01.000000Z","event":"operation","sequence":3,"association":"a-1","operation":"C-STORE","message-id":1,"sop-instance":"2.25.1","new-sop-instance":"2.25.11","study":"2.25.9","status":"0x0000","bytes":100,"duration-ms":3}
{"time":"2026-03-01T23:59:59.999999Z","event":"operation","sequence":4,"association":"a-1","operation":"C-STORE","message-id":2,"sop-instance":"2.25.2","study":"2.25.9","patient":"p\u001b\"q","status":"0xA700","bytes":100,"duration-ms":4}
"#;
pub(super) const SECOND: &str = r#"{"time":"2026-03-02T00:00:00.000000Z","event":"association-closed","sequence":5,"association":"a-1","listener":"remote","peer":"lyon","address":"203.0.113.7","port":40000,"tls":{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384"},"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","upstream":{"name":"pacs","address":"10.0.0.5:104"},"operations":{"C-STORE":{"success":1,"warning":0,"failure":1,"refused":0}},"bytes":{"in":300,"out":20},"rewrite":{"name":"cross-border","elements":7},"duration-ms":55800000,"ended":"timeout","reason":"no message came for idle-timeout"}
{"time":"2026-03-02T09:00:00.000000Z","event":"association-opened","sequence":6,"association":"a-2","listener":"local","peer":"geneva","address":"::ffff:198.51.100.4","port":1,"tls":null,"calling-ae-title":"GVA","called-ae-title":"PACS"}
{"time":"2026-03-02T09:00:01.000000Z","event":"operation","sequence":7,"association":"a-2","operation":"C-FIND","message-id":1,"status":"0x0124","bytes":0,"duration-ms":0,"reason":"operation-not-allowed"}
{"time":"2026-03-02T09:30:00.000000Z","event":"association-rejected","sequence":8,"association":"a-3","listener":"remote","peer":null,"address":"192.0.2.9","port":2,"tls":null,"calling-ae-title":"<b>","called-ae-title":"PACS","rejection":{"result":1,"source":1,"reason":3},"reason":"calling-ae-title-unknown","explanation":"nobody"}
{"time":"2026-03-02T10:00:00.000000Z","event":"checkpoint","sequence":9,"records":"nine","tls":7,"previous":"11"}
"#;

pub(super) fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

pub(super) fn two_days() -> Scratch {
    let folder = Scratch::new();
    write(folder.path(), "audit-2026-03-01.jsonl", FIRST);
    write(folder.path(), "audit-2026-03-02.jsonl", SECOND);
    folder
}

/// The sequence numbers of what a filter keeps, and what was read.
pub(super) fn found(folder: &Path, filter: &Filter) -> (Vec<u64>, Kept) {
    let mut found = Vec::new();
    let kept = search(&super::files(folder).unwrap(), filter, |line| {
        found.push(Record::read(&line).unwrap().sequence);
        ControlFlow::Continue(())
    });
    (found, kept)
}
