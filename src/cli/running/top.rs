//! `dimsegate top`: the associations that are open, again and again.

use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::answer::{number, text};
use super::{Which, asking};
use crate::cli::table::{Table, screen, visible};
use crate::cli::words::{amount, counted, duration};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate top -c conf/dimsegate.toml

Where standard output is no terminal, it is shown once. Ctrl-C ends it.

Exit status: 0 when it was shown, 69 when no proxy answers, 78 for a bad configuration.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Show it once
    #[arg(long)]
    once: bool,
}

/// Clears the screen, and begins at its upper left.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Runs the command.
pub(in crate::cli) fn run(args: &Args) -> ExitCode {
    let again = !args.once && std::io::stdout().is_terminal();
    let shown = asking(&args.which, async |client| {
        loop {
            let status = client.get("/api/v1/status").await?;
            let associations = client.get("/api/v1/associations").await?;
            let text = shown(&status, &associations, screen(160));
            let text = if again { format!("{CLEAR}{text}") } else { text };
            // Whoever reads it has seen enough.
            if crate::cli::write_out(text.as_bytes()).is_err() || !again {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(args.every)).await;
        }
    });
    shown.map_or_else(|status| status, |()| ExitCode::SUCCESS)
}

fn moved(association: &Value) -> u64 {
    number(association, "/bytes/from-requestor").saturating_add(number(association, "/bytes/to-requestor"))
}

fn shown(status: &Value, associations: &Value, width: usize) -> String {
    let (open, allowed) = (number(status, "/associations/open"), number(status, "/associations/allowed"));
    let mut said = format!(
        "dimsegate, {}, {}: {} of {allowed}, {} in 5 minutes\n",
        visible(text(status, "/state")),
        visible(text(status, "/health")),
        counted(open, "association"),
        counted(number(status, "/refusals"), "refusal"),
    );
    let titles =
        ["id", "peer", "from", "AE titles", "upstream", "open for", "now", "waits for", "bytes", "a second"];
    let mut table = Table::new(titles).within(width).elastic([3, 7, 0]);
    for one in associations.as_array().into_iter().flatten() {
        let id = text(one, "/id");
        let rate = one["bytes-per-second"].as_u64().map(amount).unwrap_or_default();
        let titles = format!("{} to {}", text(one, "/calling-ae-title"), text(one, "/called-ae-title"));
        let open_for = duration(Some(number(one, "/open-ms")));
        let bytes = amount(moved(one));
        table.row([
            id,
            text(one, "/peer"),
            text(one, "/address"),
            &titles,
            text(one, "/upstream"),
            &open_for,
            operation(one),
            &waits(one),
            &bytes,
            &rate,
        ]);
    }
    for line in table.lines(|_, _, cell| cell.to_owned()) {
        // Writing to a string cannot fail.
        let _ = writeln!(said, "{}", line.trim_end());
    }
    said
}

/// What is under way, of the requestor's before the upstream's.
fn operation(one: &Value) -> &str {
    let operation = text(one, "/from-peer/operation");
    if operation.is_empty() { text(one, "/to-peer/operation") } else { operation }
}

fn waits(one: &Value) -> String {
    match (text(one, "/waits-for"), text(one, "/waits-for-what")) {
        (who, "") => who.to_owned(),
        (who, what) => format!("{who}: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;
    use serde_json::json;

    #[test]
    fn each_association_has_a_line_with_its_rate() {
        let status = json!({"state": "running", "health": "ok", "refusals": 0,
            "associations": {"open": 1, "allowed": 500}});
        let one = json!([{"id": "a-1", "peer": "lyon", "address": "192.0.2.1:4711", "calling-ae-title": "CT\u{1b}",
            "called-ae-title": "PACS", "upstream": "pacs", "open-ms": 61_000, "waits-for": "upstream",
            "waits-for-what": "an answer", "from-peer": {"operation": "C-STORE"},
            "bytes": {"from-requestor": 3_000_000, "to-requestor": 1000}, "bytes-per-second": 1_000_000}]);
        let text = shown(&status, &one, 160);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "dimsegate, running, ok: 1 association of 500, 0 refusals in 5 minutes");
        assert!(lines[2].contains("upstream: an answer") && lines[2].contains("C-STORE"), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("1 min 01 s"), "{text}");
        assert!(lines[2].ends_with("3.0 MB  1.0 MB"), "{text}");
        let mut earlier = one;
        earlier[0].as_object_mut().unwrap().remove("bytes-per-second");
        assert!(
            shown(&status, &earlier, 160).lines().nth(2).unwrap().ends_with("3.0 MB"),
            "of another version"
        );
    }
}
