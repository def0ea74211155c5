//! The stream against rustls's buffered connections, which share none of its code.

use super::site::{Site, client_config, server_config};
use crate::buffer::{Inbox, NoneMayWait};
use crate::tls::*;
use proptest::prelude::*;
use rustls::{ClientConfig, ServerConfig};
use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// Both ends of a connection over loopback.
async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialled = TcpStream::connect(listener.local_addr().unwrap());
    let (dialled, accepted) = tokio::join!(dialled, listener.accept());
    (dialled.unwrap(), accepted.unwrap().0)
}

struct Configurations {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

fn configurations(old: bool) -> Configurations {
    let site = Site::new();
    let client =
        if old { site.old_client(Some("lyon")) } else { client_config(&site.client(Some("lyon"))).unwrap() };
    Configurations { server: server_config(&site.server()).unwrap(), client }
}

fn sending_tickets_in_small_records() -> Configurations {
    let Configurations { server, client } = configurations(false);
    let mut server = ServerConfig::clone(&server);
    (server.max_fragment_size, server.send_tls13_tickets) = (Some(64), 2);
    server.session_storage = rustls::server::ServerSessionMemoryCache::new(8);
    Configurations { server: Arc::new(server), client }
}

/// A listener's stream, and a client that is not ours.
async fn listening(with: &Configurations) -> (ServerStream, client::TlsStream<TcpStream>) {
    let (dialled, accepted) = sockets().await;
    let name = "proxy.example".try_into().unwrap();
    let connecting = TlsConnector::from(with.client.clone()).connect(name, dialled);
    let (ours, theirs) = tokio::join!(ServerStream::accept(with.server.clone(), accepted), connecting);
    (ours.unwrap(), theirs.unwrap())
}

/// An upstream's stream, and a server that is not ours.
async fn dialling(with: &Configurations) -> (ClientStream, server::TlsStream<TcpStream>) {
    let (dialled, accepted) = sockets().await;
    let name = "proxy.example".try_into().unwrap();
    let connecting = ClientStream::connect(with.client.clone(), name, dialled);
    let accepting = TlsAcceptor::from(with.server.clone()).accept(accepted);
    let (ours, theirs) = tokio::join!(connecting, accepting);
    (ours.unwrap(), theirs.unwrap())
}

fn bytes(count: usize) -> Vec<u8> {
    (0_u32..).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).take(count).collect()
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Sends in pieces of one length and reads in pieces of another, both ways at once.
async fn exchange(
    ours: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    theirs: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    (sent, written, read): (usize, usize, usize),
) {
    let all = bytes(sent);
    let both = [ours_boxed(ours), ours_boxed(theirs)].map(tokio::io::split);
    let [(mut from_ours, mut to_ours), (mut from_theirs, mut to_theirs)] = both;
    let write = async |to: &mut tokio::io::WriteHalf<_>| {
        for piece in all.chunks(written) {
            to.write_all(piece).await.unwrap();
        }
        to.flush().await.unwrap();
    };
    let expect = async |from: &mut tokio::io::ReadHalf<_>| {
        let (mut got, mut piece) = (Vec::new(), vec![0; read]);
        while got.len() < all.len() {
            let count = from.read(&mut piece).await.unwrap();
            assert!(count > 0, "ended after {} of {sent}", got.len());
            got.extend_from_slice(&piece[..count]);
        }
        assert!(got == all, "{sent} bytes arrive as they were sent");
    };
    tokio::join!(
        write(&mut to_ours),
        write(&mut to_theirs),
        expect(&mut from_ours),
        expect(&mut from_theirs)
    );
}

trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Duplex for T {}

fn ours_boxed<'a>(stream: impl Duplex + 'a) -> Box<dyn Duplex + 'a> {
    Box::new(stream)
}

