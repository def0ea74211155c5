//! `dimsegate status`: is the proxy up, and is anything wrong.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::answer::{items, number, text};
use super::{ClientError, NotAsked, Which, answered, asking};
use crate::cli::table::visible;
use crate::cli::words::{counted, duration};
use crate::tls::EndKind;

mod prtg;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate status -c conf/dimsegate.toml
  dimsegate status --socket /run/dimsegate/admin.sock --nagios
  dimsegate status --socket /run/dimsegate/admin.sock --prtg

Exit status: 0 when the proxy answered, 69 when none did or it refused, 78 for a configuration that does not say where to \
ask. With --nagios: 0 all is well, 1 something should be looked at, 2 something is wrong or no proxy answers, 3 it could not \
be found out. With --prtg: 0, what is wrong stands in the answer.")]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    which: Which,
    /// Print the answer as JSON
    #[arg(long, conflicts_with_all = ["nagios", "prtg"])]
    json: bool,
    /// One line with performance data, and exit statuses, as monitors want it
    #[arg(long, conflicts_with = "prtg")]
    nagios: bool,
    /// JSON with channels, as the sensor "SSH Script Advanced" of PRTG wants it
    #[arg(long)]
    prtg: bool,
}

/// Runs the command.
pub(in crate::cli) fn run(args: &Args) -> ExitCode {
    if args.nagios {
        let (line, status) = nagios(args);
        println!("{line}");
        return ExitCode::from(status);
    }
    if args.prtg {
        println!("{:#}", prtg(args));
        return ExitCode::SUCCESS;
    }
    let asked = asking(&args.which, async |client| Ok(client.get("/api/v1/status").await?));
    match asked {
        Ok(status) if args.json => {
            println!("{status:#}");
            ExitCode::SUCCESS
        }
        Ok(status) => {
            print!("{}", told(&status));
            ExitCode::SUCCESS
        }
        Err(status) => status,
    }
}

fn told(status: &Value) -> String {
    let mut lines = vec![format!(
        "dimsegate {}, {} for {}, {}",
        text(status, "/version"),
        text(status, "/state"),
        duration(Some(number(status, "/uptime-ms"))),
        match text(status, "/health") {
            "ok" => "all is well",
            other => other,
        }
    )];
    let mut line = |what: &str, value: String| lines.push(format!("  {what:<15}{}", visible(&value)));
    for problem in items(status, "/problems") {
        line(text(problem, "/level"), text(problem, "/what").to_owned());
    }
    let digest = text(status, "/configuration/digest");
    let digest = digest.get(..16).unwrap_or(digest);
    line("configuration", format!("{} ({digest}…)", text(status, "/configuration/file")));
    for listener in items(status, "/listeners") {
        let tls = if listener["tls"].as_bool() == Some(true) { "TLS" } else { "plain" };
        line("listener", format!("{} at {}, {tls}", text(listener, "/name"), text(listener, "/address")));
    }
    let (open, allowed) = (number(status, "/associations/open"), number(status, "/associations/allowed"));
    line("associations", format!("{open} of {allowed}"));
    line("refusals", format!("{} in the last 5 minutes", number(status, "/refusals")));
    if !text(status, "/ends-first/what").is_empty() {
        let end = |path| text(status, path);
        line(
            "ends first",
            format!("{} in {}, {}", end("/ends-first/what"), end("/ends-first/file"), end("/ends-first/at")),
        );
    }
    lines.join("\n") + "\n"
}

/// Less than monitors wait for a check, so that it is told which.
const MONITOR: Duration = Duration::from_secs(8);

fn for_monitor(args: &Args) -> Result<Value, NotAsked> {
    answered(&args.which, async |client| Ok(client.within(MONITOR).get("/api/v1/status").await?))
}

fn prtg(args: &Args) -> Value {
    match for_monitor(args) {
        Ok(status) => prtg::of_status(&status),
        Err(error) => prtg::error(&error.to_string()),
    }
}

/// The line, and the status to exit with.
fn nagios(args: &Args) -> (String, u8) {
    match for_monitor(args) {
        Ok(status) => of_status(&status),
        Err(error) => {
            let (word, status) = match &error {
                NotAsked::NoSocket(_) => ("UNKNOWN", 3),
                // One that takes the connection and says nothing hangs.
                NotAsked::Client(ClientError::Nobody { .. } | ClientError::Broken { .. }) => ("CRITICAL", 2),
                NotAsked::Client(_) => ("UNKNOWN", 3),
            };
            (format!("DIMSEGATE {word} - {}", without_bars(&error.to_string())), status)
        }
    }
}

