//! `export`: pseudonyms with what they stand for.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::whose::Whose;
use super::{Which, failed};
use crate::cli::exit;
use crate::crosswalk::{self, CrosswalkError};
use crate::dataset::{PATIENT_ID, keyword_of};
use crate::files::full;
use crate::rewrite::{Correspondence, Kind, issuer_of, patient_id_of};

/// Write pseudonyms with what they stand for. These are patients' data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate crosswalk export -c conf/dimsegate.toml --rewrite cross-border -o crosswalk.csv

Columns, and keys of the JSON objects, one a line: kind, attribute, real, pseudonym, patient (the real Patient ID of the
object that it was found in), issuer (of that Patient ID, where it has one).
  uid           a UID of the patients' side, in whatever attribute it stands
  own-uid       a UID of the pseudonyms' side's own, and as which the patients' side knows it (real)
  value         a value of an attribute, whose pseudonym is made from the value
  of-patient    a value of an attribute, whose pseudonym is made from the patient; the newest one
  patient       a Patient ID, and the digits that {pseudonym} abbreviates
  days          a Patient ID, and the days by which the patient's dates move
  shared-uid    a UID that another patient had first, and its patient, who has it too; without a pseudonym
  shared-value  the same of a value

Bytes that are not UTF-8, and control characters, are written as \\xNN. A file is made readable by its owner only, and
none is overwritten.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    whose: Whose,
    /// CSV, with a header line (the default)
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// JSON, one object a line
    #[arg(long)]
    json: bool,
    /// Where to write; standard output where absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Why an export ended early.
enum Ended {
    Crosswalk(CrosswalkError),
    Write(io::Error),
}

impl From<CrosswalkError> for Ended {
    fn from(error: CrosswalkError) -> Self {
        Self::Crosswalk(error)
    }
}

/// Runs `export`.
pub(super) fn run(args: &Args) -> Result<(), ExitCode> {
    let tables = args.which.tables()?;
    let crosswalk = args.which.of(&tables)?;
    let patient = args.whose.patient(crosswalk)?;
    let name = args.output.as_ref().map_or("standard output".into(), |path| full(path).to_string());
    let not_written = |error: io::Error| {
        let why = match error.kind() {
            io::ErrorKind::AlreadyExists => "is there already; nothing is overwritten".to_owned(),
            _ => format!("cannot be written: {error}"),
        };
        eprintln!("{name}: {why}");
        ExitCode::from(exit::CANNOT_CREATE)
    };
    let out = open(args).map_err(not_written)?;
    let mut out = BufWriter::new(out);
    let ended = write(args, patient.as_deref(), crosswalk, &mut out);
    match ended {
        Ok(()) => Ok(()),
        // A reader that has gone away has read enough.
        Err(Ended::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Ended::Write(error)) => Err(not_written(error)),
        Err(Ended::Crosswalk(error)) => Err(failed(&error)),
    }
}

fn open(args: &Args) -> io::Result<Box<dyn Write>> {
    Ok(match &args.output {
        Some(path) => Box::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?),
        None => {
            if io::stdout().is_terminal() {
                eprintln!(
                    "what follows are patients' data; -o FILE writes them where only you can read them"
                );
            }
            Box::new(io::stdout().lock())
        }
    })
}

fn write(
    args: &Args,
    patient: Option<&[u8]>,
    crosswalk: &crate::config::CrosswalkSettings,
    out: &mut dyn Write,
) -> Result<(), Ended> {
    if !args.json {
        writeln!(out, "kind,attribute,real,pseudonym,patient,issuer").map_err(Ended::Write)?;
    }
    crosswalk::export(&crosswalk.path, &crosswalk.secret, patient, |one| {
        let line = if args.json { as_json(one) } else { as_csv(one) };
        writeln!(out, "{line}").map_err(Ended::Write)
    })?;
    out.flush().map_err(Ended::Write)
}

/// What a kind is called, and its attribute where it has one.
pub(super) fn names(kind: Kind) -> (&'static str, String) {
    let attribute = |tag| keyword_of(tag).map_or_else(|| tag.to_string(), str::to_owned);
    match kind {
        Kind::Uid => ("uid", String::new()),
        Kind::Value(tag) => ("value", attribute(tag)),
        Kind::OfPatient(tag) => ("of-patient", attribute(tag)),
        Kind::Patient => ("patient", String::new()),
        Kind::Days => ("days", String::new()),
        Kind::Shared(tag) => ("shared-value", attribute(tag)),
        Kind::SharedUid => ("shared-uid", String::new()),
        Kind::OwnUid => ("own-uid", String::new()),
    }
}

fn as_json(one: &Correspondence) -> String {
    let (kind, attribute) = names(one.kind);
    let attribute = Some(attribute).filter(|attribute| !attribute.is_empty());
    let (patient, issuer) = whose(one);
    let (real, pseudonym) = (real(one), text(&one.pseudonym));
    json!({
        "kind": kind, "attribute": attribute, "real": real, "pseudonym": pseudonym, "patient": patient, "issuer": issuer,
    })
    .to_string()
}

fn as_csv(one: &Correspondence) -> String {
    let (kind, attribute) = names(one.kind);
    let (patient, issuer) = whose(one);
    let (patient, issuer) = (patient.unwrap_or_default(), issuer.unwrap_or_default());
    [kind.to_owned(), attribute, real(one), text(&one.pseudonym), patient, issuer]
        .map(|cell| quoted(&cell))
        .join(",")
}

/// What is on the patients' side: of a patient's key, the Patient ID.
fn real(one: &Correspondence) -> String {
    let is_key =
        matches!(one.kind, Kind::Value(PATIENT_ID) | Kind::Shared(PATIENT_ID) | Kind::Patient | Kind::Days);
    text(if is_key { patient_id_of(one.value()) } else { one.value() })
}

/// The Patient ID of whom it is, and the issuer.
fn whose(one: &Correspondence) -> (Option<String>, Option<String>) {
    let key = one.patient.as_deref();
    (key.map(patient_id_of).map(text), key.and_then(issuer_of).map(text))
}

/// As RFC 4180 wants it.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{as_csv, as_json};
    use crate::dataset::Tag;
    use crate::rewrite::{Correspondence, Kind, patient_key};

    #[test]
    fn every_value_stays_in_its_cell() {
        let one = Correspondence {
            kind: Kind::OfPatient(Tag(0x0010, 0x0010)),
            real: "Müller, \"Jo\"^Ä".into(),
            pseudonym: b"ANON^\x1b$B\n1".to_vec(),
            patient: None,
            written: None,
        };
        assert_eq!(as_csv(&one), "of-patient,PatientName,\"Müller, \"\"Jo\"\"^Ä\",ANON^\\x1b$B\\n1,,");
        let json: serde_json::Value = serde_json::from_str(&as_json(&one)).unwrap();
        assert_eq!(json["real"], "Müller, \"Jo\"^Ä");
        assert_eq!(json["patient"], serde_json::Value::Null);
        let uid = Correspondence { kind: Kind::Uid, patient: Some(b"4711".to_vec()), ..one };
        assert!(as_csv(&uid).starts_with("uid,,") && as_csv(&uid).ends_with(",4711,"));
        let key = patient_key(b"4711", b"LYON");
        let named = Correspondence { kind: Kind::Patient, real: key.clone(), patient: Some(key), ..uid };
        assert!(as_csv(&named).starts_with("patient,,4711,") && as_csv(&named).ends_with(",4711,LYON"));
    }
}
