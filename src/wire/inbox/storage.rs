//! Where the bytes of an inbox lie.

use crate::wire::Buffer;

pub(super) enum Storage {
    Lent(Buffer),
    Exact(Vec<u8>),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Storage {
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        match self {
            Self::Lent(buffer) => buffer,
            Self::Exact(bytes) => bytes,
        }
    }
}
