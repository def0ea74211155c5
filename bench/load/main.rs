//! `cargo bench --bench load -- MODE …`: a load generator and a sink that speak the raw upper layer, for measuring what
//! stands between them. Figures are comparable only within one run on one machine.
//!
//! ```text
//! cargo bench --bench load -- sink --listen 127.0.0.1:11112
//! cargo bench --bench load -- store --to 127.0.0.1:11112 --objects 2000 --size 529000
//! ```

#![allow(dead_code, reason = "tests/scenarios shares these modules, and uses other parts of them")]

mod association;
mod command;
mod connection;
mod object;
mod procfs;
mod report;
mod rounds;
mod self_check;
mod sink;
mod store;
mod upper;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use rustls::pki_types::ServerName;

use connection::Target;
use object::Object;
use report::Figures;

#[derive(Parser)]
#[command(about = "Load generator and sink on the raw DICOM upper layer")]
struct Arguments {
    /// Given by `cargo bench`; without meaning.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Subcommand)]
enum Mode {
    /// Accepts everything, keeps nothing; prints its address, and what it got when standard input ends.
    Sink(Sink),
    /// Sends objects and waits for each response.
    Store {
        #[command(flatten)]
        client: Client,
        /// Bytes of the data set of a made CT.
        #[arg(long, default_value_t = 529_000)]
        size: usize,
        /// A DICOM file to send in its place.
        #[arg(long)]
        file: Option<PathBuf>,
        #[arg(long, default_value_t = 1000)]
        objects: usize,
        /// At once, in one thread each.
        #[arg(long, default_value_t = 1)]
        associations: usize,
        /// The longest P-DATA-TF body.
        #[arg(long, default_value_t = 131_072)]
        maximum_length: u32,
    },
    /// C-ECHO latency on one association.
    Echo {
        #[command(flatten)]
        client: Client,
        #[arg(long, default_value_t = 1000)]
        count: usize,
    },
    /// Associations made and released, handshake included.
    Associate {
        #[command(flatten)]
        client: Client,
        #[arg(long, default_value_t = 1000)]
        count: usize,
        #[arg(long, default_value_t = 8)]
        at_once: usize,
    },
    /// Holds associations open without a byte.
    Idle {
        #[command(flatten)]
        client: Client,
        #[arg(long, default_value_t = 1000)]
        count: usize,
        #[arg(long, default_value_t = 2)]
        seconds: u64,
    },
    /// Generator and sink against DCMTK.
    SelfCheck,
}

#[derive(Args)]
struct Client {
    /// Address to send to.
    #[arg(long)]
    to: SocketAddr,
    #[arg(long, default_value = "LOAD")]
    calling: String,
    #[arg(long, default_value = "PACS")]
    called: String,
    /// PEM; with it the connection is TLS.
    #[arg(long)]
    ca: Option<PathBuf>,
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
    #[arg(long, default_value = "localhost")]
    server_name: String,
    /// Take CPU and memory of this process and its children.
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Sink {
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
    #[arg(long)]
    client_ca: Option<PathBuf>,
    #[arg(long, default_value_t = 131_072)]
    maximum_length: u32,
    /// Prints length and SHA-256 of each data set at the end.
    #[arg(long)]
    checksums: bool,
}

fn main() -> io::Result<()> {
    match Arguments::parse().mode {
        // `cargo bench` alone: nothing to measure without a peer, so show that the tool itself is right.
        None | Some(Mode::SelfCheck) => self_check::run()?.iter().for_each(|line| println!("{line}")),
        Some(Mode::Sink(sink)) => run_sink(sink)?,
        Some(Mode::Store { client, size, file, objects, associations, maximum_length }) => {
            let object = file.map_or_else(|| Ok(Object::ct(size)), |file| Object::from_file(&file))?;
            let target = client.target()?;
            let (calling, called) = (&*client.calling, &*client.called);
            let plan = store::Plan {
                target: &target,
                calling,
                called,
                object: &object,
                objects,
                associations: associations.max(1),
                maximum_length,
            };
            client.measure(|| plan.run())?;
        }
        Some(Mode::Echo { client, count }) => {
            let target = client.target()?;
            client.measure(|| rounds::echo(&target, &client.calling, &client.called, count))?;
        }
        Some(Mode::Associate { client, count, at_once }) => {
            let target = client.target()?;
            client.measure(|| rounds::associate(&target, &client.calling, &client.called, count, at_once))?;
        }
        Some(Mode::Idle { client, count, seconds }) => {
            let target = client.target()?;
            let mut held = Vec::new();
            client.measure(|| {
                let (figures, open) = rounds::idle(&target, &client.calling, &client.called, count)?;
                held = open;
                std::thread::park_timeout(Duration::from_secs(seconds));
                Ok(figures)
            })?;
        }
    }
    Ok(())
}

impl Client {
    fn target(&self) -> io::Result<Target> {
        let mut target = Target::plain(self.to);
        if let Some(ca) = &self.ca {
            let identity = self.certificate.clone().zip(self.key.clone());
            let name = ServerName::try_from(self.server_name.clone()).map_err(io::Error::other)?;
            let mut config = connection::client_config(ca, identity)?;
            // Every handshake is a full one, whatever the peer would resume.
            Arc::make_mut(&mut config).resumption = rustls::client::Resumption::disabled();
            target.tls = Some((config, name));
        }
        Ok(target)
    }

    fn measure(&self, run: impl FnOnce() -> io::Result<Figures>) -> io::Result<()> {
        let before = self.pid.map(procfs::usage);
        let mut figures = run()?;
        figures.usage = before.zip(self.pid.map(procfs::usage));
        match self.json {
            true => println!("{}", figures.json()),
            false => println!("{}", figures.table()),
        }
        Ok(())
    }
}

fn run_sink(sink: Sink) -> io::Result<()> {
    let tls = sink.certificate.zip(sink.key);
    let tls = tls.map(|(chain, key)| connection::server_config(&chain, &key, sink.client_ca.as_deref()));
    let options = sink::Options {
        maximum_length: sink.maximum_length,
        tls: tls.transpose()?,
        checksums: sink.checksums,
    };
    let (address, totals) = sink::start(sink.listen, options)?;
    println!("listening on {address}");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    println!("{}", totals.json());
    Ok(())
}
