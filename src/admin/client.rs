//! What the commands ask a running proxy with: HTTP over its Unix socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long an answer may take. A reload reads files and binds listeners.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer that are read.
const LONGEST: usize = 64 << 20;

/// Why there is no answer to be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("no dimsegate answers at {}: {error}; is it running, and does its configuration have this [admin] listen?", .socket.display())]
    Nobody {
        /// Where it was looked for.
        socket: PathBuf,
        /// What connecting gave.
        error: io::Error,
    },
    /// The socket is for others.
    #[error("the socket {} is not for this user; its owner and its group may connect", .0.display())]
    NotAllowed(PathBuf),
    /// The connection broke, or something else than HTTP was said.
    #[error("the answer of dimsegate at {} broke off: {error}", .socket.display())]
    Broken {
        /// Where it came from.
        socket: PathBuf,
        /// What broke.
        error: String,
    },
    /// It refuses, or cannot do it (RFC 9457).
    #[error("{detail}")]
    Refused {
        /// Of the answer.
        status: u16,
        /// What is wrong, and what to do.
        detail: String,
    },
}

/// The interface at a socket.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

impl Client {
    /// Nobody is asked yet.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), patience: PATIENCE }
    }

    /// The same, for whoever has not so long to wait for an answer.
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks for a resource.
    ///
    /// # Errors
    /// Nobody answers, or with a problem.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.ask(Method::GET, path, None).await
    }

    /// Has something done.
    ///
    /// # Errors
    /// Nobody answers, or with a problem.
    pub async fn post(&self, path: &str, content: &Value) -> Result<Value, ClientError> {
        self.ask(Method::POST, path, Some(content)).await
    }

    /// Has something set.
    ///
    /// # Errors
    /// Nobody answers, or with a problem.
    pub async fn put(&self, path: &str, content: &Value) -> Result<Value, ClientError> {
        self.ask(Method::PUT, path, Some(content)).await
    }

    /// Has something taken away.
    ///
    /// # Errors
    /// Nobody answers, or with a problem.
    pub async fn delete(&self, path: &str) -> Result<Value, ClientError> {
        self.ask(Method::DELETE, path, None).await
    }

    async fn ask(&self, method: Method, path: &str, content: Option<&Value>) -> Result<Value, ClientError> {
        let answered = timeout(self.patience, async {
            let response = self.send(method, path, content).await?;
            self.read(response).await
        });
        answered
            .await
            .unwrap_or_else(|_| Err(self.broken(&format_args!("nothing came within {:?}", self.patience))))
    }

    /// Begins to read what comes without an end.
    ///
    /// # Errors
    /// Nobody answers, or with a problem.
    pub async fn stream(&self, path: &str) -> Result<Stream, ClientError> {
        self.begin(Method::GET, path, None).await
    }

    /// Has something done, and begins to read what comes of it.
    ///
    /// # Errors
    /// Nobody answers, or with a problem.
    pub async fn post_stream(&self, path: &str, content: &Value) -> Result<Stream, ClientError> {
        self.begin(Method::POST, path, Some(content)).await
    }

    async fn begin(
        &self,
        method: Method,
        path: &str,
        content: Option<&Value>,
    ) -> Result<Stream, ClientError> {
        let response = timeout(self.patience, self.send(method, path, content)).await;
        let response = response
            .unwrap_or_else(|_| Err(self.broken(&format_args!("nothing came within {:?}", self.patience))))?;
        if !response.status().is_success() {
            // It is none of that status.
            self.read(response).await?;
            return Err(self.broken(&"an answer without a problem"));
        }
        Ok(Stream { client: self.clone(), body: response.into_body(), read: Vec::new() })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content: Option<&Value>,
    ) -> Result<Response<Incoming>, ClientError> {
        let socket = UnixStream::connect(&self.socket).await.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => ClientError::NotAllowed(self.socket.clone()),
            _ => ClientError::Nobody { socket: self.socket.clone(), error },
        })?;
        let shaken = http1::handshake(TokioIo::new(socket)).await;
        let (mut sender, connection) = shaken.map_err(|error| self.broken(&error))?;
        tokio::spawn(connection);
        let text = content.map(ToString::to_string).unwrap_or_default();
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        if content.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(text))).map_err(|error| self.broken(&error))?;
        sender.send_request(request).await.map_err(|error| self.broken(&error))
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Value, ClientError> {
        let status = response.status();
        let body = http_body_util::Limited::new(response.into_body(), LONGEST);
        let bytes = body.collect().await.map_err(|error| self.broken(&error))?.to_bytes();
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| self.broken(&error))?;
        if status.is_success() {
            return Ok(value);
        }
        let detail = value["detail"].as_str().unwrap_or("it says no more").to_owned();
        Err(ClientError::Refused { status: status.as_u16(), detail })
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> ClientError {
        ClientError::Broken { socket: self.socket.clone(), error: error.to_string() }
    }
}

/// Server-sent events as they come.
#[derive(Debug)]
pub struct Stream {
    client: Client,
    body: Incoming,
    read: Vec<u8>,
}

/// Bytes of one event.
const LONGEST_EVENT: usize = 1 << 20;

impl Stream {
    /// The next event, its name and its data. `None` where the proxy ended it.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<(String, String)>, ClientError> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.read.drain(..end + 2).collect();
                match parsed(&String::from_utf8_lossy(&event)) {
                    Some(event) => return Ok(Some(event)),
                    None => continue,
                }
            }
            if self.read.len() > LONGEST_EVENT {
                return Err(self.client.broken(&"an event has no end"));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.client.broken(&error)),
                Some(Ok(frame)) => self.read.extend(frame.into_data().unwrap_or_default()),
            }
        }
    }
}

/// `None` for a comment.
fn parsed(event: &str) -> Option<(String, String)> {
    let field = |name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
    };
    Some((field("event")?, field("data").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn an_event_has_a_name_and_data_and_a_comment_neither() {
        let event = parsed("event: record\ndata: {\"a\": 1}\n\n");
        assert_eq!(event, Some(("record".into(), "{\"a\": 1}".into())));
        assert_eq!(parsed(": alive\n\n"), None);
    }
}
