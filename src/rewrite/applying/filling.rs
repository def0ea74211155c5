//! Values with facts in them, filled.

use super::super::character_set::CharacterSet;
use super::super::correspondence::Kind;
use super::super::error::RewriteProblem;
use super::super::facts::Facts;
use super::super::keyed;
use super::super::patient_id::is_nobody;
use super::super::template::{Part, Template};
use crate::dataset::{PATIENT_ID, Tag, trim};

impl Template {
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
        let real = facts.remembered_as(Kind::Value(tag), real);
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
