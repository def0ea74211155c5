//! `dimsegate tail`: associations and refusals as they come, each refusal with what would let it in.

use std::pin::pin;
use std::process::ExitCode;

use serde_json::Value;

use super::asked::{number, text};
use super::{Which, asking, reader};
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
                (_, false) => serde_json::from_str(&data).ok().and_then(|record| shown(&record)),
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
fn shown(record: &Value) -> Option<String> {
    let said = match text(record, "/event") {
        "association-opened" => opened(record),
        "association-closed" => closed(record),
        "association-rejected" | "connection-refused" => refused(record),
        _ => return None,
    };
    let time = text(record, "/time");
    let time = time.get(11..23).unwrap_or(time);
    Some(format!("{time}  {}\n", said.lines().map(visible).collect::<Vec<_>>().join("\n              ")))
}

fn who(record: &Value) -> String {
    let title = |path| text(record, path);
    let titles = match (title("/calling-ae-title"), title("/called-ae-title")) {
        ("", _) => String::new(),
        (calling, called) => format!("{calling} to {called} "),
    };
    let peer = match text(record, "/peer") {
        "" => String::new(),
        peer => format!(", peer {peer}"),
    };
    let address = text(record, "/address");
    let from = if address.is_empty() { String::new() } else { format!("from {address}") };
    format!("{titles}{from}{peer}")
}

fn opened(record: &Value) -> String {
    format!("opened   {}, upstream {}{}", who(record), text(record, "/upstream/name"), id(record))
}

/// By which `abort` names it.
fn id(record: &Value) -> String {
    match text(record, "/association") {
        "" => String::new(),
        id => format!(", association {id}"),
    }
}

fn closed(record: &Value) -> String {
    let reason = match text(record, "/reason") {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let (taken, sent) = (number(record, "/bytes/in"), number(record, "/bytes/out"));
    format!(
        "closed   {}, {}{reason}, {} in, {} out, {}{}",
        who(record),
        text(record, "/ended"),
        amount(taken),
        amount(sent),
        duration(Some(number(record, "/duration-ms"))),
        id(record)
    )
}

/// The sentence, and on a line of its own what would let it in.
fn refused(record: &Value) -> String {
    let explanation = text(record, "/explanation");
    let (why, remedy) = match explanation.split_once(". To let it in: ") {
        Some((why, remedy)) => (why, Some(remedy)),
        None => (explanation, None),
    };
    let count = record["count"].as_u64().map(|count| format!(" ({count} times)")).unwrap_or_default();
    let said = format!("refused  {}{count}: {}: {why}", who(record), text(record, "/reason"));
    match remedy {
        Some(remedy) => format!("{said}\nto let it in: {remedy}"),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use serde_json::json;

    #[test]
    fn a_refusal_comes_with_what_would_let_it_in_and_other_records_do_not_come() {
        let record = json!({"time": "2026-03-01T08:30:00.123456Z", "event": "association-rejected",
            "calling-ae-title": "CT", "called-ae-title": "PACS", "address": "192.0.2.1",
            "reason": "calling-ae-title-unknown",
            "explanation": "no peer has \"CT\". To let it in: add \"CT\" to calling-ae-titles"});
        let expected = "08:30:00.123  refused  CT to PACS from 192.0.2.1: calling-ae-title-unknown: no peer has \"CT\"\n              \
                        to let it in: add \"CT\" to calling-ae-titles\n";
        assert_eq!(shown(&record).as_deref(), Some(expected));
        assert_eq!(shown(&json!({"event": "operation", "time": ""})), None);
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
