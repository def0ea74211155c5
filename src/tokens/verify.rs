//! A token held against its issuer.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::algorithm::Algorithm;
use super::claim::{Claim, moment, texts};
use super::compact::Compact;
use super::issuer::{AtEnd, Issuer};
use super::json::Object;
use super::key_set::NoKey;
use super::refused::{Refused, shown};
use super::taken::Once;
use crate::notation::hex;

/// Bytes of a user's name, of a `jti`, and of the name of a role.
const LONGEST_NAME: usize = 64;
const LONGEST_ID: usize = 256;
const LONGEST_ROLE: usize = 64;
/// Roles that are looked at.
const MOST_ROLES: usize = 200;

/// A token as somebody came with it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// In compact form.
    pub token: &'a [u8],
    /// What it is to be good for.
    pub purpose: Purpose<'a>,
    /// SHA-256 of the certificate of the connection, in lower-case hex.
    pub certificate: Option<&'a str>,
}

/// What somebody comes with a token for. It is good for one of them only: each has audiences of its own.
#[derive(Clone, Copy)]
pub enum Purpose<'a> {
    /// An association. In `aud` is one of the audiences of the issuer.
    Association {
        /// With this AE title, without the spaces around it.
        calling: &'a str,
        /// Audiences of the administration interface: none of these is in `aud`.
        interface: &'a [String],
    },
    /// The administration interface. In `aud` is no audience of the issuer.
    Administration {
        /// One of these is in `aud`.
        audience: &'a [String],
    },
}

impl Purpose<'_> {
    /// What it is for, and what it may not be for besides.
    fn audiences<'s>(&'s self, issuer: &'s Issuer) -> (&'s [String], &'s [String]) {
        match self {
            Self::Association { interface, .. } => (&issuer.audience, interface),
            Self::Administration { audience } => (audience, &issuer.audience),
        }
    }
}

/// What a token that was right says: the user, the roles, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Name of the issuer, a slash, and the name that the token has. No user of a file has a slash in their name.
    pub user: String,
    /// What the token calls roles, each once; most of them may be somebody else's.
    pub roles: Vec<String>,
    /// When associations end that it opened, where they have to.
    pub ends: Option<OffsetDateTime>,
    /// By what it is known again, where it is taken once.
    pub once: Option<Once>,
}

/// A refusal, and who is meant, where the signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// As in [`Bearer`].
    pub user: Option<String>,
    /// Why.
    pub refused: Refused,
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self { user: None, refused }
    }
}

/// Whom the token proves to come. It takes up to a millisecond: not for a thread of the runtime.
///
/// # Errors
/// The first condition that does not hold: form, issuer, algorithm, key and signature before anything that it says.
pub fn verify(
    issuers: &[Arc<Issuer>],
    presented: &Presented<'_>,
    now: OffsetDateTime,
) -> Result<Bearer, Failed> {
    let token = Compact::parse(presented.token)?;
    let issuer = issuer_of(issuers, &token.claims)?;
    signed(issuer, &token, now)?;
    // From here on it is what the issuer has said.
    let user = format!("{}/{}", issuer.name, name(issuer, &token.claims)?);
    match says(issuer, &token.claims, presented, now) {
        Ok((ends, once)) => {
            let roles = roles(issuer, &token.claims);
            Ok(Bearer { user, roles, ends: (issuer.at_end == AtEnd::End).then_some(ends), once })
        }
        Err(refused) => Err(Failed { user: Some(user), refused }),
    }
}

fn issuer_of<'i>(issuers: &'i [Arc<Issuer>], claims: &Object) -> Result<&'i Issuer, Refused> {
    let iss = claims.get("iss").ok_or(missing("iss"))?;
    let iss = iss.as_str().ok_or(wrong("iss", "is no string"))?;
    let found = issuers.iter().find(|issuer| issuer.issuer == iss);
    found.map(|issuer| &**issuer).ok_or_else(|| Refused::Issuer { found: shown(iss) })
}

/// Whether the issuer has signed it, in a way that it signs.
fn signed(issuer: &Issuer, token: &Compact<'_>, now: OffsetDateTime) -> Result<(), Refused> {
    let name = || issuer.name.to_string();
    let algorithm = Algorithm::named(&token.header.algorithm).filter(|one| issuer.algorithms.contains(one));
    let algorithm = algorithm
        .ok_or_else(|| Refused::Algorithm { found: shown(&token.header.algorithm), issuer: name() })?;
    let id = token.header.key.as_deref();
    let keys = issuer.keys.now(now).ok_or_else(|| Refused::NoKeys { issuer: name() })?;
    let key = keys.key(id, algorithm).map_err(|no_key| match no_key {
        NoKey::Unknown => {
            Refused::Key { found: id.map_or_else(|| "without a name".into(), shown), issuer: name() }
        }
        NoKey::Unnamed => Refused::KeyUnnamed { issuer: name() },
    })?;
    match key.verifies(algorithm, token.signed, &token.signature) {
        true => Ok(()),
        false => Err(Refused::Signature { issuer: name() }),
    }
}

/// Who it is; what could be mistaken for something else, where it is shown, is nobody's name.
fn name<'c>(issuer: &Issuer, claims: &'c Object) -> Result<&'c str, Refused> {
    let claim = &issuer.name_claim;
    let name = claim.of(claims).ok_or_else(|| missing(claim))?;
    let is_fit = |name: &&str| {
        let legal = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(legal)
    };
    let problem =
        "is no name: 1 to 64 letters, digits and signs of ASCII, without spaces, quotes and backslashes";
    name.as_str().filter(is_fit).ok_or_else(|| wrong(claim, problem))
}

