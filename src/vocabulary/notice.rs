//! What the proxy tells of itself and its surroundings.

use super::Answer::Silent;

words! {
    /// What the proxy tells of itself and its surroundings: nobody was refused, and somebody should look.
    Notice {
        ProtocolError = "protocol-error",
            "one side broke the protocol, and both were told (A-ABORT)",
            "the software of the side that the explanation names, or somebody probing", Silent, RestrictedFunction;
        RecordsLost = "records-lost",
            "records were lost while none could be written",
            "the disk under [audit] directory, then audit verify", Silent, RecordingStopped;
        AuditFileReplaced = "audit-file-replaced",
            "the audit file was removed or replaced while in use",
            "who did it; then audit verify", Silent, RecordingStopped;
        /// The message of the run that found it says so.
        TrailChanged = "trail-changed",
            "the trail is not, or may not be, as the run before left it",
            "who could write its files; audit verify", Silent, No;
        NotANote = "not-a-note",
            "something stood among the notes of who reads the records that is none",
            "who of the reviewers' group put it there", Silent, AccessControl;
        CertificateEnding = "certificate-ending",
            "a certificate that this proxy shows or trusts ends soon",
            "certs/README.md, Renewing: before that day", Silent, NodeAuthentication;
        CertificateEnded = "certificate-ended",
            "a certificate that this proxy shows or trusts has ended",
            "certs/README.md, Renewing: peers are refused, or refuse", Silent, NodeAuthentication;
        RevocationListEnding = "revocation-list-ending",
            "a revocation list ends soon",
            "how revocation-lists are renewed: dimsegate certs crl", Silent, NodeAuthentication;
        RevocationListEnded = "revocation-list-ended",
            "a revocation list has ended: everybody whom its CA signed is refused",
            "dimsegate certs crl, and the list to where the configuration names it", Silent, NodeAuthentication;
        LoginsGoOn = "logins-go-on",
            "somebody goes on trying to log in at the administration interface after too many wrong attempts",
            "who is at that address; dimsegate user disable NAME while in doubt", Silent, Login;
        UpstreamDown = "upstream-down",
            "no address of an upstream answers: associations for it are refused at once",
            "the PACS, and the network to it: dimsegate echo", Silent, No;
        UpstreamUp = "upstream-up",
            "an upstream that was down answers again",
            "nothing, if it was meant to be down", Silent, No;
        IssuerKeysFailing = "issuer-keys-failing",
            "the keys of an issuer cannot be fetched: its tokens are accepted for as long as the last keys count",
            "the server that keys of [[issuer]] names, and the network to it", Silent, No;
        IssuerKeysFetched = "issuer-keys-fetched",
            "the keys of an issuer are fetched again",
            "nothing, if its server was meant to be away", Silent, No;
        RepositoryBehind = "repository-behind",
            "an audit repository has not had records for more than ten minutes",
            "the repository, and the network to it; nothing is lost", Silent, RecordingLate;
        AutomaticallyBlocked = "automatically-blocked",
            "somebody was refused so often that they are shut out for a while",
            "who it is: the explanation; dimsegate unblock, and exempt of [automatic-blocks], if it is a device of yours",
            Silent, AccessControl;
        BlockNotKept = "block-not-kept",
            "a block is in force, but only in memory: the disk did not take it, and a restart would forget it",
            "the disk under state-directory", Silent, AccessControl;
        RetentionDays = "retention-days",
            "a day's records were deleted, being older than retention-days",
            "nothing, if the number of days was meant", Silent, No;
    }
}
