//! What is shown of a record where nothing may tell of patients, studies and objects.

use serde_json::Value;

/// Fields that may be shown. Whatever is not here is not, so that a field that is new is shown only once somebody has thought
/// of it. Of an operation that leaves out whom and what it is about (`patient`, `study`, `sop-instance`, what a rewrite or a
/// data set has in their place, `query`, and `fault`, which quotes where in a data set it was); of a search in the records,
/// its `arguments`.
const SHOWN: [&str; 84] = [
    "abort",
    "aborted",
    "about",
    "action",
    "address",
    "alert",
    "association",
    "bytes",
    "called-ae-title",
    "calling-ae-title",
    "certificate",
    "certificates",
    "changed",
    "changed-keys",
    "clock",
    "command",
    "configuration",
    "contexts",
    "count",
    "direction",
    "duration-ms",
    "ended",
    "errors",
    "event",
    "expected",
    "explanation",
    "factors",
    "file",
    "file-sha256",
    "files",
    "fingerprint",
    "first",
    "followed",
    "head",
    "head-sequence",
    "health-checks",
    "host",
    "implementation",
    "key",
    "last",
    "listener",
    "listeners",
    "message-id",
    "move-destination",
    "operation",
    "operations",
    "outcome",
    "peer",
    "port",
    "previous",
    "previous-configuration",
    "problems",
    "process-id",
    "reason",
    "records",
    "recovered",
    "rejection",
    "resource",
    "rewrite",
    "rewritten",
    "role",
    "seconds",
    "sequence",
    "sha256",
    "signature",
    "signed-by",
    "signed-up-to",
    "sop-class",
    "status",
    "through",
    "time",
    "tls",
    "tolerated",
    "transport",
    "unsigned",
    "upstream",
    "user",
    "user-id",
    "user-identity",
    "version",
    "waits-for-restart",
    "warnings",
    "watched-files",
    "withheld",
];

/// `None` for what is no record.
pub(in crate::admin::api) fn without_identifiers(line: &str) -> Option<String> {
    let Ok(Value::Object(mut record)) = serde_json::from_str(line) else { return None };
    record.retain(|key, _| SHOWN.binary_search(&key.as_str()).is_ok());
    serde_json::to_string(&record).ok()
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, without_identifiers};
    use serde_json::{Value, json};

    #[test]
    fn the_fields_are_in_order_so_that_each_is_found() {
        assert!(SHOWN.is_sorted_by(|before, after| before < after));
    }

    #[test]
    fn of_an_operation_nothing_tells_whom_and_what_it_is_about() {
        let about = json!({"sop-instance": "1.3", "new-sop-instance": "2.25.1", "data-set-sop-instance": "1.5",
            "data-set-sop-class": "1.6", "study": "1.2", "new-study": "2.25.2", "patient": "h:1",
            "query": {"transfer-syntax": "1.7", "keys": ["00100010"], "identifier": "QUFB"},
            "fault": {"element": "(0010,0010)", "problem": "x"}});
        let rest = json!({"time": "t", "event": "operation", "sequence": 7, "previous": "0", "association": "a1",
            "operation": "C-FIND", "message-id": 9, "direction": "from-peer", "sop-class": "1.2.840", "rewritten": 3,
            "move-destination": "WS", "status": "0x0000", "bytes": 5, "duration-ms": 3, "reason": "r",
            "tolerated": ["x"], "withheld": 2, "count": 4});
        let mut all = rest.clone();
        all.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
        let shown = without_identifiers(&all.to_string()).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), rest);
    }

    #[test]
    fn a_field_that_nobody_has_thought_of_is_not_shown() {
        let shown = without_identifiers(r#"{"event":"operation","patient-name":"A^B","arguments":"A^B"}"#);
        assert_eq!(shown.as_deref(), Some(r#"{"event":"operation"}"#));
        assert_eq!(without_identifiers("no record"), None);
    }
}
