//! What ends the demonstration, watched from the first moment so that a temporary folder never stays behind: a signal, the
//! end of the terminal, or that nobody reads on.

use std::fs;
use std::future::pending;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// What may end the demonstration.
#[derive(Debug)]
pub(super) struct Endings {
    interrupt: Signal,
    terminate: Signal,
    /// `None` under nohup(1): it goes on without its terminal.
    hangup: Option<Signal>,
}

impl Endings {
    /// Takes the signals over from their defaults. To be called in a runtime.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn watch() -> io::Result<Self> {
        let hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// Waits for a signal, also one that came before.
    pub(super) async fn told(&mut self) {
        let Self { interrupt, terminate, hangup, .. } = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = received(hangup.as_mut()) => {}
        }
    }

    /// Waits for a signal, or until nobody reads standard output any more.
    pub(super) async fn told_or_unread(&mut self) {
        tokio::select! {
            () = self.told() => {}
            () = unread() => {}
        }
    }
}

async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}

/// Until standard output is a pipe without a reader, or a terminal that is gone; for ever where it is a file.
async fn unread() {
    let (gone, is_gone) = oneshot::channel();
    let watching = std::thread::Builder::new().name("output".into()).spawn(move || {
        let output = io::stdout();
        // Errors are told without being asked for.
        while let Err(rustix::io::Errno::INTR) = poll(&mut [PollFd::new(&output, PollFlags::empty())], None) {
        }
        gone.send(())
    });
    if watching.is_err() || is_gone.await.is_err() {
        pending().await
    }
}

/// Whether whoever started this wants it to outlive its terminal.
fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    ignored & (1 << (SignalKind::hangup().as_raw_value() - 1)) != 0
}
