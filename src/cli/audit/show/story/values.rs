//! Values of records as a terminal may show them.

use serde_json::Value;

use crate::cli::table::visible;

pub(super) fn moment(time: &str) -> Option<time::OffsetDateTime> {
    time::OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).ok()
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn joined<const N: usize>(parts: [Option<String>; N], between: &str) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(between))
}

/// The value there as text that a terminal shows and does not obey; empty where there is none.
pub(super) fn text(record: &Value, pointer: &str) -> String {
    find(record, pointer).unwrap_or_default()
}

pub(super) fn find(record: &Value, pointer: &str) -> Option<String> {
    match record.pointer(pointer)? {
        Value::Null => None,
        Value::String(text) => Some(visible(text)),
        other => Some(visible(&other.to_string())),
    }
}
