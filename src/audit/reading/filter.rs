//! Which records to keep.

use std::collections::HashSet;
use std::str::FromStr;

use ipnet::IpNet;
use memchr::memmem::Finder;
use time::{Date, Duration, OffsetDateTime};

use super::{Outcome, Pattern, Record, Verdict, stamp};

/// Every condition that is set has to hold. Times: from the first, up to and without the second.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub from: Option<OffsetDateTime>,
    pub to: Option<OffsetDateTime>,
    pub hours: Option<Hours>,
    pub events: Vec<String>,
    pub association: Option<String>,
    pub outcome: Option<Wanted>,
    pub reason: Option<Pattern>,
    pub of_association: OfAssociation,
    pub of_operation: OfOperation,
}

/// What only the records of an association say; its operations are asked by the association they belong to.
#[derive(Clone, Debug, Default)]
pub struct OfAssociation {
    pub listener: Option<Pattern>,
    pub peer: Option<Pattern>,
    pub calling: Option<Pattern>,
    pub called: Option<Pattern>,
    pub upstream: Option<Pattern>,
    pub address: Option<IpNet>,
    /// A version such as `1.3`, or `plain`.
    pub tls: Option<Pattern>,
    pub cipher: Option<Pattern>,
    /// SHA-256, subject or a name of what was shown, accepted or not.
    pub certificate: Option<Pattern>,
    /// Who issued it: as it says, or the CA that vouches for it.
    pub issuer: Option<Pattern>,
    /// The rewrite that applies.
    pub rewrite: Option<Pattern>,
    /// Digest of the configuration that decided, or its beginning.
    pub configuration: Option<Pattern>,
}

/// What only operations say.
#[derive(Clone, Debug, Default)]
pub struct OfOperation {
    pub operation: Option<Pattern>,
    /// As it came, or as it was rewritten.
    pub sop_instance: Option<Pattern>,
    pub study: Option<Pattern>,
    pub patient: Option<Pattern>,
    pub status: Option<Pattern>,
    /// Objects that went on, or came, without a rewrite.
    pub unrewritten: bool,
}

/// How a record has to have turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Outcome(Outcome),
    /// A closing record whose `ended` is this.
    Ended(Pattern),
}

/// A text that names no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no outcome; write success, warning, failure, refused, or ended=timeout and its like")]
pub struct WantedError(String);

impl FromStr for Wanted {
    type Err = WantedError;

    fn from_str(text: &str) -> Result<Self, WantedError> {
        if let Some(ended) = text.strip_prefix("ended=") {
            return ended.parse().map(Self::Ended).map_err(|_| WantedError(text.to_owned()));
        }
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == text);
        outcome.map(Self::Outcome).ok_or_else(|| WantedError(text.to_owned()))
    }
}

/// Hours of the day in UTC, `8`, or `22-5` from the first to the last, both included, over midnight too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    pub first: u8,
    pub last: u8,
}

/// A text that names no hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" names no hours; write 8, or 22-5, each from 0 to 23, in UTC")]
pub struct HoursError(String);

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let hour = |text: &str| text.parse::<u8>().ok().filter(|hour| *hour < 24);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (hour(first), hour(last)) {
            (Some(first), Some(last)) => Ok(Self { first, last }),
            _ => Err(HoursError(text.to_owned())),
        }
    }
}

impl Hours {
    pub fn holds(self, hour: u8) -> bool {
        if self.first <= self.last {
            (self.first..=self.last).contains(&hour)
        } else {
            hour >= self.first || hour <= self.last
        }
    }
}

impl OfAssociation {
    fn patterns(&self) -> [Option<&Pattern>; 11] {
        [
            &self.listener,
            &self.peer,
            &self.calling,
            &self.called,
            &self.upstream,
            &self.tls,
            &self.cipher,
            &self.certificate,
            &self.issuer,
            &self.rewrite,
            &self.configuration,
        ]
        .map(Option::as_ref)
    }

    pub fn is_set(&self) -> bool {
        self.address.is_some() || self.patterns().iter().any(Option::is_some)
    }

