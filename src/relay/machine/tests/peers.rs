//! A requestor and an archive that keep to small scripts.

use std::collections::VecDeque;

use super::wire::{
    COMMITMENT, CT, ECHO, FIND, GET, Heard, MOVE, context_of, message, release_rp, release_rq, request,
    response,
};
use crate::dimse::{self, Command, CommandField, Operation, Outcome, Status};

/// What a requestor asks.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// Of this instance, with this data set.
    Store(&'static str, Vec<u8>),
    Find(Vec<u8>),
    /// It has enough after the second answer.
    FindAndCancel(Vec<u8>),
    Get(Vec<u8>),
    Move(Vec<u8>),
    Echo,
    /// Attributes of this instance.
    Attributes(String),
    /// Storage commitment.
    Commit(Vec<u8>),
}

/// Who asks for the release once nothing is left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    Requestor,
    Archive,
    Both,
}

pub(super) trait Peer {
    /// What it says without being asked.
    fn begin(&mut self, out: &mut Vec<u8>);
    fn hear(&mut self, heard: &Heard, out: &mut Vec<u8>);
}

pub(super) struct Requestor {
    script: VecDeque<Ask>,
    leaves: bool,
    fragment: usize,
    message_id: u16,
    cancels_after: Option<u32>,
    has_asked: bool,
}

impl Requestor {
    pub(super) fn new(script: &[Ask], leaves: Leaves, fragment: usize) -> Self {
        let (script, leaves) = (script.iter().cloned().collect(), leaves != Leaves::Archive);
        Self { script, leaves, fragment, message_id: 0, cancels_after: None, has_asked: false }
    }

    fn go_on(&mut self, out: &mut Vec<u8>) {
        self.message_id += 1;
        self.cancels_after = None;
        let Some(ask) = self.script.pop_front() else {
            if self.leaves && !self.has_asked {
                self.has_asked = true;
                out.extend(release_rq());
            }
            return;
        };
        let (operation, class, instance, data) = match &ask {
            Ask::Store(instance, data) => (Operation::CStore, CT, Some(*instance), Some(data)),
            Ask::Find(data) => (Operation::CFind, FIND, None, Some(data)),
            Ask::FindAndCancel(data) => {
                self.cancels_after = Some(2);
                (Operation::CFind, FIND, None, Some(data))
            }
            Ask::Get(data) => (Operation::CGet, GET, None, Some(data)),
            Ask::Move(data) => (Operation::CMove, MOVE, None, Some(data)),
            Ask::Echo => (Operation::CEcho, ECHO, None, None),
            Ask::Attributes(instance) => (Operation::NGet, CT, Some(instance.as_str()), None),
            Ask::Commit(data) => (Operation::NAction, COMMITMENT[0], Some(COMMITMENT[1]), Some(data)),
        };
        let command = request(operation, class, self.message_id, instance);
        out.extend(message(context_of(class), &command, data.map(Vec::as_slice), self.fragment));
    }
}

impl Peer for Requestor {
    fn begin(&mut self, out: &mut Vec<u8>) {
        self.go_on(out);
    }

    fn hear(&mut self, heard: &Heard, out: &mut Vec<u8>) {
        match heard {
            Heard::Message { context_id, command, .. } => {
                let command = Command::parse(command.clone()).unwrap();
                match command.field {
                    // A sub-operation of a C-GET.
                    CommandField::Request { .. } => {
                        let response = response(&command, Status::SUCCESS, false);
                        out.extend(message(*context_id, &response, None, self.fragment));
                    }
                    CommandField::Response { responding_to, status, .. } => {
                        assert_eq!(responding_to, self.message_id);
                        if status.outcome() != Outcome::Pending {
                            return self.go_on(out);
                        }
                        self.cancels_after = self.cancels_after.and_then(|left| left.checked_sub(1));
                        if self.cancels_after == Some(0) {
                            let cancel = dimse::cancel(self.message_id);
                            out.extend(message(*context_id, &cancel, None, self.fragment));
                            self.cancels_after = None;
                        }
                    }
                    other => panic!("{other:?} for a requestor"),
                }
            }
            // In a collision it answers first (PS3.8 Table 9-10, Sta9).
            Heard::ReleaseRq => out.extend(release_rp()),
            Heard::ReleaseRp | Heard::Abort(..) => {}
        }
    }
}

