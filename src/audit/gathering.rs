//! Refusals of one minute, gathered: the first of a kind is a record of its own, those that are like it are counted, and one
//! record tells of them when the minute is over. So whoever can be refused cannot fill a disk.
//!
//! Whoever is let in can fill it too. What it may cost is a decision of each operation:
//!
//! - A C-ECHO asks for nothing and moves nothing, and an echo that follows a hundred within a minute says no more than its
//!   number: those are counted as refused operations are, each association and outcome for itself.
//! - Every other operation that is allowed is a record, however many there are: which object was stored, what was looked for
//!   and retrieved is what a record is there for. How fast a peer may go is its `operations-per-second`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Direction, Event, Operation, Requestor};

/// Kinds that are told apart, all addresses together. Beyond them, refusals are counted by their reason alone.
const MOST: usize = 256;
/// Kinds of one address that are told apart by their calling AE title or certificate.
const MOST_OF_SITE: u32 = 16;
/// Refused operations of a peer that have a record each, and as many C-ECHOs.
const OPERATIONS_OF_PEER: u32 = 100;
/// Kinds of operations that are counted, all associations together. Beyond them only closing records count what was refused.
const MOST_OF_OPERATIONS: usize = 4096;

/// What was refused since the last minute ended.
#[derive(Debug, Default)]
pub struct Gathering {
    kinds: HashMap<Kind, More>,
    /// Kinds of each address.
    of_site: HashMap<IpAddr, u32>,
    operations: HashMap<OfOperation, More>,
    /// Refused operations of each peer that had a record of their own, and its C-ECHOs.
    refused_of: HashMap<Arc<str>, u32>,
    echoes_of: HashMap<Arc<str>, u32>,
}

/// Refusals that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// Of one address, or of an IPv6 network of 64 bits, under one calling AE title or with one certificate, and of one user.
    Site { site: IpAddr, reason: Cow<'static, str>, who: Option<Who> },
    /// Of more addresses than are told apart.
    Anybody { reason: Cow<'static, str> },
}

/// Calling AE title, or fingerprint of the certificate, and the user that was named.
type Who = (String, Option<String>);

fn who(requestor: &Requestor) -> Who {
    let user = requestor.identified.as_ref().map(|identified| identified.user.clone());
    (requestor.calling_ae_title.clone(), user)
}

/// Operations that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OfOperation {
    association: Arc<str>,
    operation: Cow<'static, str>,
    direction: Direction,
    reason: Option<Cow<'static, str>>,
    status: Option<u16>,
}

/// Those behind the first.
#[derive(Debug, Default)]
struct More {
    count: u64,
    last: Option<Event>,
}

impl OfOperation {
    fn of(operation: &Operation) -> Self {
        Self {
            association: operation.association.clone(),
            operation: operation.operation.clone(),
            direction: operation.direction,
            reason: operation.reason.clone(),
            status: operation.status,
        }
    }
}

/// Whether a peer has had fewer than have a record each; counts one more.
fn is_among_the_first(of_peer: &mut HashMap<Arc<str>, u32>, peer: &Arc<str>) -> bool {
    match of_peer.get_mut(peer) {
        Some(count) if *count >= OPERATIONS_OF_PEER => false,
        Some(count) => {
            *count += 1;
            true
        }
        None => of_peer.insert(peer.clone(), 1).is_none(),
    }
}

impl More {
    fn add(&mut self, event: Event) {
        self.count += 1;
        self.last = Some(event);
    }

    fn gathered(self, anybody: bool) -> Option<Event> {
        Some(self.last?.gathered(self.count, anybody))
    }
}

