//! `[[agreement]]`, and the countries that routes join.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, UtcOffset};

use super::consent;
use super::names::{fit, listed};
use super::peer::Known;
use super::report::{Located, Place, Wrong, values};
use super::role;
use super::section::Section;
use super::suggest;
use super::upstream::ae_pattern;
use crate::policy::{
    Agreement, Borders, Country, Ends, KeyLines, Mechanism, Operation, Peer, Queries, Role, SopClassSet,
    TransferSyntaxSet,
};

/// Characters of what an agreement says of itself.
const LONGEST_TEXT: usize = 200;
/// How long before its end an agreement is a risk.
const NOTICE: Duration = Duration::days(30);

/// An agreement, and where the configuration has it.
struct Placed {
    place: Place,
    until: Place,
    /// Of `consent`.
    consent: Place,
    agreement: Arc<Agreement>,
}

/// Everything about borders. `peers` are those that are sound.
pub(super) fn borders(root: &Section<'_>, known: &Known<'_>, peers: &[Arc<Peer>]) -> Borders {
    let policy = root.table("policy");
    let home = policy.as_ref().and_then(own_country);
    let blocked = policy.and_then(|policy| policy.list("blocked-countries", country)).map(values);
    let placed = agreements(root, known);
    let mut borders = Borders::of(placed.iter().map(|one| one.agreement.clone()).collect());
    (borders.home, borders.blocked) = (home, blocked.unwrap_or_default());
    (borders.of_peers, borders.of_upstreams) = (countries(root, "peer"), countries(root, "upstream"));
    // Of routes that are half read, nothing true could be said.
    let is_asked = !placed.is_empty()
        || !borders.of_peers.is_empty()
        || !borders.of_upstreams.is_empty()
        || !borders.blocked.is_empty();
    if is_asked && root.report.errors() == 0 {
        let routes = routes(known, peers);
        unused(root, &borders, &placed, &routes);
        overlapping(root, &borders, &placed, &routes);
        consents(root, &borders, &placed, &routes);
        closed(root, &borders, &routes);
    }
    ending(root, &placed);
    borders
}

fn countries(root: &Section<'_>, key: &'static str) -> BTreeMap<Arc<str>, Country> {
    let of = |section: &Section<'_>| Some((section.called()?.into(), own_country(section)?));
    root.tables(key).iter().filter_map(of).collect()
}

fn own_country(section: &Section<'_>) -> Option<Country> {
    section.parsed("country", country).map(|country| country.value)
}

fn country(text: &str) -> Result<Country, Wrong> {
    let remedy = || match suggest::nearest(text, Country::assigned()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "write its two letters, as in \"CH\"".into(),
    };
    text.parse().map_err(|error| Wrong::new(format!("{text:?} {error}"), remedy()))
}

fn agreements(root: &Section<'_>, known: &Known<'_>) -> Vec<Placed> {
    let mut ids: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let peers: BTreeSet<&str> = root.tables("peer").iter().filter_map(Section::called).collect();
    let upstreams: BTreeSet<&str> = root.tables("upstream").iter().filter_map(Section::called).collect();
    let parties = Parties { peers, upstreams };
    let sections = root.tables("agreement");
    sections.iter().filter_map(|section| agreement(section, &mut ids, &parties, known)).collect()
}

