//! What was agreed, what was done, and what was rewritten.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::command::Line;
use super::values::{joined, moment, some, text};
use super::{Chapters, INDENT, TOLD};
use crate::audit::record::{AssociationClosed, Context, Direction, Operation, Outcome, Record};
use crate::cli::table::{Table, visible};
use crate::cli::words::{amount, counted, duration};
use crate::policy::sop_class::keyword;
use crate::vocabulary::{of_reason, of_tolerated};

/// An operation, with its record.
type Done<'r> = (&'r Record, &'r Operation);

impl Chapters {
    pub(super) fn contexts(&mut self, contexts: &[Context]) {
        if contexts.is_empty() {
            return;
        }
        self.chapter("What was agreed (presentation contexts)");
        let mut table =
            Table::new(["id", "abstract syntax", "answer"]).within(self.width).stacked(usize::MAX);
        for context in contexts {
            table.row([context.id.to_string(), named(&context.abstract_syntax), answer(context)]);
        }
        self.table(&table, |_| None);
    }

    pub(super) fn operations(&mut self, operations: &[Done], begin: &Record, id: &str, folder: &str) {
        if operations.is_empty() {
            return;
        }
        self.chapter("What it did");
        let start = moment(&begin.time);
        let titles =
            ["after", "operation", "id", "took", "outcome", "bytes", "SOP class", "SOP instance", "study"];
        let mut table = Table::new(titles).within(self.width).stacked(2);
        let mut outcomes = Vec::new();
        for (record, operation) in operations.iter().take(TOLD) {
            let outcome = operation.outcome();
            let direction = if operation.direction == Direction::ToPeer { " (to the peer)" } else { "" };
            let said = joined([operation.status_text(), some(operation.reason.as_deref())], " ");
            let class = operation.sop_class.as_deref();
            table.row([
                after(start, record),
                format!("{}{direction}{}", visible(&operation.operation), times(operation)),
                operation.message_id.to_string(),
                duration(Some(operation.duration_ms)),
                format!("{} {}", outcome.name(), said.unwrap_or_default()),
                amount(operation.bytes),
                class.and_then(keyword).map_or_else(|| text(class), str::to_owned),
                text(operation.sop_instance.as_deref()),
                text(operation.study.as_deref()),
            ]);
            outcomes.push(outcome);
        }
        self.table(&table, |row| outcomes.get(row).copied());
        if operations.len() > TOLD {
            let all = Line::new("search", folder).with("association", id).with("event", "operation");
            self.say(&format!("and {} more: {all}", operations.len() - TOLD));
        }
        self.failures(operations);
        self.faults(operations);
        self.tolerated(operations);
    }

    /// What the labels of dimsegate's own refusals mean.
    fn failures(&mut self, operations: &[Done]) {
        let mut labels: Vec<&str> =
            operations.iter().filter_map(|(_, operation)| operation.reason.as_deref()).collect();
        labels.sort_unstable();
        labels.dedup();
        for (label, meaning) in labels.into_iter().filter_map(|label| Some((label, of_reason(label)?))) {
            self.say(&format!("{label}: {}; look at: {}", meaning.what, meaning.look));
        }
    }

    /// Which element a message was refused for, and what would have been right: each once, with the messages it was in.
    fn faults(&mut self, operations: &[Done]) {
        let mut faults: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, operation) in operations {
            let Some(fault) = operation.fault.as_deref() else { continue };
            let behind = || fault.offset.map(|offset| format!("behind byte {offset} of the data set"));
            let place = some(fault.element.as_deref()).or_else(behind);
            let expected = fault.expected.as_ref().map(|text| format!("expected: {}", visible(text)));
            let told = joined([place, Some(visible(&fault.problem)), expected], ", ").unwrap_or_default();
            faults.entry(told).or_default().push(operation.message_id.to_string());
        }
        for (fault, messages) in faults.iter().take(TOLD) {
            self.say(&format!("{} in {}: {fault}", self.style.red("fault"), of_messages(messages)));
        }
    }

    /// What the standard does not allow, and was read all the same.
    fn tolerated(&mut self, operations: &[Done]) {
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, operation) in operations {
            for label in &operation.tolerated {
                labels.entry(visible(label)).or_default().push(operation.message_id.to_string());
            }
        }
        for (label, messages) in labels.iter().take(TOLD) {
            let words = of_tolerated(label).map(|words| format!(": {words}")).unwrap_or_default();
            self.say(&format!("tolerated in {}: {label}{words}", of_messages(messages)));
        }
    }

    pub(super) fn rewritten(&mut self, operations: &[Done], closed: Option<&AssociationClosed>) {
        let Some(rewrite) = closed.and_then(|closed| closed.rewrite.as_ref()) else { return };
        self.chapter("What was rewritten");
        let elements = counted(rewrite.elements, "element");
        self.say(&format!("\"{}\" changed, removed or added {elements}", visible(&rewrite.name)));
        let became = |operation: &Operation| {
            Some((some(operation.study.as_deref())?, some(operation.new_study.as_deref())?))
        };
        let studies: BTreeSet<_> = operations.iter().filter_map(|(_, operation)| became(operation)).collect();
        for (study, new) in studies.iter().take(TOLD) {
            self.say(&format!("study {study} became {new}"));
        }
        let instances = operations.iter().filter(|(_, one)| one.new_sop_instance.is_some()).count();
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

/// How many a record stands for that were gathered.
fn times(operation: &Operation) -> String {
    operation.count.map(|count| format!(" ({})", counted(count, "time"))).unwrap_or_default()
}

fn after(start: Option<time::OffsetDateTime>, record: &Record) -> String {
    let at = moment(&record.time);
    let passed = start.zip(at).and_then(|(start, at)| u64::try_from((at - start).whole_milliseconds()).ok());
    duration(passed)
}

/// PS3.8 Table 9-18.
fn answer(context: &Context) -> String {
    match context.result {
        0 => format!("accepted, {}", named(context.transfer_syntax.as_deref().unwrap_or_default())),
        1 => "refused (user-rejection): by the role of the peer, or by the upstream".into(),
        2 => "refused by the upstream, no reason".into(),
        3 => "refused by the upstream: abstract syntax not supported".into(),
        4 => "refused by the upstream: transfer syntaxes not supported".into(),
        result => result.to_string(),
    }
}

fn named(uid: &str) -> String {
    keyword(uid).map_or_else(|| visible(uid), |name| format!("{name} ({uid})"))
}

/// Messages by their ids, or how many where they are many.
fn of_messages(ids: &[String]) -> String {
    match ids {
        [id] => format!("message {id}"),
        ids if ids.len() <= 5 => format!("messages {}", ids.join(", ")),
        ids => counted(ids.len(), "message"),
    }
}
