//! One side of a relayed association: a stream, counted, and written in whole PDUs.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;

use crate::buffer::Inbox;
use crate::trace;
use crate::upper::{LINGER, Outside, Transport, Written, linger, poll_write};
use crate::wire::Outgoing;

/// One end's connection: a stream, what went over it, and whether it stands between two PDUs.
pub(crate) struct Leg {
    stream: Box<dyn Transport>,
    received: u64,
    sent: u64,
    /// False while a write is under way: cancelled there, the stream ends inside a PDU.
    between_pdus: bool,
    /// Where somebody traces the association.
    trace: Option<Box<trace::Leg>>,
}

impl Leg {
    pub(super) fn new(stream: Box<dyn Transport>) -> Self {
        Self { stream, received: 0, sent: 0, between_pdus: true, trace: None }
    }

    /// The same leg, for whoever traces its association.
    pub(super) fn traced(self, trace: Option<Box<trace::Leg>>) -> Self {
        Self { trace, ..self }
    }

    /// The trace of this leg, unless it is over.
    #[inline]
    fn trace(&mut self) -> Option<&mut trace::Leg> {
        self.trace.as_deref_mut().filter(|trace| !trace.is_over())
    }

    /// Bytes received from the peer so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes sent to the peer so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Reads what is there, as much as fits, waiting only for the first byte. Zero is the end of the stream. Whatever came
    /// is acknowledged before it waits: this is for PDUs outside of the relay, of which nearly always the rest is waited for.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut into = ReadBuf::new(buffer);
        let Self { stream, trace, .. } = self;
        poll_fn(|cx| {
            let read = Pin::new(&mut **stream).poll_read(cx, &mut into);
            if read.is_pending() {
                stream.quick_ack();
                trace.iter_mut().for_each(|trace| trace.read_waits());
            }
            read
        })
        .await?;
        let count = into.filled().len();
        self.received += count as u64;
        if let Some(trace) = self.trace() {
            trace.received(count, std::iter::once(into.filled()));
        }
        Ok(count)
    }

    /// Reads into an inbox, behind what is unread there; zero is the end of the stream. An inbox that waits with nothing in
    /// it has no buffer: one is lent when there is something to read.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>, inbox: &mut Inbox) -> Poll<io::Result<usize>> {
        if self.stream.poll_readable(cx).is_pending() {
            inbox.wait();
            return self.nothing_to_read();
        }
        let Poll::Ready(count) = self.stream.poll_fill(cx, inbox)? else { return self.nothing_to_read() };
        self.received += count as u64;
        if let Some(trace) = self.trace() {
            trace.received(count, inbox.latest(count));
        }
        Poll::Ready(Ok(count))
    }

    fn nothing_to_read<T>(&mut self) -> Poll<T> {
        self.trace().into_iter().for_each(trace::Leg::read_waits);
        Poll::Pending
    }

    /// Acknowledges at once what was received.
    pub(super) fn quick_ack(&mut self) {
        self.stream.quick_ack();
    }

    /// Takes back what a reader leaves that reads no more into its inbox.
    pub(super) fn take_back(&mut self, inbox: &mut Inbox) {
        self.stream.take_back(inbox);
    }

    /// Reads exactly as many bytes, for what comes before an association is established.
    pub(super) async fn read_exact(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read(buffer).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => buffer = buffer.split_at_mut(count).1,
            }
        }
        Ok(())
    }

    /// Writes a plan of whole PDUs on from where the last call came to. What ends, well or not, leaves the next plan a beginning.
    pub(super) fn poll_write_plan(
        &mut self,
        cx: &mut Context<'_>,
        plan: Outgoing<'_>,
        written: &mut Written,
    ) -> Poll<Result<(), NotWritten>> {
        self.between_pdus = false;
        let done = ready!(self.poll_plan(cx, plan, written));
        // What lies outside of its buffer is found before any of it is written: the side can still be told.
        let is_untouched = matches!(done, Err(NotWritten::Outside(_))) && *written == Written::default();
        *written = Written::default();
        self.between_pdus = done.is_ok() || is_untouched;
        Poll::Ready(done)
    }

    fn poll_plan(
        &mut self,
        cx: &mut Context<'_>,
        plan: Outgoing<'_>,
        at: &mut Written,
    ) -> Poll<Result<(), NotWritten>> {
        let spans = plan.packer.plan();
        while !at.is_all(spans) {
            let next = at.gather(plan)?;
            let count = ready!(self.poll_write(cx, next.as_slices()))?;
            at.advance(spans, count);
        }
        Pin::new(&mut *self.stream).poll_flush(cx).map_err(NotWritten::Io)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = poll_write(&mut *self.stream, cx, slices);
        if let Poll::Ready(Ok(count)) = written {
            self.sent += count as u64;
        }
        if let Some(trace) = self.trace() {
            match &written {
                Poll::Ready(Ok(count)) => trace.sent(slices, *count),
                Poll::Ready(Err(_)) => {}
                Poll::Pending => trace.write_waits(),
            }
        }
        written
    }

    /// Writes one whole PDU: cancelled before that is done, the stream ends inside of it.
    pub(super) async fn write_pdu(&mut self, mut rest: &[u8]) -> io::Result<()> {
        poll_fn(|cx| {
            self.between_pdus = false;
            while !rest.is_empty() {
                let count = ready!(self.poll_write(cx, &[IoSlice::new(rest)]))?;
                rest = rest.get(count..).unwrap_or_default();
            }
            ready!(Pin::new(&mut *self.stream).poll_flush(cx))?;
            self.between_pdus = true;
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Whether a PDU can be sent: no write was cut off in the middle of one.
    pub(super) fn is_between_pdus(&self) -> bool {
        self.between_pdus
    }

    /// Sends a last PDU if it can stand there; a stream that was cut off inside a PDU will be reset instead.
    pub(super) async fn last_word(&mut self, pdu: &[u8], patience: Duration) {
        if self.is_between_pdus() {
            // A peer that cannot be told has gone, or will see the reset.
            let _ = tokio::time::timeout(patience, self.write_pdu(pdu)).await;
        }
    }

    /// Sends a last PDU and closes.
    pub(super) async fn end_with(mut self, pdu: &[u8]) {
        self.last_word(pdu, LINGER).await;
        self.close(LINGER).await;
    }

    /// Waits for the peer to close first, as whoever sent the last PDU does (PS3.8 Table 9-10, AR-4), then closes.
    pub(super) async fn await_close(mut self, patience: Duration) {
        let mut scrap = [0; 512];
        let gone = async { while self.read(&mut scrap).await.is_ok_and(|count| count > 0) {} };
        let _ = tokio::time::timeout(patience, gone).await;
        self.close(Duration::ZERO).await;
    }

    /// The stream, for who goes on without a leg. Nothing was read that was not used.
    pub(super) fn into_stream(self) -> Box<dyn Transport> {
        self.stream
    }

    /// Closes: says so, then waits for the peer to close too, at most `patience` and a bounded number of bytes. A stream
    /// that was cut off inside a PDU is reset.
    pub(super) async fn close(mut self, patience: Duration) {
        if !self.is_between_pdus() {
            return self.stream.reset_on_close();
        }
        // Whatever happens now happens to a peer that has had its last PDU.
        let _ = tokio::time::timeout(patience, linger(&mut *self.stream)).await;
    }
}

/// Why a plan cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWritten {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Outside(#[from] Outside),
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use socket2::SockRef;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::{Leg, NotWritten, Written};
    use crate::buffer::{Inbox, NoneMayWait};
    use crate::wire::{Outgoing, Packer};

    /// A peer that writes a PDU in pieces with Nagle's algorithm on waits 40 ms for each acknowledgement that is delayed.
    #[tokio::test]
    async fn a_read_that_waits_has_acknowledged_what_came() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut leg = Leg::new(Box::new(listener.accept().await.unwrap().0));
        let at_once = |leg: &Leg| SockRef::from(leg.stream.socket().unwrap()).tcp_quickack().unwrap();
        SockRef::from(leg.stream.socket().unwrap()).set_tcp_quickack(false).unwrap();
        assert!(!at_once(&leg));
        peer.write_all(&[4, 0, 0]).await.unwrap();
        let mut header = [0; 6];
        {
            let mut reading = pin!(leg.read_exact(&mut header));
            assert!(reading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        assert!(at_once(&leg));
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
