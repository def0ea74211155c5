//! `[automatic-blocks]`.

use std::time::Duration;

use super::addresses;
use super::report::values;
use super::section::Section;
use crate::policy::AutomaticBlocks;

const REFUSALS: u32 = 20;
const WITHIN: Duration = Duration::from_secs(60);
const LASTING: Duration = Duration::from_secs(600);
/// A day: what is remembered of who was refused is bounded, and older than that means nothing.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// What one connection of a scanner counts as.
const SCANNER: u32 = 5;

pub(super) fn automatic_blocks(root: &Section<'_>) -> Option<AutomaticBlocks> {
    let section = &root.table("automatic-blocks")?;
    let exempt = section.strings_or_none("exempt").unwrap_or_default();
    let blocks = AutomaticBlocks {
        refusals: section.count("refusals", 1..=1000).unwrap_or(REFUSALS),
        within: section.duration("within", WITHIN),
        lasting: section.duration("for", LASTING),
        exempt: values(section.parse_all(exempt, addresses::network)),
    };
    for (key, time) in [("within", blocks.within), ("for", blocks.lasting)] {
        if time > LONGEST {
            let problem = "is longer than a day";
            section.report.error(
                &section.place_of(key),
                problem,
                "write a shorter time; dimsegate block shuts somebody out for longer",
            );
        }
    }
    risks(section, &blocks);
    Some(blocks)
}

fn risks(section: &Section<'_>, blocks: &AutomaticBlocks) {
    let risk =
        |key, problem: &str, remedy: &str| section.report.risk(&section.place_of(key), problem, remedy);
    if addresses::holds_everybody(&blocks.exempt) {
        risk(
            "exempt",
            "holds every address: nobody is blocked",
            "list the addresses of your own scanners and gateways only",
        );
    }
    if blocks.refusals <= SCANNER {
        let problem = "is so few that one connection that is no DICOM blocks its address: a browser, or the check of a monitor";
        risk("refusals", problem, "write 20");
    }
    if blocks.lasting < blocks.within {
        risk(
            "for",
            "is shorter than within: whoever goes on is counted as long as they are let in",
            "write a longer time than that of within",
        );
    }
}
