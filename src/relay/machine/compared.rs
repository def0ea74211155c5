//! A C-STORE whose data set goes on as it came, but not before it is known to be what its command says: the operation is
//! judged and recorded by its command, and an archive keeps the data set.

use super::consented::{self, AwaitsConsent};
use super::desk::Context;
use super::exchange::{Exchange, Labels, Named, unread};
use super::passage::Passage;
use super::request::Refused;
use super::scoped::{Header, Verdict};
use super::state::{Break, Came, Next, State};
use super::swallowed::refuse_held;
use super::terms::Consented;
use crate::dataset::{Encoding, Names, Observer, Unnamed};
use crate::dimse::Command;
use crate::rewrite::text_of;
use crate::vocabulary::{Cause, Tolerance};

/// The command waits for its data set to say the same. What has come of that waits too.
pub(super) struct Compared {
    command: Box<Command>,
    names: Names,
    /// Nothing more of it has to be looked at.
    is_named: bool,
    /// Where its receiver may see some studies only, or its patient has to consent.
    scoped: Option<Box<Header>>,
    pub observed: Box<Observed>,
}

/// It does, and goes on; study and patient are looked for.
pub(super) struct Observed {
    pub passage: Passage,
    /// Where it is known how the data set is encoded.
    pub observer: Option<Observer>,
}

/// Why a C-STORE goes nowhere.
enum Unlike {
    Other(Named),
    Unnamed(Unnamed),
}

impl Compared {
    /// `encoding` is that of the transfer syntax, where it is known; `scoped` the header that has to be judged.
    pub(super) fn of(
        passage: Passage,
        command: Box<Command>,
        encoding: Option<Encoding>,
        scoped: Option<Box<Header>>,
    ) -> State {
        let observer = encoding.map(Observer::new);
        let observed = Box::new(Observed { passage, observer });
        let names = encoding.map_or_else(Names::guessing, Names::new);
        State::Compared(Box::new(Self { command, names, is_named: false, scoped, observed }))
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.observed.passage.take(cx, came).map_err(Break::inside)?;
        let input = cx.desk.bytes(came.range.clone()).map_err(Break::inside)?;
        let is_judged = self.scoped.as_mut().is_none_or(|header| header.look(input, came.last));
        match self.look(input, came.last) {
            Err(unlike) => Ok(self.refuse(cx, unlike, came.last)),
            Ok(is_known) => match self.scoped.as_ref().filter(|_| is_judged).map(|header| header.verdict(cx))
            {
                Some(Verdict::Refused(why)) => Ok(self.refuse_by_header(cx, why, came.last)),
                Some(Verdict::Asks(whom)) if is_known => {
                    self.observed.take(cx, came)?;
                    Ok(AwaitsConsent::Compared(self, came.last).ask(cx, whom))
                }
                _ => {
                    self.observed.take(cx, came)?;
                    if is_known && is_judged { self.known(cx, came.last) } else { Ok(State::Compared(self)) }
                }
            },
        }
    }

    /// It is known whether its patient has consented, which was all that it waited for.
    pub(super) fn consented(self: Box<Self>, cx: &mut Context<'_>, consented: Consented, last: bool) -> Next {
        match consented::refused(consented) {
            Some(why) => Ok(self.refuse_by_header(cx, why, last)),
            None => self.known(cx, last),
        }
    }

    fn refuse_by_header(self: Box<Self>, cx: &mut Context<'_>, why: Refused, last: bool) -> State {
        let Self { command, scoped, observed, .. } = *self;
        let message = (&*command, &observed.passage);
        match scoped {
            Some(header) => consented::refuse_object(cx, message, &header, why, last),
            None => refuse_held(cx, message.0, message.1, why, |_| (), last),
        }
    }

    /// Looks at the next bytes of the data set, with `last` at its end. Whether it is known to be what its command says.
    fn look(&mut self, input: &[u8], last: bool) -> Result<bool, Unlike> {
        if self.is_named {
            return Ok(true);
        }
        if !self.names.look(input).map_err(Unlike::Unnamed)? {
            if !last {
                return Ok(false);
            }
            self.names.finish().map_err(Unlike::Unnamed)?;
        }
        let (sop_class, sop_instance) = self.command.affected();
        let other = |name: Option<&[u8]>, expected: &[u8]| {
            name.filter(|name| *name != expected).map(crate::wire::escape)
        };
        let named = Named {
            sop_class: other(self.names.sop_class(), sop_class),
            sop_instance: other(self.names.sop_instance(), sop_instance),
        };
        self.is_named = true;
        if named == Named::default() { Ok(true) } else { Err(Unlike::Other(named)) }
    }

