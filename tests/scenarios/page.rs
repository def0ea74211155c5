//! What an administrator sees of a running proxy in a browser.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::browser::{Browser, ENTER, ESCAPE, tunnel};
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::{self, Archive};
use crate::raw::{Peer, verification};
use crate::upper;

const SOCKET: &str = "[admin]\nlisten = \"unix:admin.sock\"\n";

/// A proxy that knows LYON alone, before a storescp, with an association that is open and two that were refused.
struct Scene {
    gate: Gate,
    open: Option<Peer>,
    archive: Archive,
}

/// 16 characters, as many as an AE title has.
const MARKUP: &str = "<script>x</scrip";

impl Scene {
    fn set(extra: &'static str) -> Self {
        let archive = peers::storescp(&[]);
        let peers = gate::peer("calling-ae-titles = [\"LYON\"]");
        let gate = Gate::start(&Setup { peers, extra, ..Setup::plain(archive.address) });
        let (_folder, files) = peers::files_of(&[Object::ct(100_000)]);
        peers::requestor("storescu", gate.address, &["-xe", "-aet", "LYON", "-aec", "PACS"], &[&files[0]])
            .expect_success();
        let mut open = Peer::connect(&gate.plain());
        open.send(&verification("LYON", "PACS").encode());
        open.associate(upper::ASSOCIATE_AC);
        for calling in [MARKUP, "STRANGER"] {
            let refused = peers::requestor("echoscu", gate.address, &["-aet", calling, "-aec", "PACS"], &[]);
            assert!(!refused.success, "{}", refused.output);
        }
        Self { gate, open: Some(open), archive }
    }

    /// Through the socket, where this user is an administrator.
    fn shown(&self) -> Browser {
        let browser = Browser::start();
        browser.open(&format!("http://{}/", tunnel(self.gate.site.path("admin.sock"))));
        browser.until("document.querySelectorAll('#refused article').length === 2");
        browser.until("document.querySelector('#connected tbody tr')");
        browser
    }
}

