//! Every check, by the name that the data of controls give it.

use super::checks::{access, borders, elsewhere, identity, records, rewriting, transport};
use super::facts::Facts;
use super::finding::{Finding, missing};

/// A pure function: the same facts, the same finding.
pub type Check = fn(&Facts<'_>) -> Finding;

/// Every check that a control may name.
pub const CHECKS: [(&str, Check); 44] = [
    ("allowlist_nonempty", access::allowlist_nonempty),
    ("default_deny", access::default_deny),
    ("idle_timeout_set", access::idle_timeout_set),
    ("admin_loopback", access::admin_loopback),
    ("rule_review_dates", access::rule_review_dates),
    ("mtls_required", identity::mtls_required),
    ("no_shared_cert_binding", identity::no_shared_cert_binding),
    ("identity_required", identity::identity_required),
    ("mfa_rules", identity::mfa_rules),
    ("lockout_set", identity::lockout_set),
    ("crl_fresh", identity::crl_fresh),
    ("cert_expiry", identity::cert_expiry),
    ("no_plain_listener", transport::no_plain_listener),
    ("upstream_tls", transport::upstream_tls),
    ("tls_profile", transport::tls_profile),
    ("self_test_recent", transport::self_test_recent),
    ("key_file_permissions", transport::key_file_permissions),
    ("audit_enabled", records::audit_enabled),
    ("audit_chain_verifies", records::audit_chain_verifies),
    ("audit_forwarding_ok", records::audit_forwarding_ok),
    ("audit_schema_valid", records::audit_schema_valid),
    ("audit_review_export", records::audit_review_export),
    ("config_hash_logged", records::config_hash_logged),
    ("retention_days_ge_2192", records::retention_days_ge_2192),
    ("metrics_enabled", records::metrics_enabled),
    ("clock_sync", records::clock_sync),
    ("spool_disabled_or_encrypted", records::spool_disabled_or_encrypted),
    ("rewrite_rules_listed", rewriting::rewrite_rules_listed),
    ("deid_profile_named", rewriting::deid_profile_named),
    ("pixel_policy_set", rewriting::pixel_policy_set),
    ("deid_rules_per_destination", rewriting::deid_rules_per_destination),
    ("deid_default", rewriting::deid_default),
    ("mapping_key_separate", rewriting::mapping_key_separate),
    ("digest_logging", elsewhere::digest_logging),
    ("breakglass_defined", elsewhere::breakglass_defined),
    ("tenant_isolation", elsewhere::tenant_isolation),
    ("incident_export", elsewhere::incident_export),
    ("destination_metadata_complete", borders::destination_metadata_complete),
    ("destination_country_set", borders::destination_country_set),
    ("adequacy_list_fresh", elsewhere::adequacy_list_fresh),
    ("safeguard_ref_present", borders::safeguard_ref_present),
    ("binding_rules_present", borders::binding_rules_present),
    ("derogation_permits_expire", borders::derogation_permits_expire),
    ("dsp_block_list", borders::dsp_block_list),
];

/// The finding of a check. Of a name that is none nothing is found; a test holds the data against the list.
pub(super) fn of(name: &str, facts: &Facts<'_>) -> Finding {
    let check = CHECKS.iter().find(|(known, _)| *known == name);
    check.map_or_else(|| missing(format!("there is no check {name}"), "report it"), |(_, check)| check(facts))
}
