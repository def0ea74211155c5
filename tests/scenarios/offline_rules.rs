//! `dimsegate rewrite`: over the corpus, as the proxy does it, where nothing is but its rules, and beside a proxy that has its
//! crosswalk open.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{AFFECTED_SOP_INSTANCE, Command};
use crate::corpus;
use crate::crosswalk::{association, ct, exported, remembering, stored, uids};
use crate::gate::{self, Gate, Ran, Setup, UPSTREAM_TLS, run, told};
use crate::object::Object;
use crate::peers;
use crate::process;
use crate::raw::{self, Upstream, verification};
use crate::site::Site;
use crate::upper;

fn rewrite(site: &Site, to: &str, files: &[String]) -> (i32, String) {
    let mut arguments = vec!["rewrite", "-c", "dimsegate.toml", "--rewrite", "site", "-o", to];
    arguments.extend(files.iter().map(String::as_str));
    told(site, &arguments)
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

const RULES: &str = r#"[[rewrite]]
name = "site"
profile = "none"
secret-file = "conf/pseudonym.key"
rules = [
  { tag = "PatientName", action = "empty" },
  { tag = "PatientID", action = "pseudonym", length = 16 },
  { tag = "SOPInstanceUID", action = "uid" },
  { tag = "(0009,xxxx)", action = "remove" },
]"#;

#[test]
fn rewrite_does_every_file_that_can_be_read_and_names_the_others() {
    let site = Site::new();
    let setup = Setup { extra: RULES, ..Setup::plain(process::free_address()) };
    fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
    let all: Vec<String> = corpus::files().iter().map(|path| path.display().to_string()).collect();
    let (mut out, mut problems, mut done) = (String::new(), Vec::new(), 0);
    // The corpus has some instances in several files; each round writes one of them into a folder of its own.
    let mut files: Vec<&str> = all.iter().map(String::as_str).collect();
    for round in 0.. {
        let folder = format!("out{round}");
        let options = ["rewrite", "-c", "dimsegate.toml", "--rewrite", "site", "-o", &folder, "--diff"];
        let ran = run(&site, &[&options[..], &files].concat());
        let doubles = |line: &&str| line.contains(" exists already");
        let (again, broken): (Vec<&str>, Vec<&str>) = ran.err.lines().partition(doubles);
        assert_eq!(ran.status, if ran.err.is_empty() { 0 } else { 65 }, "{}", ran.err);
        done += checked(&site, &folder, &ran.out);
        problems.extend(broken.into_iter().map(str::to_owned));
        out += &ran.out;
        files.retain(|file| again.iter().any(|line| line.starts_with(&format!("{file}: "))));
        if files.is_empty() {
            break;
        }
    }
    assert_eq!((done, done + problems.len()), (REWRITTEN, all.len()), "{problems:#?}");
    for line in &problems {
        assert!(all.iter().any(|file| line.starts_with(&format!("{file}: "))), "{line}");
    }
    let files = all;
    let ct = files.iter().find(|file| file.ends_with("test_files/CT_small.dcm")).expect("a CT");
    let table: Vec<&str> = (out.lines().skip_while(|line| !line.starts_with(ct)).skip(1))
        .take_while(|line| line.starts_with("  "))
        .collect();
    let rows: Vec<Vec<&str>> = table.iter().map(|line| line.split_whitespace().take(2).collect()).collect();
    for row in [
        ["(0008,0018)", "SOPInstanceUID"],
        ["(0009,0010)", "PrivateCreator"],
        ["(0010,0010)", "PatientName"],
        ["(0010,1002)[2].(0010,0020)", "PatientID"],
    ] {
        assert!(rows.iter().any(|found| found == &row), "{row:?} in {table:#?}");
    }
    assert!(!table.iter().any(|line| line.contains("(0010,0030)")), "what no rule names was changed");
}

/// Of the files that have file meta information, an instance in both places, and an end.
const REWRITTEN: usize = 226;

/// How many files a round wrote, after looking at each.
fn checked(site: &Site, folder: &str, diff: &str) -> usize {
    let done = rewritten(diff);
    assert_eq!(fs::read_dir(site.path(folder)).expect("the folder").count(), done.len());
    for (from, to) in &done {
        let (old, new) = (object(from), object(&site.path(folder).join(to)));
        assert_eq!((&old.transfer_syntax, &old.sop_class), (&new.transfer_syntax, &new.sop_class));
        assert_eq!(format!("{}.dcm", new.sop_instance), *to);
    }
    done.len()
}

/// From the lines `FROM -> TO: N elements changed`.
fn rewritten(diff: &str) -> BTreeMap<PathBuf, String> {
    let named = |line: &str| {
        let (from, rest) = line.strip_suffix(" elements changed")?.split_once(" -> ")?;
        let (to, _) = rest.rsplit_once(": ")?;
        Some((PathBuf::from(from), to.to_owned()))
    };
    diff.lines().filter(|line| !line.starts_with(' ')).filter_map(named).collect()
}

fn object(path: &Path) -> Object {
    Object::from_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn rewrite_writes_what_the_proxy_sends() {
    let upstream = Upstream::bind();
    let peers = gate::peer("rewrite = \"site\"");
    let gate = Gate::start(&Setup { extra: RULES, peers, ..Setup::plain(upstream.address) });
    let sent = Object::ct(100_000);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&sent));
    let options = ["rewrite", "-c", "dimsegate.toml", "--rewrite", "site", "-o", "out", &files[0]];
    let Ran { status, out, err } = run(&gate.site, &options);
    assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
    let written = fs::read_dir(gate.site.path("out")).expect("a folder").flatten().next().expect("a file");
    let request = verification("SITE", "PACS").context(upper::CT_IMAGE_STORAGE, &[upper::EXPLICIT_LITTLE]);
    let (mut requestor, mut acceptor) = raw::open(&gate.plain(), &upstream, &request, 16384);
    let store = Command::c_store_rq(1, &sent.sop_class, &sent.sop_instance);
    requestor.send_message(3, &store, Some(&sent.data_set), 16384);
    let stored = acceptor.message();
    acceptor.send_message(3, &stored.command.response(0), None, 16384);
    requestor.message();
    raw::release(requestor, acceptor);
    let written = object(&written.path());
    assert!(stored.data_set == Some(written.data_set), "two engines");
    assert_eq!(stored.command.text(AFFECTED_SOP_INSTANCE), Some(written.sop_instance));
    let unknown = run(&gate.site, &["rewrite", "-c", "dimsegate.toml", "--rewrite", "sight", "-o", "o", "x"]);
    assert!(unknown.status == 78 && unknown.err.contains("site"), "{}", unknown.err);
}
