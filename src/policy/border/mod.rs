//! Where each end of a route is, and whether data may travel between them.
//!
//! A route is a peer and the upstream that it is led to. One that crosses a border needs an [`Agreement`] that is about it, holds
//! at this moment, and whose rewrite is applied; one that stays in a country needs it as soon as any agreement is about it, so that
//! it closes when that ends. A blocked country is reached by an authorization only.
//!
//! Countries are configured. Where only one end of a route has one, the route counts as one that crosses a border: nobody can say
//! that it does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Stated;
use crate::vocabulary::Reason;

mod agreement;
mod country;
#[cfg(test)]
mod tests;

use agreement::Fault;
pub use agreement::{Agreement, Mechanism};
pub use country::{Country, UnknownCountry};

/// Countries and agreements of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Borders {
    /// Of peers and upstreams that name none.
    pub home: Option<Country>,
    /// By the name of the peer.
    pub of_peers: BTreeMap<Arc<str>, Country>,
    /// By the name of the upstream.
    pub of_upstreams: BTreeMap<Arc<str>, Country>,
    /// Countries that nothing travels to or from without an authorization.
    pub blocked: Vec<Country>,
    agreements: Agreements,
}

/// In the order of the configuration, and whom each is about: there may be a thousand, and a decision looks at a few.
#[derive(Clone, Debug, Default)]
struct Agreements {
    all: Vec<Arc<Agreement>>,
    /// Of those that name peers.
    by_peer: BTreeMap<Arc<str>, Vec<usize>>,
    /// Of the others.
    by_upstream: BTreeMap<Arc<str>, Vec<usize>>,
}

impl Agreements {
    fn of(all: Vec<Arc<Agreement>>) -> Self {
        let (mut by_peer, mut by_upstream) = (BTreeMap::new(), BTreeMap::new());
        for (at, agreement) in all.iter().enumerate() {
            let (index, names): (&mut BTreeMap<Arc<str>, Vec<usize>>, _) = match agreement.peers.as_slice() {
                [] => (&mut by_upstream, &agreement.upstreams),
                _ => (&mut by_peer, &agreement.peers),
            };
            for name in names {
                index.entry(name.clone()).or_default().push(at);
            }
        }
        Self { all, by_peer, by_upstream }
    }
}

/// The two ends of a route; `None` where nobody has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Where the peer is.
    pub peer: Option<Country>,
    /// Where the upstream is.
    pub upstream: Option<Country>,
}

impl Ends {
    /// Whether data leaves a country, as far as is known.
    pub fn cross(self) -> bool {
        self.peer != self.upstream
    }

    /// Whether one of them is there.
    pub fn have(self, country: Country) -> bool {
        self.peer == Some(country) || self.upstream == Some(country)
    }
}

impl std::fmt::Display for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = |country: Option<Country>| country.map_or_else(|| "?".to_owned(), |one| one.to_string());
        write!(f, "from {} to {}", told(self.peer), told(self.upstream))
    }
}

impl Borders {
    /// Where both ends of a route are.
    pub fn ends(&self, peer: &str, upstream: &str) -> Ends {
        let of = |known: &BTreeMap<Arc<str>, Country>, name: &str| known.get(name).copied().or(self.home);
        Ends { peer: of(&self.of_peers, peer), upstream: of(&self.of_upstreams, upstream) }
    }

    /// With these agreements, and no country yet. No two of one route hold at the same time.
    pub fn of(agreements: Vec<Arc<Agreement>>) -> Self {
        Self { agreements: Agreements::of(agreements), ..Self::default() }
    }

    /// Every agreement, in the order of the configuration.
    pub fn agreements(&self) -> &[Arc<Agreement>] {
        &self.agreements.all
    }

    /// The agreements about a route: first those that name the peer.
    pub fn about<'b>(&'b self, peer: &'b str, upstream: &'b str) -> impl Iterator<Item = &'b Arc<Agreement>> {
        let Agreements { all, by_peer, by_upstream } = &self.agreements;
        let named = by_peer.get(peer).into_iter().chain(by_upstream.get(upstream)).flatten();
        named.filter_map(|at| all.get(*at)).filter(move |one| one.is_about(peer, upstream))
    }

    /// The agreements that would open a route, each in its time and with its rewrite; `None`: it is open without any.
    pub fn needed<'b>(&'b self, peer: &'b str, upstream: &'b str) -> Option<Vec<&'b Arc<Agreement>>> {
        let ends = self.ends(peer, upstream);
        let blocked = || self.blocked.iter().copied().filter(|country| ends.have(*country));
        let is_needed =
            ends.cross() || blocked().next().is_some() || self.about(peer, upstream).next().is_some();
        let opens = |one: &&Arc<Agreement>| opens(one, ends, blocked());
        let opening = || self.about(peer, upstream).filter(opens).collect();
        is_needed.then(opening)
    }

    fn blocked(&self, ends: Ends) -> Option<Country> {
        self.blocked.iter().copied().find(|country| ends.have(*country))
    }

    /// The agreement by which data may travel now; `None` where none is needed.
    ///
    /// # Errors
    /// The country is blocked, there is no agreement, or none that holds with what is rewritten.
    pub fn agreed(&self, route: &Route<'_>, at: OffsetDateTime) -> Result<Option<Arc<Agreement>>, Closed> {
        let Some(opening) = self.needed(route.peer, route.upstream) else { return Ok(None) };
        let mut nearest = None;
        for agreement in opening {
            match agreement.fault(route.rewrite, at) {
                None => return Ok(Some(agreement.clone())),
                Some(fault) => nearest = Some((agreement, fault)),
            }
        }
        let ends = self.ends(route.peer, route.upstream);
        Err(match (nearest, self.blocked(ends)) {
            (Some((agreement, fault)), _) => route.not_in_force(ends, agreement, fault),
            (None, Some(country)) => route.blocked(ends, country),
            (None, None) => route.missing(ends),
        })
    }
}

