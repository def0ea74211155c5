//! The file: TOML, a `[[user]]` for each, whose keys are all known.

use std::path::Path;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use toml::Spanned;

use super::error::UsersError;
use super::hash::Hash;
use super::sealed::Sealed;
use super::user::{User, check_name, moment};

/// How many users there may be.
pub(super) const MOST: usize = 10_000;
const BEGIN: &str = "# The users of dimsegate, written by dimsegate user. Comments are not kept.\n\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(default)]
    user: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Line {
    name: Spanned<String>,
    passcode: Spanned<String>,
    one_time_secret: Option<Spanned<String>>,
    #[serde(default)]
    roles: Vec<String>,
    not_after: Option<Spanned<String>>,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    peers: Vec<String>,
}

#[derive(Serialize)]
struct Written<'u> {
    user: Vec<LineWritten<'u>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LineWritten<'u> {
    name: &'u str,
    passcode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time_secret: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'u [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    peers: &'u [String],
}

/// The users of a file's text, in its order.
///
/// # Errors
/// [`UsersError::Bad`]: the first thing that is wrong, with its place.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<User>, UsersError> {
    let bad = |at: usize, detail: String| {
        let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or(bytes));
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        UsersError::Bad { file: path.to_owned(), line, column, detail }
    };
    let text =
        std::str::from_utf8(bytes).map_err(|error| bad(error.valid_up_to(), "is not UTF-8".to_owned()))?;
    let read: Read = toml::from_str(text).map_err(|error| {
        bad(error.span().map_or(0, |span| span.start), error.message().replace('\n', ", "))
    })?;
    if read.user.len() > MOST {
        return Err(bad(0, format!("holds more than {MOST} users")));
    }
    let mut users = Vec::with_capacity(read.user.len());
    let mut names = std::collections::BTreeSet::new();
    for line in read.user {
        let at = line.name.span().start;
        if !names.insert(line.name.get_ref().to_ascii_lowercase()) {
            let detail =
                format!("a second user is called {:?}; give each a name of their own", line.name.get_ref());
            return Err(bad(at, detail));
        }
        users.push(user(line).map_err(|(at, detail)| bad(at, detail))?);
    }
    Ok(users)
}

fn user(line: Line) -> Result<User, (usize, String)> {
    let at = |value: &Spanned<String>| value.span().start;
    check_name(line.name.get_ref()).map_err(|detail| (at(&line.name), detail))?;
    let hash = Hash::parse(line.passcode.get_ref())
        .map_err(|detail| (at(&line.passcode), format!("passcode {detail}")))?;
    let sealed = |value: Spanned<String>| {
        let wrong = "one-time-secret is none, make it with: dimsegate user one-time-code";
        Sealed::parse(value.get_ref()).ok_or_else(|| (at(&value), wrong.to_owned()))
    };
    let end = |value: Spanned<String>| {
        moment(value.get_ref()).map_err(|detail| (at(&value), format!("not-after {detail}")))
    };
    Ok(User {
        hash,
        one_time: line.one_time_secret.map(sealed).transpose()?,
        roles: line.roles,
        not_after: line.not_after.map(end).transpose()?,
        disabled: line.disabled,
        peers: line.peers,
        name: line.name.into_inner(),
    })
}

/// As a file has them. `None` never happens with names that were checked.
pub(super) fn render(users: &[User]) -> Option<String> {
    let user = users.iter().map(|user| LineWritten {
        name: &user.name,
        passcode: user.hash.text(),
        one_time_secret: user.one_time.as_ref().map(Sealed::text),
        roles: &user.roles,
        not_after: user.not_after.and_then(|end| end.format(&Rfc3339).ok()),
        disabled: user.disabled,
        peers: &user.peers,
    });
    let written = toml::to_string(&Written { user: user.collect() }).ok()?;
    Some(format!("{BEGIN}{written}"))
}