#[test]
fn what_one_end_sends_arrives_at_the_other_in_both_versions() {
    for old in [false, true] {
        let with = configurations(old);
        run(async {
            let (ours, theirs) = listening(&with).await;
            let session = Session::of_server(ours.state(), ours.server_name(), None);
            assert_eq!(
                (session.version, session.sni.as_deref()),
                (if old { "1.2" } else { "1.3" }, Some("proxy.example"))
            );
            assert_eq!(session.certificate.unwrap().subject, "CN=lyon");
            exchange(ours, theirs, (3_000_000, 131_084, 262_144)).await;
            let (ours, theirs) = dialling(&with).await;
            exchange(ours, theirs, (3_000_000, 131_084, 262_144)).await;
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_lengths_of_writes_and_reads_give_the_same_bytes(
        sent in 1..600_000_usize, written in 1..70_000_usize, read in 1..70_000_usize,
    ) {
        // Tiny pieces of many bytes would only take long.
        let (written, read) = (written.max(sent / 500), read.max(sent / 5000));
        static WITH: std::sync::LazyLock<Configurations> = std::sync::LazyLock::new(|| configurations(false));
        run(async {
            let (ours, theirs) = listening(&WITH).await;
            exchange(ours, theirs, (sent, written, read)).await;
        });
    }
}

#[test]
fn slices_of_a_vectored_write_arrive_in_order() {
    let with = configurations(false);
    run(async {
        let (mut ours, mut theirs) = listening(&with).await;
        let all = bytes(100_000);
        let cuts = [0, 12, 12, 40_000, 40_012, 56_396, 99_999, 100_000];
        let slices: Vec<_> = cuts.windows(2).map(|cut| IoSlice::new(&all[cut[0]..cut[1]])).collect();
        assert_eq!(ours.write_vectored(&slices).await.unwrap(), all.len());
        ours.flush().await.unwrap();
        let mut got = vec![0; all.len()];
        theirs.read_exact(&mut got).await.unwrap();
        assert!(got == all);
    });
}

#[test]
fn new_keys_in_the_middle_of_a_stream_are_taken_and_answered() {
    let with = configurations(false);
    run(async {
        let (mut ours, mut theirs) = listening(&with).await;
        for round in 0..3_u8 {
            theirs.write_all(&[round; 70_000]).await.unwrap();
            theirs.get_mut().1.refresh_traffic_keys().unwrap();
            theirs.write_all(&[round + 100; 70_000]).await.unwrap();
            theirs.flush().await.unwrap();
            let mut got = vec![0; 140_000];
            ours.read_exact(&mut got).await.unwrap();
            assert!(got[..70_000].iter().all(|&byte| byte == round));
            assert!(got[70_000..].iter().all(|&byte| byte == round + 100));
            ours.write_all(&[round; 50_000]).await.unwrap();
            ours.flush().await.unwrap();
            let mut back = vec![0; 50_000];
            theirs.read_exact(&mut back).await.unwrap();
            assert_eq!(back, [round; 50_000]);
        }
    });
}

/// The last flight of a client and its first data, in records of at most 64 bytes, as one piece.
#[test]
fn a_handshake_in_small_records_may_come_with_data_in_one_read() {
    let site = Site::new();
    let mut client = ClientConfig::clone(&client_config(&site.client(Some("lyon"))).unwrap());
    client.max_fragment_size = Some(64);
    let server = server_config(&site.server()).unwrap();
    run(async {
        let (mut dialled, accepted) = sockets().await;
        let name = "proxy.example".try_into().unwrap();
        let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
        let speaking = async {
            while client.is_handshaking() {
                let mut flight = Vec::new();
                while client.wants_write() {
                    client.write_tls(&mut flight).unwrap();
                }
                dialled.write_all(&flight).await.unwrap();
                let mut answer = [0; 20_000];
                let count = dialled.read(&mut answer).await.unwrap();
                client.read_tls(&mut &answer[..count]).unwrap();
                client.process_new_packets().unwrap();
            }
            std::io::Write::write_all(&mut client.writer(), b"an A-ASSOCIATE-RQ at once").unwrap();
            let mut flight = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut flight).unwrap();
            }
            dialled.write_all(&flight).await.unwrap();
            dialled
        };
        let (ours, _dialled) = tokio::join!(ServerStream::accept(server, accepted), speaking);
        let mut got = [0; 25];
        ours.unwrap().read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"an A-ASSOCIATE-RQ at once");
    });
}

