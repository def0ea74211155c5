//! What can be told of a record whose event, or whose shape, is not known here.

use super::said;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;

/// The fields that most records have, and the name of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Other {
    /// Value of `event`.
    #[serde(skip)]
    pub event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "address")]
    pub address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling_ae_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_ae_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Other {
    /// Field by field: one of another kind than is known is passed over, and costs no other.
    ///
    /// # Errors
    /// The line is no JSON object.
    pub(super) fn read(event: &str, line: &[u8]) -> serde_json::Result<Self> {
        let mut fields: serde_json::Map<String, Value> = serde_json::from_slice(line)?;
        fields.retain(|name, value| match name.as_str() {
            "count" => value.is_u64(),
            _ => value.is_string(),
        });
        let other: Self = serde_json::from_value(Value::Object(fields))?;
        Ok(Self { event: event.to_owned(), ..other })
    }
}

fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    said::text(deserializer, |text| text.parse().ok())
}
