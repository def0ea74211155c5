//! The figures and drawings of the page, held against what the interface says and against what went through.

use serde_json::{Value, json};
use socket2::Socket;

use crate::administration;
use crate::association::Association;
use crate::browser::{Browser, tunnel};
use crate::command::Command;
use crate::full_disk::sink;
use crate::gate::{self, Gate, Setup, leaked};
use crate::object::Object;
use crate::process::closed_address;
use crate::raw::{rejection, verification};
use crate::site::{Site, openssl};
use crate::upper::Request;

fn shown(gate: &Gate) -> Browser {
    let browser = Browser::start();
    browser.open(&format!("http://{}/", tunnel(gate.site.path("admin.sock"))));
    browser.until("document.querySelector('#tiles .tile[href=\"#upstreams\"]')");
    browser
}

fn opened(gate: &Gate, calling: &str) -> Association {
    Association::open(&gate.plain(), &verification(calling, "PACS")).expect("an association")
}

/// Two peers with limits of their own, and a second upstream at which nobody listens.
fn limited() -> (Socket, Setup) {
    let (upstream, _) = sink();
    let (nobody, closed) = closed_address();
    let full =
        gate::peer("calling-ae-titles = [\"FULL\"]\nmax-associations = 1").replace("\"site\"", "\"full\"");
    let site = gate::peer("calling-ae-titles = [\"SITE\"]\nmax-associations = 8");
    let dead = format!(
        "[[upstream]]\nname = \"dead\"\naddresses = [\"{}\"]\nhealth = {{ echo = \"100ms\", rise = 1, fall = 1 }}\n",
        closed
    );
    let extra = leaked(format!("[admin]\nlisten = \"unix:admin.sock\"\n{dead}"));
    let setup = Setup {
        peers: format!("{full}\n{site}"),
        limits: "max-associations = 5",
        extra,
        ..Setup::plain(upstream)
    };
    (nobody, setup)
}

/// A figure of the tiles, what it is of, and what it means for the eye.
fn tile(browser: &Browser, of: &str) -> [String; 3] {
    let tile = format!("#tiles .tile[href='#{of}']");
    let kind = browser.run(&format!("return document.querySelector({tile:?}).className"));
    let kind = kind.as_str().expect("a class").trim_start_matches("tile").trim().to_owned();
    [browser.text(&format!("{tile} b")), browser.text(&format!("{tile} span")), kind]
}

#[test]
fn the_tiles_say_what_the_interface_says() {
    let site = Site::new();
    openssl(
        &site,
        "req -x509 -nodes -newkey rsa:2048 -days 2 -keyout short.key -out short.pem -subj /CN=short",
    );
    let listener = "[[listener]]\nname = \"second\"\naddress = \"127.0.0.1:0\"\nupstream = \"pacs\"\n[listener.tls]\n\
         certificate-chain = \"certs/short.pem\"\nprivate-key = \"certs/short.key\"\nclient-authentication = \"off\"\n";
    let (_nobody, setup) = limited();
    let gate = Gate::start_in(site, &Setup { extra: leaked(format!("{}{listener}", setup.extra)), ..setup });
    let mut open = [opened(&gate, "SITE"), opened(&gate, "SITE")];
    rejection(&gate.plain(), &verification("STRANGER", "PACS"));
    rejection(&gate.plain(), &verification("STRANGER", "PACS"));
    gate.because("upstream-down");
    let browser = shown(&gate);
    browser.until("document.querySelector('#tiles .tile[href=\"#upstreams\"] b').innerText === '1 down'");
    let status = administration::get(&gate, "/api/v1/status");
    assert_eq!(status["refusals"], json!(2));
    let texts = |texts: [&str; 3]| texts.map(str::to_owned);
    assert_eq!(tile(&browser, "refusals"), texts(["2", "refused in 5 minutes", "bad"]));
    assert_eq!(tile(&browser, "associations"), texts(["2", "connected, of 5", ""]));
    assert_eq!(tile(&browser, "upstreams"), texts(["1 down", "of 2 upstreams", "bad"]));
    assert_eq!(tile(&browser, "throughput")[1..], texts(["", "through the proxy now", ""])[1..]);
    let first = &status["ends-first"];
    let days = first["days"].as_i64().expect("days");
    let left = format!("{days} day{}", if days == 1 { "" } else { "s" });
    let what = format!("until {} ends", first["what"].as_str().expect("what ends"));
    assert!(what.contains("CN=short"), "{what}");
    assert_eq!(tile(&browser, "certificates"), [left, what, "bad".to_owned()]);
    open[0].release().expect("a release");
    browser.until("document.querySelector('#tiles .tile[href=\"#associations\"] b').innerText === '1'");
}

/// A meter by its name: what is written beside it, how full it is drawn, and its tone.
fn meter(browser: &Browser, of: &str) -> Value {
    browser.run(&format!(
        "const one = [...document.querySelectorAll('#used .meter')].find(one => one.querySelector('span').innerText === {of:?}); \
         return [one.querySelector('.figure').innerText, one.querySelector('.bar').style.width, \
                 one.querySelector('.bar').className.trim()]"
    ))
}

