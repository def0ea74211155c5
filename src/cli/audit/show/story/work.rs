//! What was agreed, what was done, and what was rewritten.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::super::command::Line;
use super::values::{find, joined, list, moment, text};
use super::{INDENT, TOLD, Told};
use crate::audit::reading::{Outcome, Record};
use crate::cli::table::{Table, visible};
use crate::cli::words::{amount, counted, duration};
use crate::policy::sop_class::keyword;
use crate::vocabulary::{of_reason, of_tolerated};

impl Told {
    pub(super) fn contexts(&mut self, record: &Value) {
        let mut contexts = list(&record["contexts"]).peekable();
        if contexts.peek().is_none() {
            return;
        }
        self.chapter("What was agreed (presentation contexts)");
        let mut table =
            Table::new(["id", "abstract syntax", "answer"]).within(self.width).stacked(usize::MAX);
        for context in contexts {
            table.row([text(context, "/id"), named(&text(context, "/abstract-syntax")), answer(context)]);
        }
        self.table(&table, |_| None);
    }

    pub(super) fn operations(&mut self, operations: &[&Value], begin: &Value, id: &str, folder: &str) {
        if operations.is_empty() {
            return;
        }
        self.chapter("What it did");
        let start = begin["time"].as_str().and_then(moment);
        let titles =
            ["after", "operation", "id", "took", "outcome", "bytes", "SOP class", "SOP instance", "study"];
        let mut table = Table::new(titles).within(self.width).stacked(2);
        let mut outcomes = Vec::new();
        for operation in operations.iter().take(TOLD) {
            let outcome = outcome(operation);
            let direction = if operation["direction"] == "to-peer" { " (to the peer)" } else { "" };
            let times = times(operation);
            let said = joined([find(operation, "/status"), find(operation, "/reason")], " ");
            table.row([
                after(start, operation),
                format!("{}{direction}{times}", text(operation, "/operation")),
                text(operation, "/message-id"),
                duration(operation["duration-ms"].as_u64()),
                format!("{} {}", outcome.map_or("", Outcome::name), said.unwrap_or_default()),
                amount(operation["bytes"].as_u64().unwrap_or(0)),
                keyword(&text(operation, "/sop-class"))
                    .map_or_else(|| text(operation, "/sop-class"), str::to_owned),
                text(operation, "/sop-instance"),
                text(operation, "/study"),
            ]);
            outcomes.push(outcome);
        }
        self.table(&table, |row| outcomes.get(row).copied().flatten());
        if operations.len() > TOLD {
            let all = Line::new("search", folder).with("association", id).with("event", "operation");
            self.say(&format!("and {} more: {all}", operations.len() - TOLD));
        }
        self.failures(operations);
        self.faults(operations);
        self.tolerated(operations);
    }

