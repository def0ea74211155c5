//! One side of a relayed association: a stream, counted, and written in whole PDUs.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadBuf};

use super::machine::Outgoing;
use crate::buffer::Inbox;
use crate::upper::Transport;

/// How long a peer that has had its last PDU may take to close.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// Spans of a plan that one system call writes.
const SLICES: usize = 64;

/// How much is read and thrown away after the last PDU, so that closing does not reset what the peer has yet to read.
const LINGER_BYTES: usize = 1 << 20;

/// A leg. The lock is for who reads and writes through `&Leg` before and after the relay, one poll at a time; nobody ever
/// waits for it. The driver has the leg alone.
pub(crate) struct Leg {
    stream: Mutex<Box<dyn Transport>>,
    received: AtomicU64,
    sent: AtomicU64,
    /// False while a write is under way: cancelled there, the stream ends inside a PDU.
    between_pdus: AtomicBool,
}

impl Leg {
    pub fn new(stream: Box<dyn Transport>) -> Self {
        Self {
            stream: Mutex::new(stream),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            between_pdus: AtomicBool::new(true),
        }
    }

    /// Without the lock, for who has the leg alone.
    fn stream_mut(&mut self) -> &mut dyn Transport {
        &mut **self.stream.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn stream(&self) -> MutexGuard<'_, Box<dyn Transport>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes received from the peer so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes sent to the peer so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Reads what is there, as much as fits, waiting only for the first byte. Zero is the end of the stream. Whatever came
    /// is acknowledged before it waits: this is for PDUs outside of the relay, of which nearly always the rest is waited for.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut into = ReadBuf::new(buffer);
        poll_fn(|cx| {
            let mut stream = self.stream();
            let read = Pin::new(&mut **stream).poll_read(cx, &mut into);
            if read.is_pending() {
                stream.quick_ack();
            }
            read
        })
        .await?;
        let count = into.filled().len();
        self.received.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    /// Reads into an inbox, behind what is unread there; zero is the end of the stream. An inbox that waits with nothing in
    /// it has no buffer: one is lent when there is something to read.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<io::Result<usize>> {
        let stream = self.stream_mut();
        if stream.poll_readable(cx).is_pending() {
            inbox.wait();
            return Poll::Pending;
        }
        let count = ready!(stream.poll_fill(cx, inbox))?;
        *self.received.get_mut() += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Acknowledges at once what was received.
    pub fn quick_ack(&mut self) {
        self.stream_mut().quick_ack();
    }

    /// Takes back what a reader leaves that reads no more into its inbox.
    pub fn take_back(&mut self, inbox: &mut Inbox) {
        self.stream_mut().take_back(inbox);
    }

    /// Reads exactly as many bytes, for what comes before an association is established.
    pub async fn read_exact(&self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read(buffer).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => buffer = buffer.split_at_mut(count).1,
            }
        }
        Ok(())
    }

    /// Writes a plan of whole PDUs on from where the last call came to. What ends, well or not, leaves the next plan a beginning.
    pub fn poll_write_plan(
        &mut self,
        cx: &mut Context<'_>,
        plan: Outgoing<'_>,
        written: &mut Written,
    ) -> Poll<Result<(), NotWritten>> {
        *self.between_pdus.get_mut() = false;
        let stream = &mut **self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut done = poll_plan(stream, cx, plan, written, self.sent.get_mut());
        if matches!(done, Poll::Ready(Ok(()))) {
            done = Pin::new(stream).poll_flush(cx).map_err(NotWritten::Io);
        }
        let done = ready!(done);
        *written = Written::default();
        *self.between_pdus.get_mut() = done.is_ok();
        Poll::Ready(done)
    }

    /// Writes one whole PDU.
    pub fn write_pdu<'a>(&'a self, bytes: &'a [u8]) -> impl Future<Output = io::Result<()>> + 'a {
        let mut rest = bytes;
        self.write_whole(move |stream, cx| {
            while !rest.is_empty() {
                let written = ready!(poll_write(stream, cx, &[IoSlice::new(rest)]))?;
                self.sent.fetch_add(written as u64, Ordering::Relaxed);
                rest = rest.get(written..).unwrap_or_default();
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Writes what `write` has to say, which is whole PDUs: cancelled before that is done, the stream ends inside one.
    /// An `async fn` would hold room for `write` twice.
    fn write_whole<'a>(
        &'a self,
        mut write: impl FnMut(&mut dyn Transport, &mut Context<'_>) -> Poll<io::Result<()>> + 'a,
    ) -> impl Future<Output = io::Result<()>> + 'a {
        poll_fn(move |cx| {
            self.between_pdus.store(false, Ordering::Relaxed);
            let stream = &mut **self.stream();
            ready!(write(stream, cx))?;
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.between_pdus.store(true, Ordering::Relaxed);
            Poll::Ready(Ok(()))
        })
    }

    /// Whether a PDU can be sent: no write was cut off in the middle of one.
    pub fn is_between_pdus(&self) -> bool {
        self.between_pdus.load(Ordering::Relaxed)
    }

    /// Sends a last PDU if it can stand there; a stream that was cut off inside a PDU will be reset instead.
    pub async fn last_word(&self, pdu: &[u8], patience: Duration) {
        if self.is_between_pdus() {
            // A peer that cannot be told has gone, or will see the reset.
            let _ = tokio::time::timeout(patience, self.write_pdu(pdu)).await;
        }
    }

    /// Sends a last PDU and closes.
    pub async fn end_with(self, pdu: &[u8], patience: Duration) {
        self.last_word(pdu, patience).await;
        self.close(patience).await;
    }

    /// Waits for the peer to close first, as whoever sent the last PDU does (PS3.8 Table 9-10, AR-4), then closes.
    pub async fn await_close(self, patience: Duration) {
        let mut scrap = [0; 512];
        let gone = async { while self.read(&mut scrap).await.is_ok_and(|count| count > 0) {} };
        let _ = tokio::time::timeout(patience, gone).await;
        self.close(Duration::ZERO).await;
    }

    /// The stream, for who goes on without a leg. Nothing was read that was not used.
    pub fn into_stream(self) -> Box<dyn Transport> {
        self.stream.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes: says so, then waits for the peer to close too, at most `patience` and a bounded number of bytes. A stream
    /// that was cut off inside a PDU is reset.
    pub async fn close(self, patience: Duration) {
        if !self.is_between_pdus() {
            return self.stream().reset_on_close();
        }
        let mut stream = self.stream.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lingering = async {
            stream.shutdown().await?;
            let (mut scrap, mut left) = ([0_u8; 512], LINGER_BYTES);
            while left > 0 {
                match stream.read(&mut scrap).await? {
                    0 => break,
                    count => left = left.saturating_sub(count),
                }
            }
            io::Result::Ok(())
        };
        // Whatever happens now happens to a peer that has had its last PDU.
        let _ = tokio::time::timeout(patience, lingering).await;
    }
}

/// How far a plan is written: spans, and bytes of the next one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    spans: usize,
    bytes: usize,
}

/// Why a plan cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWritten {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A promise of our own is broken.
    #[error("what is to be written lies outside of its buffer")]
    Outside,
}

impl From<NotWritten> for io::Error {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Io(error) => error,
            outside => Self::other(outside),
        }
    }
}

