//! `[[issuer]]`: whose tokens prove who a user is (PS3.7 D.3.3.7, type 5).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;

use super::certificates;
use super::names::{NAME, Names};
use super::report::{Located, Wrong, values};
use super::section::Section;
use super::settings::{AdminSettings, ClientTls, KeyServer, ListenerSettings, UserIdentity};
use super::url::{self, Url};
use super::{suggest, tls};
use crate::files;
use crate::notation::hex;
use crate::tls::FileDigest;
use crate::tokens::{Algorithm, AtEnd, Claim, Fetched, Issuer, KeySet, Keys, LARGEST, MOST_LEEWAY};

const EXAMPLE: &str = "https://login.hospital.example/jwks";
/// Long enough for a server to be mended on a working day.
const MAX_AGE: Duration = Duration::from_secs(86_400);
const MAX_LIFE: Duration = Duration::from_secs(3600);
const LEEWAY: Duration = Duration::from_secs(30);
/// What somebody who has copied a token can use for longer than a day is as good as a passcode.
const LONG: Duration = Duration::from_secs(86_400);
/// Bytes of `iss` and `aud`.
const LONGEST: usize = 1024;

/// Every issuer without a problem; the others are reported.
pub(super) struct Issuers {
    pub names: Names,
    pub compiled: Vec<Arc<Issuer>>,
    /// Of those whose keys are fetched.
    pub servers: Vec<Arc<KeyServer>>,
}

impl Issuers {
    pub(super) fn read(root: &Section<'_>) -> Self {
        let names = Names::of("issuer", root);
        let mut issuers = Self { names, compiled: Vec::new(), servers: Vec::new() };
        for section in root.tables("issuer") {
            let name = issuers.names.define(&section);
            let Some((issuer, server)) = issuer(&section, name) else { continue };
            if let Some(other) = issuers.compiled.iter().find(|other| other.issuer == issuer.issuer) {
                let problem = format!("is that of issuer \"{}\" in line {}, too", other.name, other.line);
                let remedy = "write one [[issuer]] for it, with every audience";
                section.report.error(&section.place_of("issuer"), problem, remedy);
                continue;
            }
            risks(&section, &issuer);
            issuers.compiled.push(Arc::new(issuer));
            issuers.servers.extend(server.map(Arc::new));
        }
        issuers
    }
}

/// What the listeners make of them, and the administration interface.
pub(super) fn used(
    root: &Section<'_>,
    issuers: &Issuers,
    listeners: &[ListenerSettings],
    admin: Option<&AdminSettings>,
) {
    let looking: Vec<&ListenerSettings> =
        listeners.iter().filter(|listener| listener.user_identity != UserIdentity::Ignore).collect();
    // Whoever shows such a token at the interface is known by it there.
    let administers = |issuer: &str| admin.is_some_and(|admin| admin.names_issuer(issuer));
    for section in root.tables("issuer") {
        let issuer = issuers.compiled.iter().find(|issuer| Some(&*issuer.name) == section.called());
        if section.called().is_some_and(administers) {
            continue;
        }
        if looking.is_empty() && !listeners.is_empty() {
            let remedy = "write user-identity = \"accept\" in a [[listener]], or remove it";
            section.report.risk(
                &section.place,
                "has no effect: no listener looks at user identities",
                remedy,
            );
        } else if issuer.is_some_and(|issuer| issuer.bound_to_certificate)
            && !looking.iter().any(|listener| certificates::asks(listener))
        {
            let problem = "lets nobody in: no listener that looks at user identities asks for certificates";
            let remedy = "write client-authentication in its [listener.tls], or remove bound-to-certificate";
            section.report.risk(&section.place_of("bound-to-certificate"), problem, remedy);
        }
    }
}

