//! Who asks, and which role they have.

use std::net::SocketAddr;
use std::sync::Arc;

use super::groups::is_in;
use crate::audit::used::name_of;
use crate::config::{AdminAccess, AdminSettings};
use crate::http::{Caller, Source};
use crate::identity::Certificate;
use crate::tokens::Bearer;
use crate::users::AdminRole;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Who {
    /// Name of the user who logged in or has the token, of the account, or of who the certificate is of.
    pub user: String,
    pub by: By,
    /// Of the process at the other end of the socket.
    pub user_id: Option<u32>,
    pub process_id: Option<u32>,
    /// SHA-256 of the certificate.
    pub fingerprint: Option<String>,
    /// Where the connection comes from, if not from the socket.
    pub address: Option<SocketAddr>,
    pub role: Option<AdminRole>,
}

/// By what it is known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum By {
    /// A cookie of somebody who logged in.
    Session,
    /// A token of an issuer.
    Token,
    /// The process at the other end of the socket.
    Socket,
    /// What was shown in the handshake.
    Certificate,
    /// Nothing but where the connection comes from: this machine, or another one behind TLS, of which nothing is believed.
    Loopback,
}

impl By {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Socket => "socket",
            Self::Certificate => "certificate",
            Self::Loopback => "loopback",
        }
    }
}

/// In place of a name, where nothing says who it is.
const UNKNOWN: &str = "unknown";

impl Who {
    /// Of many who are not told apart.
    pub(super) fn anybody(by: By) -> Self {
        let user = UNKNOWN.to_owned();
        Self { user, by, user_id: None, process_id: None, fingerprint: None, address: None, role: None }
    }
}

/// What the accounts of this machine say.
pub(super) struct Accounts {
    /// The user that runs the proxy.
    pub own: u32,
    pub groups: String,
    pub name: Option<String>,
}

impl Accounts {
    /// Reads what is to be known about who asks. It waits for files.
    pub(super) fn about(caller: &Caller) -> Self {
        let own = rustix::process::geteuid().as_raw();
        match caller.source {
            Source::Unix { uid, .. } => {
                let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
                Self { own, groups, name: name_of(uid) }
            }
            Source::Address(_) => Self { own, groups: String::new(), name: None },
        }
    }
}

/// Who it is by what the connection proves. Where people can log in, or programs show tokens, being on this machine
/// alone is no role.
pub(super) fn who(caller: &Caller, admin: &AdminSettings, accounts: &Accounts, has_login: bool) -> Who {
    match caller.source {
        Source::Unix { uid, gid, pid } => Who {
            user: accounts.name.clone().unwrap_or_else(|| uid.to_string()),
            by: By::Socket,
            user_id: Some(uid),
            process_id: pid.and_then(|pid| u32::try_from(pid).ok()),
            fingerprint: None,
            address: None,
            role: of_account(admin, accounts, uid, gid),
        },
        Source::Address(address) => {
            let certificate = caller.certificate.as_ref();
            Who {
                user: certificate.map_or(UNKNOWN, |certificate| &certificate.subject).to_owned(),
                by: if certificate.is_some() { By::Certificate } else { By::Loopback },
                user_id: None,
                process_id: None,
                fingerprint: certificate.map(|certificate| certificate.fingerprint.clone()),
                address: Some(address),
                role: of_address(admin, certificate, address, has_login),
            }
        }
    }
}

fn of_account(admin: &AdminSettings, accounts: &Accounts, uid: u32, gid: u32) -> Option<AdminRole> {
    if admin.access.is_empty() {
        return (uid == 0 || uid == accounts.own).then_some(AdminRole::Administrator);
    }
    let name = accounts.name.as_deref();
    let fits = |access: &&AdminAccess| {
        let is_user = name.is_some_and(|name| access.users.iter().any(|user| user == name));
        is_user || access.groups.iter().any(|group| is_in(&accounts.groups, group, name, gid))
    };
    admin.access.iter().filter(fits).map(|access| access.role).max()
}

/// The role of whom a token proves.
pub(super) fn of_bearer(admin: &AdminSettings, bearer: &Bearer) -> Option<AdminRole> {
    let issuer = bearer.user.split('/').next().unwrap_or_default();
    let is_role = |text: &String| {
        text.split_once('/')
            .is_some_and(|(of, role)| of == issuer && bearer.roles.iter().any(|one| one == role))
    };
    let fits = |access: &&AdminAccess| {
        access.token_users.contains(&bearer.user) || access.token_roles.iter().any(is_role)
    };
    admin.access.iter().filter(fits).map(|access| access.role).max()
}