#[test]
fn what_was_refused_is_shown_with_what_would_let_it_in_and_is_replayed_in_place() {
    let scene = Scene::set(SOCKET);
    let browser = scene.shown();
    assert!(browser.text("h1").starts_with("Running"), "{}", browser.text("h1"));
    let refused = browser.text("#refused article:first-child");
    let toml = fs::read_to_string(scene.gate.site.path("dimsegate.toml")).expect("the configuration");
    let is_key = |line: &str| line.starts_with("calling-ae-titles = [\"LYON\"]");
    let line = 1 + toml.lines().position(is_key).expect("the key that refuses");
    for told in [
        "“STRANGER” to “PACS”",
        "calling-ae-title-unknown",
        &format!("Nearest: peer site; calling-ae-titles (line {line} of the configuration) does not fit."),
        "add \"STRANGER\" to the calling-ae-titles",
    ] {
        assert!(refused.contains(told), "{told}: {refused}");
    }
    browser.run("document.querySelector('#refused article button').click()");
    browser.until(
        "document.querySelector('#refused article .answer').innerText.includes('It would be refused again')",
    );
    let explained = scene.gate.record("the replay", |record| record["action"] == "explain");
    assert_eq!(explained["outcome"], "success");
    // What would let it in does so.
    let looser = Setup { peers: gate::peer(""), extra: SOCKET, ..Setup::plain(scene.archive.address) };
    scene.gate.reload(&looser.toml());
    scene.gate.record("the reload", |record| record["previous-configuration"].is_string());
    browser.run("document.querySelector('#refused article button').click()");
    browser.until(
        "document.querySelector('#refused article .answer').innerText.includes('It would be let in now')",
    );
    let markup = browser.text("#refused article:nth-child(2)");
    assert!(markup.contains(&format!("“{MARKUP}” to “PACS”")), "it is text: {markup}");
    assert_eq!(browser.run("return document.scripts.length"), 1);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn who_is_connected_is_a_story_and_the_end_of_it_is_told() {
    let mut scene = Scene::set(SOCKET);
    let browser = scene.shown();
    let row = browser.text("#connected tbody tr");
    for told in ["site", "“LYON” to “PACS”", "127.0.0.1", "pacs", "waits for the requestor"] {
        assert!(row.contains(told), "{told}: {row}");
    }
    browser.run("document.querySelector('#connected tbody button').click()");
    browser.until("document.querySelector('dialog[open] dl')");
    scene.open.take().expect("the open one").release();
    browser.until("document.querySelector('dialog').innerText.includes('It has ended')");
    assert!(browser.text("dialog").contains("dimsegate audit show"), "{}", browser.text("dialog"));
    browser.run("[...document.querySelectorAll('dialog button')].at(-1).click()");
    browser.until("!document.querySelector('dialog').open");
    browser.until("document.querySelector('#connected .nobody').offsetParent");
    browser.until("document.querySelector('#records').textContent.includes('association-closed')");
    // The story asks until it is over, and is told so.
    let console = browser.console();
    assert!(
        console.iter().all(|line| line.contains("/api/v1/associations/") && line.contains("404")),
        "{console:?}"
    );
}

#[test]
fn everything_is_reached_by_the_keyboard_and_the_way_back_too() {
    let scene = Scene::set(SOCKET);
    let browser = scene.shown();
    browser.tab_to("at.innerText === 'Replay' && at.closest('#refused')");
    browser.press(ENTER);
    browser.until(
        "document.querySelector('#refused article .answer').innerText.includes('It would be refused again')",
    );
    browser.tab_to("at.innerText === 'site' && at.closest('#connected')");
    browser.press(ENTER);
    browser.until("document.querySelector('dialog[open] .contexts tbody tr')");
    // Inside of the story, and nowhere else.
    browser.tab_to("at.innerText === 'Abort …' && at.closest('dialog')");
    browser.press(ESCAPE);
    browser.until("!document.querySelector('dialog').open");
    browser.until("document.activeElement.innerText === 'site'");
    browser.tab_to("at.innerText === 'Abort …' && at.closest('#connected')");
    browser.press(ENTER);
    browser.until("document.querySelector('dialog[open] form')");
    browser.tab_to("at.name === 'reason'");
    "wrong study".chars().for_each(|letter| browser.press(letter));
    browser.press(ENTER);
    let ended = scene.gate.record("the order", |record| {
        record["reason"].as_str().is_some_and(|reason| reason.ends_with(": wrong study"))
    });
    assert_eq!(ended["event"], "association-closed");
}

#[test]
fn a_page_before_which_nothing_happens_is_sent_next_to_nothing() {
    let scene = Scene::set(SOCKET);
    let browser = scene.shown();
    // Of each resource what the last look at it took, head and all; 304 has no content.
    let looked = "performance.getEntriesByType('resource').filter(one => /\\/v1\\/(status|associations|refusals|upstreams)/.test(one.name))";
    browser.until(&format!("{looked}.filter(one => one.name.includes('/changes?since=')).length > 1"));
    let of = |resource: &str, value: &str| {
        browser.run(&format!("return {looked}.filter(one => one.name.includes({resource:?})).at(-1).{value}"))
    };
    assert_eq!(of("/refusals", "responseStatus"), 304);
    let bytes: u64 = ["/status", "/changes", "/refusals", "/upstreams"]
        .map(|resource| of(resource, "transferSize").as_u64().expect("bytes"))
        .iter()
        .sum();
    assert!(bytes < 5_000, "{bytes} bytes for a look at what has not changed");
    assert!(of("/changes", "encodedBodySize").as_u64().expect("bytes") < 100);
}

#[test]
fn an_administrator_reloads_and_drains_from_the_page() {
    let mut scene = Scene::set(SOCKET);
    let browser = scene.shown();
    browser.click("header", "Reload …");
    browser.answer(&[]);
    browser
        .until("/^Configuration [0-9a-f]+ is in force.$/.test(document.querySelector('dialog p').innerText)");
    let loaded = scene.gate.record("the reload", |record| record["through"] == "administration");
    assert!(loaded["user"].is_string(), "{loaded}");
    browser.click("dialog", "Close");
    browser.click("header", "Drain …");
    browser.answer(&[]);
    browser.until("document.querySelector('dialog p').innerText.startsWith('It stops.')");
    scene.gate.record("the drain", |record| record["action"] == "drain" && record["outcome"] == "success");
    drop(scene.open.take());
    assert!(scene.gate.wait().success());
}

#[test]
fn it_is_for_everybody_in_both_themes_and_on_a_phone() {
    let scene = Scene::set(SOCKET);
    let browser = scene.shown();
    let axe = peers::peers_folder().join("node/node_modules/axe-core/axe.min.js");
    browser.run(&fs::read_to_string(&axe).expect("axe-core, which tests/run installs"));
    // What is asked for once it is on the screen.
    for section in ["certificates", "limits", "peers", "people", "configuration"] {
        browser.run(&format!("document.getElementById('{section}').scrollIntoView()"));
        browser.until(&format!(
            "[...document.querySelectorAll('#{section} tbody tr, #{section} .meter, #{section} .nobody')].some(one => one.offsetParent)"
        ));
    }
    // A name that is long.
    let of = format!("certificate:sha256:{}", "0123456789abcdef".repeat(4));
    browser.click("#blocks", "Block somebody …");
    browser.answer(&[("of", &of), ("reason", "lost")]);
    browser.click("dialog", "Close");
    browser.until("document.querySelector('#blocked tbody tr')");
    is_for_everybody(&browser, "page");
    browser.click("#connected", "site");
    browser.until("document.querySelector('dialog .contexts tbody tr')");
    is_for_everybody(&browser, "story");
    browser.click("dialog", "Block …");
    is_for_everybody(&browser, "question");
}

/// A picture of this many bytes shows something: one of an empty screen has a few thousand.
const SHOWN: usize = 12_000;

/// In both themes, at a desk's width, that at 200 % of zoom, a tablet's and a phone's: axe-core finds nothing, nothing goes beyond the screen, and what is on
/// it is drawn. For people to look at, the pictures are left in the folder that DIMSEGATE_PICTURES names.
pub fn is_for_everybody(browser: &Browser, what: &str) {
    let mut pictures = Vec::new();
    for theme in ["light", "dark"] {
        browser.theme(theme);
        for width in [1280, 820, 640, 360] {
            browser.width(width);
            let found = browser.run(
                "return axe.run({ resultTypes: ['violations'] }).then(run => run.violations.map(one => \
                 `${one.id}: ${one.nodes.map(node => node.html).join(' ')}`))",
            );
            assert_eq!(found, serde_json::json!([]), "{what}, {theme}, {width}");
            let wide = browser
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wide, 0, "{what}: sideways at {width}");
            pictures.push(drawn(browser, &format!("{what}-{theme}-{width}.png")));
        }
    }
    let (light, dark) = pictures.split_at(pictures.len() / 2);
    assert!(light.iter().zip(dark).all(|(light, dark)| light != dark), "{what}: one theme is the other");
}

