//! What stands around the tables: for people, from what strangers chose.

use super::gathered::{Gathered, Refused};
use crate::cli::words::counted;

/// Of one value.
const LONGEST: usize = 120;
/// Refusals that are told; those that came most often.
const MOST_TOLD: usize = 200;

/// A text of somebody else in a comment: it stays on its line, moves no cursor, and is not longer than a line.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.is_ascii_graphic() || c == ' ' {
            true => out.push(c),
            false => out.extend(c.escape_unicode()),
        }
        if out.len() >= LONGEST {
            out.push_str("...");
            break;
        }
    }
    out
}

/// Values of somebody else.
pub(super) fn listed<'t>(texts: impl Iterator<Item = &'t String>) -> String {
    texts.take(16).map(|text| format!("\"{}\"", shown(text))).collect::<Vec<_>>().join(", ")
}

pub(super) fn about(folder: &str, (from, to): (&str, &str), gathered: &Gathered) -> String {
    let folder = shown(folder);
    let mut text = format!(
        "# Made by dimsegate propose of the records in {folder} from {from} to {to}: {} of {}.\n\
         # It allows what was done, whether or not somebody should have done it: read it before it counts.\n\
         # Put it in the place of the [[peer]]s that it names, then: dimsegate check, and dimsegate check --diff.\n",
        counted(gathered.associations(), "association"),
        counted(gathered.peers.len(), "peer"),
    );
    if gathered.more_peers > 0 {
        let more = counted(gathered.more_peers, "association");
        text.push_str(&format!(
            "# {more} of more peers than one proposal has are left out: ask for a shorter time.\n"
        ));
    }
    text
}

pub(super) fn refused(gathered: &Gathered) -> String {
    let mut all: Vec<(&Refused, &u64)> = gathered.refused.iter().collect();
    if all.is_empty() && gathered.more_refused == 0 {
        return "\n# Nothing was refused in that time.\n".to_owned();
    }
    all.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let mut text = "\n# Refused in that time, and allowed by nothing above:\n".to_owned();
    for (one, count) in all.iter().take(MOST_TOLD) {
        let parts = [
            ("", &one.reason),
            (" from ", &one.address),
            (" as ", &one.titles),
            (" with ", &one.certificate),
        ];
        let told = parts.into_iter().filter(|(_, part)| !part.is_empty());
        let line: String = told.map(|(how, part)| format!("{how}{}", shown(part))).collect();
        text.push_str(&format!("# {count} x {line}\n"));
    }
    let untold =
        all.iter().skip(MOST_TOLD).map(|(_, count)| **count).fold(gathered.more_refused, u64::saturating_add);
    if untold > 0 {
        text.push_str(&format!("# and {untold} more\n"));
    }
    text
}
