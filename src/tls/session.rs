//! What a handshake settled and proved.

use super::recent;
use crate::identity::Certificate;
use rustls::{CommonState, ProtocolVersion};

/// The facts of one TLS session, for records and for the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The name of the IANA registry, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The key exchange group, such as `X25519MLKEM768`.
    pub group: Option<String>,
    /// The peer's own certificate, verified; `None` where it showed none.
    pub certificate: Option<Certificate>,
    /// The name that the peer asked for; listeners only.
    pub sni: Option<String>,
}

impl Session {
    /// The session of a listener's connection, after its handshake, and the server name that the client asked for.
    pub fn of_server(state: &CommonState, server_name: Option<&str>) -> Self {
        let sni = server_name.map(|name| crate::identity::printable(name, 255));
        Self { sni, ..Self::of(state) }
    }

    /// The session of an upstream's connection, after its handshake.
    pub fn of_client(state: &CommonState) -> Self {
        Self::of(state)
    }

    fn of(state: &CommonState) -> Self {
        let suite = state.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let suite = suite.unwrap_or_default();
        Self {
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "1.3",
                Some(ProtocolVersion::TLSv1_2) => "1.2",
                _ => "",
            },
            // rustls writes TLS13_… for the suites of TLS 1.3.
            cipher: suite.strip_prefix("TLS13_").map_or(suite.to_owned(), |rest| format!("TLS_{rest}")),
            group: state
                .negotiated_key_exchange_group()
                .and_then(|group| group.name().as_str())
                .map(str::to_owned),
            certificate: state
                .peer_certificates()
                .and_then(<[_]>::first)
                .map(|der| recent::facts(der).unwrap_or_else(|_| Certificate::from_der_or_fingerprint(der))),
            sni: None,
        }
    }
}
