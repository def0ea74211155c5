//! Upstreams that die, come back, stand behind a load balancer, or take one association at a time.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::association::Association;
use crate::gate::{Gate, Setup, UPSTREAM_TLS, run};
use crate::object::Object;
use crate::peers::{self, Archive, dcmtk};
use crate::process::{self, Process};
use crate::raw::{self, Upstream, rejection, verification};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::upper;
use crate::wait;

const CONGESTION: [u8; 4] = [0, 2, 3, 1];

/// A storescp that listens at this port again.
fn storescp_at(address: SocketAddr, folder: &Scratch) -> Process {
    let mut command = dcmtk("storescp");
    command.args(["-v", "-od"]).arg(folder.path()).arg(address.port().to_string());
    Process::start(command, &folder.path().join("again.log"))
}

/// The Orthanc of this folder once more, at its port.
fn orthanc_again(folder: &Scratch) -> Process {
    let mut command = Command::new("Orthanc");
    command.env("TCP_NODELAY", "1").arg(folder.path().join("orthanc.json"));
    Process::start(command, &folder.path().join("again.log"))
}

/// Opens an association, echoes and releases it. Which address it led to, by its record.
fn led_to(gate: &Gate) -> Option<SocketAddr> {
    let before = gate.count("association-opened");
    let mut association = Association::open(&gate.plain(), &verification("SITE", "PACS")).ok()?;
    assert_eq!(association.echo(1, 1).expect("an answer"), 0);
    association.release().expect("a release");
    wait::until("its record", || (gate.count("association-opened") > before).then_some(()));
    let opened = gate.records().into_iter().rfind(|record| record["event"] == "association-opened")?;
    opened["upstream"]["address"].as_str()?.parse().ok()
}

fn alerts(gate: &Gate, reason: &str) -> Vec<Value> {
    let is = |record: &Value| record["event"] == "security-alert" && record["reason"] == reason;
    gate.records().into_iter().filter(is).collect()
}

fn alert(gate: &Gate, reason: &str) -> Value {
    wait::until(reason, || alerts(gate, reason).pop())
}

fn two(setup: &Setup, other: SocketAddr) -> String {
    let one = format!("addresses = [\"{}\"]", setup.upstream);
    setup.toml().replace(&one, &format!("addresses = [\"{}\", \"{other}\"]", setup.upstream))
}

#[test]
fn an_association_leads_to_whoever_is_up_and_an_upstream_that_is_gone_is_told_once() {
    let Archive { process: first, address: one, folder } = peers::storescp(&[]);
    let Archive { process: second, address: other, folder: of_orthanc } = peers::orthanc();
    let upstream_keys = "called-ae-title = \"ORTHANC\"\nhealth = { echo = \"100ms\", rise = 2, fall = 2 }";
    let setup = Setup { upstream_keys, ..Setup::plain(one) };
    let gate = Gate::start_with(Site::new(), &two(&setup, other), "");
    assert_eq!(led_to(&gate), Some(one));
    drop(first);
    wait::until("the first to be down", || gate.output().contains("address is down").then_some(()));
    assert_eq!(led_to(&gate), Some(other));
    assert_eq!(alerts(&gate, "upstream-down"), Vec::<Value>::new(), "one of two serves");
    drop(second);
    let down = alert(&gate, "upstream-down");
    let explanation = down["explanation"].as_str().expect("text");
    assert!(explanation.starts_with("upstream \"pacs\" is down: "), "{down}");
    assert!([one, other].iter().all(|address| explanation.contains(&address.to_string())), "{down}");
    for _ in 0..5 {
        assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), CONGESTION);
    }
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "upstream-unreachable");
    assert!(
        rejected["explanation"].as_str().is_some_and(|text| text.contains("not asked now")),
        "{rejected}"
    );
    let _second = orthanc_again(&of_orthanc);
    alert(&gate, "upstream-up");
    assert_eq!(led_to(&gate), Some(other));
    let _first = storescp_at(one, &folder);
    wait::until("the first to serve again", || (led_to(&gate) == Some(one)).then_some(()));
    assert_eq!([alerts(&gate, "upstream-down").len(), alerts(&gate, "upstream-up").len()], [1, 1]);
    let log = gate.output();
    let counts = ["upstream is down", "upstream is up"].map(|text| log.matches(text).count());
    assert_eq!(counts, [1, 1], "{log}");
}

