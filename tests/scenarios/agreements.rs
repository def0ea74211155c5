//! Routes that cross a border: by which agreement they are open, and until when.

use serde_json::{Value, json};

use crate::gate::{self, Gate, Setup};
use crate::judged_again::{FAKED, set_clock};
use crate::object::Object;
use crate::peers;
use crate::raw::{self, Upstream, rejection, verification};
use crate::site::Site;
use crate::upper;
use crate::user_identity;
use crate::wait;

/// The country of the archive, of what names none, and an agreement with the site in another one.
const ACROSS: &str = "[policy]\ncountry = \"CH\"\n[[agreement]]\nid = \"lyon-2026\"\nparties = [\"site\"]\ncountry = \"FR\"\n\
    mechanism = \"scc\"\nreference = \"contract 7\"\npurpose = \"second opinion\"\nfrom = \"2026-03-01\"\nuntil = \"2026-03-31\"";
/// The site is in France.
const FRENCH: &str = "country = \"FR\"";
const NOT_FOR_NOW: [u8; 4] = [0, 1, 1, 1];

fn across(upstream: &Upstream, extra: &'static str) -> Setup {
    Setup { peers: gate::peer(FRENCH), extra, shell: FAKED, ..Setup::plain(upstream.address) }
}

fn line_of(setup: &Setup, stated: &str) -> usize {
    setup.toml().lines().position(|line| line == stated).expect("the key") + 1
}

/// The newest refusal, and that it names the line of a key.
fn refused(gate: &Gate, reason: &str, named: &str) {
    let is_it = |record: &Value| {
        record["event"] == "association-rejected"
            && record["reason"] == reason
            && record["explanation"].as_str().is_some_and(|why| why.contains(named))
    };
    gate.record("the refusal", is_it);
}

#[test]
fn a_route_to_another_country_is_open_from_the_first_day_of_its_agreement_to_the_last() {
    let (site, upstream) = (Site::new(), Upstream::bind());
    set_clock(&site, "2026-02-28 23:59:00");
    let setup = across(&upstream, ACROSS);
    let gate = Gate::start_in(site, &setup);
    let request = verification("SITE", "PACS");
    assert_eq!(rejection(&gate.plain(), &request), NOT_FOR_NOW);
    let begins = format!("(from in line {})", line_of(&setup, "from = \"2026-03-01\""));
    refused(&gate, "agreement-not-in-force", &begins);
    let asks = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let asks =
        [&asks[..], &["--calling", "SITE", "--called", "PACS", "--at", "2026-03-15T00:00:00Z"]].concat();
    let (status, told) = gate::told(&gate.site, &asks);
    let by = "with FR by scc, until 2026-04-01 00:00 (UTC): ";
    assert!(status == 0 && told.contains("\"lyon-2026\"") && told.contains(by), "{told}");
    set_clock(&gate.site, "2026-03-01 00:00:00");
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::echo(&mut requestor, &mut acceptor);
    set_clock(&gate.site, "2026-03-31 23:59:50");
    raw::echo(&mut requestor, &mut acceptor);
    set_clock(&gate.site, "2026-04-01 00:00:01");
    requestor.expect(upper::ABORT);
    acceptor.expect(upper::ABORT);
    let closed = gate.event("association-closed");
    assert_eq!((&closed["ended"], &closed["agreement"]), (&json!("policy"), &json!("lyon-2026")), "{closed}");
    let reason = closed["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("agreement-not-in-force: "), "{reason}");
    assert_eq!(gate.event("association-opened")["agreement"], "lyon-2026");
    assert!(reason.ends_with("agreement \"lyon-2026\" ended with 2026-03-31 (UTC)"), "{reason}");
    assert_eq!(rejection(&gate.plain(), &request), NOT_FOR_NOW);
}

#[test]
fn a_border_without_an_agreement_is_closed_and_a_blocked_country_has_no_other_way() {
    const ALONE: &str = "[policy]\ncountry = \"CH\"";
    const BLOCKED: &str = "[policy]\ncountry = \"CH\"\nblocked-countries = [\"FR\"]";
    for (extra, reason) in [(ALONE, "agreement-missing"), (BLOCKED, "country-blocked")] {
        let upstream = Upstream::bind();
        let setup = Setup { shell: "", ..across(&upstream, extra) };
        let gate = Gate::start(&setup);
        assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), NOT_FOR_NOW);
        refused(&gate, reason, "from FR to CH");
        upstream.expect_nobody();
        // It was said before anybody came.
        let (_, told) = gate::told(&gate.site, &["check", "-c", "dimsegate.toml"]);
        assert!(told.contains("is refused whenever it is led to \"pacs\""), "{told}");
        let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
        let (status, told) =
            gate::told(&gate.site, &[&fixed[..], &["--calling", "SITE", "--called", "PACS"]].concat());
        assert!(status == 3 && told.contains(&format!("({reason})")), "{told}");
    }
    // Where both are in one country, nobody asks.
    let upstream = Upstream::bind();
    let inside = Setup { peers: gate::peer("country = \"CH\""), shell: "", ..across(&upstream, ALONE) };
    let gate = Gate::start(&inside);
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
    assert!(gate.event("association-closed").get("agreement").is_none());
}

