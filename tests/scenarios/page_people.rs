//! Who looks at the page: they log in, do what their roles allow and no more, and are told when they are somebody no longer.

use serde_json::json;

use crate::browser::Browser;
use crate::login::{PASSCODE, Scene};
use crate::raw::{self, rejection, verification};
use crate::upper;
use crate::wait;

const TLS: &str = r#"[admin.tls]
certificate-chain = "certs/server.pem"
private-key = "certs/server.key"
client-authentication = "off"
"#;
/// A-ABORT by the provider, reason not specified.
const ABORTED: [u8; 4] = [0, 0, 2, 0];
/// A-ASSOCIATE-RJ: permanent, by the service user, no reason given.
const REJECTED: [u8; 4] = [0, 1, 1, 1];
const OVER: &str = "document.querySelector('#silence').innerText.startsWith('The session is over since')";

/// A page before which nobody has logged in.
fn shown(scene: &Scene, scheme: &str) -> Browser {
    let browser = Browser::start();
    browser.open(&format!("{scheme}://localhost:{}/", scene.address.port()));
    browser.until("document.querySelector('h1').innerText === 'Not logged in'");
    browser
}

fn log_in(browser: &Browser, user: &str, passcode: &str, code: &str) {
    browser.click("header", "Log in …");
    browser.answer(&[("user", user), ("passcode", passcode), ("code", code)]);
}

fn is_said(browser: &Browser, text: &str) {
    browser.until(&format!("document.querySelector('dialog').innerText.includes({text:?})"));
}

#[test]
fn somebody_logs_in_with_a_code_over_tls_and_what_they_do_is_done_and_recorded_as_theirs() {
    let scene = Scene::start_with(TLS, |setup| setup.tls = true);
    let gate = &scene.gate;
    let browser = shown(&scene, "https");
    log_in(&browser, "anna", PASSCODE, "000 000");
    is_said(&browser, "These are not the name, passcode and one-time code");
    scene.done("login", "anna", "refused");
    browser.answer(&[("code", &scene.code())]);
    browser.until("document.querySelector('#who').innerText.startsWith('anna · operator')");
    scene.done("login", "anna", "success");
    browser.until("document.querySelector('h1').innerText.startsWith('Running')");
    // The certificate is shut out from the story of an association that showed it.
    let request = verification("SITE", "PACS");
    let (mut requestor, mut acceptor) = raw::open(&gate.tls(), &scene.upstream, &request, 16384);
    browser.click("#connected", "site");
    browser.until("document.querySelector('dialog .contexts tbody tr')");
    let context = browser.text("dialog .contexts tbody tr");
    for told in ["1: Verification", "Implicit VR Little Endian", "accepted", "SCU"] {
        assert!(context.contains(told), "{told}: {context}");
    }
    browser.click("dialog", "Block …");
    let of = browser.run("return [...document.querySelector('dialog select').options].map(one => one.value).find(one => one.startsWith('certificate:sha256:'))");
    let of = of.as_str().expect("the certificate among what can be blocked").to_owned();
    browser.answer(&[("of", &of), ("reason", "laptop stolen")]);
    is_said(&browser, "is blocked");
    assert_eq!([requestor.expect(upper::ABORT), acceptor.expect(upper::ABORT)], [ABORTED, ABORTED]);
    let blocked = scene.done("block", "anna", "success");
    assert!(blocked["explanation"].as_str().is_some_and(|what| what.ends_with(&of)), "{blocked}");
    assert_eq!(rejection(&gate.tls(), &request), REJECTED);
    browser.click("dialog", "Close");
    browser.until("document.querySelector('#refused').innerText.includes('laptop stolen')");
    browser.click("#blocked", "Unblock …");
    browser.answer(&[]);
    scene.done("unblock", "anna", "success");
    browser.until("document.querySelector('#blocked .nobody').offsetParent");
    // Who may come again is ended once more, this time with its association.
    let (mut requestor, _acceptor) = raw::open(&gate.tls(), &scene.upstream, &request, 16384);
    browser.click("#connected", "Abort …");
    browser.answer(&[("when", "at-once"), ("reason", "wrong study")]);
    assert_eq!(requestor.expect(upper::ABORT), ABORTED);
    let closed = gate.record("the order", |record| {
        let reason = record["reason"].as_str().unwrap_or_default();
        record["event"] == "association-closed" && reason.starts_with("ended-by-administrator: ")
    });
    assert!(closed["reason"].as_str().is_some_and(|why| why.ends_with("by anna: wrong study")), "{closed}");
    scene.done("abort", "anna", "success");
}

