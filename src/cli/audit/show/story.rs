//! The chapters of the story.

use serde_json::Value;

use super::super::command::Line;
use super::super::row::{amount, clock, duration};
use crate::audit::reading::{Outcome, Record, of_ending, of_reason, of_rejection};
use crate::cli::demo::story::Style;
use crate::cli::table::{Table, visible, wrapped};
use crate::policy::sop_class::keyword;

/// Operations that are told one by one.
const TOLD: usize = 100;

/// The lines of the story of an association, from all its records.
pub fn tell(records: &[Value], id: &str, folder: &str, style: Style, width: usize) -> Vec<String> {
    let of = |event: &str| records.iter().find(|record| record["event"] == event);
    let refused = of("association-rejected").or_else(|| of("connection-refused"));
    let closed = of("association-closed");
    let begin = of("association-opened").or(closed).or(refused).or(records.first());
    let begin = begin.unwrap_or(&Value::Null);
    let mut story = Told { lines: Vec::new(), style, width: width.saturating_sub(INDENT.len()) };
    story.title(id, begin, closed, refused);
    story.who(begin);
    match refused {
        Some(refused) => story.refusal(refused),
        None => story.admission(begin),
    }
    story.contexts(closed.unwrap_or(begin));
    let operations: Vec<&Value> = records.iter().filter(|record| record["event"] == "operation").collect();
    story.operations(&operations, begin, id, folder);
    story.rewritten(&operations, closed);
    for alert in records.iter().filter(|record| record["event"] == "security-alert") {
        story.alert(alert);
    }
    if refused.is_none() {
        story.end(closed);
    }
    story.lines
}

struct Told {
    lines: Vec<String>,
    style: Style,
    /// Of what stands under a chapter.
    width: usize,
}

const INDENT: &str = "  ";

impl Told {
    fn chapter(&mut self, name: &str) {
        self.lines.push(String::new());
        self.lines.push(self.style.bold(name));
    }

    fn say(&mut self, text: &str) {
        let pieces = wrapped(text, self.width.saturating_sub(INDENT.len()));
        let deeper = pieces.iter().enumerate().map(|(number, piece)| match number {
            0 => format!("{INDENT}{piece}"),
            _ => format!("{INDENT}{INDENT}{piece}"),
        });
        self.lines.extend(deeper);
    }

    fn title(&mut self, id: &str, begin: &Value, closed: Option<&Value>, refused: Option<&Value>) {
        let how = match (refused, closed) {
            (Some(_), _) => self.style.red("refused"),
            (None, None) => self.style.yellow("still open, or its end was not recorded"),
            (None, Some(closed)) => {
                let ended =
                    format!("{} after {}", text(closed, "/ended"), duration(closed["duration-ms"].as_u64()));
                if closed["ended"] == "released" { self.style.green(&ended) } else { self.style.red(&ended) }
            }
        };
        self.lines.push(format!("{} {}: {how}", self.style.bold("Association"), visible(id)));
        self.lines.push(self.style.dim(&format!("{} UTC", clock(&text(begin, "/time")))));
    }

    fn who(&mut self, begin: &Value) {
        self.chapter("Who came");
        let address = format!("{} port {}", text(begin, "/address"), text(begin, "/port"));
        match (find(begin, "/calling-ae-title"), find(begin, "/called-ae-title")) {
            (Some(calling), Some(called)) => self.say(&format!(
                "AE title {calling} from {address}, at listener \"{}\", calling {called}",
                text(begin, "/listener")
            )),
            _ => self.say(&format!(
                "{address}, at listener \"{}\", before any AE title was named",
                text(begin, "/listener")
            )),
        }
        let software =
            [find(begin, "/implementation/version-name"), find(begin, "/implementation/class-uid")];
        if let Some(software) = joined(software, ", ") {
            self.say(&format!("software {software}"));
        }
        match &begin["tls"] {
            Value::Null if begin["event"] == "connection-refused" && begin["transport"] != "plain" => {
                self.say("TLS was not established, so nothing proved who it was");
            }
            Value::Null => {
                self.say(
                    "over plain TCP: nothing proved who it was, and anybody on the way could read along",
                );
            }
            tls => self.tls(tls),
        }
        let shown = &begin["certificate"];
        if shown.is_object() {
            let (subject, issuer) = (text(shown, "/subject"), text(shown, "/issuer"));
            let hash = text(shown, "/fingerprint");
            self.say(&format!(
                "it showed the certificate {subject} of {issuer}, SHA-256 {hash}, which was refused"
            ));
        }
    }

    fn tls(&mut self, tls: &Value) {
        let exchange = find(tls, "/group").map(|group| format!("key exchange {group}"));
        let session =
            joined([Some(format!("TLS {}", text(tls, "/version"))), find(tls, "/cipher"), exchange], ", ");
        self.say(&session.unwrap_or_default());
        match find(tls, "/subject") {
            None => self.say("it showed no certificate"),
            Some(subject) => {
                let names: Vec<String> = list(&tls["san"]).filter_map(Value::as_str).map(visible).collect();
                let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
                let ends = find(tls, "/not-after").map(|ends| format!(", valid until {}", clock(&ends)));
                let (ends, hash) = (ends.unwrap_or_default(), text(tls, "/fingerprint"));
                let issuer = find(tls, "/authority/subject").or_else(|| find(tls, "/issuer"));
                let issuer = issuer.map(|issuer| format!(", issued by {issuer}")).unwrap_or_default();
                self.say(&format!("certificate {subject}{names}{issuer}{ends}, SHA-256 {hash}"));
            }
        }
    }

