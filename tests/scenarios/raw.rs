//! Both ends of an association by hand, so that a scenario can send anything and assert the bytes that come.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use crate::association::{self, Message};
use crate::command::{Command, STATUS};
use crate::connection::{Connection, Target};
use crate::gate::{Gate, Setup};
use crate::upper::{self, Associate, Pdu, Request};
use crate::wait::{self, PATIENCE};

/// One end of a connection. Everything panics with what was read where something else was expected.
pub struct Peer {
    pub stream: Connection,
}

impl Peer {
    pub fn connect(target: &Target) -> Self {
        Self { stream: target.connect().expect("a connection") }
    }

    pub fn plain(address: SocketAddr) -> Self {
        Self::connect(&Target { patience: PATIENCE, ..Target::plain(address) })
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("bytes written");
        self.stream.flush().expect("bytes flushed");
    }

    /// Sends what a peer that was already refused may not take any more.
    pub fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
    }

    /// Sends the same again and again, more than any kernel buffers, until the other side has closed.
    pub fn send_until_closed(&mut self, bytes: &[u8]) {
        while self.stream.write_all(bytes).is_ok() {}
    }

    pub fn pdu(&mut self) -> Pdu {
        let pdu = upper::read_pdu(&mut self.stream).expect("a PDU before the deadline");
        pdu.expect("a PDU, not a close")
    }

    /// The next PDU, which has to be of that type.
    pub fn expect(&mut self, kind: u8) -> Vec<u8> {
        let pdu = self.pdu();
        assert_eq!(pdu.kind, kind, "{pdu:?}");
        pdu.body
    }

    /// A-ASSOCIATE of that type, parsed.
    pub fn associate(&mut self, kind: u8) -> Associate {
        let body = self.expect(kind);
        Associate::parse(&body).unwrap_or_else(|| panic!("not an A-ASSOCIATE: {body:02x?}"))
    }

    pub fn message(&mut self) -> Message {
        association::receive(&mut self.stream).expect("a message")
    }

    pub fn send_message(&mut self, context: u8, command: &Command, data_set: Option<&[u8]>, maximum: usize) {
        self.send(&upper::p_data(context, upper::COMMAND, &command.encode(), maximum));
        if let Some(data_set) = data_set {
            self.send(&upper::p_data(context, 0, data_set, maximum));
        }
    }

    /// Asserts that nothing but the end of the connection comes.
    pub fn expect_close(&mut self) {
        assert_eq!(self.rest(), Vec::<u8>::new(), "bytes before the close");
    }

    /// Everything until the peer closes or resets.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Err(error) if timed_out(&error) => panic!("still open after {PATIENCE:?}; so far {bytes:02x?}"),
            // A reset, or TLS without close_notify, ends it too.
            _ => bytes,
        }
    }

    /// A-RELEASE begun by this end.
    pub fn release(mut self) {
        self.send(&upper::release_rq());
        self.expect(upper::RELEASE_RP);
    }

    /// Answers the other end's A-RELEASE.
    pub fn expect_release(mut self) {
        self.expect(upper::RELEASE_RQ);
        self.send(&upper::release_rp());
        self.expect_close();
    }
}

fn timed_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// An archive whose every byte the scenario writes.
pub struct Upstream {
    listener: TcpListener,
    pub address: SocketAddr,
}

impl Upstream {
    pub fn bind() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that can be asked");
        let address = listener.local_addr().expect("a bound address");
        Self { listener, address }
    }

    /// The next connection.
    pub fn accept(&self) -> Peer {
        wait::until("a connection to the upstream", || self.try_accept())
    }

    /// A connection that is there already.
    pub fn try_accept(&self) -> Option<Peer> {
        let (socket, _) = self.listener.accept().ok()?;
        socket.set_nonblocking(false).expect("a blocking socket");
        let stream = Connection::accepted(socket, None, PATIENCE);
        Some(Peer { stream: stream.expect("a connection") })
    }

    /// Asserts that nobody has connected since.
    pub fn expect_nobody(&self) {
        assert!(self.listener.accept().is_err(), "somebody reached the upstream");
    }

    /// Takes the next connection, reads its request and accepts the first transfer syntax of every context.
    pub fn accept_all(&self, maximum_length: u32) -> (Peer, Associate) {
        let mut peer = self.accept();
        let request = peer.associate(upper::ASSOCIATE_RQ);
        let (called, calling) = (&*request.called, &*request.calling);
        peer.send(&upper::associate_ac(called, calling, &request.accept_all(), maximum_length, &[]));
        (peer, request)
    }
}

/// Sends `request` and returns the four bytes of the A-ASSOCIATE-RJ, after which the connection has to end.
pub fn rejection(target: &Target, request: &Request) -> Vec<u8> {
    let mut requestor = Peer::connect(target);
    requestor.send(&request.encode());
    let body = requestor.expect(upper::ASSOCIATE_RJ);
    requestor.expect_close();
    body
}

/// A C-ECHO and its answer, with success.
pub fn echo(requestor: &mut Peer, acceptor: &mut Peer) {
    requestor.send_message(1, &Command::c_echo_rq(1), None, 16384);
    let message = acceptor.message();
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
}

/// A-RELEASE begun by the requestor, end to end.
pub fn release(mut requestor: Peer, mut acceptor: Peer) {
    requestor.send(&upper::release_rq());
    acceptor.expect(upper::RELEASE_RQ);
    acceptor.send(&upper::release_rp());
    requestor.expect(upper::RELEASE_RP);
    drop(requestor);
    acceptor.expect_close();
}

/// An association for C-ECHO, the least that can be asked for.
pub fn verification(calling: &str, called: &str) -> Request {
    Request::new(calling, called).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE])
}

/// Opens an association from a raw requestor, through what listens at `target`, to a raw upstream.
pub fn open(target: &Target, upstream: &Upstream, request: &Request, maximum_length: u32) -> (Peer, Peer) {
    let mut requestor = Peer::connect(target);
    requestor.send(&request.encode());
    let (acceptor, _) = upstream.accept_all(maximum_length);
    requestor.associate(upper::ASSOCIATE_AC);
    (requestor, acceptor)
}

/// The same through a gate of its own that speaks plain DICOM, set up as `setup` says.
pub fn opened(request: &Request, setup: impl FnOnce(&mut Setup)) -> (Gate, Upstream, Peer, Peer) {
    let upstream = Upstream::bind();
    let mut settings = Setup::plain(upstream.address);
    setup(&mut settings);
    let gate = Gate::start(&settings);
    let (requestor, acceptor) = open(&gate.plain(), &upstream, request, 16384);
    (gate, upstream, requestor, acceptor)
}
