//! Whether the file descriptors that this account may have are enough for what the configuration allows.

use rustix::process::{Resource, getrlimit};

use super::section::Section;
use super::share::Share;
use crate::policy::limits::Limits;

/// Of records, databases, repositories, listeners and the runtime.
const OTHERS: u64 = 128;

/// Reports a risk where the limits allow more connections than the process may have file descriptors.
pub(super) fn risk(root: &Section<'_>, counts: &Limits, needed: u64) {
    // Without a limit there is nothing to miss.
    let Some(most) = getrlimit(Resource::Nofile).maximum.filter(|most| *most < needed) else { return };
    let problem = format!(
        "allows {} associations, which may need {needed} file descriptors, and a process may have {most} here",
        counts.max_associations
    );
    let remedy =
        "raise the hard limit (ulimit -Hn, or LimitNOFILE= of the service), or lower max-associations";
    let limits = root.table("limits");
    let place = limits.as_ref().unwrap_or(root).place_of("max-associations");
    root.report.risk(&place, problem, remedy);
}

/// Both legs of each association, and the connections of those who are not yet let in.
pub(super) fn needed(counts: &Limits) -> u64 {
    with_associations(counts.max_associations.into())
}

/// The same of all tenants and the machine, at which those are of whom it is not known yet whose they are.
pub(super) fn needed_by_all(counts: &Limits, shares: impl Iterator<Item = Share>) -> u64 {
    let all = u64::from(counts.max_associations);
    let of_machine = all.saturating_add(OTHERS);
    shares.map(|share| with_associations(share.of(all))).fold(of_machine, u64::saturating_add)
}

fn with_associations(count: u64) -> u64 {
    count.saturating_mul(3).saturating_add(OTHERS)
}

#[cfg(test)]
mod tests {
    use super::{OTHERS, needed, needed_by_all};
    use crate::config::share::Share;
    use crate::policy::limits::Limits;
    use std::num::NonZeroU32;

    #[test]
    fn tenants_need_what_each_of_them_needs_and_the_machine_for_those_who_are_nobodys_yet() {
        let counts = Limits {
            max_associations: 400,
            max_associations_per_address: 1,
            connections_per_minute_per_address: NonZeroU32::MIN,
            associations_per_minute: None,
            associations_per_minute_per_address: None,
            request_pieces: 1,
        };
        assert_eq!(needed(&counts), 1200 + OTHERS);
        let all = needed_by_all(&counts, [0.5, 0.25].map(Share::new).into_iter());
        assert_eq!(all, 400 + 600 + 300 + 3 * OTHERS);
    }
}
