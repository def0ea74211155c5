//! `dimsegate tail`: associations and refusals as they come, each refusal with what would let it in.

use std::pin::pin;
use std::process::ExitCode;

use super::{Which, asking, reader};
use crate::audit::record::{AssociationClosed, Event, Record};
use crate::cli::table::visible;
use crate::cli::words::{amount, duration};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate tail -c conf/dimsegate.toml

What is shown begins with the moment at which the command does; what was before is in the records: dimsegate audit \
search.

Exit status: 0 when the proxy stopped or nobody reads on, 69 when none answers, 78 for a bad configuration.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// Print every record as it is, one a line
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(in crate::cli) fn run(args: &Args) -> ExitCode {
    let followed = asking(&args.which, async |client| {
        let mut stream = client.stream("/api/v1/events").await?;
        let mut gone = pin!(reader::gone());
        loop {
            let event = tokio::select! {
                event = stream.next() => event?,
                // Whoever reads it has seen enough.
                () = &mut gone => break,
            };
            let Some((event, data)) = event else { break };
            let text = match (event.as_str(), args.json) {
                ("lost", _) => {
                    eprintln!("dimsegate: {data} records came faster than they could be shown");
                    continue;
                }
                (_, true) => Some(format!("{data}\n")),
                (_, false) => Record::read(data.as_bytes()).ok().and_then(|record| shown(&record)),
            };
            if text.is_some_and(|text| crate::cli::write_out(text.as_bytes()).is_err()) {
                break;
            }
        }
        Ok(())
    });
    followed.map_or_else(|status| status, |()| ExitCode::SUCCESS)
}

/// `None` for records that are about neither.
fn shown(record: &Record) -> Option<String> {
    let said = match &record.event {
        Event::AssociationOpened(opened) => {
            format!("opened   {}, upstream {}{}", who(record), opened.upstream.name, id(record))
        }
        Event::AssociationClosed(told) => closed(told, record),
        Event::AssociationRejected(_) | Event::ConnectionRefused(_) => refused(record),
        _ => return None,
    };
    let time = record.time.get(11..23).unwrap_or(&record.time);
    Some(format!("{time}  {}\n", said.lines().map(visible).collect::<Vec<_>>().join("\n              ")))
}

fn who(record: &Record) -> String {
    let titles = record.calling_ae_title().map(|calling| {
        let called = record.called_ae_title().unwrap_or_default();
        format!("{calling} to {called} ")
    });
    let peer = record.peer().map(|peer| format!(", peer {peer}")).unwrap_or_default();
    let from = record.address().map(|address| format!("from {address}")).unwrap_or_default();
    format!("{}{from}{peer}", titles.unwrap_or_default())
}

/// By which `abort` names it.
fn id(record: &Record) -> String {
    record.association().map(|id| format!(", association {id}")).unwrap_or_default()
}

fn closed(closed: &AssociationClosed, record: &Record) -> String {
    let reason = record.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!(
        "closed   {}, {}{reason}, {} in, {} out, {}{}",
        who(record),
        closed.ended.label(),
        amount(closed.bytes.r#in),
        amount(closed.bytes.out),
        duration(Some(closed.duration_ms)),
        id(record)
    )
}

/// The sentence, and on a line of its own what would let it in.
fn refused(record: &Record) -> String {
    let explanation = record.explanation().unwrap_or_default();
    let (why, remedy) = match explanation.split_once(". To let it in: ") {
        Some((why, remedy)) => (why, Some(remedy)),
        None => (explanation, None),
    };
    let count = record.count().map(|count| format!(" ({count} times)")).unwrap_or_default();
    let label = record.reason().unwrap_or_default();
    let said = format!("refused  {}{count}: {label}: {why}", who(record));
    match remedy {
        Some(remedy) => format!("{said}\nto let it in: {remedy}"),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use serde_json::{Value, json};

    fn shown(record: &Value) -> Option<String> {
        super::shown(&Record::read(record.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn a_refusal_comes_with_what_would_let_it_in_and_other_records_do_not_come() {
        let record = json!({"time": "2026-03-01T08:30:00.123456Z", "event": "association-rejected",
            "calling-ae-title": "CT", "called-ae-title": "PACS", "address": "192.0.2.1",
            "reason": "calling-ae-title-unknown",
            "explanation": "no peer has \"CT\". To let it in: add \"CT\" to calling-ae-titles"});
        let expected = "08:30:00.123  refused  CT to PACS from 192.0.2.1: calling-ae-title-unknown: no peer has \"CT\"\n              \
                        to let it in: add \"CT\" to calling-ae-titles\n";
        assert_eq!(shown(&record).as_deref(), Some(expected));
        assert_eq!(shown(&json!({"event": "operation", "time": "t"})), None);
    }

    #[test]
    fn an_association_is_shown_with_the_id_that_abort_takes() {
        let record = json!({"time": "2026-03-01T08:30:00.123456Z", "event": "association-opened",
            "association": "00112233aabbccdd-1f", "calling-ae-title": "CT", "called-ae-title": "PACS",
            "address": "192.0.2.1", "peer": "lyon", "upstream": {"name": "pacs"}});
        let expected = "08:30:00.123  opened   CT to PACS from 192.0.2.1, peer lyon, upstream pacs, \
                        association 00112233aabbccdd-1f\n";
        assert_eq!(shown(&record).as_deref(), Some(expected));
        let record = json!({"time": "2026-03-01T08:30:00.123456Z", "event": "association-closed",
            "association": "00112233aabbccdd-1f", "address": "192.0.2.1", "ended": "released"});
        assert!(shown(&record).unwrap().ends_with(", association 00112233aabbccdd-1f\n"));
    }
}
