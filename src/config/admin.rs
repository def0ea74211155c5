//! `[admin]`: where the administration interface listens, and who may do what there.

mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(super) use tokens::used;

use super::peer::binding;
use super::report::{Located, Wrong, values};
use super::section::Section;
use super::settings::{AdminAccess, AdminListen, AdminSettings, ServerTls, ShownIdentifiers};
use super::tls;
use crate::tls::ClientAuthentication;
use crate::users::AdminRole;

/// Bytes of a path that the system takes for a socket (unix(7)).
const LONGEST_PATH: usize = 107;

/// Keys that a reload takes into force; others wait for a restart. Whether there is a `tls` does too.
const FOLLOWED: [&str; 6] =
    ["access", "audience", "patient-identifiers", "session-idle", "session-max", "tls"];

const SESSION_IDLE: Duration = Duration::from_secs(15 * 60);
const SESSION_MAX: Duration = Duration::from_secs(8 * 3600);

const LISTEN: &str = "write \"unix:/run/dimsegate/admin.sock\" or \"127.0.0.1:8765\"";

/// `None` where there is none, or after a problem was reported.
pub(super) fn admin(root: &Section<'_>) -> Option<AdminSettings> {
    let section = root.table("admin")?;
    let before = section.report.errors();
    let listens = places(&section);
    let (session_idle, session_max) = sessions(&section);
    let choices = [("none", ShownIdentifiers::None), ("as-recorded", ShownIdentifiers::AsRecorded)];
    let patient_identifiers = section.choice("patient-identifiers", &choices).unwrap_or_default();
    // Where only its header is missing, that was told.
    let has_tls = section.has("tls") || section.report.lacks("[admin.tls]");
    let tls = section.table("tls").and_then(|table| tls::server(&table));
    let fingerprint = format!("{}{has_tls}", section.written(&FOLLOWED));
    let access: Vec<AdminAccess> =
        section.tables("access").iter().filter_map(|one| access(one, has_tls)).collect();
    let audience = tokens::audience(&section);
    // People log in, and programs show tokens, where nothing else says who they are.
    let has_login =
        root.has("users") || root.report.lacks("[users]") || access.iter().any(AdminAccess::is_of_tokens);
    if let Some(listens) = &listens {
        let known_by = KnownBy { tls: tls.as_ref(), has_tls, has_login };
        listens.iter().for_each(|listen| known(&section, listen, &known_by));
        useless(&section, listens, &known_by, &access);
    }
    let is_sound = section.report.errors() == before;
    listens.filter(|_| is_sound).map(|listens| AdminSettings {
        listen: values(listens),
        session_idle,
        session_max,
        patient_identifiers,
        tls,
        access,
        audience,
        fingerprint,
        line: section.line(),
    })
}

/// Where it listens: one or more. `None` after a problem was reported.
pub(super) fn places(section: &Section<'_>) -> Option<Vec<Located<AdminListen>>> {
    // Where only its header is wrong, that was told.
    if !section.report.lacks("[admin]") {
        section.require(&[("listen", LISTEN)]);
    }
    let before = section.report.errors();
    let texts = section.string_or_strings("listen");
    let listens = section.parse_all(texts, |text| listen(section, text));
    for (index, one) in listens.iter().enumerate() {
        // Port 0 is another one each time.
        let is_fixed = !matches!(one.value, AdminListen::Tcp(address) if address.port() == 0);
        if is_fixed && listens.iter().take(index).any(|other| other.value == one.value) {
            section.report.error(&one.place, "is listed twice", "remove one");
        }
    }
    (!listens.is_empty() && section.report.errors() == before).then_some(listens)
}

/// How long a session lives without a request, and at most.
fn sessions(section: &Section<'_>) -> (Duration, Duration) {
    let idle = section.duration("session-idle", SESSION_IDLE);
    let max = section.duration("session-max", SESSION_MAX);
    if section.has("session-idle") && idle > max && section.is_sound("session-max") {
        section.report.error(
            &section.place_of("session-idle"),
            "a session would end before it is idle for so long",
            "write one that is not longer than session-max",
        );
    }
    (idle, max)
}

/// Where it is kept what outlives a restart. Also where there is no interface now: what was decided stays so.
pub(super) fn state_directory(root: &Section<'_>) -> PathBuf {
    let named = root.table("admin").and_then(|section| section.path("state-directory"));
    named.map_or_else(|| root.report.resolved("state"), |path| path.value)
}

fn listen(section: &Section<'_>, text: &str) -> Result<AdminListen, Wrong> {
    if let Some(path) = text.strip_prefix("unix:") {
        if path.is_empty() || path.contains('\0') {
            return Err(Wrong::new(format!("{text:?} names no file"), LISTEN));
        }
        let path = section.report.resolved(path);
        let bytes = path.as_os_str().len();
        if bytes > LONGEST_PATH {
            let problem = format!("the path of a socket has {LONGEST_PATH} bytes at most, this has {bytes}");
            return Err(Wrong::new(problem, "choose a shorter one"));
        }
        return Ok(AdminListen::Unix(path));
    }
    let wrong = |_| Wrong::new(format!("{text:?} is neither a socket nor an address with a port"), LISTEN);
    text.parse::<SocketAddr>().map(AdminListen::Tcp).map_err(wrong)
}

