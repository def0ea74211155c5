//! Chromium, driven as its users drive it, over the protocol of its driver (W3C WebDriver).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::process::{self, Process};
use crate::scratch::Scratch;
use crate::wait::{self, PATIENCE};

/// Keys, as the protocol calls them (WebDriver §17.4.2).
pub const TAB: char = '\u{E004}';
pub const ENTER: char = '\u{E007}';
pub const ESCAPE: char = '\u{E00C}';
/// More stops than a page has.
const MOST_TABS: usize = 200;

/// A browser with one window, and a profile of its own.
pub struct Browser {
    session: String,
    driver: SocketAddr,
    _process: Process,
    _profile: Scratch,
}

impl Browser {
    pub fn start() -> Self {
        let profile = Scratch::new();
        let log = profile.path().join("driver.log");
        let (process, driver) = process::listening(&log, |port| {
            let mut command = Command::new("chromedriver");
            command.arg(format!("--port={port}"));
            // The browser writes into the profile, and has files of its own here and there.
            for home in ["HOME", "TMPDIR", "XDG_RUNTIME_DIR"] {
                command.env(home, profile.path());
            }
            command
        });
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
        let quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
        let options = json!({ "args": arguments.iter().chain(&quiet).collect::<Vec<_>>() });
        let wanted = json!({
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" },
            // Certificates are of a CA that a scenario made.
            "acceptInsecureCerts": true,
        });
        let opened =
            command(driver, "POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        let session = opened["sessionId"].as_str().unwrap_or_else(|| panic!("no session in {opened}"));
        Self { session: session.to_owned(), driver, _process: process, _profile: profile }
    }

    fn ask(&self, path: &str, content: &Value) -> Value {
        command(self.driver, "POST", &format!("/session/{}/{path}", self.session), content)
    }

    pub fn open(&self, address: &str) {
        self.ask("url", &json!({ "url": address }));
    }

    /// Goes on in the window that opened last.
    pub fn follow(&self) {
        let path = format!("/session/{}/window/handles", self.session);
        let newest = wait::until("another window", || {
            let all = command(self.driver, "GET", &path, &Value::Null);
            all.as_array().filter(|all| all.len() > 1)?.last().cloned()
        });
        self.ask("window", &json!({ "handle": newest }));
    }

    /// What a function body gives that runs in the page; a promise is waited for.
    pub fn run(&self, script: &str) -> Value {
        self.ask("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression of the page is true.
    pub fn until(&self, expression: &str) {
        wait::until(expression, || {
            (self.run(&format!("return Boolean({expression})")) == true).then_some(())
        });
    }

    /// Clicks the first button that somebody sees within an element, and that says this.
    pub fn click(&self, within: &str, says: &str) {
        self.until(&format!(
            "(() => {{ const found = [...document.querySelectorAll({within:?} + ' button')]\
             .find(one => one.offsetParent && one.innerText === {says:?}); found?.click(); return found; }})()"
        ));
    }

    /// Presses a key and lets it go, as a person at the keyboard.
    pub fn press(&self, key: char) {
        let strokes = ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }));
        self.ask("actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }));
    }

    /// Presses Tab until what has the focus fits an expression of the page, in which it is called `at`.
    pub fn tab_to(&self, expression: &str) {
        let is_there = format!("return Boolean((at => {expression})(document.activeElement))");
        for _ in 0..MOST_TABS {
            if self.run(&is_there) == true {
                return;
            }
            self.press(TAB);
        }
        panic!("no way by Tab to {expression}");
    }

    /// Fills the fields of the form that is asked in, by their names, and sends it.
    pub fn answer(&self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            self.run(&format!("document.querySelector('dialog form').elements[{name:?}].value = {value:?}"));
        }
        self.run("document.querySelector('dialog form').requestSubmit()");
    }

    /// What the buttons say that somebody sees.
    pub fn buttons(&self) -> Vec<String> {
        let all = "return [...document.querySelectorAll('button')].filter(one => one.offsetParent).map(one => one.innerText)";
        serde_json::from_value(self.run(all)).expect("texts")
    }

    /// The text that somebody sees of an element.
    pub fn text(&self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector({selector:?}).innerText"));
        text.as_str().unwrap_or_else(|| panic!("no {selector}")).to_owned()
    }

    /// A screen so wide.
    pub fn width(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.ask(
            "goog/cdp/execute",
            &json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics }),
        );
    }

    /// `light` or `dark`.
    pub fn theme(&self, theme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        self.ask("goog/cdp/execute", &json!({ "cmd": "Emulation.setEmulatedMedia", "params": feature }));
    }

    /// What is on the screen, PNG.
    pub fn picture(&self) -> Vec<u8> {
        let encoded =
            command(self.driver, "GET", &format!("/session/{}/screenshot", self.session), &Value::Null);
        STANDARD.decode(encoded.as_str().expect("a picture")).expect("base64")
    }

    /// What the console has: errors, violations of the content security policy.
    pub fn console(&self) -> Vec<String> {
        let lines = self.ask("se/log", &json!({ "type": "browser" }));
        let lines = lines.as_array().unwrap_or_else(|| panic!("no lines in {lines}"));
        lines.iter().map(|line| line["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !thread::panicking() {
            command(self.driver, "DELETE", &format!("/session/{}", self.session), &Value::Null);
        }
    }
}

fn command(driver: SocketAddr, method: &str, path: &str, content: &Value) -> Value {
    let mut stream = TcpStream::connect(driver).expect("the driver");
    // A browser takes its time to start where others start too.
    stream.set_read_timeout(Some(3 * PATIENCE)).expect("a timeout");
    let content = if content.is_null() { String::new() } else { content.to_string() };
    let length = content.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {driver}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + &content).as_bytes()).expect("a command written");
    let mut answer = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line).expect("an answer");
        if line.trim().is_empty() {
            break;
        }
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body).expect("a whole answer");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(body["value"]["error"].is_null(), "{method} {path}: {}", body["value"]);
    body["value"].clone()
}

/// A port that leads to a Unix socket, as `ssh -L PORT:SOCKET` makes one.
pub fn tunnel(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    thread::spawn(move || {
        for here in listener.incoming().flatten() {
            // A proxy that is down may come again.
            let Ok(there) = UnixStream::connect(&socket) else { continue };
            let (mut from, mut to) =
                (here.try_clone().expect("a handle"), there.try_clone().expect("a handle"));
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Write);
            });
            let (mut from, mut to) = (there, here);
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    address
}
