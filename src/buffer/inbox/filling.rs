//! How bytes come into an inbox, and where they are while no more come.

use std::io;
use std::task::{Poll, ready};

use tokio::io::ReadBuf;

use super::storage::Storage;
use super::{Inbox, KEPT};
use crate::buffer::Buffer;

impl Inbox {
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
        let mut room = ReadBuf::new(self.storage.get_mut(end..).unwrap_or_default());
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

    /// With bytes that were read elsewhere, and are sealed.
    pub fn of_sealed(bytes: Vec<u8>) -> Self {
        Self { sealed: 0..bytes.len(), storage: Storage::Exact(bytes), ..Self::default() }
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
        let place = self.storage.get_mut(start..start + sealed.len());
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
