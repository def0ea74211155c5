//! The hours of roles, kept for associations that are open: one that is open when they end is asked about again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;

use crate::policy::Role;
use crate::relay::Gate;

/// How long a clock that is set goes unnoticed.
const LOOK: Duration = Duration::from_secs(5);
/// Of a sleep that ends just before the hour.
const LEAST: Duration = Duration::from_millis(10);

/// Waits for the next end of hours, and asks again, for as long as the process lives. The clock of the system counts, as
/// it does for those who come.
pub(super) async fn keep(gate: Arc<Gate>) {
    loop {
        let looked = gate.clone();
        let wait = tokio::task::spawn_blocking(move || look(&looked)).await.unwrap_or(Some(LOOK));
        match wait {
            // Somebody came, or other rules did; or it is time.
            Some(wait) => drop(timeout(wait, gate.hours.notified()).await),
            None => gate.hours.notified().await,
        }
    }
}

/// Asks again about those whose hours are over; how long to wait then. `None`: nobody is there whom hours concern.
fn look(gate: &Gate) -> Option<Duration> {
    let now = OffsetDateTime::now_utc();
    let mut roles = BTreeMap::new();
    for entry in gate.live.list() {
        let decided = entry.right.decided.load();
        let with_hours = || decided.roles().filter(|role| role.hours.is_some());
        if with_hours().any(|role| !is_open(role, now)) {
            gate.judge_again(&entry);
        }
        roles.extend(with_hours().map(|role| (Arc::as_ptr(role) as usize, role.clone())));
    }
    roles.values().map(|role| until_change(role, now)).min()
}

fn is_open(role: &Role, now: OffsetDateTime) -> bool {
    role.hours.as_ref().is_none_or(|hours| hours.are_open(now))
}

fn until_change(role: &Role, now: OffsetDateTime) -> Duration {
    let change = role.hours.as_ref().and_then(|hours| hours.next_change(now));
    let wait = change.and_then(|change| Duration::try_from(change - now).ok());
    wait.map_or(LOOK, |wait| wait.clamp(LEAST, LOOK))
}
