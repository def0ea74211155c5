//! What a data set says that it is: SOP Class and SOP Instance UID, to be compared with its command before it goes on.
//!
//! They stand at the very front, so nearly every data set has said both in its first fragment. It is read on through the rest
//! of its header, to pixel data or a value that is as long as such, since a reader may take the second of two that say what
//! it is; 64 KiB are read at most. One that says the same twice says one thing. Here only the structure counts. What the
//! standard says of order and groups is of no concern, as other readers have it.

mod guess;
mod walk;

use super::encoding::{Encoding, Syntax};
use super::inflating::Inflating;
use super::unnamed::Unnamed;
use guess::Guess;
use walk::Walk;

/// Reads the names of a data set in any chunking. After an error it must not be used again.
pub struct Names {
    inflating: Option<Box<Inflating>>,
    walk: Walk,
}

impl Names {
    /// At the start of a data set.
    pub fn new(encoding: Encoding) -> Self {
        Self::of(encoding, Guess::None)
    }

    /// At the start of a data set in a transfer syntax that is not known. All that PS3.5 has but the two oldest are in explicit
    /// VR little endian, so it is read in that: it says what it is only where each header as far as that, and with it the
    /// first bytes, can be read in no other encoding. See [`is_read`](Self::is_read).
    pub fn guessing() -> Self {
        Self::of(Encoding { syntax: Syntax::EXPLICIT_LE, deflated: false }, Guess::Fits(0))
    }

    fn of(encoding: Encoding, guess: Guess) -> Self {
        let walk = Walk::new(encoding.syntax, guess);
        Self { inflating: encoding.deflated.then(Inflating::new), walk }
    }

    /// Looks at the next bytes. `true`: both have been read, neither came again with another value, and nothing more has to
    /// be looked at.
    ///
    /// # Errors
    /// [`Unnamed`]: other readers may find what is not found here.
    pub fn look(&mut self, input: &[u8]) -> Result<bool, Unnamed> {
        let Self { inflating, walk } = self;
        if walk.guess == Guess::Fails {
            return Ok(true);
        }
        let looked = match inflating {
            None => walk.walk(input),
            Some(inflating) => inflating.inflate(input, |plain| walk.walk(plain)),
        };
        match looked {
            // What cannot be read behind both is as far as others read, too; but not what is only too deep.
            Err(error) if walk.has_both() && !matches!(error, Unnamed::Twice | Unnamed::TooDeep) => Ok(true),
            Err(_) if walk.guess != Guess::None && !walk.has_both() => {
                walk.guess = Guess::Fails;
                Ok(true)
            }
            looked => looked,
        }
    }

    /// Says that the data set ended, before nothing more had to be looked at: it does not have what was not found.
    ///
    /// # Errors
    /// [`Unnamed`]: it ended inside an element.
    pub fn finish(&mut self) -> Result<(), Unnamed> {
        match self.ended() {
            Err(_) if self.walk.guess != Guess::None => {
                self.walk.guess = Guess::Fails;
                Ok(())
            }
            ended => ended,
        }
    }

    fn ended(&self) -> Result<(), Unnamed> {
        if self.walk.has_both() {
            return Ok(());
        }
        if self.inflating.as_ref().is_some_and(|inflating| !inflating.has_ended()) {
            return Err(Unnamed::Deflated);
        }
        if self.walk.is_between_elements() { Ok(()) } else { Err(Unnamed::Structure) }
    }

    /// (0008,0016), without padding; `None` where it is absent or empty.
    pub fn sop_class(&self) -> Option<&[u8]> {
        self.walk.sop_class().filter(|_| self.walk.guess != Guess::Fails)
    }

    /// (0008,0018), without padding; `None` where it is absent or empty.
    pub fn sop_instance(&self) -> Option<&[u8]> {
        self.walk.sop_instance().filter(|_| self.walk.guess != Guess::Fails)
    }

    /// Whether it could be read. Always so where the transfer syntax is known; otherwise where it said one of the two in the
    /// encoding that was guessed.
    pub fn is_read(&self) -> bool {
        match self.walk.guess {
            Guess::None => true,
            Guess::Fits(_) => self.sop_class().is_some() || self.sop_instance().is_some(),
            Guess::Fails => false,
        }
    }

    /// Whether one of them came twice, with the same value.
    pub fn is_repeated(&self) -> bool {
        self.walk.is_repeated
    }

    /// Whether an element with `??` or blanks for a VR was read as PS3.6 has it.
    pub fn is_respelled(&self) -> bool {
        self.walk.is_respelled
    }
}

#[cfg(test)]
mod tests;
