//! Is it up, under which configuration, and is anything wrong.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use super::told::{milliseconds, moment, when};
use crate::admin::Shared;
use crate::daemon::Handle;
use crate::relay::UpstreamState;
use crate::tls::{self, EndKind};
use crate::tokens::{Fetching, Issuer, Keys};

/// Refusals that are counted are of so long.
const LATELY: Duration = Duration::minutes(5);

/// What the proxy is at.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Status {
    version: &'static str,
    process_id: u32,
    /// `running`, or `draining` once it was told to stop.
    state: &'static str,
    /// `ok`, `warning` or `critical`: the worst of the problems.
    health: Level,
    problems: Vec<ProblemNow>,
    since: String,
    uptime_ms: u64,
    configuration: InForce,
    listeners: Vec<Listener>,
    associations: Associations,
    records: Records,
    /// Of the last five minutes.
    refusals: u64,
    /// The certificate or list that ends first.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_first: Option<End>,
    /// Whole days until the first certificate ends, below 0 where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    days_to_certificate_end: Option<i64>,
    /// Whole days until the first revocation list ends, below 0 where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    days_to_list_end: Option<i64>,
}

/// How much is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Ok,
    Warning,
    Critical,
}

/// Something that is wrong now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ProblemNow {
    level: Level,
    what: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct InForce {
    file: String,
    digest: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Listener {
    name: String,
    /// As the configuration writes it.
    address: String,
    tls: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Associations {
    open: u32,
    allowed: u32,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Records {
    /// Whether the last write succeeded.
    writable: bool,
    /// Whether associations are let in, as far as records are concerned.
    admitting: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct End {
    what: String,
    file: String,
    at: String,
    days: i64,
}

/// Is the proxy up, under which configuration, and is anything wrong
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = Status)))]
pub(super) async fn status(State(shared): State<Shared>) -> Json<Status> {
    let (proxy, now) = (&shared.proxy, OffsetDateTime::now_utc());
    let (settings, gate) = (proxy.settings(), proxy.gate());
    let problems = problems(proxy, now);
    let first = settings.ends.iter().map(|(_, end)| end).min_by_key(|end| end.at);
    let days_to = |kind| {
        let of_kind = settings.ends.iter().map(|(_, end)| end).filter(|end| end.kind == kind);
        of_kind.map(|end| days(end.at - now)).min()
    };
    let lately = |one: &&std::sync::Arc<crate::relay::Recalled>| now - one.last <= LATELY;
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        process_id: std::process::id(),
        state: if proxy.is_running() { "running" } else { "draining" },
        health: problems.iter().map(|problem| problem.level).max().unwrap_or(Level::Ok),
        problems,
        since: when(proxy.began()),
        uptime_ms: milliseconds(proxy.began().elapsed()),
        configuration: InForce { file: settings.path.display().to_string(), digest: settings.digest.clone() },
        listeners: (settings.listeners.iter())
            .map(|listener| Listener {
                name: listener.name.to_string(),
                address: listener.address.to_string(),
                tls: listener.tls.is_some(),
            })
            .collect(),
        associations: Associations {
            open: gate.limiter.open_associations(),
            allowed: settings.limits.counts.max_associations,
        },
        records: Records { writable: gate.audit.writable(), admitting: gate.audit.admits() },
        refusals: gate.recent.list().iter().filter(lately).map(|one| one.count).sum(),
        ends_first: first.map(|end| End {
            what: end.what.clone(),
            file: end.file.display().to_string(),
            at: moment(end.at),
            days: days(end.at - now),
        }),
        days_to_certificate_end: days_to(EndKind::Certificate),
        days_to_list_end: days_to(EndKind::RevocationList),
    })
}