fn agreement(
    section: &Section<'_>,
    ids: &mut BTreeMap<Arc<str>, usize>,
    parties: &Parties<'_>,
    known: &Known<'_>,
) -> Option<Placed> {
    let before = section.report.errors();
    section.require(&[
        ("id", "write id = \"…\", by which records and partners call it"),
        ("parties", "list names of peers and upstreams, as in [\"lyon\", \"pacs\"]"),
        ("country", "write the two letters of the other party's country"),
        ("mechanism", "write what it rests on, as in \"scc\""),
        ("reference", "write where its text is: a number, a file"),
        ("purpose", "write what the data is for"),
        ("from", "write its first day, as in \"2026-01-01\""),
        ("until", "write its last day, as in \"2026-12-31\""),
    ]);
    let id = id(section, ids);
    let (peers, upstreams) = parties.of(section);
    let country = own_country(section);
    let mechanism = section.choice("mechanism", &Mechanism::ALL);
    let (reference, purpose) = (text(section, "reference"), text(section, "purpose"));
    let contact = text(section, "contact");
    let (from, until) = (section.parsed("from", first), section.parsed("until", last));
    let allows = allows(section);
    let rewrite = known.rewrites.names.refer(section, "rewrite").map(|name| name.value);
    if let (Some(from), Some(until)) = (&from, &until)
        && from.value >= until.value
    {
        section.report.error(&until.place, "is not behind from", "write its last day, or correct the first");
    }
    let consent = section.choice("consent", &[("required", true), ("not-required", false)]).unwrap_or(false);
    let consent_scope = consent::text(section, "consent-scope").map(Arc::from);
    if !consent && section.has("consent-scope") && section.is_sound("consent") {
        let place = section.place_of("consent-scope");
        let remedy = "write consent = \"required\" beside it, or remove it";
        section.report.risk(&place, "has no effect: patients do not have to consent", remedy);
    }
    let [until_place, consent_place] = ["until", "consent"].map(|key| section.place_of(key));
    if section.report.errors() != before {
        return None;
    }
    let agreement = Agreement {
        id: id?,
        line: section.line(),
        keys: section.lines_of(&["from", "until", "rewrite"]),
        peers,
        upstreams,
        country: country?,
        mechanism: mechanism?,
        reference: reference?,
        purpose: purpose?,
        contact,
        from: from?.value,
        until: until?.value,
        allows: Arc::new(allows),
        rewrite,
        consent,
        consent_scope,
    };
    let (place, agreement) = (section.place.clone(), Arc::new(agreement));
    Some(Placed { place, until: until_place, consent: consent_place, agreement })
}

fn id(section: &Section<'_>, ids: &mut BTreeMap<Arc<str>, usize>) -> Option<Arc<str>> {
    let id = section.parsed("id", fit)?;
    if let Some(line) = ids.get(&id.value) {
        let problem = format!("is taken by the agreement in line {line}");
        section.report.error(&id.place, problem, "give each its own id");
        return None;
    }
    ids.insert(id.value.clone(), section.line());
    Some(id.value)
}

fn text(section: &Section<'_>, key: &'static str) -> Option<Box<str>> {
    let read = |text: &str| {
        let is_fit = !text.trim().is_empty()
            && text.chars().count() <= LONGEST_TEXT
            && !text.chars().any(char::is_control);
        let wrong = || {
            let remedy = format!("write 1 to {LONGEST_TEXT} characters in one line");
            Wrong::new("is empty, too long or has a control character", remedy)
        };
        is_fit.then(|| text.into()).ok_or_else(wrong)
    };
    section.parsed(key, read).map(|text| text.value)
}

/// What may be a party.
struct Parties<'p> {
    peers: BTreeSet<&'p str>,
    upstreams: BTreeSet<&'p str>,
}

impl Parties<'_> {
    /// The peers and the upstreams among the parties. A name that both have is both.
    fn of(&self, section: &Section<'_>) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
        let named = section.strings("parties").unwrap_or_default();
        let is_known =
            |one: &Located<&str>| self.peers.contains(one.value) || self.upstreams.contains(one.value);
        for unknown in named.iter().filter(|one| !is_known(one)) {
            let problem = format!("no [[peer]] and no [[upstream]] is called {:?}", unknown.value);
            let names = self.peers.iter().chain(&self.upstreams).copied();
            section.report.error(&unknown.place, problem, suggest::or_list(unknown.value, names));
        }
        let among = |names: &BTreeSet<&str>| {
            named.iter().filter(|one| names.contains(one.value)).map(|one| one.value.into()).collect()
        };
        (among(&self.peers), among(&self.upstreams))
    }
}

/// The beginning of a day, or a moment.
fn first(text: &str) -> Result<OffsetDateTime, Wrong> {
    day(text).map_or_else(|| moment(text), |day| Ok(day.midnight().assume_utc()))
}

/// The end of a day, or a moment.
fn last(text: &str) -> Result<OffsetDateTime, Wrong> {
    let next = day(text).map(|day| day.next_day().unwrap_or(Date::MAX));
    next.map_or_else(|| moment(text), |day| Ok(day.midnight().assume_utc()))
}

fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

fn moment(text: &str) -> Result<OffsetDateTime, Wrong> {
    let remedy = "write a day (UTC), as in \"2026-12-31\", or a moment, as in \"2026-12-31T12:00:00+01:00\"";
    // One that is no moment in UTC could not be told.
    let told = OffsetDateTime::parse(text, &Rfc3339).ok().and_then(|at| at.checked_to_offset(UtcOffset::UTC));
    told.ok_or_else(|| Wrong::new(format!("{text:?} is no date"), remedy))
}

