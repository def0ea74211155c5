//! Tokens of requests (PS3.7 D.3.3.7, type 5), checked off the runtime's threads and a few at a time.

use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::in_turn::InTurn;
use crate::config::Settings;
use crate::tokens::{Bearer, Failed, Once, Presented, Purpose, Refused, Taken, ask_again, verify};

/// Tokens that are checked at once; not more than half of the processors, which associations need.
const CHECKING: usize = 4;

/// What all associations share of it.
pub(crate) struct Tokens {
    taken: Arc<Taken>,
    turns: InTurn,
}

/// A token, and with what it came.
pub(super) struct Shown {
    /// Whose issuers count.
    pub settings: Arc<Settings>,
    pub token: Zeroizing<Vec<u8>>,
    pub calling: String,
    /// SHA-256 of the certificate, in hex.
    pub certificate: Option<String>,
}

impl Tokens {
    /// Those that were taken are kept in this folder.
    pub(super) fn new(state_directory: &Path) -> Self {
        let checking = available_parallelism().map_or(1, |all| all.get() / 2).clamp(1, CHECKING);
        Self { taken: Arc::new(Taken::in_folder(state_directory)), turns: InTurn::new(checking) }
    }

    /// Whom it proves to come. Nothing is taken by that.
    ///
    /// # Errors
    /// Why it proves nobody.
    pub(super) async fn check(&self, shown: Shown) -> Result<Bearer, Failed> {
        let checked = self.in_turn(move |_| {
            let Shown { settings, token, calling, certificate } = &shown;
            let purpose = Purpose::Association { calling, interface: settings.interface_audience() };
            let presented = Presented { token, purpose, certificate: certificate.as_deref() };
            let verified = verify(&settings.issuers, &presented, OffsetDateTime::now_utc());
            verified.inspect_err(|failed| ask_again(&settings.issuers, &failed.refused))
        });
        checked.await.unwrap_or_else(|ended| Err(ended.into()))
    }

    /// Takes a token. It is on the disk behind this.
    ///
    /// # Errors
    /// That it was taken before, or why that cannot be known.
    pub(super) async fn take(&self, once: Once) -> Result<(), Refused> {
        let took = self.in_turn(move |taken| taken.take(&once, OffsetDateTime::now_utc()));
        took.await.unwrap_or_else(Err)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Taken) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let taken = self.taken.clone();
        let worked = self.turns.run(move || work(&taken)).await;
        worked.ok_or_else(|| Refused::Unavailable("the check ended without an answer".into()))
    }
}
