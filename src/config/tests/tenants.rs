//! Files with a `[[tenant]]`: what each of them is compiled from, and what none may have of another.

use std::fs;
use std::path::Path;

use crate::config::{Diagnostics, Loaded, load};
use crate::scratch::Scratch;
use crate::tls::authority::{Authority, Request};

/// What a tenant has; `NAME` is its name, `ADDRESS` where it listens, `TLS` more of its listener.
const TENANT: &str = r#"
[[listener]]
name = "remote"
tenant = "NAME"
address = "ADDRESS"
upstream = "pacs"
TLS
[[upstream]]
name = "pacs"
tenant = "NAME"
addresses = ["127.0.0.1:104"]
[[role]]
name = "r"
tenant = "NAME"
operations = ["C-STORE", "C-MOVE"]
sop-classes = ["storage"]
move-destinations = ["NAME_WS"]
[[crosswalk]]
name = "c"
tenant = "NAME"
file = "HOME/NAME.crosswalk"
key-file = "HOME/NAME.crosswalk.key"
[[rewrite]]
name = "w"
tenant = "NAME"
rules = [{ tag = "PatientID", action = "pseudonym" }]
secret-file = "HOME/NAME.secret"
crosswalk = "c"
[[peer]]
name = "ct"
tenant = "NAME"
networks = ["127.0.0.1"]
calling-ae-titles = ["CT"]
role = "r"
rewrite = "w"
rewrite-direction = "from-peer"
"#;

struct Home(Scratch);

