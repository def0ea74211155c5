//! The boundary between real values and pseudonyms, which messages cross both ways.

use std::sync::Arc;

use super::action::Action;
use super::correspondence::{Correspondences, Kind};
use super::error::{RewriteError, RewriteProblem};
use super::facts::Facts;
use super::instance::Instance;
use super::instances::FILED_BY;
use super::keyed;
use super::profile::{ProfileOption, ProfileSpec};
use super::table::Ruleset;
use super::way::Way;
use crate::dataset::{PATIENT_ID, SOP_INSTANCE_UID, Tag, Vr, vr_of};

/// (0008,0055) Station AE Title.
const STATION_AE_TITLE: Tag = Tag(0x0008, 0x0055);

impl Ruleset {
    /// What the SOP Instance UID (0000,1000) or (0000,1001) of a command becomes on the other side. Where the instance
    /// `exists`, one that is unknown on the way back is `None`; otherwise it is the sender's own, as in a data set.
    ///
    /// # Errors
    /// The crosswalk cannot be asked.
    pub fn instance_across(
        &self,
        way: Way,
        uid: &str,
        exists: bool,
        known: Arc<dyn Correspondences>,
    ) -> Result<Option<Instance>, RewriteError> {
        self.across_as(way, uid, exists, known).map_err(RewriteError::whole)
    }

    fn across_as(
        &self,
        way: Way,
        uid: &str,
        exists: bool,
        known: Arc<dyn Correspondences>,
    ) -> Result<Option<Instance>, RewriteProblem> {
        let Some(Action::Uid { key }) = self.action_on(SOP_INSTANCE_UID, Vr::UI) else {
            return Ok(Some(Instance { uid: uid.to_owned(), ..Instance::default() }));
        };
        let mut facts = Facts::default();
        let (pseudonyms, mut new) = (&mut facts.pseudonyms, Vec::new());
        pseudonyms.remembered_by(known);
        let mut comes_back = false;
        match way {
            Way::ToPseudonyms => pseudonyms.put_uid(key, uid.as_bytes(), &mut new)?,
            Way::ToReal => {
                let found = pseudonyms.behind_uid(uid.as_bytes())?;
                if exists && found.is_none() && !keyed::is_fixed(uid.as_bytes()) {
                    return Ok(None);
                }
                comes_back = found.is_some_and(|found| found.kind == Kind::Uid);
                pseudonyms.put_real_uid(key, uid.as_bytes(), &mut new)?;
            }
        }
        let uid = String::from_utf8_lossy(&new).into_owned();
        let ownerless = pseudonyms.take_ownerless();
        let made = pseudonyms.take(None, false);
        Ok(Some(Instance { uid, comes_back, made, ownerless }))
    }

    /// Whether AE titles stay, as Station AE Title (0008,0055) says for those that no data set has.
    pub fn keeps_ae_titles(&self) -> bool {
        matches!(self.action_on(STATION_AE_TITLE, Vr::AE), None | Some(Action::Keep))
    }

    /// Whether every Patient ID (0010,0020) has a pseudonym that leads back to it, or stays what it is.
    pub fn leads_back_to_patients(&self) -> bool {
        match self.action_on(PATIENT_ID, vr_of(PATIENT_ID)) {
            None | Some(Action::Keep | Action::Pseudonym { .. }) => true,
            Some(Action::Template(template)) => template.has_pseudonym(),
            Some(_) => false,
        }
    }

    /// Whether every Patient ID (0010,0020) becomes one and the same value.
    pub fn makes_one_patient_of_all(&self) -> bool {
        matches!(self.action_on(PATIENT_ID, vr_of(PATIENT_ID)), Some(Action::Dummy | Action::Replace(_)))
    }

    /// Whether the UIDs that archives file and find by are other ones on either side.
    pub fn replaces_uids(&self) -> bool {
        FILED_BY.into_iter().all(|tag| matches!(self.action_on(tag, Vr::UI), Some(Action::Uid { .. })))
    }

    /// Whether dates move, each patient's by other days.
    pub fn moves_dates(&self) -> bool {
        let moving = |profile: &ProfileSpec| profile.has(ProfileOption::RetainLongitudinalModifiedDates);
        self.profile().is_some_and(moving)
    }

    /// Whether dates move, and may move into the future: the way back then cannot tell them from the sender's own.
    pub fn moves_dates_forward(&self) -> bool {
        self.needs_patient && self.profile().is_some_and(|profile| profile.date_shift_days.1 > 0)
    }
}
