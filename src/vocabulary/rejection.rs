//! An A-ASSOCIATE-RJ in words.

/// Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 Table 9-21).
pub type Rejection = (u8, u8, u8);

/// An A-ASSOCIATE-RJ in words (PS3.8 Table 9-21).
pub fn of_rejection(result: u64, source: u64, reason: u64) -> String {
    let how = match result {
        1 => "rejected permanently",
        2 => "rejected for now",
        _ => "rejected",
    };
    let why = match (source, reason) {
        (1, 2) => "application context name not supported",
        (1, 3) => "calling AE title not recognized",
        (1, 7) => "called AE title not recognized",
        (2, 2) => "protocol version not supported",
        (3, 1) => "temporary congestion",
        (3, 2) => "local limit exceeded",
        _ => "no reason given",
    };
    format!("{how}: {why}")
}
