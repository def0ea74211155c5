//! Keeps the cores awake while something is measured.
//!
//! On a virtual machine a core without work is given back to the host. Whoever wakes it pays for that, tens of microseconds
//! of CPU, which say how busy the machine was and nothing of the proxy: the same program took 0.33 CPU-s/GB beside a
//! compiler and 0.83 alone. So a process of the class that runs where nobody else would (SCHED_IDLE) spins on each core.

use std::io::{self, Read};
use std::num::NonZero;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The cores stay awake as long as it lives.
pub struct Awake {
    spinning: Vec<Child>,
}

impl Awake {
    /// Starts one process for each core.
    ///
    /// # Errors
    /// chrt or taskset (util-linux) cannot be run.
    pub fn keep() -> io::Result<Self> {
        let spinning = (0..cores()?).map(spinner).collect::<io::Result<_>>()?;
        Ok(Self { spinning })
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.spinning {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn spinner(core: usize) -> io::Result<Child> {
    let mut command = Command::new("chrt");
    command.args(["--idle", "0", "taskset", "--cpu-list", &core.to_string()]);
    command.arg(std::env::current_exe()?).arg("awake");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()
}

/// On how many cores this process may run.
///
/// # Errors
/// The system does not tell.
pub fn cores() -> io::Result<usize> {
    std::thread::available_parallelism().map(NonZero::get)
}

/// Becomes this program on the first core alone, with all that it starts.
///
/// # Errors
/// taskset (util-linux) cannot be run. Without an error it does not return.
pub fn on_one_core() -> io::Result<()> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(std::env::current_exe()?).args(std::env::args_os().skip(1));
    Err(command.exec())
}

/// Spins until whoever started this process has ended, which closes its standard input.
pub fn spin() -> io::Result<()> {
    std::thread::spawn(|| {
        loop {
            std::hint::spin_loop();
        }
    });
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