fn access(section: &Section<'_>, has_tls: bool) -> Option<AdminAccess> {
    let before = section.report.errors();
    section.require(&[("role", "write \"viewer\", \"operator\" or \"administrator\"")]);
    let roles = AdminRole::ALL.map(|role| (role.name(), role));
    let role = section.choice("role", &roles);
    let users = section.list("unix-users", name).map(values).unwrap_or_default();
    let groups = section.list("unix-groups", name).map(values).unwrap_or_default();
    let certificates = section.list("certificates", binding).map(values).unwrap_or_default();
    let token_users = section.list("token-users", tokens::of_issuer).map(values).unwrap_or_default();
    let token_roles = section.list("token-roles", tokens::of_issuer).map(values).unwrap_or_default();
    let names = ["unix-users", "unix-groups", "certificates", "token-users", "token-roles"];
    if names.iter().all(|key| !section.has(key)) && section.has("role") {
        let remedy = "list unix-users, unix-groups, certificates, token-users or token-roles, or remove it";
        section.report.error(&section.place, "says of nobody that this is their role", remedy);
    }
    if section.has("certificates") && !has_tls {
        let problem = "never match: without [admin.tls] nobody shows a certificate";
        section.report.risk(&section.place_of("certificates"), problem, "add an [admin.tls], or remove them");
    }
    let is_sound = section.report.errors() == before;
    role.filter(|_| is_sound).map(|role| AdminAccess {
        role,
        users,
        groups,
        certificates,
        token_users,
        token_roles,
    })
}

/// How it can be known who asks.
struct KnownBy<'t> {
    tls: Option<&'t ServerTls>,
    has_tls: bool,
    /// People of `[users]` log in, or programs show tokens.
    has_login: bool,
}

/// Reports an address at which nobody can be known.
fn known(section: &Section<'_>, listen: &Located<AdminListen>, by: &KnownBy<'_>) {
    let AdminListen::Tcp(address) = listen.value else { return };
    let asks = |tls: &ServerTls| tls.settings.client_authentication != ClientAuthentication::Off;
    // What is wrong with the table was reported.
    let asks = by.has_tls && by.tls.is_none_or(asks);
    let is_loopback = address.ip().to_canonical().is_loopback();
    // Over plain HTTP a passcode would be everybody's on the way.
    if asks || (by.has_login && (by.has_tls || is_loopback)) {
        return;
    }
    if !is_loopback {
        let problem =
            format!("{address} would let whoever reaches it administer the proxy: nothing says who it is");
        let remedy = "listen on a Unix socket or a loopback address, or add an [admin.tls] with client-ca, with [users], or with token-users or token-roles";
        section.report.error(&listen.place, problem, remedy);
    } else {
        let problem = "lets every user and program of this machine look, and nobody do anything: nothing says who it is";
        let remedy = "listen on a Unix socket, add [users] who log in, token-users or token-roles, or an [admin.tls] with client-ca";
        section.report.risk(&listen.place, problem, remedy);
    }
}

/// Tells of what has no effect, and of rules that cannot fit anybody.
fn useless(
    section: &Section<'_>,
    listens: &[Located<AdminListen>],
    by: &KnownBy<'_>,
    access: &[AdminAccess],
) {
    let is_address = |listen: &Located<AdminListen>| matches!(listen.value, AdminListen::Tcp(_));
    let (has_address, has_socket) = (listens.iter().any(is_address), !listens.iter().all(is_address));
    if by.has_tls && !has_address {
        let problem = "has no effect: a socket knows who connects to it, and nobody else can read it";
        section.report.risk(&section.place_of("tls"), problem, "remove it, or listen on an address");
    }
    let shows = access.iter().any(|one| !one.certificates.is_empty());
    if has_address && by.has_tls && !by.has_login && !shows {
        let problem = "lets nobody in: no [[admin.access]] says whose certificate has which role";
        section.report.risk(&section.place, problem, "add one for each role");
    }
    let of_socket = access.iter().any(|one| !one.users.is_empty() || !one.groups.is_empty());
    if of_socket && !has_socket {
        let problem =
            "has unix-users or unix-groups that never match: an address does not tell whose process connects";
        section.report.risk(&section.place_of("access"), problem, "list certificates, or listen on a socket");
    }
}

fn name(text: &str) -> Result<String, Wrong> {
    match text.is_empty() || text.contains([':', ',', '\n']) {
        true => {
            Err(Wrong::new(format!("{text:?} is no name of a user or group"), "write one as in /etc/passwd"))
        }
        false => Ok(text.to_owned()),
    }
}
