//! `dimsegate rewrite` where nothing is but its rules, and beside a proxy that has its crosswalk open.

use std::fs;
use std::process::Output;

use crate::crosswalk::{association, ct, exported, remembering, stored, uids};
use crate::gate::{self, Gate, Setup, UPSTREAM_TLS};
use crate::object::Object;
use crate::peers;
use crate::process;
use crate::raw::{self, Upstream};
use crate::site::Site;

fn rewrite(site: &Site, to: &str, files: &[String]) -> (i32, String) {
    let mut arguments = vec!["rewrite", "-c", "dimsegate.toml", "--rewrite", "site", "-o", to];
    arguments.extend(files.iter().map(String::as_str));
    let Output { status, stdout, stderr } =
        gate::command(site, &arguments).output().expect("a command that starts");
    let text = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
    (status.code().expect("an exit status, not a signal"), text)
}

fn written(site: &Site, folder: &str) -> Vec<Object> {
    let files = fs::read_dir(site.path(folder)).expect("the folder").flatten();
    files.map(|file| Object::from_file(&file.path()).expect("an object")).collect()
}

#[test]
fn rules_are_tried_without_certificates_records_or_the_keys_of_others() {
    let site = Site::new();
    let setup = Setup { tls: true, upstream_tls: UPSTREAM_TLS, ..remembering(process::free_address()) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    for name in ["certs", "audit"] {
        let _ = fs::remove_dir_all(site.path(name));
    }
    // A folder that the records cannot go to.
    fs::write(site.path("audit"), "").expect("a file written");
    for key in ["audit", "audit-signing"] {
        fs::remove_file(site.path(&format!("conf/{key}.key"))).expect("a key");
    }
    let sent = ct(1, 10_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&sent));
    assert_eq!(rewrite(&site, "out", &files), (0, String::new()));
    let [object] = &written(&site, "out")[..] else { panic!("one file") };
    // The commands of the crosswalk need no more.
    assert_eq!(uids(&site)[&object.sop_instance], sent.sop_instance);
    // What the rules need is missed.
    fs::remove_file(site.path("conf/crosswalk.key")).expect("a key");
    let (status, said) = rewrite(&site, "out", &files);
    assert!(
        status == 78 && said.contains("conf/crosswalk.key") && said.lines().count() == 1,
        "{status}: {said}"
    );
}

#[test]
fn beside_a_running_proxy_what_is_known_is_rewritten_and_the_rest_is_refused() {
    let upstream = Upstream::bind();
    let mut gate = Gate::start(&remembering(upstream.address));
    let (mut requestor, mut acceptor) = association(&gate, &upstream);
    let (first, data_set) = stored(&mut requestor, &mut acceptor, &ct(1, 20_000), 1);
    let known = exported(&gate.site);
    let (_folder, files) = peers::files_of(&[ct(1, 20_000), ct(2, 20_000)]);
    let (status, said) = rewrite(&gate.site, "out", &files);
    let process = format!("only process {}, which has it open, can remember new ones", gate.pid());
    assert!(status == 65 && said.lines().count() == 1, "{status}: {said}");
    assert!(said.starts_with(&files[1]) && said.contains(&process), "{said}");
    let [object] = &written(&gate.site, "out")[..] else { panic!("one file") };
    assert_eq!((&object.sop_instance, &object.data_set), (&first, &data_set));
    assert_eq!(exported(&gate.site), known, "nothing was added");
    // The proxy goes on, and what it learns is known at once.
    let (second, _) = stored(&mut requestor, &mut acceptor, &ct(2, 20_000), 2);
    assert_eq!(rewrite(&gate.site, "again", &files), (0, String::new()));
    let instances: Vec<String> =
        written(&gate.site, "again").into_iter().map(|one| one.sop_instance).collect();
    assert!(instances.len() == 2 && instances.contains(&second), "{instances:?}");
    raw::release(requestor, acceptor);
    assert!(gate.stop().success());
    let (_folder, files) = peers::files_of(&[ct(3, 20_000)]);
    assert_eq!(rewrite(&gate.site, "alone", &files), (0, String::new()));
    assert_eq!(exported(&gate.site).len(), known.len() + 2);
}
