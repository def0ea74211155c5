//! One association over which an upstream is asked about studies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use time::Date;
use tokio::sync::OwnedSemaphorePermit;

use super::Way;
use super::kept::Lasting;
use crate::consent::Who;
use crate::dataset::{
    Encoding, ISSUER_OF_PATIENT_ID, PATIENT_ID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, STUDY_INSTANCE_UID,
    Small, Syntax, Tag, write_text,
};
use crate::dimse::{CommandField, Operation, Outcome, find_request};
use crate::patients::Patient;
use crate::policy::Scope;
use crate::policy::scope::Attribute;
use crate::relay::upstream::{self, Place};
use crate::relay::{associate, proxy_header};
use crate::rewrite::text_of;
use crate::upper::{self, Association, Deadlines, Doing, Request, Requestor, Terms, Transport};
use crate::wire::associate::ExtendedNegotiation;
use crate::wire::{Uid, UidError};

/// Study Root Query/Retrieve Information Model - FIND.
const STUDY_ROOT_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const LEVEL: Tag = Tag(0x0008, 0x0052);
const SERIES_INSTANCE_UID: Tag = Tag(0x0020, 0x000E);

/// Bytes of one answer.
const LONGEST: usize = 64 << 10;
/// Instances that one query names.
const AT_ONCE: usize = 100;
/// Answers more than were asked for that are read; an archive that ignores a key is not.
const SPARE_ANSWERS: usize = 16;

/// An association of dimsegate's own.
pub(super) struct Finding {
    association: Association<Box<dyn Transport>>,
    context: u8,
    encoding: Encoding,
    message_id: u16,
    /// Whether relational queries were proposed.
    pub is_relational: bool,
    /// Its name.
    upstream: Arc<str>,
    _place: Place,
    /// Until it is closed: what still parts is there for the archive, too.
    turn: OwnedSemaphorePermit,
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// The association has ended. One that was kept may have, since it was last used.
    Ended(upper::Error),
    /// The upstream said something else.
    Otherwise(String),
}

impl Unanswered {
    pub(super) fn detail(&self) -> String {
        match self {
            Self::Ended(error) => error.to_string(),
            Self::Otherwise(detail) => detail.clone(),
        }
    }
}

impl From<upper::Error> for Unanswered {
    fn from(error: upper::Error) -> Self {
        Self::Ended(error)
    }
}

/// Studies that the instances of one request may be of: each is asked about by itself.
const MOST_STUDIES: usize = 512;

/// Keys of a query, in the order of their tags.
type Keys = Vec<(Tag, String)>;

impl Finding {
    /// With `is_relational`, relational queries are proposed (PS3.4 C.5.1.1).
    pub(super) async fn open(
        way: &Way,
        turn: OwnedSemaphorePermit,
        is_relational: bool,
    ) -> Result<Self, String> {
        let mut request = Request::new(way.calling.clone(), way.called.clone());
        request.propose(STUDY_ROOT_FIND, &[EXPLICIT, IMPLICIT]).map_err(|error| error.to_string())?;
        if is_relational {
            let sop_class: Uid = STUDY_ROOT_FIND.parse().map_err(|error: UidError| error.to_string())?;
            request.user.extended_negotiations =
                vec![ExtendedNegotiation { sop_class, information: vec![1] }];
        }
        request.user.user_identity = way.user.as_deref().map(associate::named);
        let offered = request.to_rq(way.limits.max_pdu_length).map_err(|error| error.to_string())?;
        let header = if way.upstream.send_proxy_protocol { proxy_header::local() } else { Vec::new() };
        let (upstream, standing) = (&way.upstream, &way.standing);
        let asking = upstream::Asking { limits: &way.limits, upstream, standing, header, witness: None };
        let ((dialled, place), answered) = asking.ask(&offered).await.map_err(|failed| failed.detail)?;
        let answered = match answered {
            Ok(answered) => answered,
            Err(refused) => {
                dialled.leg.close(Duration::ZERO).await;
                return Err(refused.detail);
            }
        };
        let stream = dialled.leg.into_stream();
        let opened = Requestor::established(stream, &offered, answered, &terms(way)).await;
        let association = opened.map_err(|error| error.to_string())?;
        let accepted = association.contexts().accepted(STUDY_ROOT_FIND, IMPLICIT);
        let accepted = accepted.map(|(id, syntax)| (id, Encoding::of(syntax.as_str())));
        match accepted {
            Ok((context, Some(encoding))) => {
                let upstream = way.upstream.name.clone();
                Ok(Self {
                    association,
                    context,
                    encoding,
                    message_id: 0,
                    is_relational,
                    upstream,
                    _place: place,
                    turn,
                })
            }
            Ok((_, None)) => Err("it chose a transfer syntax that was not proposed".into()),
            Err(refused) => {
                let _ = association.release().await;
                Err(refused.to_string())
            }
        }
    }

