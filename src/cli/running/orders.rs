//! `dimsegate reload`, `drain`, `abort` and `log-level`: what is done to a running proxy.

use std::process::ExitCode;

use serde_json::json;

use super::answer::{number, text};
use super::{Which, asking};
use crate::cli::words::{counted, duration};
use crate::notation::uri::escaped;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate reload -c conf/dimsegate.toml

A file with problems leaves everything as it was, and the command says every problem.

Exit status: 0 when it is in force, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Reload {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate drain -c conf/dimsegate.toml

Associations with nothing under way are released at once; the others have limits.grace, and are then aborted. The command \
does not wait for that.

Exit status: 0 when it stops, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Drain {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate abort -c conf/dimsegate.toml 5a1e0c93d7b2486f-12 --reason \"the CT sends the wrong study\"

IDs are those of dimsegate tail, of the records and of the log.

Exit status: 0 when it is ordered, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Abort {
    #[command(flatten)]
    which: Which,
    /// The association, as records and log call it
    #[arg(value_name = "ID")]
    id: String,
    /// Wait until no message is under way; none begins from then on
    #[arg(long)]
    between_messages: bool,
    /// Why, for its closing record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate log-level -c conf/dimsegate.toml debug

It holds until the configuration is read again.

Exit status: 0 when it is in force, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct LogLevel {
    #[command(flatten)]
    which: Which,
    /// error, warn, info, debug, trace, off, or a tracing filter
    #[arg(value_name = "LEVEL")]
    level: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate notify -c conf/dimsegate.toml on-call

It is told that this is a test. It gets one try, and the command says what did not work.

Exit status: 0 when it was told, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Notify {
    #[command(flatten)]
    which: Which,
    /// Name of the [[notify]]
    #[arg(value_name = "NAME")]
    name: String,
}

pub(in crate::cli) fn notify(args: &Notify) -> ExitCode {
    let path = format!("/api/v1/notifications/{}/test", escaped(&args.name));
    let asked = asking(&args.which, async |client| Ok(client.post(&path, &json!({})).await?));
    done(asked.map(|answer| format!("\"{}\" was told", text(&answer, "/name"))))
}

pub(in crate::cli) fn reload(args: &Reload) -> ExitCode {
    let asked = asking(&args.which, async |client| Ok(client.post("/api/v1/reload", &json!({})).await?));
    done(asked.map(|answer| format!("configuration {} is in force", text(&answer, "/configuration"))))
}

pub(in crate::cli) fn drain(args: &Drain) -> ExitCode {
    let asked = asking(&args.which, async |client| Ok(client.post("/api/v1/drain", &json!({})).await?));
    done(asked.map(|answer| {
        let open = counted(number(&answer, "/open-associations"), "association");
        format!("it stops; {open} open, with {} to end", duration(Some(number(&answer, "/grace-ms"))))
    }))
}

pub(in crate::cli) fn abort(args: &Abort) -> ExitCode {
    let when = if args.between_messages { "between-messages" } else { "at-once" };
    let content = json!({ "when": when, "reason": args.reason.clone().unwrap_or_default() });
    let path = format!("/api/v1/associations/{}/abort", escaped(&args.id));
    let asked = asking(&args.which, async |client| Ok(client.post(&path, &content).await?));
    done(asked.map(|answer| {
        format!("association {} ends {}", text(&answer, "/id"), text(&answer, "/when").replace('-', " "))
    }))
}

pub(in crate::cli) fn log_level(args: &LogLevel) -> ExitCode {
    let content = json!({ "level": args.level });
    let asked = asking(&args.which, async |client| Ok(client.put("/api/v1/log-level", &content).await?));
    done(asked.map(|answer| format!("log level {} is in force", text(&answer, "/level"))))
}

pub(super) fn done(said: Result<String, ExitCode>) -> ExitCode {
    match said {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(status) => status,
    }
}
