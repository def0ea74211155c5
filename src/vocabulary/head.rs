//! What the head that was kept says of the trail that a run found.

words! {
    /// What `audit.head` said of the trail when a run began.
    #[derive(Default)]
    HeadFound {
        #[default]
        New = "new",
            "a new trail began: there was no record and no head",
            "whether that was meant; else everything before was deleted";
        Fits = "fits",
            "the trail ended as its head says", "nothing";
        Missing = "missing",
            "audit.head was missing: nobody knows how many records there were",
            "who moved it; then audit verify";
        /// Not a head, or not signed by whom it says.
        Forged = "forged",
            "audit.head was damaged or forged: nobody knows how many records there were", "who wrote it; then audit verify";
        /// It could not be checked.
        OtherKey = "other-key",
            "audit.head was signed by another key than this run's", "whether signing-key was changed on purpose";
        Cut = "cut",
            "the end of the trail was cut off",
            "who could write the files; a repository may have the records";
        Differs = "differs",
            "a record was written anew",
            "who could write the files; a repository may have the record";
        NotCompared = "not-compared",
            "audit.head was not compared: its record is not in the last files", "audit verify";
    }
}

impl HeadFound {
    /// Whether the trail is, or may be, not as the last run left it.
    pub fn is_wrong(self) -> bool {
        !matches!(self, Self::New | Self::Fits | Self::NotCompared)
    }
}
