//! The people of `[users]`: what they have, and who of them has to wait after wrong attempts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::told::moment;
use crate::admin::Shared;
use crate::users::{AdminRole, User as Known};

/// A user of the file, as it is in force now. Nothing of what they prove who they are by is in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = KnownUser)]
pub(super) struct User {
    name: String,
    /// `viewer`, `operator` or `administrator` of this interface; absent: none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    administration: Option<&'static str>,
    /// Roles of associations.
    roles: Vec<String>,
    /// Names of `[[peer]]`s through which they may come; empty: all.
    peers: Vec<String>,
    /// Whether they have a one-time code besides the passcode.
    one_time_code: bool,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
    /// Where somebody has tried wrong passcodes as them, and has to wait.
    locked: Vec<Locked>,
    open_associations: usize,
}

/// An address from which nobody can try for now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Locked {
    /// Of an IPv6 network the one of 64 bits.
    address: String,
    until: String,
}

/// The people of the configuration in force, by name
#[utoipa::path(get, path = "/api/v1/users", responses((status = 200, body = Vec<User>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<User>> {
    // The file is looked at.
    let listed = tokio::task::spawn_blocking(move || listed(&shared)).await;
    Json(listed.unwrap_or_default())
}

fn listed(shared: &Shared) -> Vec<User> {
    let (settings, gate) = (shared.proxy.settings(), shared.proxy.gate());
    let Some(users) = gate.people.now(&settings) else { return Vec::new() };
    let mut open: HashMap<Arc<str>, usize> = HashMap::new();
    for user in gate.live.list().iter().filter_map(|one| one.facts.user.clone()) {
        *open.entry(user).or_default() += 1;
    }
    let listed = users.listed(OffsetDateTime::now_utc()).into_iter();
    listed.map(|(user, locked)| User::of(user, &locked, &open)).collect()
}

impl User {
    fn of(user: Known, locked: &[(IpAddr, OffsetDateTime)], open: &HashMap<Arc<str>, usize>) -> Self {
        let place = |(address, until): &(IpAddr, OffsetDateTime)| Locked {
            address: address.to_string(),
            until: moment(*until),
        };
        Self {
            administration: user.administration().map(AdminRole::name),
            roles: user.dimse_roles().map(ToOwned::to_owned).collect(),
            one_time_code: user.one_time.is_some(),
            disabled: user.disabled,
            not_after: user.not_after.map(moment),
            locked: locked.iter().map(place).collect(),
            open_associations: open.get(&*user.name).copied().unwrap_or_default(),
            peers: user.peers,
            name: user.name,
        }
    }
}
