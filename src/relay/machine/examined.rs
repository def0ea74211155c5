//! The identifier of a query or retrieval that the role is asked about, which is read whole before anything of it goes on.

use super::desk::Context;
use super::exchange::Exchange;
use super::passage::{Passage, query_of};
use super::request::{Refused, asks};
use super::state::{Came, State};
use super::swallowed::refuse_held;
use super::terms::AcceptedContext;
use crate::dataset::{AskedBy, Identifier, Keys, Tag, Unread, number};
use crate::dimse::{self, Command};
use crate::policy::{Denial, Sought};
use crate::rewrite::text_of;
use crate::vocabulary::Cause;

/// An identifier of which not all has come.
pub(super) struct Examined(Keys);

impl Examined {
    /// The state of a query or retrieval whose command set has been read and whose identifier is to come.
    pub(super) fn of(context: &AcceptedContext, command: &Command) -> Result<Box<Self>, Refused> {
        let unreadable = |why: &str| Refused::new(Cause::QueryUnreadable, why);
        if !command.has_data_set {
            return Err(unreadable("a query or retrieval without an identifier"));
        }
        let encoding = context.encoding.ok_or_else(|| unreadable("the transfer syntax cannot be read"))?;
        Ok(Box::new(Self(Keys::new(encoding))))
    }

    /// Looks at what came. At the end it gives what the identifier asks by.
    fn look(slot: &mut Option<Box<Self>>, input: &[u8], last: bool) -> Result<Option<Sought>, Unread> {
        let Some(examined) = slot else { return Ok(None) };
        examined.0.look(input)?;
        match slot.take_if(|_| last) {
            Some(examined) => Ok(Some(sought(examined.0.finish()?))),
            None => Ok(None),
        }
    }
}

/// Looks at what came of an identifier that is examined; at its end, asks whether the query may pass. The slot is empty once it may.
pub(super) fn look(
    cx: &mut Context<'_>,
    slot: &mut Option<Box<Examined>>,
    passage: &Passage,
    came: &Came,
) -> Result<(), Refused> {
    let input = cx.desk.inbox.all().get(came.range.clone()).unwrap_or_default();
    let looked = Examined::look(slot, input, came.last);
    let sought = looked.map_err(|unread| Refused::new(Cause::QueryUnreadable, unread.to_string()))?;
    let (Some(sought), Some(message_id)) = (sought, passage.request) else { return Ok(()) };
    let (Some(exchange), Some(context)) =
        (cx.books.ledger.find(cx.direction, message_id), cx.terms.context(passage.context_id))
    else {
        return Err(Refused::new(Cause::QueryUnreadable, "the request of the identifier is over"));
    };
    let allowed = allowed(cx, context, exchange, &sought)?;
    if let Some(exchange) = cx.asked(message_id) {
        exchange.allow(allowed);
    }
    Ok(())
}

/// What peer and user allow of a query or retrieval; a retrieval counts from now on.
pub(super) fn allowed(
    cx: &Context<'_>,
    context: &AcceptedContext,
    exchange: &Exchange,
    sought: &Sought,
) -> Result<crate::policy::Allowed, Refused> {
    let denied = |denial: Denial| Refused::new(denial.cause(), denial.to_string());
    let allowed =
        asks(cx, context, exchange, |request| cx.terms.grant.rights.permits_query(request, sought))?;
    let is_retrieval = matches!(exchange.operation, dimse::Operation::CMove | dimse::Operation::CGet);
    let counts = cx.terms.retrievals.as_ref().filter(|_| is_retrieval);
    match counts.is_none_or(|takes| takes(allowed.retrievals)) {
        true => Ok(allowed),
        false => Err(denied(Denial::Retrievals)),
    }
}

/// Answers a query of which nothing has gone on, once all of it has come. Its record has what came of its identifier.
pub(super) fn refuse(
    cx: &mut Context<'_>,
    command: &Command,
    passage: &Passage,
    identifier: Option<Box<Identifier>>,
    why: Refused,
    last: bool,
) -> State {
    let note = |exchange: &mut Exchange| {
        exchange.query = identifier.map(|identifier| query_of(*identifier));
        exchange.bytes = passage.bytes;
    };
    refuse_held(cx, command, passage, why, note, last)
}

/// What a role looks at of an identifier.
fn sought(AskedBy { character_set, top, step, matched }: AskedBy) -> Sought {
    let text = |(tag, value): (Tag, Vec<u8>)| {
        let text = text_of(&character_set, &value);
        (number(tag), String::from_utf8_lossy(&text).into_owned())
    };
    Sought::new(
        top.into_iter().map(text),
        step.into_iter().map(text),
        matched.into_iter().map(number).collect(),
    )
}
