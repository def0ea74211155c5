//! What users newly may: by the roles that somebody may have, and by the files of users, where they are two.

use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Difference, Stated};
use crate::config::{Settings, UsersSettings};
use crate::policy::{Factor, Policy, Role, compare_roles};
use crate::users::{self, User};

/// A change, and whether it admits more.
type Told = (bool, Stated);

/// Of users, and of their roles.
pub(super) fn tell(difference: &mut Difference, old: &Settings, new: &Settings) {
    for (admits, told) in of_roles(old, new) {
        difference.tell(admits, told);
    }
    let is_same = |one: &UsersSettings, other: &UsersSettings| is_same_file(&one.file, &other.file);
    match (&old.users, &new.users) {
        (None, None) => {}
        (Some(one), Some(other)) if is_same(one, other) => {
            let detail = format!("is the same for both: what {} was before is not known", one.file.display());
            difference.not_compared.push(Stated { of: "[users]".into(), what: "file".into(), detail });
        }
        (one, other) => of_files(difference, new, (one.as_ref(), other.as_ref())),
    }
}

fn of_files(
    difference: &mut Difference,
    new: &Settings,
    files: (Option<&UsersSettings>, Option<&UsersSettings>),
) {
    let read = |file: Option<&UsersSettings>| file.map_or(Ok(Vec::new()), |file| users::read(&file.file));
    let told = match (read(files.0), read(files.1)) {
        (Ok(before), Ok(after)) => of_users(&before, &after, requires_a_code(&new.policy)),
        // Both could be read a moment ago.
        _ => {
            [true, false].map(|admits| (admits, of("[users]".into(), "file", "other users may come"))).into()
        }
    };
    told.into_iter().for_each(|(admits, told)| difference.tell(admits, told));
}

/// Two names of one file: what was in it before the one configuration and the other is nowhere.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

/// Roles that somebody may have: whoever has them may be in a token, or be given them later.
fn of_roles(old: &Settings, new: &Settings) -> Vec<Told> {
    if new.users.is_none() && new.issuers.is_empty() {
        return Vec::new();
    }
    let name = |name: &str| format!("role \"{name}\", for users");
    let (before, after) = (&old.policy.roles, &new.policy.roles);
    let of_one = |(called, role): (&Arc<str>, &Arc<Role>)| match before.get(called) {
        Some(was) => {
            let changes = compare_roles(was, role).into_iter();
            changes.map(|change| (change.admits, of(name(called), change.what, &change.detail))).collect()
        }
        None => vec![(true, of(name(called), "role", "is new"))],
    };
    let gone = before.keys().filter(|called| !after.contains_key(*called));
    let gone = gone.map(|called| (false, of(name(called), "role", "is there no more")));
    after.iter().flat_map(of_one).chain(gone).collect()
}

/// Whether anything can be had by a one-time code only.
fn requires_a_code(policy: &Policy) -> bool {
    let of_peers = policy.peers.iter().map(|peer| &peer.role);
    policy.roles.values().chain(of_peers).any(|role| role.require.contains(Factor::OneTimeCode))
}

/// In the order of the new file, then those who are gone.
fn of_users(before: &[User], after: &[User], requires_a_code: bool) -> Vec<Told> {
    let named = |users: &[User], name: &str| users.iter().find(|user| user.name == name).cloned();
    let of_one = |user: &User| of_user(named(before, &user.name).as_ref(), Some(user), requires_a_code);
    let gone = before.iter().filter(|user| named(after, &user.name).is_none());
    let gone = gone.flat_map(|user| of_user(Some(user), None, requires_a_code));
    after.iter().flat_map(of_one).chain(gone).collect()
}

/// Of one user. Who is kept out before and after is nobody's matter.
fn of_user(old: Option<&User>, new: Option<&User>, requires_a_code: bool) -> Vec<Told> {
    let is_in = |user: &&User| !user.disabled;
    match (old.filter(is_in), new.filter(is_in)) {
        (None, None) => Vec::new(),
        (None, Some(user)) => vec![(true, told(user, "user", &came(user, old.is_some())))],
        (Some(user), None) => {
            let detail = if new.is_some() { "is disabled" } else { "is there no more" };
            vec![(false, told(user, "user", detail))]
        }
        (Some(old), Some(new)) => changes(old, new, requires_a_code),
    }
}

fn came(user: &User, was_there: bool) -> String {
    let begin = if was_there { "is disabled no more" } else { "is new" };
    let roles = if user.roles.is_empty() { "none".into() } else { user.roles.join(", ") };
    format!("{begin}; roles: {roles}; peers: {}; ends: {}", peers(user), end(user.not_after))
}

fn changes(old: &User, new: &User, requires_a_code: bool) -> Vec<Told> {
    let mut changes = Vec::new();
    for (admits, one, other) in [(true, new, old), (false, old, new)] {
        let mut found = |what: &str, detail: &str| changes.push((admits, told(new, what, detail)));
        let roles = beyond(&one.roles, &other.roles);
        if !roles.is_empty() {
            found("roles", &roles.join(", "));
        }
        match (one.peers.is_empty(), other.peers.is_empty(), beyond(&one.peers, &other.peers)) {
            (true, false, _) => found("peers", ANY),
            (false, false, more) if !more.is_empty() => found("peers", &more.join(", ")),
            _ => {}
        }
        if is_later(one.not_after, other.not_after) {
            found("not-after", &end(one.not_after));
        }
        if one.hash != other.hash {
            found("passcode", "is another one");
        }
        match (&one.one_time, &other.one_time) {
            (None, Some(_)) => found("one-time-code", "the passcode alone will do"),
            (Some(_), None) if requires_a_code => {
                found("one-time-code", "can be given where a role requires it")
            }
            (Some(one), Some(other)) if one != other => found("one-time-code", "comes of another secret"),
            _ => {}
        }
    }
    changes
}