    fn holds(&self, record: &Record) -> bool {
        let tls = record.tls.as_ref();
        let upstream = || record.upstream.as_ref().map(|upstream| upstream.name.as_str());
        fits(&self.peer, || record.peer.as_deref())
            && fits(&self.calling, || record.calling_ae_title.as_deref())
            && fits(&self.called, || record.called_ae_title.as_deref())
            && fits(&self.listener, || record.listener.as_deref())
            && fits(&self.upstream, upstream)
            && fits(&self.tls, || record.came_over())
            && fits(&self.cipher, || tls.map(|tls| tls.cipher.as_str()))
            && any_fits(&self.certificate, || {
                let names = tls.into_iter().flat_map(|tls| tls.san.iter().map(|name| name.as_str()));
                let shown = record.shown().into_iter().flat_map(|(subject, _, sha256)| [subject, sha256]);
                shown.chain(names)
            })
            && any_fits(&self.issuer, || {
                let authority = tls.and_then(|tls| tls.authority.as_ref()).map(|one| one.subject.as_str());
                authority.into_iter().chain(record.shown().and_then(|(_, issuer, _)| issuer))
            })
            && fits(&self.rewrite, || record.rewrite_name())
            && fits(&self.configuration, || record.configuration.as_deref())
            && self
                .address
                .is_none_or(|network| record.ip().is_some_and(|ip| network.contains(&ip.to_canonical())))
    }
}

impl OfOperation {
    fn patterns(&self) -> [Option<&Pattern>; 5] {
        [&self.operation, &self.sop_instance, &self.study, &self.patient, &self.status].map(Option::as_ref)
    }

    fn holds(&self, record: &Record) -> bool {
        let either = |wanted: &Option<Pattern>, one: Option<&str>, other: Option<&str>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| [one, other].into_iter().flatten().any(|text| wanted.matches(text)))
        };
        let without = || {
            let object = record.operation.as_deref() == Some("C-STORE") && record.rewritten.is_none();
            object && matches!(record.outcome(), Some(Outcome::Success | Outcome::Warning))
        };
        (!self.unrewritten || without())
            && fits(&self.operation, || record.operation.as_deref())
            && either(&self.sop_instance, record.sop_instance.as_deref(), record.new_sop_instance.as_deref())
            && either(&self.study, record.study.as_deref(), record.new_study.as_deref())
            && fits(&self.patient, || record.patient.as_deref())
            && fits(&self.status, || record.status.as_deref())
    }
}

fn fits<'r>(wanted: &Option<Pattern>, found: impl FnOnce() -> Option<&'r str>) -> bool {
    wanted.as_ref().is_none_or(|wanted| found().is_some_and(|text| wanted.matches(text)))
}

/// Whether one of the texts fits.
fn any_fits<'r, T: Iterator<Item = &'r str>>(wanted: &Option<Pattern>, found: impl FnOnce() -> T) -> bool {
    wanted.as_ref().is_none_or(|wanted| found().any(|text| wanted.matches(text)))
}

impl Filter {
    /// The first and the last day (UTC) of which the files have to be read.
    pub fn days(&self) -> (Option<Date>, Option<Date>) {
        let last = self.to.and_then(|to| to.checked_sub(Duration::MICROSECOND));
        let day = |time: OffsetDateTime| time.to_offset(time::UtcOffset::UTC).date();
        (self.from.map(day), last.map(day))
    }

    /// Whether operations may be asked for by what only their association's records say.
    pub fn asks_associations(&self) -> bool {
        self.of_association.is_set()
            && (self.events.is_empty() || self.events.iter().any(|event| event == OPERATION))
    }
}

const OPERATION: &str = "operation";
/// `{"time":"2026-03-01T00:00:00.000000Z","event":"`
const TIME: &[u8] = br#"{"time":""#;
const TIME_LENGTH: usize = 27;
const EVENT: &[u8] = br#"","event":""#;

/// A filter made ready for many lines.
pub(super) struct Compiled<'f> {
    filter: &'f Filter,
    from: Option<String>,
    to: Option<String>,
    /// Bytes that every line holds that can match.
    needles: Vec<Finder<'static>>,
    /// The same for lines other than operations, which have not what only their association says.
    association_needles: Vec<Finder<'static>>,
    /// The associations whose operations are asked for.
    associations: Option<HashSet<String>>,
}

