//! Each text of a file with tenants compiled by itself, and what no two of them may have compared.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::super::compiling::{
    Loaded, TenantSettings, Whose, compile_with, digest_in_force, digest_of, settings,
};
use super::super::descriptors;
use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::keys::Keys;
use super::super::report::{Lines, Place};
use super::super::section::Section;
use super::super::settings::Settings;
use super::addresses::{self, Places};
use super::owned::{self, Owned};
use super::split::{Part, Parts};
use crate::files::full;
use crate::tls::FileDigest;

/// What one text came to.
pub(super) struct Compiled {
    /// `None`: of the machine.
    pub name: Option<Arc<str>>,
    pub text: Arc<str>,
    pub settings: Settings,
    pub owned: Vec<Owned>,
    pub places: Places,
}

/// All of them, the machine's first, or every problem of any.
pub(in crate::config) fn compile(
    path: &Path,
    text: &str,
    parts: &Parts,
    lines: Lines,
) -> Result<Loaded, Diagnostics> {
    let mut found = Found::default();
    let machine = found.of(compile_with(path, &parts.machine, |root| {
        not_yet(&root);
        let settings = settings(path, &parts.machine, &root, Whose::Machine)?;
        let counts = &settings.limits.counts;
        descriptors::risk(
            &root,
            counts,
            descriptors::needed_by_all(counts, parts.tenants.iter().map(|one| one.share)),
        );
        let owned = owned::of(&root, &settings);
        let text = parts.machine.clone();
        Some(Compiled { name: None, text, settings, owned, places: Places::new() })
    }));
    let of_all = found.warnings.clone();
    let mut risks = Vec::new();
    let mut tenants = Vec::new();
    for part in &parts.tenants {
        let before = found.warnings.len();
        tenants.push(found.of(compile_with(path, &part.text, |root| tenant(path, part, &root, lines))));
        let own = found.warnings.get(before..).unwrap_or_default();
        risks.push(own.iter().filter(|risk| !of_all.contains(risk)).count());
    }
    let all: Option<Vec<Compiled>> = [machine].into_iter().chain(tenants).collect();
    let Some(mut all) = all else { return Err(found.into_problems()) };
    let folder = all.first().map(|machine| machine.settings.state_directory.clone()).unwrap_or_default();
    for one in &mut all {
        let own = one.name.as_ref().map_or_else(|| folder.clone(), |name| folder.join(state_folder(name)));
        one.owned.extend(owned::state(one, &own));
        one.settings.state_directory = own;
    }
    found.errors.extend(owned::problems(path, &all));
    found.errors.extend(of_before(path, text, parts, &folder));
    let shared = addresses::shared(path, &all, &parts.tenants);
    let shared = match shared {
        Ok(shared) if found.errors.is_empty() => shared,
        Ok(_) => return Err(found.into_problems()),
        Err(problems) => {
            found.errors.extend(problems);
            return Err(found.into_problems());
        }
    };
    let mut machine = all.remove(0).settings;
    let tenants: Vec<Settings> = all.into_iter().map(|one| one.settings).collect();
    machine.listeners = shared.into_iter().map(Arc::new).collect();
    of_the_whole(path, text, &mut machine, &tenants);
    Ok(Loaded {
        settings: machine,
        tenants: tenants
            .into_iter()
            .zip(risks)
            .map(|(settings, risks)| TenantSettings { settings: Arc::new(settings), risks })
            .collect(),
        warnings: found.into_problems().warnings,
    })
}

fn tenant(path: &Path, part: &Part, root: &Section<'_>, lines: Lines) -> Option<Compiled> {
    if lines == Lines::Hidden {
        root.report.hide_lines();
    }
    if let Some(admin) = root.table("admin") {
        let remedy =
            "write it in [admin] of the machine: there each tenant has a folder beside those of the others";
        admin.refuse(&["state-directory"], "is none that a tenant chooses", remedy);
    }
    let mut settings = settings(path, &part.text, root, Whose::Tenant(part.share))?;
    settings.tenant = Some(part.name.clone());
    settings.audit.tenant = Some(part.name.clone());
    let owned = owned::of(root, &settings);
    settings.text = part.text.clone();
    let (name, text) = (Some(part.name.clone()), part.text.clone());
    Some(Compiled { name, text, settings, owned, places: addresses::places(root) })
}