/// The same object under another SOP class, in its data set too.
fn of_class(object: &Object, class: &str) -> Object {
    let (old, mut data_set) = (object.sop_class.as_bytes(), object.data_set.clone());
    let at = data_set.windows(old.len()).position(|bytes| bytes == old).expect("the class");
    assert_eq!(old.len(), class.len());
    data_set[at..at + old.len()].copy_from_slice(class.as_bytes());
    Object { sop_class: class.into(), data_set, ..object.clone() }
}

#[test]
fn an_agreement_bounds_operations_and_classes_and_is_in_every_record() {
    const CT_ONLY: &str = "[policy]\ncountry = \"CH\"\n[[agreement]]\nid = \"ct\"\nparties = [\"site\", \"pacs\"]\ncountry = \"FR\"\n\
        mechanism = \"adequacy\"\nreference = \"decision 2000/518\"\npurpose = \"reporting\"\nfrom = \"2020-01-01\"\nuntil = \"2099-12-31\"\n\
        operations = [\"C-STORE\"]\nsop-classes = [\"CTImageStorage\"]";
    let archive = peers::storescp(&[]);
    let setup = Setup { peers: gate::peer(FRENCH), extra: CT_ONLY, ..Setup::plain(archive.address) };
    let gate = Gate::start(&setup);
    let ct = Object::ct(2_000);
    let mr = of_class(&ct, "1.2.840.10008.5.1.4.1.1.4");
    let (_folder, files) = peers::files_of(std::slice::from_ref(&ct));
    let sent = ["-xe", "-aet", "SITE", "-aec", "PACS"];
    peers::requestor("storescu", gate.address, &sent, &[&files[0]]).expect_success();
    let stored = gate.event("operation");
    assert_eq!((&stored["operation"], &stored["agreement"]), (&json!("C-STORE"), &json!("ct")), "{stored}");
    archive.stored(1);
    let (_folder, files) = peers::files_of(&[mr]);
    let refused = peers::requestor("storescu", gate.address, &sent, &[&files[0]]).output;
    assert!(refused.contains("No presentation context for: (MR)"), "{refused}");
    let echo = peers::requestor("echoscu", gate.address, &["-aet", "SITE", "-aec", "PACS"], &[]).output;
    assert!(echo.contains("No Acceptable Presentation Contexts"), "{echo}");
    assert_eq!(archive.files().len(), 1);
    let (_, found) = gate::told(&gate.site, &["audit", "search", "audit", "--agreement", "ct", "--json"]);
    let events: Vec<Value> = found
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|record| record["event"].clone())
        .collect();
    for event in ["association-opened", "operation", "association-closed"] {
        assert!(events.contains(&json!(event)), "{event}: {found}");
    }
    let (_, none) = gate::told(&gate.site, &["audit", "search", "audit", "--agreement", "other", "--json"]);
    assert_eq!(none, "");
}

