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
    /// Id of the association that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    /// Name of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Name of the `[[peer]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Where it came from; what is no IP address counts as none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "address")]
    pub address: Option<IpAddr>,
    /// AE title of who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calling_ae_title: Option<String>,
    /// AE title that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_ae_title: Option<String>,
    /// Digest of a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The file that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A label, perhaps with an explanation behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// How many it stands for.
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
