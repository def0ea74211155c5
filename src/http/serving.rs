//! Accepting, places for connections, and the end.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id, JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connection::{Stream, serve, stopped};
use super::listen::Socket;
use super::shared::Shared;
use super::{Bound, Bounds, Listen, Source, TlsInForce};
use crate::policy::limits::of_one_site;

/// The wait after an accept that failed, as when the process has no file descriptors left.
const BACKOFF: Duration = Duration::from_millis(200);

/// How long answers that are under way may take once it stops. A stream of events would go on for ever.
const GRACE: Duration = Duration::from_secs(1);

/// A socket at which requests are answered, until it is stopped or this is dropped.
pub struct Serving {
    listen: Listen,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Where, with the port that the system chose.
    pub fn address(&self) -> &Listen {
        &self.listen
    }

    /// Lets go of the socket, then waits for the answers that are under way, within a second.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // Its connections are gone whichever way it ended.
        let _ = self.task.await;
    }
}

impl Bound {
    /// Where, with the port that the system chose.
    pub fn address(&self) -> &Listen {
        &self.listen
    }

    /// Behind TLS: each connection begins with a handshake.
    pub fn behind(self, tls: TlsInForce) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Answers what is asked, each request with a [`Caller`](super::Caller) as its extension.
    pub fn serve(self, router: Router) -> Serving {
        let (stop, stopped) = watch::channel(false);
        let listen = self.listen.clone();
        let task = tokio::spawn(Accepting::new(self, router, stopped).run());
        Serving { listen, stop, task }
    }
}

struct Accepting {
    bound: Bound,
    router: Router,
    stop: watch::Receiver<bool>,
    began: Instant,
    connections: JoinSet<()>,
    places: HashMap<Id, Place>,
}

/// Of one connection.
struct Place {
    whose: Whose,
    shared: Arc<Shared>,
    task: AbortHandle,
}

/// Whose share of the places it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Account(u32),
    /// An address, or the /64 around it: whoever has one of them has them all.
    Site(IpAddr),
}

impl Whose {
    fn of(source: &Source) -> Self {
        match source {
            Source::Unix { uid, .. } => Self::Account(*uid),
            Source::Address(from) => Self::Site(of_one_site(from.ip())),
        }
    }
}

impl Accepting {
    fn new(bound: Bound, router: Router, stop: watch::Receiver<bool>) -> Self {
        let (connections, places) = (JoinSet::new(), HashMap::new());
        Self { bound, router, stop, began: Instant::now(), connections, places }
    }

    async fn run(mut self) {
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(ended) = self.connections.join_next_with_id() => self.ended(ended),
                accepted = self.bound.socket.accept() => match accepted {
                    Ok((stream, source, own)) => self.take(stream, source, own),
                    Err(error) => {
                        tracing::error!(at = %self.bound.listen, %error, "accepting an HTTP connection failed");
                        tokio::time::sleep(BACKOFF).await;
                    }
                },
            }
        }
        drop(self.bound.socket);
        let connections = &mut self.connections;
        let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.places.remove(&id);
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(%error, "an HTTP connection ended by a defect of dimsegate; please report it");
        }
    }

    fn take(&mut self, stream: Box<dyn Stream>, source: Source, own: Option<SocketAddr>) {
        let whose = Whose::of(&source);
        if !self.has_room(whose) {
            tracing::debug!(at = %self.bound.listen, ?source, "no place for one more HTTP connection");
            return;
        }
        let shared = Arc::new(Shared::new(self.bound.bounds, self.began));
        let (tls, router) = (self.bound.tls.as_ref().map(|in_force| in_force()), self.router.clone());
        let served = serve(stream, (source, own), tls, router, shared.clone(), self.stop.clone());
        let task = self.connections.spawn(served);
        self.places.insert(task.id(), Place { whose, shared, task });
    }

    /// Whether there is a place for one more, perhaps of another connection: where somebody has his share, one of his.
    fn has_room(&mut self, whose: Whose) -> bool {
        let Bounds { connections, share, .. } = self.bound.bounds;
        let is_his = |place: &Place| place.whose == whose;
        if self.places.values().filter(|place| is_his(place)).count() >= share {
            return self.make_room(is_his);
        }
        self.places.len() < connections || self.make_room(|_| true)
    }

    /// Closes the connection of some that has been idle longest.
    fn make_room(&mut self, of: impl Fn(&Place) -> bool) -> bool {
        let some = self.places.iter().filter(|(_, place)| of(place));
        let idle = some.filter_map(|(id, place)| Some((place.shared.idle_since()?, *id)));
        let oldest = idle.min_by_key(|(since, _)| *since).and_then(|(_, id)| self.places.remove(&id));
        oldest.inspect(|place| place.task.abort()).is_some()
    }
}

impl Socket {
    async fn accept(&self) -> io::Result<(Box<dyn Stream>, Source, Option<SocketAddr>)> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                // An answer is not to wait for the one that comes after it.
                stream.set_nodelay(true)?;
                let own = stream.local_addr()?;
                (Box::new(stream), Source::Address(from), Some(own))
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                let who = stream.peer_cred()?;
                let source = Source::Unix { uid: who.uid(), gid: who.gid(), pid: who.pid() };
                (Box::new(stream), source, None)
            }
        })
    }
}
