//! Why operations are refused or fail.

use super::Row;

pub(super) const REASONS: &[Row] = &[
    (
        "operation-not-allowed",
        "the role of the peer does not have the operation",
        "operations of the [[role]]",
    ),
    (
        "contradictory-command",
        "the command names one SOP class or instance as affected and another as requested",
        "the sender's software, or somebody probing",
    ),
    (
        "not-asked-for",
        "the upstream sent an object while no C-GET of the peer was open",
        "the upstream's software, or whether it is what it should be",
    ),
    (
        "data-set-mismatch",
        "the data set of a C-STORE names another SOP class or instance than its command",
        "the sender's software, or somebody who goes around the role; the record has both",
    ),
    (
        "data-set-unreadable",
        "the data set of a C-STORE cannot be read as far as its SOP class and instance",
        "the sender's software, or somebody who goes around the role",
    ),
    (
        "sop-class-not-allowed",
        "the role of the peer does not have the SOP class",
        "sop-classes of the [[role]]",
    ),
    (
        "move-destination-not-allowed",
        "the role of the peer does not have the move destination",
        "move-destinations of the [[role]]",
    ),
    (
        "unrecognized-operation",
        "the command is no DIMSE operation that dimsegate knows",
        "the sender's software",
    ),
    (
        "duplicate-invocation",
        "a message ID was used again while its operation was open",
        "the sender's software",
    ),
    (
        "invalid-sop-instance",
        "the SOP instance UID breaks the rules of UIDs",
        "the sender's software, or somebody probing",
    ),
    (
        "rewrite-failed",
        "the data set could not be rewritten, and was not passed on",
        "the object: dimsegate rewrite tells the element",
    ),
    ("never-answered", "no response came before the association ended", "how the association ended"),
];
