//! One person.

use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, time};
use time::{Date, OffsetDateTime};

use super::hash::Hash;
use super::sealed::Sealed;

use crate::policy::{LONGEST_USER_NAME, is_user_name};

/// What somebody may do at the administration interface; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum AdminRole {
    /// Look.
    Viewer,
    /// See the users, end an association, block and unblock, try a notification, have a decision explained, ask an upstream for a C-ECHO,
    /// change the log level, trace associations.
    Operator,
    /// Reload and stop the proxy.
    Administrator,
}

impl AdminRole {
    /// Every one, the one who may least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// The role that a word of the file names, if it is one of the administration.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == word)
    }

    /// As the configuration and the file of users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }
}

/// A user, as the file has them. Neither the hash nor the secret shows in `Debug`.
#[derive(Clone, Debug)]
pub struct User {
    /// Of letters, digits and `.`, `_`, `-`, `@`, `+`.
    pub name: String,
    /// Of the passcode.
    pub hash: Hash,
    /// What one-time codes are made of, encrypted; `None`: the passcode alone will do.
    pub one_time: Option<Sealed>,
    /// Those of the administration by their words, all others are names of `[[role]]`s for DIMSE.
    pub roles: Vec<String>,
    /// When the user ends.
    pub not_after: Option<OffsetDateTime>,
    /// Whether the user is kept out.
    pub disabled: bool,
    /// The peers that the user may use; none named: all.
    pub peers: Vec<String>,
}

impl User {
    /// The highest of their roles in the administration.
    pub fn administration(&self) -> Option<AdminRole> {
        self.roles.iter().filter_map(|word| AdminRole::named(word)).max()
    }

    /// Names of the `[[role]]`s that the user has over DIMSE. The words of the administration never name one.
    pub fn dimse_roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str).filter(|word| AdminRole::named(word).is_none())
    }

    /// Whether the user's time is over.
    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        self.not_after.is_some_and(|end| end < now)
    }
}

/// Whether somebody may be called so.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    match is_user_name(name) {
        true => Ok(()),
        false => Err(format!(
            "{:?} cannot be the name of a user; expected 1 to {LONGEST_USER_NAME} letters, digits and . _ - @ +",
            name.chars().take(LONGEST_USER_NAME).collect::<String>()
        )),
    }
}

/// In records it stands for a name that nobody has.
const NOBODY: &str = "unknown";

/// The same, of a user who is added.
///
/// # Errors
/// What would be right.
pub fn check_new_name(name: &str) -> Result<(), String> {
    if name.eq_ignore_ascii_case(NOBODY) {
        return Err(format!("\"{NOBODY}\" stands in the records for names that nobody has; choose another"));
    }
    check_name(name)
}

/// A moment as people write it: RFC 3339, or a day, which is meant to its end in UTC.
///
/// # Errors
/// What would be right.
pub fn moment(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Ok(day.with_time(time!(23:59:59)).assume_utc());
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| "is no date, write 2027-01-31 or 2027-01-31T12:00:00Z".to_owned())
}
