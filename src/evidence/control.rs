//! Controls, as data: those of publishers' texts, and mappings of our own.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Controls with evidence, checks and caveats, written from the publishers' texts.
const PUBLISHED: &str = include_str!("data/compliance_controls.json");
/// Mappings that nobody published: frameworks of which we know the identifiers only.
const OWN: &str = include_str!("data/own_mapping.json");

/// What an auditor asks for, as far as a proxy has to do with it.
#[derive(Clone, Debug, Deserialize)]
pub struct Control {
    /// Unique among all.
    pub id: String,
    /// Whose text it is of.
    pub framework: String,
    /// Where it stands there.
    pub reference: String,
    /// What it asks for.
    pub title: String,
    /// `standard`, `addressable`, `proposed` …
    pub requirement_type: String,
    /// What a proxy can show.
    pub proxy_evidence: Vec<String>,
    /// Names of checks; empty: no machine can show it.
    pub checks: Vec<String>,
    /// What a reader has to know with it.
    pub caveat: Option<String>,
    /// Whether the control, or which checks belong to it, is our own mapping.
    #[serde(skip)]
    pub is_own_mapping: bool,
}

impl Control {
    /// Whether its text is only proposed, and no rule yet.
    pub fn is_proposed(&self) -> bool {
        self.requirement_type == "proposed"
    }
}

/// All controls, with the dates of both kinds of data.
#[derive(Clone, Debug)]
pub struct Controls {
    /// In the order of the data.
    pub all: Vec<Control>,
    /// When the facts of the publishers' texts were gathered.
    pub date: String,
    /// When our own mapping was made.
    pub own_date: String,
    /// How our own mapping is marked wherever it is printed.
    pub own_note: String,
}

#[derive(Deserialize)]
struct Published {
    status_date: String,
    controls: Vec<Control>,
}

#[derive(Deserialize)]
struct Own {
    note: String,
    status_date: String,
    controls: Vec<Control>,
    /// Checks for published controls whose data name none, or one that cannot tell them from another control.
    checks_of: BTreeMap<String, Vec<String>>,
}

/// Reads the data that the program was built with.
///
/// # Errors
/// The data are damaged; a test keeps such a program from being built.
pub fn controls() -> Result<Controls, serde_json::Error> {
    let published: Published = serde_json::from_str(PUBLISHED)?;
    let mut own: Own = serde_json::from_str(OWN)?;
    let of_ours = |mut control: Control| {
        control.is_own_mapping = true;
        control
    };
    let with_ours = |mut control: Control| match own.checks_of.get(&control.id) {
        Some(checks) => {
            control.checks.clone_from(checks);
            control.is_own_mapping = true;
            control
        }
        None => control,
    };
    let mut all: Vec<Control> = published.controls.into_iter().map(with_ours).collect();
    all.extend(std::mem::take(&mut own.controls).into_iter().map(of_ours));
    Ok(Controls { all, date: published.status_date, own_date: own.status_date, own_note: own.note })
}