/// What a person should look at now.
fn problems(proxy: &Handle, now: OffsetDateTime) -> Vec<ProblemNow> {
    let (settings, gate) = (proxy.settings(), proxy.gate());
    let open = gate.limiter.open_associations();
    let mut problems: Vec<ProblemNow> =
        of_records(gate.audit.writable(), gate.audit.admits()).into_iter().collect();
    problems.extend(proxy.refused().map(of_refused));
    problems.extend(gate.upstreams.states().iter().filter_map(of_upstream));
    problems.extend(settings.issuers.iter().filter_map(|issuer| of_issuer(issuer, now)));
    problems.extend(
        (!proxy.is_running())
            .then(|| problem(Level::Warning, "it was told to stop, and takes no new associations")),
    );
    problems.extend(of_associations(open, settings.limits.counts.max_associations));
    problems.extend(settings.ends.iter().filter_map(|(place, end)| of_end(place, end, now)));
    problems
}

fn problem(level: Level, what: impl Into<String>) -> ProblemNow {
    ProblemNow { level, what: what.into() }
}

fn of_records(is_writable: bool, admits: bool) -> Option<ProblemNow> {
    match (is_writable, admits) {
        (false, _) => Some(problem(Level::Critical, "records cannot be written")),
        (true, false) => Some(problem(Level::Critical, "the disk of the records hangs")),
        (true, true) => None,
    }
}

fn of_refused(why: impl std::fmt::Display) -> ProblemNow {
    problem(Level::Warning, format!("what was read last was refused, the one before stays in force: {why}"))
}

/// What is wrong where four fifths or more are open of what may be.
fn of_associations(open: u32, allowed: u32) -> Option<ProblemNow> {
    let are_many = u64::from(open) * 5 >= u64::from(allowed) * 4;
    are_many.then(|| problem(Level::Warning, format!("{open} associations of {allowed} are open")))
}

/// What is wrong with a certificate or a list that ends soon, or has ended.
fn of_end(place: &str, end: &tls::End, now: OffsetDateTime) -> Option<ProblemNow> {
    let (left, date) = (end.at - now, end.at.date());
    let (kind, what) = (end.kind, &end.what);
    let told = |level, verb| Some(problem(level, format!("{place}: {what} {verb} on {date}")));
    match () {
        () if left <= Duration::ZERO => told(Level::Critical, "ended"),
        () if left <= kind.urgent() => told(Level::Critical, "ends"),
        () if left <= kind.notice() => told(Level::Warning, "ends"),
        () => None,
    }
}

/// Whole days that are left: fewer than a notice has where not more than the notice is left, and fewer than none at the end.
pub(super) fn days(left: Duration) -> i64 {
    let left = left.saturating_sub(Duration::NANOSECOND);
    left.whole_days() - i64::from(left.is_negative())
}

/// What is wrong with an issuer whose keys are fetched.
fn of_issuer(issuer: &Issuer, now: OffsetDateTime) -> Option<ProblemNow> {
    let Keys::Fetched(fetched) = &issuer.keys else { return None };
    let (Fetching { counts, failing, .. }, name) = (fetched.fetching(now), &issuer.name);
    let why = failing?;
    Some(match counts {
        false => problem(Level::Critical, format!("issuer \"{name}\" has no keys: {why}")),
        true => problem(Level::Warning, format!("the keys of issuer \"{name}\" cannot be fetched: {why}")),
    })
}

/// What is wrong with an upstream.
fn of_upstream(upstream: &UpstreamState) -> Option<ProblemNow> {
    let (name, all) = (&upstream.name, upstream.addresses.len());
    if !upstream.availability.is_up() {
        return Some(problem(Level::Critical, format!("upstream \"{name}\" is down")));
    }
    let down = all - upstream.up();
    let what = || format!("upstream \"{name}\": {down} of {all} addresses are down");
    (down > 0).then(|| problem(Level::Warning, what()))
}

#[cfg(test)]
mod tests {
    use super::{Level, ProblemNow, days, of_associations, of_end, of_records, of_upstream};
    use crate::config::Balance;
    use crate::relay::Availability::{Down, Probing, Up};
    use crate::relay::{AddressState, Availability, UpstreamState};
    use crate::tls::{End, EndKind};
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    fn told(problem: Option<ProblemNow>) -> Option<(Level, String)> {
        problem.map(|problem| (problem.level, problem.what))
    }

