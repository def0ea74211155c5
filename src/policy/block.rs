//! Whom an administrator has shut out while the proxy runs, for how long, and why.
//!
//! A block is a further condition of the one [decision](super::decide()): nothing that the configuration allows wins over it.
//! There may be ten thousand, and a decision asks an index for those that could be meant.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::one_site::of_one_site;
use super::peer::is_name;
use super::proven::{LONGEST_USER_NAME, is_user_name};
use super::refusal::Refusal;
use crate::identity::{Certificate, CertificateBinding};
use crate::vocabulary::Reason;
use crate::wire::AeTitle;

mod index;

use index::Index;

/// Whom a block shuts out: a kind and a value, as a command line has them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Blocked {
    /// A calling AE title, exact.
    AeTitle(AeTitle),
    /// Addresses, before TLS.
    Network(IpNet),
    /// A certificate or its key, whoever shows it. Its fingerprint only: what names are written in one, its holder chose.
    Certificate(CertificateBinding),
    /// A `[[peer]]`, by name.
    Peer(Arc<str>),
    /// A user who has proven to be one, by name.
    User(Arc<str>),
    /// The same, where they come from this address; from this /64 where it is of IPv6.
    UserAt(Arc<str>, IpAddr),
    /// An `[[agreement]]`, by id: every route that is open by it.
    Agreement(Arc<str>),
}

/// Why a text names nobody that could be blocked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockedError {
    /// What stands before the colon, or nothing does.
    #[error(
        "\"{0}\" is not what a block names: write ae-title:LYON_CT1, address:203.0.113.9, address:203.0.113.0/24, \
         certificate:sha256:…, certificate:spki-sha256:…, peer:lyon, user:anna, user:issuer/anna, user-at:203.0.113.9/anna or agreement:lyon-2026"
    )]
    Kind(String),
    /// What is wrong with the value.
    #[error("{kind}: \"{value}\" {problem}")]
    Value {
        /// What stands before the colon.
        kind: &'static str,
        /// What stands behind it.
        value: String,
        /// In words that go on from the value.
        problem: String,
    },
}

/// One thing that is shut out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Counted up, and never used again.
    pub id: u64,
    /// Who is shut out.
    pub of: Blocked,
    /// Until when; `None` is until it is taken back.
    pub until: Option<OffsetDateTime>,
    /// Why, in the words of whoever blocked.
    pub why: String,
    /// Who blocked.
    pub by: String,
    /// Since when.
    pub since: OffsetDateTime,
    /// Nobody decided on it: they were refused too often. An address is then shut out where it comes anew, and what was let in from
    /// there before goes on: it may be another's, behind the same address.
    pub automatic: bool,
}

/// All that is shut out.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    all: Vec<Block>,
    index: Index,
}

impl PartialEq for Blocks {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl Eq for Blocks {}

/// What is known of somebody who may be shut out.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Of the requestor, behind any load balancer.
    pub address: IpAddr,
    /// What TLS proved.
    pub certificate: Option<&'a Certificate>,
    /// The name of the user that it has proven to be.
    pub user: Option<&'a str>,
    /// As which it calls.
    pub calling: &'a AeTitle,
    /// The `[[peer]]` that it is.
    pub peer: &'a str,
}

impl Block {
    /// Whether it is in force at this moment.
    pub fn is_in_force(&self, now: OffsetDateTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// For people: whom, until when, by whom and why.
    pub fn told(&self) -> String {
        let until = match self.until.and_then(|until| until.format(&Rfc3339).ok()) {
            Some(until) => format!("until {until}"),
            None => "until it is taken back".into(),
        };
        format!("block {}: {} is blocked {until} by {}: {}", self.id, self.of, self.by, self.why)
    }

    /// The no to whoever it shuts out.
    pub fn refusal(&self) -> Refusal {
        Refusal {
            reason: Reason::Blocked,
            nearest: None,
            stated: None,
            detail: self.told(),
            remedy: format!("dimsegate unblock {}", self.id),
        }
    }
}

impl Blocks {
    /// Those in the order in which they were made.
    pub fn new(all: Vec<Block>) -> Self {
        let index = Index::over(&all);
        Self { all, index }
    }

    /// All of them, also those whose time is over.
    pub fn iter(&self) -> impl Iterator<Item = &Block> {
        self.all.iter()
    }

    /// The first that shuts an address out, before anything else is known.
    pub fn of_address(&self, address: IpAddr, now: OffsetDateTime) -> Option<&Block> {
        self.at(self.index.of_address(address, now))
    }

    /// The first that shuts somebody out. Those of agreements are asked once it is known by which a route is open.
    pub fn of(&self, known: &Known<'_>, now: OffsetDateTime) -> Option<&Block> {
        self.at(self.index.of(known, now))
    }