/// Names of tenants are no paths: they have neither a slash nor are they a dot, behind this beginning.
fn state_folder(tenant: &str) -> String {
    format!("tenant-{tenant}")
}

/// What was decided and counted in a folder before there were tenants. Nobody would heed it any more.
const OF_BEFORE: [&str; 3] = ["blocks.json", "tokens", "patients"];

/// Reports that there is such a thing.
fn of_before(path: &Path, text: &str, parts: &Parts, folder: &Path) -> Vec<Diagnostic> {
    let there: Vec<_> = OF_BEFORE.into_iter().filter(|name| folder.join(name).exists()).collect();
    let Some(first) = parts.tenants.first().filter(|_| !there.is_empty()) else { return Vec::new() };
    let (folder, example) = (full(folder), folder.join(state_folder(&first.name)));
    let what =
        format!("is in a file with {folder} of before, where {} would count for nobody", there.join(", "));
    let remedy = format!(
        "stop dimsegate, and move them to the folder of the tenant whose they are, as {}, with patients its patients.key; or away",
        full(&example)
    );
    problem(path, text, &first.place, &what, &remedy)
}

/// Whoever runs the machine sees the whole file, and its files are looked after as one.
fn of_the_whole(path: &Path, text: &str, machine: &mut Settings, tenants: &[Settings]) {
    for tenant in tenants {
        machine.files.extend(tenant.files.iter().cloned());
        machine.watched.extend(tenant.watched.iter().map(|(file, stamp)| (file.clone(), *stamp)));
    }
    let mut seen = BTreeSet::new();
    machine.files.retain(|FileDigest { file, sha256, .. }| seen.insert((file.clone(), sha256.clone())));
    machine.text = text.into();
    machine.keys = Keys::of(text);
    machine.file_digest = digest_of(text);
    machine.digest = digest_in_force(path, &machine.file_digest, &machine.files);
}

/// What does not know tenants. It would show all of them to whoever may see one.
fn not_yet(root: &Section<'_>) {
    let remedy = "remove it, and write [tenant.admin] below each [[tenant]]: an interface of its own, with its metrics";
    let has_interface =
        root.table("admin").is_some_and(|admin| !admin.written(&["state-directory"]).is_empty());
    if has_interface {
        let problem = "does not know tenants yet, but for its state-directory";
        root.report.error(&root.place_of("admin"), problem, remedy);
    }
    if root.has("metrics") {
        root.report.error(&root.place_of("metrics"), "do not know tenants yet", remedy);
    }
}

/// What is wrong and risky in all of the texts.
#[derive(Default)]
struct Found {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Found {
    fn of<T>(&mut self, compiled: Result<(T, Vec<Diagnostic>), Diagnostics>) -> Option<T> {
        let (taken, errors, warnings) = match compiled {
            Ok((taken, warnings)) => (Some(taken), Vec::new(), warnings),
            Err(Diagnostics { errors, warnings }) => (None, errors, warnings),
        };
        self.errors.extend(errors);
        self.warnings.extend(warnings);
        taken
    }

    /// In the order of the file. What stands in the text of several is told once.
    fn into_problems(self) -> Diagnostics {
        let sorted = |mut found: Vec<Diagnostic>| {
            found.sort_by_key(|one| (one.line, one.column));
            found.dedup();
            found
        };
        let warnings = if self.errors.is_empty() { sorted(self.warnings) } else { Vec::new() };
        Diagnostics { errors: sorted(self.errors), warnings }
    }
}

/// A problem that shows only beside the text of another, at a place of this one.
pub(super) fn problem(
    path: &Path,
    text: &str,
    place: &Place,
    problem: &str,
    remedy: &str,
) -> Vec<Diagnostic> {
    let report = super::super::report::Report::new(path, text);
    report.error(place, problem, remedy);
    report.into_findings().0
}