#[test]
fn without_checks_associations_find_out_that_it_is_down_and_that_it_is_back() {
    let Archive { process, address, folder } = peers::storescp(&[]);
    let gate = Gate::start(&Setup::plain(address));
    assert_eq!(led_to(&gate), Some(address));
    drop(process);
    for _ in 0..3 {
        assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), CONGESTION);
    }
    let down = alert(&gate, "upstream-down");
    assert!(down["explanation"].as_str().is_some_and(|text| text.contains("refused")), "{down}");
    let _back = storescp_at(address, &folder);
    // A pause later one association is let through; whoever comes before that is refused.
    wait::until("the upstream to be asked again", || led_to(&gate));
    alert(&gate, "upstream-up");
    assert_eq!(led_to(&gate), Some(address));
}

#[test]
fn addresses_take_turns() {
    let (one, other) = (peers::storescp(&[]), peers::storescp(&[]));
    let setup = Setup { upstream_keys: "balance = \"round-robin\"", ..Setup::plain(one.address) };
    let gate = Gate::start_with(Site::new(), &two(&setup, other.address), "");
    let led: Vec<_> = (0..4).map(|_| led_to(&gate).expect("an association")).collect();
    assert_eq!(led, [one.address, other.address, one.address, other.address]);
}

/// Sends an object of its own number with storescu, in an association of its own. Whether it was stored.
fn stores(gate: &Gate, number: usize) -> bool {
    let object = Object::ct(2_000).named(upper::CT_IMAGE_STORAGE, &format!("2.25.4711{number:04}"));
    let (_folder, files) = peers::files_of(&[object]);
    peers::requestor("storescu", gate.address, &["-xe", "-aet", "SITE", "-aec", "PACS"], &[&files[0]]).success
}

