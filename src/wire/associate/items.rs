//! Items and sub-items: type, reserved byte, 16-bit length, value (PS3.8 §9.3.2, PS3.7 Annex D.3.3).

use crate::wire::{Malformed, Uid};

/// A bounded view of bytes that remembers what they are, so that an error can say where it was.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

/// One item of a list of items.
pub(super) struct Item<'a> {
    pub item_type: u8,
    pub reserved: u8,
    pub value: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            let (what, left) = (self.what, self.rest.len());
            return Err(Malformed::invalid(format!(
                "{what}: {length} bytes are declared and {left} are there"
            )));
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| Malformed::invalid(format!("{}: too short", self.what)))
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn item(&mut self) -> Result<Item<'a>, Malformed> {
        let [item_type, reserved] = self.array()?;
        let value = self.counted()?;
        Ok(Item { item_type, reserved, value })
    }

    /// A 16-bit length and that many bytes.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn finish(self) -> Result<(), Malformed> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(Malformed::invalid(format!("{}: {left} bytes too many", self.what))),
        }
    }

    pub(crate) fn uid(&self, bytes: &[u8]) -> Result<Uid, Malformed> {
        Uid::from_bytes(bytes).map_err(|e| Malformed::invalid(format!("{}: {e}", self.what)))
    }
}

/// Appends an item whose value `fill` writes; the length is put in afterwards.
///
/// # Errors
/// A value over 65,535 bytes cannot be said in 16 bits.
pub(super) fn put_item(
    out: &mut Vec<u8>,
    item_type: u8,
    fill: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    out.extend_from_slice(&[item_type, 0, 0, 0]);
    let start = out.len();
    fill(out)?;
    let length = u16::try_from(out.len() - start).map_err(|_| {
        Malformed::invalid(format!("item {item_type:02X}H would be longer than 65,535 bytes"))
    })?;
    if let Some(field) = out.get_mut(start - 2..start) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Appends an item with a value that is already there.
pub(super) fn put(out: &mut Vec<u8>, item_type: u8, value: &[u8]) -> Result<(), Malformed> {
    put_item(out, item_type, |out| {
        out.extend_from_slice(value);
        Ok(())
    })
}

/// Appends a 16-bit length and the bytes. A UID is at most 64 bytes and a checked field fits by construction.
pub(super) fn put_counted(out: &mut Vec<u8>, value: &[u8]) -> Result<(), Malformed> {
    let length = u16::try_from(value.len())
        .map_err(|_| Malformed::invalid("a field would be longer than 65,535 bytes"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(value);
    Ok(())
}
