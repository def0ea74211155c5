//! What a reviewer makes of the records: search, show, and a page that is looked at in a browser.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::command;
use crate::gate::{self, Gate, Setup, peer};
use crate::process::{self, Finished};
use crate::raw::{self, Upstream, verification};
use crate::scratch::Scratch;

/// Legal as an AE title (PS3.5 §6.2), and markup where somebody forgets to escape.
const HOSTILE: &str = "<i>SITE</i>";

/// One association of a hostile AE title with an echo, one refused, and the proxy stopped.
fn recorded() -> Gate {
    let upstream = Upstream::bind();
    let peers = peer("calling-ae-titles = [\"<*\"]");
    let mut gate = Gate::start(&Setup { peers, ..Setup::tls(upstream.address) });
    let (mut requestor, mut acceptor) =
        raw::open(&gate.tls(), &upstream, &verification(HOSTILE, "PACS"), 16384);
    requestor.send_message(1, &command::Command::c_echo_rq(1), None, 16384);
    let message = acceptor.message();
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
    gate.event("association-closed");
    raw::rejection(&gate.tls(), &verification("STRANGER", "PACS"));
    gate.event("association-rejected");
    assert!(gate.stop().success());
    gate
}

fn audit(gate: &Gate, arguments: &[&str]) -> Finished {
    Finished::run(gate::command(&gate.site, &[&["audit"], arguments].concat()))
}

#[test]
fn real_records_are_found_by_what_they_say() {
    let gate = recorded();
    let found = |options: &[&str]| -> Vec<Value> {
        let output = audit(&gate, &[&["search", "audit"], options].concat()).expect_success();
        output.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    };
    assert_eq!(found(&[]), gate.records());
    let events = |options: &[&str]| {
        found(options)
            .iter()
            .filter_map(|record| record["event"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(&["--calling", HOSTILE]), ["association-opened", "operation", "association-closed"]);
    assert_eq!(events(&["--operation", "C-ECHO", "--outcome", "success"]), ["operation"]);
    assert_eq!(events(&["--reason", "calling-ae-title-unknown"]), ["association-rejected"]);
    assert_eq!(events(&["--outcome", "refused", "--address", "127.0.0.0/8"]), ["association-rejected"]);
    assert_eq!(
        events(&["--outcome", "ended=released", "--from", "1h", "--tls", "1.3"]),
        ["association-closed"]
    );
    assert_eq!(events(&["--to", "1h"]), Vec::<String>::new());
    assert_eq!(events(&["--limit", "1"]), ["stopped"]);
}

#[test]
fn a_damaged_line_is_named_and_the_status_says_so() {
    let gate = recorded();
    let mut paths =
        fs::read_dir(gate.site.path("audit")).expect("a folder").flatten().map(|entry| entry.path());
    let file = paths.find(|path| path.to_string_lossy().contains("audit-20")).expect("a file");
    let text = fs::read_to_string(&file).expect("records");
    fs::write(&file, text.replacen("\"event\":\"started\"", "\"event\":\"star\n", 1))
        .expect("a file written");
    let finished = audit(&gate, &["search", "audit", "--event", "stopped"]);
    assert!(!finished.success);
    assert!(finished.output.contains(".jsonl:2: skipped: cut off before its end"), "{}", finished.output);
    assert!(finished.output.contains("\"event\":\"stopped\""), "{}", finished.output);
}

#[test]
fn a_real_association_is_told_as_a_story() {
    let gate = recorded();
    let closed = gate.event("association-closed");
    let id = closed["association"].as_str().expect("an id");
    let told = audit(&gate, &["show", "audit", id]).expect_success();
    for line in [
        "AE title <i>SITE</i> from 127.0.0.1",
        "every condition of peer \"site\" held",
        "Verification (1.2.840.10008.1.1)",
        "C-ECHO",
        "released: in good order",
    ] {
        assert!(told.contains(line), "{line} in {told}");
    }
    let rejected = gate.event("association-rejected");
    let told =
        audit(&gate, &["show", "audit", rejected["association"].as_str().expect("an id")]).expect_success();
    assert!(told.contains("nearest miss: "), "{told}");
    assert!(
        told.contains("A-ASSOCIATE-RJ 1/1/3, rejected permanently: calling AE title not recognized"),
        "{told}"
    );
    assert!(!audit(&gate, &["show", "audit", "nobody"]).success);
}

#[test]
fn who_reads_the_records_of_a_running_proxy_is_a_record_of_its_own() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup::plain(upstream.address));
    audit(&gate, &["search", "audit", "--patient", "SECRET^1", "--peer", "lyon"]).expect_success();
    let used = gate.event("audit-log-used");
    assert_eq!((&used["command"], &used["file"]), (&"search".into(), &"audit".into()));
    assert_eq!(used["arguments"], "audit --patient (not recorded) --peer lyon");
    assert_eq!(used["user-id"].as_u64(), Some(u64::from(uid())));
    assert_eq!(used["sequence"].as_u64(), Some(gate.records().len() as u64));
    assert!(gate.stop().success());

    // When nobody writes, the note waits for the next start; verifying is reading, too.
    assert!(!audit(&gate, &["verify", "audit"]).expect_success().contains("not recorded"));
    assert_eq!(gate.count("audit-log-used"), 1);
    let mut gate = Gate::start_in(gate.site, &Setup::plain(upstream.address));
    crate::wait::until("the note to be taken", || (gate.count("audit-log-used") == 2).then_some(()));
    assert!(gate.stop().success());

    // A copy has nobody to tell, and can be read all the same.
    fs::create_dir(gate.site.path("copy")).expect("a folder");
    for file in fs::read_dir(gate.site.path("audit")).expect("records").flatten() {
        if file.file_type().is_ok_and(|kind| kind.is_file()) {
            fs::copy(file.path(), gate.site.path("copy").join(file.file_name())).expect("a copy");
        }
    }
    let said = audit(&gate, &["verify", "copy"]).expect_success();
    assert!(said.contains("intact") && said.contains("reading these records is not recorded"), "{said}");
}

