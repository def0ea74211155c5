//! A task for each target: tells what is due, tries again, and gives up.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until, timeout};

use super::due::Due;
use super::message::{Message, now, signature};
use super::occasion::{Happened, of_record};
use super::{Occasion, Target, Way, command, hook};

/// How long a hook or a command may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long before each further try. What is not taken then is told again when it happens again.
const PAUSES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60)];
/// Everybody who is told what happens, each with a queue and a task of their own, so that one that is slow holds up
/// nobody.
pub(crate) struct Notifying {
    targets: Vec<(Arc<Target>, Arc<Waiting>, JoinHandle<()>)>,
    host: Arc<str>,
}

/// What one target was told, and what waits for it: counted, however long the target does not answer.
struct Waiting {
    due: Mutex<Due>,
    more: Notify,
}

impl Waiting {
    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifying {
    /// Begins a task for each target.
    pub(crate) fn start(targets: &[Arc<Target>], host: &str) -> Self {
        let mut notifying = Self { targets: Vec::new(), host: host.into() };
        notifying.reload(targets);
        notifying
    }

    /// Others are told from now on. Who is told by the same table as before is not told again what was told already.
    pub(crate) fn reload(&mut self, targets: &[Arc<Target>]) {
        let before = std::mem::take(&mut self.targets);
        let same = |old: &Target, new: &Target| old.fingerprint == new.fingerprint;
        let (kept, gone): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|(old, ..)| targets.iter().any(|new| same(old, new)));
        gone.iter().for_each(|(.., task)| task.abort());
        self.targets = kept;
        for target in targets {
            if !self.targets.iter().any(|(old, ..)| same(old, target)) {
                let due = Mutex::new(Due::new(target.repeat));
                let waiting = Arc::new(Waiting { due, more: Notify::new() });
                let task = tokio::spawn(tell(target.clone(), self.host.clone(), waiting.clone()));
                self.targets.push((target.clone(), waiting, task));
            }
        }
    }

    /// A record was written. Never waits.
    pub(crate) fn record(&self, line: &str) {
        if !self.targets.is_empty()
            && let Some(happened) = of_record(line)
        {
            self.happened(&happened);
        }
    }

    /// Something that cannot be a record has begun (`count` 1), or is still so (0). Never waits.
    pub(crate) fn unrecorded(&self, occasion: Occasion, sentence: &str, count: u64) {
        self.happened(&Happened { count, ..Happened::new(occasion, sentence) });
    }

    /// Something that would be an alert, and is no record of its own. Never waits.
    pub(crate) fn alert(&self, reason: &str, about: &str, sentence: &str) {
        let new = Happened::new(Occasion::of_alert(reason), sentence);
        self.happened(&Happened { reason: reason.to_owned(), about: about.to_owned(), ..new });
    }

    fn happened(&self, happened: &Happened) {
        let wanted = self.targets.iter().filter(|(target, ..)| target.when.contains(&happened.occasion));
        for (_, waiting, _) in wanted {
            waiting.due().happened(happened.clone(), Instant::now());
            waiting.more.notify_one();
        }
    }
}

impl Drop for Notifying {
    fn drop(&mut self) {
        self.targets.iter().for_each(|(.., task)| task.abort());
    }
}

/// Tells one target something, to see whether it arrives.
///
/// # Errors
/// What went wrong, at the first try.
pub(crate) async fn test(target: &Target, host: &str) -> io::Result<()> {
    let happened = Happened::new(Occasion::Test, "this is a test: nothing has happened");
    send(target, &message(target, host, &happened, 1), PATIENCE).await
}

/// Tells one target what is due, until it is ended.
async fn tell(target: Arc<Target>, host: Arc<str>, waiting: Arc<Waiting>) {
    loop {
        let next = waiting.due().next();
        let wake = async {
            match next {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = waiting.more.notified() => {}
            () = wake => {}
        }
        let due = waiting.due().take(Instant::now());
        for (what, count) in due {
            deliver(&target, &message(&target, &host, &what, count)).await;
        }
    }
}

fn message(target: &Target, host: &str, what: &Happened, count: u64) -> Message {
    Message {
        time: now(),
        host: host.to_owned(),
        notification: target.name.to_string(),
        occasion: what.occasion,
        reason: what.reason.clone(),
        peer: what.peer.clone(),
        explanation: what.sentence.clone(),
        count,
    }
}

/// Tries until it is taken, a few times.
async fn deliver(target: &Target, message: &Message) {
    let mut pauses = PAUSES.iter();
    loop {
        let Err(error) = send(target, message, PATIENCE).await else { return };
        let Some(pause) = pauses.next() else {
            tracing::error!(notification = %target.name, occasion = message.occasion.label(), %error,
                "nobody could be told");
            return;
        };
        tracing::warn!(notification = %target.name, %error, "is told again in {pause:?}");
        sleep(*pause).await;
    }
}

async fn send(target: &Target, message: &Message, patience: Duration) -> io::Result<()> {
    let body = message.bytes();
    let signed = target.key.as_ref().map(|key| signature(key, &body));
    let sending = async {
        match &target.way {
            Way::Hook(to) => hook::post(to, body, signed).await,
            Way::Command(words) => command::run(words, &body).await,
        }
    };
    let late = || io::Error::other(format!("no answer within {patience:?}"));
    timeout(patience, sending).await.map_err(|_| late())?
}

#[cfg(test)]
mod tests;
