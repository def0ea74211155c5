//! What an upstream says of a study, asked by dimsegate itself for a peer that may see some studies only, or whose
//! patients are counted: a C-FIND in the study
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
//! - **Why instances alone are asked about, too**, which only a relational query may do (PS3.4 C.4.1.2.2.1): an N-ACTION of storage
//!   commitment and an N-GET name no study. It is proposed in the negotiation, and asked whatever became of that, since archives
//!   answer it that never say so. One that knows no such query says that with a status, or finds nothing, and what is asked
//!   for is not inside. No answer can say again what it was told: nobody tells it a study.
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

use super::consenting::Asked;
use super::counting::{Counting, Viewer};
use super::machine::{Below, Consented, Consents as _, Count, LookUp, LookedUp, Whom};
use super::upstream::Standing;
use crate::config::{Limits, UpstreamSettings};
use crate::consent::Who;
use crate::patients::{NotTaken, Patient};
use crate::policy::Scope;
use crate::wire::AeTitle;
use finding::{Finding, Unanswered};
use kept::{Kept, Lasting as _};
pub(super) use remembered::Archive;
use remembered::{Key, Remembered};
use turns::Turns;

/// For all that one request names, the wait for such an association included. Well within what requestors wait for.
const WITHIN: Duration = Duration::from_secs(30);

/// How long such an association is kept unused: as long as an archive may take from one answer of a query to the next.
const UNUSED: Duration = Duration::from_secs(1);

/// Answers what studies are inside of a scope, for all associations: whose turn it is to ask, and what is remembered.
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
    /// Who is asked, too, whether those have consented whose studies these are.
    consent: Option<Arc<Asked>>,
}

impl Way {
    /// Who is asked whether patients have consented.
    pub(super) fn consent(&self) -> Option<&Arc<Asked>> {
        self.consent.as_ref()
    }

    /// The same for a peer that needs the consent of patients. Where that is in objects alone, each says it of itself.
    pub(super) fn with_consent(self, consent: Option<Arc<Asked>>) -> Self {
        Self { consent: consent.filter(|asked| !asked.is_in_objects()), ..self }
    }

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
            consent: None,
        }
    }

    /// An operation of the peer is over, or its association: the next look-up may take long to come.
    pub(super) fn rest(&self) {
        self.kept.close();
    }

    fn key(&self, today: Date, study: &str) -> Key {
        let titles = [self.calling.clone(), self.called.clone()];
        Key {
            conditions: self.scope.conditions().clone(),
            counts_patients: self.scope.counts_patients(),
            archive: self.archive.clone(),
            titles,
            user: self.user.clone(),
            today,
            study: study.into(),
        }
    }
}

/// What is looked up, and which of its studies are not known to be inside.
type Wanted<'a> = (&'a LookUp, &'a [&'a String]);

/// Whose the studies are, or why some of that is not to be seen.
type Whose = Result<Vec<Patient>, LookedUp>;

/// Whether instances are asked about whose study nobody named.
fn asks_across_studies(look_up: &LookUp) -> bool {
    matches!(look_up.below, Some(Below::Alone(_)))
}

impl LookingUp {
    /// Whether all that is named is within the scope.
    pub(super) async fn judge(&self, way: &Way, look_up: &LookUp) -> LookedUp {
        self.inside(way, look_up).await.map_or_else(|found| found, |_| LookedUp::Inside)
    }

    /// The same of patients, who are counted then: as many as there are, and none of them where there would be too many.
    pub(super) async fn count(
        &self,
        way: &Way,
        Count { whom, most, of_query }: &Count,
        counting: &Counting,
        viewer: &Viewer,
    ) -> LookedUp {
        let patients = match whom {
            Whom::Patient(patient) => Ok(vec![*patient]),
            Whom::LookUp(look_up) => self.inside(way, look_up).await,
        };
        let patients = match patients {
            Ok(patients) => patients,
            Err(found) => return found,
        };
        match counting.take(viewer, *most, (patients, *of_query)).await {
            Ok(()) => LookedUp::Inside,
            Err(NotTaken::TooMany) => LookedUp::TooMany,
            Err(NotTaken::Unavailable(_)) => LookedUp::NotCounted,
        }
    }

    /// Whose the studies are that are named, where all of that is within the scope.
    async fn inside(&self, way: &Way, look_up: &LookUp) -> Result<Vec<Patient>, LookedUp> {
        let today = OffsetDateTime::now_utc().date();
        let (upstream, now) = (&way.upstream.name, Instant::now());
        let (mut patients, mut unknown) = (Vec::new(), Vec::new());
        for study in &look_up.studies {
            // What is remembered knows patients by hashes, of whom nobody can be asked.
            let remembered = self.remembered.whose(upstream, &way.key(today, study), now);
            match remembered.filter(|_| way.consent.is_none()) {
                Some(patient) => patients.push(patient),
                None => unknown.push(study),
            }
        }
        if unknown.is_empty() && look_up.below.is_none() {
            return Ok(patients);
        }
        match timeout(WITHIN, self.ask(way, (look_up, &unknown), today)).await {
            Ok(Ok(Ok(found))) => Ok([patients, found].concat()),
            Ok(Ok(Err(found))) => Err(found),
            Ok(Err(detail)) => Err(not_known(way, &detail)),
            Err(_) => Err(not_known(way, &format!("it did not answer within {WITHIN:?}"))),
        }
    }