fn beyond(some: &[String], others: &[String]) -> Vec<String> {
    some.iter().filter(|one| !others.contains(one)).cloned().collect()
}

fn is_later(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> bool {
    other.is_some_and(|other| one.is_none_or(|one| one > other))
}

const ANY: &str = "any";

fn peers(user: &User) -> String {
    if user.peers.is_empty() { ANY.into() } else { user.peers.join(", ") }
}

fn end(moment: Option<OffsetDateTime>) -> String {
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| "never".into())
}

fn told(user: &User, what: &str, detail: &str) -> Stated {
    of(format!("user \"{}\"", user.name), what, detail)
}

fn of(of: String, what: &str, detail: &str) -> Stated {
    Stated { of, what: what.into(), detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{of_users, requires_a_code};
    use crate::policy::Policy;
    use crate::users::{Hash, Key, OneTimeSecret, User};

    fn user(name: &str) -> User {
        User {
            name: name.into(),
            hash: Hash::of("seven quiet herons").unwrap(),
            one_time: None,
            roles: vec!["reader".into()],
            not_after: None,
            disabled: false,
            peers: Vec::new(),
        }
    }

    /// What is told of a change, and of the change back, each of which begins with whether it admits more.
    fn both_ways(one: &[User], other: &[User], requires_a_code: bool) -> [Vec<String>; 2] {
        let told = |one, other| {
            let all = of_users(one, other, requires_a_code).into_iter();
            all.map(|(admits, told)| format!("{admits} {} {}: {}", told.of, told.what, told.detail)).collect()
        };
        [told(one, other), told(other, one)]
    }

    #[test]
    fn what_a_user_gains_and_loses_is_told_each_on_its_side() {
        let anna = user("anna");
        let change = |change: &dyn Fn(&mut User)| {
            let mut changed = anna.clone();
            change(&mut changed);
            both_ways(std::slice::from_ref(&anna), &[changed], false)
        };
        let is = |told: [Vec<String>; 2], there: &[&str], back: &[&str]| {
            let of = |all: &[&str]| -> Vec<String> {
                all.iter().map(|one| one.replacen(' ', " user \"anna\" ", 1)).collect()
            };
            assert_eq!(told, [of(there), of(back)]);
        };
        is(change(&|_| {}), &[], &[]);
        is(change(&|user| user.roles.push("admin".into())), &["true roles: admin"], &["false roles: admin"]);
        is(change(&|user| user.peers.push("lyon".into())), &["false peers: any"], &["true peers: any"]);
        is(
            change(&|user| user.not_after = Some(datetime!(2027-01-31 12:00 UTC))),
            &["false not-after: never"],
            &["true not-after: never"],
        );
        let new = "is disabled no more; roles: reader; peers: any; ends: never";
        is(
            change(&|user| user.disabled = true),
            &["false user: is disabled"],
            &[&format!("true user: {new}")],
        );
        let another = ["true passcode: is another one", "false passcode: is another one"];
        is(change(&|user| user.hash = self::user("x").hash), &another, &another);
        let told = both_ways(&[], std::slice::from_ref(&anna), false);
        let new = new.replace("disabled no more", "new");
        is(told, &[&format!("true user: {new}")], &["false user: is there no more"]);
    }

    #[test]
    fn a_peer_and_a_day_more_are_told_and_who_is_kept_out_is_not() {
        let with = |peers: &[&str], not_after| User {
            peers: peers.iter().map(|peer| (*peer).into()).collect(),
            not_after: Some(not_after),
            ..user("anna")
        };
        let one = with(&["lyon"], datetime!(2027-01-31 12:00 UTC));
        let mut other = User { hash: one.hash.clone(), ..with(&["kiel"], datetime!(2027-02-01 12:00 UTC)) };
        let told = both_ways(std::slice::from_ref(&one), std::slice::from_ref(&other), false);
        assert_eq!(
            told[0],
            [
                "true user \"anna\" peers: kiel",
                "true user \"anna\" not-after: 2027-02-01T12:00:00Z",
                "false user \"anna\" peers: lyon"
            ]
        );
        assert_eq!(told[1].iter().filter(|one| one.contains("not-after")).count(), 1, "{told:?}");
        other.disabled = true;
        let kept_out = [User { disabled: true, ..one }];
        for before in [&[][..], &kept_out] {
            assert_eq!(both_ways(before, std::slice::from_ref(&other), false), [[""; 0]; 2]);
        }
    }

    #[test]
    fn a_second_factor_that_goes_admits_more_and_one_that_comes_where_a_role_requires_it() {
        let key = Key::new(&[7; 48]).unwrap();
        let sealed = || key.seal("anna", &OneTimeSecret::generate().unwrap()).ok();
        let with = User { one_time: sealed(), ..user("anna") };
        let without = User { one_time: None, ..with.clone() };
        let (with, without) = ([with], [without]);
        let alone = "user \"anna\" one-time-code: the passcode alone will do";
        let told = both_ways(&with, &without, false);
        assert_eq!(told, [[format!("true {alone}")], [format!("false {alone}")]]);
        let can = "user \"anna\" one-time-code: can be given where a role requires it";
        let told = both_ways(&without, &with, true);
        assert_eq!(told[0], [format!("true {can}"), format!("false {alone}")]);
        let other = [User { one_time: sealed(), ..with[0].clone() }];
        assert_eq!(both_ways(&with, &other, false)[0].len(), 2, "codes of another secret");
        let nothing = Policy::new(Vec::new(), Vec::new(), Default::default(), Default::default());
        assert!(!requires_a_code(&nothing));
    }
}