#[test]
fn tickets_in_small_records_may_come_with_data_in_one_read() {
    let with = sending_tickets_in_small_records();
    run(async {
        let (mut ours, mut theirs) = dialling(&with).await;
        theirs.write_all(&bytes(5_000)).await.unwrap();
        theirs.flush().await.unwrap();
        let mut got = vec![0; 5_000];
        ours.read_exact(&mut got).await.unwrap();
        assert!(got == bytes(5_000));
    });
}

/// Reads all there is into an inbox of its own, in steps, until it has so many bytes.
async fn fill(ours: &mut Stream<impl Side>, inbox: &mut Inbox, many: usize) -> Vec<u8> {
    let mut got = Vec::new();
    while got.len() < many {
        let count = poll_fn(|cx| ours.poll_fill(cx, inbox)).await.unwrap();
        assert!(count > 0, "ended after {} of {many}", got.len());
        loop {
            got.extend_from_slice(inbox.unread());
            inbox.consume(usize::MAX);
            if !inbox.next_piece() {
                break;
            }
        }
    }
    got
}

/// What was read without waiting leaves a buffer behind, which an association that waits for hours must not keep.
#[test]
fn a_stream_whose_reader_has_an_inbox_of_its_own_holds_no_buffer() {
    let with = configurations(false);
    run(async {
        let (mut ours, mut theirs) = listening(&with).await;
        theirs.write_all(b"an A-ASSOCIATE-AC").await.unwrap();
        theirs.flush().await.unwrap();
        let (mut got, mut inbox) = ([0; 17], Inbox::default());
        ours.read_exact(&mut got).await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(ours.poll_fill(cx, &mut inbox))).await.is_pending());
        assert_eq!((ours.held(), inbox.all().len()), (0, 0));
        assert!(poll_fn(|cx| Poll::Ready(ours.poll_readable(cx))).await.is_pending());
    });
}

/// A reader with an inbox of its own, as a relay has, while its other half writes.
#[test]
fn a_reader_with_an_inbox_of_its_own_gets_what_was_sent_while_the_stream_writes() {
    for old in [false, true] {
        let with = configurations(old);
        run(async {
            let (mut ours, mut theirs) = listening(&with).await;
            let (all, mut inbox, mut read) = (bytes(2_000_000), Inbox::default(), 0);
            let sent = all.clone();
            let peer = tokio::spawn(async move {
                let mut back = vec![0; 9_000];
                for piece in sent.chunks(200_000) {
                    theirs.write_all(piece).await.unwrap();
                    if !old {
                        theirs.get_mut().1.refresh_traffic_keys().unwrap();
                    }
                    theirs.flush().await.unwrap();
                    theirs.read_exact(&mut back).await.unwrap();
                    assert!(back == bytes(9_000));
                }
                theirs
            });
            for piece in all.chunks(200_000) {
                let got = fill(&mut ours, &mut inbox, piece.len()).await;
                assert!(got == piece, "after {read} bytes");
                read += got.len();
                ours.write_all(&bytes(9_000)).await.unwrap();
                ours.flush().await.unwrap();
            }
            drop(peer.await.unwrap());
        });
    }
}

