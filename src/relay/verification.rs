//! A C-ECHO to an upstream as the proxy would do it: the same addresses, waits, TLS and AE titles (PS3.4 Annex A).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::proxy_header;
use super::session::part_from;
use super::upstream::{self, Candidate, Checking, Dialled, NotReached, Place, Standing};
use crate::config::{Limits, UpstreamSettings};
use crate::dimse::{self, Status};
use crate::tls::Session;
use crate::upper::{self, Deadlines, Request, Requestor, Terms};
use crate::vocabulary::Reason;
use crate::wire::associate::{AssociateAc, AssociateRq, ContextResult};
use crate::wire::pdu::Rejection;
use crate::wire::{AeTitle, Malformed};

const VERIFICATION: &str = "1.2.840.10008.1.1";
const IMPLICIT_VR_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";
const MESSAGE_ID: u16 = 1;
/// What an upstream hears where its settings pass AE titles on as requestors write them.
pub const ECHO_AE_TITLE: &str = "DIMSEGATE";

/// What an upstream that answers is like.
#[derive(Debug)]
pub struct Echoed {
    /// The address that answered, with its port.
    pub address: String,
    /// Addresses before it in the list that did not, each with its reason.
    pub passed_over: Vec<String>,
    /// The AE title that dimsegate asked as.
    pub calling: AeTitle,
    /// The AE title that it asked for.
    pub called: AeTitle,
    /// What was agreed on with it, and its certificate; `None`: plain TCP.
    pub tls: Option<Session>,
    /// The answer to the C-ECHO-RQ.
    pub status: Status,
    /// What it says of itself in item 52H; `None` where it breaks the standard and says nothing.
    pub implementation_class_uid: Option<String>,
    /// What it says of itself in item 55H, escaped.
    pub implementation_version_name: Option<String>,
    /// What the upstream said it takes in a P-DATA-TF, in bytes; 0 is unlimited.
    pub maximum_length: u32,
    /// From the first address that was tried until one was connected, TLS and a look-up of names included.
    pub connected: Duration,
    /// Where the upstream was busy, with the wait for it.
    pub associated: Duration,
    /// From the C-ECHO-RQ to its response.
    pub echoed: Duration,
}

/// Why there was no C-ECHO. Each begins with the upstream, and once it was reached has its address.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    /// No connection was made to any address; what was tried, and what came of each.
    #[error("{0}")]
    NotReached(String),
    /// The upstream answered with an A-ASSOCIATE-RJ.
    #[error(
        "upstream \"{upstream}\" at {address} was asked as \"{calling}\" for \"{called}\" and answered {rejection}"
    )]
    Rejected {
        /// Its name in the configuration.
        upstream: String,
        /// The address that answered, with its port.
        address: String,
        /// The AE title that it knew dimsegate by.
        calling: AeTitle,
        /// The AE title that it was asked for.
        called: AeTitle,
        /// Result, source and reason, as it gave them.
        rejection: Rejection,
    },
    /// It answered the A-ASSOCIATE-RQ in another way, or not in time.
    #[error("upstream \"{upstream}\" at {address}: {detail}")]
    NotAssociated {
        /// Its name in the configuration.
        upstream: String,
        /// The address that was asked, with its port.
        address: String,
        /// What came instead, or that nothing did.
        detail: String,
    },
    /// The association is there, and C-ECHO is not.
    #[error(
        "upstream \"{upstream}\" at {address} accepted the association, but not the Verification SOP class ({result}); is \
         C-ECHO switched off there?"
    )]
    NotOffered {
        /// Its name in the configuration.
        upstream: String,
        /// The address that answered, with its port.
        address: String,
        /// Why not, as it says.
        result: ContextResult,
    },
    /// The C-ECHO-RQ went out, and no response came in time, or none to it.
    #[error("upstream \"{upstream}\" at {address}: no C-ECHO-RSP: {error}")]
    NotEchoed {
        /// Its name in the configuration.
        upstream: String,
        /// The address that answered, with its port.
        address: String,
        /// What ended the association.
        error: upper::Error,
    },
    /// What dimsegate would say cannot be encoded.
    #[error("{0}")]
    Unsendable(#[from] Malformed),
}

/// Who is asked, and in whose name.
struct Asking<'a> {
    upstream: &'a Arc<UpstreamSettings>,
    limits: &'a Limits,
    calling: AeTitle,
    called: AeTitle,
}

