//! What a modality says of itself when it asks for its worklist (PS3.4 K.6.1.2.2): its own AE title, and beside it the days
//! on which it works. Who knows pseudonyms only asks by that for its own schedule, and is shown it.

use std::sync::Arc;

use crate::dataset::Tag;

/// (0040,0100) Scheduled Procedure Step Sequence.
const STEPS: Tag = Tag(0x0040, 0x0100);
/// (0040,0001) Scheduled Station AE Title.
pub(super) const STATION: Tag = Tag(0x0040, 0x0001);
/// (0040,0002) Scheduled Procedure Step Start Date.
const START_DATE: Tag = Tag(0x0040, 0x0002);
/// (0040,0003) Scheduled Procedure Step Start Time.
const START_TIME: Tag = Tag(0x0040, 0x0003);

/// Who asks for a worklist, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    /// The AE title of the association's requestor.
    pub(super) title: Option<Arc<str>>,
    /// The item under way names it as the station.
    names_station: bool,
    /// The query is for its own schedule.
    pub(super) is_own: bool,
}

impl Schedule {
    /// Says that an item ends: the next one may name another station.
    pub(super) fn leave_item(&mut self) {
        self.names_station = false;
    }

    fn is_title(&self, value: &[u8]) -> bool {
        self.title.as_ref().is_some_and(|title| title.as_bytes() == value)
    }

    /// Whether an attribute of an answer is of the schedule that was asked for. Where it says which station, `value` is known.
    pub(super) fn shows(&self, sequence: Option<Tag>, tag: Tag, value: Option<&[u8]>) -> bool {
        self.is_own
            && sequence == Some(STEPS)
            && match tag {
                STATION => value.is_some_and(|value| self.is_title(value)),
                // With its ends, (0040,0004) and (0040,0005): beside a moved date the real one would tell by how much.
                Tag(0x0040, 0x0002..=0x0005) => true,
                _ => false,
            }
    }

    /// Whether an attribute of an answer has to be read to be judged.
    pub(super) fn reads(&self, sequence: Option<Tag>, tag: Tag) -> bool {
        self.is_own && tag == STATION && sequence == Some(STEPS)
    }

    /// Whether a key in an item says what its sender knows of itself: its AE title, and any date and time beside that. A date
    /// alone is one of patients: answers that show it as it is would tell by how much the moved ones are moved.
    pub(super) fn is_own_key(&mut self, sequence: Option<Tag>, tag: Tag, key: &[u8]) -> bool {
        if sequence != Some(STEPS) {
            return false;
        }
        let is_own = match tag {
            STATION => {
                self.names_station = self.is_title(key);
                self.names_station
            }
            START_DATE | START_TIME => self.names_station,
            _ => false,
        };
        self.is_own |= is_own;
        is_own
    }
}
