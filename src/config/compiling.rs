//! From the text of a file to settings, or to everything that is wrong with it.

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
use super::listener::Listeners;
use super::names::Names;
use super::report::{Report, Used};
use super::section::Section;
use super::settings::{AdminSettings, Limits, Settings};
use super::share::Share;
use super::{
    admin, agreement, audit, automatic_blocks, backup, claims, descriptors, issuer, limits, listener, loops,
    metrics, notify, peer, policy, rewrite, role, spelling, syntax, upstream, users,
};
use crate::notation::hex;
use crate::policy::{Borders, Peer, Policy};
use crate::tls::FileDigest;

/// A configuration that can be put into force.
#[derive(Debug)]
pub struct Loaded {
    /// What the file says, with everything that it names read; of a file with tenants, what is none of theirs.
    pub settings: Settings,
    /// Each `[[tenant]]`, in the order of the file; none where there is none.
    pub tenants: Vec<TenantSettings>,
    /// What is risky in it, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// The configuration of one `[[tenant]]`.
#[derive(Clone, Debug)]
pub struct TenantSettings {
    /// What its part of the file says.
    pub settings: Arc<Settings>,
    /// How much is risky in that.
    pub risks: usize,
}

/// Whose settings are compiled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Whose {
    /// The whole file is one configuration.
    Everybody,
    /// A tenant's, with its share of what is counted.
    Tenant(Share),
    /// What is no tenant's: it has no listeners, peers or rules of its own.
    Machine,
}

impl Whose {
    fn share(self) -> Share {
        if let Self::Tenant(share) = self { share } else { Share::ALL }
    }

    fn listeners(self, root: &Section<'_>, upstreams: &Names) -> Listeners {
        if self == Self::Machine { Listeners::default() } else { listener::listeners(root, upstreams) }
    }

    /// What file descriptors tenants need is summed up elsewhere.
    fn limits(self, root: &Section<'_>, largest_frame: u64) -> Limits {
        let limits = limits::limits(root, largest_frame, self.share());
        if self == Self::Everybody {
            descriptors::risk(root, &limits.counts, descriptors::needed(&limits.counts));
        }
        limits
    }

    /// What the machine says there is where it keeps things.
    fn admin(self, root: &Section<'_>) -> Option<AdminSettings> {
        if self == Self::Machine { None } else { admin::admin(root) }
    }

    fn peers(self, root: &Section<'_>, known: &peer::Known<'_>) -> Vec<Arc<Peer>> {
        if self == Self::Machine { Vec::new() } else { peer::peers(root, known) }
    }

    /// SHA-256 of the text; of a tenant's without what moves it up and down in the file, which another one writes.
    fn digest(self, text: &str) -> String {
        if self == Self::Everybody {
            return digest_of(text);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        digest_of(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// What was taken, and what is risky in it.
pub(super) fn compile_with<T>(
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
pub(super) fn settings(path: &Path, text: &str, root: &Section<'_>, whose: Whose) -> Option<Settings> {
    let (log, records, notifications) = (audit::log(root), audit::audit(root), notify::targets(root));
    let (admin, upstreams) = (whose.admin(root), upstream::upstreams(root));
    let crosswalks = Crosswalks::read(root, |_| true);
    let rewrites = rewrite::rewrites(root, &crosswalks);
    let limits = whose.limits(root, rewrites.largest_frame());
    let (roles, consents) = (role::roles(root), Consents::read(root));
    let users = users::users(root, admin.as_ref(), &roles);
    let issuers = issuers(root, admin.as_ref());
    let listeners = whose.listeners(root, &upstreams.names);
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
    let policy = Arc::new(policy_of(root, whose, &known));
    let Used { keys: private_keys, files, ends } = root.report.take_used();
    let Records { settings: audit, destinations: forwarding, fingerprint: audit_fingerprint } = records?;
    let (file_digest, state_directory) = (whose.digest(text), admin::state_directory(root));
    Some(Settings {
        tenant: None,
        is_of_a_machine: whose == Whose::Machine,
        path: path.to_path_buf(),
        digest: digest_in_force(path, &file_digest, &files),
        file_digest,
        files,
        ends,
        private_keys,
        audit_fingerprint,
        text: text.into(),
        watched: root.report.take_watched(),
        keys: Keys::of(text),
        backup_recipients: backup::recipients(root, &state_directory),
        state_directory,
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
        metrics: metrics::metrics(root),
        listeners: listeners.compiled.into_iter().map(Arc::new).collect(),
        upstreams: upstreams.compiled,
        policy,
        automatic_blocks: automatic_blocks::automatic_blocks(root).map(Arc::new),
        open_associations: policy::open_associations(root),
        secret_fingerprints: rewrites.fingerprints,
        rewrites: rewrites.compiled,
        crosswalks: crosswalks.compiled,
        remembered: rewrites.remembered,
    })
}

/// Who may what, and where that leads.
fn policy_of(root: &Section<'_>, whose: Whose, known: &peer::Known<'_>) -> Policy {
    let peers = whose.peers(root, known);
    let borders = related(root, known, &peers);
    // The upstream of each, where no route names another.
    let listeners = known.listeners.compiled.iter().map(|one| (one.name.clone(), one.upstream.clone()));
    let (routes, roles) = (known.routes.to_vec(), known.roles.compiled.clone());
    Policy::new(peers, routes, listeners.collect(), roles).within(borders)
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

/// SHA-256, lower-case hex.
pub(super) fn digest_of(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// As [`Settings::digest`].
pub(super) fn digest_in_force(path: &Path, file_digest: &str, files: &[FileDigest]) -> String {
    if files.is_empty() {
        return file_digest.to_owned();
    }
    let line = |sha256: &str, file: &Path| format!("{sha256}  {}\n", file.display());
    let others = files.iter().map(|one| line(&one.sha256, &one.file));
    let lines: String = std::iter::once(line(file_digest, path)).chain(others).collect();
    digest_of(&lines)
}
