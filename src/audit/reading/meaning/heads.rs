//! What the head that was kept says of the trail that a run found.

use super::Row;

pub(super) const HEADS: &[Row] = &[
    (
        "new",
        "a new trail began: there was no record and no head",
        "whether that was meant; else everything before was deleted",
    ),
    ("fits", "the trail ended as its head says", "nothing"),
    (
        "missing",
        "audit.head was missing: nobody knows how many records there were",
        "who moved it; then audit verify",
    ),
    ("forged", "audit.head was damaged or forged", "who wrote it; then audit verify"),
    ("other-key", "audit.head was signed by another key", "whether signing-key was changed on purpose"),
    (
        "cut",
        "the end of the trail was cut off",
        "who could write the files; a repository may have the records",
    ),
    ("differs", "a record was written anew", "who could write the files; a repository may have the record"),
    ("not-compared", "audit.head was not compared: its record is not in the last files", "audit verify"),
];