    /// Whose a study is, as a hash and as the upstream says it, that is there and within the scope, by the attributes that were not told to the upstream; `None`: it is
    /// not. Where patients are not counted, each study has one of its own.
    pub(super) async fn inside(
        &mut self,
        scope: &Scope,
        today: Date,
        study: &str,
    ) -> Result<Option<(Patient, Option<Who>)>, Unanswered> {
        let mut keys: Keys = vec![(LEVEL, "STUDY".into()), (STUDY_INSTANCE_UID, study.into())];
        keys.extend(scope.attributes().into_iter().map(|attribute| (tag(attribute), String::new())));
        keys.sort_unstable();
        let (mut found, mut all_inside, mut whom) = (None, true, None);
        let upstream = self.upstream.clone();
        self.find(&keys, 1, |answer| {
            let whose = answer.filter(|answer| {
                answer.value(STUDY_INSTANCE_UID) == Some(study.as_bytes())
                    && scope.judge(today, |attribute| answer.value(tag(attribute))).is_inside()
            });
            let whose = whose.and_then(|answer| {
                let [id, issuer] = [PATIENT_ID, ISSUER_OF_PATIENT_ID].map(|tag| answer.value(tag));
                whom = whom_of(answer);
                Patient::of(&upstream, id, issuer, Some(study.as_bytes()))
            });
            // Of two patients nobody knows whose it is.
            let is_theirs = found.is_none_or(|known| Some(known) == whose || !scope.counts_patients());
            all_inside &= whose.is_some() && is_theirs;
            found = found.or(whose);
        })
        .await?;
        Ok(found.filter(|_| all_inside).map(|patient| (patient, whom)))
    }

    /// Whether all of these series are of the study.
    pub(super) async fn has_series(&mut self, study: &str, series: &[String]) -> Result<bool, Unanswered> {
        let keys = vec![
            (LEVEL, "SERIES".into()),
            (STUDY_INSTANCE_UID, study.into()),
            (SERIES_INSTANCE_UID, series.join("\\")),
        ];
        self.has_all(keys, series, SERIES_INSTANCE_UID).await
    }

    /// Whether all of these instances are of the series, and that is of the study.
    pub(super) async fn has_instances(
        &mut self,
        study: &str,
        series: &str,
        instances: &[String],
    ) -> Result<bool, Unanswered> {
        let keys = vec![
            (SOP_INSTANCE_UID, instances.join("\\")),
            (LEVEL, "IMAGE".into()),
            (STUDY_INSTANCE_UID, study.into()),
            (SERIES_INSTANCE_UID, series.into()),
        ];
        self.has_all(keys, instances, SOP_INSTANCE_UID).await
    }

    /// The studies of these instances: all that any answer names. `None`: one of them is not there, or of no study that can be told.
    pub(super) async fn studies_of(
        &mut self,
        instances: &[String],
    ) -> Result<Option<BTreeSet<String>>, Unanswered> {
        let mut studies = BTreeSet::new();
        for some in instances.chunks(AT_ONCE) {
            let keys = vec![
                (SOP_INSTANCE_UID, some.join("\\")),
                (LEVEL, "IMAGE".into()),
                (STUDY_INSTANCE_UID, String::new()),
                (SERIES_INSTANCE_UID, String::new()),
            ];
            let mut missing: BTreeSet<&[u8]> = some.iter().map(String::as_bytes).collect();
            let asked = missing.clone();
            let mut is_told = true;
            self.find(&keys, asked.len(), |answer| {
                let said = answer.and_then(|answer| {
                    let study = Uid::from_bytes(answer.value(STUDY_INSTANCE_UID)?).ok()?;
                    Some((answer.value(SOP_INSTANCE_UID)?, study))
                });
                let Some((instance, study)) = said else { return is_told = false };
                // Of what nobody asked about, nothing is said.
                if asked.contains(instance) {
                    missing.remove(instance);
                    studies.insert(study.as_str().to_owned());
                }
            })
            .await?;
            if !is_told || !missing.is_empty() || studies.len() > MOST_STUDIES {
                return Ok(None);
            }
        }
        Ok(Some(studies))
    }

