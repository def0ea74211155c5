//! The byte copy: the least that a TLS proxy on tokio-rustls can do, with large buffers.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::connection;
use crate::setups::Out;

const BUFFER: usize = 256 << 10;

struct Copy {
    server: Arc<ServerConfig>,
    client: Option<Arc<ClientConfig>>,
    to: SocketAddr,
}

pub fn run(listen: SocketAddr, to: SocketAddr, certificates: &Path, out: Out) -> io::Result<()> {
    let path = |name: &str| certificates.join(name);
    let server = connection::server_config(&path("server.pem"), &path("server.key"), Some(&path("ca.pem")))?;
    let client = match out {
        Out::Plain => None,
        Out::Tls => {
            let pair = (path("client.pem"), path("client.key"));
            Some(connection::client_config(&path("pacs-ca.pem"), Some(pair))?)
        }
    };
    let copy = Arc::new(Copy { server, client, to });
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            let copy = copy.clone();
            // How a connection ends is of interest to its peers only; they count.
            tokio::spawn(async move { copy.serve(socket).await.ok() });
        }
    })
}

impl Copy {
    async fn serve(&self, socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let near = TlsAcceptor::from(self.server.clone()).accept(socket).await?;
        let far = TcpStream::connect(self.to).await?;
        far.set_nodelay(true)?;
        match &self.client {
            None => both_ways(near, far).await,
            Some(client) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                both_ways(near, TlsConnector::from(client.clone()).connect(name, far).await?).await
            }
        }
    }
}

async fn both_ways(
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    mut far: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<()> {
    copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER, BUFFER).await.map(|_| ())
}
