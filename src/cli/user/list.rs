//! `dimsegate user list`.

use std::process::ExitCode;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Which, failed};
use crate::cli::print;
use crate::cli::table::{Table, screen};
use crate::users::{self, User};

/// List the users; nothing secret is shown
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dimsegate user list -c conf/dimsegate.toml")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<(), ExitCode> {
    let file = args.which.place()?.file;
    let users = users::read(&file).map_err(|error| failed(&error))?;
    let now = OffsetDateTime::now_utc();
    let text = if args.json {
        let users: Vec<Value> = users.iter().map(|user| as_json(user, now)).collect();
        format!("{:#}\n", Value::Array(users))
    } else {
        as_text(&users, now)
    };
    // A reader that has gone away has read enough.
    let _ = print(text.as_bytes());
    Ok(())
}

fn as_text(users: &[User], now: OffsetDateTime) -> String {
    let mut table = Table::new(["name", "state", "second factor", "roles", "ends", "peers"])
        .within(screen(100))
        .stacked(1);
    for user in users {
        let factor = if user.one_time.is_some() { "one-time code" } else { "none" };
        let peers = if user.peers.is_empty() { "all".to_owned() } else { user.peers.join(", ") };
        let roles = user.roles.join(", ");
        let ends = end(user).unwrap_or_else(|| "never".to_owned());
        table.row([user.name.as_str(), state(user, now), factor, &roles, &ends, &peers]);
    }
    table.lines(|_, _, cell| cell.to_owned()).join("\n") + "\n"
}

fn as_json(user: &User, now: OffsetDateTime) -> Value {
    json!({
        "name": user.name, "state": state(user, now), "one-time-code": user.one_time.is_some(),
        "roles": user.roles, "not-after": end(user), "peers": user.peers,
    })
}

fn state(user: &User, now: OffsetDateTime) -> &'static str {
    match (user.disabled, user.has_ended(now)) {
        (true, _) => "disabled",
        (false, true) => "ended",
        (false, false) => "enabled",
    }
}

fn end(user: &User) -> Option<String> {
    user.not_after.and_then(|end| end.format(&Rfc3339).ok())
}
