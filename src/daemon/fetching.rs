//! Keys of issuers, fetched from their servers again and again while the proxy runs. No association waits for that: what was
//! fetched last counts, for `keys-max-age`, also over a restart. A token that names a key which is not there has it looked for soon.
//!
//! A server is asked with a GET on a connection of its own. Whatever it answers is bounded in length and time, and it is followed
//! nowhere: whoever says which keys count is whom the configuration names.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::audit::{Audit, Event, SecurityAlert};
use crate::config::{KeyServer, Settings};
use crate::http::Get;
use crate::tokens::{KeySet, LARGEST, Stored};
use crate::vocabulary::Notice;

/// For a whole answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two fetches, at most: keys are published before they sign.
const LONGEST: Duration = Duration::from_secs(300);
/// After one that failed, and at least between two.
const AGAIN: Duration = Duration::from_secs(10);
const LEAST: Duration = Duration::from_secs(1);

/// Asks the servers of the settings in force, for as long as there is a sender of them. Keys are kept in a folder, for the next
/// start.
pub(super) async fn keep(mut settings: watch::Receiver<Arc<Settings>>, audit: Audit, folder: PathBuf) {
    loop {
        let current = settings.borrow_and_update().clone();
        // Those of the settings before end with it.
        let mut fetching = JoinSet::new();
        for server in &current.key_servers {
            let stored = Stored::in_folder(&folder, &server.issuer);
            fetching.spawn(Server { server: server.clone(), stored, audit: audit.clone() }.run());
        }
        if settings.changed().await.is_err() {
            return;
        }
    }
}

/// A server, and who is told of it.
struct Server {
    server: Arc<KeyServer>,
    stored: Stored,
    audit: Audit,
}

impl Server {
    async fn run(self) {
        let keys = self.server.keys.clone();
        self.recall().await;
        loop {
            let before = keys.fetching(OffsetDateTime::now_utc()).failing;
            let fetched = self.fetch().await;
            match &fetched {
                Ok(()) if before.is_some() => self.tell_of_success().await,
                Ok(()) => {}
                Err(error) => {
                    keys.fail(error.to_string());
                    self.tell_of_failure(error, before.as_deref()).await;
                }
            }
            let pause = pause(keys.max_age(), fetched.is_err());
            // Whoever names keys that nobody has makes the server be asked no more often than one that fails is.
            let least = pause.min(AGAIN);
            tokio::time::sleep(least).await;
            let _ = timeout(pause - least, keys.missed()).await;
        }
    }

    /// Goes on with what the run before has fetched, where nothing is there yet.
    async fn recall(&self) {
        let (stored, keys) = (self.stored.clone(), self.server.keys.clone());
        // A defect in there has told of itself.
        let _ = tokio::task::spawn_blocking(move || stored.recall(&keys, OffsetDateTime::now_utc())).await;
    }

