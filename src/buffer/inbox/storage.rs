//! Where the bytes of an inbox lie.

use std::ops::{Deref, DerefMut};

use crate::buffer::Buffer;

pub(super) enum Storage {
    Lent(Buffer),
    Exact(Vec<u8>),
}

impl Default for Storage {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Deref for Storage {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(buffer) => buffer,
            Self::Exact(bytes) => bytes,
        }
    }
}

impl DerefMut for Storage {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Lent(buffer) => buffer,
            Self::Exact(bytes) => bytes,
        }
    }
}
