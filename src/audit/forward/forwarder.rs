//! One destination: read, render, send, and remember how far it is.

use super::backoff;
use super::destination::{Destination, Kind, Tls, Transport};
use super::fhir::Http;
use super::pace::{Budget, Pace};
use super::parcel::Parcel;
use super::progress::Progress;
use super::sender::Single;
use super::status::{Backlog, Status};
use super::stream::Stream;
use super::udp::Datagrams;
use crate::audit::SecurityAlert;
use crate::audit::hold::Hold;
use crate::vocabulary::Notice;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Between two looks at the backlog while nothing fails.
const LOOK: Duration = Duration::from_secs(5);

pub(super) struct Forwarder {
    to: Destination,
    pace: Pace,
    status: Arc<Status>,
    progress: Progress,
    alert: Alert,
    stop: watch::Receiver<Stop>,
    budget: Budget,
    /// Failures since the last success.
    failures: u32,
    /// When the backlog was looked at.
    looked: Option<Instant>,
    /// The oldest record that waits, where the clock says that it was not made yet, and since when it does.
    ahead: Option<(u64, Instant)>,
    /// An alert told of the backlog that there is.
    alarmed: bool,
}

/// Hands an alert to the trail.
pub(super) type Alert = Arc<dyn Fn(SecurityAlert) + Send + Sync>;

/// Whether a forwarder goes on, and if not, how much of the trail it still sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    No,
    /// When everything in the trail has been sent.
    WhenDone,
    /// As soon as what is under way has arrived.
    Now,
}

impl Forwarder {
    /// Loads or makes the cursor, and stores it: what comes from now on is not missed.
    pub(super) fn new(
        directory: PathBuf,
        to: Destination,
        pace: Pace,
        status: Arc<Status>,
        (hold, alert): (Hold, Alert),
        stop: watch::Receiver<Stop>,
    ) -> io::Result<Self> {
        let progress = Progress::new(directory, to.clone(), hold, status.clone())?;
        let (budget, failures) = (Budget::new(&pace), 0);
        let (looked, ahead, alarmed) = (None, None, false);
        Ok(Self { to, pace, status, progress, alert, stop, budget, failures, looked, ahead, alarmed })
    }

