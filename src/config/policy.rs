//! `[policy]`.

use super::section::Section;
use super::settings::OpenAssociations;

pub(super) fn open_associations(root: &Section<'_>) -> OpenAssociations {
    let choices = [("judge-again", OpenAssociations::JudgeAgain), ("finish", OpenAssociations::Finish)];
    let section = root.table("policy");
    section.and_then(|section| section.choice("open-associations", &choices)).unwrap_or_default()
}
