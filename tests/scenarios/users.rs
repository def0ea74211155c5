//! `dimsegate user`: people are made at a terminal with an authenticator app in the hand, or by a program.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use dimsegate::users::{OneTimeSecret, matching};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::gate::{self, Ran, run};
use crate::process::Finished;
use crate::site::Site;
use crate::terminal::Terminal;

const PASSCODE: &str = "seven quiet herons";
const USERS: [&str; 4] = ["--file", "conf/users.toml", "--key-file", "conf/audit.key"];

fn site() -> Site {
    let site = Site::new();
    let text = "[users]\nfile = \"conf/users.toml\"\nkey-file = \"conf/audit.key\"\n";
    fs::write(site.path("dimsegate.toml"), text).expect("a configuration written");
    site
}

/// The code that another implementation makes of a secret now.
fn oathtool(secret: &str) -> String {
    let mut command = Command::new("oathtool");
    command.args(["--totp", "-b", secret]);
    Finished::run(command).expect_success().trim().to_owned()
}

fn secret(uri: &str) -> String {
    let (_, behind) = uri.split_once("?secret=").expect("a secret");
    behind.split('&').next().expect("a value").to_owned()
}

/// What a camera reads of a QR code that a terminal shows, two modules in a character.
fn scanned(site: &Site, shown: &str) -> String {
    const SIDE: usize = 4;
    let black_on_white = |line: &str| {
        let (_, behind) = line.split_once("\x1b[38;5;16;48;5;231m")?;
        Some(behind.split_once("\x1b[0m")?.0.to_owned())
    };
    let rows = |line: String| {
        let halves = |one: char| match one {
            '█' => [true, true],
            '▀' => [true, false],
            '▄' => [false, true],
            ' ' => [false, false],
            other => panic!("{other:?} in a QR code"),
        };
        let both: Vec<[bool; 2]> = line.chars().map(halves).collect();
        [0, 1].map(|half| both.iter().map(|halves| halves[half]).collect::<Vec<bool>>())
    };
    let rows: Vec<Vec<bool>> = shown.lines().filter_map(black_on_white).flat_map(rows).collect();
    let width = rows.first().expect("a QR code").len();
    let mut picture = format!("P5\n{} {}\n255\n", width * SIDE, rows.len() * SIDE).into_bytes();
    for row in &rows {
        let pixels = row.iter().flat_map(|is_dark| [if *is_dark { 0 } else { 255 }; SIDE]);
        picture.extend(pixels.collect::<Vec<u8>>().repeat(SIDE));
    }
    fs::write(site.path("shown.pgm"), picture).expect("a picture");
    let mut command = Command::new("zbarimg");
    command.args(["--quiet", "--nodbus", "--raw", &site.text("shown.pgm")]);
    Finished::run(command).expect_success().trim().to_owned()
}

fn users(site: &Site) -> Value {
    let Ran { status, out, err } = run(site, &["user", "list", "-c", "dimsegate.toml", "--json"]);
    assert_eq!((status, err.as_str()), (0, ""));
    serde_json::from_str(&out).expect("JSON")
}

