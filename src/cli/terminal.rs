//! Questions at a terminal: asked on standard error, answered on standard input.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of an answer; nobody types more.
const LONGEST: u64 = 4096;

/// Whether somebody is there to be asked.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A line, without the blanks around it.
///
/// # Errors
/// The terminal is gone, or said that there is no more.
pub(super) fn ask(question: &str) -> io::Result<String> {
    let mut error = io::stderr().lock();
    write!(error, "{question}")?;
    error.flush()?;
    Ok(line()?.trim().to_owned())
}

/// One line of standard input, without its end.
///
/// # Errors
/// There is none, it is too long, or no text.
pub(super) fn line() -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    if io::stdin().lock().take(LONGEST).read_line(&mut text)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if text.len() as u64 >= LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
    }
    for end in ['\n', '\r'] {
        if text.ends_with(end) {
            text.pop();
        }
    }
    Ok(text)
}

/// A line that is not shown while it is typed.
///
/// # Errors
/// As [`ask`]; [`io::ErrorKind::Interrupted`] after Ctrl-C.
pub(super) fn ask_hidden(question: &str) -> io::Result<Zeroizing<String>> {
    let hidden = Hidden::begin()?;
    let mut error = io::stderr().lock();
    write!(error, "{question}")?;
    error.flush()?;
    let typed = typed();
    drop(hidden);
    writeln!(error)?;
    typed
}

/// Keys one by one, so that Ctrl-C is seen before anything else happens and the terminal is put back.
fn typed() -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    for byte in io::stdin().lock().bytes() {
        match byte? {
            b'\n' | b'\r' => {
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what was typed is not UTF-8"))?;
                return Ok(Zeroizing::new(text.to_owned()));
            }
            3 => return Err(io::ErrorKind::Interrupted.into()),
            4 if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            8 | 127 => while bytes.pop().is_some_and(|last| last & 0xc0 == 0x80) {},
            // Ctrl-U.
            21 => bytes.zeroize(),
            byte if bytes.len() < LONGEST as usize => bytes.push(byte),
            _ => {}
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// A terminal without echo, until it is let go.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &now)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing can be done where it is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
