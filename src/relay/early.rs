//! Watching a requestor that waits for its answer: it may leave or abort, and it may say nothing else (PS3.8 Table 9-10,
//! Sta3).

use super::arrival::Refused;
use super::leg::Leg;
use crate::vocabulary::Reason;
use crate::wire::AbortReason;
use crate::wire::pdu::{Abort, PduType};

/// Bytes that came before the answer. They stay here when the watch is given up.
#[derive(Default)]
pub(crate) struct Early {
    bytes: Vec<u8>,
}

impl Early {
    pub(super) fn is_silent(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns once the requestor has left, or has said something that is not an unfinished A-ABORT.
    pub(super) async fn watch(&mut self, requestor: &mut Leg) -> Refused {
        loop {
            let mut byte = [0];
            match requestor.read(&mut byte).await {
                Ok(0) => return left("the requestor closed while the upstream was asked"),
                Err(error) => {
                    return left(&format!("the requestor was lost while the upstream was asked: {error}"));
                }
                Ok(_) => self.bytes.extend_from_slice(&byte),
            }
            if self.bytes.first() != Some(&(PduType::Abort as u8)) {
                let what = "the requestor spoke before its A-ASSOCIATE-RQ was answered";
                let mut refused = Refused::new(Reason::MalformedPdu, what);
                refused.abort = Some(Abort::provider(AbortReason::UnexpectedPdu));
                return refused;
            }
            if self.bytes.len() == 10 {
                return left("the requestor aborted while the upstream was asked");
            }
        }
    }
}

fn left(what: &str) -> Refused {
    Refused::new(Reason::ConnectionLost, what)
}
