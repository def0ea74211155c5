//! The writer of command sets.

use std::ops::Range;

/// Writes elements in the order of the calls and the group length before them.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        // Room for a C-STORE-RQ.
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&[0; 12]);
        Self(bytes)
    }

    pub(crate) fn element(&mut self, element: u16, value: &[u8]) {
        self.head(element, value.len());
        self.0.extend_from_slice(value);
    }

    /// A value that is made even by `padding`. Gives where it is written.
    pub(crate) fn padded(&mut self, element: u16, value: &[u8], padding: u8) -> Range<usize> {
        self.head(element, value.len().next_multiple_of(2));
        let start = self.0.len();
        self.0.extend_from_slice(value);
        if value.len() % 2 == 1 {
            self.0.push(padding);
        }
        start..self.0.len()
    }

    pub(crate) fn text(&mut self, element: u16, value: &str, padding: u8) {
        self.padded(element, value.as_bytes(), padding);
    }

    fn head(&mut self, element: u16, bytes: usize) {
        let ([e0, e1], [l0, l1, l2, l3]) = (element.to_le_bytes(), length(bytes));
        self.0.extend_from_slice(&[0, 0, e0, e1, l0, l1, l2, l3]);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let rest = length(self.0.len() - 12);
        if let Some((head, _)) = self.0.split_first_chunk_mut::<12>() {
            *head = [0, 0, 0, 0, 4, 0, 0, 0, rest[0], rest[1], rest[2], rest[3]];
        }
        self.0
    }
}

/// A command set is at most as long as `max-command-length`, far below 4 GiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}
