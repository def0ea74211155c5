//! The floor: the least that it can cost to decrypt what comes in and to send it on.
//!
//! rustls makes the handshake. Behind it two threads of an association know nothing of each other: one reads up to 256 KiB,
//! decrypts each record where it lies and sends all of them with one writev; the other reads answers and encrypts them. It
//! decides nothing, looks at nothing and records nothing, so what a proxy costs beside it does not depend on the machine
//! as much as what it costs beside another proxy.
//!
//! What a small object costs dimsegate above it, counted with strace and perf on a busy machine: six system calls where the floor
//! has four (two epoll_wait more, since one task hears both sides), and few wake-ups of another thread. Two thirds of its
//! CPU are the kernel's. What is left is flat, no function has 2 %: of all CPU TLS has 5 %, tokio 4 %, the allocator and
//! copies 6 %, records 2 %, and all else that dimsegate does 15 %. So with nothing of its own it would still cost 1.6 of the floor.

mod handshake;
mod records;

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rustls::ServerConfig;

use crate::connection;
use handshake::Opened;
use records::{Record, Records};

/// What is read at once, in bytes.
const BUFFER: usize = 256 << 10;
/// Associations at once, more than any load has. Their threads stay: of those that have ended no CPU is counted.
const PAIRS: usize = 16;

/// Where answers come from and go to, and how.
struct Back {
    far: TcpStream,
    near: TcpStream,
    sealing: Records,
}

pub fn run(listen: SocketAddr, to: SocketAddr, certificates: &Path) -> io::Result<()> {
    let path = |name: &str| certificates.join(name);
    let mut server =
        connection::server_config(&path("server.pem"), &path("server.key"), Some(&path("ca.pem")))?;
    Arc::make_mut(&mut server).enable_secret_extraction = true;
    let listener = TcpListener::bind(listen)?;
    thread::scope(|scope| {
        for _ in 0..PAIRS {
            scope.spawn(|| pair(&listener, &server, to));
        }
    });
    Ok(())
}

/// Two threads, for one association after the other.
fn pair(listener: &TcpListener, server: &Arc<ServerConfig>, to: SocketAddr) {
    let (backs, waiting) = mpsc::channel::<Back>();
    let (ended, end) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for back in waiting {
                back.answers().ok();
                ended.send(()).ok();
            }
        });
        for near in listener.incoming().flatten() {
            // How a connection ends is of interest to its peers only; they count.
            serve(&near, server, to, (&backs, &end)).ok();
        }
    });
}

fn serve(
    near: &TcpStream,
    server: &Arc<ServerConfig>,
    to: SocketAddr,
    (backs, end): (&Sender<Back>, &Receiver<()>),
) -> io::Result<()> {
    near.set_nodelay(true)?;
    let opened = handshake::make(near, server.clone())?;
    let far = TcpStream::connect(to)?;
    far.set_nodelay(true)?;
    let sealing = Records::new(&opened.secrets.tx)?;
    let back = Back { far: far.try_clone()?, near: near.try_clone()?, sealing };
    backs.send(back).map_err(io::Error::other)?;
    let sent = requests(near, &far, opened);
    // The other thread waits for answers; there will be none.
    far.shutdown(Shutdown::Write).ok();
    end.recv().map_err(io::Error::other)?;
    sent
}

/// From the requestor to the sink, until either ends.
fn requests(mut near: &TcpStream, mut far: &TcpStream, opened: Opened) -> io::Result<()> {
    let Opened { secrets, mut incoming, mut used, early } = opened;
    let (mut opening, mut pieces) = (Records::new(&secrets.rx)?, Vec::new());
    far.write_all(&early)?;
    loop {
        let (taken, ended) = open(&mut opening, &mut incoming[..used], &mut pieces)?;
        send(far, &incoming, &pieces)?;
        incoming.copy_within(taken..used, 0);
        used -= taken;
        let read = if ended { 0 } else { near.read(&mut incoming[used..])? };
        if read == 0 {
            return Ok(());
        }
        used += read;
    }
}

/// Decrypts the records that are whole; gives how many bytes they are, and whether the peer said that it ends.
fn open(
    records: &mut Records,
    bytes: &mut [u8],
    pieces: &mut Vec<Range<usize>>,
) -> io::Result<(usize, bool)> {
    let mut at = 0;
    pieces.clear();
    while let Some((record, size)) = records.open(&mut bytes[at..])? {
        match record {
            Record::Data(data) => pieces.push(at + data.start..at + data.end),
            Record::End => return Ok((at + size, true)),
        }
        at += size;
    }
    Ok((at, false))
}

/// One writev, and more where the socket does not take all.
fn send(mut far: &TcpStream, bytes: &[u8], pieces: &[Range<usize>]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> =
        pieces.iter().map(|piece| IoSlice::new(&bytes[piece.clone()])).collect();
    let mut left: usize = slices.iter().map(|slice| slice.len()).sum();
    let mut slices = slices.as_mut_slice();
    while left > 0 {
        let written = far.write_vectored(slices)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut slices, written);
        left -= written;
    }
    Ok(())
}

impl Back {
    /// From the sink to the requestor, until the sink ends.
    fn answers(mut self) -> io::Result<()> {
        let (mut bytes, mut outgoing) = (vec![0; BUFFER], Vec::new());
        loop {
            let read = self.far.read(&mut bytes)?;
            outgoing.clear();
            match read {
                0 => self.sealing.seal_end(&mut outgoing)?,
                _ => self.sealing.seal_data(&bytes[..read], &mut outgoing)?,
            }
            self.near.write_all(&outgoing)?;
            if read == 0 {
                return Ok(());
            }
        }
    }
}