/// What it is about, as a role: any operation and class where it names none.
fn allows(section: &Section<'_>) -> Role {
    let operations = section.list("operations", role::operations).map(values);
    let operations: Option<Vec<Operation>> = operations.map(|lists| lists.into_iter().flatten().collect());
    let destinations = section.list("move-destinations", ae_pattern).map(values);
    let sop_classes = match section.has("sop-classes") {
        true => role::sop_classes(section),
        false => SopClassSet::all(),
    };
    Role {
        name: "agreement".into(),
        line: section.line(),
        keys: KeyLines::default(),
        operations: operations.unwrap_or_else(|| Operation::ALL.to_vec()),
        sop_classes,
        transfer_syntaxes: TransferSyntaxSet::all(),
        // What a C-MOVE sends goes past the proxy: to nobody whom the agreement does not name.
        move_destinations: Some(destinations.unwrap_or_default()),
        minimum_tls: None,
        hours: None,
        require: Default::default(),
        queries: Queries::default(),
    }
}

/// A peer and an upstream that it may be led to.
struct Route<'r> {
    peer: &'r Arc<Peer>,
    upstream: &'r Arc<str>,
}

fn routes<'r>(known: &'r Known<'r>, peers: &'r [Arc<Peer>]) -> Vec<Route<'r>> {
    let of = |peer: &'r Arc<Peer>| {
        let led_to = known.led_to(peer, &known.listeners.usable_by(peer)).into_iter();
        let names: BTreeMap<&'r str, &'r Arc<str>> = led_to.map(|one| (&*one.name, &one.name)).collect();
        names.into_values().map(move |upstream| Route { peer, upstream })
    };
    peers.iter().flat_map(of).collect()
}

/// One that no association can ever be under.
fn unused(root: &Section<'_>, borders: &Borders, placed: &[Placed], routes: &[Route<'_>]) {
    let mut about: BTreeMap<&str, Vec<Ends>> = BTreeMap::new();
    for Route { peer, upstream } in routes {
        let ends = borders.ends(&peer.name, upstream);
        for agreement in borders.about(&peer.name, upstream) {
            about.entry(&agreement.id).or_default().push(ends);
        }
    }
    for Placed { place, agreement, .. } in placed {
        let Some(ends) = about.get(&*agreement.id) else {
            let problem = "is about no route: no peer among its parties is led to an upstream among them";
            root.report.error(place, problem, "correct parties, or remove it");
            continue;
        };
        let (country, mechanism) = (agreement.country, agreement.mechanism);
        if !ends.iter().any(|ends| ends.have(country)) {
            let problem = format!("is with {country}, and none of its routes has an end there");
            root.report.error(
                place,
                problem,
                "write country = \"…\" in the peer or the upstream, or correct its own",
            );
        } else if mechanism != Mechanism::Authorization
            && !ends.iter().any(|ends| ends.cross() != (mechanism == Mechanism::Domestic))
        {
            let (what, remedy) = match mechanism {
                Mechanism::Domestic => ("crosses a border", "write what it rests on, as in \"scc\""),
                _ => ("stays in a country", "write mechanism = \"domestic\""),
            };
            root.report.error(place, format!("is \"{mechanism}\", and each of its routes {what}"), remedy);
        }
    }
}

/// Who needs the consent of patients needs somebody who knows of it.
fn consents(root: &Section<'_>, borders: &Borders, placed: &[Placed], routes: &[Route<'_>]) {
    let mut told: BTreeSet<(usize, usize)> = BTreeSet::new();
    for Route { peer, upstream } in routes {
        for agreement in borders.about(&peer.name, upstream).filter(|agreement| agreement.consent) {
            let asks = peer.consent.as_ref().map(|wanted| wanted.scope.as_deref());
            let asked = agreement.consent_scope.as_deref();
            let (problem, remedy) = match asks {
                None => (
                    "asks nobody".to_owned(),
                    "write consent = \"NAME\" of a [[consent]] in that [[peer]]".to_owned(),
                ),
                Some(own) if asked.is_some() && own != asked => {
                    let own = own.map_or("no consent-scope".into(), |own| format!("consent-scope = {own:?}"));
                    let asked = asked.unwrap_or_default();
                    (format!("has {own}"), format!("write consent-scope = {asked:?} in that [[peer]]"))
                }
                Some(_) => continue,
            };
            let place = placed.iter().find(|placed| placed.agreement.line == agreement.line);
            if let Some(place) = place.filter(|_| told.insert((agreement.line, peer.line))) {
                let problem =
                    format!("is required, and peer \"{}\" in line {} {problem}", peer.name, peer.line);
                root.report.error(&place.consent, problem, remedy);
            }
        }
    }
}

