//! The generator against DCMTK's storescp, DCMTK's storescu against the sink: the yardstick is not only its own peer.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::connection::Target;
use crate::object::Object;
use crate::sink;
use crate::store::Plan;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns a line for each direction that held; an error says what did not.
pub fn run() -> io::Result<Vec<String>> {
    Ok(vec![generator_to_storescp()?, storescu_to_sink()?])
}

fn generator_to_storescp() -> io::Result<String> {
    let folder = tempfile::tempdir()?;
    let address = free_address()?;
    let mut storescp = Command::new("storescp");
    storescp.args(["-q", "-pm", "+B", "-uf", "-od"]).arg(folder.path()).arg(address.port().to_string());
    let _running = Running(storescp.stdin(Stdio::null()).spawn()?);
    wait_for(address)?;
    let object = Object::ct(529_000);
    let (target, called) = (Target::plain(address), "STORESCP");
    let (objects, associations, maximum_length) = (2, 1, 131_072);
    let plan = Plan {
        target: &target,
        calling: "LOAD",
        called,
        object: &object,
        objects,
        associations,
        maximum_length,
    };
    plan.run()?;
    let stored =
        fs::read_dir(folder.path())?.next().ok_or_else(|| io::Error::other("storescp kept nothing"))??;
    let stored = Object::from_file(&stored.path())?;
    match stored.data_set == object.data_set {
        true => Ok(format!("generator -> storescp: {} bytes as they were sent", object.data_set.len())),
        false => Err(io::Error::other("storescp kept other bytes than were sent")),
    }
}

fn storescu_to_sink() -> io::Result<String> {
    let options = sink::Options { maximum_length: 131_072, tls: None, checksums: true };
    let (address, totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options)?;
    let folder = tempfile::tempdir()?;
    let (file, object) = (folder.path().join("ct.dcm"), Object::ct(529_000));
    fs::write(&file, object.to_part10())?;
    let port = address.port().to_string();
    let output = Command::new("storescu").args(["-xe", "127.0.0.1", &port]).arg(&file).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("storescu: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let received = totals.received.lock().expect("no panic while held").clone();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &object.data_set);
    let expected = vec![(object.data_set.len() as u64, digest.as_ref().to_vec())];
    match received == expected {
        true => Ok(format!("storescu -> sink: {} bytes as they were sent", totals.bytes.load(Relaxed))),
        false => Err(io::Error::other("the sink counted other bytes than storescu sent")),
    }
}

/// An address that was free a moment ago, for a program that cannot bind port 0.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn wait_for(address: SocketAddr) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("nothing listens on {address}")));
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}
