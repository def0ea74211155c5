//! The report on the records of a period, as `dimsegate audit report` writes it, for a browser.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use utoipa::IntoParams;

use super::events::without_identifiers;
use super::told::ProblemDocument;
use crate::admin::Shared;
use crate::admin::reports::{PATIENCE, Wanted, Written, apart};
use crate::audit::reading::figures::{Period, figures_for};
use crate::audit::reading::{Edge, Look, files, parse_when};
use crate::audit::record::Record;
use crate::config::{Settings, ShownIdentifiers};
use crate::http::Problem;

/// Of a period that nobody names.
const WEEK: Duration = Duration::days(7);
const LONGEST: Duration = Duration::days(366);
/// It loads nothing and runs nothing; its style and its drawings are inside.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Which period.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Its begin, as of `dimsegate audit report`: `2026-03-01`, `2026-03-01T08:30:00Z`, `08:00`; absent: seven days before its end.
    from: Option<String>,
    /// Its end; a date is the end of its day; absent: now.
    to: Option<String>,
}

/// The report on the records of a period, of a year at the most: a page to read and to print
#[utoipa::path(
    get,
    path = "/api/v1/report",
    params(Asked),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 400, body = ProblemDocument),
        (status = 429, body = ProblemDocument, description = "A report is being made; there is one at a time"),
        (status = 503, body = ProblemDocument, description = "It would take longer than a minute, or the records cannot be read")
    )
)]
pub(super) async fn report(
    State(shared): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| bad(error.body_text()))?;
    let now = OffsetDateTime::now_utc();
    let period = period(&asked, now)?;
    let busy =
        || Problem::new(StatusCode::TOO_MANY_REQUESTS, "a report is being made; there is one at a time");
    let place = shared.reports.place().ok_or_else(busy)?;
    let (settings, ending) = (shared.proxy.settings(), shared.ending.clone());
    let written = shared.reports.written;
    let made = apart(place, move |wanted| {
        made(&settings, written, period, now, &|| wanted_still(wanted, *ending.borrow()))
    });
    let defect =
        || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of dimsegate; its log says more");
    let page = made.await.ok_or_else(defect)??;
    let fields = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((fields, Html(page)).into_response())
}

fn wanted_still(wanted: &Wanted, ending: bool) -> bool {
    !ending && wanted.goes_on()
}

fn period(asked: &Asked, now: OffsetDateTime) -> Result<Period, Problem> {
    let moment = |text: &Option<String>, key: &str, edge| {
        let read = text.as_deref().map(|text| parse_when(text, now, edge)).transpose();
        read.map_err(|error| bad(format!("{key}: {error}")))
    };
    let to = moment(&asked.to, "to", Edge::To)?.unwrap_or(now);
    let from = moment(&asked.from, "from", Edge::From)?;
    let from = from.or_else(|| to.checked_sub(WEEK)).unwrap_or(to);
    match to - from {
        length if length <= Duration::ZERO => Err(bad("from is not before to")),
        length if length > LONGEST => {
            Err(bad("the period is longer than 366 days; dimsegate audit report takes any"))
        }
        _ => Ok(Period { from, to }),
    }
}

/// The page.
///
/// # Errors
/// The records cannot be read, or not in time.
fn made(
    settings: &Settings,
    written: Written,
    period: Period,
    now: OffsetDateTime,
    goes_on: &(dyn Fn() -> bool + Sync),
) -> Result<String, Problem> {
    let unavailable = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
    let folder = &settings.audit.directory;
    let files = files(folder).map_err(|error| unavailable(error.to_string()))?;
    let hides = settings.admin.as_ref().map(|admin| admin.patient_identifiers).unwrap_or_default()
        == ShownIdentifiers::None;
    let shown = |line: &[u8], record: Record| if hides { bare(line) } else { Some(record) };
    let figures = figures_for(&Look { shown: &shown, goes_on }, &files, period);
    if !goes_on() {
        let seconds = PATIENCE.as_secs();
        let why = format!(
            "the records of this period take longer than {seconds} seconds to read; ask for a shorter one, or write it with dimsegate audit report"
        );
        return Err(unavailable(why));
    }
    Ok(written(&figures, &folder.to_string_lossy(), now))
}

/// A record without what tells of patients, studies and objects.
fn bare(line: &[u8]) -> Option<Record> {
    let shown = without_identifiers(std::str::from_utf8(line).ok()?)?;
    Record::read(shown.as_bytes()).ok()
}

fn bad(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use super::{Asked, bare, period};
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn a_period_is_a_week_unless_it_is_named_and_a_year_at_the_most() {
        let now = datetime!(2026-03-10 12:00 UTC);
        let asked = |from: &str, to: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            period(&Asked { from: some(from), to: some(to) }, now).map(|period| (period.from, period.to))
        };
        assert_eq!(asked("", "").unwrap(), (now - Duration::days(7), now));
        let march = (datetime!(2026-03-01 0:00 UTC), datetime!(2026-03-03 0:00 UTC));
        assert_eq!(asked("2026-03-01", "2026-03-02").unwrap(), march);
        for (from, to, why) in [
            ("2026-03-02", "2026-03-01", "from is not before to"),
            ("2020-01-01", "2026-03-01", "longer than 366 days"),
            ("yesterday-ish", "", "from: "),
            ("", "<script>", "to: "),
        ] {
            let problem = asked(from, to).unwrap_err();
            assert!(problem.detail.contains(why), "{}", problem.detail);
        }
    }

    #[test]
    fn of_a_record_nothing_is_left_that_tells_of_a_patient() {
        let line = br#"{"time":"2026-03-01T08:30:00.123456Z","event":"operation","sequence":7,"association":"a1","operation":"C-STORE","message-id":9,"sop-instance":"1.3.999","study":"1.2.999","patient":"h:1","status":"0x0000","bytes":5,"duration-ms":3}"#;
        let record = bare(line).unwrap();
        assert!(
            !format!("{record:?}").contains("999") && !format!("{record:?}").contains("h:1"),
            "{record:?}"
        );
        assert_eq!(record.operation().unwrap().operation, "C-STORE");
        assert_eq!(bare(b"\xff").map(|record| record.time), None);
    }
}
