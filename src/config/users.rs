//! `[users]`: people in a file of their own.

use time::OffsetDateTime;

use super::role::Roles;
use super::secret;
use super::section::Section;
use super::settings::{AdminListen, AdminSettings, UsersSettings};
use super::{counted, names};
use crate::users::{self, Key, User};

/// The table, and all that is in the file.
pub(super) fn users(
    root: &Section<'_>,
    admin: Option<&AdminSettings>,
    roles: &Roles,
) -> Option<UsersSettings> {
    let section = root.table("users")?;
    let settings = named(&section)?;
    match users::read(&settings.file) {
        Ok(users) => {
            secrets(&section, &settings, &users);
            risks(root, &section, &users);
            of_roles(root, &section, roles, &users);
            if let Some(admin) = admin {
                of_administration(&section, admin, &users);
            }
        }
        Err(error) => section.report.error(&section.place_of("file"), error.to_string(), ""),
    }
    Some(settings)
}

pub(super) fn named(section: &Section<'_>) -> Option<UsersSettings> {
    section.require(&[("file", "name the file of users; dimsegate user add makes it")]);
    let key_file = section.path("key-file");
    let bytes = key_file.as_ref().map(|path| secret::bytes(section.report, path));
    let file = section.path("file")?.value;
    let key = match bytes {
        Some(bytes) => Some(Key::new(&bytes?)?),
        None => None,
    };
    Some(UsersSettings { file, key })
}

/// One-time secrets that nothing would open.
fn secrets(section: &Section<'_>, settings: &UsersSettings, users: &[User]) {
    let sealed = users.iter().filter_map(|user| user.one_time.as_ref().map(|sealed| (user, sealed)));
    let closed: Vec<&User> = match &settings.key {
        Some(key) => sealed
            .filter(|(user, sealed)| key.open(&user.name, sealed).is_none())
            .map(|(user, _)| user)
            .collect(),
        None => sealed.map(|(user, _)| user).collect(),
    };
    if closed.is_empty() {
        return;
    }
    match &settings.key {
        None => section.missing(
            "key-file",
            &format!("name the file with the key of the one-time secrets (of {})", listed(&closed)),
        ),
        Some(_) => section.report.error(
            &section.place_of("key-file"),
            format!("does not open the one-time secret of {}", listed(&closed)),
            "name the key that they were made with, or make new ones: dimsegate user one-time-code NAME",
        ),
    }
}

fn risks(root: &Section<'_>, section: &Section<'_>, users: &[User]) {
    let now = OffsetDateTime::now_utc();
    let place = section.place_of("file");
    let risk = |users: &[&User], what: &str, remedy: &str| {
        if !users.is_empty() {
            section.report.risk(&place, format!("{}: {what}", listed(users)), remedy);
        }
    };
    let enabled: Vec<&User> = users.iter().filter(|user| !user.disabled).collect();
    let (ended, going_on): (Vec<&User>, Vec<&User>) =
        enabled.into_iter().partition(|user| user.has_ended(now));
    let alone: Vec<&User> = going_on.into_iter().filter(|user| user.one_time.is_none()).collect();
    risk(&alone, "the passcode alone will do", "dimsegate user one-time-code NAME makes a second factor");
    risk(
        &ended,
        "ended",
        "dimsegate user remove NAME, or give a new end: dimsegate user enable NAME --not-after",
    );
    let known: Vec<&str> = root.tables("peer").iter().filter_map(Section::called).collect();
    let unknown = |user: &&User| user.peers.iter().any(|peer| !known.contains(&peer.as_str()));
    let strays: Vec<&User> = users.iter().filter(unknown).collect();
    risk(&strays, "may use a peer that no [[peer]] is called", "see their peers with: dimsegate user list");
}

/// Roles of users over DIMSE.
fn of_roles(root: &Section<'_>, section: &Section<'_>, roles: &Roles, users: &[User]) {
    // Each is asked about, so that each counts as used.
    let has_unknown = |user: &&User| user.dimse_roles().filter(|role| !roles.names.uses(role)).count() > 0;
    let strays: Vec<&User> = users.iter().filter(has_unknown).collect();
    if !strays.is_empty() {
        let problem = format!("{}: has a role that no [[role]] is called", listed(&strays));
        let remedy = "see their roles with: dimsegate user list";
        section.report.risk(&section.place_of("file"), problem, remedy);
    }
    let having = users.iter().map(|user| counted::having(&user.name, user.dimse_roles(), roles));
    counted::risks(root, &having.collect::<Vec<_>>());
    for role in root.tables("role") {
        if role.called().is_some_and(|name| users::AdminRole::named(name).is_some()) {
            let problem = "no user can have it: users with this word have a role of the administration";
            role.report.risk(&role.place_of("name"), problem, "give it another name");
        }
    }
}

/// Roles that a login gives, against those of the same names elsewhere.
fn of_administration(section: &Section<'_>, admin: &AdminSettings, users: &[User]) {
    let place = section.place_of("file");
    let is_address = |listen: &AdminListen| matches!(listen, AdminListen::Tcp(_));
    if admin.listen.iter().any(is_address) && users.iter().all(|user| user.administration().is_none()) {
        let problem = "nobody can log in at the administration interface: no user has a role there";
        section.report.risk(
            &place,
            problem,
            "dimsegate user add NAME --role viewer, operator or administrator",
        );
    }
    let contradicted = |user: &&User| {
        let of_account = admin.access.iter().filter(|access| access.users.contains(&user.name));
        let of_account = of_account.map(|access| access.role.name()).collect::<Vec<_>>();
        let of_login = user.administration().map(users::AdminRole::name);
        of_login.is_some_and(|role| !of_account.is_empty() && !of_account.contains(&role))
    };
    let contradicted: Vec<&User> = users.iter().filter(contradicted).collect();
    if !contradicted.is_empty() {
        let problem = format!(
            "{}: another role by login than unix-users of an [[admin.access]] gives the account of that name",
            listed(&contradicted)
        );
        section.report.risk(&place, problem, "give both the same, or call the user otherwise");
    }
}

fn listed(users: &[&User]) -> String {
    names::listed(users.iter().map(|user| user.name.as_str()))
}
