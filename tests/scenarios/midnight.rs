//! What goes by the day, over midnight: patients that are counted, hours of a role, and what is taken once. Each sets the clock of the
//! proxy.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::command::{C_GET_RQ, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::judged_again::{FAKED, set_clock};
use crate::peers;
use crate::process::Finished;
use crate::raw::{self, Upstream, verification};
use crate::scope::{self, GET, got, keys, uid};
use crate::site::Site;
use crate::tokens;
use crate::upper::{self, Request};
use crate::user_identity::{self, PASSCODE, USERS, as_user};

/// A user identity that proves nobody, for good.
const NOBODY: [u8; 4] = [0, 1, 2, 1];
/// Outside of hours, for now.
const CLOSED: [u8; 4] = [0, 2, 1, 1];

fn limited() -> &'static str {
    gate::leaked(format!("{}\nmax-patients-per-day = 1", gate::ROLE_ALL))
}

#[test]
fn with_a_new_day_others_may_be_seen_also_by_who_goes_on_asking() {
    let archive = peers::orthanc();
    scope::filled(&archive);
    let site = Site::new();
    set_clock(&site, "2026-12-01 23:58:00");
    let setup = Setup { roles: limited(), shell: FAKED, ..Setup::plain(archive.address) };
    let mut gate = Gate::start_in(site, &setup);
    let gets = |gate: &Gate| -> BTreeSet<u8> {
        let is_got = |number: &u8| {
            let study = format!("0020,000D={}", uid(*number));
            !got(gate.address, &["0008,0052=STUDY", &study]).1.is_empty()
        };
        [1, 2, 4].into_iter().filter(is_got).collect()
    };
    assert_eq!(gets(&gate), [1].into());
    set_clock(&gate.site, "2026-12-01 23:59:59");
    assert_eq!(gets(&gate), [1].into());
    set_clock(&gate.site, "2026-12-02 00:00:01");
    let get = |number: u8| {
        let study = format!("0020,000D={}", uid(number));
        got(gate.address, &["0008,0052=STUDY", &study]).1.len()
    };
    assert_eq!([2, 1, 4, 2].map(get), [1, 0, 0, 1], "somebody else, and then nobody more");
    // It is still the second day after a restart, and who was seen before is not free on it.
    assert!(gate.stop().success());
    let Gate { site, .. } = gate;
    let mut gate = Gate::start_in(site, &setup);
    assert_eq!(gets(&gate), [2].into());
    // With the first of a third day, the first one is no longer kept.
    set_clock(&gate.site, "2026-12-03 00:00:01");
    assert_eq!(gets(&gate), [1].into());
    assert!(gate.stop().success());
    let kept = fs::read_to_string(gate.site.path("state/patients")).expect("what is kept");
    assert!(!kept.contains("2026-12-01") && kept.contains("2026-12-03"), "{kept}");
}

#[test]
fn an_association_that_is_open_over_midnight_is_counted_by_the_day_of_each_operation() {
    let upstream = Upstream::bind();
    let site = Site::new();
    set_clock(&site, "2026-12-01 23:59:00");
    let setup = Setup { roles: limited(), shell: FAKED, ..Setup::plain(upstream.address) };
    let gate = Gate::start_in(site, &setup);
    let asks = Request::new("READER", "PACS").context(GET, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &asks, 16384);
    let mut gets = |id: u16, study: &str, may: bool| {
        let data = keys(&[(8, 0x52, "CS", "STUDY"), (0x20, 0x0D, "UI", study)]);
        requestor.send_message(1, &scope::request(GET, C_GET_RQ, id), Some(&data), 16384);
        let (mut own, _) = upstream.accept_all(16384);
        let heard = own.message();
        let answer = [
            (8, 0x52, "CS", "STUDY"),
            (0x10, 0x20, "LO", study),
            (0x10, 0x21, "LO", "LYON"),
            (0x20, 0x0D, "UI", study),
        ];
        scope::answered(&mut own, 1, &heard.command, &keys(&answer));
        own.send_message(1, &heard.command.response(0), None, 16384);
        if may {
            let heard = acceptor.message();
            acceptor.send_message(1, &heard.command.response(0), None, 16384);
        }
        own.expect_release();
        let status = requestor.message().command.number(STATUS);
        assert_eq!(status, Some(if may { 0 } else { 0xA702 }), "{study}");
    };
    gets(1, "1.3", true);
    gets(2, "1.4", false);
    set_clock(&gate.site, "2026-12-02 00:00:01");
    // Nor is remembered from the day before whose a study is.
    gets(3, "1.4", true);
    gets(4, "1.3", false);
    raw::release(requestor, acceptor);
}

