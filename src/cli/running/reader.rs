//! Whoever reads what a command shows while it goes on.

use std::future::pending;
use std::io;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;

/// Returns once nobody reads standard output any more: the other end of a pipe is closed (`EPOLLERR`, epoll_ctl(2)). Never where
/// the system does not tell, as of a file.
pub(super) async fn gone() {
    let told = match watched() {
        Ok(output) => output.ready(Interest::ERROR).await.map(drop),
        Err(error) => Err(error),
    };
    if told.is_err() {
        pending().await
    }
}

/// Unchecked: it need not be a pipe, and stays as it is, since whoever shares it may not expect writes that do not wait.
fn watched() -> io::Result<Sender> {
    Sender::from_owned_fd_unchecked(io::stdout().as_fd().try_clone_to_owned()?)
}
