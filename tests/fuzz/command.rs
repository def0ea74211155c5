//! Command sets: one reading or none, and what goes on is that reading, and what dimsegate writes in answer to any of them can be read.

use dimsegate::dimse::{Command, CommandField, Status, refusal, with_affected_sop_instance};

pub fn check(bytes: &[u8]) {
    let Ok(command) = Command::parse(bytes.to_vec()) else { return };
    // What goes on is what was understood: read again, it is the same, and there is nothing to tolerate.
    let again = Command::parse(command.bytes().to_vec()).expect("a command");
    assert_eq!((again.bytes(), again.tolerated()), (command.bytes(), &[][..]));
    assert_eq!((again.field, again.has_data_set), (command.field, command.has_data_set));
    assert!(!command.tolerated().is_empty() || command.bytes() == bytes);
    let shown = [command.sop_class(), command.sop_instance(), command.move_destination()];
    for text in shown.into_iter().flatten() {
        assert!(text.chars().all(|c| c == '…' || (' '..='~').contains(&c)), "{text:?}");
    }
    let moved = Command::parse(with_affected_sop_instance(&command, "2.25.4711")).expect("a command");
    assert_eq!((moved.field, moved.has_data_set), (command.field, command.has_data_set));
    assert!(moved.affected_sop_instance().is_none_or(|uid| uid == "2.25.4711"));
    if let CommandField::Request { operation, message_id } = command.field {
        let response = Command::parse(refusal(&command, Status(0x0124), "not allowed")).expect("a response");
        let status = Status(0x0124);
        let expected = CommandField::Response { operation, responding_to: message_id, status };
        assert_eq!((response.field, response.has_data_set), (expected, false));
    }
}
