//! Values with facts in them: `ANON^{pseudonym}`.

use super::keyed::Key;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
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
    pub(super) parts: Vec<Part>,
    pub(super) key: Option<Key>,
    pub(super) length: usize,
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
}
