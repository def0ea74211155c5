//! Addresses of upstreams that do not answer. Each association tries them again; the log has it when it begins, and then once a
//! minute with their number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::audit::forward::Failing;

/// Those that do not answer now. There are no more than configurations have named.
#[derive(Default)]
pub(crate) struct Silent(Mutex<HashMap<(Arc<str>, String), Failing>>);

impl Silent {
    fn addresses(&self) -> MutexGuard<'_, HashMap<(Arc<str>, String), Failing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An address did not answer.
    pub(crate) fn failed(&self, upstream: &Arc<str>, address: &str, detail: &str) {
        let place = (upstream.clone(), address.to_owned());
        let times = self.addresses().entry(place).or_default().again(Instant::now());
        if let Some(times) = times {
            tracing::warn!(%upstream, %address, detail, times, "address did not answer");
        }
    }

    /// An address answered.
    pub(crate) fn answered(&self, upstream: &Arc<str>, address: &str) {
        let mut addresses = self.addresses();
        // Nearly always.
        if addresses.is_empty() {
            return;
        }
        if addresses.remove(&(upstream.clone(), address.to_owned())).is_some() {
            tracing::info!(%upstream, %address, "address answers again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::Silent;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_address_is_told_of_when_it_begins_to_fail_and_when_it_answers_again() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let (silent, pacs) = (Silent::default(), Arc::from("pacs"));
            silent.answered(&pacs, "10.0.0.5:104");
            for _ in 0..100 {
                silent.failed(&pacs, "10.0.0.5:104", "refused");
                silent.failed(&pacs, "10.0.0.6:104", "refused");
            }
            silent.answered(&pacs, "10.0.0.5:104");
            silent.answered(&pacs, "10.0.0.5:104");
            silent.failed(&pacs, "10.0.0.5:104", "refused");
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let counts = ["did not answer", "answers again"].map(|text| log.matches(text).count());
        assert_eq!(counts, [3, 1], "{log}");
    }
}
