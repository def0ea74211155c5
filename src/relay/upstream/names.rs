//! The names of one upstream, and what they stand for now.

use std::time::Duration;

use tokio::time::Instant;

use super::lookup;
use super::standing::Standing;

impl Standing {
    /// Asks anew what a name stands for. What was known stays where there is no answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn look_up(&self, name: &str, patience: Duration) -> Result<(), String> {
        let found = lookup::look_up(&self.lookup, name, patience).await;
        let mut book = self.book();
        let named = book.names.entry(name.to_owned()).or_default();
        let known = !named.addresses.is_empty();
        match found {
            Ok(found) => {
                named.problem = None;
                if named.failing.over() {
                    tracing::info!(upstream = %self.name, name, "the name is known again");
                }
                if let Some(now) = lookup::follow(&named.addresses, &found) {
                    if known {
                        tracing::info!(upstream = %self.name, name, before = ?named.addresses, ?now, "the name stands for other addresses");
                    }
                    named.addresses = now;
                }
                // An association of settings that are no longer in force keeps the name for as long as it dials.
                if book.settings.addresses.iter().any(|address| address == name) {
                    book.refresh();
                }
                self.tell(&book);
                Ok(())
            }
            Err(problem) => {
                if let Some(times) = named.failing.again(Instant::now()) {
                    let stays = if known { "; its last addresses stay" } else { "" };
                    tracing::warn!(upstream = %self.name, name, problem, times, "the name is not known{stays}");
                }
                named.problem = Some(problem.clone());
                self.tell(&book);
                Err(problem)
            }
        }
    }
}
