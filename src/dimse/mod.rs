//! DIMSE messages (PS3.7): command sets, operations, status codes. No I/O.

mod command;
mod kind;
mod operation;
mod reading;
mod response;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod value;
mod writer;

pub use command::{Command, CommandField};
pub use operation::{Operation, UnknownOperation};
pub use reading::Tolerated;
pub use response::{
    Failure, FreeText, Named, across, cancel, echo_request, failed_response, find_request, nothing_matches,
    refusal, refusal_of_data_set, response, store_request, with_affected_sop_instance, without_data_set,
};
pub use status::{Outcome, Status};
