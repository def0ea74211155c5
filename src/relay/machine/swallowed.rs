//! A data set that goes nowhere.

use super::command_set::{count_empty, of_another};
use super::desk::Context;
use super::ended::Ended;
use super::state::{Break, Came, Next, State};
use crate::wire::Kind;

/// The rest of a data set is awaited and thrown away; then the sender of the request gets this response, unless it has had
/// one, and an association that cannot go on ends.
pub(super) struct Swallowed {
    pub context_id: u8,
    pub empty: u32,
    pub response: Option<Vec<u8>>,
    pub ends_with: Option<Box<Ended>>,
}

impl Swallowed {
    /// From its first byte.
    pub(super) fn of(context_id: u8, response: Option<Vec<u8>>) -> State {
        State::Swallowed(Box::new(Self { context_id, empty: 0, response, ends_with: None }))
    }

    pub(super) fn handle(mut self: Box<Self>, cx: &mut Context<'_>, came: &Came) -> Next {
        if came.kind != Kind::DataSet || came.context_id != self.context_id {
            return Err(Break::inside(of_another(cx, came.context_id)));
        }
        count_empty(cx, &mut self.empty, came).map_err(Break::inside)?;
        Ok(self.go_on(cx, came.last))
    }

    /// With `last` it has ended.
    pub(super) fn go_on(self: Box<Self>, cx: &mut Context<'_>, last: bool) -> State {
        if !last {
            return State::Swallowed(self);
        }
        if let Some(response) = self.response {
            cx.reply(self.context_id, response);
        }
        self.ends_with.map_or(State::BETWEEN, State::Ending)
    }
}
