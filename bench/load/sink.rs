//! An archive that keeps nothing: it accepts every association and context, counts what it gets and answers success.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::ServerConfig;

use crate::command::Command;
use crate::connection::Connection;
use crate::upper::{self, Associate};

#[derive(Clone)]
pub struct Options {
    pub maximum_length: u32,
    pub tls: Option<Arc<ServerConfig>>,
    /// Keep the SHA-256 of each data set. Costs CPU; off in a benchmark of throughput.
    pub checksums: bool,
}

#[derive(Default)]
pub struct Totals {
    pub associations: AtomicU64,
    pub objects: AtomicU64,
    /// Bytes of data sets.
    pub bytes: AtomicU64,
    /// Lengths and SHA-256 of the data sets of C-STORE requests that came whole, where asked for.
    pub received: Mutex<Vec<(u64, Vec<u8>)>>,
    /// How many associations ended in what, where it was not A-RELEASE.
    pub faults: Mutex<BTreeMap<String, usize>>,
}

impl Totals {
    pub fn json(&self) -> serde_json::Value {
        let received = self.received.lock().expect("no panic while held");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let received = received.iter().map(|(length, digest)| format!("{length} {}", hex(digest)));
        serde_json::json!({
            "associations": self.associations.load(Relaxed),
            "objects": self.objects.load(Relaxed),
            "bytes": self.bytes.load(Relaxed),
            "received": received.collect::<Vec<_>>(),
            "faults": *self.faults.lock().expect("no panic while held"),
        })
    }
}

/// Serves in threads of its own until the process ends.
pub fn start(address: SocketAddr, options: Options) -> io::Result<(SocketAddr, Arc<Totals>)> {
    let listener = TcpListener::bind(address)?;
    let (bound, totals) = (listener.local_addr()?, Arc::new(Totals::default()));
    let counted = totals.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let (options, totals) = (options.clone(), counted.clone());
            let serve = move || {
                let patience = Duration::from_secs(3600);
                let stream = Connection::accepted(socket, options.tls.as_ref(), patience);
                let served = stream.and_then(|stream| Session::new(stream, &options, &totals).run());
                if let Err(error) = served {
                    let mut faults = totals.faults.lock().expect("no panic while held");
                    *faults.entry(error.to_string()).or_default() += 1;
                }
            };
            // Idle associations are held by the thousand; the stack is all that each of them costs.
            let spawned = std::thread::Builder::new().stack_size(256 << 10).spawn(serve);
            spawned.expect("a thread for an association");
        }
    });
    Ok((bound, totals))
}

struct Session<'a> {
    stream: Connection,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    options: &'a Options,
    totals: &'a Totals,
    command: Vec<u8>,
    /// The request whose data set is under way, its length so far and its digest.
    open: Option<(Command, u64, Option<Context>)>,
}

impl<'a> Session<'a> {
    fn new(stream: Connection, options: &'a Options, totals: &'a Totals) -> Self {
        let (buffer, command) = (Vec::new(), Vec::new());
        Self { stream, buffer, start: 0, end: 0, options, totals, command, open: None }
    }

    fn run(mut self) -> io::Result<()> {
        self.totals.associations.fetch_add(1, Relaxed);
        loop {
            let Some(header) = self.take(6)? else { return Err(fault("lost between two PDUs")) };
            let length = upper::be32(&header[2..]) as usize;
            match header[0] {
                upper::P_DATA => self.p_data(length)?,
                upper::ASSOCIATE_RQ => self.associate(length)?,
                upper::RELEASE_RQ => return self.reply(&upper::release_rp()),
                kind => return Err(fault(&format!("PDU type {kind}"))),
            }
        }
    }

    fn associate(&mut self, length: usize) -> io::Result<()> {
        let body = self.take(length)?.ok_or_else(|| fault("lost in an A-ASSOCIATE-RQ"))?;
        let request =
            Associate::parse(&body).ok_or_else(|| fault("an A-ASSOCIATE-RQ that does not parse"))?;
        let contexts = request.accept_all();
        let maximum = self.options.maximum_length;
        self.reply(&upper::associate_ac(&request.called, &request.calling, &contexts, maximum, &[]))
    }

    fn p_data(&mut self, mut left: usize) -> io::Result<()> {
        while left > 0 {
            let header = self.take(6)?.ok_or_else(|| fault("lost in a P-DATA-TF"))?;
            let length = (upper::be32(&header) as usize).checked_sub(2);
            let length = length.filter(|length| length + 6 <= left);
            let length = length.ok_or_else(|| fault("a PDV that does not fit its PDU"))?;
            left -= length + 6;
            let (context, control) = (header[4], header[5]);
            if control & upper::COMMAND == 0 {
                self.data(length)?;
            } else {
                let value = self.take(length)?.ok_or_else(|| fault("lost in a command"))?;
                self.command.extend(value);
            }
            if control & upper::LAST != 0 {
                self.ended(context, control)?;
            }
        }
        Ok(())
    }

    fn ended(&mut self, context: u8, control: u8) -> io::Result<()> {
        if control & upper::COMMAND == 0 {
            let (request, length, digest) =
                self.open.take().ok_or_else(|| fault("data without a command"))?;
            self.totals.objects.fetch_add(1, Relaxed);
            self.totals.bytes.fetch_add(length, Relaxed);
            if let Some(digest) = digest {
                let digest = digest.finish().as_ref().to_vec();
                self.totals.received.lock().expect("no panic while held").push((length, digest));
            }
            return self.success(context, &request);
        }
        let bytes = std::mem::take(&mut self.command);
        let request = Command::parse(&bytes).ok_or_else(|| fault("a command set that does not parse"))?;
        if !request.has_data_set() {
            return self.success(context, &request);
        }
        self.open = Some((request, 0, self.options.checksums.then(|| Context::new(&SHA256))));
        Ok(())
    }

    fn success(&mut self, context: u8, request: &Command) -> io::Result<()> {
        let response = request.response(0).encode();
        self.reply(&upper::p_data(context, upper::COMMAND, &response, 4096))
    }

    fn reply(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Passes over `left` bytes of a data set without gathering them.
    fn data(&mut self, mut left: usize) -> io::Result<()> {
        while left > 0 {
            if self.start == self.end && self.fill()? == 0 {
                return Err(fault("lost in a data set"));
            }
            let taken = left.min(self.end - self.start);
            let (_, length, digest) = self.open.as_mut().ok_or_else(|| fault("data without a command"))?;
            *length += taken as u64;
            if let Some(digest) = digest {
                digest.update(&self.buffer[self.start..self.start + taken]);
            }
            self.start += taken;
            left -= taken;
        }
        Ok(())
    }

    /// The next `length` bytes, `None` where the peer closed before the first of them.
    fn take(&mut self, length: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(length.min(1 << 20));
        while bytes.len() < length {
            if self.start == self.end && self.fill()? == 0 {
                return if bytes.is_empty() { Ok(None) } else { Err(fault("lost in mid PDU")) };
            }
            let taken = (length - bytes.len()).min(self.end - self.start);
            bytes.extend_from_slice(&self.buffer[self.start..self.start + taken]);
            self.start += taken;
        }
        Ok(Some(bytes))
    }

    fn fill(&mut self) -> io::Result<usize> {
        use std::io::Read;
        if self.buffer.is_empty() {
            // Zeroed by the system where it is used, so that thousands that wait cost nothing.
            self.buffer = vec![0; 256 << 10];
        }
        (self.start, self.end) = (0, self.stream.read(&mut self.buffer)?);
        Ok(self.end)
    }
}

fn fault(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}
