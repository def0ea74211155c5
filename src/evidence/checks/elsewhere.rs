//! What this version has nothing to show for: tenants, emergencies, exports. Each says so, in its own place.

use crate::evidence::facts::Facts;
use crate::evidence::finding::{Finding, missing};

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

pub(in crate::evidence) fn adequacy_list_fresh(_: &Facts<'_>) -> Finding {
    missing(
        "the configuration has no list of adequacy decisions: an [[agreement]] says for itself that it rests on one, and until when",
        "hold mechanism = \"adequacy\" of each [[agreement]] against the list of the authority",
    )
}