impl Gathering {
    /// Takes in that a connection or a request for an association was refused. Gives it back where it is to be recorded now,
    /// which without `room` it never is.
    pub fn take(&mut self, site: IpAddr, event: Event, room: bool) -> Option<Event> {
        let (reason, who) = match &event {
            Event::ConnectionRefused(refused) => {
                let shown = refused.certificate.as_ref().map(|shown| shown.fingerprint.clone());
                (refused.reason.clone(), shown.map(|shown| (shown, None)))
            }
            Event::AssociationRejected(rejected) => (rejected.reason.clone(), Some(who(&rejected.requestor))),
            // In which the policy left nothing to do.
            Event::AssociationClosed(closed) => {
                let reason = closed.label().unwrap_or_default().to_owned().into();
                (reason, Some(who(&closed.requestor)))
            }
            _ => return Some(event),
        };
        let kind = self.kind(Kind::Site { site, reason: reason.clone(), who }, site, reason);
        if let Some(more) = self.kinds.get_mut(&kind) {
            more.add(event);
            return None;
        }
        if matches!(kind, Kind::Site { .. }) {
            *self.of_site.entry(site).or_default() += 1;
        }
        let more = self.kinds.entry(kind).or_default();
        if room {
            return Some(event);
        }
        more.add(event);
        None
    }

    fn kind(&self, kind: Kind, site: IpAddr, reason: Cow<'static, str>) -> Kind {
        if self.kinds.contains_key(&kind) {
            return kind;
        }
        let many_of_site = self.of_site.get(&site).is_some_and(|kinds| *kinds >= MOST_OF_SITE);
        let kind = if many_of_site { Kind::Site { site, reason: reason.clone(), who: None } } else { kind };
        match self.kinds.len() < MOST || self.kinds.contains_key(&kind) {
            true => kind,
            false => Kind::Anybody { reason },
        }
    }

    /// Takes in that an operation was refused. Gives it back where it is to be recorded now.
    pub fn take_operation(&mut self, peer: &Arc<str>, event: Event, room: bool) -> Option<Event> {
        let kind = match &event {
            Event::Operation(operation) => OfOperation::of(operation),
            _ => return Some(event),
        };
        if room && is_among_the_first(&mut self.refused_of, peer) {
            return Some(event);
        }
        // Where there are too many kinds, it is lost here.
        let _ = self.count(kind, event);
        None
    }

    /// Takes in that a C-ECHO was answered. Gives it back where it is to be recorded now.
    pub fn take_echo(&mut self, peer: &Arc<str>, event: Event) -> Option<Event> {
        let kind = match &event {
            Event::Operation(operation) => OfOperation::of(operation),
            _ => return Some(event),
        };
        match is_among_the_first(&mut self.echoes_of, peer) {
            true => Some(event),
            false => self.count(kind, event),
        }
    }

    /// Counts an operation; gives it back where there are too many kinds.
    fn count(&mut self, kind: OfOperation, event: Event) -> Option<Event> {
        if self.operations.len() >= MOST_OF_OPERATIONS && !self.operations.contains_key(&kind) {
            return Some(event);
        }
        self.operations.entry(kind).or_default().add(event);
        None
    }

    /// The minute is over: the records of what was counted in it.
    pub fn drain(&mut self) -> Vec<Event> {
        let Self { kinds, operations, .. } = std::mem::take(self);
        let kinds = kinds.into_iter().map(|(kind, more)| more.gathered(matches!(kind, Kind::Anybody { .. })));
        kinds.chain(operations.into_values().map(|more| more.gathered(false))).flatten().collect()
    }