#[test]
fn the_meters_show_how_near_a_limit_is() {
    let (_nobody, setup) = limited();
    let gate = Gate::start(&setup);
    let _open = [opened(&gate, "FULL"), opened(&gate, "SITE"), opened(&gate, "SITE"), opened(&gate, "SITE")];
    let browser = shown(&gate);
    browser.run("document.getElementById('limits').scrollIntoView()");
    browser.until("document.querySelector('#used .meter')");
    assert_eq!(meter(&browser, "Associations"), json!(["4 of 5", "80%", "bar warn"]));
    assert_eq!(meter(&browser, "Associations of full"), json!(["1 of 1", "100%", "bar bad"]));
    assert_eq!(meter(&browser, "Associations of site"), json!(["3 of 8", "37.5%", "bar"]));
    let limits = administration::get(&gate, "/api/v1/limits");
    let memory = meter(&browser, "Memory for requests");
    assert_eq!(limits["request-memory"]["in-use"], json!(0));
    assert!(memory[0].as_str().is_some_and(|text| text.starts_with("0 B of ")), "{memory}");
    assert_eq!([&memory[1], &memory[2]], ["0%", "bar"]);
}

#[test]
fn the_button_of_an_upstream_asks_it_and_says_what_it_answered() {
    let (_nobody, setup) = limited();
    let gate = Gate::start(&setup);
    let browser = shown(&gate);
    let row = |name: &str| {
        format!(
            "[...document.querySelectorAll('#archives tbody tr')].find(one => one.innerText.startsWith({name:?}))"
        )
    };
    for (name, outcome) in [("pacs", "success"), ("dead", "failure")] {
        browser.until(&format!("{}?.querySelector('button')", row(name)));
        browser.run(&format!("{}.querySelector('button').click()", row(name)));
        let resource = format!("/api/v1/upstreams/{name}/echo");
        let record = gate.record("the C-ECHO", |record| record["resource"] == resource.as_str());
        assert_eq!([&record["action"], &record["outcome"]], ["echo", outcome], "{record}");
    }
    let said = |name: &str| format!("{}.querySelector('small[role=status]').innerText", row(name));
    browser.until(&format!("/^answered after \\d+ ms$/.test({})", said("pacs")));
    browser.until(&format!("/refused/i.test({})", said("dead")));
}

/// How many bytes a drawn area stands for: its rates, of which the highest is `most`, over the time between them.
const DRAWN: &str = "
    const path = document.querySelector('#routes svg path.in').getAttribute('d') ?? '';
    const [, value, unit] = /most ([\\d.]+) (\\w+)\\/s/.exec(document.querySelector('#routes .figure small').innerText) ?? [null, '0', 'B'];
    const most = value * { B: 1, kB: 1e3, MB: 1e6 }[unit];
    const points = [...path.matchAll(/([\\d.]+) ([\\d.]+)(?=L)/g)].map(([, x, y]) => [Number(x), Number(y)]).slice(1);
    return points.slice(1).reduce((sum, [x, y], at) => sum + (43 - y) / 41 * most * (x - points[at][0]), 0);
";

#[test]
fn what_is_drawn_of_a_route_is_as_much_as_went_through_it() {
    let (_nobody, setup) = limited();
    let gate = Gate::start(&setup);
    let browser = shown(&gate);
    browser.until("document.querySelector('#routes .nobody')");
    let object = Object::ct(4_000_000);
    let request = Request::new("SITE", "PACS").context(&object.sop_class, &[&object.transfer_syntax]);
    let mut association = Association::open(&gate.plain(), &request).expect("an association");
    browser.until("document.querySelector('#routes .route')");
    let store = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    association.send(1, &store, Some(&object.data_set)).expect("an object that is taken");
    assert_eq!(association.status().expect("a response"), 0);
    // All of it is drawn once nothing goes through any more.
    browser.until(
        "/[kM]B.s/.test(document.querySelector('#routes .figure small').innerText) && \
         document.querySelector('#routes .figure span').innerText === '0 B/s'",
    );
    assert_eq!(browser.text("#routes .route b"), "site → pacs");
    let label = browser.run("return document.querySelector('#routes svg').getAttribute('aria-label')");
    assert_eq!(label, "Throughput of site → pacs");
    // 300 units of width are 5 minutes, so that one is a second.
    let drawn = browser.run(DRAWN).as_f64().expect("bytes");
    let sent = object.data_set.len() as f64;
    assert!((0.8..1.25).contains(&(drawn / sent)), "{drawn} of {sent}");
    // What came back is far less, and is drawn to the same measure.
    let back = browser.run("return document.querySelector('#routes svg path.out').getAttribute('d') ?? ''");
    let heights =
        back.as_str().expect("a path").split(['L', 'M']).filter_map(|point| point.split(' ').nth(1));
    assert!(heights.filter_map(|y| y.trim_end_matches('Z').parse::<f64>().ok()).all(|y| y > 42.0), "{back}");
    assert_eq!(tile(&browser, "throughput")[0], "0 B/s");
    association.release().expect("a release");
}