/// The numbers of the objects that a storescp has.
fn has(folder: &Scratch) -> Vec<usize> {
    let names = fs::read_dir(folder.path()).expect("its folder").flatten();
    let names = names.map(|file| file.file_name().to_string_lossy().into_owned());
    let number = |name: String| name.split_once("2.25.4711")?.1.get(..4)?.parse().ok();
    let mut numbers: Vec<usize> = names.filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn two_storescp_that_die_and_return_have_each_object_once_between_them() {
    let Archive { process: first, address: one, folder: of_one } = peers::storescp(&[]);
    let Archive { process: second, address: other, folder: of_other } = peers::storescp(&[]);
    let upstream_keys = "health = { echo = \"100ms\", rise = 1, fall = 3 }";
    let gate = Gate::start_with(Site::new(), &two(&Setup { upstream_keys, ..Setup::plain(one) }, other), "");
    assert!(stores(&gate, 1) && stores(&gate, 2));
    assert_eq!((has(&of_one), has(&of_other)), (vec![1, 2], vec![]), "the first address comes first");
    drop(first);
    assert!(stores(&gate, 3) && stores(&gate, 4));
    assert_eq!((has(&of_one), has(&of_other)), (vec![1, 2], vec![3, 4]));
    let _first = storescp_at(one, &of_one);
    let mut last = 4;
    wait::until("the first to serve again", || {
        last += 1;
        assert!(stores(&gate, last), "somebody takes it");
        has(&of_one).contains(&last).then_some(())
    });
    drop(second);
    assert!(stores(&gate, last + 1));
    let (of_one, of_other) = (has(&of_one), has(&of_other));
    assert_eq!(of_one, [1, 2, last, last + 1]);
    assert_eq!(of_other, (3..last).collect::<Vec<_>>());
}

#[test]
fn each_storescp_gets_its_share_by_turns_and_by_what_is_open() {
    let (one, other) = (peers::storescp(&[]), peers::storescp(&["--fork"]));
    let setup = Setup { upstream_keys: "balance = \"round-robin\"", ..Setup::plain(one.address) };
    let gate = Gate::start_with(Site::new(), &two(&setup, other.address), "");
    assert!((1..=6).all(|number| stores(&gate, number)));
    assert_eq!((has(&one.folder), has(&other.folder)), (vec![1, 3, 5], vec![2, 4, 6]));
    drop(gate);

    let (one, other) = (peers::storescp(&["--fork"]), peers::storescp(&["--fork"]));
    let setup = Setup { upstream_keys: "balance = \"least-associations\"", ..Setup::plain(one.address) };
    let gate = Gate::start_with(Site::new(), &two(&setup, other.address), "");
    let open = || Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
    let at = |number: usize| {
        let opened = gate.records().into_iter().filter(|record| record["event"] == "association-opened");
        opened
            .skip(number)
            .find_map(|record| record["upstream"]["address"].as_str()?.parse::<SocketAddr>().ok())
    };
    let held = [open(), open(), open()];
    let busy = wait::until("where the third went", || at(2));
    let idle = if busy == one.address { &other } else { &one };
    let busy = if busy == one.address { &one } else { &other };
    // Two are open there, and one here: whoever comes and goes comes here.
    assert!((1..=3).all(|number| stores(&gate, number)));
    assert_eq!((has(&idle.folder), has(&busy.folder)), (vec![1, 2, 3], vec![]));
    drop(held);
}

/// Its own names, which a file of the site gives: nobody else sees them.
const OWN_NAMES: &str =
    "exec unshare --map-root-user --mount sh -c 'mount --bind hosts /etc/hosts && exec \"$@\"' sh \"$@\"";

#[test]
fn an_upstream_by_name_that_dies_is_found_where_the_name_leads_next() {
    let Archive { process, address, folder } = peers::storescp(&[]);
    let (site, port) = (Site::new(), address.port());
    let names = |at: &str| fs::write(site.path("hosts"), format!("127.0.0.1 localhost\n{at} pacs.example\n"));
    names("127.0.0.1").expect("names written");
    let upstream_keys = "resolve = \"200ms\"";
    let setup = Setup { upstream_keys, ..Setup::plain(address) };
    let by_name = format!("addresses = [\"pacs.example:{port}\"]");
    let toml = setup.toml().replace(&format!("addresses = [\"{address}\"]"), &by_name);
    let hosts = site.path("hosts");
    let gate = Gate::start_with(site, &toml, OWN_NAMES);
    assert_eq!(led_to(&gate), Some(address));
    drop(process);
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), CONGESTION);
    fs::write(hosts, "127.0.0.1 localhost\n127.0.0.2 pacs.example\n").expect("names written");
    let _back = storescp_at(address, &folder);
    let next = SocketAddr::from(([127, 0, 0, 2], port));
    wait::until("the new address", || (led_to(&gate) == Some(next)).then_some(()));
    assert!(stores(&gate, 1));
    assert_eq!(has(&folder), [1]);
}

#[test]
fn a_node_that_has_the_request_is_not_followed_by_another() {
    let (one, other) = (Upstream::bind(), Upstream::bind());
    let setup = Setup::plain(one.address);
    let gate = Gate::start_with(Site::new(), &two(&setup, other.address), "");
    let mut requestor = raw::Peer::plain(gate.address);
    requestor.send(&verification("SITE", "PACS").encode());
    let mut acting = one.accept();
    acting.associate(upper::ASSOCIATE_RQ);
    drop(acting);
    assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), CONGESTION);
    other.expect_nobody();
}

