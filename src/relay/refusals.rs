//! Who is not let in, and who only asks whether anybody is there, written down so that it fills neither disk nor log, and
//! leaves room for the records of operations.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::audit::{Audit, Event, Gathering, disk_has_room};
use crate::policy::limits::of_one_site;

const MINUTE: Duration = Duration::from_secs(60);

/// What was refused in this minute.
pub(crate) struct Refusals {
    audit: Audit,
    gathering: Mutex<Gathering>,
    /// Whether the disk has more free than is reserved.
    disk_has_room: AtomicBool,
}

impl Refusals {
    pub(crate) fn new(audit: Audit) -> Self {
        Self { audit, gathering: Mutex::default(), disk_has_room: AtomicBool::new(true) }
    }

    fn gathering(&self) -> MutexGuard<'_, Gathering> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the disk has more free than is reserved, when it was looked last.
    pub(crate) fn has_disk(&self) -> bool {
        self.disk_has_room.load(Ordering::Relaxed)
    }

    fn has_room(&self) -> bool {
        self.has_disk() && self.audit.has_room_for_refusals()
    }

    /// A connection or a request was refused. Gives it back where it is the first of its kind, to be logged and recorded.
    pub(crate) fn of_address(&self, address: IpAddr, event: Event) -> Option<Event> {
        let room = self.has_room();
        self.gathering().take(of_one_site(address), event, room)
    }

    /// An operation was refused. Gives it back where it is to be recorded now.
    pub(crate) fn of_operation(&self, peer: &Arc<str>, event: Event) -> Option<Event> {
        let room = self.has_room();
        self.gathering().take_operation(peer, event, room)
    }

    /// A C-ECHO was answered. Gives it back where it is to be recorded now.
    pub(crate) fn of_echo(&self, peer: &Arc<str>, event: Event) -> Option<Event> {
        self.gathering().take_echo(peer, event)
    }

    /// Records what was counted, each minute, until the sender of `over` is gone. It ends between two minutes, never while
    /// what was counted is being handed on: whoever ends it waits for it, and then tells the rest [at the end](Self::at_end).
    pub(crate) async fn each_minute(self: Arc<Self>, directory: PathBuf, over: oneshot::Receiver<()>) {
        self.each(MINUTE, directory, over).await;
    }

    async fn each(self: Arc<Self>, minute: Duration, directory: PathBuf, mut over: oneshot::Receiver<()>) {
        loop {
            let directory = directory.clone();
            // A disk that is gone may never say.
            let room = tokio::select! {
                room = tokio::task::spawn_blocking(move || disk_has_room(&directory)) => room,
                _ = &mut over => return,
            };
            self.disk_has_room.store(room.unwrap_or(true), Ordering::Relaxed);
            tokio::select! {
                () = tokio::time::sleep(minute) => {}
                _ = &mut over => return,
            }
            // Otherwise it goes on being counted.
            if self.has_room() {
                self.tell().await;
            }
        }
    }

    /// Records what was counted, before the proxy stops.
    pub(crate) async fn at_end(&self) {
        if self.audit.has_room_for_refusals() {
            return self.tell().await;
        }
        let records = self.gathering().drain().len();
        if records > 0 {
            tracing::error!(records, "refusals of the last minutes could not be recorded");
        }
    }

    async fn tell(&self) {
        let gathered = self.gathering().drain();
        self.record(gathered).await;
    }

    /// Records what was counted of an association that is over.
    pub(crate) async fn tell_association(&self, id: &str) {
        let gathered = self.gathering().drain_association(id);
        self.record(gathered).await;
    }

    async fn record(&self, gathered: Vec<Event>) {
        for event in gathered {
            log(&event);
            match event {
                Event::Operation(_) => self.audit.record(event).await,
                refusal => self.audit.record_refusal(refusal),
            }
        }
    }
}

fn log(event: &Event) {
    let told = "refused again within the last minute";
    match event {
        Event::ConnectionRefused(refused) => match refused.address {
            Some(address) => {
                tracing::info!(reason = %refused.reason, count = refused.count, %address, "{told}")
            }
            None => tracing::info!(reason = %refused.reason, count = refused.count, "{told}"),
        },
        Event::AssociationRejected(rejected) => {
            let (address, title) = (rejected.requestor.address, &rejected.requestor.calling_ae_title);
            tracing::info!(reason = %rejected.reason, count = rejected.count, %address, "calling-ae-title" = title,
                "{told}");
        }
        Event::AssociationClosed(closed) => {
            let (address, calling) = (closed.requestor.address, &closed.requestor.calling_ae_title);
            tracing::info!(reason = closed.label(), count = closed.count, %address, calling, "{told}");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Refusals;
    use crate::audit::{Audit, AuditSettings, Direction, Durability, Event, Operation};
    use crate::scratch::Scratch;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::oneshot;

    const KINDS: usize = 400;

    fn refused(association: usize) -> Event {
        let operation = Operation::new(association.to_string().into(), "C-FIND", 1, Direction::FromPeer);
        Event::Operation(Box::new(operation))
    }

    #[tokio::test]
    async fn who_tells_of_a_minute_tells_of_all_of_it_though_it_is_to_end() {
        let home = Scratch::new();
        // Each record waits for the disk.
        let durability = Durability::EveryRecord;
        let settings = AuditSettings { durability, ..AuditSettings::new(home.path()) };
        let (audit, records) = Audit::start(settings).unwrap();
        let (refusals, peer) = (Arc::new(Refusals::new(audit)), Arc::from("lyon"));
        let at_once =
            (0..KINDS).filter(|&number| refusals.of_operation(&peer, refused(number)).is_some()).count();
        let text = || {
            let files = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut days = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
            std::fs::read_to_string(days.next().unwrap()).unwrap()
        };
        let (until, over) = oneshot::channel();
        let minutes = refusals.each(Duration::from_millis(1), home.path().to_owned(), over);
        let minutes = tokio::spawn(minutes);
        while !text().contains("\"count\":1") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(until);
        minutes.await.unwrap();
        records.close().await;
        assert_eq!(text().matches("\"event\":\"operation\"").count(), KINDS - at_once);
    }
}
