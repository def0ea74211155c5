//! The bytes of one stream, in and out. Nothing here knows what they mean, but for where a PDU of ours ends.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use super::Transport;
use super::error::{Doing, Error};
use super::lingering::{LINGER, linger, read_on};
use super::pace::Pace;
use super::plan::{Outside, Written, poll_write};
use crate::buffer::Inbox;
use crate::wire::{Outgoing, Packer};

pub(super) struct Channel<T> {
    stream: T,
    pub inbox: Inbox,
    /// A write is under way: cancelled there, the stream ends inside a PDU.
    inside_pdu: bool,
}

impl<T: Transport> Channel<T> {
    pub(super) fn new(stream: T) -> Self {
        Self { stream, inbox: Inbox::default(), inside_pdu: false }
    }

    /// Reads behind what is unread; zero is the end of the stream. Cancelled, it has taken nothing. What came of something
    /// `unfinished` is acknowledged before more is waited for: peers that write in pieces with Nagle's algorithm on would
    /// wait 40 ms for it.
    pub(super) async fn fill(&mut self, mut unfinished: bool) -> io::Result<usize> {
        poll_fn(|cx| self.poll_fill(cx, &mut unfinished)).await
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>, unfinished: &mut bool) -> Poll<io::Result<usize>> {
        let filled = match self.stream.poll_readable(cx).is_ready() {
            true => self.stream.poll_fill(cx, &mut self.inbox),
            false => {
                self.inbox.wait();
                Poll::Pending
            }
        };
        if filled.is_pending() && std::mem::take(unfinished) {
            self.stream.quick_ack();
        }
        filled
    }

    /// As [`fill`](Self::fill) of something that has begun; the end of the stream is an error.
    pub(super) async fn fill_on(&mut self, doing: Doing, pace: &mut Pace) -> Result<(), Error> {
        match pace.step(doing, pin!(self.fill(true))).await? {
            0 => Err(Error::Closed { doing }),
            _ => Ok(()),
        }
    }

    /// Writes the plan of a packer: whole PDUs, over the bytes of `input`.
    pub(super) async fn write_plan(
        &mut self,
        packer: &Packer,
        input: &[u8],
        pace: &mut Pace,
    ) -> Result<(), Error> {
        let (spans, outgoing) = (packer.plan(), Outgoing { packer, input, made: &[] });
        let mut written = Written::default();
        while !written.is_all(spans) {
            let next = written.gather(outgoing).map_err(|Outside| Error::Defect)?;
            let count = self.write_some(next.as_slices(), pace).await?;
            written.advance(spans, count);
        }
        self.flush(pace).await
    }

    /// Writes one whole PDU. Cancelled before its end, the stream stands inside of it and can only be closed.
    pub(super) async fn write_pdu(&mut self, mut pdu: &[u8], pace: &mut Pace) -> Result<(), Error> {
        while !pdu.is_empty() {
            let written = self.write_some(&[IoSlice::new(pdu)], pace).await?;
            pdu = pdu.get(written..).unwrap_or_default();
        }
        self.flush(pace).await
    }

    async fn write_some(&mut self, slices: &[IoSlice<'_>], pace: &mut Pace) -> Result<usize, Error> {
        self.inside_pdu = true;
        let stream = &mut self.stream;
        let write = poll_fn(|cx| poll_write(stream, cx, slices));
        pace.step(Doing::Sending, pin!(write)).await
    }

    async fn flush(&mut self, pace: &mut Pace) -> Result<(), Error> {
        let stream = &mut self.stream;
        let flush = poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx).map_ok(|()| 0));
        pace.step(Doing::Sending, pin!(flush)).await?;
        self.inside_pdu = false;
        Ok(())
    }

    /// Sends a last PDU where one can stand. A peer that cannot be told has gone, or will see the reset.
    pub(super) async fn last_word(&mut self, pdu: &[u8]) {
        if !self.inside_pdu {
            let mut pace = Pace::new(LINGER, 0);
            let _ = tokio::time::timeout(LINGER, self.write_pdu(pdu, &mut pace)).await;
        }
    }

    /// Tells the peer of what ends the association, where it can be told. Gives the error back.
    pub(super) async fn fail(&mut self, error: Error) -> Error {
        if let Some(abort) = error.abort() {
            self.last_word(&abort.to_pdu()).await;
        }
        let patience = if error.abort().is_some() { LINGER } else { Duration::ZERO };
        self.close(patience).await;
        error
    }

    /// Closes: says so, then waits for the peer to close too, at most `patience` and a bounded number of bytes. A stream that
    /// was cut off inside a PDU is reset, so that it never looks like an orderly end.
    pub(super) async fn close(&mut self, patience: Duration) {
        if self.inside_pdu {
            return self.stream.reset_on_close();
        }
        // Whatever happens now happens to a peer that has had its last PDU.
        let _ = tokio::time::timeout(patience, self.linger()).await;
    }

    async fn linger(&mut self) -> io::Result<()> {
        self.stream.take_back(&mut self.inbox);
        linger(&mut self.stream).await
    }

    /// Waits for the peer to close first, as the acceptor does that has answered (PS3.8 Table 9-10, AR-4), then closes.
    pub(super) async fn await_close(&mut self, patience: Duration) {
        self.stream.take_back(&mut self.inbox);
        let _ = tokio::time::timeout(patience, read_on(&mut self.stream)).await;
        self.close(Duration::ZERO).await;
    }
}