#[test]
fn an_upstream_that_never_answers_one_requestor_stays_up_for_the_others() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    for _ in 0..5 {
        let mut requestor = raw::Peer::plain(gate.address);
        requestor.send(&verification("EVIL", "PACS").encode());
        let mut acceptor = upstream.accept();
        assert_eq!(acceptor.associate(upper::ASSOCIATE_RQ).calling, "EVIL");
        drop(acceptor);
        assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), CONGESTION);
    }
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    assert_eq!(alerts(&gate, "upstream-down"), Vec::<Value>::new());
}

#[test]
fn health_is_checked_as_the_proxy_would_do_it() {
    let site = Site::new();
    let [key, certificate, ca] =
        ["pacs.key", "pacs.pem", "ca.pem"].map(|file| site.text(&format!("certs/{file}")));
    let archive = peers::storescp(&["+tls", &key, &certificate, "+cf", &ca]);
    let upstream_keys =
        "health = { echo = \"100ms\" }\ncalled-ae-title = \"ARCHIVE\"\ncalling-ae-title = \"GATE\"";
    let setup = Setup { upstream_keys, upstream_tls: UPSTREAM_TLS, ..Setup::plain(archive.address) };
    let gate = Gate::start_in(site, &setup);
    let echoes = || archive.process.output().matches("Received Echo Request").count();
    wait::until("some checks", || (echoes() >= 3).then_some(()));
    assert!(!archive.process.output().contains("Abort"), "{}", archive.process.output());
    assert!(!gate.output().contains("did not answer"), "{}", gate.output());
    assert_eq!(gate.count("association-opened"), 0, "a check is nobody's association");
}

#[test]
fn a_pacs_that_takes_one_association_is_not_checked_while_it_has_one() {
    let archive = peers::dcmqrscp_of(process::free_address(), 1);
    let upstream_keys = "called-ae-title = \"QR\"\nhealth = { echo = \"30ms\" }\nwait = \"1h\"";
    let gate = Gate::start(&Setup { upstream_keys, ..Setup::plain(archive.address) });
    let mut association =
        Association::open(&gate.plain(), &verification("SITE", "PACS")).expect("an association");
    let log = || archive.process.output();
    // A check that had begun before.
    wait::beyond(Duration::from_millis(300));
    let before = log().matches("Association Received").count();
    wait::beyond(Duration::from_millis(600));
    assert_eq!(log().matches("Association Received").count(), before, "{}", log());
    assert_eq!(association.echo(1, 1).expect("an answer"), 0);
    association.release().expect("a release");
    wait::until("a check", || (log().matches("Association Received").count() > before).then_some(()));
    assert_eq!(alerts(&gate, "upstream-down"), Vec::<Value>::new());
}

/// HAProxy that wants to be told whose connection it is, and tells the archive behind it in words of version 1.
fn haproxy(archive: SocketAddr) -> (Process, SocketAddr, Scratch) {
    let (folder, address) = (Scratch::new(), process::free_address());
    let file = folder.path().join("haproxy.cfg");
    let settings = format!(
        "global\n    maxconn 100\n\
         defaults\n    mode tcp\n    timeout connect 20s\n    timeout client 1m\n    timeout server 1m\n\
         listen dicom\n    bind {address} accept-proxy\n    server archive {archive} send-proxy\n"
    );
    fs::write(&file, settings).expect("a configuration written");
    let mut command = Command::new("/usr/sbin/haproxy");
    command.arg("-db").arg("-f").arg(&file);
    let mut process = Process::start(command, &folder.path().join("output.log"));
    wait::until("HAProxy to listen", || {
        assert!(process.ended().is_none(), "{}", process.output());
        std::net::TcpStream::connect(address).ok()
    });
    (process, address, folder)
}