/// Connects, asks for an association with the Verification SOP class, and sends one C-ECHO-RQ. `default` stands for AE titles
/// that the upstream's settings leave as requestors write them.
///
/// # Errors
/// The step that failed.
pub async fn echo(
    upstream: &Arc<UpstreamSettings>,
    limits: &Limits,
    default: &AeTitle,
) -> Result<Echoed, EchoError> {
    gather_entropy(upstream);
    Asking::new(upstream, limits, default).echo().await
}

/// The first random bytes of a process take some 40 ms, while aws-lc gathers noise of its own. The proxy has them behind it, and
/// the time that is told is the one that the proxy needs.
fn gather_entropy(upstream: &UpstreamSettings) {
    if upstream.tls.is_some() {
        // Where there is no randomness the handshake says so.
        let _ = aws_lc_rs::rand::fill(&mut [0; 1]);
    }
}

/// As [`checked`], for whoever checks all upstreams.
pub(crate) fn check<'a>(
    upstream: &'a Arc<UpstreamSettings>,
    limits: &'a Limits,
    at: &'a Candidate,
) -> Checking<'a> {
    Box::pin(checked(upstream, limits, at))
}

/// A C-ECHO to one address, to see whether it is there. How long it took; what the upstream said instead, where it refuses
/// C-ECHOs: that is an answer too.
///
/// # Errors
/// It did not answer, or not with success.
async fn checked(
    upstream: &Arc<UpstreamSettings>,
    limits: &Limits,
    at: &Candidate,
) -> Result<Result<Duration, String>, NotReached> {
    let began = Instant::now();
    let failed = |detail: String| NotReached::new(Reason::UpstreamUnreachable, detail);
    let own: AeTitle = ECHO_AE_TITLE.parse().map_err(|error| failed(format!("{ECHO_AE_TITLE} {error}")))?;
    let asking = Asking::new(upstream, limits, &own);
    let request = asking.request().map_err(|error| failed(error.to_string()))?;
    let mut dialled = upstream::dial(upstream, at.address, &asking.header(), Duration::ZERO).await?;
    let answered = match upstream::associate(limits, upstream, &mut dialled.leg, &request).await {
        Ok(answered) => answered,
        Err(not_reached) => {
            let (reason, is_silence) = (not_reached.reason, not_reached.is_silence());
            let refused = if is_silence { Err(not_reached) } else { Ok(Err(not_reached.detail)) };
            part_from(dialled.leg, reason).await;
            return refused;
        }
    };
    match asking.exchange(dialled.leg.into_stream(), &request, answered).await {
        Ok((Status::SUCCESS, _)) => Ok(Ok(began.elapsed())),
        Ok((status, _)) => Err(failed(format!("the C-ECHO was answered with status {status}"))),
        Err(refused @ upper::Error::ContextRefused { .. }) => Ok(Err(refused.to_string())),
        Err(error) => Err(failed(format!("no C-ECHO-RSP: {error}"))),
    }
}

impl<'a> Asking<'a> {
    /// `default` stands for AE titles that the upstream's settings leave as requestors write them.
    fn new(upstream: &'a Arc<UpstreamSettings>, limits: &'a Limits, default: &AeTitle) -> Self {
        let title = |set: &Option<AeTitle>| set.as_ref().unwrap_or(default).clone();
        let (calling, called) = (title(&upstream.calling_ae_title), title(&upstream.called_ae_title));
        Self { upstream, limits, calling, called }
    }
}

