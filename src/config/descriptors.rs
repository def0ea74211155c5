//! Whether the file descriptors that this account may have are enough for what the configuration allows.

use rustix::process::{Resource, getrlimit};

use super::section::Section;
use crate::policy::limits::Limits;

/// Of records, databases, repositories, listeners and the runtime.
const OTHERS: u64 = 128;

/// Reports a risk where the limits allow more connections than the process may have file descriptors.
pub(super) fn risk(limits: &Section<'_>, counts: &Limits) {
    let needed = needed(counts);
    // Without a limit there is nothing to miss.
    let Some(most) = getrlimit(Resource::Nofile).maximum.filter(|most| *most < needed) else { return };
    let problem = format!(
        "allows {} associations, which may need {needed} file descriptors, and a process may have {most} here",
        counts.max_associations
    );
    let remedy =
        "raise the hard limit (ulimit -Hn, or LimitNOFILE= of the service), or lower max-associations";
    limits.report.risk(&limits.place_of("max-associations"), problem, remedy);
}

/// Both legs of each association, and the connections of those who are not yet let in.
fn needed(counts: &Limits) -> u64 {
    u64::from(counts.max_associations).saturating_mul(3).saturating_add(OTHERS)
}
