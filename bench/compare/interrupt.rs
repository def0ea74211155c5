//! Ctrl-C: the processes that were started here have groups of their own, so they are ended here too.

use std::process::{Command, Stdio};
use std::sync::Mutex;

static OWNED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// The leader of a process group that has to end with this program.
pub fn owns(pid: u32) {
    OWNED.lock().expect("no panic while held").push(pid);
}

pub fn watch() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let interrupted = runtime.and_then(|runtime| runtime.block_on(tokio::signal::ctrl_c()));
        if interrupted.is_ok() {
            for pid in OWNED.lock().expect("no panic while held").iter() {
                let group = format!("-{pid}");
                let _ =
                    Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status();
            }
            std::process::exit(130);
        }
    });
}
