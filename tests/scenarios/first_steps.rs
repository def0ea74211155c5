//! `dimsegate init`: from nothing to a study in somebody's own PACS, over TLS, with what the command says and nothing else.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::administration::exchange;
use crate::gate::{Ran, run};
use crate::login::{OWN_PAGE, with};
use crate::monitoring;
use crate::object::Object;
use crate::peers::{self, Archive};
use crate::process::{self, Process};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::terminal::Terminal;
use crate::wait;

/// Answers what `init` asks, as somebody would who knows the PACS and the site. All that it said.
///
/// And the one-time secret of the user, as the app is shown it.
fn asked(home: &Path, folder: &str, listen: SocketAddr, archive: &Archive) -> (String, String) {
    let mut terminal = Terminal::start(home, &format!("init {folder} --listen {listen} --admin-port 0"));
    let pacs = archive.address.to_string();
    for (question, answer) in [
        ("name or address at which sites reach this proxy [", "not a name"),
        ("is no name or address of a host", "localhost"),
        ("address of the PACS [127.0.0.1:104]: ", &pacs),
        ("AE title of the PACS [PACS]: ", "ARCHIVE"),
        ("name of the first remote site [site]: ", "Lyon"),
        ("AE title of the site [SITE]: ", "LYON_CT1"),
        ("network of the site [127.0.0.0/8]: ", ""),
        ("name of the first user, who may do everything [", "anna"),
        ("passcode for anna: ", "seven quiet herons"),
        ("once more: ", "seven quiet herons"),
    ] {
        terminal.expect(question);
        terminal.answer(answer);
    }
    terminal.expect("otpauth://totp/dimsegate:anna?secret=");
    let behind = terminal.expect("code that the app shows now: ");
    let secret = behind.split('&').next().expect("a secret").to_owned();
    terminal.answer(&code(&secret, 0));
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    (shown.replace('\r', ""), secret)
}

/// What the app shows so many seconds from now.
fn code(secret: &str, seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let mut oathtool = Command::new("oathtool");
    oathtool.args(["--totp", "-b", "--now", &format!("@{}", now + seconds), secret]);
    process::Finished::run(oathtool).expect_success().trim().to_owned()
}

/// anna logs in at the page with the next code, since that of now was used when `init` asked for it, and does what only who may do everything may.
fn anna_logs_in(gate: &Process, secret: &str) {
    let port = wait::until("the address of the interface in the log", || {
        let log = gate.output();
        let mut lines = log.lines().filter(|line| line.contains("administration interface"));
        Some(lines.find_map(|line| line.split_once("127.0.0.1:"))?.1.to_owned())
    });
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let address = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
    let ask = |method: &str, path: &str, headers: &str, content: &str| {
        let mut stream = TcpStream::connect(address).expect("the interface");
        exchange(&mut stream, method, path, headers, content)
    };
    let (_, page) = monitoring::get(address, "/");
    assert!(page.contains("<title>dimsegate"), "{page}");
    assert_eq!(ask("GET", "/api/v1/status", "", "").status, 401);
    let who = json!({"user": "anna", "passcode": "seven quiet herons", "code": code(secret, 30)});
    let cookie = with(&ask("POST", "/api/v1/session", OWN_PAGE, &who.to_string()));
    assert_eq!(ask("GET", "/api/v1/session", &cookie, "").body["role"], "administrator");
    assert_eq!(ask("GET", "/api/v1/status", &cookie, "").body["state"], "running");
    assert_eq!(ask("POST", "/api/v1/reload", &format!("{cookie}{OWN_PAGE}"), "").status, 200);
}

/// The word behind another in what was said.
fn word<'t>(told: &'t str, before: &str) -> &'t str {
    let behind = told.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {told}")).1;
    behind.split([' ', ',', '\n']).next().expect("a word")
}

/// What `init` says of the site's files, one a line: where it is.
fn file_for<'t>(told: &'t str, what: &str) -> &'t str {
    let line =
        told.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what:?} in {told}"));
    line.split_whitespace().next().expect("a file")
}

#[test]
fn a_study_reaches_ones_own_pacs_over_tls_with_what_init_says() {
    let home = Scratch::new();
    let archive = peers::storescp(&[]);
    let (mut told, mut secret) = Default::default();
    let (mut gate, address) = process::listening(&home.path().join("gate.log"), |port| {
        let folder = format!("gate-{port}");
        (told, secret) = asked(home.path(), &folder, SocketAddr::from(([127, 0, 0, 1], port)), &archive);
        let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
        // From another folder: the configuration's paths are relative to itself.
        command.current_dir("/").args(["run", "-c"]).arg(home.path().join(word(&told, "dimsegate run -c ")));
        command
    });
    assert_eq!(word(&told, ", port "), address.port().to_string());
    assert!(told.contains("anna logs in at the address that its log names"), "{told}");
    anna_logs_in(&gate, &secret);
    let files = ["the CA: by it", "the certificate of lyon", "its key;"]
        .map(|what| home.path().join(file_for(&told, what)).display().to_string());
    let [ca, certificate, key] = &files;
    let (called, calling) = (word(&told, "called AE title "), word(&told, "calling (their own) AE title "));
    let tls = ["+tls", key, certificate, "+cf", ca];
    let study = Object::ct(50_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&study));
    let options = [&["-xe", "-aet", calling, "-aec", called][..], &tls].concat();
    peers::requestor("storescu", address, &options, &[&files[0]]).expect_success();
    assert_eq!(archive.stored(1)[0].data_set, study.data_set);
    let stranger = [&["-aet", "PARIS", "-aec", called][..], &tls].concat();
    assert!(!peers::requestor("echoscu", address, &stranger, &[]).success, "somebody else was let in");
    gate.signal("TERM");
    assert_eq!(gate.wait().code(), Some(0));
    // It is what `check --strict` and a reviewer want to see.
    let folder = format!("gate-{}", address.port());
    let offline = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
        command.current_dir(home.path()).args(arguments);
        process::Finished::run(command).expect_success()
    };
    let checked = offline(&["check", "--strict", "-c", &format!("{folder}/dimsegate.toml")]);
    assert!(checked.contains("no errors, no risks"), "{checked}");
    let (records, public) = (format!("{folder}/audit"), format!("{folder}/keys/audit-signing.key.pub"));
    let verified = offline(&["audit", "verify", &records, "--public-key", &public]);
    assert!(verified.contains("intact"), "{verified}");
}

