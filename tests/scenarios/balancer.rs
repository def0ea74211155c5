//! A real load balancer in front: HAProxy says by the PROXY protocol whose connection it is, and looks whether dimsegate is
//! there.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;

use serde_json::json;
use socket2::{Domain, Socket, Type};

use crate::connection::Connection;
use crate::gate::{self, Gate, Setup};
use crate::process::{self, Process};
use crate::raw::{self, Peer, Upstream, verification};
use crate::scratch::Scratch;
use crate::upper;
use crate::wait::{self, PATIENCE};

/// Another than HAProxy's own, by which dimsegate knows it.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

pub struct Balancer {
    process: Process,
    address: SocketAddr,
    _folder: Scratch,
}

impl Balancer {
    /// Before `gate`; `server` is what HAProxy calls the options of a server.
    pub fn start(gate: SocketAddr, server: &str) -> Self {
        let (folder, address) = (Scratch::new(), process::free_address());
        let file = folder.path().join("haproxy.cfg");
        let settings = format!(
            "global\n    maxconn 100\n\
             defaults\n    mode tcp\n    timeout connect 20s\n    timeout client 1m\n    timeout server 1m\n\
             listen dicom\n    bind {address}\n    server gate {gate} {server} inter 50ms\n"
        );
        fs::write(&file, settings).expect("a configuration written");
        let mut command = Command::new("/usr/sbin/haproxy");
        command.arg("-db").arg("-f").arg(&file);
        let process = Process::start(command, &folder.path().join("output.log"));
        Self { process, address, _folder: folder }
    }

    fn connect(&mut self) -> TcpStream {
        self.connect_from(CLIENT)
    }

    pub fn connect_from(&mut self, client: IpAddr) -> TcpStream {
        let stream = wait::until("HAProxy to listen", || {
            assert!(self.process.ended().is_none(), "{}", self.process.output());
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.bind(&SocketAddr::from((client, 0)).into()).expect("a free port");
            socket.connect_timeout(&self.address.into(), PATIENCE).ok().map(|()| TcpStream::from(socket))
        });
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }
}

/// A requestor on a connection that is there, over TLS where the gate has it.
fn requestor(gate: &Gate, tls: bool, socket: TcpStream) -> Peer {
    let Some((config, name)) = gate.tls().tls.filter(|_| tls) else {
        return Peer { stream: Connection::Plain(socket) };
    };
    let session = rustls::ClientConnection::new(config, name).expect("a session");
    Peer { stream: Connection::Client(Box::new(rustls::StreamOwned::new(session, socket))) }
}

fn assert_balanced(server: &str, tls: bool) {
    let upstream = Upstream::bind();
    let peers = gate::peer(&format!("networks = [\"{CLIENT}\"]"));
    let listener = "proxy-protocol-from = [\"127.0.0.1\"]";
    let mut gate = Gate::start(&Setup { tls, peers, listener, ..Setup::plain(upstream.address) });
    let mut balancer = Balancer::start(gate.address, server);
    let socket = balancer.connect();
    let port = socket.local_addr().expect("a bound address").port();
    let mut requestor = requestor(&gate, tls, socket);
    requestor.send(&verification("SITE", "PACS").encode());
    let (acceptor, _) = upstream.accept_all(16384);
    requestor.associate(upper::ASSOCIATE_AC);
    raw::release(requestor, acceptor);
    let closed = gate.event("association-closed");
    assert_eq!((&closed["address"], &closed["port"]), (&json!(CLIENT), &json!(port)), "{server}");
    let log = gate.output();
    let of_client = format!("address={CLIENT}:{port}");
    let line = log.lines().find(|line| line.contains("association opened"));
    assert!(
        line.is_some_and(|line| line.contains(&of_client) && line.matches("address=").count() == 1),
        "{log}"
    );
    let checks = || gate.output().matches("health check").count();
    wait::until("three health checks", || (checks() >= 3).then_some(()));
    drop(balancer);
    assert!(gate.stop().success());
    assert!(gate.event("stopped")["health-checks"].as_u64() >= Some(3), "{server}");
    for event in ["connection-refused", "association-rejected", "security-alert"] {
        assert_eq!(gate.count(event), 0, "{event} of {server}: {:#?}", gate.records());
    }
}

#[test]
fn version_1_of_haproxy_names_the_client_and_in_its_checks_itself() {
    assert_balanced("send-proxy check", false);
}

#[test]
fn version_2_of_haproxy_names_the_client_before_tls_and_its_checks_are_local() {
    assert_balanced("send-proxy-v2 check check-send-proxy", true);
}

#[test]
fn what_haproxy_says_behind_the_addresses_is_passed_over() {
    assert_balanced("send-proxy-v2 proxy-v2-options crc32c check", false);
}