/// Nobody could say by which of two an association was opened.
fn overlapping(root: &Section<'_>, borders: &Borders, placed: &[Placed], routes: &[Route<'_>]) {
    let mut told: BTreeSet<(usize, usize)> = BTreeSet::new();
    for Route { peer, upstream } in routes {
        let mut about: Vec<&Arc<Agreement>> = borders.about(&peer.name, upstream).collect();
        about.sort_by_key(|agreement| agreement.line);
        for (at, one) in about.iter().enumerate() {
            let earlier = about.iter().take(at).find(|earlier| earlier.overlaps(one));
            let Some(earlier) = earlier.filter(|earlier| told.insert((earlier.line, one.line))) else {
                continue;
            };
            let problem = format!(
                "is about peer \"{}\" and upstream \"{upstream}\" at the same time as agreement \"{}\" in line {}",
                peer.name, earlier.id, earlier.line
            );
            if let Some(place) = placed.iter().find(|placed| placed.agreement.line == one.line) {
                root.report.error(
                    &place.place,
                    problem,
                    "let one end when the other begins, or name other parties",
                );
            }
        }
    }
}

fn ending(root: &Section<'_>, placed: &[Placed]) {
    let now = OffsetDateTime::now_utc();
    for Placed { until, agreement, .. } in placed {
        let id = &agreement.id;
        if agreement.until <= now {
            let problem = format!("is over: agreement \"{id}\" opens no route any more");
            root.report.risk(until, problem, "agree anew, and add the new one");
        } else if agreement.until - now < NOTICE {
            let problem = format!("is less than {} days away", NOTICE.whole_days());
            root.report.risk(until, problem, "agree anew, and add the new one from that day on");
        }
    }
}

/// Operations that a peer's role allows, and that nothing comes of under an agreement, with what says so.
fn left_out(agreement: &Agreement, peer: &Peer) -> Option<(String, String)> {
    let moves = Operation::CMove;
    let allows = |operation: &Operation| {
        peer.role.operations.contains(operation) && agreement.allows.operations.contains(operation)
    };
    if peer.two_way || agreement.rewrite.is_none() {
        let nowhere = agreement.allows.move_destinations.as_ref().is_some_and(Vec::is_empty);
        let problem =
            || format!("allows C-MOVE, and agreement \"{}\" names no move-destinations", agreement.id);
        return (nowhere && allows(&moves)).then(|| {
            (problem(), "write move-destinations in the [[agreement]], or leave C-MOVE out".into())
        });
    }
    let seen = peer.seen_by_rewrite();
    let unseen: Vec<&str> = (agreement.allows.operations.iter())
        .filter(|operation| allows(operation) && !seen(operation))
        .map(|operation| operation.name())
        .collect();
    let problem = || {
        let (id, unseen) = (&agreement.id, unseen.join(", "));
        format!("allows {unseen}, whose data the rewrite of agreement \"{id}\" does not see: refused")
    };
    let remedy = "write two-way = true in the peer, or leave them out of the role or the agreement";
    (!unseen.is_empty()).then(|| (problem(), remedy.into()))
}

/// What a requestor would be told first, told now.
fn closed(root: &Section<'_>, borders: &Borders, routes: &[Route<'_>]) {
    let now = OffsetDateTime::now_utc();
    let mut refused: BTreeMap<usize, (Vec<&str>, String, String)> = BTreeMap::new();
    let mut narrowed: BTreeMap<usize, (String, String)> = BTreeMap::new();
    for Route { peer, upstream } in routes {
        let closed = match borders.agreed(&peer.route_to(upstream), now) {
            Ok(agreement) => {
                let left_out = agreement.and_then(|agreement| left_out(&agreement, peer));
                narrowed.extend(left_out.map(|left_out| (peer.line, left_out)));
                continue;
            }
            Err(closed) => closed,
        };
        let (upstreams, _, _) = refused.entry(peer.line).or_insert_with(|| {
            (Vec::new(), format!("{}: {}", closed.reason, closed.detail), closed.remedy.clone())
        });
        upstreams.push(upstream);
    }
    for section in root.tables("peer") {
        if let Some((problem, remedy)) = narrowed.get(&section.line()) {
            root.report.risk(&section.place, format!("its role {problem}"), remedy.clone());
        }
        let Some((upstreams, why, remedy)) = refused.get(&section.line()) else { continue };
        let problem =
            format!("is refused whenever it is led to {}: {why}", listed(upstreams.iter().copied()));
        root.report.risk(&section.place, problem, remedy.clone());
    }
}