    fn state(availability: Availability, addresses: &[Availability]) -> UpstreamState {
        let address = |availability: &Availability| AddressState {
            address: "192.0.2.1:104".parse().unwrap(),
            called: "192.0.2.1:104".into(),
            availability: *availability,
            since: OffsetDateTime::UNIX_EPOCH,
            last_failure: None,
            associations: 0,
            last_check: None,
            check_refused: None,
        };
        UpstreamState {
            name: "pacs".into(),
            availability,
            balance: Balance::Failover,
            checked: false,
            addresses: addresses.iter().map(address).collect(),
            unknown: Vec::new(),
        }
    }

    #[test]
    fn what_has_yet_to_show_that_it_is_there_is_not_up() {
        for down in [Down, Probing] {
            let upstream = state(down, &[Down, down]);
            assert_eq!((upstream.availability.is_up(), upstream.up()), (false, 0), "{down:?}");
            let is_down = Some((Level::Critical, "upstream \"pacs\" is down".to_owned()));
            assert_eq!(told(of_upstream(&upstream)), is_down);
            let part = state(Up, &[Up, down]);
            assert_eq!((part.availability.is_up(), part.up()), (true, 1));
            let in_part = Some((Level::Warning, "upstream \"pacs\": 1 of 2 addresses are down".to_owned()));
            assert_eq!(told(of_upstream(&part)), in_part);
        }
        assert_eq!(told(of_upstream(&state(Up, &[Up, Up]))), None);
    }

    #[test]
    fn a_certificate_and_a_list_that_end_are_a_warning_from_their_notice_on_and_critical_once_it_is_urgent() {
        const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
        let (critical, warning) = (Level::Critical, Level::Warning);
        for (kind, after, expected) in [
            (EndKind::Certificate, Duration::days(30) + Duration::SECOND, None),
            (EndKind::Certificate, Duration::days(30), Some((warning, "ends on 2026-01-31"))),
            (
                EndKind::Certificate,
                Duration::days(3) + Duration::SECOND,
                Some((warning, "ends on 2026-01-04")),
            ),
            (EndKind::Certificate, Duration::days(3), Some((critical, "ends on 2026-01-04"))),
            (EndKind::Certificate, Duration::ZERO, Some((critical, "ended on 2026-01-01"))),
            (EndKind::RevocationList, Duration::days(7) + Duration::SECOND, None),
            (EndKind::RevocationList, Duration::days(7), Some((warning, "ends on 2026-01-08"))),
            (EndKind::RevocationList, Duration::SECOND, Some((warning, "ends on 2026-01-01"))),
            (EndKind::RevocationList, -Duration::days(1), Some((critical, "ended on 2025-12-31"))),
        ] {
            let end = End { file: "x.pem".into(), what: "the list of CN=x".into(), at: NOW + after, kind };
            let expected =
                expected.map(|(level, ends)| (level, format!("listener: the list of CN=x {ends}")));
            assert_eq!(told(of_end("listener", &end, NOW)), expected, "{kind:?} {after}");
        }
    }

    #[test]
    fn four_fifths_of_the_associations_are_a_warning_and_records_that_fail_are_critical() {
        let many = Some((Level::Warning, "4 associations of 5 are open".to_owned()));
        assert_eq!((told(of_associations(3, 5)), told(of_associations(4, 5))), (None, many));
        assert!(of_associations(u32::MAX, u32::MAX).is_some());
        let critical = |what: &str| Some((Level::Critical, what.to_owned()));
        for admits in [true, false] {
            assert_eq!(told(of_records(false, admits)), critical("records cannot be written"));
        }
        assert_eq!(told(of_records(true, false)), critical("the disk of the records hangs"));
        assert_eq!(told(of_records(true, true)), None);
    }

    #[test]
    fn days_are_below_a_threshold_exactly_where_as_much_time_or_less_is_left() {
        let moment = Duration::NANOSECOND;
        for threshold in [0, 3, 7, 30] {
            let left = Duration::days(threshold);
            assert!(days(left) < threshold && days(left - moment) < threshold);
            assert!(days(left + moment) >= threshold);
        }
        assert_eq!((days(Duration::hours(12)), days(Duration::hours(-12))), (0, -1));
    }
}
