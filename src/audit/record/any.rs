//! What is asked of any record, whatever its event. Events that do not say it give `None`, and so does an empty text.

use super::{
    Event, Identified, Operation, Record, RefusedCertificate, Requestor, Tls, Transport, Upstream, label_of,
};
use std::net::IpAddr;

impl Record {
    /// Id of the association that it is about.
    pub fn association(&self) -> Option<&str> {
        said(match &self.event {
            Event::ConnectionRefused(refused) => refused.association.as_deref(),
            Event::AssociationRejected(rejected) => Some(&rejected.association),
            Event::AssociationOpened(opened) => Some(&opened.association),
            Event::Operation(operation) => Some(&operation.association),
            Event::AssociationClosed(closed) => Some(&closed.association),
            Event::SecurityAlert(alert) => alert.association.as_deref(),
            Event::Other(other) => other.association.as_deref(),
            _ => None,
        })
    }

    /// Who asked for the association.
    pub fn requestor(&self) -> Option<&Requestor> {
        match &self.event {
            Event::AssociationRejected(rejected) => Some(&rejected.requestor),
            Event::AssociationOpened(opened) => Some(&opened.requestor),
            Event::AssociationClosed(closed) => Some(&closed.requestor),
            _ => None,
        }
    }

    /// The operation, of an event that is one.
    pub fn operation(&self) -> Option<&Operation> {
        match &self.event {
            Event::Operation(operation) => Some(operation),
            _ => None,
        }
    }

    /// Name of the listener that it came in by.
    pub fn listener(&self) -> Option<&str> {
        said(match &self.event {
            Event::ConnectionRefused(refused) => Some(&refused.listener),
            Event::SecurityAlert(alert) => alert.listener.as_deref(),
            Event::Other(other) => other.listener.as_deref(),
            _ => self.requestor().map(|requestor| requestor.listener.as_str()),
        })
    }

    /// Name of the `[[peer]]`.
    pub fn peer(&self) -> Option<&str> {
        said(match &self.event {
            Event::SecurityAlert(alert) => alert.peer.as_deref(),
            Event::Other(other) => other.peer.as_deref(),
            _ => self.requestor().and_then(|requestor| requestor.peer.as_deref()),
        })
    }

