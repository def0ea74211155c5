//! What this version has nothing to show for: tenants, agreements, emergencies, exports. Each says so, in its own place.

use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, missing};

/// What the configuration of this version has no key for.
fn no_key(what: &str) -> Finding {
    missing(
        format!("the configuration has no key for {what}, so there is nothing to show"),
        "keep it in the organisation's own register",
    )
}

pub(in crate::evidence) fn digest_logging(_: &Facts<'_>) -> Finding {
    missing(
        "records hold no digest of pixel data",
        "compare objects at both ends; what no rewrite is applied to passes byte for byte",
    )
}

pub(in crate::evidence) fn breakglass_defined(_: &Facts<'_>) -> Finding {
    missing(
        "there is no break-glass: no right that is opened for a time, and recorded as an emergency",
        "write down how patients' data are reached while the proxy refuses",
    )
}

pub(in crate::evidence) fn tenant_isolation(_: &Facts<'_>) -> Finding {
    missing(
        "one proxy serves one organisation: its peers share records, keys and limits",
        "run a proxy for each tenant, with its own account and folders",
    )
}

pub(in crate::evidence) fn incident_export(_: &Facts<'_>) -> Finding {
    missing(
        "there is no export of an incident with its proofs in one file",
        "dimsegate audit search --from … --to … lists the records of the window, and audit verify proves the trail",
    )
}

pub(in crate::evidence) fn destination_metadata_complete(_: &Facts<'_>) -> Finding {
    no_key("purpose, country and safeguard of a destination")
}

pub(in crate::evidence) fn destination_country_set(_: &Facts<'_>) -> Finding {
    no_key("the country of a destination")
}

pub(in crate::evidence) fn adequacy_list_fresh(_: &Facts<'_>) -> Finding {
    no_key("a list of adequacy decisions")
}

pub(in crate::evidence) fn safeguard_ref_present(_: &Facts<'_>) -> Finding {
    no_key("the reference of a safeguard")
}

pub(in crate::evidence) fn derogation_permits_expire(_: &Facts<'_>) -> Finding {
    no_key("permits of single transfers")
}

pub(in crate::evidence) fn dsp_block_list(_: &Facts<'_>) -> Finding {
    no_key("countries that are blocked")
}
