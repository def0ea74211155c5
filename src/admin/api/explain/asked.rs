//! Facts that somebody asks about.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::{Explanation, Said};
use super::replayed::gone;
use super::{InForce, Question, bad};
use crate::config::ListenerSettings;
use crate::http::Problem;
use crate::identity::printable;
use crate::policy::scope::Attribute;
use crate::policy::sop_class::sop_class_uid;
use crate::policy::{self, Factor, Factors, Facts, ProvenUser, TlsVersion, recognised};
use crate::relay::{Identified, Proven, assumed, borne, proven_by};
use crate::wire::associate::ProposedContext;
use crate::wire::{AeTitle, RawAeTitle};

/// SOP classes of one question.
const MOST_CLASSES: usize = 128;
/// What a requestor proposes nearly always.
const TRANSFER_SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];

/// The decision about them.
///
/// # Errors
/// A question that cannot be asked.
pub(super) fn of_facts(in_force: InForce<'_>, question: &Question) -> Result<Explanation, Problem> {
    let InForce { settings, blocks, .. } = in_force;
    let needed = |value: &Option<String>, name: &str| {
        value
            .clone()
            .ok_or_else(|| bad(format!("{name} is missing; give refusal, or the facts of an association")))
    };
    let name = needed(&question.listener, "listener")?;
    let address: IpAddr =
        needed(&question.from, "from")?.parse().map_err(|_| bad("from is no IP address"))?;
    let title = |value: &Option<String>, name: &str| -> Result<RawAeTitle, Problem> {
        let title = needed(value, name)?.parse::<AeTitle>();
        title.map(|title| title.to_raw()).map_err(|error| bad(format!("{name} {error}")))
    };
    let calling = title(&question.calling_ae_title, "calling-ae-title")?;
    let called = title(&question.called_ae_title, "called-ae-title")?;
    let contexts = contexts(&question.sop_classes)?;
    let study = study(&question.study)?;
    let (tls, now) = (tls(question)?, at(question)?);
    let listener = settings.listeners.iter().find(|listener| *listener.name == *name);
    let listener = listener.ok_or_else(|| bad(format!("no listener is called {name:?}")))?;
    let chain = question.certificate.as_deref().map(chain).transpose()?;
    if let Err(refusal) = in_force.admits(&listener.name, address, now) {
        return Ok(Explanation::refused(settings, refusal));
    }
    let proven = match proven_by(listener, chain.as_deref(), now) {
        Ok(proven) => proven,
        Err((refusal, _)) => return Ok(Explanation::refused(settings, refusal)),
    };
    let facts = Facts {
        listener: &listener.name,
        user: None,
        address: address.to_canonical(),
        certificate: proven.as_ref().map(|proven| &proven.certificate),
        tls: listener.tls.as_ref().map(|_| tls),
        authorities: proven.as_ref().map_or(&[], |Proven { authorities, .. }| authorities),
        calling: &calling,
        called: &called,
        contexts: &contexts,
        blocks,
        now,
    };
    let recognised = recognised(&settings.policy, &facts);
    // Also where it does not come to that: a question has to be right.
    let user = match &question.token {
        Some(_) if question.user.is_some() || question.factors.is_some() => {
            return Err(bad("a token says who it is: leave user and factors out"));
        }
        Some(token) => {
            let borne = borne(listener, settings, &facts, token.as_bytes()).map(Option::unzip);
            borne.map(|(user, once)| (user, once.flatten()))
        }
        None => user(in_force, listener, question, now)?.map(|user| (user, None)),
    };
    Ok(match recognised.and(user) {
        Ok((user, once)) => {
            let facts = Facts { user: user.as_ref(), ..facts };
            Explanation::decided(settings, &facts, once.as_ref(), &study)
        }
        Err(refusal) => Explanation::refused(settings, refusal),
    })
}

fn tls(question: &Question) -> Result<TlsVersion, Problem> {
    let Some(text) = &question.tls else { return Ok(TlsVersion::V1_3) };
    TlsVersion::of(text).ok_or_else(|| bad("tls is neither 1.2 nor 1.3"))
}

fn at(question: &Question) -> Result<OffsetDateTime, Problem> {
    let Some(text) = &question.at else { return Ok(OffsetDateTime::now_utc()) };
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| bad("at is no time of RFC 3339"))
}

/// The user of a question.
fn user(
    in_force: InForce<'_>,
    listener: &ListenerSettings,
    question: &Question,
    now: OffsetDateTime,
) -> Result<Result<Option<ProvenUser>, policy::Refusal>, Problem> {
    let Some(name) = &question.user else { return Ok(assumed(listener, None, now)) };
    let users = in_force.users.ok_or_else(|| bad("the configuration in force has no [users]"))?;
    let Some(user) = users.named(name) else { return Ok(Err(gone(&printable(name, 64)))) };
    let factor = |word: &String| Factor::named(word).ok_or_else(|| bad(format!("{word:?} is no factor")));
    let factors =
        question.factors.as_ref().map(|words| words.iter().map(factor).collect::<Result<Factors, _>>());
    let factors = factors.transpose()?.unwrap_or_else(|| Identified::of(&user).factors);
    Ok(assumed(listener, Some((&user, factors)), now))
}

/// What is said of the study, by attribute.
fn study(said: &BTreeMap<String, String>) -> Result<Said, Problem> {
    let one = |(keyword, value): (&String, &String)| {
        Attribute::named(keyword)
            .map(|attribute| (attribute, value.clone()))
            .map_err(|wrong| bad(format!("study: {wrong}")))
    };
    said.iter().map(one).collect()
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(bad("certificate holds no certificate in PEM")),
        Err(error) => Err(bad(format!("certificate holds no certificate in PEM: {error}"))),
    }
}

fn contexts(classes: &[String]) -> Result<Vec<ProposedContext>, Problem> {
    if classes.len() > MOST_CLASSES {
        return Err(bad(format!("an association proposes {MOST_CLASSES} SOP classes at the most")));
    }
    let context = |(class, number): (&String, u8)| {
        let uid = sop_class_uid(class)
            .ok_or_else(|| bad(format!("{class:?} is neither a UID nor a keyword such as CTImageStorage")))?;
        let transfer_syntaxes = TRANSFER_SYNTAXES.iter().filter_map(|uid| uid.parse().ok()).collect();
        Ok(ProposedContext {
            id: number.wrapping_mul(2).wrapping_add(1),
            abstract_syntax: uid,
            transfer_syntaxes,
        })
    };
    classes.iter().zip(0..=u8::MAX).map(context).collect()
}