    /// The address of the requestor or administrator, behind any load balancer; `None` in records of no connection.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.event {
            Event::ConnectionRefused(refused) => refused.address,
            Event::SecurityAlert(alert) => alert.address,
            Event::Administration(done) => done.address,
            Event::Other(other) => other.address,
            _ => {
                let address = self.requestor().map(|requestor| requestor.address);
                address.filter(|address| !address.is_unspecified())
            }
        }
    }

    /// The TCP port of the same; `None` where there is none, as behind a Unix socket.
    pub fn port(&self) -> Option<u16> {
        match &self.event {
            Event::ConnectionRefused(refused) => refused.port,
            Event::SecurityAlert(alert) => alert.port,
            Event::Administration(done) => done.port,
            _ => self.requestor().map(|requestor| requestor.port),
        }
    }

    /// What TLS proved of who came.
    pub fn tls(&self) -> Option<&Tls> {
        match &self.event {
            Event::ConnectionRefused(refused) => refused.tls.as_ref(),
            Event::SecurityAlert(alert) => alert.tls.as_ref(),
            _ => self.requestor().and_then(|requestor| requestor.tls.as_ref()),
        }
    }

    /// Who did it; of an association the user that its requestor names, proven or not.
    pub fn user(&self) -> Option<&str> {
        said(match &self.event {
            Event::Administration(done) => Some(&*done.user),
            Event::AuditLogUsed(used) => Some(&*used.user),
            Event::Other(other) => other.user.as_deref(),
            _ => self.identified().map(|identified| &*identified.user),
        })
    }

    /// The user of an association, where one is proven.
    pub fn proven_user(&self) -> Option<&str> {
        self.identified().filter(|identified| identified.user_identity == "proven").map(|one| &*one.user)
    }

    fn identified(&self) -> Option<&Identified> {
        self.requestor()?.identified.as_ref()
    }

    /// AE title of who asked.
    pub fn calling_ae_title(&self) -> Option<&str> {
        said(match &self.event {
            Event::SecurityAlert(alert) => alert.calling_ae_title.as_deref(),
            Event::Other(other) => other.calling_ae_title.as_deref(),
            _ => self.requestor().map(|requestor| requestor.calling_ae_title.as_str()),
        })
    }

    /// AE title that was asked for.
    pub fn called_ae_title(&self) -> Option<&str> {
        said(match &self.event {
            Event::SecurityAlert(alert) => alert.called_ae_title.as_deref(),
            Event::Other(other) => other.called_ae_title.as_deref(),
            _ => self.requestor().map(|requestor| requestor.called_ae_title.as_str()),
        })
    }

    /// The leg to the upstream.
    pub fn upstream(&self) -> Option<&Upstream> {
        match &self.event {
            Event::AssociationOpened(opened) => {
                Some(&opened.upstream).filter(|upstream| **upstream != Upstream::default())
            }
            Event::AssociationClosed(closed) => closed.upstream.as_ref(),
            _ => None,
        }
    }

    /// A certificate that was shown and refused.
    pub fn refused_certificate(&self) -> Option<&RefusedCertificate> {
        match &self.event {
            Event::ConnectionRefused(refused) => refused.certificate.as_ref(),
            Event::SecurityAlert(alert) => alert.certificate.as_ref(),
            _ => None,
        }
    }

    /// Subject, issuer and SHA-256 of the certificate that was shown, accepted or not.
    pub fn shown(&self) -> Option<(&str, Option<&str>, &str)> {
        let accepted = self.tls().and_then(|tls| {
            let fingerprint = tls.fingerprint.as_deref().unwrap_or_default();
            Some((tls.subject.as_deref()?, tls.issuer.as_deref(), fingerprint))
        });
        let refused = || {
            let one = self.refused_certificate()?;
            Some((one.subject.as_str(), Some(one.issuer.as_str()), one.fingerprint.as_str()))
        };
        accepted.or_else(refused)
    }

    /// How it came: the version of TLS, or `plain`. `None` where TLS was not established, or nothing came.
    pub fn came_over(&self) -> Option<&str> {
        let plain = match &self.event {
            Event::ConnectionRefused(refused) => refused.transport == Transport::Plain,
            _ => self.requestor().is_some() && self.address().is_some(),
        };
        self.tls().map(|tls| tls.version.as_ref()).or(plain.then_some("plain"))
    }

    /// Id of the agreement by which its data travels.
    pub fn agreement(&self) -> Option<&str> {
        match &self.event {
            Event::AssociationOpened(opened) => opened.agreement.as_deref(),
            Event::AssociationClosed(closed) => closed.agreement.as_deref(),
            Event::Operation(operation) => operation.agreement.as_deref(),
            _ => None,
        }
    }

    /// Name of the rewrite of its association.
    pub fn rewrite_name(&self) -> Option<&str> {
        match &self.event {
            Event::AssociationOpened(opened) => opened.rewrite.as_deref(),
            Event::AssociationClosed(closed) => closed.rewrite.as_ref().map(|rewrite| rewrite.name.as_str()),
            _ => None,
        }
    }

    /// Digest of the configuration that decided, or that it is about.
    pub fn configuration(&self) -> Option<&str> {
        said(match &self.event {
            Event::Started(started) => Some(&started.configuration),
            Event::ConfigurationLoaded(loaded) => Some(&loaded.configuration),
            Event::ConfigurationRefused(refused) => refused.configuration.as_deref(),
            Event::AssociationOpened(opened) => Some(&opened.configuration),
            Event::AssociationClosed(closed) => Some(&closed.configuration),
            Event::Other(other) => other.configuration.as_deref(),
            _ => None,
        })
    }

    /// A label, perhaps with an explanation behind it.
    pub fn reason(&self) -> Option<&str> {
        said(match &self.event {
            Event::ConnectionRefused(refused) => Some(&*refused.reason),
            Event::AssociationRejected(rejected) => Some(&*rejected.reason),
            Event::Operation(operation) => operation.reason.as_deref(),
            Event::AssociationClosed(closed) => closed.reason.as_deref(),
            Event::SecurityAlert(alert) => Some(&*alert.reason),
            Event::RecordsDeleted(deleted) => Some(&*deleted.reason),
            Event::Administration(done) => done.reason.as_deref(),
            Event::Stopped(stopped) => Some(&*stopped.reason),
            Event::Other(other) => other.reason.as_deref(),
            _ => None,
        })
    }

    /// The part of a reason before its explanation. Of a run that began, what the head said.
    pub fn label(&self) -> Option<&str> {
        match &self.event {
            Event::TrailContinued(found) => said(Some(found.head.label())),
            _ => self.reason().map(label_of),
        }
    }

    /// The sentence of the record that tells people what happened; `None` where it has none.
    pub fn explanation(&self) -> Option<&str> {
        said(match &self.event {
            Event::ConnectionRefused(refused) => Some(&refused.explanation),
            Event::AssociationRejected(rejected) => Some(&rejected.explanation),
            Event::SecurityAlert(alert) => Some(&alert.explanation),
            Event::TrailContinued(found) => Some(&found.explanation),
            Event::ClockStepped(stepped) => Some(&stepped.explanation),
            Event::Administration(done) => done.explanation.as_deref(),
            Event::Other(other) => other.explanation.as_deref(),
            _ => None,
        })
    }

    /// How many it stands for, where they were gathered.
    pub fn count(&self) -> Option<u64> {
        match &self.event {
            Event::ConnectionRefused(refused) => refused.count,
            Event::AssociationRejected(rejected) => rejected.count,
            Event::Operation(operation) => operation.count,
            Event::AssociationClosed(closed) => closed.count,
            Event::Administration(done) => done.count,
            Event::Other(other) => other.count,
            _ => None,
        }
    }

    /// How an association ended, by its label.
    pub fn ended(&self) -> Option<&str> {
        match &self.event {
            Event::AssociationClosed(closed) => said(Some(closed.ended.label())),
            _ => None,
        }
    }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