fn of_status(status: &Value) -> (String, u8) {
    let (word, code) = match text(status, "/health") {
        "ok" => ("OK", 0),
        "warning" => ("WARNING", 1),
        "critical" => ("CRITICAL", 2),
        _ => ("UNKNOWN", 3),
    };
    let said = said(status);
    let (open, allowed) = (number(status, "/associations/open"), number(status, "/associations/allowed"));
    let refusals = number(status, "/refusals");
    let mut data = format!(
        "associations={open};{};;0;{allowed} refusals={refusals};;;0 uptime={}s;;;0",
        allowed.saturating_mul(4) / 5,
        number(status, "/uptime-ms") / 1000
    );
    for (kind, figure) in
        [(EndKind::Certificate, "days_to_certificate_end"), (EndKind::RevocationList, "days_to_list_end")]
    {
        let (notice, urgent) = (kind.notice().whole_days(), kind.urgent().whole_days());
        if let Some(days) = status.get(figure.replace('_', "-")).and_then(Value::as_i64) {
            data.push_str(&format!(" {figure}={days};{notice}:;{urgent}:"));
        }
    }
    (format!("DIMSEGATE {word} - {} | {data}", without_bars(&said)), code)
}

/// What is wrong, or how much there is where nothing is.
fn said(status: &Value) -> String {
    let problems: Vec<&str> = items(status, "/problems").map(|problem| text(problem, "/what")).collect();
    let (open, refusals) = (number(status, "/associations/open"), number(status, "/refusals"));
    match problems.as_slice() {
        [] => format!("{} open, {} in 5 minutes", counted(open, "association"), counted(refusals, "refusal")),
        some => some.join("; "),
    }
}

/// A bar would begin the performance data, and a line end the next line.
fn without_bars(text: &str) -> String {
    visible(&text.replace('|', "/").replace('\n', "; "))
}

#[cfg(test)]
mod tests {
    use super::{of_status, told};
    use serde_json::json;

    #[test]
    fn a_monitor_gets_one_line_with_data_and_a_status() {
        let good = json!({"health": "ok", "problems": [], "associations": {"open": 3, "allowed": 500},
            "refusals": 1, "uptime-ms": 61_000, "days-to-certificate-end": 40, "days-to-list-end": 9});
        let expected = "DIMSEGATE OK - 3 associations open, 1 refusal in 5 minutes | \
                        associations=3;400;;0;500 refusals=1;;;0 uptime=61s;;;0 \
                        days_to_certificate_end=40;30:;3: days_to_list_end=9;7:;0:";
        assert_eq!(of_status(&good), (expected.to_owned(), 0));
        let near = json!({"health": "warning", "problems": [
            {"level": "warning", "what": "listener: the certificate of CN=x ends on 2026-12-24"},
            {"level": "warning", "what": "4 associations of 5 are open"}],
            "associations": {"open": 4, "allowed": 5}, "days-to-certificate-end": 23});
        let expected = "DIMSEGATE WARNING - listener: the certificate of CN=x ends on 2026-12-24; \
                        4 associations of 5 are open | associations=4;4;;0;5 refusals=0;;;0 uptime=0s;;;0 \
                        days_to_certificate_end=23;30:;3:";
        assert_eq!(of_status(&near), (expected.to_owned(), 1));
        let bad = json!({"health": "critical", "problems": [{"level": "critical", "what": "records | cannot\nbe"}]});
        let (line, status) = of_status(&bad);
        assert!(line.starts_with("DIMSEGATE CRITICAL - records / cannot; be | ") && status == 2, "{line}");
        assert_eq!(of_status(&json!({})).1, 3, "what another version says");
    }

    #[test]
    fn people_read_what_is_wrong_first() {
        let status = json!({"version": "1", "state": "running", "health": "warning", "uptime-ms": 1000,
            "problems": [{"level": "warning", "what": "x ends\u{1b}[2J"}],
            "listeners": [{"name": "remote", "address": "0.0.0.0:2762", "tls": true}]});
        let text = told(&status);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "dimsegate 1, running for 1.0 s, warning");
        assert_eq!(lines[1], "  warning        x ends\\u{1b}[2J");
        assert!(text.contains("remote at 0.0.0.0:2762, TLS"));
    }
}
