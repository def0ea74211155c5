//! What an association is told from outside: that the proxy stops, and orders to end.

use std::future::pending;

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep_until};

use super::Boxed;
use crate::relay::gate::{Gate, Stage};
use crate::relay::live::{Entry as Entered, Order};
use crate::relay::machine::Ended;

/// An order that waits for the end of a message.
pub(super) struct Waiting {
    pub order: Order,
    /// Until then, and no longer. `None`: a time beyond all clocks.
    pub until: Option<Instant>,
}

/// What comes from outside, and ends the association sooner or later.
pub(super) enum Call {
    /// The proxy stops, and has come so far.
    Stage(Stage),
    Order(Order),
    /// An order has waited long enough for the end of a message.
    Overdue,
}

/// What is heard next from outside: the next stage of a stop, an order that is sooner than the one that waits, or that this
/// one has waited long enough.
pub(super) fn called<'a>(
    gate: &'a Gate,
    entry: &'a Entered,
    stage: Stage,
    waiting: Option<&Waiting>,
) -> Boxed<'a, Call> {
    let (known, until) =
        (waiting.map(|waiting| waiting.order.when), waiting.and_then(|waiting| waiting.until));
    let overdue = async move {
        match until {
            // Boxed: an association without an order holds no timer.
            Some(until) => Box::pin(sleep_until(until)).await,
            None => pending().await,
        }
    };
    let next_stage = async move {
        match stage {
            Stage::Running => gate.draining().await,
            _ => gate.stopping().await,
        }
        if stage == Stage::Running { Stage::Draining } else { Stage::Stopping }
    };
    Box::pin(unconstrained(async move {
        tokio::select! {
            biased;
            stage = next_stage => Call::Stage(stage),
            order = entry.orders.given(known) => Call::Order(order),
            () = overdue => Call::Overdue,
        }
    }))
}

pub(super) fn ended_by(order: &Order) -> Ended {
    Ended::Ordered { reason: order.reason, detail: order.detail.clone() }
}
