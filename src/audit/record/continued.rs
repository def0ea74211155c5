//! Records about the trail itself and its time: what a run found when it began, and that the clock was set.

use serde::{Deserialize, Serialize};

use super::Labelled;
use crate::vocabulary::HeadFound;

/// The first record of a run: what was there, and that the run goes on from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct TrailContinued {
    /// Files of the trail.
    pub files: u64,
    /// Number of the last record in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// Number of the last checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_up_to: Option<u64>,
    /// The key that made this checkpoint, as it says, where that is another than the one of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Lines behind this checkpoint, or all of them: the chain goes on behind them, and nobody signed them.
    pub unsigned: u64,
    /// Whether the checkpoint was the last of a run that ended in good order, and nothing stands behind it.
    pub ended: bool,
    /// Whether the last line was torn by a crash; it stands closed off in its file.
    pub recovered: bool,
    /// What the head that was kept says of what was found.
    pub head: Labelled<HeadFound>,
    /// The number of the record that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_sequence: Option<u64>,
    /// For people: all of this in words.
    pub explanation: String,
}

impl TrailContinued {
    pub(in crate::audit) const EVENT: &str = "trail-continued";

    /// Whether the trail is, or may be, not as the run before left it; so it is for what another version says.
    pub fn is_wrong(&self) -> bool {
        match &self.head {
            Labelled::Word(found) => found.is_wrong(),
            Labelled::Other(label) => !label.is_empty(),
        }
    }

    /// Whether the run before left records, and no sign that it ended in good order.
    pub fn after_crash(&self) -> bool {
        self.last.is_some() && !self.ended
    }

    /// The same with its explanation.
    pub(in crate::audit) fn explained(self) -> Self {
        let named = self.head_sequence.unwrap_or_default();
        let found = self.head.word().unwrap_or_default();
        let head = found.word().what;
        let mut explanation = match found {
            HeadFound::Cut | HeadFound::Differs => format!("{head}: record {named} is not there as it was"),
            _ => head.to_owned(),
        };
        let taken_over = match self.unsigned {
            0 => String::new(),
            1 => "; 1 record was taken over that nobody had signed".to_owned(),
            many => format!("; {many} records were taken over that nobody had signed"),
        };
        explanation.push_str(&taken_over);
        Self { explanation, ..self }
    }
}

/// The machine's clock was set, by more than a steady clock allows for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ClockStepped {
    /// What the time was by the steady clock, as records say it.
    pub expected: String,
    /// What the machine's clock says.
    pub clock: String,
    /// How far it was set: forward, or back where negative.
    pub seconds: i64,
    /// Whether records have the time of the machine's clock from now on; else the steady clock's.
    pub followed: bool,
    /// For people: all of this in words.
    pub explanation: String,
}
