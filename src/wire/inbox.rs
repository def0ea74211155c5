//! What came from one peer and is not used up yet, in one buffer.
//!
//! Data lies in pieces: that of a TLS record stays where it was decrypted, between its header and its tag. Behind the pieces
//! lies what is still sealed: records that are not whole yet. What its reader leaves over of a piece moves in front of the
//! next one, so that a PDU header is in one stretch wherever records end, and hardly a byte is copied.

use std::io;
use std::ops::Range;
use std::task::{Poll, ready};

use tokio::io::ReadBuf;

use super::Buffer;

/// Data of a record that is shorter moves behind the data before it: a few bytes cost less than a piece of their own.
const SHORT: usize = 4096;

/// Pieces that an inbox without bytes keeps room for.
const KEPT: usize = 8;

/// A buffer is lent while bytes come. An inbox that waits for more holds as many bytes as it has, unless it is one of the few
/// that may keep their buffer.
#[derive(Default)]
pub struct Inbox {
    storage: Storage,
    /// Data in order, the rest of the first one unread.
    pieces: Vec<Range<usize>>,
    /// Those before have been read.
    current: usize,
    sealed: Range<usize>,
}

enum Storage {
    Lent(Buffer),
    Exact(Vec<u8>),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Storage {
    fn bytes(&mut self) -> &mut [u8] {
        match self {
            Self::Lent(buffer) => buffer,
            Self::Exact(bytes) => bytes,
        }
    }
}

impl Inbox {
    /// Whether nothing is in it, data or sealed.
    pub fn is_empty(&self) -> bool {
        self.unread().is_empty() && self.current + 1 >= self.pieces.len() && self.sealed.is_empty()
    }

    /// Whether it has a buffer.
    pub fn has_buffer(&self) -> bool {
        matches!(self.storage, Storage::Lent(_))
    }

    /// Everything: what [`Self::position`] counts in, until the next [`Self::receive`].
    pub fn all(&self) -> &[u8] {
        match &self.storage {
            Storage::Lent(buffer) => buffer,
            Storage::Exact(bytes) => bytes,
        }
    }

    fn piece(&self) -> Range<usize> {
        self.pieces.get(self.current).cloned().unwrap_or_default()
    }

    /// The data of this piece that was not used up; after [`Self::next_piece`], with that of the next one.
    pub fn unread(&self) -> &[u8] {
        self.all().get(self.piece()).unwrap_or_default()
    }

    /// Where the unread data begins in [`Self::all`].
    pub fn position(&self) -> usize {
        self.piece().start
    }

    /// So many bytes of the unread data are used up. They stay where they are until the next [`Self::receive`].
    pub fn consume(&mut self, count: usize) {
        if let Some(piece) = self.pieces.get_mut(self.current) {
            piece.start = piece.start.saturating_add(count).min(piece.end);
        }
    }

    /// Goes on to the next piece, with what is left of this one in front of it. `false`: there is none.
    pub fn next_piece(&mut self) -> bool {
        let left = self.piece();
        let Some(next) = self.pieces.get_mut(self.current + 1) else { return false };
        // What is left ends before the next piece begins, so the move goes over nothing but a header and a tag.
        let start = next.start.saturating_sub(left.len());
        next.start = start;
        if !left.is_empty() {
            self.storage.bytes().copy_within(left, start);
        }
        self.current += 1;
        true
    }

    /// What is still sealed.
    pub fn sealed(&mut self) -> &mut [u8] {
        let range = self.sealed.clone();
        self.storage.bytes().get_mut(range).unwrap_or_default()
    }

    /// So many of the sealed bytes were dealt with.
    pub fn unsealed(&mut self, count: usize) {
        self.sealed.start = self.sealed.start.saturating_add(count).min(self.sealed.end);
    }

    /// `length` bytes that lie `from` the beginning of the sealed ones are data. `None`: they do not lie in them.
    pub fn data(&mut self, from: usize, length: usize) -> Option<()> {
        let start = self.sealed.start.checked_add(from)?;
        let end = start.checked_add(length).filter(|end| *end <= self.sealed.end)?;
        match self.pieces.last_mut() {
            Some(last) if length < SHORT || last.end == start => {
                let to = last.end;
                last.end += length;
                if to != start {
                    self.storage.bytes().copy_within(start..end, to);
                }
            }
            _ => self.pieces.push(start..end),
        }
        Some(())
    }

    /// All that is sealed is data: there is no seal on it.
    pub fn unseal(&mut self) {
        let length = self.sealed.len();
        if self.data(0, length).is_some() {
            self.unsealed(length);
        }
    }

    /// How much data there is.
    pub fn available(&self) -> usize {
        self.pieces.get(self.current..).unwrap_or_default().iter().map(Range::len).sum()
    }

