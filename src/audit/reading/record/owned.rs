//! Records that outlive the line that they were read from.

use super::kinds::Ended;
use super::{Authority, Certificate, Fault, Record, Tls, Upstream};
use crate::audit::reading::Text;

impl<'a> Record<'a> {
    /// The same, free of the line.
    #[allow(clippy::too_many_lines, reason = "one line for each field")]
    pub fn into_owned(self) -> Record<'static> {
        let own = |text: Option<Text<'a>>| text.map(Text::into_owned);
        let all = |texts: Vec<Text<'a>>| texts.into_iter().map(Text::into_owned).collect();
        Record {
            time: self.time.into_owned(),
            event: self.event.into_owned(),
            sequence: self.sequence,
            association: own(self.association),
            listener: own(self.listener),
            peer: own(self.peer),
            address: own(self.address),
            port: self.port,
            tls: self.tls.map(Tls::into_owned),
            calling_ae_title: own(self.calling_ae_title),
            called_ae_title: own(self.called_ae_title),
            upstream: self.upstream.map(|upstream| Upstream {
                name: upstream.name.into_owned(),
                address: upstream.address.into_owned(),
                tls: upstream.tls.map(Tls::into_owned),
            }),
            transport: own(self.transport),
            certificate: self.certificate.map(|certificate| Certificate {
                subject: certificate.subject.into_owned(),
                issuer: certificate.issuer.into_owned(),
                fingerprint: certificate.fingerprint.into_owned(),
                not_after: own(certificate.not_after),
            }),
            rewrite: self.rewrite,
            rewritten: self.rewritten,
            direction: own(self.direction),
            operation: own(self.operation),
            operations: self
                .operations
                .into_iter()
                .map(|(name, counts)| (name.into_owned(), counts))
                .collect(),
            sop_class: own(self.sop_class),
            sop_instance: own(self.sop_instance),
            new_sop_instance: own(self.new_sop_instance),
            study: own(self.study),
            new_study: own(self.new_study),
            patient: own(self.patient),
            status: own(self.status),
            bytes: self.bytes,
            duration_ms: self.duration_ms,
            ended: self.ended.map(Ended::into_owned),
            reason: own(self.reason),
            explanation: own(self.explanation),
            configuration: own(self.configuration),
            previous_configuration: own(self.previous_configuration),
            file: own(self.file),
            version: own(self.version),
            records: self.records,
            count: self.count,
            fault: self.fault.map(Fault::into_owned),
            tolerated: all(self.tolerated),
            errors: self.errors,
            problems: all(self.problems),
            aborted: self.aborted,
            first: self.first,
            last: self.last,
            head: own(self.head),
            unsigned: self.unsigned,
            seconds: self.seconds,
            followed: self.followed,
            user: own(self.user),
            action: own(self.action),
            resource: own(self.resource),
            role: own(self.role),
            turned_out: own(self.turned_out),
            host: own(self.host),
            command: own(self.command),
            arguments: own(self.arguments),
        }
    }
}

impl Tls<'_> {
    fn into_owned(self) -> Tls<'static> {
        Tls {
            version: self.version.into_owned(),
            cipher: self.cipher.into_owned(),
            group: self.group.map(Text::into_owned),
            subject: self.subject.map(Text::into_owned),
            san: self.san.into_iter().map(Text::into_owned).collect(),
            fingerprint: self.fingerprint.map(Text::into_owned),
            issuer: self.issuer.map(Text::into_owned),
            serial: self.serial.map(Text::into_owned),
            authority: self.authority.map(|authority| Authority { subject: authority.subject.into_owned() }),
            not_after: self.not_after.map(Text::into_owned),
        }
    }
}

impl Fault<'_> {
    fn into_owned(self) -> Fault<'static> {
        Fault {
            element: self.element.map(Text::into_owned),
            offset: self.offset,
            problem: self.problem.into_owned(),
            expected: self.expected.map(Text::into_owned),
        }
    }
}