#[test]
fn a_folder_among_the_notes_is_told_once_and_hides_nobody() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&Setup::plain(upstream.address));
    // As a member of the reviewers' group can make it, and nobody but its owner remove.
    fs::create_dir_all(gate.site.path("audit/used/0.note/in-the-way")).expect("a folder");
    for looks in 1..=2 {
        audit(&gate, &["search", "audit"]).expect_success();
        crate::wait::until("the note to be taken", || (gate.count("audit-log-used") == looks).then_some(()));
    }
    let alert = gate.event("security-alert");
    assert!(
        alert["reason"] == "not-a-note"
            && alert["explanation"].as_str().is_some_and(|text| text.contains("0.note"))
    );
    assert!(gate.stop().success());
    assert_eq!((gate.count("security-alert"), gate.count("audit-log-used")), (1, 2));
}

fn uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").expect("this process").uid()
}

/// The page as a browser has it after loading.
fn dom(page: &Path) -> String {
    let profile = Scratch::new();
    let mut browser = Command::new("chromium");
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]);
    browser.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    browser.arg(format!("--user-data-dir={}", profile.path().display()));
    browser.arg("--dump-dom").arg(format!("file://{}", page.display()));
    // Its other processes write into the profile until they end, and it has files of its own here and there.
    for home in ["HOME", "TMPDIR", "XDG_RUNTIME_DIR"] {
        browser.env(home, profile.path());
    }
    let output = process::output(browser);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Opens every row, and says how wide the screen is, how wide the page, and how many rows there are.
const MEASURE: &str = "<script>
document.querySelectorAll('details').forEach(row => row.open = true);
const root = document.documentElement;
parent.document.body.id = `${root.clientWidth} ${root.scrollWidth} ${document.querySelectorAll('details[open]').length}`;
</script></body>";

