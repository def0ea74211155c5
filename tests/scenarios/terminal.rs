//! A command at a terminal of its own, which script(1) of util-linux makes: what it asks is read, and answered.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::{group, wait};

pub struct Terminal {
    child: Child,
    shown: Arc<Mutex<Vec<u8>>>,
    reading: Option<JoinHandle<()>>,
    /// Bytes of what was shown that were waited for.
    seen: usize,
}

impl Terminal {
    /// `dimsegate LINE` in a folder; the line is for a shell.
    pub fn start(folder: &Path, line: &str) -> Self {
        let mut command = Command::new("script");
        // Whoever runs the tests in the background ignores Ctrl-C, and so would the command.
        let line = format!("exec env --default-signal {} {line}", env!("CARGO_BIN_EXE_dimsegate"));
        command
            .current_dir(folder)
            .args(["-qec", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("script: {error}; tests/run installs it"));
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut output, into) = (child.stdout.take().expect("a pipe"), shown.clone());
        let reading = std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut some) {
                into.lock().expect("a whole buffer").extend_from_slice(&some[..length]);
            }
        });
        Self { child, shown, reading: Some(reading), seen: 0 }
    }

    /// All that was shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("a whole buffer")).into_owned()
    }

    /// Waits until this is shown, behind what was waited for before; what is shown up to its end.
    pub fn expect(&mut self, text: &str) -> String {
        let seen = self.seen;
        let (end, before) =
            wait::until(&format!("{text:?} on the terminal, where there is {}", self.shown()), || {
                let shown = self.shown();
                let end = shown.get(seen..)?.find(text)? + seen + text.len();
                Some((end, shown[seen..end].to_owned()))
            });
        self.seen = end;
        before
    }

    /// Types a line.
    pub fn answer(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        input.write_all(format!("{line}\r").as_bytes()).expect("keys that are taken");
    }

    /// Types keys as they are.
    pub fn keys(&mut self, keys: &str) {
        self.child.stdin.as_mut().expect("a pipe").write_all(keys.as_bytes()).expect("keys that are taken");
    }

    /// Sends a signal to the command itself.
    pub fn signal(&self, signal: &str) {
        let script = self.child.id();
        let children = fs::read_to_string(format!("/proc/{script}/task/{script}/children"));
        let children = children.expect("the children of script(1)");
        let mut kill = Command::new("kill");
        kill.arg(format!("-{signal}")).args(children.split_whitespace());
        assert!(kill.status().expect("kill").success(), "{children}");
    }

    /// Its exit status, and all that was shown.
    pub fn end(mut self) -> (i32, String) {
        let status =
            wait::until(&format!("a command at a terminal to end, where there is {}", self.shown()), || {
                self.child.try_wait().expect("a child")
            });
        if let Some(reading) = self.reading.take() {
            reading.join().expect("a reader");
        }
        (status.code().expect("an exit status"), self.shown())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        group::end(self.child.id());
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- on the terminal\n{}", self.shown());
        }
    }
}