    /// Whose the unknown studies are. It asks over what is kept, and anew where that has
    /// ended meanwhile.
    async fn ask(&self, way: &Way, asked: Wanted<'_>, today: Date) -> Result<Whose, String> {
        let crosses = asks_across_studies(asked.0);
        match way.kept.take() {
            // Its turn has to be free before another one is taken.
            Some(kept) if crosses && !kept.is_relational => kept.close().await,
            Some(kept) => match self.ask_over(kept, way, asked, today).await {
                Err(Unanswered::Ended(error)) => {
                    tracing::debug!(upstream = %way.upstream.name, %error, "looked up over another association");
                }
                answered => return answered.map_err(|unanswered| unanswered.detail()),
            },
            None => {}
        }
        let turn = self.turns.take(&way.upstream.name).await.map_err(|closed| closed.to_string())?;
        let finding = Finding::open(way, turn, crosses).await?;
        self.ask_over(finding, way, asked, today).await.map_err(|unanswered| unanswered.detail())
    }

    async fn ask_over(
        &self,
        mut finding: Finding,
        way: &Way,
        (look_up, unknown): Wanted<'_>,
        today: Date,
    ) -> Result<Whose, Unanswered> {
        let found = match &look_up.below {
            Some(Below::Alone(instances)) => self.of_instances(&mut finding, way, instances, today).await?,
            below => {
                let studies = unknown.iter().map(|study| study.as_str());
                let found = self.of_studies(&mut finding, way, studies, today).await?;
                let has_below = match (below, look_up.studies.first()) {
                    (Some(below), Some(study)) if found.is_ok() => has(&mut finding, study, below).await?,
                    _ => true,
                };
                found.and_then(|found| if has_below { Ok(found) } else { Err(LookedUp::Outside) })
            }
        };
        way.kept.keep(finding);
        Ok(found)
    }

    /// Whose the studies are, all of which have to be inside.
    async fn of_studies<'s>(
        &self,
        finding: &mut Finding,
        way: &Way,
        studies: impl Iterator<Item = &'s str>,
        today: Date,
    ) -> Result<Whose, Unanswered> {
        let mut patients = Vec::new();
        for study in studies {
            let Some((patient, whom)) = finding.inside(&way.scope, today, study).await? else {
                return Ok(Err(LookedUp::Outside));
            };
            if let Some(refused) = without_consent(way, whom.as_ref()).await {
                return Ok(Err(refused));
            }
            let (upstream, key) = (&way.upstream.name, way.key(today, study));
            self.remembered.note(upstream, (key, patient), way.scope.remembered, Instant::now());
            patients.push(patient);
        }
        Ok(Ok(patients))
    }

    /// Whose the studies of these instances are, all of which have to be there. To which study an
    /// instance belongs is asked about each time, as all that lies below one is.
    async fn of_instances(
        &self,
        finding: &mut Finding,
        way: &Way,
        instances: &[String],
        today: Date,
    ) -> Result<Whose, Unanswered> {
        let Some(studies) = finding.studies_of(instances).await? else {
            return Ok(Err(LookedUp::Outside));
        };
        let (upstream, now) = (&way.upstream.name, Instant::now());
        let known = |study: &String| {
            let remembered = self.remembered.whose(upstream, &way.key(today, study), now);
            remembered.filter(|_| way.consent.is_none())
        };
        let known: Vec<_> = studies.iter().map(|study| (study, known(study))).collect();
        let unknown = known.iter().filter(|(_, patient)| patient.is_none()).map(|(study, _)| study.as_str());
        let found = self.of_studies(finding, way, unknown, today).await?;
        let before = known.iter().filter_map(|(_, patient)| *patient);
        Ok(found.map(|found| before.chain(found).collect()))
    }
}

/// Why a study is not to be seen whose patient this is.
async fn without_consent(way: &Way, whom: Option<&Who>) -> Option<LookedUp> {
    let asked = way.consent.as_ref()?;
    match asked.find_out(whom).await {
        Consented::Yes => None,
        Consented::No => Some(LookedUp::NoConsent),
        Consented::NotKnown => Some(LookedUp::ConsentNotKnown),
    }
}

/// Whether the study has what is named below it.
async fn has(finding: &mut Finding, study: &str, below: &Below) -> Result<bool, Unanswered> {
    match below {
        Below::Series(series) => finding.has_series(study, series).await,
        Below::Instances { series, instances } => finding.has_instances(study, series, instances).await,
        // They are of no study that anybody named.
        Below::Alone(_) => Ok(false),
    }
}

fn not_known(way: &Way, detail: &str) -> LookedUp {
    tracing::warn!(upstream = %way.upstream.name, detail, "a study could not be looked up");
    LookedUp::NotKnown
}
