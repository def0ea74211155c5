//! Who is told, by a hook or a command, what they should look at.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use aws_lc_rs::hmac;
use serde_json::Value;

use crate::administration;
use crate::gate::{self, Gate, Ran, Setup, leaked};
use crate::peers;
use crate::process::{self, Process};
use crate::raw::{self, Upstream, verification};
use crate::site::{Site, openssl};
use crate::upper;
use crate::wait;

/// Somebody who is told, and answers each time as it is to.
pub struct Hook(TcpListener);

/// What came: the head in lower case, and the body.
pub struct Told {
    head: String,
    body: String,
}

impl Hook {
    pub fn bind() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        let address = listener.local_addr().expect("its address");
        (Self(listener), address)
    }

    pub fn told(&self, answer: &str) -> Told {
        let (mut socket, _) = wait::until("somebody who tells", || self.0.accept().ok());
        socket.set_nonblocking(false).expect("a socket that waits");
        let (mut text, mut piece) = (Vec::new(), [0; 4096]);
        loop {
            let count = socket.read(&mut piece).expect("a request");
            text.extend_from_slice(&piece[..count]);
            let whole = String::from_utf8(text.clone()).expect("text");
            let Some((head, body)) = whole.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
            if body.len() == length.parse::<usize>().expect("a number") {
                socket
                    .write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes())
                    .expect("an answer");
                return Told { head, body: body.to_owned() };
            }
        }
    }
}

impl Told {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

#[test]
fn a_hook_is_told_of_a_start_and_of_a_refused_configuration_with_a_signature() {
    let (hook, address) = Hook::bind();
    let upstream = Upstream::bind();
    let extra = leaked(format!(
        "[[notify]]\nname = \"on-call\"\nurl = \"http://{address}/told\"\nwhen = [\"restarted\", \"configuration-refused\"]\n\
         secret-file = \"conf/audit.key\"\n"
    ));
    let setup = Setup { extra, ..Setup::plain(upstream.address) };
    let gate = Gate::start(&setup);
    let started = hook.told("204 No Content");
    assert!(started.head.starts_with("post /told http/1.1\r\n"), "{}", started.head);
    let told = started.json();
    assert_eq!(
        (&told["occasion"], &told["notification"]),
        (&"restarted".into(), &"on-call".into()),
        "{told}"
    );
    gate.reload(&setup.toml().replace("upstream = \"pacs\"", "upstream = \"paxs\""));
    let refused = hook.told("200 OK");
    let told = refused.json();
    assert_eq!((&told["occasion"], &told["count"]), (&"configuration-refused".into(), &1.into()), "{told}");
    let problem = &gate.event("configuration-refused")["problems"][0];
    assert_eq!(&told["explanation"], problem);
    let secret = fs::read(gate.site.path("conf/audit.key")).expect("the key");
    let secret = secret.strip_suffix(b"\n").unwrap_or(&secret);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), refused.body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(refused.head.contains(&format!("\r\ndimsegate-signature: sha256={hex}")), "{}", refused.head);
}

#[test]
fn two_peers_that_break_the_protocol_are_told_apart() {
    let (hook, address) = Hook::bind();
    let upstream = Upstream::bind();
    let extra = leaked(format!(
        "[[notify]]\nname = \"on-call\"\nurl = \"http://{address}/told\"\nwhen = [\"security-alert\"]\n"
    ));
    let site = gate::peer("calling-ae-titles = [\"SITE\"]");
    let peers =
        format!("{site}\n{}", gate::peer("calling-ae-titles = [\"LYON\"]").replace("\"site\"", "\"lyon\""));
    let gate = Gate::start(&Setup { extra, peers, ..Setup::plain(upstream.address) });
    for title in ["SITE", "SITE", "LYON"] {
        let (mut requestor, _acceptor) =
            raw::open(&gate.plain(), &upstream, &verification(title, "PACS"), 16384);
        // A second association request.
        requestor.send(&verification(title, "PACS").encode());
        requestor.expect(upper::ABORT);
    }
    let mut told = [hook.told("200 OK").json(), hook.told("200 OK").json()].map(|told| {
        assert_eq!(told["reason"], "protocol-error", "{told}");
        (told["peer"].as_str().expect("a peer").to_owned(), told["count"].as_u64())
    });
    told.sort();
    assert_eq!(told[0], ("lyon".to_owned(), Some(1)));
    assert_eq!(told[1].0, "site", "the first time, or both, and not again within repeat");
}

