//! A file read, whole or for a part of it.

use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use super::compiling::{Loaded, Whose, compile_with, settings};
use super::diagnostic::{Diagnostic, Diagnostics};
use super::report::{Lines, values};
use super::section::Section;
use super::settings::{AdminListen, LogFormat, Settings};
use super::{admin, tenants};
use crate::files::looked_for;

/// Larger than any sensible configuration.
const MAX_FILE: u64 = 4 << 20;

/// Reads a configuration and all that it names. Nothing is put into force.
///
/// # Errors
/// [`Diagnostics`]: every problem at once, in the order of the file.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    compile(path, &text_of(path)?)
}

/// Reads all anew that settings name, by the text that they came from: what somebody writes into the file meanwhile is not
/// asked for.
///
/// # Errors
/// As [`load`].
pub fn load_files(settings: &Settings) -> Result<Loaded, Diagnostics> {
    compile(&settings.path, &settings.text)
}

/// How a configuration wants the log written, as far as it can be read, whatever else is wrong with it.
pub fn log_format(path: &Path) -> LogFormat {
    let Ok(text) = text_of(path) else { return LogFormat::Text };
    let (root, _) = DeTable::parse_recoverable(&text);
    let log = root.get_ref().get("log").and_then(|log| log.get_ref().as_table());
    let format = log.and_then(|log| log.get("format")).and_then(|format| format.get_ref().as_str());
    if format == Some("json") { LogFormat::Json } else { LogFormat::Text }
}

/// Where the administration interface of a configuration listens; nowhere, where it has none.
///
/// # Errors
/// What is wrong with that; what else is wrong with the file is no problem here, as with [`load`] it would be.
pub fn admin_listen(path: &Path, tenant: Option<&str>) -> Result<Vec<AdminListen>, Diagnostics> {
    read_with(path, tenant, |root| match root.has("admin") {
        true => root.table("admin").and_then(|section| admin::places(&section)).map(values),
        false => Some(Vec::new()),
    })
}

/// As [`load`], of a text that stands nowhere yet; it is told of as if it were in the file.
///
/// # Errors
/// As [`load`].
pub fn load_text(path: &Path, text: &str) -> Result<Loaded, Diagnostics> {
    compile(path, text)
}

/// As [`load`], from text that was read already.
pub(super) fn compile(path: &Path, text: &str) -> Result<Loaded, Diagnostics> {
    compile_with_lines(path, text, Lines::Hidden)
}

fn compile_with_lines(path: &Path, text: &str, lines: Lines) -> Result<Loaded, Diagnostics> {
    if let Some(parts) = tenants::parts(path, text)? {
        return tenants::compile(path, text, &parts, lines);
    }
    let read = |root: Section<'_>| settings(path, text, &root, Whose::Everybody);
    let (settings, warnings) = compile_with(path, text, read)?;
    Ok(Loaded { settings, tenants: Vec::new(), warnings })
}

/// Reads a file, and takes what is wanted of it. `take` gives `None` only after it has reported a problem.
///
/// # Errors
/// As [`load`]; what is in no table that `take` looks at is no problem, as long as it is TOML and every key is one of its
/// table. A key that is not may be one that `take` needs, misspelt or under the wrong header.
pub(super) fn read_with<T>(
    path: &Path,
    tenant: Option<&str>,
    take: impl FnOnce(Section<'_>) -> Option<T>,
) -> Result<T, Diagnostics> {
    let text = text_of(path)?;
    let text = match tenants::parts(path, &text)? {
        None => tenant.map_or(Ok(text), |name| Err(not_chosen(path, tenants::NotChosen::NoTenants(name))))?,
        Some(parts) => parts.text_of(tenant).map_err(|why| not_chosen(path, why))?,
    };
    compile_with(path, &text, take).map(|(taken, _)| taken)
}

/// Whether a file has tenants, as far as it can be read.
pub(super) fn has_tenants(path: &Path) -> bool {
    text_of(path).is_ok_and(|text| !matches!(tenants::parts(path, &text), Ok(None)))
}

/// As [`load`], for what is asked of one tenant, or of a file without any, by somebody who has the file.
///
/// # Errors
/// As [`load`]; and that the file has tenants and none is named, or not this one.
pub fn load_of(path: &Path, tenant: Option<&str>) -> Result<Loaded, Diagnostics> {
    let Loaded { settings, tenants, warnings } = compile_with_lines(path, &text_of(path)?, Lines::Shown)?;
    let names = || tenants.iter().filter_map(|one| one.settings.tenant.as_deref());
    let chosen = match (settings.is_of_a_machine, tenant) {
        (false, None) => Ok(settings),
        (false, Some(name)) => Err(tenants::NotChosen::NoTenants(name)),
        (true, None) => Err(tenants::NotChosen::None(names().map(str::to_owned).collect())),
        (true, Some(name)) => tenants
            .iter()
            .find(|one| one.settings.tenant.as_deref() == Some(name))
            .map(|one| Settings::clone(&one.settings))
            .ok_or_else(|| tenants::NotChosen::Unknown(name, names().map(str::to_owned).collect())),
    };
    let settings = chosen.map_err(|why| not_chosen(path, why))?;
    Ok(Loaded { settings, tenants: Vec::new(), warnings })
}

fn not_chosen(path: &Path, why: tenants::NotChosen<'_>) -> Diagnostics {
    let (problem, remedy) = why.told();
    let (path, key) = (path.to_path_buf(), String::new());
    Diagnostics {
        errors: vec![Diagnostic { path, line: 1, column: 1, key, problem, remedy }],
        warnings: Vec::new(),
    }
}

fn text_of(path: &Path) -> Result<String, Diagnostics> {
    read(path).map_err(|found| Diagnostics { errors: vec![*found], warnings: Vec::new() })
}

fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    let at = |line, column, problem: String, remedy: &str| {
        let (path, remedy) = (path.to_path_buf(), remedy.to_owned());
        Box::new(Diagnostic { path, line, column, key: String::new(), problem, remedy })
    };
    let mut bytes = Vec::new();
    // A pipe too: what a command line names may be made by another program.
    let file = std::fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    if let Err(error) = file {
        let remedy = "name a file that this user may read";
        return Err(at(1, 1, format!("cannot be read: {error}{}", looked_for(path)), remedy));
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(at(1, 1, "is larger than 4 MiB".into(), "name a configuration file"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(
            error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default(),
        );
        let line = good.matches('\n').count() + 1;
        let column = good.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        at(line, column, "is not UTF-8".into(), "save the file as UTF-8")
    })
}
