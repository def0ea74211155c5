//! Who speaks.

use super::message::{Network, Participant};

/// AuditSourceIdentification, and the proxy as a participant. Cheap to compare: a change of it is a change of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// AuditSourceID.
    pub id: String,
    /// AuditEnterpriseSiteID.
    pub enterprise_site: Option<String>,
    /// A DNS name or an IP address.
    pub host: String,
    /// UserName of the proxy, and APP-NAME of syslog.
    pub application: String,
}

impl Source {
    /// The proxy as a participant. Its identity is that of its process (A.5.3.1).
    pub(super) fn proxy(&self, process_id: Option<u32>) -> Participant {
        Participant {
            user: process_id.map_or_else(|| self.application.clone(), |id| id.to_string()),
            name: Some(self.application.clone()),
            network: Some(Network::of(&self.host)),
            ..Participant::default()
        }
    }
}