/// What the hook of tests/peers/hook.py has printed: its port, then what it was told.
fn printed(hook: &Process) -> Vec<String> {
    let output = hook.output();
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(str::to_owned).collect()
}

#[test]
fn a_hook_of_another_implementation_is_told_over_tls_and_one_of_a_strangers_ca_is_not() {
    let site = Site::new();
    let start = |certificate: &str| {
        let mut command = peers::python("hook.py");
        let files =
            [format!("certs/{certificate}.pem"), format!("certs/{certificate}.key"), "conf/audit.key".into()];
        command.args(files.map(|file| site.text(&file)));
        let mut hook = Process::start(command, &site.path(&format!("{certificate}.log")));
        let port = wait::until("the hook", || {
            assert!(hook.ended().is_none(), "{}", hook.output());
            printed(&hook).first()?.parse::<u16>().ok()
        });
        (hook, port)
    };
    let ((hook, port), (stranger, elsewhere)) = (start("server"), start("stranger"));
    let upstream = Upstream::bind();
    let table = |name: &str, port: u16| {
        format!(
            "[[notify]]\nname = \"{name}\"\nurl = \"https://localhost:{port}/told\"\nwhen = [\"restarted\"]\n\
             secret-file = \"conf/audit.key\"\n[notify.tls]\nca = \"certs/ca.pem\"\n"
        )
    };
    let extra = leaked(format!(
        "[admin]\nlisten = \"unix:admin.sock\"\n{}{}",
        table("known", port),
        table("other", elsewhere)
    ));
    let gate = Gate::start_in(site, &Setup { extra, ..Setup::plain(upstream.address) });
    let told = wait::until("the message", || printed(&hook).get(1).cloned());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((&told["path"], &told["type"]), (&"/told".into(), &"application/json".into()));
    assert_eq!(
        (&told["signed"], &told["message"]["occasion"]),
        (&true.into(), &"restarted".into()),
        "{told}"
    );
    let refused = gate::run(&gate.site, &["notify", "-c", "dimsegate.toml", "other"]);
    assert!(refused.status == 69 && refused.err.contains("certificate"), "{}", refused.err);
    assert_eq!(printed(&stranger).len(), 1, "nothing but its port: {:?}", printed(&stranger));
}

#[test]
fn a_command_is_told_of_an_upstream_that_is_down_and_runs_without_a_shell() {
    let upstream = Upstream::bind();
    let site = Site::new();
    let (program, file) = (site.path("tell"), site.path("told $HOME.json"));
    fs::write(&program, "#!/bin/sh\ncat > \"$1-new\" && mv \"$1-new\" \"$1\"\n").expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("its mode");
    let extra = leaked(format!(
        "[[notify]]\nname = \"pager\"\ncommand = [{:?}, {:?}]\nwhen = [\"upstream-down\"]\n",
        program.display().to_string(),
        file.display().to_string()
    ));
    let keys = "health = { echo = \"100ms\", rise = 1, fall = 1 }";
    let setup = Setup { extra, upstream_keys: keys, ..Setup::plain(upstream.address) };
    drop(upstream);
    let gate = Gate::start_in(site, &setup);
    let told = wait::until("what the command was told", || fs::read_to_string(&file).ok());
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (&told["occasion"], &told["reason"]),
        (&"upstream-down".into(), &"upstream-down".into()),
        "{told}"
    );
    let alert = gate.record("the alert", |record| record["reason"] == "upstream-down");
    assert_eq!(alert["about"], "pacs");
    assert_eq!(told["explanation"], alert["explanation"]);
}

