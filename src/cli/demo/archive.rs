//! A small archive: C-ECHO and C-STORE, files in a folder. It stands where a site's PACS would.
//!
//! It is made with dicom-ul's own association, so that it takes nothing from the proxy on trust.

mod deposit;
mod service;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use dicom_ul::association::server::{AcceptAny, ServerAssociationOptions};
use dicom_ul::association::{AsyncServerAssociation, Error};
use dicom_ul::pdu::Pdu;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use service::Service;

const ASSOCIATIONS: usize = 16;
const MAX_PDU_LENGTH: u32 = 131_072;
const IDLE: Duration = Duration::from_secs(300);
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// A listening archive. Dropping it closes the port and every association.
#[derive(Debug)]
pub struct Archive {
    address: SocketAddr,
    folder: PathBuf,
    accepting: JoinHandle<()>,
}

impl Archive {
    /// Listens on a free loopback port and keeps what is sent in `folder`, which it makes.
    ///
    /// # Errors
    /// When the folder cannot be made or no port can be bound.
    pub async fn start(folder: PathBuf) -> io::Result<Self> {
        Self::start_with_max_pdu_length(folder, MAX_PDU_LENGTH).await
    }

    /// The same with another maximum length in its A-ASSOCIATE-AC (1018 or more, what dicom-ul can do).
    ///
    /// # Errors
    /// As [`Archive::start`].
    pub async fn start_with_max_pdu_length(folder: PathBuf, max_pdu_length: u32) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, folder.clone(), max_pdu_length));
        Ok(Self { address, folder, accepting })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The files it holds, sorted by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
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

// dicom-ul's error is as large as its PDU; it is made once for each association at most.
#[allow(clippy::result_large_err)]
async fn converse(stream: TcpStream, folder: PathBuf, max_pdu_length: u32) -> Result<(), Error> {
    // Answers are small and each is waited for.
    let _ = stream.set_nodelay(true);
    let options = ServerAssociationOptions::new()
        .ae_access_control(AcceptAny)
        .promiscuous(true)
        .max_pdu_length(max_pdu_length)
        .read_timeout(IDLE)
        .write_timeout(IDLE);
    let mut association = options.establish_async(stream).await?;
    let contexts = association.presentation_contexts().to_vec();
    let mut service =
        Service::new(folder, contexts, dicom_ul::association::Association::peer_ae_title(&association));
    loop {
        match association.receive().await? {
            Pdu::PData { data } => {
                for value in data {
                    match service.receive(value).await {
                        Ok(None) => {}
                        Ok(Some(response)) => association.send(&response).await?,
                        Err(reason) => return abort(association, &reason).await,
                    }
                }
            }
            Pdu::ReleaseRQ => return association.send(&Pdu::ReleaseRP).await,
            Pdu::AbortRQ { .. } => return Ok(()),
            other => return abort(association, &format!("unexpected {}", other.short_description())).await,
        }
    }
}

#[allow(clippy::result_large_err)]
async fn abort(association: AsyncServerAssociation<TcpStream>, reason: &str) -> Result<(), Error> {
    tracing::debug!(reason, "the archive aborts");
    association.abort().await
}

#[cfg(test)]
mod tests;
