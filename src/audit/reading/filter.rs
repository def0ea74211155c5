//! Which records to keep.

mod compiled;
mod wanted;

pub(super) use compiled::Compiled;
pub use wanted::{Hours, HoursError, Wanted, WantedError};

use ipnet::IpNet;
use time::{Date, Duration, OffsetDateTime};

use super::Pattern;
use crate::audit::record::{Operation, Outcome, Record};

/// Every condition that is set has to hold. Times: from the first, up to and without the second.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Not before this.
    pub from: Option<OffsetDateTime>,
    /// Before this.
    pub to: Option<OffsetDateTime>,
    /// Within these hours of the day (UTC).
    pub hours: Option<Hours>,
    /// One of these events; none here is any.
    pub events: Vec<String>,
    /// Id of the association that it is about.
    pub association: Option<String>,
    /// How it has to have turned out.
    pub outcome: Option<Wanted>,
    /// The label or the whole of its reason.
    pub reason: Option<Pattern>,
    /// What its association has to have.
    pub of_association: OfAssociation,
    /// What it has to have as an operation.
    pub of_operation: OfOperation,
}

/// What only the records of an association say; its operations are asked by the association they belong to.
#[derive(Clone, Debug, Default)]
pub struct OfAssociation {
    /// Name of the listener.
    pub listener: Option<Pattern>,
    /// Name of the `[[peer]]`.
    pub peer: Option<Pattern>,
    /// The calling AE title.
    pub calling: Option<Pattern>,
    /// The called AE title.
    pub called: Option<Pattern>,
    /// Name of the upstream.
    pub upstream: Option<Pattern>,
    /// A network that it has to have come from.
    pub address: Option<IpNet>,
    /// A version such as `1.3`, or `plain`.
    pub tls: Option<Pattern>,
    /// The cipher suite.
    pub cipher: Option<Pattern>,
    /// SHA-256, subject or a name of what was shown, accepted or not.
    pub certificate: Option<Pattern>,
    /// The user that it names, proven or not; of other records who did it.
    pub user: Option<Pattern>,
    /// Who issued it: as it says, or the CA that vouches for it.
    pub issuer: Option<Pattern>,
    /// The rewrite that applies.
    pub rewrite: Option<Pattern>,
    /// Id of the agreement by which its data travels.
    pub agreement: Option<Pattern>,
    /// Digest of the configuration that decided, or its beginning.
    pub configuration: Option<Pattern>,
}

/// Conditions on what only the records of operations have. Where one is asked for, other records do not match.
#[derive(Clone, Debug, Default)]
pub struct OfOperation {
    /// Such as `C-STORE`.
    pub operation: Option<Pattern>,
    /// As it came, or as it was rewritten.
    pub sop_instance: Option<Pattern>,
    /// Study Instance UID, as it came or as it was rewritten.
    pub study: Option<Pattern>,
    /// What records make of the SOP instance where it is an original: it is enough that this fits.
    pub original_sop_instance: Option<Pattern>,
    /// The same of the study.
    pub original_study: Option<Pattern>,
    /// The Patient ID as records have it: perhaps a hash.
    pub patient: Option<Pattern>,
    /// Status of the last response, written `0x0000`.
    pub status: Option<Pattern>,
    /// A label of what the standard does not allow, and that was read all the same.
    pub tolerated: Option<Pattern>,
    /// The element at fault by its path, or what is wrong with it.
    pub fault: Option<Pattern>,
    /// Objects that went on, or came, without a rewrite.
    pub unrewritten: bool,
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

impl OfAssociation {
    fn patterns(&self) -> [Option<&Pattern>; 13] {
        [
            &self.listener,
            &self.peer,
            &self.calling,
            &self.called,
            &self.upstream,
            &self.tls,
            &self.cipher,
            &self.certificate,
            &self.user,
            &self.issuer,
            &self.rewrite,
            &self.agreement,
            &self.configuration,
        ]
        .map(Option::as_ref)
    }

    /// Whether any of it is asked for.
    pub fn is_set(&self) -> bool {
        self.address.is_some() || self.patterns().iter().any(Option::is_some)
    }