fn issuer(section: &Section<'_>, name: Option<Arc<str>>) -> Option<(Issuer, Option<KeyServer>)> {
    section.require(&[
        NAME,
        ("issuer", "write what its tokens have in iss, as in \"https://login.hospital.example\""),
        ("audience", "write what its tokens for this proxy have in aud, as in \"dimsegate\""),
        ("algorithms", "list how it signs, as in [\"ES256\"]"),
        ("keys", "name the file with its JSON Web Key Set, or write where it is: \"https://…\""),
    ]);
    let iss = section.parsed("issuer", words);
    let audience = section.string_or_strings("audience");
    let audience = values(section.parse_all(audience, words));
    let algorithms = section.list("algorithms", algorithm).map(values).unwrap_or_default();
    let keys = keys(section, name.as_ref());
    let max_life = section.duration("max-life", MAX_LIFE);
    let leeway = leeway(section);
    let claim_or = |claim: Option<Located<Claim>>, default: &str| match claim {
        Some(claim) => Some(claim.value),
        None => Claim::at(default),
    };
    let required_claims = section.list("required-claims", claim).map(values).unwrap_or_default();
    let roles_claim = claim_or(section.parsed("roles-claim", claim), "roles");
    let name_claim = claim_or(section.parsed("name-claim", claim), "sub");
    let calling_ae_titles_claim = section.parsed("calling-ae-titles-claim", claim).map(|claim| claim.value);
    let bound_to_certificate = section.flag("bound-to-certificate").unwrap_or_default();
    let at_end = section.choice("at-end", &[("finish", AtEnd::Finish), ("end", AtEnd::End)]);
    let (keys, server) = keys?;
    let issuer = Issuer {
        name: name?,
        issuer: iss?.value,
        audience,
        algorithms,
        keys,
        max_life,
        leeway,
        required_claims,
        roles_claim: roles_claim?,
        name_claim: name_claim?,
        calling_ae_titles_claim,
        bound_to_certificate,
        at_end: at_end.unwrap_or_default(),
        line: section.line(),
    };
    has_keys_for_all(section, &issuer);
    Some((issuer, server))
}

/// Where its keys come from. `None` only after a problem was reported, or where it has no name.
fn keys(section: &Section<'_>, name: Option<&Arc<str>>) -> Option<(Keys, Option<KeyServer>)> {
    if !section.text("keys").is_some_and(|text| text.contains("://")) {
        let path = section.path("keys")?;
        let keys = key_set(section, &path)?;
        // Where there are none, they may have been meant to come from one.
        section.refuse(&["tls", "keys-max-age"], "goes with keys from a server only", "remove it");
        return Some((Keys::Read(keys), None));
    }
    let url = section.parsed("keys", secure)?.value;
    let max_age = section.duration("keys-max-age", MAX_AGE);
    let Some(table) = section.table("tls") else {
        if !section.has("tls") && !section.report.lacks("[issuer.tls]") {
            section.missing("tls", "write its tls table with ca, such as /etc/ssl/certs/ca-certificates.crt");
        }
        return None;
    };
    let ClientTls { settings, built } = tls::client(&table, std::slice::from_ref(&url.address))?;
    let source = format!("{} {}{settings:?}{:?}", url.authority, url.path, built.files);
    let keys = Arc::new(Fetched::new(source, max_age));
    let server = KeyServer {
        issuer: name?.clone(),
        address: url.address,
        authority: url.authority,
        path: url.path,
        tls: built.config,
        server_name: crate::tls::server_name(&settings).ok()?,
        keys: keys.clone(),
    };
    Some((Keys::Fetched(keys), Some(server)))
}

/// Whoever could change the keys on the way could let anybody in.
fn secure(text: &str) -> Result<Url, Wrong> {
    match text.starts_with("https://") {
        true => url::parse(text, EXAMPLE),
        false => {
            Err(Wrong::new(format!("{text:?} is not an https URL"), format!("write it as \"{EXAMPLE}\"")))
        }
    }
}

