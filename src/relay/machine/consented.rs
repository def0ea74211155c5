//! Messages about patients who have to consent: nothing of one goes on before that is known.
//!
//! An object is judged by its header, as real values have it: as it came, and where it gets its real values back here, as it goes on. What a
//! list says, or an object of itself, is known at once; a server is asked ([`Question::Consent`]), and the message waits.

use super::compared::Compared;
use super::desk::Context;
use super::exchange::Exchange;
use super::passage::Passage;
use super::request::Refused;
use super::rewritten::Rewritten;
use super::scoped::{GathersAnswer, Header};
use super::state::{Next, State};
use super::stepping::Part;
use super::swallowed::refuse_held;
use super::terms::Consented;
use super::want::Question;
use crate::consent::Who;
use crate::dataset::{Encoding, ISSUER_OF_PATIENT_ID, PATIENT_ID, SPECIFIC_CHARACTER_SET, Small};
use crate::dimse::{Command, Operation};
use crate::policy::Direction;
use crate::rewrite::text_of;
use crate::vocabulary::Cause;

/// A message whose patient somebody is asked about.
pub(super) enum AwaitsConsent {
    /// An object that goes on as it came; whether it has ended.
    Compared(Box<Compared>, bool),
    /// One that is rewritten, with the fragment that it waits in.
    Rewritten(Box<Rewritten>, Part),
    /// One that has got its real values back; whether it has ended.
    Restored(Box<Rewritten>, bool),
    /// An answer, which is there whole.
    Answer(Box<GathersAnswer>),
}

impl AwaitsConsent {
    /// Asks, and waits.
    pub(super) fn ask(self, cx: &mut Context<'_>, whom: Box<Who>) -> State {
        // Nothing of this message has gone out: whoever has to say something there need not wait too.
        (cx.desk.writes, cx.desk.gives_back) = (true, true);
        cx.ask(Question::Consent(whom));
        State::AwaitsConsent(Box::new(self))
    }

    pub(super) fn handle(self, cx: &mut Context<'_>, consented: Consented) -> Next {
        match self {
            Self::Compared(data, last) => data.consented(cx, consented, last),
            Self::Rewritten(data, part) => data.consented(cx, consented, part),
            Self::Restored(data, last) => data.restored_consented(cx, consented, last),
            Self::Answer(data) => data.consented(cx, consented),
        }
    }
}

/// Why a message goes nowhere; `None`: it may go on.
pub(super) fn refused(consented: Consented) -> Option<Refused> {
    match consented {
        Consented::Yes => None,
        Consented::No => Some(Refused::new(Cause::NoConsent, "the patient has not consented")),
        Consented::NotKnown => {
            Some(Refused::new(Cause::ConsentNotKnown, "the consent of the patient could not be found out"))
        }
    }
}

/// Whether a request can be judged, as far as consent goes: what brings nothing that could be looked at is refused where consent is in
/// objects alone.
pub(super) fn permits(cx: &Context<'_>, exchange: &Exchange, command: &Command) -> Result<(), Refused> {
    let Some(consents) = &cx.terms.consent else { return Ok(()) };
    let refused = |comment| Err(Refused::new(Cause::NoConsent, comment));
    use Operation::{CFind, CMove, CStore, NAction, NGet};
    match (cx.direction, exchange.operation) {
        (_, CStore) if !command.has_data_set => refused("an object that names no patient"),
        (Direction::FromPeer, CFind | CMove | NAction | NGet)
            if consents.is_in_objects() && consents.of(None) != Some(Consented::Yes) =>
        {
            refused("consent is looked for in objects, and this brings none")
        }
        _ => Ok(()),
    }
}

/// Answers whoever sent an object that is not to go on, and of which nothing has; its record says whose it is, as records do.
pub(super) fn refuse_object(
    cx: &mut Context<'_>,
    (command, passage): (&Command, &Passage),
    header: &Header,
    why: Refused,
    last: bool,
) -> State {
    let (patient, study) = (header.patient(), header.study());
    let note = |exchange: &mut Exchange| {
        exchange.patient = patient.or(exchange.patient.take());
        exchange.study = study.or(exchange.study.take());
    };
    refuse_held(cx, command, passage, why, note, last)
}

/// Who an answer is about. `None`: it cannot be told.
pub(super) fn whom(encoding: Option<Encoding>, bytes: &[u8]) -> Option<Who> {
    let small = Small::read(encoding?, bytes)?;
    let set = small.value(SPECIFIC_CHARACTER_SET).unwrap_or_default();
    let text = |tag| small.value(tag).map(|value| text_of(set, value));
    Who::of(text(PATIENT_ID).as_deref(), text(ISSUER_OF_PATIENT_ID).as_deref())
}
