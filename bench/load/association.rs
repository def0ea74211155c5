//! A requestor's association over the raw upper layer.

use std::io::{self, Write};

use crate::command::Command;
use crate::connection::{Connection, Target};
use crate::upper::{self, Associate, Pdu, Request};

pub struct Association {
    pub stream: Connection,
    pub answer: Associate,
    /// The longest P-DATA-TF body to send: what the acceptor said, or `Request::maximum_length` where it said 0.
    pub maximum: usize,
}

/// A whole message of one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub context: u8,
    pub command: Command,
    pub data_set: Option<Vec<u8>>,
}

impl Association {
    /// Connects, sends `request` and expects an A-ASSOCIATE-AC.
    pub fn open(target: &Target, request: &Request) -> io::Result<Self> {
        let mut stream = target.connect()?;
        stream.write_all(&request.encode())?;
        stream.flush()?;
        let pdu = upper::read_pdu(&mut stream)?.ok_or_else(|| unexpected("a close instead of an answer"))?;
        let answer = Some(&pdu).filter(|pdu| pdu.kind == upper::ASSOCIATE_AC);
        let answer = answer.and_then(|pdu| Associate::parse(&pdu.body));
        let answer = answer.ok_or_else(|| unexpected(&format!("{pdu:?} instead of an A-ASSOCIATE-AC")))?;
        let maximum = match answer.maximum_length {
            Some(0) | None => request.maximum_length.max(4096) as usize,
            Some(length) => length as usize,
        };
        Ok(Self { stream, answer, maximum })
    }

    pub fn send(&mut self, context: u8, command: &Command, data_set: Option<&[u8]>) -> io::Result<()> {
        let mut bytes = upper::p_data(context, upper::COMMAND, &command.encode(), self.maximum);
        if let Some(data_set) = data_set {
            bytes.extend(upper::p_data(context, 0, data_set, self.maximum));
        }
        self.stream.write_all(&bytes)?;
        self.stream.flush()
    }

    /// The next message; any PDU but P-DATA-TF is an error.
    pub fn receive(&mut self) -> io::Result<Message> {
        receive(&mut self.stream)
    }

    pub fn echo(&mut self, context: u8, message_id: u16) -> io::Result<u16> {
        self.send(context, &Command::c_echo_rq(message_id), None)?;
        self.status()
    }

    /// The status of the next response.
    pub fn status(&mut self) -> io::Result<u16> {
        let message = self.receive()?;
        message
            .command
            .number(crate::command::STATUS)
            .ok_or_else(|| unexpected("a response without a status"))
    }

    pub fn release(&mut self) -> io::Result<()> {
        self.stream.write_all(&upper::release_rq())?;
        self.stream.flush()?;
        match upper::read_pdu(&mut self.stream)? {
            Some(Pdu { kind: upper::RELEASE_RP, .. }) => Ok(()),
            other => Err(unexpected(&format!("{other:?} instead of an A-RELEASE-RP"))),
        }
    }
}

/// The next whole message on `stream`.
pub fn receive(stream: &mut Connection) -> io::Result<Message> {
    let (mut command, mut data, mut parsed) = (Vec::new(), Vec::new(), None::<Command>);
    loop {
        let pdu = upper::read_pdu(stream)?.ok_or_else(|| unexpected("a close instead of a message"))?;
        if pdu.kind != upper::P_DATA {
            return Err(unexpected(&format!("{pdu:?} instead of a P-DATA-TF")));
        }
        for pdv in pdu.pdvs()? {
            let last = pdv.control & upper::LAST != 0;
            if pdv.control & upper::COMMAND != 0 {
                command.extend(pdv.value);
                if last {
                    parsed = Command::parse(&command);
                }
            } else {
                data.extend(pdv.value);
            }
            let Some(command) = parsed.as_ref().filter(|_| last) else { continue };
            let data_pdv = pdv.control & upper::COMMAND == 0;
            if data_pdv || !command.has_data_set() {
                let data_set = command.has_data_set().then_some(data);
                return Ok(Message { context: pdv.context, command: command.clone(), data_set });
            }
        }
    }
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}
