//! Which patient a command is about.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::ExitCode;

use super::failed;
use crate::cli::exit;
use crate::config::CrosswalkSettings;
use crate::crosswalk::{self, CrosswalkError};
use crate::dataset::PATIENT_ID;
use crate::rewrite::{Correspondence, Kind, patient_id_of, patient_key};

/// No Patient ID is longer: 64 characters of at most four bytes (PS3.5 Table 6.2-1).
const LONGEST: u64 = 256;

#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The real Patient ID; "-" reads it from standard input, so that it is in no list of processes
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// The issuer of the Patient ID, where patients of several have it; "" for the patient without one
    #[arg(long, value_name = "ISSUER", requires = "patient")]
    issuer: Option<String>,
    /// The Patient ID that stands for it
    #[arg(long, value_name = "ID", conflicts_with = "patient")]
    pseudonym: Option<String>,
}

impl Whose {
    /// The patient's key; `None` where nobody was named.
    pub(super) fn patient(&self, settings: &CrosswalkSettings) -> Result<Option<Vec<u8>>, ExitCode> {
        match (&self.patient, &self.pseudonym) {
            (Some(id), _) if id == "-" => self.one_of(settings, &from_standard_input()?).map(Some),
            (Some(id), _) => self.one_of(settings, id.trim_end().as_bytes()).map(Some),
            (None, Some(pseudonym)) => behind(settings, pseudonym).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Whose {
    /// The patient with this Patient ID. Where several issuers have one, it has to be said which.
    fn one_of(&self, settings: &CrosswalkSettings, id: &[u8]) -> Result<Vec<u8>, ExitCode> {
        if let Some(issuer) = &self.issuer {
            return Ok(patient_key(id, issuer.trim().as_bytes()));
        }
        let keys = keys_of(settings, id)?;
        match keys.len() {
            0 => Ok(id.to_vec()),
            1 => Ok(keys.into_iter().next().unwrap_or_default()),
            count => {
                eprintln!(
                    "{}: {count} patients have this Patient ID; say which with --issuer, empty for none",
                    settings.path.display()
                );
                Err(ExitCode::from(exit::USAGE))
            }
        }
    }
}

/// Whoever has a Patient ID, by patients' keys.
fn keys_of(settings: &CrosswalkSettings, id: &[u8]) -> Result<BTreeSet<Vec<u8>>, ExitCode> {
    let mut keys = BTreeSet::new();
    let look = |one: &Correspondence| -> Result<(), CrosswalkError> {
        let named = matches!(one.kind, Kind::Value(PATIENT_ID) | Kind::Patient | Kind::Days);
        let keyed = one.patient.as_ref().into_iter().chain(Some(&one.real).filter(|_| named));
        keys.extend(keyed.filter(|key| patient_id_of(key) == id).cloned());
        Ok(())
    };
    if settings.path.exists() {
        crosswalk::export(&settings.path, &settings.secret, None, look).map_err(|error| failed(&error))?;
    }
    Ok(keys)
}

fn from_standard_input() -> Result<Vec<u8>, ExitCode> {
    let mut id = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut id);
    match (read, id.trim()) {
        (Ok(_), id) if !id.is_empty() => Ok(id.as_bytes().to_vec()),
        _ => {
            eprintln!("standard input holds no Patient ID");
            Err(ExitCode::from(exit::UNREADABLE))
        }
    }
}

fn behind(settings: &CrosswalkSettings, pseudonym: &str) -> Result<Vec<u8>, ExitCode> {
    let mut found = None;
    let look = |one: &Correspondence| -> Result<(), CrosswalkError> {
        if one.kind == Kind::Value(PATIENT_ID) && one.pseudonym == pseudonym.as_bytes() {
            found = Some(one.real.clone());
        }
        Ok(())
    };
    crosswalk::export(&settings.path, &settings.secret, None, look).map_err(|error| failed(&error))?;
    found.ok_or_else(|| {
        eprintln!("{}: this pseudonym stands for nobody", settings.path.display());
        ExitCode::from(exit::UNREADABLE)
    })
}