    /// An association is over: the records of what was counted of it.
    pub fn drain_association(&mut self, id: &str) -> Vec<Event> {
        let of_it = self.operations.extract_if(|kind, _| *kind.association == *id);
        of_it.filter_map(|(_, more)| more.gathered(false)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::{Gathering, MOST, MOST_OF_OPERATIONS, OPERATIONS_OF_PEER};
    use crate::audit::{
        AssociationClosed, AssociationRejected, Bytes, ConnectionRefused, Direction, Event, Operation,
        Rejection, Requestor, Transport,
    };
    use crate::vocabulary::Ended;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn connection(number: u32, reason: &'static str) -> Event {
        Event::ConnectionRefused(Box::new(ConnectionRefused {
            association: Some("a".into()),
            listener: "remote".into(),
            address: Some(address(number)),
            port: Some(1),
            tls: None,
            transport: Transport::Plain,
            reason: reason.into(),
            explanation: "because".into(),
            alert: None,
            certificate: None,
            abort: None,
            count: None,
        }))
    }

    fn requestor(title: &str) -> Requestor {
        Requestor {
            listener: "remote".into(),
            peer: None,
            address: address(1),
            port: 1,
            tls: None,
            identified: None,
            calling_ae_title: title.into(),
            called_ae_title: "PACS".into(),
            implementation: None,
        }
    }

    /// An association in which nothing is allowed.
    fn nothing_allowed(title: &str) -> Event {
        Event::AssociationClosed(Box::new(AssociationClosed {
            association: "a".into(),
            agreement: None,
            requestor: requestor(title),
            upstream: None,
            contexts: Vec::new(),
            operations: Default::default(),
            bytes: Bytes::default(),
            rewrite: None,
            configuration: "c".into(),
            duration_ms: 1,
            ended: Ended::Policy.into(),
            reason: Some("no-context-allowed: by role \"r\"".into()),
            count: None,
        }))
    }

    fn rejection(title: &str) -> Event {
        Event::AssociationRejected(Box::new(AssociationRejected {
            association: "a".into(),
            requestor: requestor(title),
            rejection: Rejection { result: 1, source: 1, reason: 3 },
            reason: "calling-ae-title-unknown".into(),
            explanation: "because".into(),
            count: None,
        }))
    }

    fn operation(association: &str) -> Event {
        Event::Operation(Box::new(Operation {
            sop_class: Some("1.2.3".into()),
            sop_instance: Some("1.2.3.4".into()),
            study: Some("1.2".into()),
            status: Some(0x0124),
            bytes: 7,
            reason: Some("operation-not-allowed".into()),
            ..Operation::new(association.into(), "C-FIND", 1, Direction::FromPeer)
        }))
    }

    /// How many refusals the records stand for, and how many records there are.
    fn told(records: &[Event]) -> (u64, usize) {
        let count = |event: &Event| match event {
            Event::ConnectionRefused(refused) => refused.count,
            Event::AssociationRejected(rejected) => rejected.count,
            Event::AssociationClosed(closed) => closed.count,
            Event::Operation(operation) => operation.count,
            _ => None,
        };
        (records.iter().map(|event| count(event).unwrap_or(1)).sum(), records.len())
    }

    /// Takes in all of them: those that were recorded at once, and those when the minute was over.
    fn minute(events: impl IntoIterator<Item = Event>, room: bool) -> [(u64, usize); 2] {
        let mut gathering = Gathering::default();
        let site = |event: &Event| match event {
            Event::ConnectionRefused(refused) => refused.address.unwrap(),
            _ => address(1),
        };
        let at_once: Vec<Event> =
            events.into_iter().filter_map(|event| gathering.take(site(&event), event, room)).collect();
        [told(&at_once), told(&gathering.drain())]
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_with_their_number() {
        let flood = (0..5_000).map(|_| connection(1, "address-not-allowed"));
        assert_eq!(minute(flood, true), [(1, 1), (4_999, 1)]);
        assert_eq!(minute([connection(1, "unknown-protocol")], true), [(1, 1), (0, 0)]);
    }

    #[test]
    fn associations_in_which_nothing_is_allowed_are_refusals_like_others() {
        let flood = || (0..5_000).map(|_| nothing_allowed("ONE"));
        assert_eq!(minute(flood(), true), [(1, 1), (4_999, 1)]);
        assert_eq!(
            minute(flood().chain([nothing_allowed("TWO"), rejection("ONE")]), true),
            [(3, 3), (4_999, 1)]
        );
        let many = (0..1_000).map(|number| nothing_allowed(&number.to_string()));
        assert_eq!(minute(many, true), [(17, 17), (983, 1)]);
    }

    #[test]
    fn addresses_and_reasons_and_ae_titles_are_told_apart() {
        let different = [
            connection(1, "unknown-protocol"),
            connection(2, "unknown-protocol"),
            connection(1, "http-on-dicom-port"),
            rejection("ONE"),
            rejection("TWO"),
        ];
        assert_eq!(minute(different, true), [(5, 5), (0, 0)]);
    }

    #[test]
    fn many_addresses_or_titles_fill_no_disk_either_and_none_is_forgotten() {
        let [(first, at_once), (rest, later)] =
            minute((0..100_000).map(|number| connection(number, "address-not-allowed")), true);
        assert_eq!((first + rest, later), (100_000, 1));
        assert_eq!(at_once, MOST + 1);
        let [(first, at_once), (rest, later)] =
            minute((0..100_000).map(|number| rejection(&number.to_string())), true);
        assert_eq!((first + rest, at_once, later), (100_000, 17, 1));
    }

    #[test]
    fn a_record_of_more_addresses_than_are_told_apart_names_none() {
        let mut gathering = Gathering::default();
        for number in 0..1_000 {
            gathering.take(address(number), connection(number, "address-not-allowed"), true);
        }
        let records = gathering.drain();
        let [Event::ConnectionRefused(refused)] = &records[..] else { panic!("{records:?}") };
        assert_eq!((refused.address, refused.port, &refused.association), (None, None, &None));
        assert_eq!(refused.count, Some(1_000 - MOST as u64 - 1));
    }

    #[test]
    fn without_room_everything_is_counted() {
        let events = [connection(1, "unknown-protocol"), connection(1, "unknown-protocol"), rejection("ONE")];
        assert_eq!(minute(events, false), [(0, 0), (3, 2)]);
    }

    #[test]
    fn some_refused_operations_of_a_peer_are_told_one_by_one() {
        let (mut gathering, peer) = (Gathering::default(), Arc::from("lyon"));
        let mut at_once = Vec::new();
        for number in 0..500 {
            let association = if number % 2 == 0 { "one" } else { "other" };
            at_once.extend(gathering.take_operation(&peer, operation(association), true));
        }
        assert_eq!(told(&at_once), (u64::from(OPERATIONS_OF_PEER), OPERATIONS_OF_PEER as usize));
        let records = gathering.drain_association("one");
        let [Event::Operation(rest)] = &records[..] else { panic!("{records:?}") };
        assert_eq!((rest.count, &rest.sop_instance, &rest.study, rest.bytes), (Some(200), &None, &None, 0));
        assert_eq!(told(&gathering.drain()), (200, 1));
        let another = gathering.take_operation(&Arc::from("other"), operation("two"), true);
        assert!(another.is_some(), "another peer has its own");
    }

    fn echo(status: u16) -> Event {
        let echo = Operation::new("one".into(), "C-ECHO", 1, Direction::FromPeer);
        Event::Operation(Box::new(Operation { status: Some(status), ..echo }))
    }

    #[test]
    fn echoes_that_follow_many_are_counted_by_their_outcome_and_none_is_lost() {
        let (mut gathering, peer) = (Gathering::default(), Arc::from("lyon"));
        // What is refused does not use up what echoes have.
        assert!(gathering.take_operation(&peer, operation("one"), true).is_some());
        let take = |gathering: &mut Gathering, number: u32| {
            gathering.take_echo(&peer, echo(if number % 10 == 9 { 0x0122 } else { 0 }))
        };
        let at_once: Vec<_> = (0..1_000).filter_map(|number| take(&mut gathering, number)).collect();
        assert_eq!(told(&at_once), (u64::from(OPERATIONS_OF_PEER), OPERATIONS_OF_PEER as usize));
        let mut rest = gathering.drain_association("one");
        rest.sort_by_key(|event| told(std::slice::from_ref(event)));
        let counted = rest.iter().map(|event| match event {
            Event::Operation(operation) => (operation.status, operation.count),
            other => panic!("{other:?}"),
        });
        assert_eq!(counted.collect::<Vec<_>>(), [(Some(0x0122), Some(90)), (Some(0), Some(810))]);
        assert!(gathering.drain().is_empty());
        assert!(take(&mut gathering, 0).is_some(), "in the next minute each is a record again");
    }

    #[test]
    fn an_echo_that_cannot_be_counted_is_a_record() {
        let (mut gathering, peer) = (Gathering::default(), Arc::from("lyon"));
        for number in 0..MOST_OF_OPERATIONS {
            let refused = operation(&number.to_string());
            assert!(gathering.take_operation(&peer, refused, false).is_none());
        }
        let at_once = (0..500).filter_map(|_| gathering.take_echo(&peer, echo(0))).count();
        assert_eq!(at_once, 500);
    }
}
