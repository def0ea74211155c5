//! Consent of FHIR R4: how a server is asked for those of a patient, and what its answer says.
//!
//! A `permit` counts where it is active, within its period, and nothing narrows it that nobody here could judge: provisions inside of it,
//! actors, actions other than disclosing, classes, codes or data. A `deny` counts whatever narrows it.

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::said::{Found, Said, Who};
use crate::notation::uri;

/// Bytes of an answer.
pub const LARGEST_ANSWER: u64 = 1 << 20;
/// Consents that one patient may have.
const MOST: usize = 200;

/// What is asked for below the base of a server: the consents of whoever has this identifier in a system.
pub fn query(whom: &Who, system: &str) -> String {
    // In a token of a search, these have a meaning (FHIR R4 §3.1.1.4.1.1).
    let escaped = |text: &str| {
        let with = |text: &str, character: char| text.replace(character, &format!("\\{character}"));
        with(&with(&with(&with(text, '\\'), '$'), ','), '|')
    };
    let token = format!("{}|{}", escaped(system), escaped(&whom.identifier));
    format!("Consent?patient.identifier={}&_count={MOST}", uri::escaped(&token))
}

/// What an answer says for a purpose.
///
/// # Errors
/// It is no answer that can be judged.
pub fn said_by(answer: &[u8], purpose: Option<&str>, now: OffsetDateTime) -> Result<Said, String> {
    let bundle: Value = serde_json::from_slice(answer).map_err(|_| "is not JSON".to_owned())?;
    if bundle["resourceType"] != "Bundle" || bundle["type"] != "searchset" {
        return Err("is not a Bundle of type searchset".into());
    }
    let links = bundle["link"].as_array().map(Vec::as_slice).unwrap_or_default();
    if links.iter().any(|link| link["relation"] == "next") {
        return Err(format!("has more than one page: no patient has {MOST} consents"));
    }
    let entries = match &bundle["entry"] {
        Value::Null => &[],
        Value::Array(entries) => entries.as_slice(),
        _ => return Err("has an entry that is no list".into()),
    };
    let mut found = Found::default();
    let mut was_ended = false;
    for resource in entries.iter().map(|entry| &entry["resource"]) {
        match (resource["resourceType"].as_str(), resource["status"].as_str()) {
            (Some("Consent"), Some("active")) => take(&mut found, resource, purpose, now),
            // Taken back, or never given.
            (Some("Consent"), Some("rejected" | "inactive")) => was_ended |= is_for(resource, purpose),
            (Some("Consent"), Some("draft" | "proposed" | "entered-in-error")) => {}
            (Some("Consent"), _) => return Err("has a Consent without a status of FHIR R4".into()),
            (Some("OperationOutcome"), _) => {
                let is_error = |issue: &Value| matches!(issue["severity"].as_str(), Some("error" | "fatal"));
                if resource["issue"].as_array().is_some_and(|issues| issues.iter().any(is_error)) {
                    return Err("has an OperationOutcome with an error".into());
                }
            }
            _ => return Err("has something else than a Consent".into()),
        }
    }
    Ok(match found.said() {
        Said::Unknown if was_ended => Said::Withdrawn,
        said => said,
    })
}

fn take(found: &mut Found, consent: &Value, purpose: Option<&str>, now: OffsetDateTime) {
    let provision = &consent["provision"];
    if !is_within(&provision["period"], now) {
        return;
    }
    let named = purposes(consent);
    let is_named = |asked: &str| named.iter().any(|named| named == asked);
    let name = match purpose {
        _ if named.is_empty() => None,
        Some(asked) if is_named(asked) => Some(asked),
        _ => Some(""),
    };
    match provision["type"].as_str() {
        Some("deny") => found.withdraw(name, purpose),
        Some("permit") if !is_narrowed(consent) => found.grant(name, purpose),
        _ => {}
    }
}

fn is_for(consent: &Value, purpose: Option<&str>) -> bool {
    let named = purposes(consent);
    named.is_empty() || purpose.is_none_or(|asked| named.iter().any(|named| named == asked))
}

/// What it is for: codes of its scope, and of the purposes of its provision.
fn purposes(consent: &Value) -> Vec<String> {
    let codings = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let all =
        codings(&consent["scope"]["coding"]).into_iter().chain(codings(&consent["provision"]["purpose"]));
    all.filter_map(|coding| coding["code"].as_str().map(str::to_owned)).collect()
}

fn is_narrowed(consent: &Value) -> bool {
    let provision = &consent["provision"];
    let narrowing =
        ["provision", "actor", "securityLabel", "class", "code", "dataPeriod", "data", "modifierExtension"];
    let discloses = |action: &Value| {
        let codings = action["coding"].as_array().map(Vec::as_slice).unwrap_or_default();
        codings.iter().any(|coding| coding["code"] == "disclose")
    };
    let acts = match &provision["action"] {
        Value::Null => true,
        Value::Array(actions) => actions.iter().any(discloses),
        _ => false,
    };
    !acts || !consent["modifierExtension"].is_null() || narrowing.iter().any(|key| !provision[*key].is_null())
}

/// Both ends belong to a period; what cannot be read is over.
fn is_within(period: &Value, now: OffsetDateTime) -> bool {
    let begun = match &period["start"] {
        Value::Null => true,
        start => moment(start, false).is_some_and(|start| start <= now),
    };
    begun
        && match &period["end"] {
            Value::Null => true,
            end => moment(end, true).is_some_and(|end| now <= end),
        }
}

/// A date means all of that day, in UTC.
fn moment(value: &Value, is_end: bool) -> Option<OffsetDateTime> {
    let text = value.as_str()?;
    if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        let day = if is_end { day.next_day()? } else { day };
        return Some(day.midnight().assume_utc());
    }
    OffsetDateTime::parse(text, &Rfc3339).ok()
}