fn told(upstream: &Upstream) -> (raw::Peer, Vec<String>) {
    let mut line = String::new();
    let mut peer = wait::until("a connection that says something", || {
        // Those by which it was seen that HAProxy listens say nothing.
        let mut peer = upstream.accept();
        let mut byte = [0];
        peer.stream.read_exact(&mut byte).ok().map(|()| {
            line.push(char::from(byte[0]));
            peer
        })
    });
    while !line.ends_with("\r\n") {
        let mut byte = [0];
        peer.stream.read_exact(&mut byte).expect("a header");
        line.push(char::from(byte[0]));
    }
    (peer, line.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn a_load_balancer_before_the_upstream_is_told_whose_connection_it_is() {
    let archive = Upstream::bind();
    let (haproxy, address, _folder) = haproxy(archive.address);
    let setup = Setup { upstream_keys: "send-proxy-protocol = \"v2\"", ..Setup::tls(address) };
    let gate = Gate::start(&setup);
    let mut requestor = raw::Peer::connect(&gate.tls());
    requestor.send(&verification("SITE", "PACS").encode());
    let (mut acceptor, words) = told(&archive);
    let request = acceptor.associate(upper::ASSOCIATE_RQ);
    acceptor.send(&upper::reject(1, 1, 1));
    assert_eq!(requestor.expect(upper::ASSOCIATE_RJ), [0, 1, 1, 1]);
    assert_eq!(request.calling, "SITE");
    let rejected = gate.event("association-rejected");
    let [source, from, port] =
        [rejected["address"].as_str().expect("an address"), &words[2], &words[4]].map(str::to_owned);
    assert_eq!((&*words[0], &*words[1], from), ("PROXY", "TCP4", source));
    assert_eq!(port, rejected["port"].to_string());
    assert_eq!(words[5], gate.address.port().to_string(), "where it came in");
    // A check speaks for itself: HAProxy tells of its own connection.
    std::thread::scope(|scope| {
        let echo = scope.spawn(|| run(&gate.site, &["echo", "-c", "dimsegate.toml", "--upstream", "pacs"]));
        let (mut acceptor, words) = told(&archive);
        acceptor.associate(upper::ASSOCIATE_RQ);
        acceptor.send(&upper::reject(1, 1, 1));
        assert_eq!(words[5], address.port().to_string(), "{words:?}");
        assert_eq!(echo.join().expect("no panic").status, 69);
    });
    drop(haproxy);
}

#[test]
fn what_is_risky_about_health_is_said() {
    let site = Site::new();
    let upstream_keys = "balance = \"round-robin\"\nresolve = \"1m\"\nhealth = { echo = \"1s\", fall = 1 }";
    let setup = Setup { upstream_keys, ..Setup::plain(process::free_address()) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a file written");
    let checked = run(&site, &["check", "-c", "dimsegate.toml", "--json"]);
    let found: Value = serde_json::from_str(&checked.out).expect("JSON");
    let keys: Vec<&str> = (found["warnings"].as_array().expect("warnings").iter())
        .filter_map(|warning| warning["key"].as_str())
        .filter_map(|key| key.strip_prefix("[[upstream]] \"pacs\" "))
        .collect();
    for key in ["balance", "resolve", "health", "health.echo", "health.fall"] {
        assert!(keys.contains(&key), "{key} in {found:#}");
    }
    let setup =
        Setup { upstream_keys: "balance = \"random\"\nhealth = { echo = \"10s\", rise = 0 }", ..setup };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a file written");
    let checked = run(&site, &["check", "-c", "dimsegate.toml", "--json"]);
    let found: Value = serde_json::from_str(&checked.out).expect("JSON");
    let keys = |of: &str| {
        found[of].as_array().map(|all| all.iter().map(|one| one["key"].clone()).collect::<Vec<_>>())
    };
    assert_eq!(
        keys("errors"),
        Some(vec![json!("[[upstream]] \"pacs\" balance"), json!("[[upstream]] \"pacs\" health.rise")]),
        "{found:#}"
    );
}
