//! The names of one upstream, and what they stand for now.
//!
//! A look-up cannot be ended, and a name server that is gone lets it last. So one is shared by all who wait for the same name,
//! and whoever waits gives up before it does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::book::{Book, LookedUp, Named};
use super::lookup;
use super::standing::Standing;

/// How long no association waits for a name that was asked for in vain.
const PAUSE: Duration = Duration::from_secs(5);

impl Standing {
    /// Asks anew what a name stands for, together with all who ask for it now. What was known stays where there is no answer.
    ///
    /// # Errors
    /// Why there is none in time.
    pub(super) async fn look_up(self: &Arc<Self>, name: &str, patience: Duration) -> Result<(), String> {
        let mut begun = self.begun(name);
        match timeout(patience, begun.wait_for(Option::is_some)).await {
            Ok(Ok(told)) => told.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err("looking it up was given up".to_owned()),
            Err(_) => {
                let problem = format!("looking it up took longer than {patience:?}");
                self.not_known(&mut self.book(), name, &problem);
                Err(problem)
            }
        }
    }

    /// Looks a name up for an association, unless that was in vain a moment ago.
    ///
    /// # Errors
    /// Why it is not known.
    pub(super) async fn find(self: &Arc<Self>, name: &str, patience: Duration) -> Result<(), String> {
        let spared = self.book().names.get(name).and_then(Named::spared);
        match spared {
            Some(problem) => Err(problem),
            None => self.look_up(name, patience).await,
        }
    }

    /// Which of these are known to stand for nothing, each with the reason.
    pub(super) fn problems(&self, names: &[&str]) -> Vec<String> {
        let book = self.book();
        let problem = |name: &&str| Some(format!("{name}: {}", book.names.get(*name)?.problem.as_deref()?));
        names.iter().filter_map(problem).collect()
    }

    /// The look-up that is under way, or one that begins now.
    fn begun(self: &Arc<Self>, name: &str) -> LookedUp {
        let mut book = self.book();
        let named = book.names.entry(name.to_owned()).or_default();
        if let Some(under_way) = &named.under_way {
            return under_way.clone();
        }
        let (tell, told) = watch::channel(None);
        named.under_way = Some(told.clone());
        let (standing, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            let found = lookup::look_up(&standing.lookup, &name).await;
            let mut book = standing.book();
            book.names.entry(name.clone()).or_default().under_way = None;
            let known = match found {
                Ok(found) => {
                    standing.known(&mut book, &name, &found);
                    Ok(())
                }
                Err(problem) => {
                    standing.not_known(&mut book, &name, &problem);
                    Err(problem)
                }
            };
            drop(book);
            // Whoever waited may have given up.
            let _ = tell.send(Some(known));
        });
        told
    }

    fn known(&self, book: &mut Book, name: &str, found: &[std::net::SocketAddr]) {
        let named = book.names.entry(name.to_owned()).or_default();
        (named.problem, named.spared) = (None, None);
        if named.failing.over() {
            tracing::info!(upstream = %self.name, name, "the name is known again");
        }
        if let Some(now) = lookup::follow(&named.addresses, found) {
            if !named.addresses.is_empty() {
                tracing::info!(upstream = %self.name, name, before = ?named.addresses, ?now, "the name stands for other addresses");
            }
            named.addresses = now;
        }
        // An association of settings that are no longer in force keeps the name for as long as it dials.
        if book.settings.addresses.iter().any(|address| address == name) {
            book.refresh();
        }
        self.tell(book);
    }

    fn not_known(&self, book: &mut Book, name: &str, problem: &str) {
        let named = book.names.entry(name.to_owned()).or_default();
        if let Some(times) = named.failing.again(Instant::now()) {
            let stays = if named.addresses.is_empty() { "" } else { "; its last addresses stay" };
            tracing::warn!(upstream = %self.name, name, problem, times, "the name is not known{stays}");
        }
        named.problem = Some(problem.to_owned());
        named.spared = Some(Instant::now() + PAUSE);
        self.tell(book);
    }
}

impl Named {
    /// Why nobody waits for it now.
    fn spared(&self) -> Option<String> {
        self.spared.filter(|until| Instant::now() < *until).and(self.problem.clone())
    }
}
