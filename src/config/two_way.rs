//! `two-way`: whether what travels against a peer's rewrite gets its real values back.

use std::sync::Arc;

use super::report::Place;
use super::rewrite::Rewrites;
use super::section::Section;
use crate::policy::{Operation, Peer, RewriteDirection};

/// Whether it is wanted; what stands against it is reported.
pub(super) fn wanted(
    section: &Section<'_>,
    rewrite: Option<&Arc<str>>,
    direction: RewriteDirection,
    rewrites: &Rewrites,
) -> bool {
    let wanted = section.flag("two-way").unwrap_or(false);
    let error = |problem: &str, remedy: &str| {
        section.report.error(&section.place_of("two-way"), problem, remedy);
    };
    if wanted && !section.has("rewrite") {
        error("needs a rewrite", "add rewrite = \"…\", or remove it");
    }
    let Some(rewrite) = rewrite.filter(|_| wanted) else { return wanted };
    if direction == RewriteDirection::Both && section.is_sound("rewrite-direction") {
        let problem = "needs to know on which side the real patients are: both ways, pseudonyms would be made of \
                       pseudonyms";
        let remedy = "write rewrite-direction = \"to-peer\" where they are on the upstream's side, \"from-peer\" where \
                      they are on the peer's";
        error(problem, remedy);
    }
    // What one with an error has and lacks is not known.
    let Some(rules) = rewrites.compiled.get(rewrite) else { return wanted };
    if !rewrites.remembered.contains_key(rewrite) {
        let problem = format!("needs a crosswalk, and rewrite \"{rewrite}\" has none");
        if rewrites.is_news(&problem) {
            error(&problem, "add crosswalk = \"…\" to the [[rewrite]], and a [[crosswalk]] of that name");
        }
    }
    if !rules.leads_back_to_patients() {
        let problem =
            format!("needs Patient IDs that lead back to patients, and rewrite \"{rewrite}\" has none");
        if rewrites.is_news(&problem) {
            error(&problem, "add { tag = \"PatientID\", action = \"pseudonym\" } to its rules");
        }
    }
    wanted
}

pub(super) fn risks(root: &Section<'_>, place: &Place, peer: &Peer, rewrites: &Rewrites) {
    let name = peer.rewrite.as_ref().filter(|_| peer.two_way);
    let Some(rules) = name.and_then(|name| rewrites.compiled.get(name)) else { return };
    let risk = |problem: &str, remedy: &str| root.report.risk(place, problem.to_owned(), remedy);
    if rules.profile().is_none() {
        risk(
            "shows every attribute that no rule names, in answers to queries too",
            "write profile = \"basic\" in the rewrite, if that is not meant",
        );
    }
    if !rules.replaces_uids() {
        risk(
            "lets UIDs pass as they are: whoever knows a real one reaches what it names, and files under it",
            "leave out retain-uids, or add \"uid\" rules for StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and \
             ReferencedSOPInstanceUID",
        );
    }
    if rules.moves_dates() {
        risk(
            "tells whoever reads back a report of its own by how many days its patient's dates are moved: the dates of \
             its own clock come back moved too",
            "leave out retain-longitudinal-modified-dates, or trust the readers with the days of the patients that they \
             report on",
        );
    }
    if rules.moves_dates_forward() {
        risk(
            "moves dates into the future, where the way back cannot tell them from those of the peer's own clock",
            "write date-shift-days with both bounds below 0",
        );
    }
    let moves = peer.role.operations.contains(&Operation::CMove) && peer.role.move_destinations.is_none();
    if moves && peer.rewrite_direction == RewriteDirection::ToPeer {
        risk(
            "may let the upstream send objects anywhere, past this rewrite",
            "give the role move-destinations that lead back through dimsegate",
        );
    }
}
