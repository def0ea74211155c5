//! How associations end.

words! {
    /// What ended an association.
    Ended {
        Released = "released",
            "in good order: everything asked for was answered", "nothing";
        AbortedByRequestor = "aborted-by-requestor",
            "the requestor broke it off (A-ABORT)",
            "the sender's log; operations without an answer may come again";
        AbortedByUpstream = "aborted-by-upstream",
            "the upstream broke it off (A-ABORT)", "the log of the PACS";
        LostRequestor = "lost-requestor",
            "the requestor's connection ended without a release",
            "the sender, and the network path to it";
        LostUpstream = "lost-upstream",
            "the upstream's connection ended without a release",
            "the PACS, and the network path to it";
        Timeout = "timeout",
            "a deadline passed",
            "the reason says which; dimse-timeout, response-timeout, idle-timeout and release-timeout in [limits]";
        ProtocolError = "protocol-error",
            "one side broke the protocol, and both were told (A-ABORT)",
            "the software of the side that the reason names, or somebody probing";
        Policy = "policy",
            "dimsegate ended it because a rule did",
            "the reason names the rule or the element";
        Shutdown = "shutdown",
            "the proxy stopped before it was over",
            "nothing, if the stop was meant; a longer grace lets more end by themselves";
        Defect = "defect",
            "dimsegate broke a promise of its own, and ended this association alone",
            "the log of that time, and a report with it to dimsegate's authors";
    }
}
