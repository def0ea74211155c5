//! Commands that ask a running proxy, over the socket of its administration interface.

mod answer;
pub(super) mod blocks;
pub(super) mod orders;
mod reader;
pub(super) mod status;
pub(super) mod tail;
pub(super) mod top;
pub(super) mod trace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::exit;
use super::tenant::OfTenant;
use crate::admin::client::{Client, ClientError};
use crate::config::{self, AdminListen};

/// Which proxy is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The configuration, for the socket that its [admin] listens on
    #[arg(short, long, value_name = "FILE", required_unless_present = "socket", conflicts_with = "socket")]
    config: Option<PathBuf>,
    #[command(flatten)]
    of: OfTenant,
    /// The socket itself
    #[arg(long, value_name = "PATH", conflicts_with = "tenant")]
    socket: Option<PathBuf>,
}

/// Why nobody can be asked.
enum NotAsked {
    /// The configuration does not say where, and why.
    NoSocket(String),
    /// Nobody answers.
    Client(ClientError),
}

impl From<ClientError> for NotAsked {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl std::fmt::Display for NotAsked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSocket(why) => f.write_str(why),
            Self::Client(error) => error.fmt(f),
        }
    }
}

impl NotAsked {
    fn status(&self) -> u8 {
        match self {
            Self::NoSocket(_) => exit::BAD_CONFIGURATION,
            Self::Client(_) => exit::UNAVAILABLE,
        }
    }
}

impl Which {
    fn client(&self) -> Result<Client, NotAsked> {
        match (&self.socket, &self.config) {
            (Some(socket), _) => Ok(Client::new(socket)),
            (None, Some(file)) => of_configuration(file, self.of.name()),
            (None, None) => Err(NotAsked::NoSocket("give --config or --socket".into())),
        }
    }
}

fn of_configuration(file: &Path, tenant: Option<&str>) -> Result<Client, NotAsked> {
    let name = file.display();
    let listens =
        config::admin_listen(file, tenant).map_err(|problems| NotAsked::NoSocket(problems.to_string()))?;
    let socket = listens.iter().find_map(|listen| match listen {
        AdminListen::Unix(path) => Some(Client::new(path)),
        AdminListen::Tcp(_) => None,
    });
    match (socket, listens.first()) {
        (Some(client), _) => Ok(client),
        (None, Some(AdminListen::Tcp(address))) => Err(NotAsked::NoSocket(format!(
            "{name}: its [admin] listens on {address}, and commands ask over a Unix socket; write listen = \"unix:…\", or ask \
             http(s)://{address}/api/v1/status with another program"
        ))),
        _ => Err(NotAsked::NoSocket(format!(
            "{name}: it has no [admin], so that a proxy with it answers nobody; add one with listen = \"unix:…\""
        ))),
    }
}

/// Asks, and tells on standard error why there is no answer.
fn asking<T>(which: &Which, ask: impl AsyncFnOnce(Client) -> Result<T, NotAsked>) -> Result<T, ExitCode> {
    answered(which, ask).map_err(|error| {
        eprintln!("dimsegate: {error}");
        ExitCode::from(error.status())
    })
}

fn answered<T>(which: &Which, ask: impl AsyncFnOnce(Client) -> Result<T, NotAsked>) -> Result<T, NotAsked> {
    let client = which.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| NotAsked::NoSocket(error.to_string()))?;
    runtime.block_on(ask(client))
}
