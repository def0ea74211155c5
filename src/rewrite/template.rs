//! Values with facts in them: `ANON^{pseudonym}`.

use super::character_set::CharacterSet;
use super::correspondence::Kind;
use super::error::RewriteProblem;
use super::facts::Facts;
use super::keyed::{self, Key};
use super::patient_id::is_nobody;
use crate::dataset::{PATIENT_ID, Tag, trim};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `{pseudonym}`: hexadecimal digits for the patient, from the Patient ID of the data set.
    Patient,
    /// `{value}`: hexadecimal digits for the element's own value; nothing where it is empty.
    Value,
    /// `{peer}`: the name of the peer that the association is of.
    Peer,
    /// `{tenant}`: whose that peer is.
    Tenant,
    /// `{sequence}`: the number of the data set in its association.
    Sequence,
}

/// A value of `replace` or `set` that depends on facts.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    key: Option<Key>,
    length: usize,
}

impl Template {
    /// `None`: there is no fact in it.
    pub(super) fn parse(text: &str, key: Option<&Key>, length: usize) -> Result<Option<Self>, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let known = "write {pseudonym}, {value}, {peer}, {tenant} or {sequence}";
            let (name, after) = behind.split_once('}').ok_or_else(|| format!("a brace is open: {known}"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "pseudonym" => Part::Patient,
                "value" => Part::Value,
                "peer" => Part::Peer,
                "tenant" => Part::Tenant,
                "sequence" => Part::Sequence,
                _ => return Err(format!("{{{name}}} is no fact: {known}")),
            });
            rest = after;
        }
        if parts.is_empty() {
            return Ok(None);
        }
        parts.push(Part::Text(rest.to_owned()));
        if key.is_none() && parts.iter().any(|part| matches!(part, Part::Patient | Part::Value)) {
            return Err("a pseudonym needs a secret: name a secret-file".to_owned());
        }
        Ok(Some(Self { parts, key: key.cloned(), length }))
    }

    pub(super) fn needs_patient(&self) -> bool {
        self.parts.contains(&Part::Patient)
    }

    pub(super) fn needs_tenant(&self) -> bool {
        self.parts.contains(&Part::Tenant)
    }

    pub(super) fn has_pseudonym(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Patient | Part::Value))
    }

    /// Whether the attribute's own value is in it.
    pub(super) fn is_of_value(&self) -> bool {
        self.parts.contains(&Part::Value)
    }

    /// A value of the form that will come, to be checked against a VR.
    pub(super) fn sample(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Patient | Part::Value => "0".repeat(self.length),
            Part::Peer | Part::Tenant => "P".to_owned(),
            Part::Sequence => "1".to_owned(),
        });
        parts.collect()
    }

    /// The value for an attribute whose own was `old`.
    pub(super) fn fill(
        &self,
        facts: &mut Facts,
        (tag, set): (Tag, &CharacterSet),
        old: &[u8],
    ) -> Result<String, RewriteProblem> {
        // Nothing is made of nothing: `SUBJECT-` would be the same for everybody.
        let old = if is_nobody(old) { &[] } else { old };
        if old.is_empty() && self.is_of_value() {
            return Ok(String::new());
        }
        let (real, written) = facts.pseudonyms.identity(Kind::Value(tag), (old, set))?;
        let kind = if old.is_empty() { None } else { self.kind(facts, tag, &real) };
        let known = match kind {
            Some(kind @ Kind::Value(_)) => facts.pseudonyms.used(kind, &real, written.as_ref())?,
            _ => None,
        };
        let text = match known {
            Some(known) => known,
            None => {
                let text = self.make(facts, &real)?;
                match kind {
                    Some(kind @ Kind::Value(_)) => {
                        facts.pseudonyms.keep(kind, (&real, written), trim(&text))?
                    }
                    Some(kind) => facts.pseudonyms.note(kind, (&real, written), trim(&text))?,
                    None => {}
                }
                text
            }
        };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// What the filled value stands for.
    fn kind(&self, facts: &Facts, tag: Tag, old: &[u8]) -> Option<Kind> {
        let is_patient = tag == PATIENT_ID && facts.patient.as_deref() == Some(old);
        if self.parts.contains(&Part::Value) || self.needs_patient() && is_patient {
            Some(Kind::Value(tag))
        } else {
            self.needs_patient().then_some(Kind::OfPatient(tag))
        }
    }

    fn make(&self, facts: &mut Facts, old: &[u8]) -> Result<Vec<u8>, RewriteProblem> {
        let mut text = Vec::new();
        for part in &self.parts {
            match (part, &self.key) {
                (Part::Text(part), _) => text.extend_from_slice(part.as_bytes()),
                (Part::Patient, Some(key)) => {
                    let patient = facts.patient.as_deref().ok_or(RewriteProblem::NoPatient)?;
                    let mut digits = Vec::new();
                    facts.pseudonyms.put(Kind::Patient, patient, &mut digits, |digits| {
                        keyed::put_patient(key, patient, keyed::DIGITS, digits);
                    })?;
                    text.extend_from_slice(digits.get(..self.length).unwrap_or(&digits));
                }
                (Part::Value, Some(key)) if !old.is_empty() => {
                    keyed::put_pseudonym(key, old, self.length, &mut text);
                }
                (Part::Patient | Part::Value, _) => {}
                (Part::Peer, _) => {
                    let peer = facts.peer.as_deref().ok_or(RewriteProblem::NoPeer)?;
                    text.extend_from_slice(peer.as_bytes());
                }
                (Part::Tenant, _) => {
                    let tenant = facts.tenant.as_deref().ok_or(RewriteProblem::NoTenant)?;
                    text.extend_from_slice(tenant.as_bytes());
                }
                (Part::Sequence, _) => {
                    let number = facts.number.ok_or(RewriteProblem::NoNumber)?;
                    text.extend_from_slice(number.to_string().as_bytes());
                }
            }
        }
        Ok(text)
    }
}