/// Whether what it says fits whoever came with it, and now. When it ends, and by what it is known again.
fn says(
    issuer: &Issuer,
    claims: &Object,
    presented: &Presented<'_>,
    now: OffsetDateTime,
) -> Result<(OffsetDateTime, Option<Once>), Refused> {
    let audience = claims.get("aud").ok_or(missing("aud"))?;
    let audience = texts(audience).ok_or(wrong("aud", "is neither a string nor a list of strings"))?;
    let (own, others) = presented.purpose.audiences(issuer);
    let is_for = |audiences: &[String]| audience.iter().any(|one| audiences.iter().any(|own| own == one));
    match (is_for(own), is_for(others)) {
        (false, _) => return Err(Refused::Audience),
        (true, true) => return Err(Refused::Audiences),
        (true, false) => {}
    }
    let (ended, ends) = in_time(issuer, claims, now)?;
    if let Some(claim) =
        issuer.required_claims.iter().find(|claim| claim.of(claims).is_none_or(Value::is_null))
    {
        return Err(missing(claim));
    }
    if let (Some(claim), Purpose::Association { calling, .. }) =
        (&issuer.calling_ae_titles_claim, presented.purpose)
    {
        called(claim, claims, calling)?;
    }
    if issuer.bound_to_certificate {
        bound(claims, presented.certificate)?;
    }
    Ok((ends, once(issuer, claims, ended)?))
}

/// When it ends, as it says and with leeway, of one that is good now (RFC 7519 §4.1.4 to 4.1.6).
fn in_time(
    issuer: &Issuer,
    claims: &Object,
    now: OffsetDateTime,
) -> Result<(OffsetDateTime, OffsetDateTime), Refused> {
    let at = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => moment(value).map(Some).ok_or(wrong(name, "is no date in seconds since 1970")),
    };
    let ended = at("exp")?.ok_or(missing("exp"))?;
    let (begins, issued) = (at("nbf")?, at("iat")?);
    // Nothing is later than the last year of the calendar.
    let later = |moment: OffsetDateTime| moment.checked_add(leeway(issuer)).unwrap_or(moment);
    let ends = later(ended);
    if ends <= now {
        return Err(Refused::Ended(told(ended)));
    }
    if let Some(begin) = [begins, issued].into_iter().flatten().max().filter(|begin| *begin > later(now)) {
        return Err(Refused::NotYet(told(begin)));
    }
    // Without iat its life begins now, by a clock that may be behind.
    let (begin, slack) = issued.map_or((now, issuer.leeway), |issued| (issued, std::time::Duration::ZERO));
    match ended - begin > issuer.max_life.saturating_add(slack) {
        true => Err(Refused::TooLong { issuer: issuer.name.to_string() }),
        false => Ok((ended, ends)),
    }
}

fn leeway(issuer: &Issuer) -> time::Duration {
    time::Duration::try_from(issuer.leeway).unwrap_or_default()
}

fn called(claim: &Claim, claims: &Object, calling: &str) -> Result<(), Refused> {
    let titles = claim.of(claims).ok_or_else(|| missing(claim))?;
    let titles = texts(titles).ok_or_else(|| wrong(claim, "is neither a string nor a list of strings"))?;
    match titles.iter().any(|title| title.trim_matches(' ') == calling) {
        true => Ok(()),
        false => Err(Refused::CallingAeTitle { calling: calling.to_owned(), claim: claim.to_string() }),
    }
}

/// Whether the certificate of the connection is the one that it is bound to (RFC 8705 §3.1).
fn bound(claims: &Object, certificate: Option<&str>) -> Result<(), Refused> {
    let thumbprint = claims.get("cnf").and_then(|cnf| cnf.as_object()?.get("x5t#S256")?.as_str());
    let thumbprint =
        thumbprint.ok_or(Refused::Certificate("it is bound to no certificate (cnf, x5t#S256)"))?;
    let certificate = certificate
        .ok_or(Refused::Certificate("it is bound to a certificate, and the requestor showed none"))?;
    let bytes = URL_SAFE_NO_PAD.decode(thumbprint).unwrap_or_default();
    match hex::encode(&bytes) == certificate {
        true => Ok(()),
        false => Err(Refused::Certificate("it is bound to another certificate than that of the requestor")),
    }
}

fn once(issuer: &Issuer, claims: &Object, ended: OffsetDateTime) -> Result<Option<Once>, Refused> {
    let Some(id) = claims.get("jti") else { return Ok(None) };
    let id = id.as_str().filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    let id = id.ok_or(wrong("jti", "is no string of 1 to 256 bytes"))?;
    let hash = digest::digest(&digest::SHA256, format!("{}\0{id}", issuer.issuer).as_bytes());
    Ok(Some(Once::new(hash.as_ref(), ended)))
}

/// What cannot be the name of a role is left out, and so is what is said again.
fn roles(issuer: &Issuer, claims: &Object) -> Vec<String> {
    let all = issuer.roles_claim.of(claims).and_then(texts).unwrap_or_default();
    // In one string there may be several (RFC 6749 §3.3).
    let words = all.iter().flat_map(|text| text.split(' '));
    let mut roles: Vec<String> = Vec::new();
    for word in words.filter(|word| (1..=LONGEST_ROLE).contains(&word.len())).take(MOST_ROLES) {
        if !roles.iter().any(|role| role == word) {
            roles.push(word.to_owned());
        }
    }
    roles
}

fn told(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.unix_timestamp().to_string())
}

fn missing(claim: impl std::fmt::Display) -> Refused {
    wrong(claim, "is missing")
}

fn wrong(claim: impl std::fmt::Display, problem: &'static str) -> Refused {
    Refused::Claim { claim: claim.to_string(), problem }
}