    /// Where the command alone says what the data set is, it is what the command says, and so it is where it says that twice,
    /// or behind a VR that is none: labels for the record.
    fn tolerated(&self) -> Labels {
        if !self.names.is_read() {
            return vec![Tolerance::DataSetNotCompared.label().into()];
        }
        let absent = [
            (self.names.sop_class(), Tolerance::DataSetWithoutSopClass),
            (self.names.sop_instance(), Tolerance::DataSetWithoutSopInstance),
        ];
        let absent = absent.into_iter().filter(|(name, _)| name.is_none()).map(|(_, tolerance)| tolerance);
        let repeated = self.names.is_repeated().then_some(Tolerance::DataSetRepeated);
        let respelled = self.names.is_respelled().then_some(Tolerance::DataSetVr);
        absent.chain(repeated).chain(respelled).map(|tolerance| tolerance.label().into()).collect()
    }

    /// The command goes, and what has come of its data set behind it.
    fn known(self: Box<Self>, cx: &mut Context<'_>, last: bool) -> Next {
        let labels = self.tolerated();
        let Self { command, observed, .. } = *self;
        if !labels.is_empty()
            && let Some(exchange) = observed.passage.request.and_then(|message_id| cx.asked(message_id))
        {
            exchange.tolerate(labels);
        }
        cx.send(observed.passage.to_context_id, command.bytes());
        observed.go_on(cx, last)
    }

    /// The data set is not what its command says, or nobody knows: neither goes on.
    fn refuse(self: Box<Self>, cx: &mut Context<'_>, unlike: Unlike, last: bool) -> State {
        let (why, named) = unlike.told();
        let note = |exchange: &mut Exchange| exchange.named = named;
        refuse_held(cx, &self.command, &self.observed.passage, why, note, last)
    }
}

impl Observed {
    /// Whether more of the data set could show more.
    pub(super) fn wants_more(&self) -> bool {
        self.observer.as_ref().is_some_and(Observer::wants_more)
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        self.passage.take(cx, came).map_err(Break::inside)?;
        self.take(cx, came)?;
        self.go_on(cx, came.last)
    }

    fn take(&mut self, cx: &mut Context<'_>, came: &Came) -> Result<(), Break> {
        if let Some(observer) = &mut self.observer {
            observer.observe(cx.desk.bytes(came.range.clone()).map_err(Break::inside)?);
        }
        if !came.range.is_empty() {
            cx.desk.pass(came.range.clone());
        }
        Ok(())
    }

    fn go_on(self: Box<Self>, cx: &mut Context<'_>, last: bool) -> Next {
        if !last {
            return Ok(State::Observed(self));
        }
        let observer = self.observer.as_ref();
        self.passage.note(cx, |exchange| {
            let Some(observer) = observer else { return };
            exchange.study = observer.study_instance_uid().map(crate::wire::escape);
            let patient = observer.patient_id().filter(|_| !observer.is_pattern());
            let patient = patient.map(|patient| text_of(observer.character_set(), patient).into_owned());
            exchange.patient = patient.or(exchange.patient.take());
            exchange.tolerate(unread(observer.is_lost()));
        });
        cx.pack(self.passage.to_context_id, true).map_err(Break::inside)?;
        Ok(State::BETWEEN)
    }
}

impl Unlike {
    /// Why it is refused, and what the data set says instead, for the record.
    fn told(self) -> (Refused, Named) {
        match self {
            Self::Other(named) => {
                let what = match (&named.sop_class, &named.sop_instance) {
                    (Some(_), Some(_)) => "SOP class and instance",
                    (Some(_), None) => "SOP class",
                    _ => "SOP instance",
                };
                let comment = format!("the data set names another {what} than the command");
                (Refused::new(Cause::DataSetMismatch, comment), named)
            }
            Self::Unnamed(unnamed) => {
                (Refused::new(Cause::DataSetUnreadable, unnamed.to_string()), Named::default())
            }
        }
    }
}
