//! How patients appear in records: not at all, as a keyed hash, or in clear.

use aws_lc_rs::hmac;
use serde::ser::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

use super::operation::{Operation, Originals};
use crate::notation::hex;

/// How records name patients: the setting `patient-identifiers` with what it needs.
#[derive(Clone, Debug)]
pub enum PatientIdentifiers {
    /// Records have no `patient` field.
    None,
    /// HMAC-SHA-256 of the identifier, so that records of one patient can be found with the key and not without it.
    KeyedHash(Box<hmac::Key>),
    /// As it is in the data set.
    Clear,
}

/// The value of Patient ID (0010,0020). As it came it can be neither shown nor written: a record holds only what
/// [`Renderer`] made of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientIdentifier(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    AsItCame(Vec<u8>),
    Rendered(Arc<str>),
}

impl PatientIdentifier {
    /// The value of (0010,0020) as it came in a data set, which the writer of the records puts in the form that the
    /// setting asks for.
    pub fn new(value: Vec<u8>) -> Self {
        Self(Form::AsItCame(value))
    }

    /// Bytes.
    pub(in crate::audit) fn len(&self) -> usize {
        match &self.0 {
            Form::AsItCame(value) => value.len(),
            Form::Rendered(text) => text.len(),
        }
    }

    /// As a record may show it.
    pub fn rendered(&self) -> Option<&str> {
        match &self.0 {
            Form::Rendered(text) => Some(text),
            Form::AsItCame(_) => None,
        }
    }
}

impl fmt::Debug for PatientIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientIdentifier")
    }
}

impl Serialize for PatientIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.rendered() {
            Some(text) => serializer.serialize_str(text),
            None => Err(S::Error::custom("a patient identifier that was not rendered")),
        }
    }
}

impl<'de> Deserialize<'de> for PatientIdentifier {
    /// What a record shows was rendered.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::said::text(deserializer, |text| Self(Form::Rendered(text.into())))
    }
}

/// Makes identifiers what the configuration allows. Objects of one patient come one after the other, so the last one is
/// remembered.
#[derive(Debug)]
pub(in crate::audit) struct Renderer {
    how: PatientIdentifiers,
    last: Option<(Vec<u8>, PatientIdentifier)>,
}

impl Renderer {
    pub(in crate::audit) fn new(how: PatientIdentifiers) -> Self {
        Self { how, last: None }
    }

    pub(in crate::audit) fn how(&self) -> &PatientIdentifiers {
        &self.how
    }

    /// As it may be recorded. Padding around the value does not count; `None` where nothing may be recorded, or where
    /// there is nothing to record.
    pub(in crate::audit) fn render(&mut self, identifier: PatientIdentifier) -> Option<PatientIdentifier> {
        let Form::AsItCame(value) = identifier.0 else { return Some(identifier) };
        if let Some((_, rendered)) = self.last.as_ref().filter(|(last, _)| *last == value) {
            return Some(rendered.clone());
        }
        let rendered = PatientIdentifier(Form::Rendered(self.how.text(&value)?.into()));
        self.last = Some((value, rendered.clone()));
        Some(rendered)
    }

    /// Makes of the UIDs of the patients' side, where something stands for them, what may be recorded: as of patients.
    pub(in crate::audit) fn render_originals(&self, operation: &mut Operation) {
        let Operation { sop_instance, new_sop_instance, study, new_study, data_set_sop_instance, .. } =
            operation;
        let pairs = match operation.originals {
            Originals::Nowhere => return,
            Originals::Came => {
                if new_sop_instance.is_some() {
                    self.render_uid(data_set_sop_instance);
                }
                [(sop_instance, new_sop_instance), (study, new_study)]
            }
            Originals::Went => [(new_sop_instance, sop_instance), (new_study, study)],
        };
        for (original, other) in pairs {
            if other.is_some() && original != other {
                self.render_uid(original);
            }
        }
    }

    fn render_uid(&self, uid: &mut Option<String>) {
        *uid = uid.take().and_then(|uid| self.how.of(&uid));
    }
}

impl PatientIdentifiers {
    /// What records call the patient of this Patient ID; `None` where they call nobody.
    pub fn of(&self, patient_id: &str) -> Option<String> {
        self.text(patient_id.as_bytes())
    }

    fn text(&self, value: &[u8]) -> Option<String> {
        let identifier = unpadded(value);
        match self {
            _ if identifier.is_empty() => None,
            Self::None => None,
            Self::KeyedHash(key) => Some(hex::encode(hmac::sign(key, identifier).as_ref())),
            Self::Clear => Some(String::from_utf8_lossy(identifier).into_owned()),
        }
    }
}