    /// What the labels of dimsegate's own refusals mean.
    pub(super) fn failures(&mut self, operations: &[&Value]) {
        let mut labels: Vec<&str> =
            operations.iter().filter_map(|operation| operation["reason"].as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        for (label, meaning) in labels.into_iter().filter_map(|label| Some((label, of_reason(label)?))) {
            self.say(&format!("{label}: {}; look at: {}", meaning.what, meaning.look));
        }
    }

    /// Which element a message was refused for, and what would have been right: each once, with the messages it was in.
    fn faults(&mut self, operations: &[&Value]) {
        let mut faults: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for operation in operations.iter().filter(|operation| operation["fault"].is_object()) {
            let fault = &operation["fault"];
            let behind =
                || find(fault, "/offset").map(|offset| format!("behind byte {offset} of the data set"));
            let place = find(fault, "/element").or_else(behind);
            let expected = find(fault, "/expected").map(|expected| format!("expected: {expected}"));
            let told = joined([place, find(fault, "/problem"), expected], ", ").unwrap_or_default();
            faults.entry(told).or_default().push(text(operation, "/message-id"));
        }
        for (fault, messages) in faults.iter().take(TOLD) {
            self.say(&format!("{} in {}: {fault}", self.style.red("fault"), of_messages(messages)));
        }
    }

    /// What the standard does not allow, and was read all the same.
    fn tolerated(&mut self, operations: &[&Value]) {
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for operation in operations {
            for label in list(&operation["tolerated"]).filter_map(Value::as_str) {
                labels.entry(visible(label)).or_default().push(text(operation, "/message-id"));
            }
        }
        for (label, messages) in labels.iter().take(TOLD) {
            let words = of_tolerated(label).map(|words| format!(": {words}")).unwrap_or_default();
            self.say(&format!("tolerated in {}: {label}{words}", of_messages(messages)));
        }
    }

    pub(super) fn rewritten(&mut self, operations: &[&Value], closed: Option<&Value>) {
        let Some(name) = closed.and_then(|closed| find(closed, "/rewrite/name")) else { return };
        self.chapter("What was rewritten");
        let elements = closed.and_then(|closed| closed.pointer("/rewrite/elements")).and_then(Value::as_u64);
        let elements = counted(elements.unwrap_or(0), "element");
        self.say(&format!("\"{name}\" changed, removed or added {elements}"));
        let mut studies: Vec<(String, String)> = operations
            .iter()
            .filter_map(|operation| Some((find(operation, "/study")?, find(operation, "/new-study")?)))
            .collect();
        studies.sort();
        studies.dedup();
        for (study, new) in studies.iter().take(TOLD) {
            self.say(&format!("study {study} became {new}"));
        }
        let instances =
            operations.iter().filter(|operation| operation["new-sop-instance"].is_string()).count();
        if instances > 0 {
            self.say(&format!("{} got new UIDs, each in its own record", counted(instances, "SOP instance")));
        }
    }

    pub(super) fn table(&mut self, table: &Table, outcome: impl Fn(usize) -> Option<Outcome>) {
        let style = self.style;
        let lines = table.lines(|row, column, cell| match (row, column) {
            (0, _) => style.dim(cell),
            (row, 4) => match outcome(row - 1) {
                Some(Outcome::Success) => style.green(cell),
                Some(Outcome::Warning) => style.yellow(cell),
                Some(Outcome::Failure | Outcome::Refused) => style.red(cell),
                None => cell.to_owned(),
            },
            _ => cell.to_owned(),
        });
        self.lines.extend(lines.iter().map(|line| format!("{INDENT}{line}")));
    }
}

fn outcome(operation: &Value) -> Option<Outcome> {
    let line = operation.to_string();
    Record::read(line.as_bytes()).ok()?.outcome()
}

/// How many a record stands for that were gathered.
fn times(operation: &Value) -> String {
    operation["count"].as_u64().map(|count| format!(" ({})", counted(count, "time"))).unwrap_or_default()
}

fn after(start: Option<time::OffsetDateTime>, operation: &Value) -> String {
    let at = operation["time"].as_str().and_then(moment);
    let passed = start.zip(at).and_then(|(start, at)| u64::try_from((at - start).whole_milliseconds()).ok());
    duration(passed)
}

/// PS3.8 Table 9-18.
fn answer(context: &Value) -> String {
    match context["result"].as_u64() {
        Some(0) => format!("accepted, {}", named(&text(context, "/transfer-syntax"))),
        Some(1) => "refused (user-rejection): by the role of the peer, or by the upstream".into(),
        Some(2) => "refused by the upstream, no reason".into(),
        Some(3) => "refused by the upstream: abstract syntax not supported".into(),
        Some(4) => "refused by the upstream: transfer syntaxes not supported".into(),
        _ => text(context, "/result"),
    }
}

fn named(uid: &str) -> String {
    keyword(uid).map_or_else(|| uid.to_owned(), |name| format!("{name} ({uid})"))
}

/// Messages by their ids, or how many where they are many.
fn of_messages(ids: &[String]) -> String {
    match ids {
        [id] => format!("message {id}"),
        ids if ids.len() <= 5 => format!("messages {}", ids.join(", ")),
        ids => counted(ids.len(), "message"),
    }
}
