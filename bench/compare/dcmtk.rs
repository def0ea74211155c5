//! DCMTK's storescu to its storescp, both at their defaults: Nagle's algorithm on, PDUs written in pieces.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::figures::{Figure, Figures};
use crate::interrupt;
use crate::loads::Amounts;
use crate::process::{self, Process};
use crate::setups::{Out, Running, Setup};
use crate::site::Site;

pub struct Dcmtk {
    storescp: SocketAddr,
    gate: Running,
    files: [(Figure, PathBuf); 2],
    count: usize,
    _process: Process,
    _kept: TempDir,
}

impl Dcmtk {
    pub fn start(site: &Site, amounts: &Amounts) -> io::Result<Self> {
        // In memory, so that a disk is not what is measured.
        let kept = tempfile::tempdir_in("/dev/shm")?;
        let (process, storescp) = process::listening(&site.path("storescp.log"), |port| {
            let mut command = defaults("storescp");
            command.arg("-od").arg(kept.path()).arg(port.to_string());
            command
        });
        interrupt::owns(process.pid());
        let file = |name: &str, object: &crate::object::Object| -> io::Result<PathBuf> {
            let path = site.path(name);
            fs::write(&path, object.to_part10())?;
            Ok(path)
        };
        let files = [
            (Figure::DcmtkCt, file("ct.dcm", &amounts.ct)?),
            (Figure::DcmtkSmall, file("small.dcm", &amounts.small)?),
        ];
        let gate = Running::plain_dimsegate(site, storescp);
        Ok(Self {
            storescp,
            gate,
            files,
            count: (100 / amounts.divisor).max(10),
            _process: process,
            _kept: kept,
        })
    }

    pub fn run(&self, figures: &mut Figures) -> io::Result<()> {
        for (figure, file) in &self.files {
            let ways = [(Setup::Direct, self.storescp), (Setup::PassThrough, self.gate.target.address)];
            for (setup, address) in ways {
                figures.add(*figure, setup, Out::Plain, self.rate(file, address)?);
            }
        }
        Ok(())
    }

    /// Objects a second, the program's start and its association included.
    fn rate(&self, file: &Path, to: SocketAddr) -> io::Result<f64> {
        let mut storescu = defaults("storescu");
        storescu.arg("127.0.0.1").arg(to.port().to_string()).args(std::iter::repeat_n(file, self.count));
        let start = Instant::now();
        let output = storescu.output()?;
        if !output.status.success() {
            return Err(io::Error::other(format!("storescu: {}", String::from_utf8_lossy(&output.stderr))));
        }
        Ok(self.count as f64 / start.elapsed().as_secs_f64())
    }
}

/// Without the variables that would change what DCMTK does with Nagle's algorithm and its buffers.
fn defaults(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_remove("TCP_NODELAY").env_remove("TCP_BUFFER_LENGTH");
    command
}
