//! The one decision, asked again about associations that are open: by a reload, and by the clock.

use std::fs;
use std::thread;

use serde_json::Value;

use crate::command::Command;
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers;
use crate::raw::{self, Upstream, rejection, verification};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::upper;
use crate::wait;

/// A-ABORT by the provider, reason not specified.
pub const ABORTED: [u8; 4] = [0, 0, 2, 0];

const ECHOES: &str = "[[role]]\nname = \"all\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]";

/// Puts another configuration into force; its record says so once every open association was asked about.
fn reload(gate: &Gate, toml: &str) {
    let before = gate.count("configuration-loaded");
    gate.reload(toml);
    wait::until("the reload", || (gate.count("configuration-loaded") > before).then_some(()));
}

/// Why the one association ended by policy.
pub fn lost(gate: &Gate) -> String {
    let closed = gate.event("association-closed");
    assert_eq!(closed["ended"], "policy", "{closed}");
    closed["reason"].as_str().expect("a reason").to_owned()
}

#[test]
fn who_loses_the_right_by_a_reload_ends_behind_the_message_that_is_under_way() {
    let object = Object::ct(200_000);
    let request =
        upper::Request::new("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (gate, upstream, mut requestor, mut acceptor) = raw::opened(&request, |_| ());
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance).encode();
    requestor.send(&upper::p_data(1, upper::COMMAND, &command, 16384));
    let message = upper::p_data(1, 0, &object.data_set, 16384);
    let (begun, rest) = message.split_at(message.len() / 2);
    requestor.send(begun);
    let mut came = acceptor.pdu().pdvs().expect("fragments");
    let stricter =
        Setup { peers: gate::peer("calling-ae-titles = [\"LYON\"]"), ..Setup::plain(upstream.address) };
    reload(&gate, &stricter.toml());
    assert_eq!(gate.count("association-closed"), 0, "it goes on inside of the message");
    requestor.send(rest);
    while came.last().is_none_or(|pdv| pdv.control != upper::LAST) {
        came.extend(acceptor.pdu().pdvs().expect("fragments"));
    }
    let data: Vec<u8> = came
        .iter()
        .filter(|pdv| pdv.control & upper::COMMAND == 0)
        .flat_map(|pdv| pdv.value.clone())
        .collect();
    assert!(data == object.data_set, "all of it went on");
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    let reason = lost(&gate);
    assert!(reason.starts_with("calling-ae-title-unknown: ") && reason.contains("\"SITE\""), "{reason}");
}

#[test]
fn whose_right_stays_or_grows_goes_on_and_so_does_everybody_where_they_finish() {
    let request = verification("SITE", "PACS");
    let (gate, upstream, mut requestor, mut acceptor) = raw::opened(&request, |setup| setup.roles = ECHOES);
    let before = Setup { roles: ECHOES, ..Setup::plain(upstream.address) };
    let limits = Setup { limits: "max-associations = 7", ..Setup::plain(upstream.address) };
    let finish = Setup {
        peers: gate::peer("calling-ae-titles = [\"LYON\"]"),
        extra: "[policy]\nopen-associations = \"finish\"",
        ..Setup::plain(upstream.address)
    };
    for toml in [before.toml(), limits.toml(), finish.toml()] {
        reload(&gate, &toml);
        raw::echo(&mut requestor, &mut acceptor);
    }
    assert_eq!(rejection(&gate.plain(), &request), [0, 1, 1, 3], "who comes now meets the new rules");
    raw::release(requestor, acceptor);
    assert_eq!(gate.event("association-closed")["ended"], "released");
}

const HOME: &str = "[policy]\ncountry = \"CH\"\n[[agreement]]\nid = \"home\"\nparties = [\"site\"]\ncountry = \"CH\"\n\
    mechanism = \"domestic\"\nreference = \"r\"\npurpose = \"p\"\nfrom = \"2020-01-01\"\nuntil = \"2099-12-31\"";

