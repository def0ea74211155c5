//! A small archive: C-ECHO and C-STORE, files in a folder. It stands where a site's PACS would.

mod deposit;
mod service;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::upper::{self, Acceptor, Answer, Deadlines, Error, Terms};
use service::Service;

const ASSOCIATIONS: usize = 16;
const MAX_PDU_LENGTH: u32 = 131_072;
const IDLE: Duration = Duration::from_secs(300);
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// A listening archive. Dropping it closes the port and every association.
#[derive(Debug)]
pub(super) struct Archive {
    address: SocketAddr,
    folder: PathBuf,
    accepting: JoinHandle<()>,
}

impl Archive {
    /// Listens on a free loopback port and keeps what is sent in `folder`, which it makes.
    ///
    /// # Errors
    /// When the folder cannot be made or no port can be bound.
    pub(super) async fn start(folder: PathBuf) -> io::Result<Self> {
        Self::start_with_max_pdu_length(folder, MAX_PDU_LENGTH).await
    }

    /// The same with another maximum length in its A-ASSOCIATE-AC.
    ///
    /// # Errors
    /// As [`Archive::start`].
    pub(super) async fn start_with_max_pdu_length(folder: PathBuf, max_pdu_length: u32) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, folder.clone(), max_pdu_length));
        Ok(Self { address, folder, accepting })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The files it holds, sorted by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) fn files(&self) -> io::Result<Vec<PathBuf>> {
        stored(&self.folder)
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn stored(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "dcm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Accepts while there is room. The set goes with this task, and its associations with the set.
async fn accept(listener: TcpListener, folder: PathBuf, max_pdu_length: u32) {
    let mut associations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if associations.len() < ASSOCIATIONS => match accepted {
                Ok((stream, _)) => {
                    associations.spawn(associate(stream, folder.clone(), max_pdu_length));
                }
                Err(error) => {
                    tracing::debug!(%error, "the archive could not accept");
                    tokio::time::sleep(AFTER_A_FAILED_ACCEPT).await;
                }
            },
            Some(_) = associations.join_next() => {}
        }
    }
}

async fn associate(stream: TcpStream, folder: PathBuf, max_pdu_length: u32) {
    if let Err(error) = converse(stream, folder, max_pdu_length).await {
        tracing::debug!(%error, "an association of the archive ended early");
    }
}

async fn converse(stream: TcpStream, folder: PathBuf, max_pdu_length: u32) -> Result<(), Error> {
    // A socket that cannot do it is slower, not wrong.
    let _ = upper::prepare(&stream);
    let terms = Terms { max_pdu_length, ..Terms::default() };
    let terms = Terms { deadlines: Deadlines { answer: IDLE, ..terms.deadlines }, ..terms };
    let mut calling = String::new();
    let accepted = Acceptor::accept(stream, &terms, |request| {
        calling = request.calling.to_string();
        Answer::accept_all(request)
    });
    match accepted.await? {
        Some(association) => Service::new(folder, calling).serve(association).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
