//! The order to end an association, from outside: whoever gives it wakes the association, which waits for nothing else then.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::vocabulary::Reason;

/// How soon an order takes effect. The greater is the sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    /// Once no message is under way in either direction, or the grace period is over; none begins from then on.
    BetweenMessages,
    AtOnce,
}

/// That an association is to end, and why: both sides get an A-ABORT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub when: When,
    pub reason: Reason,
    /// Who gave it, or by which rule, for the closing record.
    pub detail: Arc<str>,
}

/// Where an association hears of the order to end.
#[derive(Default)]
pub(crate) struct Orders {
    given: Mutex<Option<Order>>,
    told: Notify,
}

impl Orders {
    /// Gives the order. One that was given before stands, unless this one is sooner. Whether it is this one that stands now.
    pub(crate) fn give(&self, order: Order) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if given.as_ref().is_some_and(|before| before.when >= order.when) {
            return false;
        }
        *given = Some(order);
        drop(given);
        // The one who waits, or who will.
        self.told.notify_one();
        true
    }

    /// Whether somebody has ordered its end.
    pub(crate) fn is_given(&self) -> bool {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits for an order that is sooner than `known`. For one task.
    pub(crate) async fn given(&self, known: Option<When>) -> Order {
        loop {
            let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(order) = given.filter(|order| Some(order.when) > known) {
                return order;
            }
            self.told.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Orders, When};
    use crate::vocabulary::Reason;
    use std::sync::Arc;

    fn order(when: When) -> Order {
        Order { when, reason: Reason::EndedByAdministrator, detail: "alice".into() }
    }

    #[tokio::test]
    async fn an_order_is_heard_by_who_waits_and_by_who_comes_later_and_a_sooner_one_after_it() {
        let orders = Arc::new(Orders::default());
        let waiting = tokio::spawn({
            let orders = orders.clone();
            async move { orders.given(None).await }
        });
        tokio::task::yield_now().await;
        assert!(orders.give(order(When::BetweenMessages)));
        assert_eq!(waiting.await.unwrap(), order(When::BetweenMessages));
        assert_eq!(orders.given(None).await.when, When::BetweenMessages);
        assert!(!orders.give(order(When::BetweenMessages)), "it stands already");
        assert!(orders.give(order(When::AtOnce)));
        assert_eq!(orders.given(Some(When::BetweenMessages)).await.when, When::AtOnce);
        assert!(!orders.give(order(When::BetweenMessages)), "later than what stands");
    }
}