#[test]
fn what_goes_on_under_rules_that_allow_more_than_those_in_force_ends() {
    let rewrites = "[[rewrite]]\nname = \"r\"\nrules = [{ tag = \"PatientName\", action = \"empty\" }]";
    for (told, change) in [
        ("role \"all\" allows less", &(|after: &mut Setup| after.roles = ECHOES) as &dyn Fn(&mut Setup)),
        ("peer \"other\" decides now", &|after| {
            after.peers = gate::peer("").replace("\"site\"", "\"other\"");
        }),
        ("what is rewritten for peer \"site\"", &|after| {
            (after.peers, after.extra) = (gate::peer("rewrite = \"r\""), rewrites);
        }),
        ("it began under no agreement, and agreement \"home\" counts now", &|after| after.extra = HOME),
        ("upstream \"pacs\" is not what", &|after| after.upstream_keys = "called-ae-title = \"OTHER\""),
    ] {
        let (gate, upstream, mut requestor, mut acceptor) =
            raw::opened(&verification("SITE", "PACS"), |_| ());
        raw::echo(&mut requestor, &mut acceptor);
        let mut after = Setup::plain(upstream.address);
        change(&mut after);
        reload(&gate, &after.toml());
        assert_eq!(requestor.expect(upper::ABORT), ABORTED);
        assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
        let reason = lost(&gate);
        assert!(reason.starts_with("policy-changed: ") && reason.contains(told), "{reason}");
    }
}

/// storescu waits for the answer of an archive that gives it once the reload is over.
fn stored_across(is_let: bool, after: impl Fn(&mut Setup)) -> (bool, Value) {
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup::plain(upstream.address));
    let (folder, address) = (Scratch::new(), gate.address);
    let file = folder.path().join("ct.dcm");
    fs::write(&file, Object::ct(20_000).to_part10()).expect("a file written");
    let file = file.to_str().expect("UTF-8").to_owned();
    let sending = thread::spawn(move || peers::requestor("storescu", address, &["-aet", "SITE"], &[&file]));
    let (mut acceptor, _) = upstream.accept_all(16384);
    let asked = acceptor.message();
    let mut changed = Setup::plain(upstream.address);
    after(&mut changed);
    reload(&gate, &changed.toml());
    if is_let {
        acceptor.send_message(asked.context, &asked.command.response(0), None, 16384);
        acceptor.expect_release();
    } else {
        assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    }
    let finished = sending.join().expect("storescu");
    (finished.success, gate.event("association-closed"))
}

#[test]
fn dcmtk_stores_on_across_a_reload_that_leaves_its_right_and_is_ended_by_one_that_takes_it() {
    let (is_stored, closed) = stored_across(true, |after| after.limits = "max-associations = 7");
    assert!(is_stored && closed["ended"] == "released", "{closed}");
    let (is_stored, closed) = stored_across(true, |after| {
        after.peers = gate::peer("calling-ae-titles = [\"LYON\"]");
        after.extra = "[policy]\nopen-associations = \"finish\"";
    });
    assert!(is_stored && closed["ended"] == "released", "{closed}");
    let (is_stored, closed) = stored_across(false, |after| after.roles = ECHOES);
    assert!(!is_stored && closed["ended"] == "policy", "{closed}");
    assert!(closed["reason"].as_str().is_some_and(|why| why.starts_with("policy-changed: ")), "{closed}");
}

/// Starts the proxy under a clock that [`set_clock`] sets.
pub const FAKED: &str = "LD_PRELOAD=/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketimeMT.so.1 \
    FAKETIME_TIMESTAMP_FILE=$PWD/clock FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 TZ=UTC; \
    export LD_PRELOAD FAKETIME_TIMESTAMP_FILE FAKETIME_NO_CACHE DONT_FAKE_MONOTONIC TZ; exec \"$@\"";

/// What the clock of the proxy shows: faketime reads it from a file, again and again.
pub fn set_clock(site: &Site, shown: &str) {
    fs::write(site.path("clock"), format!("@{shown}\n")).expect("a clock that is set");
}