    /// Lets `read` put more behind what is sealed; gives its length. Where it has to, it [waits](Self::wait).
    ///
    /// # Errors
    /// Those of `read`, and [`io::ErrorKind::InvalidData`] where no room is left.
    pub fn receive(
        &mut self,
        read: impl FnOnce(&mut ReadBuf<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let end = self.sealed.end;
        let mut room = ReadBuf::new(self.storage.bytes().get_mut(end..).unwrap_or_default());
        if room.capacity() == 0 {
            return Poll::Ready(Err(no_room()));
        }
        let read = read(&mut room);
        let count = room.filled().len();
        self.sealed.end += count;
        if read.is_pending() {
            self.wait();
        }
        ready!(read)?;
        Poll::Ready(Ok(count))
    }

    /// Moves what is left to the front of a buffer.
    fn make_room(&mut self) {
        while self.next_piece() {}
        let (data, sealed) = (self.piece(), self.sealed.clone());
        let middle = data.len();
        match &mut self.storage {
            Storage::Lent(buffer) => {
                buffer.goes_on();
                buffer.copy_within(data, 0);
                buffer.copy_within(sealed.clone(), middle);
            }
            Storage::Exact(bytes) => {
                let mut buffer = Buffer::lend();
                let (front, back) = (bytes.get(data), bytes.get(sealed.clone()));
                put(&mut buffer, 0, front.unwrap_or_default());
                put(&mut buffer, middle, back.unwrap_or_default());
                self.storage = Storage::Lent(buffer);
            }
        }
        self.lies_in_front(middle, sealed.len());
    }

    fn lies_in_front(&mut self, data: usize, sealed: usize) {
        self.pieces.clear();
        self.current = 0;
        if data > 0 {
            self.pieces.push(0..data);
        }
        self.sealed = data..data + sealed;
    }

    /// Nothing more is there at the moment, and perhaps not for hours.
    pub fn wait(&mut self) {
        if self.is_empty() {
            self.storage = Storage::default();
            self.lies_in_front(0, 0);
        } else if let Storage::Lent(buffer) = &mut self.storage
            && !buffer.may_wait()
        {
            self.hold();
        }
    }

    /// Keeps what is there in as many bytes, and gives the buffer back.
    fn hold(&mut self) {
        while self.next_piece() {}
        let (data, sealed) = (self.piece(), self.sealed.clone());
        let bytes = [data.clone(), sealed.clone()].map(|range| self.all().get(range).unwrap_or_default());
        self.storage = Storage::Exact(bytes.concat());
        self.lies_in_front(data.len(), sealed.len());
    }

    /// Gives back what an inbox without bytes does not need.
    pub fn rest(&mut self) {
        if self.is_empty() {
            self.wait();
            self.pieces.shrink_to(KEPT);
        }
    }

    /// All that may keep their buffers while they wait, for tests of what the others do.
    #[cfg(test)]
    pub fn those_that_may_wait() -> Vec<Self> {
        let mut waiting = Vec::new();
        while waiting.len() < 16 {
            let mut inbox = Self::default();
            let _ = inbox.receive(|room| {
                room.put_slice(&[1]);
                Poll::Ready(Ok(()))
            });
            inbox.wait();
            waiting.extend(Some(inbox).filter(Self::has_buffer));
        }
        waiting
    }

    /// Takes out what is sealed.
    pub fn take_sealed(&mut self) -> Self {
        let sealed = self.sealed().to_vec();
        self.unsealed(sealed.len());
        Self { sealed: 0..sealed.len(), storage: Storage::Exact(sealed), ..Self::default() }
    }

    /// Takes all that `other` has. Where there is data here already, that is what is sealed there.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where it does not fit.
    pub fn take_over(&mut self, other: &mut Self) -> io::Result<()> {
        if other.is_empty() {
            // It may have a buffer still.
            other.rest();
            return Ok(());
        }
        if self.is_empty() {
            *self = std::mem::take(other);
            return Ok(());
        }
        if !self.sealed.is_empty() || other.available() > 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "data in two places, in an order that is not known",
            ));
        }
        self.make_room();
        let (start, sealed) = (self.sealed.end, other.sealed());
        let place = self.storage.bytes().get_mut(start..start + sealed.len());
        place.ok_or_else(no_room)?.copy_from_slice(sealed);
        self.sealed.end += sealed.len();
        *other = Self::default();
        Ok(())
    }
}

fn no_room() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "more than can be held of what is not whole")
}

fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = buffer.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Inbox;
    use proptest::prelude::*;
    use std::task::Poll;

    /// Records of a header, data and a tag, as they lie on the wire; headers and tags are of bytes that no data has.
    fn records(all: &[u8], lengths: &[usize]) -> Vec<(Vec<u8>, usize)> {
        let (mut rest, mut lengths) = (all, lengths.iter().cycle());
        let mut records = Vec::new();
        while !rest.is_empty() {
            let (data, after) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
            records.push(([&[0xF5; 5], data, &[0xF6; 17]].concat(), data.len()));
            rest = after;
        }
        records
    }

    proptest! {
        /// A reader that uses up whole groups of bytes only sees the data in order, wherever records and reads end.
        #[test]
        fn data_is_read_in_order_whatever_is_left_over(
            length in 1usize..120_000,
            lengths in prop::collection::vec(1usize..20_000, 1..6),
            reads in prop::collection::vec(1usize..70_000, 1..6),
            groups in prop::collection::vec(1usize..900, 1..6),
            waits in any::<bool>(),
        ) {
            let all: Vec<u8> = (0..length).map(|n| (n % 241) as u8).collect();
            let records = records(&all, &lengths);
            let wire: Vec<u8> = records.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
            let mut whole = records.iter();
            let (mut inbox, mut got, mut at) = (Inbox::default(), Vec::new(), 0);
            let (mut reads, mut groups) = (reads.iter().cycle(), groups.iter().cycle());
            let mut group = *groups.next().unwrap();
            let mut record = whole.next();
            while at < wire.len() {
                if waits {
                    prop_assert!(inbox.receive(|_| Poll::Pending).is_pending());
                    prop_assert!(!inbox.has_buffer() || !inbox.is_empty());
                }
                let piece = &wire[at..wire.len().min(at + reads.next().unwrap())];
                let Poll::Ready(Ok(count)) = inbox.receive(|room| { room.put_slice(piece); Poll::Ready(Ok(())) })
                else { panic!("there is room") };
                at += count;
                while let Some((bytes, data)) = record.filter(|(bytes, _)| inbox.sealed().len() >= bytes.len()) {
                    prop_assert_eq!(inbox.data(5, *data), Some(()));
                    inbox.unsealed(bytes.len());
                    record = whole.next();
                }
                let last = record.is_none();
                loop {
                    let unread = inbox.unread();
                    let used = if unread.len() >= group || (last && inbox.available() == unread.len()) { unread.len().min(group) } else { 0 };
                    got.extend_from_slice(&unread[..used]);
                    inbox.consume(used);
                    match used {
                        0 if !inbox.next_piece() => break,
                        0 => {}
                        _ => group = *groups.next().unwrap(),
                    }
                }
            }
            prop_assert!(got == all);
            prop_assert!(inbox.is_empty());
            inbox.rest();
            prop_assert_eq!(inbox.all().len(), 0);
        }
    }

    #[test]
    fn few_wait_with_a_buffer_and_the_others_with_as_many_bytes_as_they_have() {
        let few = Inbox::those_that_may_wait();
        let mut inbox = Inbox::default();
        let _ = inbox.receive(|room| {
            room.put_slice(&[7; 100]);
            Poll::Ready(Ok(()))
        });
        assert_eq!(inbox.data(5, 30), Some(()));
        inbox.unsealed(60);
        inbox.consume(10);
        inbox.wait();
        assert_eq!((inbox.all().len(), inbox.unread(), inbox.available()), (60, &[7; 20][..], 20));
        drop(few);
    }

    #[test]
    fn data_that_does_not_lie_in_what_is_sealed_is_refused() {
        let mut inbox = Inbox::default();
        let _ = inbox.receive(|room| {
            room.put_slice(&[7; 100]);
            Poll::Ready(Ok(()))
        });
        assert_eq!(inbox.data(90, 11), None);
        assert_eq!(inbox.data(usize::MAX, 2), None);
        assert_eq!(inbox.available(), 0);
        assert_eq!(inbox.data(90, 10), Some(()));
        assert_eq!(inbox.unread(), [7; 10]);
    }

    #[test]
    fn a_full_inbox_takes_no_more_and_says_so() {
        let mut inbox = Inbox::default();
        let full = inbox.receive(|room| {
            let all = room.remaining();
            room.initialize_unfilled();
            room.advance(all);
            Poll::Ready(Ok(()))
        });
        assert!(matches!(full, Poll::Ready(Ok(count)) if count == 256 * 1024));
        let more = inbox.receive(|_| panic!("there is no room"));
        assert!(matches!(more, Poll::Ready(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData));
        let mut other = Inbox::default();
        let _ = other.receive(|room| {
            room.put_slice(&[1]);
            Poll::Ready(Ok(()))
        });
        inbox.unseal();
        assert!(inbox.take_over(&mut other).is_err(), "what does not fit is not lost in silence");
    }
}