fn drawn(browser: &Browser, name: &str) -> Vec<u8> {
    let picture = browser.picture();
    if let Some(folder) = std::env::var_os("DIMSEGATE_PICTURES") {
        fs::write(std::path::Path::new(&folder).join(name), &picture).expect("a picture written");
    }
    assert!(picture.len() > SHOWN, "{name}: {} bytes", picture.len());
    picture
}

#[test]
fn a_proxy_that_is_gone_is_told_and_one_that_is_back_is_shown_again() {
    let extra = SOCKET;
    let setup = Setup { extra, ..Setup::plain(crate::process::free_address()) };
    let mut gate = Gate::start(&setup);
    let browser = Browser::start();
    browser.open(&format!("http://{}/", tunnel(gate.site.path("admin.sock"))));
    browser.until("document.querySelector('h1').innerText === 'Running, all is well'");
    assert!(gate.stop().success());
    browser.until(
        "/^No answer since [0-9:]+; trying again.$/.test(document.querySelector('#silence').innerText)",
    );
    assert_eq!(browser.text("h1"), "No answer");
    let _gate = Gate::start_in(gate.site, &setup);
    browser.until("document.querySelector('#silence').innerText === ''");
    assert_eq!(browser.text("h1"), "Running, all is well");
}

fn fetch(address: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the interface");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).expect("a request written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn its_files_are_small_and_bound_to_themselves() {
    let archive = crate::process::free_address();
    let address = crate::process::free_address();
    let extra = gate::leaked(format!("[admin]\nlisten = \"{address}\"\n"));
    let gate = Gate::start(&Setup { extra, ..Setup::plain(archive) });
    let mut bytes = 0;
    for (path, kind, kept) in [
        ("/", "text/html", "no-store"),
        ("/page.css", "text/css", "no-cache"),
        ("/page.js", "text/javascript", "no-cache"),
    ] {
        let answer = fetch(address, path, "");
        bytes += answer.len();
        let head = answer.split("\r\n\r\n").next().expect("a head").to_ascii_lowercase();
        for field in [
            format!("content-type: {kind}"),
            format!("cache-control: {kept}"),
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                .to_owned(),
            "x-content-type-options: nosniff".to_owned(),
            "referrer-policy: no-referrer".to_owned(),
        ] {
            assert!(head.contains(&field), "{path}: {field}\n{head}");
        }
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
        let again = fetch(address, path, &format!("If-None-Match: {tag}\r\n"));
        assert!(again.starts_with("HTTP/1.1 304 "), "{again}");
    }
    for path in [
        "status",
        "associations",
        "refusals",
        "upstreams",
        "certificates",
        "limits",
        "peers",
        "issuers",
        "configuration",
    ] {
        bytes += fetch(address, &format!("/api/v1/{path}"), "").len();
    }
    assert!(bytes < 100_000, "{bytes} bytes");
    assert_eq!(fetch(address, "/page.rs", "").split(' ').nth(1), Some("404"));
    drop(gate);
}
