//! Values of records as a terminal may show them.

use crate::cli::table::visible;

pub(super) fn moment(time: &str) -> Option<time::OffsetDateTime> {
    time::OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).ok()
}

pub(super) fn joined<const N: usize>(parts: [Option<String>; N], between: &str) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(between))
}

/// A text as a terminal shows it and does not obey it; empty where there is none.
pub(super) fn text(value: Option<&str>) -> String {
    value.map(visible).unwrap_or_default()
}

/// The same, where there is one.
pub(super) fn some(value: Option<&str>) -> Option<String> {
    value.map(visible)
}
