//! How queries appear in records: by which keys they asked, and with which values only where records may name patients.

use super::patient::PatientIdentifiers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The identifier of a C-FIND, C-MOVE or C-GET (PS3.15 A.5.3.10).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Query {
    /// UID of the transfer syntax of the identifier.
    pub transfer_syntax: Cow<'static, str>,
    /// Tags, eight hexadecimal digits each.
    pub keys: Vec<String>,
    /// There are more than records have room for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_keys: bool,
    /// How long the data set is, where that is longer than records have room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_from: Option<u64>,
    /// The data set in base64, which holds names and numbers of patients; of a long one, the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    /// The same as it came, which never reaches a record.
    #[serde(skip)]
    bytes: Option<Vec<u8>>,
}

impl Query {
    /// `bytes` is the identifier as it came, or its beginning.
    pub fn new(
        transfer_syntax: impl Into<Cow<'static, str>>,
        keys: Vec<String>,
        bytes: Option<Vec<u8>>,
    ) -> Self {
        Self {
            transfer_syntax: transfer_syntax.into(),
            keys,
            more_keys: false,
            cut_from: None,
            identifier: None,
            bytes,
        }
    }

    /// Makes it what the configuration allows.
    pub(in crate::audit) fn render(&mut self, how: &PatientIdentifiers) {
        let bytes = self.bytes.take().filter(|_| matches!(how, PatientIdentifiers::Clear));
        self.identifier = bytes.map(|bytes| STANDARD.encode(bytes));
    }

    /// The identifier in base64, where records may name patients.
    pub fn identifier(&self) -> Option<&str> {
        self.identifier.as_deref()
    }

    /// Bytes of memory, about.
    pub(in crate::audit) fn weight(&self) -> usize {
        self.keys.len().saturating_mul(32).saturating_add(self.bytes.as_ref().map_or(0, Vec::len))
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Query;
    use crate::audit::PatientIdentifiers;
    use aws_lc_rs::hmac;

    fn rendered(how: &PatientIdentifiers) -> String {
        let mut query = Query::new("1.2.840.10008.1.2", vec!["00100010".into()], Some(b"foobar".to_vec()));
        assert!(!format!("{query:?}").contains("foobar"));
        query.render(how);
        serde_json::to_string(&query).unwrap()
    }

    #[test]
    fn values_are_recorded_only_where_patients_may_be_named() {
        let keys = r#"{"transfer-syntax":"1.2.840.10008.1.2","keys":["00100010"]"#;
        let hashed = PatientIdentifiers::KeyedHash(Box::new(hmac::Key::new(hmac::HMAC_SHA256, b"k")));
        for how in [PatientIdentifiers::None, hashed] {
            assert_eq!(rendered(&how), format!("{keys}}}"));
        }
        assert_eq!(rendered(&PatientIdentifiers::Clear), format!(r#"{keys},"identifier":"Zm9vYmFy"}}"#));
    }

    #[test]
    fn what_is_cut_says_so_whatever_is_recorded_of_it() {
        let query = Query::new("1.2.840.10008.1.2", Vec::new(), None);
        let cut = serde_json::to_value(Query { more_keys: true, cut_from: Some(776), ..query }).unwrap();
        assert_eq!((&cut["more-keys"], &cut["cut-from"]), (&true.into(), &776.into()));
    }
}
