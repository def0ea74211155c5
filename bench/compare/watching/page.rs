//! What the page asks while nobody touches it, as `src/admin/page/script` has it: often only for what has changed.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Asked for in each look whole, and twice a minute.
const OFTEN: [&str; 2] = ["status", "upstreams"];
const SELDOM: [&str; 8] =
    ["session", "certificates", "limits", "peers", "issuers", "users", "configuration", "blocks"];

/// A page that somebody has open.
pub struct Page<'a> {
    socket: &'a Path,
    /// `as-of` of the associations that it knows.
    since: Option<String>,
    /// `ETag` of the refusals that it knows.
    refusals: Option<String>,
}

impl<'a> Page<'a> {
    pub fn opened(socket: &'a Path) -> Self {
        Self { socket, since: None, refusals: None }
    }

    /// One look, at what is asked for seldom too where that is due.
    pub fn look(&mut self, is_seldom_due: bool) -> io::Result<()> {
        let seldom = SELDOM.iter().filter(|_| is_seldom_due);
        OFTEN.iter().chain(seldom).try_for_each(|what| self.ask(what, None).map(drop))?;
        self.ask_for_associations()?;
        let answer = self.ask("refusals", self.refusals.as_deref())?;
        self.refusals = answer.header("etag").map(str::to_owned);
        Ok(())
    }

    fn ask_for_associations(&mut self) -> io::Result<()> {
        let since = self.since.as_ref().map(|mark| format!("?since={mark}")).unwrap_or_default();
        let answer = self.ask(&format!("associations/changes{since}"), None)?;
        let told: serde_json::Value = serde_json::from_slice(&answer.content)?;
        self.since = told["as-of"].as_str().map(str::to_owned);
        Ok(())
    }

    fn ask(&self, what: &str, known: Option<&str>) -> io::Result<Answer> {
        get(UnixStream::connect(self.socket)?, &format!("/api/v1/{what}"), known)
    }
}

/// What was answered: all is well, or nothing is new.
pub struct Answer {
    head: String,
    pub content: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?.to_owned();
        let is_well = ["HTTP/1.0 200", "HTTP/1.0 304"].iter().any(|well| head.starts_with(well));
        is_well.then(|| Self { head, content: bytes[end + 4..].to_vec() })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.find(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Asks for one path and takes the whole answer; `known` is the `ETag` of one that is there already.
pub fn get(mut stream: impl Read + Write, path: &str, known: Option<&str>) -> io::Result<Answer> {
    let known = known.map(|tag| format!("If-None-Match: {tag}\r\n")).unwrap_or_default();
    // Before 1.1 nothing comes in chunks, and the connection ends with the answer.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\nLooks-On: ?1\r\n{known}\r\n")?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Answer::of(&bytes).ok_or_else(|| io::Error::other(format!("{path}: {}", String::from_utf8_lossy(&bytes))))
}