#[test]
fn hours_go_on_over_midnight_or_end_with_it_as_they_say() {
    let upstream = Upstream::bind();
    // 2026-12-04 is a Friday: the night belongs to it, and the day ends with it.
    for (hours, goes_on) in [("fri 22:00-06:00 UTC", true), ("fri 08:00-24:00 UTC", false)] {
        let site = Site::new();
        set_clock(&site, "2026-12-04 23:58:00");
        let roles = gate::leaked(format!("{}\nhours = \"{hours}\"", gate::ROLE_ALL));
        let gate = Gate::start_in(site, &Setup { roles, shell: FAKED, ..Setup::plain(upstream.address) });
        let request = verification("SITE", "PACS");
        let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
        raw::echo(&mut requestor, &mut acceptor);
        set_clock(&gate.site, "2026-12-05 00:00:01");
        if goes_on {
            raw::echo(&mut requestor, &mut acceptor);
            raw::release(requestor, acceptor);
            let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
            raw::release(requestor, acceptor);
            set_clock(&gate.site, "2026-12-05 06:00:01");
        } else {
            requestor.expect(upper::ABORT);
            acceptor.expect(upper::ABORT);
            let closed = gate.event("association-closed");
            assert_eq!(closed["ended"], "policy", "{closed}");
            assert!(
                closed["reason"].as_str().is_some_and(|why| why.starts_with("outside-hours: ")),
                "{closed}"
            );
        }
        assert_eq!(raw::rejection(&gate.plain(), &request), CLOSED, "{hours}");
    }
}

#[test]
fn a_one_time_code_is_taken_once_also_over_midnight_and_a_restart() {
    let upstream = Upstream::bind();
    let (site, secret) = user_identity::site();
    set_clock(&site, "2026-12-01 23:59:50");
    let setup = Setup {
        listener: "user-identity = \"require\"\nuser-identity-in-clear = true",
        extra: USERS,
        roles: user_identity::ROLES,
        shell: FAKED,
        ..Setup::plain(upstream.address)
    };
    let mut gate = Gate::start_in(site, &setup);
    let code = |at: &str| {
        let mut command = std::process::Command::new("oathtool");
        command.args(["--totp", "-b", "--now", at, secret.base32().as_str()]);
        Finished::run(command).expect_success().trim().to_owned()
    };
    let with = |code: &str| as_user("anna", &format!("{PASSCODE}{code}"));
    // The step before midnight, and within one step of drift behind it.
    let last = code("2026-12-01 23:59:50 UTC");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &with(&last), 16384);
    raw::release(requestor, acceptor);
    set_clock(&gate.site, "2026-12-02 00:00:05");
    assert_eq!(raw::rejection(&gate.plain(), &with(&last)), NOBODY);
    let first = code("2026-12-02 00:00:05 UTC");
    assert_ne!(first, last);
    set_clock(&gate.site, "2026-12-02 00:00:20");
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &with(&first), 16384);
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());
    let Gate { site, .. } = gate;
    let gate = Gate::start_in(site, &setup);
    assert_eq!(raw::rejection(&gate.plain(), &with(&first)), NOBODY);
    upstream.expect_nobody();
}

#[test]
fn a_token_is_taken_once_also_over_midnight_and_a_restart() {
    /// 2026-12-01 23:59:00 UTC.
    const BEGIN: i64 = 1_796_169_540;
    let upstream = Upstream::bind();
    let site = tokens::site();
    set_clock(&site, "2026-12-01 23:59:00");
    let setup = Setup {
        listener: "user-identity = \"accept\"",
        extra: tokens::issuer("leeway = \"0s\""),
        roles: tokens::ROLES,
        shell: FAKED,
        ..Setup::tls(upstream.address)
    };
    let mut gate = Gate::start_in(site, &setup);
    let claims = |jti: &str| json!({"iat": BEGIN, "exp": BEGIN + 300, "jti": jti});
    let (used, unused) =
        (tokens::claiming(&gate.site, &claims("one")), tokens::claiming(&gate.site, &claims("two")));
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &tokens::bearing(&used), 16384);
    raw::release(requestor, acceptor);
    set_clock(&gate.site, "2026-12-02 00:00:01");
    assert_eq!(raw::rejection(&gate.tls(), &tokens::bearing(&used)), NOBODY);
    assert!(gate.stop().success());
    let Gate { site, .. } = gate;
    let gate = Gate::start_in(site, &setup);
    assert_eq!(raw::rejection(&gate.tls(), &tokens::bearing(&used)), NOBODY);
    let rejected = gate.event("association-rejected");
    assert_eq!(rejected["reason"], "token-used", "{rejected}");
    let (requestor, acceptor) = raw::open(&gate.tls(), &upstream, &tokens::bearing(&unused), 16384);
    raw::release(requestor, acceptor);
}