#[test]
fn an_operator_sees_who_there_is_and_nobody_what_they_prove_it_by() {
    let scene = Scene::start("");
    let browser = shown(&scene, "http");
    log_in(&browser, "anna", PASSCODE, &scene.code());
    // It is asked for once it is on the screen, where what is above it comes and moves it away.
    browser.until(
        "(document.getElementById('people').scrollIntoView(), document.querySelectorAll('#users tbody tr').length === 3)",
    );
    let anna = browser.text("#users tbody tr");
    for told in ["anna", "passcode and one-time code", "operator"] {
        assert!(anna.contains(told), "{told}: {anna}");
    }
    assert!(browser.text("#issuers").contains("The configuration has no [[issuer]]."));
    scene.change("nora", |user| user.disabled = true);
    let listed = "return fetch('/api/v1/users').then(answer => answer.json())";
    let users = wait::until("the change", || {
        let users = browser.run(listed);
        (users[1]["disabled"] == true).then_some(users)
    });
    assert_eq!((&users[1]["name"], &users[1]["roles"]), (&json!("nora"), &json!(["reader"])));
    assert_eq!((&users[0]["one-time-code"], &users[2]["administration"]), (&json!(true), &json!("viewer")));
    let text = users.to_string();
    assert!(!text.contains("argon2") && !text.contains("hash"), "{text}");
    let viewer = shown(&scene, "http");
    log_in(&viewer, "vera", PASSCODE, "");
    viewer.until("document.querySelector('#who').innerText.startsWith('vera · viewer')");
    let denied = viewer.run("return fetch('/api/v1/users').then(answer => answer.status)");
    assert_eq!(denied, json!(403));
    assert_eq!(viewer.run("return document.getElementById('users').offsetParent === null"), json!(true));
}

#[test]
fn a_viewer_sees_no_button_that_is_not_theirs_and_is_told_where_one_would_be() {
    let scene = Scene::start("");
    let browser = shown(&scene, "http");
    log_in(&browser, "vera", PASSCODE, "");
    let (_requestor, _acceptor) =
        raw::open(&scene.gate.plain(), &scene.upstream, &verification("SITE", "PACS"), 16384);
    browser.until("document.querySelector('#connected tbody tr')");
    browser.until("document.querySelector('#archives tbody tr')");
    let buttons = browser.buttons();
    assert_eq!(buttons, ["Log out", "site"], "what a viewer may");
    browser.run("document.body.classList.add('operator')");
    browser.click("#connected", "Abort …");
    browser.answer(&[]);
    is_said(&browser, "Abort is for the role operator, and vera is viewer.");
    assert_eq!(scene.done("abort", "vera", "refused")["role"], "viewer");
    let drained =
        browser.run("return fetch('/api/v1/drain', { method: 'POST' }).then(answer => answer.status)");
    assert_eq!(drained, json!(403));
    scene.done("drain", "vera", "refused");
}

#[test]
fn who_is_somebody_no_longer_is_told_and_logs_in_again_before_the_same_screen() {
    let scene = Scene::start("");
    let browser = shown(&scene, "http");
    assert_eq!(browser.buttons(), ["Log in …", "Log in …"], "nothing else is there yet");
    log_in(&browser, "vera", PASSCODE, "");
    let (_requestor, _acceptor) =
        raw::open(&scene.gate.plain(), &scene.upstream, &verification("SITE", "PACS"), 16384);
    browser.until("document.querySelector('#connected tbody tr')");
    browser.run("document.querySelector('#connected tbody tr').dataset.before = 'yes'");
    scene.change("vera", |user| user.disabled = true);
    browser.until(OVER);
    assert_eq!(browser.text("h1"), "Session over");
    scene.change("vera", |user| user.disabled = false);
    browser.click("#silence", "Log in …");
    let name = browser.run("return document.querySelector('dialog form').user.value");
    assert_eq!(name, "vera", "who it was is known");
    browser.answer(&[("passcode", PASSCODE)]);
    browser.until("document.querySelector('#silence').innerText === ''");
    let kept = browser.run("return document.querySelector('#connected tbody tr').dataset.before");
    assert_eq!(kept, "yes", "what was shown stayed where it was");
    browser.click("header", "Log out");
    scene.done("logout", "vera", "success");
    browser.until("document.querySelector('h1').innerText === 'Not logged in'");
}

#[test]
fn whoever_was_wrong_too_often_is_told_how_long_to_wait() {
    let scene = Scene::start("");
    let browser = shown(&scene, "http");
    for _ in 0..5 {
        scene.log_in("vera", "another one altogether", "");
    }
    log_in(&browser, "vera", PASSCODE, "");
    is_said(&browser, "Too many attempts were wrong: wait ");
    assert_eq!(browser.text("h1"), "Not logged in");
}