/// Tickets in records of 64 bytes that come one by one: the client writes while it has some of a ticket.
#[test]
fn a_stream_writes_while_a_handshake_message_is_not_whole() {
    let with = sending_tickets_in_small_records();
    run(async {
        let (dialled, accepted) = sockets().await;
        let (mut slow, mut server_side) = tokio::io::duplex(1 << 20);
        let mut accepted = accepted;
        // Every byte of the server takes its time.
        let wire = tokio::spawn(async move {
            let (mut from_client, mut to_client) = accepted.split();
            let (mut from_server, mut to_server) = tokio::io::split(&mut slow);
            let trickle = async {
                let mut piece = [0; 50];
                while let Ok(count @ 1..) = from_server.read(&mut piece).await {
                    to_client.write_all(&piece[..count]).await.unwrap();
                    to_client.flush().await.unwrap();
                    tokio::time::sleep(std::time::Duration::from_micros(300)).await;
                }
            };
            tokio::join!(trickle, async { tokio::io::copy(&mut from_client, &mut to_server).await.ok() });
        });
        let name = "proxy.example".try_into().unwrap();
        let accepting = TlsAcceptor::from(with.server.clone()).accept(&mut server_side);
        let connecting = ClientStream::connect(with.client.clone(), name, dialled);
        let (theirs, ours) = tokio::join!(accepting, connecting);
        let (mut theirs, mut ours, mut inbox) = (theirs.unwrap(), ours.unwrap(), Inbox::default());
        theirs.write_all(&bytes(700)).await.unwrap();
        theirs.flush().await.unwrap();
        let (mut got, mut written) = (Vec::new(), 0);
        while got.len() < 700 {
            let polled = poll_fn(|cx| Poll::Ready(ours.poll_fill(cx, &mut inbox))).await;
            got.extend_from_slice(inbox.unread());
            inbox.consume(usize::MAX);
            if polled.is_pending() {
                // In the middle of whatever has come.
                ours.write_all(b"w").await.unwrap();
                ours.flush().await.unwrap();
                written += 1;
                tokio::time::sleep(std::time::Duration::from_micros(100)).await;
            }
        }
        assert!(got == bytes(700));
        let mut back = vec![0; written];
        theirs.read_exact(&mut back).await.unwrap();
        assert!(written > 10 && back.iter().all(|&byte| byte == b'w'), "{written}");
        wire.abort();
    });
}

/// Reads, to no avail, until it holds so many bytes.
async fn waits(stream: &mut ServerStream, held: usize) {
    let mut piece = [0; 9_000];
    let waiting = poll_fn(|cx| {
        let read = Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut piece));
        assert!(read.is_pending(), "a record that is not whole says nothing");
        if stream.held() == held { Poll::Ready(()) } else { Poll::Pending }
    });
    // Generous; what passes never waits for it.
    let waited = tokio::time::timeout(std::time::Duration::from_secs(30), waiting).await;
    assert!(waited.is_ok(), "it holds {} bytes, not {held}", stream.held());
}

/// What has come of a record is all that a waiting stream holds.
#[test]
fn the_beginning_of_a_record_holds_no_buffer_and_is_not_lost() {
    let with = configurations(false);
    run(async {
        let (mut ours, mut theirs) = listening(&with).await;
        let mut record = Vec::new();
        let connection = theirs.get_mut().1;
        std::io::Write::write_all(&mut connection.writer(), &bytes(9_000)).unwrap();
        connection.write_tls(&mut record).unwrap();
        let (beginning, rest) = record.split_at(4_000);
        theirs.get_mut().0.write_all(beginning).await.unwrap();
        let mut got = vec![0; 9_000];
        let none = NoneMayWait::begin();
        waits(&mut ours, 4_000).await;
        drop(none);
        theirs.get_mut().0.write_all(rest).await.unwrap();
        ours.read_exact(&mut got).await.unwrap();
        assert!(got == bytes(9_000));
        waits(&mut ours, 0).await;
    });
}

