//! What a `[[role]]` asks of an association: `minimum-tls` and `hours`.

use super::report::Wrong;
use super::section::Section;
use super::suggest;
use crate::policy::{Hours, HoursError, TlsVersion};

pub(super) fn minimum_tls(section: &Section<'_>) -> Option<TlsVersion> {
    section.choice("minimum-tls", &TlsVersion::NAMES)
}

/// One text, or several, any of which is enough.
pub(super) fn hours(section: &Section<'_>) -> Option<Hours> {
    let texts = section.string_or_strings("hours");
    let ranges = section.parse_all(texts, |text| Hours::new([text]).map_err(|error| wrong(text, &error)));
    ranges.into_iter().map(|range| range.value).reduce(Hours::and)
}

fn wrong(text: &str, error: &HoursError) -> Wrong {
    let near = match error {
        HoursError::Zone(name) => zone_near(name),
        _ => None,
    };
    let remedy = near.unwrap_or_else(|| error.remedy().into());
    Wrong::new(format!("{text:?} {error}"), remedy)
}

fn zone_near(name: &str) -> Option<String> {
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let near = suggest::nearest(name, known.iter().map(String::as_str))?;
    Some(format!("did you mean \"{near}\"?"))
}
