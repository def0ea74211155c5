//! `dimsegate audit verify` of an export.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::audit::export::{self, Export};
use crate::audit::signing::PublicKey;
use crate::cli::audit::complain;
use crate::cli::exit;
use crate::cli::words::counted;
use crate::files::full;

/// Says whether it is what was exported.
pub(in crate::cli::audit) fn verify(path: &Path, keys: &[PublicKey], json: bool) -> ExitCode {
    let found = match export::verify(path, keys) {
        Ok(found) => found,
        Err(error) => return complain(&format!("{}: {error}", full(path)), exit::UNREADABLE),
    };
    // A reader that has gone away has read enough.
    let _ = if json { as_json(&found) } else { as_text(path, keys, &found) };
    ExitCode::from(status(&found))
}

fn status(found: &Export) -> u8 {
    match found.is_undamaged() {
        false => exit::BROKEN_CHAIN,
        true if !found.statement.not_read.is_empty() => exit::UNREADABLE,
        true if !found.is_proven() => exit::NOT_PROVEN,
        true => 0,
    }
}

fn as_json(found: &Export) -> io::Result<()> {
    let mut report = serde_json::to_value(found)?;
    if let Some(fields) = report.as_object_mut() {
        fields.insert("proven".into(), (status(found) == 0).into());
    }
    writeln!(io::stdout().lock(), "{report:#}")
}

fn as_text(path: &Path, keys: &[PublicKey], found: &Export) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let told = &found.statement;
    for one in &found.wrong {
        writeln!(out, "{}/{one}", path.display())?;
    }
    for one in &found.records.breaks {
        writeln!(out, "{one}")?;
    }
    for one in &told.not_read {
        writeln!(out, "{}: was not exported: {}", one.file.escape_debug(), one.reason.escape_debug())?;
    }
    let places = found.wrong.len() as u64 + found.records.breaks.len() as u64 + found.records.more_breaks;
    let verdict = match places {
        0 if status(found) == 0 => "proven: it is what was exported".to_owned(),
        0 if !told.not_read.is_empty() => {
            "nothing was changed, and not all of it could be exported".to_owned()
        }
        0 => "nothing was changed as far as can be told".to_owned(),
        places => format!("BROKEN in {}", counted(places, "place")),
    };
    writeln!(out, "{}: {verdict}: {}", path.display(), counted(found.records.records, "record"))?;
    writeln!(out, "  of the period from {} to {}", told.from.escape_debug(), told.to.escape_debug())?;
    if let (Some(first), Some(last)) = (&found.records.first, &found.records.last) {
        let (from, to) = (first.sequence, last.sequence);
        writeln!(out, "  from record {from} of {} to record {to} of {}", first.time, last.time)?;
    }
    writeln!(out, "  {}", signed(keys, found))
}

fn signed(keys: &[PublicKey], found: &Export) -> String {
    let up_to = found.records.signed_up_to;
    match (found.signed, up_to) {
        _ if keys.is_empty() => "no signature was checked: give --public-key".to_owned(),
        (true, Some(up_to)) => {
            format!("the export is signed as a whole, and the trail up to record {up_to} in its time")
        }
        (true, None) => "the export is signed as a whole; the trail was not in its time".to_owned(),
        (false, Some(up_to)) => format!(
            "signed up to record {up_to}; nobody signed the export as a whole: compare the period with what was asked for"
        ),
        (false, None) => "nothing of it is signed by that key".to_owned(),
    }
}
