//! What the proxy tells of itself and its surroundings.

use super::Row;

pub(super) const REASONS: &[Row] = &[
    (
        "records-lost",
        "records were lost while none could be written",
        "the disk under [audit] directory, then audit verify",
    ),
    (
        "audit-file-replaced",
        "the audit file was removed or replaced while in use",
        "who did it; then audit verify",
    ),
    (
        "trail-changed",
        "the trail is not, or may not be, as the run before left it",
        "who could write its files; audit verify",
    ),
    (
        "not-a-note",
        "something stood among the notes of who reads the records that is none",
        "who of the reviewers' group put it there",
    ),
    (
        "certificate-ending",
        "a certificate that this proxy shows or trusts ends soon",
        "certs/README.md, Renewing: before that day",
    ),
    (
        "certificate-ended",
        "a certificate that this proxy shows or trusts has ended",
        "certs/README.md, Renewing: peers are refused, or refuse",
    ),
    (
        "revocation-list-ending",
        "a revocation list ends soon",
        "how revocation-lists are renewed: dimsegate certs crl",
    ),
    (
        "revocation-list-ended",
        "a revocation list has ended: everybody whom its CA signed is refused",
        "dimsegate certs crl, then SIGHUP",
    ),
    (
        "repository-behind",
        "an audit repository has not had records for more than ten minutes",
        "the repository, and the network to it; nothing is lost",
    ),
];
