//! The commands of `README.md`, `conf/README.md` and `certs/README.md` make what these say, and it works as it says.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command as Program;

use crate::gate::{self, Gate, Setup, leaked, told};
use crate::process::{self, Finished};
use crate::raw::{self, Upstream, verification};
use crate::site::{Site, openssl};
use crate::wait;

/// A folder in which the commands of the README made everything that `conf/modality-to-pacs.toml` names.
fn made_as_told() -> Site {
    let site = Site::new();
    fs::remove_dir_all(site.path("certs")).expect("a folder removed");
    for line in [
        "certs init certs",
        "certs issue certs server --server --san localhost",
        "certs issue certs lyon --client --san gw.lyon.example",
    ] {
        let (status, said) = told(&site, &line.split(' ').collect::<Vec<_>>());
        assert_eq!(status, 0, "{said}");
    }
    for file in ["modality-to-pacs.toml", "dimsegate.toml"] {
        fs::copy(shipped(&format!("conf/{file}")), site.path(&format!("conf/{file}"))).expect("a copy");
    }
    site
}

fn shipped(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_example_of_explain_is_allowed_with_what_the_readme_has_made() {
    let site = made_as_told();
    let (_, help) = told(&site, &["explain", "--help"]);
    let texts =
        ["README.md", "conf/README.md"].map(|file| fs::read_to_string(shipped(file)).expect("a text"));
    let mut examples = Vec::new();
    for text in texts.iter().chain([&help]) {
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().map(str::trim).filter(|line| line.starts_with("dimsegate explain -c "));
        examples.extend(lines.map(str::to_owned));
    }
    assert!(examples.len() >= 3, "{examples:?}");
    for example in &examples {
        let words = example.split_whitespace().skip(1).map(|word| match word {
            "FILE" => "conf/modality-to-pacs.toml",
            other => other,
        });
        let (status, said) = told(&site, &words.collect::<Vec<_>>());
        assert_eq!(status, 0, "{example}: {said}");
    }
}

#[test]
fn with_the_shipped_configuration_a_revoked_site_is_out_after_sighup() {
    let (site, upstream) = (made_as_told(), Upstream::bind());
    let text = fs::read_to_string(site.path("conf/modality-to-pacs.toml")).expect("a configuration");
    let (status, said) = told(&site, &["check", "--strict", "-c", "conf/modality-to-pacs.toml"]);
    assert_eq!(status, 0, "{said}");
    let text = text
        .replace("0.0.0.0:2762", "127.0.0.1:0")
        .replace("10.0.0.5:104", &upstream.address.to_string())
        .replace("203.0.113.0/24", "127.0.0.0/8");
    let gate = Gate::start_with(site, &text, "");
    let target = gate.site.tls(gate.address, "ca", Some("lyon"));
    let request = verification("LYON_CT1", "PACS");
    let (requestor, acceptor) = raw::open(&target, &upstream, &request, 16384);
    raw::release(requestor, acceptor);
    let (status, said) = told(&gate.site, &["certs", "revoke", "certs", "lyon", "-c", "dimsegate.toml"]);
    assert!(status == 0 && said.contains("listener \"remote\" (dimsegate.toml:"), "{said}");
    assert!(said.contains("reads it; a running dimsegate takes it by itself"), "{said}");
    let loaded = gate.count("configuration-loaded");
    gate.signal("HUP");
    wait::until("the reload", || (gate.count("configuration-loaded") > loaded).then_some(()));
    let refused = target.connect().and_then(|mut stream| {
        let _ = stream.write_all(&request.encode());
        stream.read_exact(&mut [0])
    });
    assert!(refused.is_err(), "a revoked certificate went in");
    assert_eq!(gate.event("connection-refused")["reason"], "certificate-revoked");
    upstream.expect_nobody();
    // What the list that nobody reads is worth, is said.
    let unread = text.replace("revocation-lists", "# revocation-lists");
    fs::write(gate.site.path("unread.toml"), unread).expect("a configuration written");
    let (status, said) = told(&gate.site, &["certs", "revoke", "certs", "lyon", "-c", "unread.toml"]);
    assert!(status == 1 && said.contains("does not read this list"), "{said}");
    let (status, said) = told(&gate.site, &["check", "--strict", "-c", "unread.toml"]);
    assert!(status == 1 && said.contains("no revocation list is named"), "{said}");
    let (status, said) = told(&gate.site, &["certs", "revoke", "certs", "lyon"]);
    assert!(status == 0 && said.contains("-c FILE"), "{said}");
}

/// The command of `certs/README.md` that begins so, as it is written there.
fn readme(begin: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("certs/README.md")).expect("a file");
    let commands = text.replace("\\\n", "");
    let found =
        commands.lines().filter_map(|line| line.strip_prefix("    ")).find(|line| line.starts_with(begin));
    found.unwrap_or_else(|| panic!("no {begin} in certs/README.md")).to_owned()
}