impl<'f> Compiled<'f> {
    pub fn new(filter: &'f Filter, associations: Option<HashSet<String>>) -> Self {
        let finder = |needle: String| Finder::new(&needle).into_owned();
        let of_operation = filter.of_operation.patterns().into_iter().flatten().filter_map(Pattern::needle);
        let reason = filter
            .reason
            .as_ref()
            .and_then(Pattern::needle)
            .map(|needle| needle.trim_matches('"').to_owned());
        let association =
            filter.association.as_ref().map(|id| format!("\"{id}\"")).filter(|id| !id.contains('\\'));
        // Plain TCP is the absence of a version, and nothing can be searched for.
        let plain: Option<Pattern> = "plain".parse().ok();
        let of_association = filter.of_association.patterns().into_iter().flatten();
        let of_association = of_association.filter(|pattern| Some(*pattern) != plain.as_ref());
        Self {
            filter,
            from: filter.from.map(stamp),
            to: filter.to.map(stamp),
            needles: of_operation.chain(reason).chain(association).map(finder).collect(),
            association_needles: of_association.filter_map(Pattern::needle).map(finder).collect(),
            associations,
        }
    }

    /// What becomes of a line; `keep` is asked only for one that matches.
    pub fn judge<T>(&self, line: &[u8], keep: impl FnOnce(&[u8]) -> T) -> Verdict<T> {
        if self.dismisses(line) {
            return Verdict::Pass;
        }
        match Record::read(line) {
            Err(error) => Verdict::Damaged(error.to_string()),
            Ok(record) if self.matches(&record) => Verdict::Keep(keep(line)),
            Ok(_) => Verdict::Pass,
        }
    }

    /// Without parsing: whether the line cannot match.
    fn dismisses(&self, line: &[u8]) -> bool {
        let head = head(line);
        if let Some((time, event)) = head {
            let early = self.from.as_ref().is_some_and(|from| time < from.as_bytes());
            let late = self.to.as_ref().is_some_and(|to| time >= to.as_bytes());
            let other = !self.filter.events.is_empty()
                && !self.filter.events.iter().any(|wanted| wanted.as_bytes() == event);
            if early || late || other {
                return true;
            }
        }
        let is_operation = head.is_none_or(|(_, event)| event == OPERATION.as_bytes());
        let lacks = |needles: &[Finder]| needles.iter().any(|needle| needle.find(line).is_none());
        lacks(&self.needles) || (!is_operation && lacks(&self.association_needles))
    }

    fn matches(&self, record: &Record) -> bool {
        let filter = self.filter;
        self.in_time(record)
            && (filter.events.is_empty() || filter.events.iter().any(|event| *event == *record.event))
            && filter.association.as_ref().is_none_or(|id| record.association.as_deref() == Some(id))
            && self.turned_out(record)
            && filter.reason.as_ref().is_none_or(|wanted| {
                record.label().is_some_and(|label| wanted.matches(label))
                    || record.reason.as_deref().is_some_and(|reason| wanted.matches(reason))
            })
            && self.of_association(record)
            && filter.of_operation.holds(record)
    }

    fn in_time(&self, record: &Record) -> bool {
        let at = record.at();
        self.filter.from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && self.filter.to.is_none_or(|to| at.is_some_and(|at| at < to))
            && self.filter.hours.is_none_or(|hours| at.is_some_and(|at| hours.holds(at.hour())))
    }

    fn turned_out(&self, record: &Record) -> bool {
        match &self.filter.outcome {
            None => true,
            Some(Wanted::Outcome(outcome)) => record.outcome() == Some(*outcome),
            Some(Wanted::Ended(ended)) => record.ended.as_deref().is_some_and(|found| ended.matches(found)),
        }
    }

    fn of_association(&self, record: &Record) -> bool {
        match (&self.associations, &record.association) {
            (Some(wanted), Some(id)) if &*record.event == OPERATION => wanted.contains(id.as_str()),
            _ => self.filter.of_association.holds(record),
        }
    }
}

/// Time and event, where the line begins as the proxy writes it.
fn head(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (time, rest) = line.strip_prefix(TIME)?.split_at_checked(TIME_LENGTH)?;
    let rest = rest.strip_prefix(EVENT)?;
    let event = rest.get(..memchr::memchr(b'"', rest)?)?;
    time.ends_with(b"Z").then_some((time, event))
}