    async fn has_all(&mut self, keys: Keys, wanted: &[String], unique: Tag) -> Result<bool, Unanswered> {
        let mut missing: BTreeSet<&[u8]> = wanted.iter().map(String::as_bytes).collect();
        // What stands above, an answer says again (PS3.4 C.4.1.1.3.2).
        let above: Vec<_> = keys.iter().filter(|(key, _)| *key != unique && *key != LEVEL).cloned().collect();
        self.find(&keys, wanted.len(), |answer| {
            let Some(answer) = answer else { return };
            let is_there = |(key, value): &(Tag, String)| answer.value(*key) == Some(value.as_bytes());
            if let Some(found) = answer.value(unique).filter(|_| above.iter().all(is_there)) {
                missing.remove(found);
            }
        })
        .await?;
        Ok(missing.is_empty())
    }

    /// Asks, and hands over each answer; `None` is one that cannot be read.
    async fn find(
        &mut self,
        keys: &[(Tag, String)],
        expected: usize,
        mut take: impl FnMut(Option<&Small<'_>>),
    ) -> Result<(), Unanswered> {
        let otherwise = |what: &str| Err(Unanswered::Otherwise(what.into()));
        // Never 0, and again from 1 after the last: it may be asked for long.
        self.message_id = self.message_id % u16::MAX + 1;
        let command = find_request(STUDY_ROOT_FIND, self.message_id);
        let identifier = identifier(self.encoding.syntax, keys);
        self.association.send_with(self.context, &command, &identifier).await?;
        for _ in 0..=expected.saturating_add(SPARE_ANSWERS) {
            let received = self.association.receive().await?;
            let message = received.ok_or(upper::Error::Released { doing: Doing::Waiting })?;
            let CommandField::Response { operation: Operation::CFind, responding_to, status } =
                message.command.field
            else {
                return otherwise("it sent another message instead of an answer");
            };
            if responding_to != self.message_id {
                return otherwise("it answered another message");
            }
            let data = match message.data_set {
                Some(data) => Some(data.whole(LONGEST).await?),
                None => None,
            };
            match (status.outcome(), data) {
                (Outcome::Success, _) => return Ok(()),
                (Outcome::Pending, Some(data)) => take(Small::read(self.encoding, &data).as_ref()),
                (Outcome::Pending, None) => {}
                _ => return otherwise(&format!("it answered with status {status}")),
            }
        }
        otherwise("it has more answers than were asked for")
    }
}

/// Who an answer is about.
fn whom_of(answer: &Small<'_>) -> Option<Who> {
    let set = answer.value(SPECIFIC_CHARACTER_SET).unwrap_or_default();
    let text = |tag| answer.value(tag).map(|value| text_of(set, value));
    Who::of(text(PATIENT_ID).as_deref(), text(ISSUER_OF_PATIENT_ID).as_deref())
}

impl Lasting for Finding {
    fn is_waited_for(&self) -> bool {
        self.turn.semaphore().available_permits() == 0
    }

    async fn close(self) {
        // It has answered: how it parts is no reason to doubt that.
        let _ = self.association.release().await;
    }
}

fn tag(attribute: Attribute) -> Tag {
    Tag::from(attribute.tag())
}

fn identifier(syntax: Syntax, keys: &[(Tag, String)]) -> Vec<u8> {
    let mut identifier = Vec::new();
    keys.iter().for_each(|(tag, value)| write_text(&mut identifier, syntax, *tag, value.as_bytes()));
    identifier
}

fn terms(way: &Way) -> Terms {
    let limits = &way.limits;
    let length = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    Terms {
        deadlines: Deadlines {
            associate: limits.associate_timeout,
            answer: super::WITHIN,
            progress: limits.dimse_timeout,
            release: limits.release_timeout,
        },
        max_pdu_length: limits.max_pdu_length,
        max_associate_length: length(limits.max_associate_length),
        max_command_length: length(limits.max_command_length),
        min_bytes_per_second: limits.min_bytes_per_second,
    }
}
