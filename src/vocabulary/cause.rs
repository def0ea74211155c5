//! Why an operation is refused, or fails.

use super::Answer::{Silent, Status, StatusOfService};

words! {
    /// Why an operation was refused, or failed, on an association that lives on.
    Cause {
        OperationNotAllowed = "operation-not-allowed",
            "the role of the peer does not have the operation",
            "operations of the [[role]]", Status(0x0124), AccessControl;
        NotAskedFor = "not-asked-for",
            "the upstream sent an object while no C-GET of the peer was open",
            "the upstream's software, or whether it is what it should be", Status(0x0124), AccessControl;
        SopClassNotAllowed = "sop-class-not-allowed",
            "the role of the peer does not have the SOP class",
            "sop-classes of the [[role]]", Status(0x0122), AccessControl;
        /// Says the same on the wire whether the destination exists or not.
        MoveDestinationNotAllowed = "move-destination-not-allowed",
            "the role of the peer does not have the move destination",
            "move-destinations of the [[role]]", Status(0xA801), AccessControl;
        /// Says the same on the wire whether there is such a study or not.
        OutsideScope = "outside-scope",
            "the scope of the peer does not let it through, or cannot judge it; or patients are counted, or have to consent, and it cannot be told which ones this shows",
            "scope of the [[peer]]; dimsegate explain --study says which condition of it; or max-patients-per-day of the [[role]]",
            Status(0x0124), AccessControl;
        ScopeNotKnown = "scope-not-known",
            "the upstream did not say whether the study is within the scope of the peer, or whose it is",
            "whether the upstream answers a C-FIND of studies, and of instances without their study; the log has more",
            StatusOfService, AccessControl;
        QueryLevelNotAllowed = "query-level-not-allowed",
            "the role does not let a query or retrieval ask at this level, or it says no level",
            "query-levels of the [[role]]; the record has the identifier", Status(0x0124), AccessControl;
        QueryTooWide = "query-too-wide",
            "none of the keys that have to narrow a query does",
            "query-keys and query-min-length of the [[role]]; the record has the identifier",
            Status(0x0124), AccessControl;
        /// Else whoever asks learns by the number of answers what these do not show.
        QueryKeyHidden = "query-key-hidden",
            "the query asks by an attribute that the role hides",
            "hide of the [[role]]; the record has the identifier", Status(0x0124), AccessControl;
        QueryUnreadable = "query-unreadable",
            "the identifier of a query or retrieval cannot be read, so that the role cannot be asked about it",
            "the sender's software, or somebody who goes around the role", Status(0xC000), AccessControl;
        TooManyRetrievals = "too-many-retrievals",
            "there were as many retrievals in the last hour as the role allows",
            "max-retrievals-per-hour of the [[role]], and whether somebody fetches more than they need",
            Status(0xA702), AccessControl;
        /// What had been found until then went on.
        TooManyAnswers = "too-many-answers",
            "more answers were found than the role allows, and the rest was withheld",
            "max-answers of the [[role]], and whether somebody asks for more than they need",
            Status(0xA700), AccessControl;
        /// What had been shown until then went on.
        TooManyPatients = "too-many-patients",
            "it would show more patients today than the role allows",
            "max-patients-per-day of the [[role]], and whether somebody looks at more than they need",
            StatusOfService, AccessControl;
        PatientsNotCounted = "patients-not-counted",
            "the patients that it would show could not be counted, so nothing was shown",
            "patients and patients.key in state-directory; the log has more", StatusOfService, AccessControl;
        NoConsent = "no-consent",
            "the patient has not consented, or nothing is known of it, and the consent source of the peer passes no unknown",
            "the list, the object or the server that the [[consent]] of the [[peer]] names, and consent-scope of the peer",
            Status(0x0124), AccessControl;
        ConsentNotKnown = "consent-not-known",
            "the server of consents did not say whether the patient has consented, so nothing was shown",
            "url and tls of the [[consent]], and its server; the log has more", Status(0x0124), AccessControl;
        ContradictoryCommand = "contradictory-command",
            "the command names one SOP class or instance as affected and another as requested",
            "the sender's software, or somebody probing", Status(0x0212), AccessControl;
        UnrecognizedOperation = "unrecognized-operation",
            "the command is no DIMSE operation that dimsegate knows",
            "the sender's software", Status(0x0211), AccessControl;
        DuplicateInvocation = "duplicate-invocation",
            "a message ID was used again while its operation was open",
            "the sender's software", Status(0x0210), AccessControl;
        InvalidSopInstance = "invalid-sop-instance",
            "the SOP instance UID breaks the rules of UIDs",
            "the sender's software, or somebody probing", Status(0x0117), AccessControl;
        DataSetMismatch = "data-set-mismatch",
            "the data set of a C-STORE names another SOP class or instance than its command",
            "the sender's software, or somebody who goes around the role; the record has both",
            Status(0xA900), AccessControl;
        DataSetUnreadable = "data-set-unreadable",
            "the data set of a C-STORE cannot be read as far as its SOP class and instance",
            "the sender's software, or somebody who goes around the role", Status(0xC000), AccessControl;
        RewriteFailed = "rewrite-failed",
            "the data set could not be rewritten, and was not passed on",
            "the object: dimsegate rewrite tells the element", StatusOfService, AccessControl;
        /// Of an instance 0x0112, no such SOP instance; a query for one is answered that nothing matches.
        UnknownPseudonym = "unknown-pseudonym",
            "what was asked about stands for nothing on the other side",
            "where the reader has the identifier from; only what went out to readers can come back",
            StatusOfService, AccessControl;
        DuplicateInstance = "duplicate-instance",
            "the reader sent an instance whose original is on the other side",
            "the reader's software: it sends back what it was given, under the same UID",
            Status(0x0111), AccessControl;
        OtherInstance = "other-instance",
            "the response names another SOP instance than the request",
            "the software of whoever answered, or somebody who claims the UID of another object",
            StatusOfService, AccessControl;
        NeverAnswered = "never-answered",
            "no response came before the association ended",
            "how the association ended", Silent, AccessControl;
    }
}

impl Cause {
    /// Whether a rule stood against the operation; else it could not be done.
    pub fn is_refusal(self) -> bool {
        use Cause::{
            ConsentNotKnown, DuplicateInstance, NeverAnswered, OtherInstance, PatientsNotCounted,
            RewriteFailed, ScopeNotKnown, TooManyAnswers, UnknownPseudonym,
        };
        let could_not_be_done = [
            RewriteFailed,
            ScopeNotKnown,
            TooManyAnswers,
            PatientsNotCounted,
            ConsentNotKnown,
            UnknownPseudonym,
            DuplicateInstance,
            OtherInstance,
            NeverAnswered,
        ];
        !could_not_be_done.contains(&self)
    }

    /// The status (0000,0900) of the response, where it is always the same (PS3.7 Annex C).
    pub fn status(self) -> Option<u16> {
        match self.word().answer {
            Status(status) => Some(status),
            _ => None,
        }
    }
}