    /// Until it is told to stop and has sent everything, or cannot.
    pub(super) async fn run(mut self) {
        while let Err(error) = self.session().await {
            self.progress.store();
            self.failures = self.failures.saturating_add(1);
            self.status.failed();
            self.progress.rewind();
            let backlog = self.measure();
            let oldest = backlog.oldest.map(tracing::field::display);
            let pause = backoff::pause(self.failures);
            tracing::warn!(repository = %self.to.name, %error, records = backlog.records, bytes = backlog.bytes,
                oldest, ?pause, "audit messages wait for their repository");
            if self.stopping() != Stop::No {
                return;
            }
            // A stop makes it try once more at once.
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.stop.changed() => {}
            }
        }
    }

    /// Until something fails. Ok when it was told to stop and has.
    async fn session(&mut self) -> io::Result<()> {
        match &self.to.kind {
            Kind::Fhir(endpoint) => {
                let http = Http::new(endpoint.clone(), self.pace.patience);
                self.send_singly(Single::Http(Box::new(http))).await
            }
            Kind::Syslog(settings) => match settings.transport.clone() {
                Transport::Tls(tls) => self.send_in_streams(&settings.address.clone(), &tls).await,
                Transport::Udp => {
                    let socket = Datagrams::open(&settings.address, self.pace.between_datagrams).await?;
                    self.send_singly(Single::Datagrams(socket)).await
                }
            },
        }
    }

    /// The messages of the next record that has any, waited for; `None` when it was told to stop and has.
    async fn following(&mut self) -> io::Result<Option<Vec<Parcel>>> {
        loop {
            // Looked at before reading: the trail is whole by the time it is set.
            let stopping = self.stopping();
            if stopping == Stop::Now {
                self.progress.store();
                return Ok(None);
            }
            match self.progress.next()? {
                Some(parcels) if parcels.is_empty() => tokio::task::yield_now().await,
                Some(parcels) => return Ok(Some(parcels)),
                None => {
                    // Records of which nothing is to be sent.
                    self.progress.settle();
                    self.progress.store();
                    if stopping == Stop::WhenDone {
                        return Ok(None);
                    }
                    self.look();
                    self.wait().await;
                }
            }
        }
    }

    /// One message after the other; the cursor moves with each record.
    async fn send_singly(&mut self, mut way: Single) -> io::Result<()> {
        while let Some(parcels) = self.following().await? {
            for parcel in &parcels {
                self.send_one(&mut way, parcel).await?;
            }
            self.progress.settle();
            let due = self.progress.store_due(self.pace.between_cursors);
            if due.is_some_and(|due| due <= Instant::now()) {
                self.progress.store();
            }
        }
        Ok(())
    }

    /// A destination that is slow does not keep the cursor from the disk.
    async fn send_one(&mut self, way: &mut Single, parcel: &Parcel) -> io::Result<()> {
        let due = self.progress.store_due(self.pace.between_cursors);
        let mut sending = std::pin::pin!(way.send(parcel));
        let taken = tokio::select! {
            biased;
            taken = &mut sending => taken?,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                self.progress.store();
                sending.await?
            }
        };
        self.progress.took(parcel);
        self.status.sent(u64::from(taken), u64::from(!taken));
        self.reached();
        Ok(())
    }

    /// One stream after the other; the cursor moves with each that was ended in good order.
    async fn send_in_streams(&mut self, address: &str, tls: &Tls) -> io::Result<()> {
        while let Some(parcels) = self.following().await? {
            let stream = Stream::open(address, tls, &self.pace).await?;
            self.carry(stream, parcels).await?;
            self.budget.arrived();
            self.progress.settle();
            self.progress.store();
            self.reached();
            self.look();
        }
        Ok(())
    }

    /// Ok when all that the stream carried has been read.
    async fn carry(&mut self, mut stream: Stream, first: Vec<Parcel>) -> io::Result<()> {
        let (begun, mut bytes) = (Instant::now(), 0);
        let mut carried = self.fill(&mut stream, first, begun, &mut bytes).await;
        if carried.is_ok() {
            carried = stream.finish(&self.pace).await;
        }
        carried.inspect_err(|_| self.budget.broke(begun.elapsed(), bytes))
    }

    /// Writes what follows into a stream, until it has carried enough or nothing comes for a while.
    async fn fill(
        &mut self,
        stream: &mut Stream,
        mut parcels: Vec<Parcel>,
        begun: Instant,
        bytes: &mut u64,
    ) -> io::Result<()> {
        let mut last = begun;
        loop {
            for parcel in &parcels {
                *bytes = bytes.saturating_add(parcel.bytes.len() as u64);
                stream.send(parcel).await?;
                self.status.sent(1, 0);
                last = Instant::now();
            }
            let stopping = self.stopping();
            if stopping == Stop::Now || begun.elapsed() >= self.budget.time || *bytes >= self.budget.bytes {
                return stream.flush().await;
            }
            parcels = match self.progress.next()? {
                Some(parcels) => parcels,
                None => {
                    stream.flush().await?;
                    if stopping == Stop::WhenDone || last.elapsed() >= self.pace.lull {
                        return Ok(());
                    }
                    tokio::select! {
                        error = stream.broken() => return Err(error),
                        () = self.wait() => Vec::new(),
                    }
                }
            };
        }
    }

    fn stopping(&self) -> Stop {
        *self.stop.borrow()
    }

    async fn wait(&mut self) {
        tokio::select! {
            () = sleep(self.pace.poll) => {}
            _ = self.stop.changed() => {}
        }
    }

    fn reached(&mut self) {
        if !self.status.connected(true) && self.failures > 0 {
            tracing::info!(repository = %self.to.name, "audit messages reach their repository again");
        }
        self.failures = 0;
    }

    /// Measures now and then.
    fn look(&mut self) {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.measure();
        }
    }

    /// What waits; an alert where it waits too long.
    fn measure(&mut self) -> Backlog {
        self.looked = Some(Instant::now());
        let backlog = self.progress.backlog().unwrap_or_default();
        self.status.backlog(&backlog);
        match self.is_late(&backlog) {
            true if !self.alarmed && self.stopping() == Stop::No => self.alarm(&backlog),
            true => {}
            false => self.alarmed = false,
        }
        backlog
    }

    /// Whether something waits too long. What was made before the clock was set back waits by a steady one.
    fn is_late(&mut self, backlog: &Backlog) -> bool {
        let Some(oldest) = backlog.oldest else { return false };
        let age = OffsetDateTime::now_utc() - oldest;
        self.ahead = match self.ahead.filter(|(first, _)| *first == backlog.first) {
            _ if !age.is_negative() => None,
            waiting => waiting.or_else(|| Some((backlog.first, Instant::now()))),
        };
        age > self.pace.alarm || self.ahead.is_some_and(|(_, since)| since.elapsed() > self.pace.alarm)
    }

    fn alarm(&mut self, backlog: &Backlog) {
        self.alarmed = true;
        let oldest = backlog.oldest.map_or_else(String::new, |oldest| format!(", the oldest of {oldest}"));
        let explanation = format!(
            "repository \"{}\" has not had {} records ({} bytes){oldest}; they are kept and sent when it takes them",
            self.to.name, backlog.records, backlog.bytes
        );
        tracing::error!(repository = %self.to.name, "{explanation}");
        (self.alert)(SecurityAlert {
            reason: Notice::RepositoryBehind.label().into(),
            about: Some(self.to.name.to_string()),
            explanation,
            records: Some(backlog.records),
            ..SecurityAlert::default()
        });
    }
}