pub(super) fn words(text: &str) -> Result<String, Wrong> {
    match (1..=LONGEST).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err(Wrong::new("is empty, or longer than 1024 bytes", "write it as the tokens have it")),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, Wrong> {
    let names = || Algorithm::ALL.into_iter().map(Algorithm::name);
    Algorithm::named(text).ok_or_else(|| {
        let problem = match text.to_ascii_lowercase().as_str() {
            "none" => "\"none\" is no signature: anybody could write such a token".into(),
            hs if hs.starts_with("hs") => {
                format!("{text:?} is refused: whoever can verify such a token can write one")
            }
            _ => format!("{text:?} is no algorithm for signatures"),
        };
        let near = text.to_ascii_uppercase().starts_with("HS");
        let all = || format!("write one of {}", names().collect::<Vec<_>>().join(", "));
        Wrong::new(problem, if near { all() } else { suggest::or_list(text, names()) })
    })
}

fn claim(text: &str) -> Result<Claim, Wrong> {
    Claim::at(text).ok_or_else(|| {
        let remedy = "write its name, or the way to it, as in \"/realm_access/roles\"";
        Wrong::new(format!("{text:?} is the name of no claim"), remedy)
    })
}

fn leeway(section: &Section<'_>) -> Duration {
    let leeway = section.duration_or_zero("leeway", LEEWAY);
    if leeway > MOST_LEEWAY {
        let remedy = "write at most \"10m\", and set the clocks";
        section.report.error(&section.place_of("leeway"), "is longer than ten minutes", remedy);
    }
    leeway
}

fn key_set(section: &Section<'_>, path: &Located<PathBuf>) -> Option<Arc<KeySet>> {
    section.report.reads(&path.value);
    let shown = files::full(&path.value);
    let wrong = |problem: String| {
        let remedy = "write the JSON that jwks_uri of the issuer gives into it";
        section.report.error(&path.place, format!("{shown} {problem}"), remedy);
    };
    let bytes = files::read(&path.value, LARGEST + 1)
        .map_err(|error| wrong(format!("cannot be read: {error}")))
        .ok()?;
    let keys = KeySet::parse(&bytes).map_err(wrong).ok()?;
    let sha256 = digest::digest(&digest::SHA256, &bytes);
    let sha256 = hex::encode(sha256.as_ref());
    section.report.uses(&section.place, &[FileDigest { file: path.value.clone(), sha256 }], &[]);
    Some(Arc::new(keys))
}

fn has_keys_for_all(section: &Section<'_>, issuer: &Issuer) {
    let (with, without): (Vec<&Algorithm>, Vec<&Algorithm>) =
        issuer.algorithms.iter().partition(|algorithm| issuer.keys.may_have_for(**algorithm));
    let named: Vec<&str> = without.iter().map(|algorithm| algorithm.name()).collect();
    let place = section.place_of("algorithms");
    match (with.is_empty(), named.is_empty()) {
        (_, true) => {}
        (true, false) => {
            let problem = format!("lets no token be right: no key of the set is for {}", named.join(", "));
            section.report.error(&place, problem, "list how it signs, or take the right keys");
        }
        (false, false) => {
            let problem = format!("no key of the set is for {}", named.join(", "));
            section.report.risk(&place, problem, "list only how it signs");
        }
    }
}

fn risks(section: &Section<'_>, issuer: &Issuer) {
    let jti = Claim::at("jti");
    if !issuer.bound_to_certificate && !issuer.required_claims.iter().any(|claim| Some(claim) == jti.as_ref())
    {
        let problem = "lets whoever has copied a token use it until it ends, where it has no jti";
        let remedy = "write required-claims = [\"jti\"], or bound-to-certificate = true";
        section.report.risk(&section.place, problem, remedy);
    }
    if issuer.max_life > LONG {
        let problem = "lets tokens live for longer than a day";
        section.report.risk(&section.place_of("max-life"), problem, "write a shorter time, as in \"1h\"");
    }
}