impl Asking<'_> {
    async fn echo(self) -> Result<Echoed, EchoError> {
        let request = self.request()?;
        let began = Instant::now();
        let ((dialled, _place), answered) = self.ask(&request).await?;
        let associated = began.elapsed().saturating_sub(dialled.took);
        let Dialled { leg, address, tls, passed_over, took } = dialled;
        let said = answered.user.clone();
        let not_echoed = |error| self.not_echoed(&address, error);
        let exchanged = self.exchange(leg.into_stream(), &request, answered).await;
        let (status, echoed) = exchanged.map_err(not_echoed)?;
        let version = said.implementation_version_name.as_deref().map(crate::wire::escape);
        Ok(Echoed {
            passed_over,
            calling: self.calling,
            called: self.called,
            tls,
            status,
            implementation_class_uid: said.implementation_class_uid.as_ref().map(ToString::to_string),
            implementation_version_name: version,
            maximum_length: said.maximum_length.unwrap_or(0),
            connected: took,
            associated,
            echoed,
            address,
        })
    }

    fn name(&self) -> String {
        self.upstream.name.to_string()
    }

    fn request(&self) -> Result<AssociateRq, Malformed> {
        let mut request = Request::new(self.calling.clone(), self.called.clone());
        let proposed = request.propose(VERIFICATION, &[IMPLICIT_VR_LITTLE_ENDIAN]);
        proposed.map_err(|error| Malformed::invalid(error.to_string()))?;
        request.to_rq(self.limits.max_pdu_length)
    }

    /// dimsegate speaks for itself.
    fn header(&self) -> Vec<u8> {
        if self.upstream.send_proxy_protocol { proxy_header::local() } else { Vec::new() }
    }

    async fn ask(&self, request: &AssociateRq) -> Result<((Dialled, Place), AssociateAc), EchoError> {
        let Self { limits, upstream, .. } = self;
        let standing = Standing::unknown(Arc::clone(upstream));
        let asking =
            upstream::Asking { limits, upstream, standing: &standing, header: self.header(), witness: None };
        let asked = asking.ask(request).await;
        let ((dialled, place), answered) = asked.map_err(|failed| EchoError::NotReached(failed.detail))?;
        match answered {
            Ok(answered) => Ok(((dialled, place), answered)),
            Err(failed) => {
                let reason = failed.reason;
                let error = self.not_associated(&dialled.address, failed);
                part_from(dialled.leg, reason).await;
                Err(error)
            }
        }
    }

    fn not_associated(&self, address: &str, failed: NotReached) -> EchoError {
        let (upstream, address) = (self.name(), address.to_owned());
        match (failed.reason, failed.abort) {
            (Reason::UpstreamRejected { result, source, reason }, _) => EchoError::Rejected {
                upstream,
                address,
                calling: self.calling.clone(),
                called: self.called.clone(),
                rejection: Rejection { result, source, reason },
            },
            (_, Some(abort)) => {
                let detail = format!("it answered the A-ASSOCIATE-RQ with {abort}");
                EchoError::NotAssociated { upstream, address, detail }
            }
            _ => {
                // The error names it once.
                let detail = match failed.detail.strip_prefix("the upstream ") {
                    Some(rest) => format!("it {rest}"),
                    None => failed.detail,
                };
                EchoError::NotAssociated { upstream, address, detail }
            }
        }
    }

    fn not_echoed(&self, address: &str, error: upper::Error) -> EchoError {
        let (upstream, address) = (self.name(), address.to_owned());
        match error {
            upper::Error::ContextRefused { result, .. } => {
                EchoError::NotOffered { upstream, address, result }
            }
            error => EchoError::NotEchoed { upstream, address, error },
        }
    }

    async fn exchange(
        &self,
        stream: Box<dyn upper::Transport>,
        request: &AssociateRq,
        answered: AssociateAc,
    ) -> Result<(Status, Duration), upper::Error> {
        let terms = terms(self.limits, self.upstream);
        let mut association = Requestor::established(stream, request, answered, &terms).await?;
        let context = association.contexts().accepted(VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN);
        let context = match context.map(|(id, _)| id) {
            Ok(id) => id,
            Err(refused) => {
                let _ = association.release().await;
                return Err(refused);
            }
        };
        let request = dimse::echo_request(VERIFICATION, MESSAGE_ID);
        let began = Instant::now();
        let status = association.perform(context, &request, None).await?;
        let echoed = began.elapsed();
        // It has answered: how it parts is no reason to call it away.
        let _ = association.release().await;
        Ok((status, echoed))
    }
}

/// A C-ECHO needs nothing from a tape: its answer has the deadline of a message, where that of an answer is not shorter.
fn terms(limits: &Limits, upstream: &UpstreamSettings) -> Terms {
    let length = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    let response = upstream.response_timeout.unwrap_or(limits.response_timeout);
    Terms {
        deadlines: Deadlines {
            associate: limits.associate_timeout,
            answer: response.min(limits.dimse_timeout),
            progress: limits.dimse_timeout,
            release: limits.release_timeout,
        },
        max_pdu_length: limits.max_pdu_length,
        max_associate_length: length(limits.max_associate_length),
        max_command_length: length(limits.max_command_length),
        min_bytes_per_second: limits.min_bytes_per_second,
    }
}
