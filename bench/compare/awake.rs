//! Keeps the cores awake while something is measured.
//!
//! On a virtual machine a core without work is given back to the host. Whoever wakes it pays for that, tens of microseconds
//! of CPU, which say how busy the machine was and nothing of the proxy: the same program took 0.33 CPU-s/GB beside a
//! compiler and 0.83 alone. So a process of the class that runs where nobody else would (SCHED_IDLE) spins on each core.

use std::io::{self, Read};
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
    /// chrt or taskset (util-linux) cannot be run, or the system does not tell the cores.
    pub fn keep() -> io::Result<Self> {
        let spinning = allowed()?.into_iter().map(spinner).collect::<io::Result<_>>()?;
        Ok(Self { spinning })
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.spinning {
            // One that has ended kept nobody awake, and what was measured is not what is said of it.
            assert!(child.try_wait().is_ok_and(|ended| ended.is_none()), "a core was not kept awake");
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
    allowed().map(|cores| cores.len())
}

/// Their numbers, from a line such as `Cpus_allowed_list: 0-1,3` (proc_pid_status(5)).
fn allowed() -> io::Result<Vec<usize>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let range = |part: &str| {
        let (first, last) = part.trim().split_once('-').unwrap_or((part.trim(), part.trim()));
        Some(first.parse::<usize>().ok()?..=last.parse().ok()?)
    };
    let ranges = list.and_then(|list| list.split(',').map(range).collect::<Option<Vec<_>>>());
    let ranges = ranges.ok_or_else(|| io::Error::other("/proc/self/status: no Cpus_allowed_list"))?;
    Ok(ranges.into_iter().flatten().collect())
}

/// Becomes this program on the first core alone, with all that it starts.
///
/// # Errors
/// taskset (util-linux) cannot be run. Without an error it does not return.
pub fn on_one_core() -> io::Result<()> {
    let first = allowed()?.first().copied().unwrap_or_default();
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &first.to_string()])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1));
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
