//! Numbers of the upper layer in the standard's words, with the numbers.

use std::fmt;

use super::associate::ContextResult;
use super::pdu::{Abort, Rejection};

impl fmt::Display for Rejection {
    /// PS3.8 Table 9-21, as in `A-ASSOCIATE-RJ 1/1/3: rejected-permanent, calling-AE-title-not-recognized`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { result, source, reason } = *self;
        let how = match result {
            1 => "rejected-permanent",
            2 => "rejected-transient",
            _ => "a result that PS3.8 does not define",
        };
        let why = match (source, reason) {
            (1 | 2, 1) => "no-reason-given",
            (1, 2) => "application-context-name-not-supported",
            (1, 3) => "calling-AE-title-not-recognized",
            (1, 7) => "called-AE-title-not-recognized",
            (2, 2) => "protocol-version-not-supported",
            (3, 1) => "temporary-congestion",
            (3, 2) => "local-limit-exceeded",
            _ => "a reason that PS3.8 does not define",
        };
        write!(f, "A-ASSOCIATE-RJ {result}/{source}/{reason}: {how}, {why}")
    }
}

impl fmt::Display for Abort {
    /// PS3.8 Table 9-26, as in `A-ABORT 2/1: service-provider, unrecognized-PDU`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, reason } = *self;
        write!(f, "A-ABORT {source}/{reason}: ")?;
        // The reason is significant only where the provider aborts.
        if source == 0 {
            return f.write_str("service-user");
        }
        let why = match reason {
            0 => "reason-not-specified",
            1 => "unrecognized-PDU",
            2 => "unexpected-PDU",
            4 => "unrecognized-PDU-parameter",
            5 => "unexpected-PDU-parameter",
            6 => "invalid-PDU-parameter-value",
            _ => "a reason that PS3.8 does not define",
        };
        match source {
            2 => write!(f, "service-provider, {why}"),
            _ => f.write_str("a source that PS3.8 does not define"),
        }
    }
}

impl fmt::Display for ContextResult {
    /// PS3.8 Table 9-18, as in `3, abstract-syntax-not-supported`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Acceptance => "acceptance",
            Self::UserRejection => "user-rejection",
            Self::NoReason => "no-reason",
            Self::AbstractSyntaxNotSupported => "abstract-syntax-not-supported",
            Self::TransferSyntaxesNotSupported => "transfer-syntaxes-not-supported",
        };
        write!(f, "{}, {words}", self.code())
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::associate::ContextResult;
    use crate::wire::pdu::{Abort, Rejection};

    #[test]
    fn a_rejection_is_told_in_the_words_of_table_9_21() {
        for (triple, words) in [
            ((1, 1, 1), "rejected-permanent, no-reason-given"),
            ((1, 1, 2), "rejected-permanent, application-context-name-not-supported"),
            ((1, 1, 3), "rejected-permanent, calling-AE-title-not-recognized"),
            ((1, 1, 7), "rejected-permanent, called-AE-title-not-recognized"),
            ((2, 2, 1), "rejected-transient, no-reason-given"),
            ((1, 2, 2), "rejected-permanent, protocol-version-not-supported"),
            ((2, 3, 1), "rejected-transient, temporary-congestion"),
            ((2, 3, 2), "rejected-transient, local-limit-exceeded"),
            ((2, 3, 5), "rejected-transient, a reason that PS3.8 does not define"),
            ((9, 1, 3), "a result that PS3.8 does not define, calling-AE-title-not-recognized"),
        ] {
            let (result, source, reason) = triple;
            let told = Rejection { result, source, reason }.to_string();
            assert_eq!(told, format!("A-ASSOCIATE-RJ {result}/{source}/{reason}: {words}"));
        }
    }

    #[test]
    fn an_abort_has_a_reason_only_where_the_provider_aborts() {
        assert_eq!(Abort { source: 0, reason: 6 }.to_string(), "A-ABORT 0/6: service-user");
        assert_eq!(
            Abort { source: 2, reason: 2 }.to_string(),
            "A-ABORT 2/2: service-provider, unexpected-PDU"
        );
        assert_eq!(
            Abort { source: 2, reason: 9 }.to_string(),
            "A-ABORT 2/9: service-provider, a reason that PS3.8 does not define"
        );
        assert_eq!(
            Abort { source: 1, reason: 0 }.to_string(),
            "A-ABORT 1/0: a source that PS3.8 does not define"
        );
    }

    #[test]
    fn the_result_of_a_context_is_told_with_its_number() {
        let all: Vec<String> =
            (0..5).filter_map(ContextResult::from_code).map(|result| result.to_string()).collect();
        assert_eq!(
            all,
            [
                "0, acceptance",
                "1, user-rejection",
                "2, no-reason",
                "3, abstract-syntax-not-supported",
                "4, transfer-syntaxes-not-supported"
            ]
        );
    }
}
