//! `dimsegate block` and `unblock`: whom a running proxy shuts out.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::answer::{items, number, text};
use super::orders::done;
use super::{Which, asking};
use crate::cli::table::visible;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate block -c conf/dimsegate.toml ae-title:LYON_CT1 --for 2h --reason \"sends the wrong patients\"
  dimsegate block -c conf/dimsegate.toml certificate:sha256:9f86d081… --reason \"laptop stolen\"

WHO is one of
  ae-title:TITLE            the calling AE title, exact
  address:203.0.113.9       an address or a network, before TLS
  certificate:sha256:…      a certificate; certificate:spki-sha256:… its key
  peer:NAME                 a [[peer]] of the configuration
  user:NAME                 a user of [users], or ISSUER/NAME of a token, wherever a user identity has proven that it is this one
  user-at:ADDRESS/NAME      the same, from one address only
  agreement:ID              an [[agreement]] of the configuration: every route that is open by it

It is on the disk when the command is back, and holds across reloads and restarts. If the disk does not take it, it is in force \
in memory until the next restart, the command says so with status 69, and a security alert does. New associations are refused with 1/1/1, \
connections of a blocked address closed; open ones end between two messages.

Exit status: 0 when it is in force and on the disk, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Block {
    #[command(flatten)]
    which: Which,
    /// Whom to shut out
    #[arg(value_name = "WHO")]
    of: String,
    /// How long, such as 30m or 2h; absent: until it is taken back
    #[arg(long = "for", value_name = "TIME")]
    lasting: Option<String>,
    /// Why; it stands in the records of those who are refused
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate unblock -c conf/dimsegate.toml            lists the blocks that are in force
  dimsegate unblock -c conf/dimsegate.toml 3

Exit status: 0 when it is done, 69 when not, 78 for a configuration that does not say where to ask.")]
pub(in crate::cli) struct Unblock {
    #[command(flatten)]
    which: Which,
    /// Number of the block; absent: lists those that are in force
    #[arg(value_name = "NUMBER")]
    id: Option<u64>,
}

pub(in crate::cli) fn block(args: &Block) -> ExitCode {
    let content = json!({ "of": args.of, "for": args.lasting, "reason": args.reason });
    let asked = asking(&args.which, async |client| Ok(client.post("/api/v1/blocks", &content).await?));
    done(asked.map(|block| line(&block)))
}

pub(in crate::cli) fn unblock(args: &Unblock) -> ExitCode {
    let Some(id) = args.id else { return list(&args.which) };
    let path = format!("/api/v1/blocks/{id}");
    let asked = asking(&args.which, async |client| Ok(client.delete(&path).await?));
    done(asked.map(|block| format!("taken back: {}", line(&block))))
}

fn list(which: &Which) -> ExitCode {
    let asked = asking(which, async |client| Ok(client.get("/api/v1/blocks").await?));
    done(asked.map(|blocks| match items(&blocks, "").map(line).collect::<Vec<_>>().as_slice() {
        [] => "nobody is blocked".into(),
        lines => lines.join("\n"),
    }))
}

fn line(block: &Value) -> String {
    let until = match text(block, "/until") {
        "" => "until it is taken back".to_owned(),
        until => format!("until {until}"),
    };
    let (id, of, by, why) =
        (number(block, "/id"), text(block, "/of"), text(block, "/by"), text(block, "/reason"));
    visible(&format!("block {id}: {of} {until}, by {by}: {why}"))
}
