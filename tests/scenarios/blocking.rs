//! Whom an administrator shuts out of a running proxy, and for how long that holds.

use std::fs;

use crate::gate::{self, Gate, Setup};
use crate::raw::{self, Peer, Upstream, rejection, verification};
use crate::upper;
use crate::wait;

const INTERFACE: &str = "[admin]\nlisten = \"unix:admin.sock\"\nstate-directory = \"state\"\n";
/// A-ABORT by the provider, reason not specified.
const ABORTED: [u8; 4] = [0, 0, 2, 0];
/// A-ASSOCIATE-RJ: permanent, by the service user, no reason given.
const REJECTED: [u8; 4] = [0, 1, 1, 1];

fn setup(upstream: &Upstream) -> Setup {
    Setup { extra: INTERFACE, ..Setup::plain(upstream.address) }
}

fn block(gate: &Gate, arguments: &[&str]) -> String {
    let arguments = [&["block", "-c", "dimsegate.toml", "--reason", "stolen"], arguments].concat();
    let ran = gate::run(&gate.site, &arguments);
    assert_eq!(ran.status, 0, "{}", ran.err);
    ran.out
}

#[test]
fn whoever_is_blocked_is_refused_from_then_on_across_reload_and_restart_until_it_is_taken_back() {
    let upstream = Upstream::bind();
    let setup = setup(&upstream);
    let mut gate = Gate::start(&setup);
    let said = block(&gate, &["ae-title:SITE"]);
    assert!(said.starts_with("block 1: ae-title:SITE until it is taken back, by "), "{said}");
    let request = verification("SITE", "PACS");
    assert_eq!(rejection(&gate.plain(), &request), REJECTED);
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "blocked");
    let why = rejected["explanation"].as_str().expect("an explanation");
    assert!(
        why.contains("ae-title:SITE is blocked until it is taken back") && why.contains(": stolen"),
        "{why}"
    );
    assert!(why.contains("dimsegate unblock 1"), "{why}");
    let done = gate.record("the record of the block", |record| record["action"] == "block");
    assert_eq!(done["event"], "administration");
    // Others are let in.
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("OTHER", "PACS"), 16384);
    raw::release(requestor, acceptor);
    gate.reload(&setup.toml().replace("level = \"debug\"", "level = \"info\""));
    gate.record("the reload", |record| {
        record["event"] == "configuration-loaded" && !record["previous-configuration"].is_null()
    });
    assert_eq!(rejection(&gate.plain(), &request), REJECTED);
    assert!(gate.stop().success());
    let gate = Gate::start_in(gate.site, &setup);
    assert_eq!(rejection(&gate.plain(), &request), REJECTED);
    let listed = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out;
    assert!(listed.starts_with("block 1: ae-title:SITE until it is taken back, by "), "{listed}");
    let back = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml", "1"]);
    assert!(back.status == 0 && back.out.starts_with("taken back: block 1: "), "{}{}", back.out, back.err);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
    let again = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml", "1"]);
    assert!(again.status == 69 && again.err.contains("no block has the number 1"), "{}", again.err);
    assert_eq!(gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out, "nobody is blocked\n");
}

#[test]
fn an_association_whose_peer_is_blocked_ends_between_two_messages_and_says_why() {
    let request = verification("SITE", "PACS");
    let (gate, _upstream, mut requestor, mut acceptor) =
        raw::opened(&request, |setup| setup.extra = INTERFACE);
    raw::echo(&mut requestor, &mut acceptor);
    block(&gate, &["peer:site", "--for", "2h"]);
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "policy");
    let reason = closed["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("blocked: ") && reason.contains("peer:site is blocked until 2"), "{reason}");
}

#[test]
fn an_address_that_is_blocked_gets_no_byte() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream));
    block(&gate, &["address:127.0.0.0/8", "--for", "1h"]);
    let mut peer = Peer::connect(&gate.plain());
    peer.try_send(&[1]);
    assert_eq!(peer.rest(), Vec::<u8>::new());
    let refused = gate.event("connection-refused");
    assert_eq!(refused["reason"], "blocked");
    let why = refused["explanation"].as_str().expect("an explanation");
    assert!(why.ends_with(": stolen. To let it in: dimsegate unblock 1"), "{why}");
    upstream.expect_nobody();
}

