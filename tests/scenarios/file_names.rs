//! Errors say where a file was looked for: its whole path, and the directory that a relative name was taken relative to.

use std::fs;
use std::process::{Command, Output};

use crate::gate::{Setup, UPSTREAM_TLS};
use crate::process;
use crate::site::Site;

/// Runs a command in `conf/` of the site, where none of the names of a configuration leads anywhere.
fn run(site: &Site, line: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
    command.current_dir(site.path("conf")).args(line.split(' '));
    let Output { status, stderr, .. } = command.output().expect("a command that starts");
    (status.code().expect("an exit status"), String::from_utf8(stderr).expect("UTF-8"))
}

/// How an error has to call a file.
fn whole(site: &Site, name: &str) -> String {
    let directory = site.path("conf").canonicalize().expect("a folder");
    let directory = directory.display();
    format!("{directory}/{name} (relative to the working directory {directory})")
}

#[test]
fn every_file_of_a_configuration_that_is_not_there_is_named_in_full() {
    let site = Site::new();
    let setup = Setup {
        tls: true,
        upstream_tls: UPSTREAM_TLS,
        ..crate::crosswalk::remembering(process::free_address())
    };
    let toml = setup.toml().replace(
        "secret-file = \"conf/audit.key\"",
        "secret-file = \"conf/audit.key\"\nsigning-key = \"conf/audit-signing.key\"",
    );
    fs::write(site.path("conf/dimsegate.toml"), toml).expect("a configuration written");
    let (status, said) = run(&site, "check -c dimsegate.toml");
    assert_eq!(status, 78, "{said}");
    for name in [
        "conf/audit.key",
        "conf/audit-signing.key",
        "conf/crosswalk.key",
        "conf/pseudonym.key",
        "certs/server.pem",
        "certs/server.key",
        "certs/ca.pem",
        "certs/pacs-ca.pem",
        "certs/client.pem",
        "certs/client.key",
    ] {
        assert!(said.lines().any(|line| line.contains(&whole(&site, name))), "{name} is not in {said}");
    }
}

#[test]
fn so_is_every_file_of_a_command_line() {
    let site = Site::new();
    for (line, name) in [
        ("check -c none.toml", "none.toml"),
        ("run -c none.toml", "none.toml"),
        ("rewrite -c none.toml --rewrite x -o out in", "none.toml"),
        ("crosswalk show -c none.toml", "none.toml"),
        ("demo --once --dir audit.key", "audit.key"),
        ("certs show none.pem", "none.pem"),
        ("certs crl none", "none/ca.pem"),
        ("certs init audit.key", "audit.key"),
        ("audit verify none", "none"),
        ("audit verify . --public-key none.pub", "none.pub"),
        ("audit search none", "none"),
        ("audit search . --identity none.txt", "none.txt"),
        ("audit head none", "none/audit.head"),
        ("audit key none/audit.key", "none/audit.key"),
        ("audit identity none/reviewer.txt", "none/reviewer.txt"),
    ] {
        let (status, said) = run(&site, line);
        assert!(status != 0 && said.contains(&whole(&site, name)), "{line}: {status}: {said}");
    }
    let setup = Setup::plain(process::free_address()).toml().replace("secret-file = \"conf/audit.key\"", "");
    fs::write(site.path("conf/good.toml"), &setup).expect("a configuration written");
    // What is made where it is missing, and cannot be.
    let records = setup.replace("directory = \"audit\"", "directory = \"audit.key/records\"");
    fs::write(site.path("conf/records.toml"), records).expect("a configuration written");
    let (status, said) = run(&site, "run -c records.toml");
    assert!(status != 0 && said.contains(&whole(&site, "audit.key/records")), "{status}: {said}");
    fs::write(
        site.path("conf/rules.toml"),
        crate::crosswalk::remembering(process::free_address()).toml().replace("\"conf/", "\""),
    )
    .expect("a configuration written");
    for (line, name) in [
        ("rewrite -c rules.toml --rewrite site -o out none", "none"),
        ("rewrite -c rules.toml --rewrite site -o audit.key none", "audit.key"),
        ("rewrite -c rules.toml --rewrite site -o out --report none/report.md none", "none/report.md"),
        ("rewrite -c rules.toml --rewrite site -o out --canary none", "none"),
        ("crosswalk rotate-key -c rules.toml --new-key-file none.key", "none.key"),
        ("crosswalk export -c rules.toml -o none/all.csv", "none/all.csv"),
    ] {
        let (status, said) = run(&site, line);
        assert!(status != 0 && said.contains(&whole(&site, name)), "{line}: {status}: {said}");
    }
    let question = "--listener remote --from 127.0.0.1 --calling A --called B";
    let (_, said) = run(&site, &format!("explain -c good.toml {question} --certificate none.pem"));
    assert!(said.contains(&whole(&site, "none.pem")), "{said}");
}