pub(super) struct Archive {
    /// Sub-operations of a C-GET that are left.
    gives: VecDeque<(&'static str, Vec<u8>)>,
    getting: Option<(u8, Command)>,
    finding: Option<(u8, Command)>,
    /// It waits with the end of a C-FIND until that is cancelled.
    waits_for_cancel: bool,
    answers: Vec<Vec<u8>>,
    /// Operations that it answers before it asks for the release.
    leaves_after: Option<usize>,
    fragment: usize,
    has_asked: bool,
    owes_release: bool,
}

impl Archive {
    pub(super) fn new(script: &[Ask], leaves: Leaves, fragment: usize, reaches_it: usize) -> Self {
        let cancels = script.iter().any(|ask| matches!(ask, Ask::FindAndCancel(_)));
        Self {
            gives: VecDeque::new(),
            getting: None,
            finding: None,
            waits_for_cancel: cancels,
            answers: (0..3).map(|n| super::data::image("1.2.3.9", 20 + 300 * n)).collect(),
            leaves_after: (leaves != Leaves::Requestor).then_some(reaches_it),
            fragment,
            has_asked: false,
            owes_release: false,
        }
    }

    fn say(&self, context_id: u8, command: &[u8], data: Option<&[u8]>, out: &mut Vec<u8>) {
        out.extend(message(context_id, command, data, self.fragment));
    }

    /// The last answer to an operation.
    fn end(&mut self, context_id: u8, request: &Command, status: Status, out: &mut Vec<u8>) {
        self.say(context_id, &response(request, status, false), None, out);
        self.leaves_after = self.leaves_after.map(|left| left - 1);
        if self.leaves_after == Some(0) {
            self.has_asked = true;
            out.extend(release_rq());
        }
    }

    fn give_next(&mut self, out: &mut Vec<u8>) {
        let Some((context_id, getting)) = self.getting.take() else { return };
        match self.gives.pop_front() {
            Some((instance, data)) => {
                let number = 900 + u16::try_from(self.gives.len()).unwrap();
                let command = request(Operation::CStore, CT, number, Some(instance));
                self.say(context_of(CT), &command, Some(&data), out);
                self.getting = Some((context_id, getting));
            }
            None => self.end(context_id, &getting, Status::SUCCESS, out),
        }
    }

    fn asked(&mut self, context_id: u8, command: Command, operation: Operation, out: &mut Vec<u8>) {
        match operation {
            Operation::CFind => {
                for answer in &self.answers {
                    self.say(context_id, &response(&command, Status(0xFF00), true), Some(answer), out);
                }
                match self.waits_for_cancel {
                    true => self.finding = Some((context_id, command)),
                    false => self.end(context_id, &command, Status::SUCCESS, out),
                }
            }
            Operation::CGet => {
                self.gives = [("1.2.3.1", 10), ("1.2.3.2", 2000)]
                    .map(|(instance, length)| (instance, super::data::image(instance, length)))
                    .into();
                self.getting = Some((context_id, command));
                self.give_next(out);
            }
            _ => self.end(context_id, &command, Status::SUCCESS, out),
        }
    }
}

impl Peer for Archive {
    fn begin(&mut self, _: &mut Vec<u8>) {}

    fn hear(&mut self, heard: &Heard, out: &mut Vec<u8>) {
        match heard {
            Heard::Message { context_id, command, .. } => {
                let command = Command::parse(command.clone()).unwrap();
                match command.field {
                    CommandField::Request { operation, .. } => {
                        self.asked(*context_id, command, operation, out)
                    }
                    CommandField::Response { .. } => self.give_next(out),
                    CommandField::Cancel { .. } => {
                        let (context_id, finding) = self.finding.take().expect("a C-FIND that is open");
                        self.end(context_id, &finding, Status(0xFE00), out);
                    }
                    other => panic!("{other:?} for an archive"),
                }
            }
            // In a collision it waits for the answer to its own (Sta10).
            Heard::ReleaseRq if self.has_asked => self.owes_release = true,
            Heard::ReleaseRq => out.extend(release_rp()),
            Heard::ReleaseRp if self.owes_release => out.extend(release_rp()),
            Heard::ReleaseRp | Heard::Abort(..) => {}
        }
    }
}