#[test]
fn an_end_that_was_said_is_an_end_and_another_is_an_error() {
    let with = configurations(false);
    run(async {
        let (mut ours, mut theirs) = listening(&with).await;
        theirs.write_all(b"last").await.unwrap();
        theirs.shutdown().await.unwrap();
        let mut got = Vec::new();
        ours.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"last");
        assert_eq!(ours.read(&mut [0]).await.unwrap(), 0, "it stays at its end");
        ours.shutdown().await.unwrap();
        assert_eq!(theirs.read(&mut [0]).await.unwrap(), 0, "close_notify is answered");

        let (mut ours, mut theirs) = listening(&with).await;
        theirs.write_all(b"cut").await.unwrap();
        theirs.flush().await.unwrap();
        theirs.into_inner().0.shutdown().await.unwrap();
        let error = ours.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn a_record_that_was_altered_is_an_error_and_the_peer_is_told() {
    let with = configurations(false);
    run(async {
        let (mut ours, mut theirs) = listening(&with).await;
        theirs.write_all(b"good").await.unwrap();
        theirs.flush().await.unwrap();
        let mut got = [0; 4];
        ours.read_exact(&mut got).await.unwrap();
        let forged = [&[0x17, 3, 3, 0, 40][..], &[0xA5; 40]].concat();
        theirs.get_mut().0.write_all(&forged).await.unwrap();
        let error = ours.read(&mut got).await.unwrap_err();
        assert_eq!(handshake_failure(&error).detail, "cannot decrypt peer's message");
        let told = theirs.read(&mut got).await.unwrap_err();
        assert_eq!(handshake_failure(&told).fault.label(), "peer-alert");
        assert!(told.to_string().contains("BadRecordMac"), "{told}");
        assert!(ours.read(&mut got).await.is_err(), "it stays an error");
    });
}

/// A record of TLS 1.3 as RFC 8446 §5.2 has it, for what no library would send.
fn sealed(secrets: &rustls::ConnectionTrafficSecrets, seq: u64, kind: u8, data: &[u8]) -> Vec<u8> {
    use aws_lc_rs::aead;
    let (key, iv, alg) = match secrets {
        rustls::ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (key, iv, &aead::AES_256_GCM),
        rustls::ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (key, iv, &aead::AES_128_GCM),
        _ => panic!("suite"),
    };
    let mut nonce: [u8; 12] = iv.as_ref().try_into().unwrap();
    for (n, s) in nonce[4..].iter_mut().zip(seq.to_be_bytes()) {
        *n ^= s;
    }
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(alg, key.as_ref()).unwrap());
    let mut body = [data, &[kind]].concat();
    let length = (body.len() + 16) as u16;
    let header = [0x17, 3, 3, (length >> 8) as u8, length as u8];
    key.seal_in_place_append_tag(
        aead::Nonce::assume_unique_for_key(nonce),
        aead::Aad::from(header),
        &mut body,
    )
    .unwrap();
    [&header[..], &body].concat()
}

#[test]
fn half_of_a_handshake_message_may_lie_behind_data_that_was_read_before() {
    let mut with = configurations(false);
    let mut server = ServerConfig::clone(&with.server);
    server.enable_secret_extraction = true;
    with.server = Arc::new(server);
    run(async {
        let (mut ours, theirs) = dialling(&with).await;
        let (mut socket, connection) = theirs.into_inner();
        let secrets = connection.dangerous_extract_secrets().unwrap();
        let (seq, tx) = secrets.tx;
        let all = [sealed(&tx, seq, 23, &[7; 100]), sealed(&tx, seq + 1, 22, &[24, 0])].concat();
        socket.write_all(&all).await.unwrap();
        let mut got = [0; 50];
        ours.read_exact(&mut got).await.unwrap();
        let mut inbox = Inbox::default();
        let count = poll_fn(|cx| ours.poll_fill(cx, &mut inbox)).await.unwrap();
        assert_eq!(count, 50);
        ours.write_all(b"a write meanwhile").await.unwrap();
    });
}
