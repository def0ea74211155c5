//! `dimsegate audit reasons`: the whole vocabulary, for whoever writes rules over records.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::print;
use crate::cli::table::{Table, screen};
use crate::vocabulary::{
    Alert, Answer, Cause, Ended, HandshakeFault, HeadFound, Notice, Reason, Tolerance, Word,
};

/// List every label that a record may carry: what it means, where to look, how it is answered
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate audit reasons
  dimsegate audit reasons --json | jq -r '.[] | select(.alert) | .label'

Labels are stable: rules of a SIEM can rest on them. Each stands in a field of records: reason, ended, head or tolerated;
those of TLS handshakes stand for the sentences that explanation has. An answer is the A-ASSOCIATE-RJ (result/source/reason)
or the status that whoever asked got. An alert is what a repository is told beyond the record itself.

Exit status: 0.")]
pub(super) struct Args {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let text = if args.json { as_json() } else { as_text(screen(100)) };
    // A reader that has gone away has read enough.
    let _ = print(text.as_bytes());
    ExitCode::SUCCESS
}

/// Words that stand in one place of records.
struct Place {
    /// The field; none of what is counted alone.
    field: Option<&'static str>,
    /// What it says something about.
    about: &'static str,
    words: &'static [Word],
}

const PLACES: [Place; 7] = [
    Place { field: Some("reason"), about: "a refused connection or association", words: Reason::WORDS },
    Place { field: Some("reason"), about: "an operation", words: Cause::WORDS },
    Place { field: Some("reason"), about: "the proxy and its surroundings", words: Notice::WORDS },
    Place { field: Some("ended"), about: "the end of an association", words: Ended::WORDS },
    Place { field: Some("head"), about: "the trail that a run found", words: HeadFound::WORDS },
    Place {
        field: Some("tolerated"),
        about: "a message that was read all the same",
        words: Tolerance::WORDS,
    },
    Place { field: Some("explanation"), about: "a TLS handshake", words: HandshakeFault::WORDS },
];

/// Each word with its place, in the order of the vocabulary.
fn every_word() -> impl Iterator<Item = (Place, &'static Word)> {
    PLACES.into_iter().flat_map(|Place { field, about, words }| {
        let of = move |word: &'static Word| {
            // A health check is counted, and no record.
            let is_counted = about == PLACES[0].about && word.label == Reason::HealthCheck.label();
            (Place { field: field.filter(|_| !is_counted), about, words }, word)
        };
        words.iter().map(of)
    })
}

fn as_text(width: usize) -> String {
    let titles = ["label", "in", "about", "answer", "alert", "what happened", "look at"];
    let mut table = Table::new(titles).within(width).stacked(1);
    for (place, word) in every_word() {
        let field = place.field.unwrap_or("no record");
        let alert = alert(word.alert).unwrap_or("none");
        table.row([word.label, field, place.about, &answer(word.answer), alert, word.what, word.look]);
    }
    table.lines(|_, _, cell| cell.to_owned()).join("\n") + "\n"
}

fn answer(answer: Answer) -> String {
    match answer {
        Answer::Silent => "none".into(),
        Answer::Rejected((result, source, reason)) => format!("rejected {result}/{source}/{reason}"),
        Answer::AsUpstream => "that of the upstream".into(),
        Answer::Status(status) => format!("status 0x{status:04X}"),
        Answer::StatusOfService => "a status of the service".into(),
    }
}

/// As records have them: `rejection` and `status`.
fn as_json() -> String {
    let of = |(place, word): (Place, &Word)| {
        let (rejection, status) = match word.answer {
            Answer::Rejected((result, source, reason)) => {
                (json!({ "result": result, "source": source, "reason": reason }), Value::Null)
            }
            Answer::AsUpstream => (json!("upstream"), Value::Null),
            Answer::Status(status) => (Value::Null, json!(format!("0x{status:04X}"))),
            Answer::StatusOfService => (Value::Null, json!("service")),
            Answer::Silent => (Value::Null, Value::Null),
        };
        json!({
            "label": word.label, "field": place.field, "about": place.about, "what": word.what, "look": word.look,
            "rejection": rejection, "status": status, "alert": alert(word.alert),
        })
    };
    format!("{:#}\n", every_word().map(of).collect::<Value>())
}

fn alert(alert: Alert) -> Option<&'static str> {
    Some(match alert {
        Alert::No => return None,
        Alert::NodeAuthentication => "node-authentication",
        Alert::UpstreamAuthentication => "upstream-authentication",
        Alert::RestrictedFunction => "restricted-function",
        Alert::AccessControl => "access-control",
        Alert::Login => "login",
        Alert::RecordingStopped => "recording-stopped",
        Alert::RecordingLate => "recording-late",
    })
}

#[cfg(test)]
mod tests {
    use super::{Value, as_json, as_text};
    use crate::vocabulary::{
        Cause, Ended, HandshakeFault, HeadFound, Notice, Reason, Tolerance, Word, reasons,
    };

    fn every_word() -> impl Iterator<Item = &'static Word> {
        let of_enums = [
            Reason::WORDS,
            Cause::WORDS,
            Notice::WORDS,
            Ended::WORDS,
            HandshakeFault::WORDS,
            HeadFound::WORDS,
            Tolerance::WORDS,
        ];
        of_enums.into_iter().flatten()
    }

    #[test]
    fn every_label_of_the_vocabulary_is_listed_with_what_is_said_of_it() {
        let listed: Vec<Value> = serde_json::from_str(&as_json()).unwrap();
        assert_eq!(listed.len(), every_word().count());
        for word in every_word() {
            let is_its = |row: &Value| {
                row["label"] == word.label && row["what"] == word.what && row["look"] == word.look
            };
            assert!(listed.iter().any(is_its), "{word:?}");
        }
        for width in [40, 100, 10_000] {
            let text = as_text(width);
            for word in every_word() {
                let is_its = |line: &str| line.split_whitespace().next() == Some(word.label);
                assert!(text.lines().any(is_its), "{word:?} at {width}: {text}");
            }
        }
    }

    #[test]
    fn answers_alerts_and_places_are_those_of_records() {
        let listed: Vec<Value> = serde_json::from_str(&as_json()).unwrap();
        let row = |label: &str| listed.iter().find(|row| row["label"] == label).unwrap();
        let rejected = serde_json::json!({ "result": 1, "source": 1, "reason": 3 });
        assert_eq!(row("calling-ae-title-unknown")["rejection"], rejected);
        assert_eq!(row("calling-ae-title-unknown")["alert"], "access-control");
        assert_eq!(row("duplicate-invocation")["status"], "0x0210");
        assert_eq!(row("upstream-unreachable")["alert"], Value::Null);
        assert_eq!(row("health-check")["field"], Value::Null);
        assert_eq!((&row("defect")["field"], &row("cut")["field"]), (&"ended".into(), &"head".into()));
        let of_reason = listed.iter().filter(|row| row["field"] == "reason").count();
        assert_eq!(of_reason, reasons().count());
    }
}
