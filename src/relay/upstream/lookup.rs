//! The addresses that stand behind what an upstream's settings call them.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Of one name. More would be no upstream, but a service of the whole world.
const MOST: usize = 16;
/// How many are asked for at once, of all upstreams. A name server that is gone keeps a thread for as long as the system likes.
static ROOM: Semaphore = Semaphore::const_new(8);

/// How names are looked up: `host:port`. It blocks.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// As the system looks names up.
pub(crate) fn of_system() -> Lookup {
    Arc::new(|name| name.to_socket_addrs().map(Iterator::collect))
}

/// The address that is written down, where it is no name.
pub(super) fn written(address: &str) -> Option<SocketAddr> {
    address.parse().ok()
}

/// Asks what a name stands for, off the runtime's threads, each address once; for as long as the system takes.
///
/// # Errors
/// Why it is not known, for people.
pub(super) async fn look_up(lookup: &Lookup, name: &str) -> Result<Vec<SocketAddr>, String> {
    let (lookup, of) = (lookup.clone(), name.to_owned());
    let room = ROOM.acquire().await.map_err(|error| error.to_string())?;
    let asked = tokio::task::spawn_blocking(move || {
        let _room = room;
        lookup(&of)
    });
    let found = asked.await.map_err(io::Error::other).and_then(|found| found);
    let mut addresses = Vec::new();
    for address in found.map_err(|error| error.to_string())? {
        if !addresses.contains(&address) && addresses.len() < MOST {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err("the name has no address".to_owned()) } else { Ok(addresses) }
}

/// What was found now in place of what was known: what stays keeps its order, so that a name server that turns its answers
/// turns no upstream. `None` where nothing has changed.
pub(super) fn follow(known: &[SocketAddr], found: &[SocketAddr]) -> Option<Vec<SocketAddr>> {
    if known.len() == found.len() && known.iter().all(|address| found.contains(address)) {
        return None;
    }
    let stays = known.iter().copied().filter(|address| found.contains(address));
    let new = found.iter().copied().filter(|address| !known.contains(address));
    Some(stays.chain(new).collect())
}

#[cfg(test)]
mod tests {
    use super::{Lookup, follow, look_up};
    use std::net::SocketAddr;
    use std::sync::Arc;

    fn addresses(last: &[u8]) -> Vec<SocketAddr> {
        last.iter().map(|last| ([10, 0, 0, *last], 104).into()).collect()
    }

    #[test]
    fn what_stays_keeps_its_order() {
        assert_eq!(follow(&addresses(&[1, 2]), &addresses(&[2, 1])), None);
        assert_eq!(follow(&addresses(&[1, 2]), &addresses(&[3, 2, 1])), Some(addresses(&[1, 2, 3])));
        assert_eq!(follow(&addresses(&[1, 2]), &addresses(&[4, 2])), Some(addresses(&[2, 4])));
    }

    #[tokio::test]
    async fn a_name_has_some_addresses_each_once_or_it_is_said_why_not() {
        let found: Lookup = Arc::new(|_| Ok((0..100).flat_map(|last| addresses(&[last, last])).collect()));
        let all: Vec<u8> = (0..16).collect();
        assert_eq!(look_up(&found, "pacs:104").await, Ok(addresses(&all)));
        let nothing: Lookup = Arc::new(|_| Ok(Vec::new()));
        assert_eq!(look_up(&nothing, "pacs:104").await, Err("the name has no address".to_owned()));
        let broken: Lookup = Arc::new(|name| Err(std::io::Error::other(format!("no {name}"))));
        assert_eq!(look_up(&broken, "pacs:104").await, Err("no pacs:104".to_owned()));
    }
}
