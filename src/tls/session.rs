//! What a handshake settled and proved.

use super::trust::{ClientTrust, shown};
use crate::identity::Certificate;
use rustls::pki_types::UnixTime;
use rustls::{CommonState, ProtocolVersion};
use std::sync::Arc;

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
    /// Who vouches for it; listeners only, and empty where it showed none.
    pub authorities: Vec<Arc<Certificate>>,
    /// The name that the peer asked for; listeners only.
    pub sni: Option<String>,
}

impl Session {
    /// The session of a listener's connection, after its handshake, and the server name that the client asked for.
    /// `trust` is what it was verified by, as a moment ago, so that it is not verified again.
    pub fn of_server(state: &CommonState, server_name: Option<&str>, trust: Option<&ClientTrust>) -> Self {
        let sni = server_name.map(|name| crate::identity::printable(name, 255));
        let shown = state.peer_certificates().zip(trust);
        let judged = shown.and_then(|(chain, trust)| trust.judge(chain, UnixTime::now()).ok());
        let authorities = judged.map(|authorities| authorities.to_vec()).unwrap_or_default();
        Self { sni, authorities, ..Self::of(state) }
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
            certificate: state.peer_certificates().and_then(<[_]>::first).map(|der| shown(der)),
            authorities: Vec::new(),
            sni: None,
        }
    }
}