/// Whether an agreement is of the kind that the ends ask for. Of two blocked countries none opens: it is with one only.
fn opens(agreement: &Agreement, ends: Ends, mut blocked: impl Iterator<Item = Country>) -> bool {
    let is_authorization = agreement.mechanism == Mechanism::Authorization;
    let fits = match agreement.mechanism {
        Mechanism::Domestic => !ends.cross(),
        // It opens a blocked country within itself, too.
        Mechanism::Authorization => true,
        _ => ends.cross(),
    };
    fits && ends.have(agreement.country)
        && blocked.all(|country| is_authorization && agreement.country == country)
}

/// A route for which somebody asks.
#[derive(Clone, Copy, Debug)]
pub struct Route<'r> {
    /// Name of the peer.
    pub peer: &'r str,
    /// Name of its rewrite; `None` where data sets pass as they come.
    pub rewrite: Option<&'r str>,
    /// Name of the upstream that it is led to.
    pub upstream: &'r str,
}

/// Why a route is not open.
#[derive(Clone, Debug)]
pub struct Closed {
    /// As records call it.
    pub reason: Reason,
    /// The key of the agreement that says so, where one does.
    pub stated: Option<Stated>,
    /// What was found.
    pub detail: String,
    /// What would open it.
    pub remedy: String,
}

impl Route<'_> {
    fn closed(&self, ends: Ends, reason: Reason, found: &str, remedy: String) -> Closed {
        let detail = format!("peer \"{}\" and upstream \"{}\" ({ends}): {found}", self.peer, self.upstream);
        Closed { reason, stated: None, detail, remedy }
    }

    fn missing(&self, ends: Ends) -> Closed {
        let remedy = "add an [[agreement]] with both ends among its parties and the country of one of them, or correct their country";
        self.closed(ends, Reason::AgreementMissing, "no agreement is about this route", remedy.into())
    }

    fn blocked(&self, ends: Ends, country: Country) -> Closed {
        let found = format!("{country} is among blocked-countries, and no authorization is about this route");
        let remedy = format!(
            "nothing, unless an authority has permitted it: then an [[agreement]] with mechanism = \"authorization\" for {country}"
        );
        self.closed(ends, Reason::CountryBlocked, &found, remedy)
    }

    fn not_in_force(&self, ends: Ends, agreement: &Agreement, fault: Fault) -> Closed {
        let (found, remedy) = match fault {
            Fault::NotBegun => {
                (format!("begins {}", told(agreement.from, false)), "come again then".to_owned())
            }
            Fault::Ended => (
                format!("ended {}", told(agreement.until, true)),
                "agree anew, and add the new [[agreement]]".into(),
            ),
            Fault::OtherRewrite => self.other_rewrite(agreement.rewrite.as_deref().unwrap_or_default()),
        };
        let stated = agreement.keys.of(fault.key());
        let found = format!("agreement \"{}\" {found}", agreement.id);
        Closed { stated, ..self.closed(ends, Reason::AgreementNotInForce, &found, remedy) }
    }

    fn other_rewrite(&self, wanted: &str) -> (String, String) {
        let has = self.rewrite.map_or_else(|| "none".to_owned(), |name| format!("\"{name}\""));
        let found = format!("asks for rewrite \"{wanted}\", and the peer has {has}");
        (found, format!("write rewrite = \"{wanted}\" in peer \"{}\"", self.peer))
    }
}

/// What begins or ends at a moment, by its first or last day where that is midnight (UTC).
fn told(at: OffsetDateTime, last: bool) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second) = at.to_hms();
    match at.date().previous_day().filter(|_| last) {
        Some(day) if at.time() == time::Time::MIDNIGHT => format!("with {day} (UTC)"),
        _ => format!("on {} at {hour:02}:{minute:02}:{second:02} (UTC)", at.date()),
    }
}
