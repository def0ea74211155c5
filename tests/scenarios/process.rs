//! Other programs: started in a process group of their own, and gone when the scenario is.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::{group, wait};

pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; standard output and error go to `log`.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = File::create(log).expect("a log file");
        let name = command.get_program().display().to_string();
        let both = file.try_clone().expect("a second handle");
        command.stdin(Stdio::null()).stdout(file).stderr(both).process_group(0);
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{name}: {error}; tests/run installs it"));
        Self { child, log: log.into() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Sends `signal` (as kill(1) names it) to the process alone.
    pub fn signal(&self, signal: &str) {
        kill(signal, &self.pid().to_string());
    }

    /// Waits until it ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait::until("a process to end", || self.ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group, because dcmqrscp forks for each association.
        group::end(self.pid());
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.output());
        }
    }
}

pub fn kill(signal: &str, target: &str) {
    let _ = Command::new("kill").args(["-s", signal, "--", target]).stderr(Stdio::null()).status();
}

/// Starts a server that cannot bind port 0: a port that was free a moment ago, another one if it was taken meanwhile.
pub fn listening(log: &Path, mut command: impl FnMut(u16) -> Command) -> (Process, SocketAddr) {
    for _ in 0..5 {
        let address = free_address();
        let mut process = Process::start(command(address.port()), log);
        let connected = wait::until("a server to listen", || match process.ended() {
            Some(_) => Some(false),
            None => TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok().then_some(true),
        });
        if connected {
            return (process, address);
        }
        eprintln!("port {} again: {}", address.port(), process.output());
    }
    panic!("no server after five ports; see its output above");
}

/// An address on which nothing listens just now.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}

/// An address that refuses connections, because it is bound and nobody listens, for as long as the first is kept.
pub fn closed_address() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
    let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("a bound address");
    (socket, address)
}

/// Exit status and everything that a command printed.
pub struct Finished {
    pub success: bool,
    pub output: String,
}

/// Runs `command` to its end, and what it left running, too. Peers have deadlines of their own, so this needs none.
pub fn output(mut command: Command) -> Output {
    let name = command.get_program().display().to_string();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}; tests/run installs it"));
    let group = child.id();
    let output = child.wait_with_output().expect("a child of this process");
    group::end(group);
    output
}

impl Finished {
    /// Runs `command` to its end, as [`output`] does.
    pub fn run(command: Command) -> Self {
        let output = output(command);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Self { success: output.status.success(), output: text }
    }

    /// The output of a command that has to succeed.
    pub fn expect_success(self) -> String {
        assert!(self.success, "{}", self.output);
        self.output
    }
}