    fn holds(&self, record: &Record) -> bool {
        let tls = record.tls();
        let upstream = || record.upstream().map(|upstream| upstream.name.as_str());
        fits(&self.peer, || record.peer())
            && fits(&self.calling, || record.calling_ae_title())
            && fits(&self.called, || record.called_ae_title())
            && fits(&self.listener, || record.listener())
            && fits(&self.upstream, upstream)
            && fits(&self.tls, || record.came_over())
            && fits(&self.cipher, || tls.map(|tls| tls.cipher.as_ref()))
            && any_fits(&self.certificate, || {
                let names = tls.into_iter().flat_map(|tls| tls.san.iter().map(|name| name.as_str()));
                let shown = record.shown().into_iter().flat_map(|(subject, _, sha256)| [subject, sha256]);
                shown.chain(names)
            })
            && fits(&self.user, || record.user())
            && any_fits(&self.issuer, || {
                let authority = tls.and_then(|tls| tls.authority.as_ref()).map(|one| one.subject.as_str());
                authority.into_iter().chain(record.shown().and_then(|(_, issuer, _)| issuer))
            })
            && fits(&self.rewrite, || record.rewrite_name())
            && fits(&self.agreement, || record.agreement())
            && fits(&self.configuration, || record.configuration())
            && self
                .address
                .is_none_or(|network| record.address().is_some_and(|ip| network.contains(&ip.to_canonical())))
    }
}

impl OfOperation {
    fn patterns(&self) -> [Option<&Pattern>; 7] {
        let Self { operation, sop_instance, study, patient, status, tolerated, fault, .. } = self;
        [operation, sop_instance, study, patient, status, tolerated, fault].map(Option::as_ref)
    }

    /// Those that every record has that is wanted.
    fn needed(&self) -> impl Iterator<Item = &Pattern> {
        let Self { operation, patient, status, tolerated, fault, .. } = self;
        let alone = |one: &'_ Option<Pattern>, other: &Option<Pattern>| other.is_none() && one.is_some();
        let instance = alone(&self.sop_instance, &self.original_sop_instance).then_some(&self.sop_instance);
        let study = alone(&self.study, &self.original_study).then_some(&self.study);
        [operation, patient, status, tolerated, fault].into_iter().chain(instance).chain(study).flatten()
    }

    fn holds(&self, record: &Record) -> bool {
        match record.operation() {
            Some(operation) => self.holds_of(operation),
            None => !self.unrewritten && self.patterns().iter().all(Option::is_none),
        }
    }

    fn holds_of(&self, record: &Operation) -> bool {
        let either = |wanted: [&Option<Pattern>; 2], found: [&Option<String>; 2]| {
            let mut wanted = wanted.into_iter().flatten().peekable();
            wanted.peek().is_none()
                || wanted.any(|wanted| found.into_iter().flatten().any(|text| wanted.matches(text)))
        };
        let without = || {
            let object = record.operation == "C-STORE" && record.rewritten.is_none();
            object && matches!(record.outcome(), Outcome::Success | Outcome::Warning)
        };
        (!self.unrewritten || without())
            && fits(&self.operation, || Some(record.operation.as_ref()))
            && either(
                [&self.sop_instance, &self.original_sop_instance],
                [&record.sop_instance, &record.new_sop_instance],
            )
            && either([&self.study, &self.original_study], [&record.study, &record.new_study])
            && fits(&self.patient, || record.patient.as_ref()?.rendered())
            && self
                .status
                .as_ref()
                .is_none_or(|wanted| record.status_text().is_some_and(|status| wanted.matches(&status)))
            && any_fits(&self.tolerated, || record.tolerated.iter().map(AsRef::as_ref))
            && any_fits(&self.fault, || {
                let fault = record.fault.iter();
                fault.flat_map(|fault| fault.element.as_deref().into_iter().chain([fault.problem.as_ref()]))
            })
    }
}

fn fits<'r>(wanted: &Option<Pattern>, found: impl FnOnce() -> Option<&'r str>) -> bool {
    wanted.as_ref().is_none_or(|wanted| found().is_some_and(|text| wanted.matches(text)))
}

/// Whether one of the texts fits.
fn any_fits<'r, T: Iterator<Item = &'r str>>(wanted: &Option<Pattern>, found: impl FnOnce() -> T) -> bool {
    wanted.as_ref().is_none_or(|wanted| found().any(|text| wanted.matches(text)))
}
