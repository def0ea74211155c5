//! A signal to end that comes while the folder is filled: it is heard once all is there, and then all of it goes.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// What a shell adds to the number of a signal.
const BY_SIGNAL: usize = 128;

/// From when it is expected on, a signal ends nothing by itself.
pub(super) struct Interruption {
    signal: Arc<AtomicUsize>,
}

impl Interruption {
    /// # Errors
    /// The system lets nobody listen to signals.
    pub(super) fn expected() -> io::Result<Self> {
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGHUP, SIGINT, SIGTERM] {
            flag::register_usize(number, signal.clone(), usize::try_from(number).unwrap_or_default())?;
        }
        Ok(Self { signal })
    }

    /// The exit status of whoever was told to end.
    pub(super) fn has_come(&self) -> Option<ExitCode> {
        let signal = self.signal.load(Ordering::SeqCst);
        let status = u8::try_from(BY_SIGNAL + signal).unwrap_or(u8::MAX);
        (signal != 0).then(|| ExitCode::from(status))
    }
}

#[cfg(test)]
mod tests {
    use super::Interruption;
    use signal_hook::consts::SIGTERM;
    use std::process::ExitCode;
    use std::sync::atomic::Ordering;

    /// The signal itself would be heard by every test of this process.
    #[test]
    fn what_has_come_is_the_exit_status_of_a_shell() {
        let interruption = Interruption { signal: std::sync::Arc::default() };
        assert!(interruption.has_come().is_none());
        interruption.signal.store(SIGTERM.try_into().unwrap(), Ordering::SeqCst);
        assert_eq!(interruption.has_come(), Some(ExitCode::from(143)));
    }
}