#[test]
fn orthanc_gets_a_study_by_way_of_flags_alone() {
    let home = Scratch::new();
    let archive = peers::orthanc();
    let (_gate, address) = process::listening(&home.path().join("gate.log"), |port| {
        let (folder, listen) = (format!("gate-{port}"), format!("127.0.0.1:{port}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
        command.current_dir(home.path()).args([
            "init",
            &folder,
            "--listen",
            &listen,
            "--admin-port",
            "0",
            "--yes",
            "--pacs",
        ]);
        command.arg(archive.address.to_string());
        process::Finished::run(command).expect_success();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
        command.current_dir(home.path()).args(["run", "-c", &format!("{folder}/dimsegate.toml")]);
        command
    });
    let file =
        |name: &str| home.path().join(format!("gate-{}/certs/{name}", address.port())).display().to_string();
    let (key, certificate, ca) = (file("site.key"), file("site.pem"), file("ca.pem"));
    let (_folder, files) = peers::files_of(&[Object::ct(5_000)]);
    let options = ["-xe", "-aet", "SITE", "-aec", "PACS", "+tls", &key, &certificate, "+cf", &ca];
    peers::requestor("storescu", address, &options, &[&files[0]]).expect_success();
    let found = ["-v", "-S", "-aec", "ORTHANC", "-k", "0008,0052=STUDY", "-k", "0020,000D"];
    let answers = peers::requestor("findscu", archive.address, &found, &[]).expect_success();
    assert!(answers.contains("Find Response: 1"), "{answers}");
}

#[test]
fn without_a_terminal_what_is_missing_is_named_and_nothing_is_made() {
    let site = Site::new();
    let Ran { status, out, err } = run(&site, &["init", "gate", "--site", "lyon", "--pacs", "10.0.0.5:104"]);
    assert_eq!((status, out.as_str()), (64, ""));
    assert!(
        err.contains(
            "give --name, --pacs-ae-title, --site-ae-title, --site-network, --user, --make-passcode, or --yes"
        ),
        "{err}"
    );
    assert!(!site.path("gate").exists());
    let before = fs::read(site.path("certs/server.pem")).expect("a certificate");
    let Ran { status, err, .. } = run(&site, &["init", ".", "--yes"]);
    assert!(status == 73 && err.contains("is not empty"), "{err}");
    assert_eq!(fs::read(site.path("certs/server.pem")).expect("a certificate"), before);
    let Ran { status, err, .. } = run(&site, &["init", "certs/server.pem/gate", "--yes"]);
    assert!(status == 73 && err.contains("certs/server.pem/gate"), "{err}");
}

/// Whoever answers up to a question, and is shown that.
fn asked_up_to(home: &Path, question: usize) -> Terminal {
    let mut terminal = Terminal::start(home, "init a/gate --user anna");
    for answer in QUESTIONS[..question].iter().zip(&ANSWERS) {
        terminal.expect(answer.0);
        terminal.answer(answer.1);
    }
    terminal.expect(QUESTIONS[question]);
    terminal
}

/// All of `init`.
const QUESTIONS: [&str; 9] = [
    "sites reach this proxy [",
    "address of the PACS [",
    "AE title of the PACS [",
    "name of the first remote site [",
    "AE title of the site [",
    "network of the site [",
    "passcode for anna: ",
    "once more: ",
    "code that the app shows now: ",
];

const ANSWERS: [&str; 8] = ["localhost", "", "", "", "", "", "seven quiet herons", "seven quiet herons"];

#[test]
fn who_breaks_off_at_a_question_leaves_nothing() {
    let home = Scratch::new();
    let is_empty = || fs::read_dir(home.path()).expect("a folder").count() == 0;
    for (number, question) in QUESTIONS.iter().enumerate() {
        for how in ["Ctrl-C", "the end of the input", "SIGTERM"] {
            let mut terminal = asked_up_to(home.path(), number);
            match how {
                "Ctrl-C" => terminal.keys("\x03"),
                "SIGTERM" => terminal.signal("TERM"),
                _ => terminal.keys("\x04"),
            }
            let (status, shown) = terminal.end();
            assert_ne!(status, 0, "{how} at {question:?}: {shown}");
            assert!(is_empty(), "{how} at {question:?} left something: {shown}");
        }
    }
    let mut terminal = asked_up_to(home.path(), QUESTIONS.len() - 1);
    for _ in 0..2 {
        terminal.answer("no code");
        terminal.expect("that is not the code of now");
    }
    terminal.answer("no code");
    let (status, shown) = terminal.end();
    assert!(status == 65 && shown.contains("not confirmed; nothing was changed"), "{status} {shown}");
    assert!(is_empty(), "a wrong code left something: {shown}");
}