/// `dimsegate user ARGUMENTS`, with what it reads.
fn piped(site: &Site, arguments: &[&str], input: &str) -> Ran {
    let mut command = gate::command(site, &[&["user"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a command that starts");
    // It may have ended without reading.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("an end");
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    Ran { status: output.status.code().expect("an exit status"), out, err }
}

#[test]
fn a_user_is_made_at_a_terminal_with_an_app_in_the_hand() {
    let site = site();
    let mut terminal = Terminal::start(site.root(), "user add anna -c dimsegate.toml --role operator");
    terminal.expect("passcode for anna: ");
    terminal.answer("too short");
    terminal.expect("fewer than 12 characters");
    terminal.expect("passcode for anna: ");
    terminal.answer(&format!("{PASSCODE}x\x7f"));
    terminal.expect("once more: ");
    terminal.answer(PASSCODE);
    let drawing = terminal.expect("otpauth://totp/");
    let uri = format!("otpauth://totp/{}", terminal.expect("&issuer=dimsegate"));
    assert_eq!(scanned(&site, &drawing), uri);
    let secret = secret(&uri);
    terminal.expect("code that the app shows now: ");
    terminal.answer("12345");
    terminal.expect("is not the code of now");
    terminal.expect("code that the app shows now: ");
    let code = oathtool(&secret);
    terminal.answer(&code);
    terminal.expect("added anna to conf/users.toml");
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains("quiet") && !shown.contains("too short"), "a passcode was shown: {shown}");
    let file = fs::read_to_string(site.path("conf/users.toml")).expect("the users");
    assert!(file.contains("passcode = \"$argon2id$v=19$m=19456,t=2,p=1$"), "{file}");
    assert!(!file.contains(PASSCODE) && !file.contains(&secret), "{file}");
    for name in ["conf/users.toml", "conf/users.toml.used"] {
        let mode = fs::metadata(site.path(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
    let used: Value =
        serde_json::from_slice(&fs::read(site.path("conf/users.toml.used")).expect("steps")).expect("JSON");
    assert!(used["anna"].is_u64(), "the code that confirmed is not used: {used}");
    let anna = &users(&site)[0];
    assert_eq!(
        (&anna["roles"], &anna["one-time-code"], &anna["state"]),
        (&json!(["operator"]), &json!(true), &json!("enabled"))
    );
}

#[test]
fn codes_are_those_of_another_implementation_now_and_in_other_years() {
    let secret = OneTimeSecret::generate().expect("a secret");
    for step in (0..16).map(|index| 1_111_111_109 / 30 + index * 4_000_003) {
        let now = OffsetDateTime::from_unix_timestamp(step * 30 + 29).expect("a time");
        let mut command = Command::new("oathtool");
        let time = format!(
            "{} UTC",
            now.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]")).expect("a text")
        );
        command.args(["--totp", "-b", secret.base32().as_str(), "--now", &time]);
        let code = Finished::run(command).expect_success();
        assert_eq!(matching(&secret, code.trim(), now), Some(step), "{time}");
    }
}

#[test]
fn ctrl_c_while_a_passcode_is_typed_changes_nothing() {
    let site = site();
    let mut terminal = Terminal::start(site.root(), "user add anna -c dimsegate.toml");
    terminal.expect("passcode for anna: ");
    terminal.keys("seven qui\x03");
    terminal.expect("nothing was changed");
    assert_eq!(terminal.end().0, 64);
    assert!(!site.path("conf/users.toml").exists());
}

#[test]
fn a_secret_that_no_app_confirmed_does_not_count() {
    let site = site();
    assert_eq!(run(&site, &[&["user", "add", "anna", "--make-passcode"], &USERS[..]].concat()).status, 0);
    let before = fs::read(site.path("conf/users.toml")).expect("the users");
    let mut terminal = Terminal::start(site.root(), "user one-time-code anna -c dimsegate.toml");
    for _ in 0..3 {
        terminal.expect("code that the app shows now: ");
        terminal.answer("nothing");
    }
    terminal.expect("not confirmed; nothing was changed");
    assert_eq!(terminal.end().0, 65);
    assert_eq!(fs::read(site.path("conf/users.toml")).expect("the users"), before);
}

#[test]
fn programs_make_and_change_users_without_a_terminal() {
    let site = site();
    let with = |arguments: &[&str], input: &str| {
        piped(&site, &[arguments, &["-c", "dimsegate.toml"]].concat(), input)
    };
    let added = with(
        &["add", "anna", "--passcode-stdin", "--role", "viewer", "--peer", "lyon"],
        &format!("{PASSCODE}\n"),
    );
    assert_eq!((added.status, added.err.as_str()), (0, ""));
    assert!(
        added.out.contains("otpauth://totp/dimsegate:anna?secret=") && !added.out.contains('▀'),
        "{}",
        added.out
    );
    let made =
        with(&["add", "bert", "--make-passcode", "--without-one-time-code", "--not-after", "2020-01-31"], "");
    let passcode = made.out.lines().next().and_then(|line| line.strip_prefix("passcode, shown this once: "));
    assert!(made.status == 0 && passcode.is_some_and(|made| made.len() == 24), "{}{}", made.out, made.err);
    assert_eq!(
        users(&site),
        json!([
            {"name": "anna", "state": "enabled", "one-time-code": true, "roles": ["viewer"], "not-after": null, "peers": ["lyon"]},
            {"name": "bert", "state": "ended", "one-time-code": false, "roles": [], "not-after": "2020-01-31T23:59:59Z", "peers": []},
        ])
    );
    let file = || fs::read_to_string(site.path("conf/users.toml")).expect("the users");
    let (passcode, second) =
        (file(), |text: String| text.lines().find(|line| line.starts_with("one-time")).map(str::to_owned));
    assert_eq!(with(&["passcode", "anna", "--passcode-stdin"], "another long one\n").status, 0);
    assert!(file() != passcode && second(file()) == second(passcode.clone()));
    assert_eq!(with(&["one-time-code", "anna", "--issuer", "gate 7"], "").status, 0);
    assert!(second(file()).is_some() && second(file()) != second(passcode));
    assert_eq!(with(&["one-time-code", "anna", "--remove"], "").status, 0);
    assert_eq!(with(&["disable", "anna"], "").status, 0);
    assert_eq!(with(&["enable", "bert", "--not-after", "never"], "").status, 0);
    let states = |name: &str| users(&site)[usize::from(name == "bert")]["state"].clone();
    assert_eq!((states("anna"), states("bert")), (json!("disabled"), json!("enabled")));
    assert_eq!(users(&site)[0]["one-time-code"], false);
    let listed = run(&site, &["user", "list", "-c", "dimsegate.toml"]);
    assert!(listed.out.contains("disabled") && !listed.out.contains("argon2"), "{}", listed.out);
    assert_eq!((with(&["remove", "anna"], "").status, users(&site)[0]["name"].clone()), (0, json!("bert")));
}

#[test]
fn what_is_refused_says_why_and_changes_nothing() {
    let site = site();
    let good = piped(&site, &[&["add", "anna", "--passcode-stdin"], &USERS[..]].concat(), PASSCODE);
    assert_eq!(good.status, 0, "{}", good.err);
    let before = fs::read(site.path("conf/users.toml")).expect("the users");
    for (arguments, input, status, said) in [
        (&["add", "bert", "--passcode-stdin"][..], "short\n", 65, "fewer than 12"),
        (&["add", "bert", "--passcode-stdin"], "Password1234\n", 65, "one of the commonest"),
        (&["add", "bert", "--passcode-stdin"], "bertbertbert7\n", 65, "the user's name"),
        (&["add", "bert", "--passcode-stdin"], "", 64, "nothing was changed"),
        (&["add", "bert"], "", 64, "--passcode-stdin or --make-passcode"),
        (&["add", "Anna", "--make-passcode"], "", 65, "a user \"Anna\" already"),
        (&["add", "an na", "--make-passcode"], "", 2, "cannot be the name of a user"),
        (&["passcode", "bert", "--make-passcode"], "", 65, "no user is called \"bert\""),
        (&["one-time-code", "bert"], "", 65, "no user is called \"bert\""),
        (&["disable", "bert"], "", 65, "no user is called \"bert\""),
        (&["remove", "bert"], "", 65, "no user is called \"bert\""),
    ] {
        let told = piped(&site, &[arguments, &USERS[..]].concat(), input);
        assert!(
            told.status == status && told.err.contains(said),
            "{arguments:?}: {} {}",
            told.status,
            told.err
        );
        assert!(!told.err.contains("ertbert") && !told.err.contains("assword1234"), "{}", told.err);
    }
    let told = piped(&site, &["add", "bert", "--make-passcode", "--file", "conf/users.toml"], "");
    assert!(told.status == 65 && told.err.contains("--without-one-time-code"), "{}", told.err);
    assert_eq!(fs::read(site.path("conf/users.toml")).expect("the users"), before);
    fs::set_permissions(site.path("conf/users.toml"), fs::Permissions::from_mode(0o644)).expect("a mode");
    let told = run(&site, &["user", "list", "-c", "dimsegate.toml"]);
    assert!(told.status == 65 && told.err.contains("can be read by others (mode 0644)"), "{}", told.err);
    fs::write(site.path("dimsegate.toml"), "[audit]\ndirectory = \"audit\"\n")
        .expect("a configuration written");
    let told = run(&site, &["user", "list", "-c", "dimsegate.toml"]);
    assert!(told.status == 78 && told.err.contains("has no [users]"), "{}", told.err);
}