#[test]
fn an_agreement_that_asks_for_a_rewrite_opens_no_route_without_it() {
    const ASKS: &str = "[policy]\ncountry = \"CH\"\n[[rewrite]]\nname = \"plain\"\nrules = [{ tag = \"PatientName\", action = \"empty\" }]\n\
        [[agreement]]\nid = \"r\"\nparties = [\"site\"]\ncountry = \"FR\"\nmechanism = \"bcr\"\nreference = \"rules\"\npurpose = \"research\"\n\
        from = \"2020-01-01\"\nuntil = \"2099-12-31\"\nrewrite = \"plain\"";
    let upstream = Upstream::bind();
    let without = Setup { shell: "", ..across(&upstream, ASKS) };
    let gate = Gate::start(&without);
    assert_eq!(rejection(&gate.plain(), &verification("SITE", "PACS")), NOT_FOR_NOW);
    refused(&gate, "agreement-not-in-force", "asks for rewrite \"plain\", and the peer has none");
    let with = Setup { peers: gate::peer("country = \"FR\"\nrewrite = \"plain\""), ..without };
    gate.reload(&with.toml());
    wait::until("the reload", || (gate.count("configuration-loaded") == 2).then_some(()));
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::release(requestor, acceptor);
}

#[test]
fn nobody_is_asked_for_a_passcode_where_the_route_is_closed() {
    let upstream = Upstream::bind();
    let setup = Setup {
        tls: true,
        listener: "user-identity = \"require\"",
        peers: gate::peer(FRENCH),
        extra: "[policy]\ncountry = \"CH\"",
        ..Setup::plain(upstream.address)
    };
    let (gate, _) = user_identity::start(&setup);
    for passcode in [user_identity::PASSCODE, "wrong"] {
        assert_eq!(
            rejection(&gate.tls(), &user_identity::as_user("bert", passcode)),
            NOT_FOR_NOW,
            "{passcode}"
        );
    }
    refused(&gate, "agreement-missing", "from FR to CH");
    upstream.expect_nobody();
}

#[test]
fn an_association_keeps_the_agreement_that_it_began_under_and_ends_with_it() {
    let next = ACROSS.split_once("[[agreement]]").expect("an agreement").1;
    let next = next
        .replace("lyon-2026", "next")
        .replace("2026-03-01", "2026-04-01")
        .replace("2026-03-31", "2026-04-30");
    let both = gate::leaked(format!("{ACROSS}\n[[agreement]]{next}"));
    let (site, upstream) = (Site::new(), Upstream::bind());
    set_clock(&site, "2026-03-31 23:59:50");
    let gate = Gate::start_in(site, &across(&upstream, both));
    let request = verification("SITE", "PACS");
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::echo(&mut requestor, &mut acceptor);
    set_clock(&gate.site, "2026-04-01 00:00:01");
    requestor.expect(upper::ABORT);
    acceptor.expect(upper::ABORT);
    let closed = gate.event("association-closed");
    let reason = closed["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("policy-changed: "), "{reason}");
    assert!(
        reason.ends_with("began under agreement \"lyon-2026\", and agreement \"next\" counts now"),
        "{reason}"
    );
    let (requestor, acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    raw::release(requestor, acceptor);
    let is_under_next =
        |record: &Value| record["event"] == "association-closed" && record["agreement"] == "next";
    gate.record("the next one", is_under_next);
}

#[test]
fn a_c_move_goes_past_an_agreement_to_nobody_whom_it_does_not_name() {
    const MOVES: &str = "[policy]\ncountry = \"CH\"\n[[agreement]]\nid = \"m\"\nparties = [\"site\"]\ncountry = \"FR\"\n\
        mechanism = \"scc\"\nreference = \"r\"\npurpose = \"p\"\nfrom = \"2020-01-01\"\nuntil = \"2099-12-31\"\n\
        move-destinations = [\"LYON_WS\"]";
    let upstream = Upstream::bind();
    let gate = Gate::start(&Setup { shell: "", ..across(&upstream, MOVES) });
    let asks = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let asks = [
        &asks[..],
        &[
            "--calling",
            "SITE",
            "--called",
            "PACS",
            "--operation",
            "C-MOVE",
            "--sop-class",
            "StudyRootQueryRetrieveInformationModelMove",
            "--move-destination",
        ],
    ]
    .concat();
    for (destination, status) in [("LYON_WS", 0), ("ELSEWHERE", 3)] {
        let (ended, told) = gate::told(&gate.site, &[&asks[..], &[destination]].concat());
        assert_eq!(ended, status, "{destination}: {told}");
    }
}