/// Without TLS nothing says who it is: on loopback, where alone that can be, whoever it is may look, unless people log in or
/// programs show tokens.
fn of_address(
    admin: &AdminSettings,
    certificate: Option<&Arc<Certificate>>,
    address: SocketAddr,
    has_login: bool,
) -> Option<AdminRole> {
    match certificate {
        Some(certificate) => {
            let fits = |access: &&AdminAccess| access.certificates.iter().any(|one| one.matches(certificate));
            admin.access.iter().filter(fits).map(|access| access.role).max()
        }
        None => {
            let is_here = !has_login && admin.tls.is_none() && address.ip().to_canonical().is_loopback();
            is_here.then_some(AdminRole::Viewer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Accounts, who};
    use crate::config::{AdminAccess, AdminListen, AdminSettings, ShownIdentifiers};
    use crate::http::{Caller, Source};
    use crate::users::AdminRole;
    use std::time::Duration;

    fn settings(access: Vec<AdminAccess>) -> AdminSettings {
        AdminSettings {
            listen: vec![AdminListen::Unix("admin.sock".into())],
            session_idle: Duration::from_secs(900),
            session_max: Duration::from_secs(3600),
            patient_identifiers: ShownIdentifiers::None,
            tls: None,
            access,
            audience: Vec::new(),
            fingerprint: String::new(),
            line: 1,
        }
    }

    fn access(role: AdminRole, users: &[&str], groups: &[&str]) -> AdminAccess {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        AdminAccess {
            role,
            users: owned(users),
            groups: owned(groups),
            certificates: Vec::new(),
            token_users: Vec::new(),
            token_roles: Vec::new(),
        }
    }

    fn role(admin: &AdminSettings, uid: u32, gid: u32, name: Option<&str>) -> Option<AdminRole> {
        let caller = Caller {
            source: Source::Unix { uid, gid, pid: Some(7) },
            certificate: None,
            own: None,
            has_tls: false,
        };
        let groups = "dicom:x:210:alice\n".to_owned();
        let accounts = Accounts { own: 500, groups, name: name.map(str::to_owned) };
        let who = who(&caller, admin, &accounts, true);
        assert_eq!((who.user_id, who.process_id), (Some(uid), Some(7)));
        who.role
    }

    #[test]
    fn without_rules_root_and_the_proxys_own_user_do_everything_and_nobody_else_anything() {
        let admin = settings(Vec::new());
        assert_eq!(role(&admin, 0, 0, Some("root")), Some(AdminRole::Administrator));
        assert_eq!(role(&admin, 500, 500, None), Some(AdminRole::Administrator));
        assert_eq!(role(&admin, 1000, 210, Some("alice")), None);
    }

    #[test]
    fn rules_say_who_and_the_highest_role_counts() {
        let rules = vec![
            access(AdminRole::Viewer, &[], &["dicom"]),
            access(AdminRole::Operator, &["alice", "bob"], &[]),
        ];
        let admin = settings(rules);
        assert_eq!(role(&admin, 1000, 1000, Some("alice")), Some(AdminRole::Operator));
        assert_eq!(role(&admin, 1001, 210, None), Some(AdminRole::Viewer));
        assert_eq!(role(&admin, 0, 0, Some("root")), None, "rules are the whole truth");
    }

    #[test]
    fn an_address_alone_lets_look_from_this_machine_and_no_more() {
        let of = |address: &str, has_login| {
            let caller = Caller {
                source: Source::Address(address.parse().unwrap()),
                certificate: None,
                own: None,
                has_tls: false,
            };
            let who = who(&caller, &settings(Vec::new()), &Accounts::about(&caller), has_login);
            (who.user, who.role)
        };
        assert_eq!(of("127.0.0.1:9", false), ("unknown".into(), Some(AdminRole::Viewer)));
        assert_eq!(of("127.0.0.1:9", true), ("unknown".into(), None), "whoever can log in has to");
        assert_eq!(of("192.0.2.1:9", false), ("unknown".into(), None));
    }
}
