//! The last refusals, kept in memory for whoever administers the proxy: what was asked, why it was refused, who came
//! nearest, and what would let it in.
//!
//! Those that are alike are one, counted, so that one device that retries does not push out all the others.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::identified::Identified;
use crate::identity::Certificate;
use crate::policy::limits::of_one_site;
use crate::policy::{Condition, Peer, Refusal, Stated, TlsVersion};
use crate::vocabulary::Reason;
use crate::wire::RawAeTitle;
use crate::wire::associate::ProposedContext;

/// Kinds that are kept.
const KEPT: usize = 500;
/// Presentation contexts of a request that are kept, and transfer syntaxes of each: some 10 KB at the most.
const MOST_CONTEXTS: usize = 32;
const MOST_SYNTAXES: usize = 4;

/// The last refusals of the process, a bounded number, for whoever asks why somebody does not get in.
#[derive(Default)]
pub(crate) struct Recent {
    kept: Mutex<VecDeque<Arc<Recalled>>>,
    /// How many there have been.
    told: AtomicU64,
}

/// A refusal, and how often one like it came.
#[derive(Clone)]
pub(crate) struct Recalled {
    /// Of the last one: what ties it to records and log.
    pub id: Arc<str>,
    pub first: OffsetDateTime,
    pub last: OffsetDateTime,
    pub count: u64,
    pub listener: Arc<str>,
    /// Of the last one.
    pub from: SocketAddr,
    pub reason: Reason,
    pub explanation: String,
    /// The key of the configuration that refused it, where one did.
    pub stated: Option<Stated>,
    pub because: Option<Because>,
    /// The peer, where it was known.
    pub peer: Option<String>,
    /// Whom it named as its user, where the listener looks at that.
    pub user: Option<Identified>,
    /// What was asked, where the request was read.
    pub asked: Option<Asked>,
    pub shown: Shown,
    /// Digest of the configuration that decided.
    pub configuration: String,
}

/// What the policy says of its refusal.
#[derive(Clone, Debug)]
pub(crate) struct Because {
    /// The peer that came nearest, and the first of its conditions that does not hold.
    pub nearest: Option<(Arc<Peer>, Condition)>,
    /// What did not match what.
    pub detail: String,
    /// What would let the requestor in, if it should be.
    pub remedy: String,
}

impl From<Refusal> for Because {
    fn from(refusal: Refusal) -> Self {
        let Refusal { nearest, detail, remedy, .. } = refusal;
        Self { nearest, detail, remedy }
    }
}

/// Of an A-ASSOCIATE-RQ, what the decision looks at.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub calling: RawAeTitle,
    pub called: RawAeTitle,
    pub contexts: Vec<ProposedContext>,
}

impl Asked {
    pub(super) fn new(calling: RawAeTitle, called: RawAeTitle, contexts: &[ProposedContext]) -> Self {
        let cut = |context: &ProposedContext| ProposedContext {
            transfer_syntaxes: context.transfer_syntaxes.iter().take(MOST_SYNTAXES).cloned().collect(),
            abstract_syntax: context.abstract_syntax.clone(),
            ..*context
        };
        let contexts = contexts.iter().take(MOST_CONTEXTS).map(cut).collect();
        Self { calling, called, contexts }
    }
}

/// What the requestor showed in TLS, if anything.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    pub certificate: Option<Certificate>,
    /// Who vouches for it; nobody where TLS refused it.
    pub authorities: Vec<Arc<Certificate>>,
    /// With which TLS; `None` is none.
    pub tls: Option<TlsVersion>,
}

impl Recalled {
    fn is_like(&self, other: &Self) -> bool {
        let titles = |one: &Self| one.asked.as_ref().map(|asked| (asked.calling, asked.called));
        let fingerprint =
            |one: &Self| one.shown.certificate.as_ref().map(|certificate| certificate.fingerprint.clone());
        self.reason == other.reason
            && self.listener == other.listener
            && of_one_site(self.from.ip()) == of_one_site(other.from.ip())
            && titles(self) == titles(other)
            && fingerprint(self) == fingerprint(other)
            && self.user.as_ref().map(Identified::name) == other.user.as_ref().map(Identified::name)
    }
}

impl Recent {
    /// Keeps a refusal. The one that was refused longest ago goes where there are too many.
    pub(super) fn keep(&self, mut new: Recalled) {
        let mut kept = self.kept();
        if let Some(before) = kept.iter().rposition(|old| old.is_like(&new)).and_then(|at| kept.remove(at)) {
            (new.first, new.count) = (before.first, before.count.saturating_add(new.count));
        }
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::new(new));
        self.told.fetch_add(1, Relaxed);
    }

    /// How many there have been: as long as it is the same, so is the list that is asked for behind it.
    pub(crate) fn told(&self) -> u64 {
        self.told.load(Relaxed)
    }

    /// Every refusal that is still remembered, the newest first.
    pub(crate) fn list(&self) -> Vec<Arc<Recalled>> {
        self.kept().iter().rev().cloned().collect()
    }

    /// The one that is known by this association's id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Recalled>> {
        self.kept().iter().find(|one| *one.id == *id).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Recalled>>> {
        // Whoever panicked held it for one insertion.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, KEPT, Recalled, Recent, Shown};
    use crate::vocabulary::Reason;
    use crate::wire::AeTitle;
    use std::net::SocketAddr;
    use time::{Duration, OffsetDateTime};

    fn refusal(id: usize, from: &str, calling: &str) -> Recalled {
        let title = |text: &str| text.parse::<AeTitle>().unwrap().to_raw();
        let at = OffsetDateTime::UNIX_EPOCH + Duration::seconds(id as i64);
        Recalled {
            id: id.to_string().into(),
            first: at,
            last: at,
            count: 1,
            listener: "remote".into(),
            from: from.parse::<SocketAddr>().unwrap(),
            reason: Reason::CallingAeTitleUnknown,
            explanation: String::new(),
            stated: None,
            because: None,
            peer: None,
            user: None,
            asked: Some(Asked::new(title(calling), title("PACS"), &[])),
            shown: Shown::default(),
            configuration: String::new(),
        }
    }

    #[test]
    fn those_that_are_alike_are_one_and_the_newest_comes_first() {
        let recent = Recent::default();
        recent.keep(refusal(1, "192.0.2.1:1000", "A"));
        recent.keep(refusal(2, "192.0.2.1:1001", "B"));
        recent.keep(refusal(3, "192.0.2.1:1002", "A"));
        let told: Vec<_> = recent
            .list()
            .iter()
            .map(|one| (one.id.to_string(), one.count, one.first.unix_timestamp(), one.from.port()))
            .collect();
        assert_eq!(told, [("3".to_owned(), 2, 1, 1002), ("2".to_owned(), 1, 2, 1001)]);
        assert!(recent.find("1").is_none() && recent.find("3").is_some());
        assert_eq!(recent.told(), 3, "one more of a kind is news too");
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let recent = Recent::default();
        for id in 0..KEPT + 3 {
            recent.keep(refusal(id, &format!("198.51.{}.{}:1", id / 250, id % 250), "A"));
        }
        let kept = recent.list();
        assert_eq!((kept.len(), &*kept[KEPT - 1].id), (KEPT, "3"), "the oldest went");
    }
}
