//! The configuration in force, with what it has open.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::ServerConfig;

use super::consenting::{Asked, Source};
use crate::config::Settings;
use crate::crosswalk::{Crosswalk, CrosswalkError};
use crate::policy::ConsentWanted;

/// The configuration in force, with what it has open: both change at once.
pub(crate) struct InForce {
    pub settings: Arc<Settings>,
    /// By the names of their tables.
    crosswalks: BTreeMap<Arc<str>, Arc<Crosswalk>>,
    /// The same, shared with the associations that are open: a withdrawal counts for them too.
    consents: BTreeMap<Arc<str>, Arc<Source>>,
    /// The last `[admin.tls]` that was in force: whether there is TLS is settled at the start, and one of before may trust whom
    /// this one does not.
    pub admin_tls: Option<Arc<ServerConfig>>,
}

impl InForce {
    /// Opens every crosswalk of the settings, those that `before` has open excepted: they stay open.
    ///
    /// # Errors
    /// The first that cannot be opened.
    pub(crate) fn open(settings: Arc<Settings>, before: Option<&Self>) -> Result<Self, CrosswalkError> {
        let mut crosswalks = BTreeMap::new();
        for (name, wanted) in &settings.crosswalks {
            let mut open = before.into_iter().flat_map(|before| before.crosswalks.values());
            let crosswalk = match open.find(|crosswalk| crosswalk.is(&wanted.path, &wanted.secret)) {
                Some(still) => still.clone(),
                None => Arc::new(Crosswalk::open(&wanted.path, &wanted.secret)?),
            };
            crosswalks.insert(name.clone(), crosswalk);
        }
        let admin_tls = settings.admin.as_ref().and_then(|admin| admin.tls.as_ref());
        let admin_tls = admin_tls.map(|tls| tls.built.config.clone());
        let admin_tls = admin_tls.or_else(|| before?.admin_tls.clone());
        let consents = settings.consents.iter().map(|(name, settings)| {
            let still = before.and_then(|before| before.consents.get(name)).cloned();
            (name.clone(), still.unwrap_or_else(|| Arc::new(Source::of(name.clone(), settings.clone()))))
        });
        let consents = consents.collect();
        Ok(Self { settings, crosswalks, consents, admin_tls })
    }

    /// What these settings say of consents holds for every association from now on: they have come into force.
    pub(crate) fn take_over(&self) {
        for (name, source) in &self.consents {
            if let Some(settings) = self.settings.consents.get(name) {
                source.follow(settings);
            }
        }
    }

    /// Who is asked for the consent that a peer needs. One whose source is not there has none from anybody.
    pub(crate) fn consent_of(&self, wanted: &ConsentWanted) -> Asked {
        Asked::of(self.consents.get(&wanted.source).cloned(), wanted.scope.clone())
    }

    /// The crosswalk that a rewrite remembers in, where it has one.
    pub(crate) fn crosswalk_of(&self, rewrite: &str) -> Option<&Arc<Crosswalk>> {
        self.crosswalks.get(self.settings.remembered.get(rewrite)?)
    }
}
