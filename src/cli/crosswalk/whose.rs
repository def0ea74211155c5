//! Which patient a command is about.

use std::io::Read;
use std::process::ExitCode;

use super::failed;
use crate::cli::exit;
use crate::config::CrosswalkSettings;
use crate::crosswalk::{self, CrosswalkError};
use crate::dataset::PATIENT_ID;
use crate::rewrite::Kind;

/// No Patient ID is longer: 64 characters of at most four bytes (PS3.5 Table 6.2-1).
const LONGEST: u64 = 256;

#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    /// The real Patient ID; "-" reads it from standard input, so that it is in no list of processes
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// The Patient ID that stands for it
    #[arg(long, value_name = "ID", conflicts_with = "patient")]
    pseudonym: Option<String>,
}

impl Whose {
    /// The real Patient ID; `None` where nobody was named.
    pub(super) fn patient(&self, settings: &CrosswalkSettings) -> Result<Option<Vec<u8>>, ExitCode> {
        match (&self.patient, &self.pseudonym) {
            (Some(id), _) if id == "-" => from_standard_input().map(Some),
            (Some(id), _) => Ok(Some(id.trim_end().as_bytes().to_vec())),
            (None, Some(pseudonym)) => behind(settings, pseudonym).map(Some),
            (None, None) => Ok(None),
        }
    }
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
    let look = |one: &crate::rewrite::Correspondence| -> Result<(), CrosswalkError> {
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
