//! Who is asked about, and what a source says of them.

/// A patient, as an object or an answer names them: text in UTF-8, without padding.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Who {
    /// Patient ID (0010,0020).
    pub identifier: String,
    /// Issuer of Patient ID (0010,0021); empty where there is none.
    pub issuer: String,
}

/// What a source says of a patient, for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// They have consented.
    Granted,
    /// They have not, or no longer.
    Withdrawn,
    /// Nothing that would count.
    Unknown,
}

impl Who {
    /// Values as they came, with or without padding. `None`: no identifier, so nobody can be asked about.
    pub fn of(identifier: Option<&[u8]>, issuer: Option<&[u8]>) -> Option<Self> {
        let text = |value: Option<&[u8]>| {
            let text = String::from_utf8_lossy(value.unwrap_or_default());
            text.trim_matches([' ', '\0']).to_owned()
        };
        let (identifier, issuer) = (text(identifier), text(issuer));
        (!identifier.is_empty()).then_some(Self { identifier, issuer })
    }
}

/// Their name is in no text that somebody could log by mistake.
impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Who")
    }
}

/// What has been found of one patient so far, of several lines, items or documents.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    is_granted: bool,
    is_withdrawn: bool,
}

impl Found {
    /// Takes a grant that names a purpose, or none, which is for all of them.
    pub(super) fn grant(&mut self, names: Option<&str>, asked: Option<&str>) {
        self.is_granted |= names.is_none() || names == asked;
    }

    /// Takes a withdrawal. Where nobody says what for, each counts.
    pub(super) fn withdraw(&mut self, names: Option<&str>, asked: Option<&str>) {
        self.is_withdrawn |= names.is_none() || asked.is_none() || names == asked;
    }

    pub(super) fn said(self) -> Said {
        match self {
            Self { is_withdrawn: true, .. } => Said::Withdrawn,
            Self { is_granted: true, .. } => Said::Granted,
            _ => Said::Unknown,
        }
    }
}