    /// The first that shuts out whoever comes by an agreement.
    pub fn of_agreement(&self, id: &str, now: OffsetDateTime) -> Option<&Block> {
        self.at(self.index.of_agreement(id, now))
    }

    fn at(&self, place: Option<usize>) -> Option<&Block> {
        self.all.get(place?)
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AeTitle(title) => write!(f, "ae-title:{title}"),
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                write!(f, "address:{}", network.addr())
            }
            Self::Network(network) => write!(f, "address:{network}"),
            Self::Certificate(binding) => write!(f, "certificate:{binding}"),
            Self::Peer(name) => write!(f, "peer:{name}"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::UserAt(name, address) => write!(f, "user-at:{address}/{name}"),
            Self::Agreement(id) => write!(f, "agreement:{id}"),
        }
    }
}

impl FromStr for Blocked {
    type Err = BlockedError;

    fn from_str(text: &str) -> Result<Self, BlockedError> {
        let no_kind = || BlockedError::Kind(crate::wire::escape(text.as_bytes()));
        let (kind, value) = text.split_once(':').ok_or_else(no_kind)?;
        let wrong = |kind, problem: String| BlockedError::Value {
            kind,
            value: crate::wire::escape(value.as_bytes()),
            problem,
        };
        match kind {
            "ae-title" => value
                .parse()
                .map(Self::AeTitle)
                .map_err(|_| wrong("ae-title", "is no AE title (PS3.5 §6.2)".into())),
            "address" => {
                network(value).map(Self::Network).map_err(|problem| wrong("address", problem.into()))
            }
            "certificate" => {
                certificate(value).map(Self::Certificate).map_err(|problem| wrong("certificate", problem))
            }
            "peer" if is_name(value) => Ok(Self::Peer(value.into())),
            "peer" => Err(wrong(
                "peer",
                "is no name: those of peers are 1 to 64 letters, digits, dots, hyphens and underscores"
                    .into(),
            )),
            "user" if names_a_user(value) => Ok(Self::User(value.into())),
            "user" => Err(wrong(
                "user",
                "is no name: those of users are 1 to 64 letters, digits and . _ - @ +, behind the name of an issuer and a slash \
                 for those of tokens"
                    .into(),
            )),
            "user-at" => match at_an_address(value) {
                Some((name, address)) => Ok(Self::UserAt(name, address)),
                None => Err(wrong("user-at", "is no address, a slash, and the name of a user".into())),
            },
            "agreement" if is_name(value) => Ok(Self::Agreement(value.into())),
            "agreement" => Err(wrong(
                "agreement",
                "is no id: those of agreements are 1 to 64 letters, digits, dots, hyphens and underscores"
                    .into(),
            )),
            _ => Err(no_kind()),
        }
    }
}

/// A user of the file, or the name of an issuer, a slash, and the name that a token of it has (`tokens::Bearer`).
fn names_a_user(text: &str) -> bool {
    let Some((issuer, name)) = text.split_once('/') else { return is_user_name(text) };
    let legal = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
    is_name(issuer) && (1..=LONGEST_USER_NAME).contains(&name.len()) && name.bytes().all(legal)
}

fn at_an_address(text: &str) -> Option<(Arc<str>, IpAddr)> {
    let (address, name) = text.split_once('/')?;
    let address = address.parse().ok().filter(|_| names_a_user(name))?;
    Some((name.into(), of_one_site(address)))
}

/// Addresses as they are looked at, where one of IPv4 is that, also as it is written in IPv6 (RFC 4291 §2.5.5.2).
fn network(text: &str) -> Result<IpNet, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let network = text.parse::<IpNet>().map_err(|_| "is neither an address nor a network")?.trunc();
    let IpAddr::V6(first) = network.addr() else { return Ok(network) };
    if let (IpAddr::V4(first), Some(length)) = (first.to_canonical(), network.prefix_len().checked_sub(96)) {
        return IpNet::new(first.into(), length).map_err(|_| "is no network");
    }
    if network.contains(&IpAddr::from(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped())) {
        return Err(
            "holds addresses of IPv4 as IPv6 writes them, which are looked at as IPv4: write those as a \
                    network of IPv4, and the others as networks without ::ffff:0:0/96",
        );
    }
    Ok(network)
}

fn certificate(text: &str) -> Result<CertificateBinding, String> {
    match text.parse::<CertificateBinding>() {
        Ok(binding) if binding.needs_no_names() => Ok(binding),
        Ok(_) => {
            Err("is a name, which the holder of a certificate may have chosen: write its fingerprint".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