/// Values are padded with a space (PS3.5 §6.2), and by some writers with NUL.
fn unpadded(value: &[u8]) -> &[u8] {
    let padding = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let start = value.iter().position(|byte| !padding(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !padding(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Operation, Originals, PatientIdentifier, PatientIdentifiers, Renderer};
    use aws_lc_rs::hmac;

    fn rendered(how: &PatientIdentifiers, values: &[&[u8]]) -> Vec<Option<String>> {
        let mut renderer = Renderer::new(how.clone());
        let mut text = |value: &[u8]| {
            let identifier = renderer.render(PatientIdentifier::new(value.to_vec()))?;
            Some(serde_json::from_value(serde_json::to_value(identifier).unwrap()).unwrap())
        };
        values.iter().map(|value| text(value)).collect()
    }

    #[test]
    fn a_keyed_hash_is_hmac_sha_256_of_the_unpadded_value() {
        // RFC 4231 §4.3 (test case 2).
        let how = PatientIdentifiers::KeyedHash(Box::new(hmac::Key::new(hmac::HMAC_SHA256, b"Jefe")));
        let expected = Some("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843".to_owned());
        let value: &[u8] = b"what do ya want for nothing?";
        let padded: &[u8] = b" what do ya want for nothing?  \0";
        let found = rendered(&how, &[value, value, padded, b"other", value]);
        assert_eq!(
            found.iter().map(|found| *found == expected).collect::<Vec<_>>(),
            [true, true, true, false, true]
        );
    }

    #[test]
    fn none_and_blank_values_leave_nothing() {
        assert_eq!(rendered(&PatientIdentifiers::None, &[b"123", b"123"]), [None, None]);
        let found = rendered(&PatientIdentifiers::Clear, &[b" \0 ", b"A 1 ", b" \0 "]);
        assert_eq!(found, [None, Some("A 1".to_owned()), None]);
    }

    #[test]
    fn uids_that_something_stands_for_are_written_as_patients_are() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let hash = |uid: &str| Some(crate::notation::hex::encode(hmac::sign(&key, uid.as_bytes()).as_ref()));
        let keyed = PatientIdentifiers::KeyedHash(Box::new(key.clone()));
        let text = |uid: &str| Some(uid.to_owned());
        let rendered = |how: &PatientIdentifiers, originals, new: Option<&str>| {
            let mut operation = Operation {
                sop_instance: text("1.2.3"),
                new_sop_instance: new.map(|_| "2.25.3".to_owned()),
                study: text("1.2"),
                new_study: new.map(str::to_owned),
                originals,
                ..Operation::default()
            };
            Renderer::new(how.clone()).render_originals(&mut operation);
            [operation.sop_instance, operation.new_sop_instance, operation.study, operation.new_study]
        };
        let [instance, study, new_instance, new_study] = ["1.2.3", "1.2", "2.25.3", "2.25.2"].map(text);
        let whole = [instance.clone(), new_instance.clone(), study.clone(), new_study.clone()];
        for how in [PatientIdentifiers::None, keyed.clone(), PatientIdentifiers::Clear] {
            assert_eq!(rendered(&how, Originals::Nowhere, Some("2.25.2")), whole);
            assert_eq!(rendered(&how, Originals::Came, None), [instance.clone(), None, study.clone(), None]);
        }
        let (none, clear) = (PatientIdentifiers::None, PatientIdentifiers::Clear);
        assert_eq!(rendered(&clear, Originals::Came, Some("2.25.2")), whole);
        assert_eq!(
            rendered(&none, Originals::Came, Some("2.25.2")),
            [None, new_instance.clone(), None, new_study.clone()]
        );
        assert_eq!(rendered(&none, Originals::Went, Some("2.25.2")), [instance, None, study.clone(), None]);
        let hashed = rendered(&keyed, Originals::Came, Some("2.25.2"));
        assert_eq!(hashed, [hash("1.2.3"), new_instance.clone(), hash("1.2"), new_study]);
        // What is the same on both sides stands for nothing.
        let kept = rendered(&none, Originals::Came, Some("1.2"));
        assert_eq!(kept, [None, new_instance, study.clone(), study]);
    }

    #[test]
    fn what_was_not_rendered_is_never_shown() {
        let identifier = PatientIdentifier::new(b"P1".to_vec());
        assert!(!format!("{identifier:?}").contains("P1"));
        assert!(serde_json::to_string(&identifier).is_err());
    }
}
