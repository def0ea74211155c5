//! A wire with an ear on it: passes every byte, and keeps those that go to whoever connects.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Tap {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// Listens before what listens at `to`.
    pub fn before(to: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let ear = heard.clone();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(to) else { return };
                let (back, ear) = ((far.try_clone(), near.try_clone()), ear.clone());
                thread::spawn(move || pass(near, far, |_| ()));
                if let (Ok(far), Ok(near)) = back {
                    thread::spawn(move || pass(far, near, |bytes| ear.lock().expect("an ear").extend(bytes)));
                }
            }
        });
        Self { address, heard }
    }

    /// Whether these bytes ever went to whoever connected.
    pub fn heard(&self, what: &str) -> bool {
        let heard = self.heard.lock().expect("an ear");
        heard.windows(what.len()).any(|window| window == what.as_bytes())
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut hear: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        hear(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
