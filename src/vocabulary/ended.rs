//! How associations end.

use super::Answer::Silent;

words! {
    /// What ended an association.
    Ended {
        Released = "released",
            "in good order: everything asked for was answered", "nothing", Silent, No;
        AbortedByRequestor = "aborted-by-requestor",
            "the requestor broke it off (A-ABORT)",
            "the sender's log; operations without an answer may come again", Silent, No;
        AbortedByUpstream = "aborted-by-upstream",
            "the upstream broke it off (A-ABORT)", "the log of the PACS", Silent, No;
        LostRequestor = "lost-requestor",
            "the requestor's connection ended without a release",
            "the sender, and the network path to it", Silent, No;
        LostUpstream = "lost-upstream",
            "the upstream's connection ended without a release",
            "the PACS, and the network path to it", Silent, No;
        Timeout = "timeout",
            "a deadline passed",
            "the reason says which; dimse-timeout, response-timeout, idle-timeout and release-timeout in [limits]",
            Silent, No;
        ProtocolError = "protocol-error",
            "one side broke the protocol, and both were told (A-ABORT)",
            "the software of the side that the reason names, or somebody probing", Silent, RestrictedFunction;
        Policy = "policy",
            "dimsegate ended it because a rule did",
            "the reason names the rule or the element", Silent, AccessControl;
        Shutdown = "shutdown",
            "the proxy stopped before it was over",
            "nothing, if the stop was meant; a longer grace lets more end by themselves", Silent, No;
        Defect = "defect",
            "dimsegate broke a promise of its own, and ended this association alone",
            "the log of that time, and a report with it to dimsegate's authors", Silent, No;
    }
}
