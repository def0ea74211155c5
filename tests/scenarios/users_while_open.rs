//! What becomes of an association whose user changes in the file, or ends, while it is open.

use std::thread;

use dimsegate::users::{Store, User};
use time::OffsetDateTime;

use crate::gate::{self, Gate, Setup};
use crate::judged_again::{ABORTED, FAKED, lost, set_clock};
use crate::object::Object;
use crate::peers;
use crate::raw::{self, Peer, Upstream, rejection};
use crate::upper;
use crate::user_identity::{PASSCODE, ROLES, USERS, as_user, site, start};
use crate::wait;

const REQUIRE: &str = "user-identity = \"require\"\nuser-identity-in-clear = true";
const OFTEN: &str = "reload-files = \"20ms\"";

fn setup(upstream: &Upstream) -> Setup {
    Setup { listener: REQUIRE, limits: OFTEN, ..Setup::plain(upstream.address) }
}

fn change(gate: &Gate, name: &str, change: impl FnOnce(&mut User)) {
    Store::new(&gate.site.path("conf/users.toml")).change(name, change).expect("a user changed");
}

fn ends(requestor: &mut Peer, acceptor: &mut Peer) {
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
}

#[test]
fn whoever_loses_what_the_file_gave_ends_between_two_messages_and_others_go_on() {
    let over = OffsetDateTime::UNIX_EPOCH;
    for (reason, why, then) in [
        (
            "user-not-allowed",
            "user \"bert\": the user is disabled",
            &(|bert: &mut User| bert.disabled = true) as &dyn Fn(&mut User),
        ),
        ("user-not-allowed", "user \"bert\": the user ended", &|bert| bert.not_after = Some(over)),
        ("user-not-allowed", "user \"bert\": no user is called so", &|bert| bert.name = "hugo".into()),
        ("user-not-allowed", "user \"bert\" may come through elsewhere", &|bert| {
            bert.peers = vec!["elsewhere".into()]
        }),
        ("policy-changed", "role \"all\" and \"echo\" of the user allows less", &|bert| {
            bert.roles = vec!["echo".into()]
        }),
    ] {
        let upstream = Upstream::bind();
        let (gate, _) = start(&setup(&upstream));
        let [mut bert, mut nora] =
            ["bert", "nora"].map(|name| raw::open(&gate.plain(), &upstream, &as_user(name, PASSCODE), 16384));
        // More is no loss, and neither is a file that cannot be used.
        change(&gate, "nora", |nora| nora.roles.push("all".into()));
        raw::echo(&mut bert.0, &mut bert.1);
        change(&gate, "bert", then);
        ends(&mut bert.0, &mut bert.1);
        let told = lost(&gate);
        assert!(told.starts_with(reason) && told.contains(why), "{told}");
        raw::echo(&mut nora.0, &mut nora.1);
        raw::release(nora.0, nora.1);
    }
}

#[test]
fn a_reload_reads_the_users_also_where_nobody_looks_at_files() {
    let upstream = Upstream::bind();
    let setup = Setup { limits: "reload-files = \"off\"", ..setup(&upstream) };
    let (gate, _) = start(&setup);
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &as_user("bert", PASSCODE), 16384);
    change(&gate, "bert", |bert| bert.disabled = true);
    raw::echo(&mut requestor, &mut acceptor);
    gate.signal("HUP");
    ends(&mut requestor, &mut acceptor);
    assert!(lost(&gate).contains("user \"bert\": the user is disabled"));
}

#[test]
fn dcmtk_that_stores_as_a_user_who_is_removed_is_ended_and_one_whose_file_is_damaged_goes_on() {
    for is_removed in [true, false] {
        let upstream = Upstream::bind();
        let (gate, _) = start(&setup(&upstream));
        let (_folder, files) = peers::files_of(&[Object::ct(20_000)]);
        let (address, file) = (gate.address, files[0].clone());
        let sending = thread::spawn(move || {
            peers::requestor(
                "storescu",
                address,
                &["-aet", "SITE", "-usr", "bert", "-pwd", PASSCODE],
                &[&file],
            )
        });
        let (mut acceptor, _) = upstream.accept_all(16384);
        let asked = acceptor.message();
        let file = gate.site.path("conf/users.toml");
        if is_removed {
            Store::new(&file).remove("bert").expect("a user removed");
            assert_eq!(acceptor.expect(upper::ABORT), ABORTED);
        } else {
            std::fs::write(&file, "nonsense = 1").expect("a file written");
            wait::until("the file to be called bad", || {
                gate.output().contains("the users of before stay in force").then_some(())
            });
            acceptor.send_message(asked.context, &asked.command.response(0), None, 16384);
            acceptor.expect_release();
        }
        let finished = sending.join().expect("storescu");
        assert_eq!(finished.success, !is_removed, "{}", finished.output);
        let closed = gate.event("association-closed");
        assert_eq!(closed["ended"], if is_removed { "policy" } else { "released" }, "{closed}");
    }
}

#[test]
fn a_user_who_ends_while_connected_is_ended_by_the_clock_where_nobody_looks_at_files_and_nothing_is_reloaded()
{
    let ((site, _), upstream) = (site(), Upstream::bind());
    set_clock(&site, "2026-10-25 00:00:00");
    let end = OffsetDateTime::from_unix_timestamp(1_792_888_200).expect("2026-10-25 00:30:00 UTC");
    Store::new(&site.path("conf/users.toml"))
        .change("bert", |bert| bert.not_after = Some(end))
        .expect("a user");
    let setup = Setup {
        limits: "reload-files = \"off\"",
        extra: gate::leaked(format!("{USERS}[policy]\nopen-associations = \"finish\"")),
        roles: ROLES,
        shell: FAKED,
        ..setup(&upstream)
    };
    let gate = Gate::start_in(site, &setup);
    let request = as_user("bert", PASSCODE);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::echo(&mut requestor, &mut acceptor);
    set_clock(&gate.site, "2026-10-25 00:30:01");
    ends(&mut requestor, &mut acceptor);
    let told = lost(&gate);
    assert!(
        told.starts_with("user-not-allowed: ") && told.contains("user \"bert\": the user ended"),
        "{told}"
    );
    assert_eq!(rejection(&gate.plain(), &request), [0, 1, 2, 1]);
}

#[test]
fn a_line_that_is_wrong_is_told_by_its_place_and_whoever_was_there_before_can_still_log_in() {
    let upstream = Upstream::bind();
    let (gate, _) = start(&setup(&upstream));
    // Whoever is connected has the file looked at.
    let connected = raw::open(&gate.plain(), &upstream, &as_user("nora", PASSCODE), 16384);
    let file = gate.site.path("conf/users.toml");
    let good = std::fs::read_to_string(&file).expect("the users");
    let line = good.lines().count() + 3;
    std::fs::write(&file, format!("{good}\n[[user]]\nname = 3\n")).expect("a file written");
    let place = format!("error=conf/users.toml:{line}:8: ");
    wait::until("the line to be told", || {
        let output = gate.output();
        let told = output.lines().find(|told| told.contains("the users of before stay in force"))?;
        assert!(told.contains(&place), "no {place} in {told}");
        Some(())
    });
    let bert = raw::open(&gate.plain(), &upstream, &as_user("bert", PASSCODE), 16384);
    raw::release(bert.0, bert.1);
    raw::release(connected.0, connected.1);
}