/// With every row opened, nothing is wider than the screen: what does not fit scrolls in itself.
#[test]
fn a_report_fits_a_phone_with_every_row_opened() {
    let gate = recorded();
    let stopped = gate.event("stopped");
    let (time, day) = (stopped["time"].as_str().expect("a time"), "audit-2999-01-01.jsonl");
    let alert = format!(
        r#"{{"time":"{time}","event":"security-alert","sequence":99,"reason":"records-lost","explanation":"{}"}}"#,
        "x".repeat(300)
    );
    fs::write(gate.site.path("audit").join(day), alert + "\n").expect("a record");
    audit(&gate, &["report", "audit", "--from", "1h", "-o", "report.html"]).expect_success();
    let page = gate.site.path("report.html");
    let text = fs::read_to_string(&page).expect("the page");
    assert!(text.contains("<b>Security alert</b>"), "{text}");
    let measured = text.replace("Content-Security-Policy", "no-policy").replace("</body>", MEASURE);
    let quoted = measured.replace('&', "&amp;").replace('"', "&quot;");
    for width in [390, 1200] {
        // A browser without a screen has no window as narrow as a phone, but a frame can be.
        let frame = format!(
            "<!doctype html><body><iframe style='width:{width}px;border:0' srcdoc=\"{quoted}\"></iframe></body>"
        );
        fs::write(&page, frame).expect("a page written");
        let shown = dom(&page);
        let (_, rest) = shown.split_once("<body id=\"").expect("measures");
        let (measures, _) = rest.split_once('"').expect("an end");
        let numbers: Vec<u32> = measures.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [screen, needed, rows] = numbers[..] else { panic!("{measures}") };
        assert!(needed <= screen && screen <= width && rows > 5, "{measures} at {width}");
    }
}

/// A server that counts who comes and answers nobody.
fn counting() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    (address, count)
}

#[test]
fn a_report_in_a_browser_shows_its_figures_runs_nothing_and_fetches_nothing() {
    let gate = recorded();
    audit(&gate, &["report", "audit", "--from", "1h", "-o", "report.html"]).expect_success();
    let page = gate.site.path("report.html");
    let shown = dom(&page);
    for figure in [
        "<b>1</b><span>association</span><small>1 peer</small>",
        "<b>1</b><span>refusal</span><small>1 reason</small>",
        "<b>1</b><span>operation</span>",
        "calling-ae-title-unknown",
        "&lt;i&gt;SITE&lt;/i&gt; to PACS",
        "days</b><small> 2099-01-01",
        "class=\"timeline\"",
        "class=\"heat\"",
    ] {
        assert!(shown.contains(figure), "{figure} in {shown}");
    }
    assert!(!shown.contains("<i>SITE"), "{shown}");
    for fetched in ["src=", "http:", "https:", "url(", "@import", "<link", "<script"] {
        assert!(!shown.contains(fetched), "{fetched} in {shown}");
    }

    // Even what no escape had caught could not leave the page.
    let (address, fetches) = counting();
    let text = fs::read_to_string(&page).expect("the page");
    let hostile = format!(
        "<img src=\"http://{address}/\"><script>document.body.id='ran'</script><style>body{{background:url(http://{address}/)}}</style></main>"
    );
    let slipped = text.replace("</main>", &hostile);
    fs::write(&page, &slipped).expect("a page written");
    assert!(!dom(&page).contains("id=\"ran\""));
    assert_eq!(fetches.load(Ordering::SeqCst), 0);

    // Without the policy of the page both happen, so the browser was able to.
    fs::write(&page, slipped.replace("Content-Security-Policy", "no-policy")).expect("a page written");
    assert!(dom(&page).contains("id=\"ran\""));
    assert!(fetches.load(Ordering::SeqCst) > 0);
}