#[test]
fn a_notification_can_be_tried_and_says_what_did_not_work() {
    let (hook, address) = Hook::bind();
    let upstream = Upstream::bind();
    let extra = leaked(format!(
        "[admin]\nlisten = \"unix:admin.sock\"\n[[notify]]\nname = \"on-call\"\nurl = \"http://{address}/told\"\nwhen = [\"disk\"]\n"
    ));
    let gate = Gate::start(&Setup { extra, ..Setup::plain(upstream.address) });
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| hook.told("302 Found"));
        let ran = gate::run(&gate.site, &["notify", "-c", "dimsegate.toml", "on-call"]);
        assert_eq!(ran.status, 69);
        assert!(ran.err.contains("the hook answers 302 Found; redirections are not followed"), "{}", ran.err);
        told.join().expect("the hook")
    });
    assert!(told.json()["explanation"].as_str().is_some_and(|text| text.contains("this is a test")));
    std::thread::scope(|scope| {
        scope.spawn(|| hook.told("200 OK"));
        let ran = gate::run(&gate.site, &["notify", "-c", "dimsegate.toml", "on-call"]);
        assert_eq!((ran.status, ran.out.as_str()), (0, "\"on-call\" was told\n"), "{}", ran.err);
    });
    let ran = gate::run(&gate.site, &["notify", "-c", "dimsegate.toml", "nobody"]);
    assert!(ran.status == 69 && ran.err.contains("has no [[notify]] of this name"), "{}", ran.err);
}

#[test]
fn whoever_comes_in_vain_is_told_once_with_how_often() {
    let (hook, address) = Hook::bind();
    let upstream = Upstream::bind();
    let extra = leaked(format!(
        "[[notify]]\nname = \"on-call\"\nurl = \"http://{address}/told\"\nwhen = [\"refusals\"]\n"
    ));
    let peers = gate::peer("calling-ae-titles = [\"SITE\"]");
    let gate = Gate::start(&Setup { extra, peers, ..Setup::plain(upstream.address) });
    raw::rejection(&gate.plain(), &verification("LYON", "PACS"));
    let told = hook.told("200 OK").json();
    let refused = gate.event("association-rejected");
    assert_eq!(
        [&told["occasion"], &told["reason"]],
        [&Value::from("refusals"), &refused["reason"]],
        "{told}"
    );
    assert_eq!((&told["explanation"], &told["count"]), (&refused["explanation"], &1.into()), "{told}");
}

#[test]
fn a_certificate_that_ends_in_days_is_told_at_the_start_and_by_status_to_every_monitor() {
    let (hook, address) = Hook::bind();
    let (site, upstream) = (Site::new(), Upstream::bind());
    openssl(
        &site,
        "req -x509 -nodes -newkey rsa:2048 -days 6 -keyout short.key -out short.pem -subj /CN=short",
    );
    let extra = leaked(format!(
        "[admin]\nlisten = \"unix:admin.sock\"\n\
         [[notify]]\nname = \"on-call\"\nurl = \"http://{address}/told\"\nwhen = [\"certificate-ends\"]\n"
    ));
    let listener_tls = "certificate-chain = \"certs/short.pem\"\nprivate-key = \"certs/short.key\"\n\
                        client-authentication = \"required\"\nclient-ca = \"certs/ca.pem\"";
    let gate = Gate::start_in(site, &Setup { extra, listener_tls, ..Setup::tls(upstream.address) });
    let told = hook.told("200 OK").json();
    assert_eq!(
        [&told["occasion"], &told["reason"]],
        [&Value::from("certificate-ends"), &Value::from("certificate-ending")],
        "{told}"
    );
    let what = told["explanation"].as_str().expect("a sentence");
    assert!(what.contains("CN=short in certs/short.pem ends on "), "{what}");
    let shown = |more: &str| gate::run(&gate.site, &["status", "-c", "dimsegate.toml", more]);
    let nagios = shown("--nagios");
    assert!(nagios.status == 1 && nagios.out.starts_with("DIMSEGATE WARNING - "), "{}", nagios.out);
    assert!(nagios.out.contains("CN=short ends on ") && nagios.out.contains(" days_to_certificate_end="));
    let prtg = shown("--prtg");
    let sensor = serde_json::from_str::<Value>(&prtg.out).expect("JSON")["prtg"].take();
    assert!(sensor["text"].as_str().is_some_and(|text| text.contains("CN=short ends on ")), "{sensor}");
    let problems = &sensor["result"][0];
    assert_eq!((&problems["channel"], &problems["value"]), (&"Problems".into(), &"1".into()), "{sensor}");
    assert_eq!(
        (prtg.status, &problems["warning"], &sensor["error"]),
        (0, &1.into(), &Value::Null),
        "{sensor}"
    );
    let Ran { status, out, .. } = gate::run(&gate.site, &["status", "--socket", "none.sock", "--prtg"]);
    let sensor = serde_json::from_str::<Value>(&out).expect("JSON")["prtg"].take();
    assert_eq!((status, &sensor["error"]), (0, &1.into()));
    assert!(sensor["text"].as_str().is_some_and(|text| text.contains("no dimsegate answers")), "{sensor}");
}