fn poll_plan(
    stream: &mut dyn Transport,
    cx: &mut Context<'_>,
    Outgoing { packer, input, made }: Outgoing<'_>,
    at: &mut Written,
    sent: &mut u64,
) -> Poll<Result<(), NotWritten>> {
    let plan = packer.plan();
    while at.spans < plan.len() {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut count, mut skip) = (0, at.bytes);
        for (slot, span) in slices.iter_mut().zip(plan.iter().skip(at.spans)) {
            let bytes = packer.bytes(span, input, made).and_then(|bytes| bytes.get(skip..));
            *slot = IoSlice::new(bytes.ok_or(NotWritten::Outside)?);
            (count, skip) = (count + 1, 0);
        }
        let written = ready!(poll_write(stream, cx, slices.get(..count).unwrap_or_default()))?;
        *sent += written as u64;
        at.bytes += written;
        while let Some(span) = plan.get(at.spans).filter(|span| at.bytes >= span.range.len()) {
            at.bytes -= span.range.len();
            at.spans += 1;
        }
    }
    Poll::Ready(Ok(()))
}

fn poll_write(
    stream: &mut dyn Transport,
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let written = ready!(Pin::new(stream).poll_write_vectored(cx, slices))?;
    if written == 0 && slices.iter().any(|slice| !slice.is_empty()) {
        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
    }
    Poll::Ready(Ok(written))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::{Leg, NotWritten, Written};
    use crate::buffer::{Inbox, NoneMayWait};
    use crate::relay::machine::Outgoing;
    use crate::wire::Packer;

    /// A peer that writes a PDU in pieces with Nagle's algorithm on waits 40 ms for each acknowledgement that is delayed.
    #[tokio::test]
    async fn a_read_that_waits_has_acknowledged_what_came() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let leg = Leg::new(Box::new(listener.accept().await.unwrap().0));
        let at_once = || {
            let stream = leg.stream();
            socket2::SockRef::from(stream.socket().unwrap()).tcp_quickack().unwrap()
        };
        socket2::SockRef::from(leg.stream().socket().unwrap()).set_tcp_quickack(false).unwrap();
        assert!(!at_once());
        peer.write_all(&[4, 0, 0]).await.unwrap();
        let mut header = [0; 6];
        let mut reading = pin!(leg.read_exact(&mut header));
        assert!(reading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(at_once());
    }

    /// Its sender may have something else to say to the other side.
    #[tokio::test]
    async fn the_plan_after_one_that_could_not_be_written_begins_at_its_beginning() {
        let (stream, peer) = tokio::io::duplex(4);
        let (mut leg, mut written) = (Leg::new(Box::new(stream)), Written::default());
        let mut packer = Packer::new(0);
        packer.pdu(b"longer than four bytes");
        let plan = || Outgoing { packer: &packer, input: &[], made: &[] };
        let mut cx = Context::from_waker(Waker::noop());
        assert!(leg.poll_write_plan(&mut cx, plan(), &mut written).is_pending());
        assert_ne!(written, Written::default());
        drop(peer);
        let Poll::Ready(Err(NotWritten::Io(_))) = leg.poll_write_plan(&mut cx, plan(), &mut written) else {
            panic!("there is nobody to write to")
        };
        assert_eq!(written, Written::default());
        assert!(!leg.is_between_pdus());
    }

    /// A peer that stops in the middle of a header must not keep a quarter of a megabyte for as long as it likes.
    #[tokio::test]
    async fn a_leg_that_waits_with_a_few_bytes_holds_no_buffer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut leg = Leg::new(Box::new(listener.accept().await.unwrap().0));
        let (none, mut inbox) = (NoneMayWait::begin(), Inbox::default());
        peer.write_all(&[4, 0, 0]).await.unwrap();
        assert_eq!(poll_fn(|cx| leg.poll_fill(cx, &mut inbox)).await.unwrap(), 3);
        assert!(leg.poll_fill(&mut Context::from_waker(Waker::noop()), &mut inbox).is_pending());
        assert_eq!((inbox.all().len(), inbox.unread()), (3, &[4, 0, 0][..]));
        peer.write_all(&[0, 0, 4]).await.unwrap();
        assert_eq!(poll_fn(|cx| leg.poll_fill(cx, &mut inbox)).await.unwrap(), 3);
        assert_eq!(inbox.unread(), [4, 0, 0, 0, 0, 4]);
        drop(none);
    }
}