    async fn fetch(&self) -> io::Result<()> {
        let answer = timeout(PATIENCE, get(&self.server)).await;
        let bytes = answer.unwrap_or_else(|_| {
            Err(io::Error::other(format!("the answer is not over after {} seconds", PATIENCE.as_secs())))
        })?;
        let (stored, keys) = (self.stored.clone(), self.server.keys.clone());
        let read = move || {
            let set = KeySet::parse(&bytes)?;
            let now = OffsetDateTime::now_utc();
            keys.keep(set, now);
            keep_for_the_next_start(&stored, keys.source(), &bytes, now);
            Ok::<_, String>(())
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?;
        read.map_err(|problem| io::Error::other(format!("the answer {problem}")))
    }

    /// Once in the records, and in the log once for each thing that is wrong.
    async fn tell_of_failure(&self, error: &io::Error, before: Option<&String>) {
        let KeyServer { issuer, authority, keys, .. } = &*self.server;
        if before.is_some_and(|before| *before == error.to_string()) {
            return;
        }
        let hours = keys.max_age().as_secs_f64() / 3600.0;
        tracing::error!(
            %issuer, %error, server = %authority,
            "the keys of the issuer cannot be fetched; the last good ones count for {hours:.1} hours from when they came"
        );
        if before.is_none() {
            let why = format!("the keys of issuer \"{issuer}\" cannot be fetched: {error}");
            self.record(Notice::IssuerKeysFailing, why).await;
        }
    }

    async fn tell_of_success(&self) {
        let issuer = &self.server.issuer;
        tracing::info!(%issuer, "the keys of the issuer are fetched again");
        self.record(Notice::IssuerKeysFetched, format!("the keys of issuer \"{issuer}\" are fetched again"))
            .await;
    }

    async fn record(&self, notice: Notice, explanation: String) {
        let (reason, about) = (notice.label().into(), Some(self.server.issuer.to_string()));
        let alert = SecurityAlert { reason, about, explanation, ..SecurityAlert::default() };
        self.audit.record(Event::SecurityAlert(Box::new(alert))).await;
    }
}

/// Whatever is there of before goes where these cannot be kept: it may have been withdrawn with them.
fn keep_for_the_next_start(stored: &Stored, source: &str, keys: &[u8], now: OffsetDateTime) {
    let Err(error) = stored.keep(source, keys, now) else { return };
    let file = stored.path().display();
    tracing::warn!(%file, %error, "fetched keys cannot be kept for the next start");
    if let Err(error) = stored.forget() {
        tracing::error!(
            %file, %error,
            "keys that were fetched before may count at the next start, and may have been withdrawn since; remove the file"
        );
    }
}

/// Several times within what a set counts for.
fn pause(max_age: Duration, failing: bool) -> Duration {
    let longest = if failing { AGAIN } else { LONGEST };
    (max_age / 4).clamp(LEAST, longest)
}

async fn get(server: &KeyServer) -> io::Result<Bytes> {
    let get = Get {
        address: &server.address,
        authority: &server.authority,
        path: &server.path,
        accept: "application/jwk-set+json, application/json",
        longest: LARGEST,
    };
    get.over(server.tls.clone(), server.server_name.clone()).await
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, LONGEST, keep_for_the_next_start, pause};
    use crate::logged;
    use crate::scratch::Scratch;
    use crate::tokens::Stored;
    use std::fs;
    use std::time::Duration;
    use time::OffsetDateTime;

    #[test]
    fn a_set_is_fetched_several_times_before_it_is_too_old() {
        let day = Duration::from_secs(86_400);
        assert_eq!((pause(day, false), pause(day, true)), (LONGEST, AGAIN));
        assert_eq!(pause(Duration::from_secs(8), false), Duration::from_secs(2));
        assert_eq!(pause(Duration::from_millis(1), true), Duration::from_secs(1));
    }

    #[test]
    fn old_keys_that_can_neither_be_replaced_nor_removed_are_an_error_of_the_log() {
        let home = Scratch::new();
        let stored = Stored::in_folder(home.path(), "login");
        let told =
            || logged::during(|| keep_for_the_next_start(&stored, "a", b"{}", OffsetDateTime::UNIX_EPOCH));
        assert_eq!(told(), "");
        // Neither can be done with a folder that has something in it.
        fs::remove_file(stored.path()).unwrap();
        fs::create_dir_all(stored.path().join("x")).unwrap();
        let text = told();
        assert!(
            text.contains("cannot be kept") && text.contains("ERROR") && text.contains("keys-login.json"),
            "{text}"
        );
        // What is kept beside, to take its place, has none: nothing of before is there to be removed.
        fs::remove_dir_all(stored.path()).unwrap();
        fs::create_dir_all(home.path().join("keys-login.json-new/x")).unwrap();
        let text = told();
        assert!(text.contains("cannot be kept") && !text.contains("ERROR"), "{text}");
    }
}
