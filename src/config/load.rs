//! From a file to settings, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use toml::de::DeTable;

use super::audit::Records;
use super::consent::Consents;
use super::crosswalk::Crosswalks;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::issuer::Issuers;
use super::keys::Keys;
use super::names::Names;
use super::report::{Report, Used, values};
use super::section::Section;
use super::settings::{AdminListen, AdminSettings, ListenerSettings, LogFormat, Settings};
use super::{
    admin, agreement, audit, claims, issuer, limits, listener, loops, metrics, notify, peer, policy, rewrite,
    role, spelling, syntax, upstream, users,
};
use crate::files::looked_for;
use crate::notation::hex;
use crate::policy::{Borders, Peer, Policy};
use crate::tls::FileDigest;

/// Larger than any sensible configuration.
const MAX_FILE: u64 = 4 << 20;

/// A configuration that can be put into force.
#[derive(Debug)]
pub struct Loaded {
    /// What the file says, with everything that it names read.
    pub settings: Settings,
    /// What is risky in it, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

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
pub fn admin_listen(path: &Path) -> Result<Vec<AdminListen>, Diagnostics> {
    read_with(path, |root| match root.has("admin") {
        true => root.table("admin").and_then(|section| admin::places(&section)).map(values),
        false => Some(Vec::new()),
    })
}

/// As [`load`], from text that was read already.
pub(super) fn compile(path: &Path, text: &str) -> Result<Loaded, Diagnostics> {
    let (settings, warnings) = compile_with(path, text, |root| settings(path, text, &root))?;
    Ok(Loaded { settings, warnings })
}

/// Reads a file, and takes what is wanted of it. `take` gives `None` only after it has reported a problem.
///
/// # Errors
/// As [`load`]; what is in no table that `take` looks at is no problem, as long as it is TOML and every key is one of its
/// table. A key that is not may be one that `take` needs, misspelt or under the wrong header.
pub(super) fn read_with<T>(
    path: &Path,
    take: impl FnOnce(Section<'_>) -> Option<T>,
) -> Result<T, Diagnostics> {
    compile_with(path, &text_of(path)?, take).map(|(taken, _)| taken)
}

/// What was taken, and what is risky in it.
fn compile_with<T>(
    path: &Path,
    text: &str,
    take: impl FnOnce(Section<'_>) -> Option<T>,
) -> Result<(T, Vec<Diagnostic>), Diagnostics> {
    let report = Report::new(path, text);
    let (mut root, syntax_errors) = DeTable::parse_recoverable(text);
    // What a half-read file lacks would only be noise.
    let taken = if syntax_errors.is_empty() {
        spelling::mend(&report, root.get_mut());
        let root = Section::root(&report, root.get_ref());
        if root.choice("relative-to", &[("working-directory", false), ("file", true)]) == Some(true) {
            report.begin_paths_beside_the_file();
        }
        take(root)
    } else {
        syntax::report(&report, &mut root, &syntax_errors);
        None
    };
    let (errors, warnings) = report.into_findings();
    match taken {
        Some(taken) if errors.is_empty() => Ok((taken, warnings)),
        _ => Err(Diagnostics { errors, warnings }),
    }
}

/// Also held against what the interface says of their tokens.
fn issuers(root: &Section<'_>, admin: Option<&AdminSettings>) -> Issuers {
    let issuers = Issuers::read(root);
    admin::used(root, admin, &issuers);
    issuers
}

/// In the order in which things refer to each other.
fn settings(path: &Path, text: &str, root: &Section<'_>) -> Option<Settings> {
    let (log, records, notifications) = (audit::log(root), audit::audit(root), notify::targets(root));
    let (admin, upstreams) = (admin::admin(root), upstream::upstreams(root));
    let crosswalks = Crosswalks::read(root, |_| true);
    let rewrites = rewrite::rewrites(root, &crosswalks);
    let limits = limits::limits(root, rewrites.largest_frame());
    let (metrics, roles, consents) = (metrics::metrics(root), role::roles(root), Consents::read(root));
    let users = users::users(root, admin.as_ref(), &roles);
    let issuers = issuers(root, admin.as_ref());
    let listeners = listener::listeners(root, &upstreams.names);
    issuer::used(root, &issuers, &listeners.compiled, admin.as_ref());
    let routes = upstream::routes(root, &upstreams.names);
    let known = peer::Known {
        listeners: &listeners,
        upstreams: &upstreams,
        routes: &routes,
        roles: &roles,
        rewrites: &rewrites,
        consents: &consents,
    };
    let peers = peer::peers(root, &known);
    let borders = related(root, &known, &peers);
    let defaults = defaults(&listeners.compiled);
    let Used { keys: private_keys, files, ends } = root.report.take_used();
    let watched = root.report.take_watched();
    let Records { settings: audit, destinations: forwarding, fingerprint: audit_fingerprint } = records?;
    let file_digest = hex::encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    Some(Settings {
        path: path.to_path_buf(),
        digest: in_force(path, &file_digest, &files),
        file_digest,
        files,
        ends,
        private_keys,
        audit_fingerprint,
        text: text.into(),
        watched,
        keys: Keys::of(text),
        state_directory: admin::state_directory(root),
        log,
        admin,
        audit,
        forwarding,
        notifications,
        limits,
        limit_keys: limits::limit_keys(root),
        users,
        issuers: issuers.compiled,
        key_servers: issuers.servers,
        consents: consents.compiled,
        metrics,
        listeners: listeners.compiled.into_iter().map(Arc::new).collect(),
        upstreams: upstreams.compiled,
        policy: Arc::new(Policy::new(peers, routes, defaults, roles.compiled).within(borders)),
        open_associations: policy::open_associations(root),
        secret_fingerprints: rewrites.fingerprints,
        rewrites: rewrites.compiled,
        crosswalks: crosswalks.compiled,
        remembered: rewrites.remembered,
    })
}

/// The upstream of each listener, where no route names another.
fn defaults(listeners: &[ListenerSettings]) -> BTreeMap<Arc<str>, Option<Arc<str>>> {
    listeners.iter().map(|one| (one.name.clone(), one.upstream.clone())).collect()
}

/// Tells of what is risky in how things refer to each other; the borders between them.
fn related(root: &Section<'_>, known: &peer::Known<'_>, peers: &[Arc<Peer>]) -> Borders {
    loops::risks(root, &known.upstreams.addresses, &known.listeners.compiled);
    claims::risks(root, known, peers);
    unused(root, known, peers);
    agreement::borders(root, known, peers)
}

/// Tells of what is there for nothing.
fn unused(root: &Section<'_>, known: &peer::Known<'_>, peers: &[Arc<Peer>]) {
    let unused = |names: &Names, problem: &str, remedy: &str| {
        names.warn_of_unused(root.report, problem, remedy);
    };
    if root.has("issuer") {
        // Any of them may be in a token.
        for name in root.tables("role").iter().filter_map(Section::called) {
            known.roles.names.uses(name);
        }
    }
    unused(&known.roles.names, "no [[peer]] and no user has it", "write role = \"…\" in one, or remove it");
    let remedy = "write rewrite = \"…\" in one, or remove it if dimsegate rewrite is not to use it either";
    unused(&known.rewrites.names, "no [[peer]] has it", remedy);
    unused(&known.consents.names, "no [[peer]] asks it", "write consent = \"…\" in one, or remove it");
    let remedy = "write upstream = \"…\" in one of them, or remove it";
    unused(&known.upstreams.names, "no [[listener]], [[route]] or [[peer]] leads to it", remedy);
    let everywhere = peers.iter().any(|peer| peer.listeners.is_none());
    if !everywhere && !peers.is_empty() {
        let remedy = "add it to the listeners of one, or remove it";
        unused(&known.listeners.names, "no [[peer]] may use it", remedy);
    }
}

/// As [`Settings::digest`].
fn in_force(path: &Path, file_digest: &str, files: &[FileDigest]) -> String {
    if files.is_empty() {
        return file_digest.to_owned();
    }
    let line = |sha256: &str, file: &Path| format!("{sha256}  {}\n", file.display());
    let others = files.iter().map(|one| line(&one.sha256, &one.file));
    let lines: String = std::iter::once(line(file_digest, path)).chain(others).collect();
    hex::encode(digest::digest(&digest::SHA256, lines.as_bytes()).as_ref())
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
