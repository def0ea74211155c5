//! What an upstream says of a study, asked by dimsegate itself for a peer that may see some studies only: a C-FIND in the study
//! root model (PS3.4 C.6.2) over an association of its own, in the name of the peer.
//!
//! | file | holds |
//! | --- | --- |
//! | `finding` | one such association |
//! | `kept` | the one that was used last, until it is used again |
//! | `remembered` | studies that were inside, for a while |
//! | `turns` | how many such associations an upstream has at once |
//!
//! # Why
//!
//! - **Why only what is inside is remembered**: a study that comes to the archive a moment later is there at once, as it is for
//!   whoever queries.
//! - **Why what lies below a study is asked about each time**: some archives look for a series by its UID alone, whatever study a
//!   retrieval names beside it.
//! - **Why an association is kept, and not for long**: a query may have to look up hundreds of answers, one after the other. It
//!   is closed when an operation of the peer is over, or is unused for a moment, since it takes a turn here and a place there.

mod finding;
mod kept;
mod remembered;
mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::{Date, OffsetDateTime};
use tokio::time::timeout;

use super::machine::{Below, LookUp, LookedUp};
use super::upstream::Standing;
use crate::config::{Limits, UpstreamSettings};
use crate::policy::Scope;
use crate::wire::AeTitle;
use finding::{Finding, Unanswered};
use kept::Kept;
use remembered::{Archive, Key, Remembered};
use turns::Turns;

/// For all that one request names, the wait for such an association included. Well within what requestors wait for.
const WITHIN: Duration = Duration::from_secs(30);

/// How long such an association is kept unused: as long as an archive may take from one answer of a query to the next.
const UNUSED: Duration = Duration::from_secs(1);

/// What all associations share.
#[derive(Default)]
pub(crate) struct LookingUp {
    turns: Turns,
    remembered: Remembered,
}

/// The way from one association of a peer with a scope to its upstream.
pub(super) struct Way {
    scope: Arc<Scope>,
    upstream: Arc<UpstreamSettings>,
    archive: Arc<Archive>,
    standing: Arc<Standing>,
    limits: Limits,
    calling: AeTitle,
    called: AeTitle,
    /// Whom the upstream is told of, too.
    user: Option<Arc<str>>,
    kept: Kept<Finding>,
}

impl Way {
    /// `titles` are those that the peer called itself and the upstream by, calling first; what the upstream's settings put in
    /// their place holds here too. `user` is whom the upstream takes it for that somebody asks, where it takes the proxy's word.
    pub(super) fn new(
        scope: Arc<Scope>,
        upstream: Arc<UpstreamSettings>,
        standing: Arc<Standing>,
        limits: &Limits,
        titles: [AeTitle; 2],
        user: Option<Arc<str>>,
    ) -> Self {
        let [calling, called] = titles;
        let calling = upstream.calling_ae_title.clone().unwrap_or(calling);
        let called = upstream.called_ae_title.clone().unwrap_or(called);
        let archive = Arc::new(Archive::of(&upstream));
        Self {
            scope,
            upstream,
            archive,
            standing,
            limits: *limits,
            calling,
            called,
            user,
            kept: Kept::of(UNUSED),
        }
    }

    /// An operation of the peer is over, or its association: the next look-up may take long to come.
    pub(super) fn rest(&self) {
        self.kept.close();
    }

    fn key(&self, today: Date, study: &str) -> Key {
        let titles = [self.calling.clone(), self.called.clone()];
        let (conditions, archive) = (self.scope.conditions().clone(), self.archive.clone());
        Key { conditions, archive, titles, user: self.user.clone(), today, study: study.into() }
    }
}

/// What is looked up, and which of its studies are not known to be inside.
type Asked<'a> = (&'a LookUp, &'a [&'a String]);

impl LookingUp {
    /// Whether all that is named is within the scope.
    pub(super) async fn judge(&self, way: &Way, look_up: &LookUp) -> LookedUp {
        let today = OffsetDateTime::now_utc().date();
        let (upstream, now) = (&way.upstream.name, Instant::now());
        let is_unknown = |study: &&String| !self.remembered.has(upstream, &way.key(today, study), now);
        let unknown: Vec<&String> = look_up.studies.iter().filter(is_unknown).collect();
        if unknown.is_empty() && look_up.below.is_none() {
            return LookedUp::Inside;
        }
        match timeout(WITHIN, self.ask(way, (look_up, &unknown), today)).await {
            Ok(Ok(true)) => LookedUp::Inside,
            Ok(Ok(false)) => LookedUp::Outside,
            Ok(Err(detail)) => not_known(way, &detail),
            Err(_) => not_known(way, &format!("it did not answer within {WITHIN:?}")),
        }
    }

    /// Asks over what is kept, and anew where that has ended meanwhile.
    async fn ask(&self, way: &Way, asked: Asked<'_>, today: Date) -> Result<bool, String> {
        if let Some(kept) = way.kept.take() {
            match self.ask_over(kept, way, asked, today).await {
                Err(Unanswered::Ended(error)) => {
                    tracing::debug!(upstream = %way.upstream.name, %error, "looked up over another association");
                }
                answered => return answered.map_err(|unanswered| unanswered.detail()),
            }
        }
        let turn = self.turns.take(&way.upstream.name).await.map_err(|closed| closed.to_string())?;
        let finding = Finding::open(way, turn).await?;
        self.ask_over(finding, way, asked, today).await.map_err(|unanswered| unanswered.detail())
    }

    async fn ask_over(
        &self,
        mut finding: Finding,
        way: &Way,
        (look_up, unknown): Asked<'_>,
        today: Date,
    ) -> Result<bool, Unanswered> {
        let mut is_inside = true;
        for study in unknown {
            is_inside = finding.is_inside(&way.scope, today, study).await?;
            if !is_inside {
                break;
            }
            let (upstream, key) = (&way.upstream.name, way.key(today, study));
            self.remembered.note(upstream, key, way.scope.remembered, Instant::now());
        }
        if let (true, Some(below), Some(study)) = (is_inside, &look_up.below, look_up.studies.first()) {
            is_inside = match below {
                Below::Series(series) => finding.has_series(study, series).await?,
                Below::Instances { series, instances } => {
                    finding.has_instances(study, series, instances).await?
                }
            };
        }
        way.kept.keep(finding);
        Ok(is_inside)
    }
}

fn not_known(way: &Way, detail: &str) -> LookedUp {
    tracing::warn!(upstream = %way.upstream.name, detail, "a study could not be looked up for a peer with a scope");
    LookedUp::NotKnown
}