/// The block of `certs/README.md` that begins with this table, up to the text behind it.
fn readme_block(begin: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("certs/README.md")).expect("a file");
    let block = text.lines().skip_while(|line| !line.trim_start().starts_with(begin));
    let block: Vec<&str> = block.take_while(|line| line.is_empty() || line.starts_with("    ")).collect();
    assert!(!block.is_empty(), "no {begin} in certs/README.md");
    block.join("\n")
}

/// Runs a line in `folder` of the site, where `dimsegate` is the one under test.
fn shell(site: &Site, folder: &str, line: &str) {
    let mut command = Program::new("sh");
    let bin = Path::new(env!("CARGO_BIN_EXE_dimsegate")).parent().expect("a folder").display();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    command.current_dir(site.path(folder)).args(["-c", line]).env("PATH", path);
    Finished::run(command).expect_success();
}

#[test]
fn one_certificate_a_side_as_the_readme_has_it_made_is_what_check_says_of_it() {
    let long = readme("openssl req -x509").replace("rsa:4096", "rsa:2048");
    let (short, _) = long.split_once("-addext").expect("extensions");
    let tables = readme_block("[listener.tls]                         # what comes from Lyon");
    let (listener, upstream) = tables.split_once("[upstream.tls]").expect("two tables");
    let listener = listener.split_once('\n').expect("keys").1;
    for (recipe, expected) in
        [(long.as_str(), &[][..]), (short, &["no revocation list is named", "no DNS or IP alternative name"])]
    {
        let site = Site::new();
        for name in ["lyon", "gate", "orthanc"] {
            shell(&site, "certs", &recipe.replace("lyon", name));
        }
        let (_, shown) = told(&site, &["certs", "show", "certs/lyon.pem"]);
        let binding = shown.split_whitespace().find(|word| word.starts_with("sha256:")).expect("a binding");
        let setup = Setup {
            listener_tls: leaked(listener.to_owned()),
            upstream_tls: leaked(format!("[upstream.tls]\nserver-name = \"pacs\"\n{upstream}")),
            audit: "signing-key = \"conf/audit-signing.key\"",
            roles: "[[role]]\nname = \"all\"\noperations = [\"C-STORE\"]\nsop-classes = [\"storage\"]",
            peers: gate::peer(&format!("calling-ae-titles = [\"LYON\"]\ncertificates = [\"{binding}\"]")),
            ..Setup::tls(process::free_address())
        };
        fs::write(site.path("dimsegate.toml"), setup.toml()).expect("a configuration written");
        let (status, said) = told(&site, &["check", "-c", "dimsegate.toml", "--strict"]);
        let risks: Vec<&str> = said.lines().filter(|line| line.starts_with("risk: ")).collect();
        assert_eq!((status, risks.len()), (i32::from(!expected.is_empty()), expected.len()), "{said}");
        for expected in expected {
            assert!(risks.iter().any(|risk| risk.contains(expected)), "{expected}: {said}");
            let readme = include_str!("../../certs/README.md").replace('\n', " ");
            assert!(readme.contains(expected), "{expected} is not in certs/README.md");
        }
    }
}

#[test]
fn the_other_recipes_of_the_readme_make_what_they_say() {
    let site = Site::new();
    fs::create_dir(site.path("fresh")).expect("a new folder");
    for begin in
        ["dimsegate certs init", "dimsegate certs issue certs server", "dimsegate certs issue certs lyon"]
    {
        shell(&site, "fresh", &readme(begin));
    }
    let (_, shown) = told(&site, &["certs", "show", "fresh/certs/server.pem", "fresh/certs/lyon.pem"]);
    for name in ["dns:proxy.example", "ip:10.0.0.4", "dns:gw.lyon.example"] {
        assert!(shown.contains(name), "{name} in {shown}");
    }
    shell(&site, "fresh", &readme("openssl req -new"));
    openssl(&site, "req -in ../fresh/server.csr -noout -verify");
    // What the passphrases are is asked at a terminal.
    openssl(&site, "genrsa -aes128 -traditional -passout pass:one -out old.key 2048");
    shell(&site, "certs", &format!("{} -passin pass:one -passout pass:two", readme("openssl pkcs8")));
    let (_, shown) = told(&site, &["certs", "show", "certs/server.key"]);
    assert!(shown.contains("encrypted"), "{shown}");
}