#[test]
fn a_viewer_sees_neither_the_secret_of_a_hook_nor_the_arguments_of_a_command() {
    let upstream = Upstream::bind();
    let listen = process::free_address();
    let notify = |url: &str| {
        let tls = if url.starts_with("https") { "[notify.tls]\nca = \"certs/ca.pem\"\n" } else { "" };
        leaked(format!(
            "[admin]\nlisten = [\"unix:admin.sock\", \"{listen}\"]\n\
             [[notify]]\nname = \"on-call\"\nurl = \"{url}/services/T0/s3cret?key=s3cret\"\nwhen = [\"disk\"]\n{tls}\
             [[notify]]\nname = \"pager\"\ncommand = [\"/bin/true\", \"--key\", \"s3cret\"]\nwhen = [\"disk\"]\n"
        ))
    };
    let setup = |url: &str| Setup { extra: notify(url), ..Setup::plain(upstream.address) };
    let gate = Gate::start(&setup("https://hooks.example:8443"));
    let look = |path: &str| {
        let mut stream = std::net::TcpStream::connect(listen).expect("the interface");
        administration::exchange(&mut stream, "GET", path, "", "").body
    };
    assert_eq!(look("/api/v1/session")["role"], "viewer");
    let keys = look("/api/v1/configuration")["keys"].take();
    assert_eq!(keys["notify \"on-call\".url"], "\"https://hooks.example:8443/…\"");
    assert_eq!(keys["notify \"pager\".command"], "[\"/bin/true\", \"hidden\"]");
    assert!(!keys.to_string().contains("s3cret"), "{keys}");
    assert!(!look("/api/v1/notifications").to_string().contains("s3cret"));
    // Records go to viewers too, and what is wrong with a configuration is in one.
    gate.reload(&setup("http://hooks.example").toml());
    let refused = gate.event("configuration-refused")["problems"].to_string();
    assert!(refused.contains("hooks.example/…") && !refused.contains("s3cret"), "{refused}");
    assert!(!look("/api/v1/status").to_string().contains("s3cret"));
    assert!(!gate.output().contains("s3cret"), "{}", gate.output());
}

#[test]
fn a_hook_that_never_answers_and_one_that_leads_in_a_circle_hold_up_nobody() {
    let [(silent, never), (circle, round), (well, quick)] = [Hook::bind(), Hook::bind(), Hook::bind()];
    let upstream = Upstream::bind();
    let notify = |name: &str, address: SocketAddr| {
        format!(
            "[[notify]]\nname = \"{name}\"\nurl = \"http://{address}/told\"\nwhen = [\"restarted\", \"configuration-refused\"]\n"
        )
    };
    let extra =
        [("never", never), ("round", round), ("quick", quick)].map(|(name, at)| notify(name, at)).concat();
    let setup = Setup { extra: leaked(extra), ..Setup::plain(upstream.address) };
    let mut gate = Gate::start(&setup);
    assert_eq!(well.told("204 No Content").json()["occasion"], "restarted");
    let (asked, _) = wait::until("the one that is not answered", || silent.0.accept().ok());
    let turned = format!("302 Found\r\nLocation: http://{round}/again");
    // Whoever followed would ask for the other path, at once and without end; so it is tried again, a few times.
    for _ in 0..2 {
        let head = circle.told(&turned).head;
        assert!(head.starts_with("post /told http/1.1\r\n"), "{head}");
    }
    assert!(gate.output().contains("the hook answers 302 Found; redirections are not followed"));
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    gate.reload(&setup.toml().replace("upstream = \"pacs\"", "upstream = \"paxs\""));
    assert_eq!(well.told("204 No Content").json()["occasion"], "configuration-refused");
    assert!(gate.stop().success(), "a stop waits for no hook");
    drop(asked);
}