#[test]
fn an_agreement_that_is_blocked_closes_its_routes_and_ends_what_is_open_by_it() {
    const DOMESTIC: &str = "[admin]\nlisten = \"unix:admin.sock\"\nstate-directory = \"state\"\n[policy]\ncountry = \"CH\"\n[[agreement]]\n\
        id = \"second\"\nparties = [\"site\"]\ncountry = \"CH\"\nmechanism = \"domestic\"\nreference = \"r\"\npurpose = \"p\"\n\
        from = \"2020-01-01\"\nuntil = \"2099-12-31\"\n";
    let request = verification("SITE", "PACS");
    let (gate, upstream, mut requestor, mut acceptor) = raw::opened(&request, |setup| setup.extra = DOMESTIC);
    raw::echo(&mut requestor, &mut acceptor);
    let ran = gate::run(
        &gate.site,
        &["block", "-c", "dimsegate.toml", "agreement:secund", "--reason", "broken into"],
    );
    let told = "has no [[agreement]] with this id; did you mean agreement:second?";
    assert!(ran.status == 69 && ran.err.contains(told), "{}", ran.err);
    block(&gate, &["agreement:second"]);
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    let closed = gate.event("association-closed");
    let reason = closed["reason"].as_str().expect("a reason");
    assert!(closed["ended"] == "policy" && reason.starts_with("blocked: "), "{closed}");
    assert!(reason.contains("agreement:second is blocked until it is taken back"), "{reason}");
    assert_eq!(rejection(&gate.plain(), &request), REJECTED);
    assert_eq!(gate.event("association-rejected")["reason"], "blocked");
    let asks = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let (status, told) =
        gate::told(&gate.site, &[&asks[..], &["--calling", "SITE", "--called", "PACS"]].concat());
    assert!(status != 0 && told.contains("block 1: agreement:second is blocked"), "{told}");
    let back = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml", "1"]);
    assert_eq!(back.status, 0, "{}", back.err);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_block_that_the_disk_does_not_take_is_in_force_and_somebody_is_told() {
    let upstream = Upstream::bind();
    let setup = setup(&upstream);
    let gate = Gate::start(&setup);
    // Whoever writes beside the file finds a folder there, also as the superuser.
    fs::create_dir_all(gate.site.path("state/blocks.json-new/x")).expect("a folder");
    let ran =
        gate::run(&gate.site, &["block", "-c", "dimsegate.toml", "ae-title:SITE", "--reason", "stolen"]);
    let told = "block 1 is in force, but only in memory: state/blocks.json: ";
    assert!(ran.status == 69 && ran.err.contains(told), "{}", ran.err);
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), REJECTED);
    let alert = gate.record("the alert", |record| {
        record["event"] == "security-alert" && record["reason"] == "block-not-kept"
    });
    assert!(alert["explanation"].as_str().is_some_and(|why| why.contains(told)), "{alert}");
    let listed = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml"]).out;
    assert!(listed.starts_with("block 1: ae-title:SITE until it is taken back, by "), "{listed}");
}

#[test]
fn a_block_of_every_address_shuts_nobody_out_of_the_administration_interface() {
    let upstream = Upstream::bind();
    let gate = Gate::start(&setup(&upstream));
    block(&gate, &["address:0.0.0.0/0"]);
    let mut peer = Peer::connect(&gate.plain());
    peer.try_send(&[1]);
    assert_eq!(peer.rest(), Vec::<u8>::new());
    let status = gate::run(&gate.site, &["status", "-c", "dimsegate.toml"]);
    assert_eq!(status.status, 0, "{}", status.err);
    let back = gate::run(&gate.site, &["unblock", "-c", "dimsegate.toml", "1"]);
    assert_eq!(back.status, 0, "{}", back.err);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn what_names_nobody_is_refused_and_a_damaged_file_lets_nobody_start() {
    let upstream = Upstream::bind();
    let setup = setup(&upstream);
    let mut gate = Gate::start(&setup);
    for (arguments, told) in [
        (&["SITE", "--reason", "x"][..], "is not what a block names: write ae-title:LYON_CT1"),
        (
            &["certificate:cn:gw", "--reason", "x"],
            "is a name, which the holder of a certificate may have chosen",
        ),
        (&["peer:siet", "--reason", "x"], "has no [[peer]] of this name; did you mean peer:site?"),
        (&["peer:site", "--reason", ""], "a block has a reason of 1 to 500 bytes"),
        (&["peer:site", "--reason", "x", "--for", "soon"], "\"soon\" is not a duration"),
    ] {
        let ran = gate::run(&gate.site, &[&["block", "-c", "dimsegate.toml"], arguments].concat());
        assert!(ran.status == 69 && ran.err.contains(told), "{}", ran.err);
    }
    block(&gate, &["ae-title:NOBODY"]);
    assert!(gate.stop().success());
    let file = gate.site.path("state/blocks.json");
    let text = fs::read_to_string(&file).expect("the blocks");
    fs::write(&file, text.replace("ae-title:NOBODY", "nobody")).expect("a damaged file");
    let ran = gate::run(&gate.site, &["run", "-c", "dimsegate.toml"]);
    assert_eq!(ran.status, 69);
    assert!(
        ran.err.contains("the blocks in state/blocks.json: block 1: \"nobody\" is not what a block names"),
        "{}",
        ran.err
    );
    wait::until("the end of its records", || {
        gate.records()
            .iter()
            .any(|record| {
                record["event"] == "stopped"
                    && record["reason"].as_str().is_some_and(|why| why.contains("the blocks in"))
            })
            .then_some(())
    });
}

#[test]
fn a_second_configuration_in_one_folder_needs_a_state_directory_of_its_own() {
    let upstream = Upstream::bind();
    let setup = setup(&upstream);
    let mut gate = Gate::start(&setup);
    let second = setup.toml().replace("directory = \"audit\"", "directory = \"records\"");
    let second = second.replace("admin.sock", "second.sock");
    fs::write(gate.site.path("second.toml"), second).expect("a configuration written");
    let ran = gate::run(&gate.site, &["run", "-c", "second.toml"]);
    assert_eq!(ran.status, 69, "{}", ran.err);
    let owner = format!("another dimsegate (process {}) uses the folder ", gate.pid());
    assert!(ran.err.contains(&owner) && ran.err.contains("a state-directory of its own"), "{}", ran.err);
    // Nobody is kept out by a lock of their own.
    gate.reload(&setup.toml().replace("level = \"debug\"", "level = \"info\""));
    gate.record("the reload", |record| {
        record["event"] == "configuration-loaded" && !record["previous-configuration"].is_null()
    });
    assert!(gate.stop().success());
}
