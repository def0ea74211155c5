//! Occasions that take a machine of their own to come about: a disk that is nearly full, and a repository that has long had nothing.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use crate::forwarding::repository;
use crate::gate::{Gate, Setup, leaked};
use crate::notifications::Hook;
use crate::process::closed_address;
use crate::raw::{self, Upstream, verification};
use crate::site::Site;

/// The records of the proxy lie on a file system of 4 MiB that only it has, and of which 3 % are free. Those who read them find it
/// through the process.
const SHORT_DISK: &str = "exec unshare --map-root-user --mount sh -c 'mkdir small && mount -t tmpfs -o size=4m tmpfs small && \
                          head -c 3976k /dev/zero > small/ballast && ln -s /proc/$$/root$PWD/small audit && exec \"$@\"' sh \"$@\"";

fn notify(hook: SocketAddr, when: &str) -> String {
    format!("[[notify]]\nname = \"on-call\"\nurl = \"http://{hook}/told\"\nwhen = [\"{when}\"]\n")
}

#[test]
fn a_hook_is_told_that_the_disk_has_less_free_than_is_kept_for_operations() {
    let (hook, address) = Hook::bind();
    let upstream = Upstream::bind();
    let extra = leaked(notify(address, "disk"));
    let gate = Gate::start(&Setup { extra, shell: SHORT_DISK, ..Setup::plain(upstream.address) });
    let told = hook.told("200 OK").json();
    assert_eq!([&told["occasion"], &told["count"]], [&json!("disk"), &json!(1)], "{told}");
    let why = told["explanation"].as_str().expect("a sentence");
    assert!(why.contains("has less free than is kept for records of operations"), "{why}");
    let (mut requestor, mut acceptor) =
        raw::open(&gate.plain(), &upstream, &verification("SITE", "PACS"), 16384);
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    assert_eq!(gate.event("association-closed")["ended"], "released", "for which the rest is kept");
}

/// What waits in the trail is a year older than it was.
fn grow_old(site: &Site) {
    for file in fs::read_dir(site.path("audit")).expect("the trail").flatten() {
        if !file.file_name().to_string_lossy().ends_with(".jsonl") {
            continue;
        }
        let text = fs::read_to_string(file.path()).expect("records");
        let old = |line: &str| {
            let (year, rest) = line.strip_prefix("{\"time\":\"").expect("a time").split_at(4);
            let rest = rest.replacen("-02-29T", "-02-28T", 1);
            format!("{{\"time\":\"{}{rest}\n", year.parse::<u32>().expect("a year") - 1)
        };
        fs::write(file.path(), text.lines().map(old).collect::<String>()).expect("records written");
    }
}

#[test]
fn a_hook_is_told_of_a_repository_that_has_had_nothing_for_long() {
    let (hook, address) = Hook::bind();
    let upstream = Upstream::bind();
    let (_nobody, closed) = closed_address();
    let blocks = format!("{}\n{}", repository(closed), notify(address, "repository-behind"));
    let toml = format!("{}\n{blocks}", Setup::plain(upstream.address).toml());
    let mut gate = Gate::start_with(Site::new(), &toml, "");
    assert!(gate.stop().success());
    grow_old(&gate.site);
    let gate = Gate::start_with(gate.site, &toml, "");
    let told = hook.told("200 OK").json();
    assert_eq!([&told["occasion"], &told["count"]], [&json!("repository-behind"), &json!(1)], "{told}");
    let alert = gate.record("the alert", |record| record["reason"] == "repository-behind");
    assert_eq!((&alert["event"], &alert["about"]), (&json!("security-alert"), &json!("arr")));
    assert_eq!(told["explanation"], alert["explanation"]);
    let why = told["explanation"].as_str().expect("a sentence");
    assert!(why.starts_with("repository \"arr\" has not had "), "{why}");
}