impl Home {
    fn new(tenants: &[&str]) -> Self {
        let home = Self(Scratch::new());
        for (number, name) in tenants.iter().enumerate() {
            home.secret(&format!("{name}.secret"), 7 + 2 * number as u8);
            home.secret(&format!("{name}.crosswalk.key"), 101 + 2 * number as u8);
            let authority = Authority::new(name).unwrap();
            home.write(&format!("{name}-ca.pem"), authority.certificate_pem());
        }
        let authority = Authority::new("server").unwrap();
        let issued = authority.issue(&Request::new("server", vec!["localhost".parse().unwrap()])).unwrap();
        home.write("server.pem", &issued.certificate_pem);
        home.write("server.key", &issued.private_key_pem);
        home.write("other.pem", &issued.certificate_pem);
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn secret(&self, name: &str, step: u8) {
        let bytes: Vec<u8> = (0..64_u8).map(|at| at.wrapping_mul(step).rotate_left(3) ^ step).collect();
        self.write(name, &bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }

    fn text(&self, name: &str, address: &str, tls: &str) -> String {
        let text = TENANT.replace("TLS", tls).replace("NAME", name).replace("ADDRESS", address);
        text.replace("HOME", self.path().to_str().unwrap())
    }

    fn tenant(&self, name: &str, more: &str) -> String {
        let home = self.path().display();
        format!(
            "[[tenant]]\nname = \"{name}\"\nshare = 0.5\n{more}\n[tenant.audit]\ndirectory = \"{home}/{name}\"\n\
             [tenant.admin]\nlisten = \"unix:{home}/{name}.sock\"\n"
        )
    }

    /// TLS that trusts the CA of this name.
    fn tls(&self, ca: &str, chain: &str) -> String {
        let home = self.path().display();
        format!(
            "[listener.tls]\ncertificate-chain = \"{home}/{chain}.pem\"\nprivate-key = \"{home}/server.key\"\n\
             client-ca = \"{home}/{ca}-ca.pem\"\n"
        )
    }

    fn load(&self, text: &str) -> Result<Loaded, Diagnostics> {
        let file = self.path().join("dimsegate.toml");
        fs::write(&file, format!("relative-to = \"file\"\n{text}")).unwrap();
        load(&file)
    }

    /// The problems, each from its line on.
    fn problems(&self, text: &str) -> Vec<String> {
        let errors = match self.load(text) {
            Ok(_) => return Vec::new(),
            Err(Diagnostics { errors, .. }) => errors,
        };
        errors.iter().map(|one| format!("{}: {}: {}", one.line, one.key, one.problem)).collect()
    }

    fn two(&self) -> String {
        let tenants = [self.tenant("lyon", ""), self.tenant("paris", "")].concat();
        [tenants, self.text("lyon", "127.0.0.1:0", ""), self.text("paris", "127.0.0.1:0", "")].concat()
    }
}

#[test]
fn names_repeat_and_each_tenant_has_what_it_would_have_alone() {
    let home = Home::new(&["lyon", "paris"]);
    let both = home.load(&home.two()).unwrap();
    assert!(both.settings.is_of_a_machine && both.settings.listeners.is_empty());
    assert!(both.settings.policy.peers.is_empty() && both.settings.rewrites.is_empty());
    let [lyon, paris] = both.tenants.as_slice() else { panic!("two") };
    for (tenant, name) in [(lyon, "lyon"), (paris, "paris")] {
        let settings = &tenant.settings;
        assert_eq!(settings.tenant.as_deref(), Some(name));
        assert_eq!(settings.audit.directory, home.path().join(name));
        assert_eq!(settings.state_directory, home.path().join("state").join(format!("tenant-{name}")));
        assert_eq!(settings.limits.counts.max_associations, 250);
        // Whatever is compiled of it, nothing of it names the other one.
        let other = if name == "lyon" { "paris" } else { "lyon" };
        let all = format!("{settings:?}");
        assert!(all.contains(name) && !all.contains(other), "{name}: {all}");
        // Where it stands in the file would tell how much of others is there.
        let stated = settings.policy.peers[0].keys.of("networks").unwrap();
        assert_eq!((stated.line, &*stated.to_string()), (0, "networks"));
    }
    // What it is does not depend on who else is there, nor on where in the file it stands.
    let alone = [home.tenant("lyon", ""), home.text("lyon", "127.0.0.1:0", "")].concat();
    let alone = home.load(&alone).unwrap().tenants.remove(0).settings;
    assert_eq!(alone.digest, lyon.settings.digest);
    assert_eq!(alone.keys, lyon.settings.keys);
    assert_ne!(alone.digest, paris.settings.digest);
}

#[test]
fn what_belongs_to_nobody_or_to_somebody_who_is_not_there_is_told_where_it_stands() {
    let home = Home::new(&["lyon", "paris"]);
    let two = home.two();
    let line = |text: &str, of: &str| text.lines().position(|line| line == of).unwrap() + 2;
    let without = two.replacen("[[role]]\nname = \"r\"\ntenant = \"lyon\"\n", "[[role]]\nname = \"r\"\n", 1);
    let at = line(&without, "[[role]]");
    assert_eq!(home.problems(&without), [format!("{at}: [[role]] \"r\" tenant: is missing")]);
    let misspelt = two.replacen(
        "[[peer]]\nname = \"ct\"\ntenant = \"lyon\"",
        "[[peer]]\nname = \"ct\"\ntenant = \"lion\"",
        1,
    );
    let at = line(&misspelt, "tenant = \"lion\"");
    assert_eq!(
        home.problems(&misspelt),
        [format!("{at}: [[peer]] \"ct\" tenant: no [[tenant]] is called \"lion\"")]
    );
    // Names of others are not known.
    let reached = two.clone()
        + "[[route]]\ntenant = \"paris\"\ncalled-ae-title = \"X\"\nupstream = \"pacs2\"\n[[upstream]]\nname = \"pacs2\"\ntenant = \"lyon\"\naddresses = [\"127.0.0.1:105\"]\n";
    let at = line(&reached, "upstream = \"pacs2\"");
    assert_eq!(
        home.problems(&reached),
        [format!("{at}: [[route]] #1 upstream: no [[upstream]] is called \"pacs2\"")]
    );
    for (more, told) in [
        ("[users]\nfile = \"x\"\n", "users: is nobody's"),
        ("[admin]\nlisten = \"unix:admin.sock\"\n", "admin: does not know tenants yet"),
        ("[metrics]\nlisten = \"127.0.0.1:0\"\n", "metrics: do not know tenants yet"),
        (
            "[tenant.limits]\nmax-associations = 5\n",
            "[[tenant]] \"paris\" limits: is not a key of this table",
        ),
        (
            "[[tenant]]\nname = \"x\"\nshare = 0.1\n[tenant.audit]\ndirectory = \"x\"\n",
            "[[tenant]] \"x\" share: is too much",
        ),
        ("[[tenant]]\nname = \"lyon\"\nshare = 1.5\n", "[[tenant]] \"lyon\" share: is out of range"),
        ("[[tenant]]\nname = \"x\"\n", "[[tenant]] \"x\" share: is missing"),
        ("[[tenant]]\nname = \"x\"\n", "[[tenant]] \"x\" audit: is missing"),
    ] {
        // A table of a tenant stands below it.
        let whole = match more.starts_with("[tenant.") {
            true => two.replacen("[[listener]]", &format!("{more}[[listener]]"), 1),
            false => format!("{two}{more}"),
        };
        let problems = home.problems(&whole);
        assert!(problems.iter().any(|problem| problem.contains(told)), "{more}: {problems:#?}");
    }
    let inline = format!("limits = {{ grace = \"1s\" }}\n{two}");
    assert_eq!(home.problems(&inline), ["2: limits: has no header"]);
}

#[test]
fn what_outlives_a_restart_is_where_the_machine_says_and_nothing_of_before_is_left_there_for_nobody() {
    let home = Home::new(&["lyon", "paris"]);
    let two = home.two();
    let state = home.path().join("elsewhere");
    let named = format!("{two}[admin]\nstate-directory = \"{}\"\n", state.display());
    let loaded = home.load(&named).unwrap();
    assert_eq!(loaded.tenants[0].settings.state_directory, state.join("tenant-lyon"));
    assert!(loaded.settings.admin.is_none());
    // What is there of before would count for nobody.
    fs::create_dir_all(&state).unwrap();
    for name in ["blocks.json", "tokens", "patients"] {
        fs::write(state.join(name), "x").unwrap();
        let problems = home.problems(&named);
        let told = format!("of before, where {name} would count for nobody");
        assert!(problems.len() == 1 && problems[0].contains(&told), "{problems:#?}");
        fs::remove_file(state.join(name)).unwrap();
    }
    home.load(&named).unwrap();
}

#[test]
fn a_table_of_a_tenant_that_has_no_header_of_its_own_is_an_error_and_never_left_out() {
    let home = Home::new(&["lyon", "paris"]);
    let two = home.two();
    for key in ["audit", "users", "admin"] {
        for written in [
            format!("{key} = 7"),
            format!("{key} = \"x\""),
            format!("{key} = []"),
            format!("{key} = [\"x\"]"),
            format!("{key} = [[1]]"),
            format!("{key} = [{{ directory = \"x\" }}]"),
            format!("{key} = {{ directory = \"x\", nonsense = 3 }}"),
            format!("{key}.directory = \"x\""),
            format!("{key}.deeper.listen = \"x\""),
            format!("\"{key}\" . listen = \"x\""),
        ] {
            let text = two.replacen("share = 0.5\n", &format!("share = 0.5\n{written}\n"), 1);
            let header = |key: &str| format!("[tenant.{key}]\n");
            let directory = format!("directory = \"{}/lyon\"\n", home.path().display());
            let listen = format!("listen = \"unix:{}/lyon.sock\"\n", home.path().display());
            // It is there once.
            let text = match key {
                "audit" => text.replacen(&(header(key) + &directory), "", 1),
                _ => text.replacen(&(header("admin") + &listen), "", 1),
            };
            let line = text.lines().position(|line| line == written).unwrap() + 2;
            let told = format!("{line}: [[tenant]] \"lyon\" {key}: has no header");
            assert_eq!(home.problems(&text), [told], "{written}");
        }
    }
    let repository = two.replacen("[tenant.admin]", "[[tenant.audit.repository]]\n[tenant.admin]", 1);
    assert!(home.problems(&repository).iter().all(|problem| !problem.contains("has no header")));
}

#[test]
fn what_a_tenant_is_does_not_change_with_what_stands_above_the_header_of_another() {
    let home = Home::new(&["lyon", "paris"]);
    let two = home.two();
    let digests = |text: &str| {
        let tenants = home.load(text).unwrap().tenants;
        tenants.iter().map(|one| one.settings.digest.clone()).collect::<Vec<_>>()
    };
    let before = digests(&two);
    let above = two.replacen(
        "[[tenant]]\nname = \"paris\"",
        "\n  # Paris, since May\n#\n\n  [[tenant]]\nname = \"paris\"",
        1,
    );
    assert_eq!(digests(&above), before);
    assert_eq!(digests(&format!("{two}\n# the end\n")), before);
    // What looks like a comment, and is the end of a value.
    let told = |end: &str| {
        let [first, rest] =
            ["[[crosswalk]]\nname = \"c\"\ntenant = \"paris\"", &two].map(|text| text.to_owned());
        let value = format!(
            "[[peer]]\nname = \"x\"\ntenant = \"lyon\"\nnetworks = [\"127.0.0.1\"]\nrole = \"r\"\ncalling-ae-titles = [\"\"\"\n# {end}\"\"\"]\n"
        );
        home.problems(&rest.replacen(&first, &(value + &first), 1))
    };
    let problems = told("A");
    assert!(problems.iter().all(|one| one.contains("[[peer]] \"x\" calling-ae-titles[0]")), "{problems:#?}");
}

#[test]
fn no_two_tenants_have_a_trail_a_key_a_secret_or_a_crosswalk_in_common_however_it_is_named() {
    let home = Home::new(&["lyon", "paris"]);
    let two = home.two();
    let folder = home.path().display().to_string();
    std::os::unix::fs::symlink(home.path(), home.path().join("link")).unwrap();
    fs::hard_link(home.path().join("lyon.crosswalk.key"), home.path().join("hard.key")).unwrap();
    fs::copy(home.path().join("lyon.secret"), home.path().join("copy.secret")).unwrap();
    home.write("copy.key", &(fs::read_to_string(home.path().join("lyon.crosswalk.key")).unwrap() + "\n"));
    for (of, instead, told) in [
        ("/paris\"", "/lyon\"", "is the folder of another trail, or lies in it, or it lies there"),
        (
            "/paris\"",
            "/link/lyon/inside\"",
            "is the folder of another trail, or lies in it, or it lies there",
        ),
        ("/paris.crosswalk\"", "/link/./lyon.crosswalk\"", "is a file of another tenant"),
        ("/paris.crosswalk.key\"", "/hard.key\"", "is a file of another tenant"),
        ("/paris.secret\"", "/link/lyon.secret\"", "is a file of another tenant"),
        ("/paris.secret\"", "/copy.secret\"", "has a secret that another tenant has"),
        ("/paris.sock\"", "/link/lyon.sock\"", "is where another tenant is administered"),
        ("/paris.crosswalk.key\"", "/copy.key\"", "has the same content as one of another tenant"),
        (
            "/paris.crosswalk\"",
            "/link/lyon/paris.crosswalk\"",
            "lies in the folder of the records of another tenant",
        ),
        ("/lyon.crosswalk\"", "/paris/x\"", "lies in the folder of the records of another tenant"),
        (
            "/paris.crosswalk\"",
            "/state/tenant-lyon/paris.crosswalk\"",
            "lies in the folder of what outlives a restart of another tenant",
        ),
        ("/lyon\"", "/state\"", "is the folder of what outlives a restart (state-directory)"),
        ("/paris\"", "/state/tenant-lyon/a\"", "is the folder of what outlives a restart (state-directory)"),
        ("/paris\"", "/state/tenant-paris\"", "is the folder of what outlives a restart (state-directory)"),
    ] {
        let text = two.replacen(&format!("{folder}{of}"), &format!("{folder}{instead}"), 1);
        assert_ne!(text, two, "{of}");
        let problems = home.problems(&text);
        assert!(problems.iter().any(|problem| problem.contains(told)), "{instead}: {problems:#?}");
        // Whose the other is, is not told.
        assert!(
            problems.iter().all(|problem| !problem.contains("lyon") || of.contains("lyon")),
            "{problems:#?}"
        );
    }
    assert_eq!(home.problems(&two), Vec::<String>::new());
}

#[test]
fn an_address_of_two_tenants_needs_tls_that_tells_them_apart() {
    let home = Home::new(&["lyon", "paris"]);
    let at = "127.0.0.1:11112";
    let file = |names: [&str; 2], tls: [&str; 2]| {
        let of = |name: &str, names: &str, tls: &str| (home.tenant(name, names), home.text(name, at, tls));
        let [(lyon, of_lyon), (paris, of_paris)] =
            [of("lyon", names[0], tls[0]), of("paris", names[1], tls[1])];
        [lyon, paris, of_lyon, of_paris].concat()
    };
    let [lyon, paris, same] =
        [home.tls("lyon", "server"), home.tls("paris", "server"), home.tls("lyon", "server")];
    let loaded = home.load(&file(["", ""], [&lyon, &paris])).unwrap();
    let [shared] = loaded.settings.listeners.as_slice() else { panic!("one") };
    let leads = &shared.shared.as_ref().unwrap().leads;
    assert_eq!(leads.iter().map(|lead| &*lead.tenant).collect::<Vec<_>>(), ["lyon", "paris"]);
    let named = ["server-names = [\"Lyon.example\"]", "server-names = [\"paris.example\"]"];
    let twice = ["server-names = [\"lyon.example\"]", "server-names = [\"LYON.example.\"]"];
    let other = home.tls("paris", "other");
    let open = other.replace("client-ca", "client-authentication = \"optional\"\nclient-ca");
    let strict = format!("{paris}profile = \"tls13\"\n");
    let balanced = format!("proxy-protocol-from = [\"127.0.0.1\"]\n{paris}");
    for (names, tls, told) in [
        (
            ["", ""],
            ["", ""],
            vec![
                "is an address of several tenants, and is plain DICOM",
                "is an address of several tenants, and is plain DICOM",
            ],
        ),
        (["", ""], [&*lyon, ""], vec!["is an address of several tenants, and is plain DICOM"]),
        (["", ""], [&*lyon, &*same], vec!["is trusted by another tenant at this address, too"]),
        (named, [&*lyon, &*same], vec!["is trusted by another tenant at this address, too"]),
        (["", ""], [&*lyon, &*other], vec!["is another one than that of another tenant at this address"]),
        (["", ""], [&*lyon, &*open], vec!["asks for no certificate at an address of several tenants"]),
        (["", ""], [&*lyon, &*strict], vec!["is another one than that of another tenant at this address"]),
        (
            ["", ""],
            [&*lyon, &*balanced],
            vec!["is not what the listener of another tenant at this address has"],
        ),
        (twice, [&*lyon, &*paris], vec!["is listed twice"]),
        (named, [&*lyon, &*open], vec![]),
        (named, [&*lyon, &*paris], vec![]),
    ] {
        let problems = home.problems(&file(names, tls));
        assert_eq!(problems.len(), told.len(), "{problems:#?}");
        assert!(
            problems.iter().zip(&told).all(|(problem, told)| problem.contains(told)),
            "{problems:#?} {told:?}"
        );
        assert!(problems.iter().all(|problem| !problem.contains("lyon")), "{problems:#?}");
    }
}

#[test]
fn the_reference_and_the_manual_show_every_key_of_a_tenant_and_what_they_show_is_read() {
    let reference = include_str!("../../../conf/dimsegate.toml");
    let (_, rest) = reference.split_once("#   [[tenant]]").expect("its header");
    let section: String = rest.split("# ----").next().unwrap_or_default().replace("\n#   ", "\n");
    let home = Home::new(&["lyon", "paris"]);
    let folder = home.path().display();
    let whole = format!("[[tenant]]{section}").replace("audit/lyon", &format!("{folder}/shown"));
    let whole = whole.replace("[tenant.users]", "#").replace("file = ", "# ");
    let whole = whole.replace("/run/dimsegate/lyon.sock", &format!("{folder}/lyon.sock"));
    let loaded = home.load(&[whole, home.text("lyon", "127.0.0.1:0", "")].concat()).unwrap();
    let [lyon] = loaded.tenants.as_slice() else { panic!("one") };
    assert_eq!(lyon.settings.limits.counts.max_associations, 125);
    for key in ["name", "share", "server-names", "[tenant.audit]", "[tenant.users]", "[tenant.admin]"] {
        assert!(section.contains(key), "{key}");
    }
    let manual = include_str!("../../../conf/README.md");
    let (_, manual) = manual.split_once("## Tenants\n").expect("its section");
    let (_, example) = manual.split_once("    [audit]\n").expect("its example");
    let example = example.split("    [[listener]]").next().unwrap_or_default();
    let example = format!("[audit]\n{}", example.replace("audit/", &format!("{folder}/shown/")));
    let own = |name| home.text(name, "127.0.0.1:0", "");
    let loaded = home.load(&[example, own("lyon"), own("paris")].concat()).unwrap();
    let shares = loaded.tenants.iter().map(|one| one.settings.limits.counts.max_associations);
    assert_eq!(shares.collect::<Vec<_>>(), [200, 100]);
}