    fn refusal(&mut self, refused: &Value) {
        self.chapter("Why it was refused");
        let label = text(refused, "/reason");
        let meaning = of_reason(&label);
        self.say(&format!(
            "{}{}",
            self.style.red(&label),
            meaning.map(|meaning| format!(": {}", meaning.what)).unwrap_or_default()
        ));
        if let Some(count) = refused["count"].as_u64() {
            self.say(&format!("it tells of {count} within a minute, of which this was the last"));
        }
        if let Some(explanation) = find(refused, "/explanation") {
            self.say(&format!("nearest miss: {explanation}"));
        }
        let number = |pointer: &str| refused.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        if refused["rejection"].is_object() {
            let (result, source, reason) =
                (number("/rejection/result"), number("/rejection/source"), number("/rejection/reason"));
            let words = of_rejection(result, source, reason);
            self.say(&format!("the requestor was told A-ASSOCIATE-RJ {result}/{source}/{reason}, {words}"));
        } else if let Some(alert) = find(refused, "/alert") {
            self.say(&format!("the connection ended with TLS alert {alert}"));
        } else if refused["abort"].is_object() {
            self.say(&format!(
                "the requestor was told A-ABORT source {}, reason {}",
                number("/abort/source"),
                number("/abort/reason")
            ));
        } else {
            self.say("the connection was closed without an answer");
        }
        if let Some(meaning) = meaning {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    fn admission(&mut self, begin: &Value) {
        self.chapter("Why it was let in");
        let configuration = text(begin, "/configuration");
        let peer = text(begin, "/peer");
        self.say(&format!(
            "every condition of peer \"{peer}\" held, under the configuration with digest {configuration}"
        ));
        match find(begin, "/upstream/name") {
            None => self.say("nothing was asked of an upstream"),
            Some(name) => self.say(&format!(
                "passed on to upstream \"{name}\" at {}, as {} calling {}",
                text(begin, "/upstream/address"),
                text(begin, "/upstream/calling-ae-title"),
                text(begin, "/upstream/called-ae-title"),
            )),
        }
    }

    fn contexts(&mut self, record: &Value) {
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

    fn operations(&mut self, operations: &[&Value], begin: &Value, id: &str, folder: &str) {
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
            let said = joined([find(operation, "/status"), find(operation, "/reason")], " ");
            table.row([
                after(start, operation),
                format!("{}{direction}", text(operation, "/operation")),
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
    }

    /// What the labels of dimsegate's own refusals mean.
    fn failures(&mut self, operations: &[&Value]) {
        let mut labels: Vec<&str> =
            operations.iter().filter_map(|operation| operation["reason"].as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        for (label, meaning) in labels.into_iter().filter_map(|label| Some((label, of_reason(label)?))) {
            self.say(&format!("{label}: {}; look at: {}", meaning.what, meaning.look));
        }
    }

    fn rewritten(&mut self, operations: &[&Value], closed: Option<&Value>) {
        let Some(name) = closed.and_then(|closed| find(closed, "/rewrite/name")) else { return };
        self.chapter("What was rewritten");
        let elements = closed.map(|closed| text(closed, "/rewrite/elements")).unwrap_or_default();
        self.say(&format!("\"{name}\" changed, removed or added {elements} elements"));
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
            self.say(&format!("{instances} SOP instances got new UIDs, each in its own record"));
        }
    }

    fn alert(&mut self, alert: &Value) {
        self.chapter("Security alert");
        let label = text(alert, "/reason");
        self.say(&format!("{}: {}", self.style.red(&label), text(alert, "/explanation")));
        if let Some(meaning) = of_reason(&label) {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    fn end(&mut self, closed: Option<&Value>) {
        self.chapter("How it ended");
        let Some(closed) = closed else {
            self.say("no closing record: it is still open, or the proxy was killed before it could say");
            return self.say("look at: the next \"started\" record, and whether it follows a \"stopped\"");
        };
        let ended = text(closed, "/ended");
        let meaning = of_ending(&ended);
        self.say(&format!(
            "{ended}: {}",
            meaning.map_or("an ending that this version does not know", |m| m.what)
        ));
        if let Some(reason) = find(closed, "/reason") {
            self.say(&format!("reason: {reason}"));
        }
        let bytes =
            |pointer: &str| closed.pointer(pointer).and_then(Value::as_u64).map_or_else(String::new, amount);
        self.say(&format!(
            "{} came from the requestor, {} went to it",
            bytes("/bytes/in"),
            bytes("/bytes/out")
        ));
        if let Some(meaning) = meaning.filter(|_| ended != "released") {
            self.say(&format!("look at: {}", meaning.look));
        }
    }

    fn table(&mut self, table: &Table, outcome: impl Fn(usize) -> Option<Outcome>) {
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

fn moment(time: &str) -> Option<time::OffsetDateTime> {
    time::OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).ok()
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

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn joined<const N: usize>(parts: [Option<String>; N], between: &str) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(between))
}

/// The value there as text that a terminal shows and does not obey; empty where there is none.
fn text(record: &Value, pointer: &str) -> String {
    find(record, pointer).unwrap_or_default()
}

fn find(record: &Value, pointer: &str) -> Option<String> {
    match record.pointer(pointer)? {
        Value::Null => None,
        Value::String(text) => Some(visible(text)),
        other => Some(visible(&other.to_string())),
    }
}