/// In Paris, 03:00 became 02:00 on 2026-10-25 at 01:00 UTC, so that 02:15 came twice.
#[test]
fn an_association_ends_with_the_hours_of_its_role_also_where_the_clock_is_set() {
    const NIGHT: &str = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
        hours = \"sat-sun 00:00-02:30 Europe/Paris\"";
    let (site, upstream) = (Site::new(), Upstream::bind());
    set_clock(&site, "2026-10-25 00:00:00");
    let setup = Setup { roles: NIGHT, shell: FAKED, ..Setup::plain(upstream.address) };
    let gate = Gate::start_in(site, &setup);
    let request = verification("SITE", "PACS");
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::echo(&mut requestor, &mut acceptor);
    set_clock(&gate.site, "2026-10-25 00:31:00");
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
    let reason = lost(&gate);
    let opens = "is for sat-sun 00:00-02:30 Europe/Paris; it opens next Sun 2026-10-25 02:00 Europe/Paris";
    assert!(reason.starts_with("outside-hours: ") && reason.contains(opens), "{reason}");
    assert_eq!(rejection(&gate.plain(), &request), [0, 2, 1, 1]);
    let rejected = gate.event("association-rejected");
    assert!(rejected["reason"] == "outside-hours", "{rejected}");
    assert!(rejected["explanation"].as_str().is_some_and(|why| why.contains(opens)), "{rejected}");
    set_clock(&gate.site, "2026-10-25 01:10:00");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn a_role_that_asks_for_tls_1_3_takes_no_less() {
    const NEWEST: &str = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
        minimum-tls = \"1.3\"";
    let upstream = Upstream::bind();
    let plain = Gate::start(&Setup { roles: NEWEST, ..Setup::plain(upstream.address) });
    assert_eq!(rejection(&plain.plain(), &verification("SITE", "PACS")), [0, 1, 1, 1]);
    let rejected = plain.event("association-rejected");
    assert_eq!(rejected["reason"], "tls-too-old");
    assert!(
        rejected["explanation"].as_str().is_some_and(|why| why.contains("came with no TLS")),
        "{rejected}"
    );
    let gate = Gate::start(&Setup { roles: NEWEST, ..Setup::tls(upstream.address) });
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let asks = ["--calling", "SITE", "--called", "PACS", "--certificate", "certs/client.pem", "--tls"];
    for (version, status, said) in [("1.3", 0, "allowed: peer \"site\""), ("1.2", 3, "(tls-too-old)")] {
        let (ended, text) = gate::told(&gate.site, &[&fixed[..], &asks, &[version]].concat());
        assert!(ended == status && text.contains(said), "{version}: {text}");
    }
}

#[test]
fn explain_answers_as_of_a_time_within_the_hours_of_a_role_and_outside_of_them() {
    const WORKING: &str = "[[role]]\nname = \"all\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\n\
        hours = \"mon-fri 07:00-19:00 Europe/Paris\"";
    let site = Site::new();
    let setup = Setup { roles: WORKING, ..Setup::plain("127.0.0.1:104".parse().expect("an address")) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let asks = ["--calling", "SITE", "--called", "PACS", "--at"];
    // A Monday in winter, a Monday in summer, and a Saturday; written in UTC, and as the clock there has it.
    for (at, is_open) in [
        ("2026-11-30T05:59:59Z", false),
        ("2026-11-30T06:00:00Z", true),
        ("2026-11-30T18:00:00Z", false),
        ("2026-06-29T05:00:00Z", true),
        ("2026-06-29T18:59:59+02:00", true),
        ("2026-06-29T19:00:00+02:00", false),
        ("2026-11-28T12:00:00Z", false),
    ] {
        let (ended, text) = gate::told(&site, &[&fixed[..], &asks, &[at]].concat());
        let said = if is_open { "allowed: peer \"site\"" } else { "(outside-hours)" };
        assert!(ended == if is_open { 0 } else { 3 } && text.contains(said), "{at}: {text}");
    }
    let (ended, text) = gate::told(&site, &[&fixed[..], &asks, &["some time ago"]].concat());
    assert!(ended == 2 && text.contains("--at"), "{ended}: {text}");
}
