//! Several organisations in one process: each reaches its own, and nothing of another can be told from what is not there.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use serde_json::{Value, json};

use crate::administration::{Answer, exchange};
use crate::command::Command;
use crate::connection::{self, Target};
use crate::gate::{Gate, records_in, told};
use crate::object::Object;
use crate::peers::{self, PythonArchive};
use crate::process::free_address;
use crate::raw::{self, Peer, Upstream, verification};
use crate::site::Site;
use crate::tokens;
use crate::upper;
use crate::wait;

/// What the standard has for each no that a scenario gets.
const STATUS: u16 = 0x0900;
const MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";

/// Stands for the address that tenants have in common, until it is known.
const SHARED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// One organisation: a CA, a client, an archive, and AE titles that have its name.
#[derive(Clone)]
struct Tenant {
    name: &'static str,
    archive: SocketAddr,
    share: &'static str,
    /// Keys of its listener besides the usual ones, and tables at the end.
    listener: &'static str,
    more: &'static str,
}

impl Tenant {
    fn new(name: &'static str, archive: SocketAddr) -> Self {
        Self { name, archive, share: "0.3", listener: "", more: "" }
    }

    fn ae(&self, what: &str) -> String {
        format!("{}_{what}", self.name.to_uppercase())
    }

    fn toml(&self, address: SocketAddr) -> String {
        let Self { name, archive, share, listener, more } = self;
        let [ct, pacs, ws] = ["CT", "PACS", "WS"].map(|what| self.ae(what));
        format!(
            r#"
[[tenant]]
name = "{name}"
share = {share}
server-names = ["{name}.dicom.example"]
[tenant.audit]
directory = "audit-{name}"
[[listener]]
name = "remote"
tenant = "{name}"
address = "{address}"
upstream = "archive"
{listener}
[listener.tls]
certificate-chain = "certs/front.pem"
private-key = "certs/front.key"
client-ca = "certs/{name}-ca.pem"
[[upstream]]
name = "archive"
tenant = "{name}"
addresses = ["{archive}"]
[[role]]
name = "all"
tenant = "{name}"
operations = ["all"]
sop-classes = ["all"]
transfer-syntaxes = ["all"]
move-destinations = ["{ws}"]
[[peer]]
name = "modality-of-{name}"
tenant = "{name}"
networks = ["127.0.0.0/8"]
calling-ae-titles = ["{ct}"]
called-ae-titles = ["{pacs}"]
role = "all"
{more}
"#
        )
    }
}

fn file(tenants: &[Tenant], address: SocketAddr, limits: &str) -> String {
    let own = format!("[log]\nlevel = \"debug\"\n[audit]\ndirectory = \"audit\"\n[limits]\n{limits}\n");
    own + &tenants.iter().map(|tenant| tenant.toml(address)).collect::<String>()
}

/// A site with a server for all, and a CA with a client for each of these and for a stranger.
fn site(names: &[&str]) -> Site {
    let site = Site::new();
    let own: Vec<String> = names.iter().map(|name| format!("{name}.dicom.example")).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).chain(["localhost", "127.0.0.1"]).collect();
    site.server("front", &own);
    names.iter().chain(&["nobody"]).for_each(|name| site.organisation(name));
    site
}

fn start(tenants: &[Tenant], limits: &str) -> Gate {
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.name).collect();
    Gate::start_with(site(&names), &file(tenants, free_address(), limits), "")
}

/// Connects with a client's certificate, by this server name.
fn target(gate: &Gate, client: &str, server: &str) -> Target {
    let path = |end: &str| gate.site.path(&format!("certs/{client}.{end}"));
    let config = connection::client_config(&gate.site.path("certs/ca.pem"), Some((path("pem"), path("key"))));
    let config: Arc<_> = config.expect("a client configuration");
    // An address is no server name that is sent (RFC 6066 §3).
    let name = ServerName::try_from(server.to_owned()).expect("a name");
    Target { tls: Some((config, name)), address: gate.address, patience: wait::PATIENCE }
}

fn of(gate: &Gate, tenant: &Tenant) -> Target {
    target(gate, tenant.name, "127.0.0.1")
}

fn trail(gate: &Gate, tenant: &Tenant) -> Vec<Value> {
    records_in(&gate.site, &format!("audit-{}", tenant.name))
}

fn recorded(gate: &Gate, tenant: &Tenant, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait::until(what, || trail(gate, tenant).into_iter().find(&wanted))
}

/// What comes back where nobody is let in: how the connection ends, or the answer.
fn answer(target: &Target, request: &upper::Request) -> String {
    use std::io::{Read, Write};
    let mut connection = match target.connect() {
        Ok(connection) => connection,
        Err(error) => return error.to_string(),
    };
    // In TLS 1.3 a client learns only now whether its certificate is taken.
    let mut heard = Vec::new();
    let said = connection.write_all(&request.encode()).and_then(|()| connection.flush());
    match said.and_then(|()| connection.read_to_end(&mut heard)) {
        Ok(_) => format!("{heard:02x?}"),
        Err(error) => format!("{heard:02x?} {error}"),
    }
}

/// An association for this class through the one to the raw archive of a tenant.
fn open(gate: &Gate, tenant: &Tenant, archive: &Upstream, class: &str) -> (Peer, Peer) {
    let request = upper::Request::new(&tenant.ae("CT"), &tenant.ae("PACS"));
    raw::open(&of(gate, tenant), archive, &request.context(class, &[upper::IMPLICIT_LITTLE]), 16384)
}

/// A data set with one UID.
fn study(uid: &str) -> Vec<u8> {
    let level = [&[8, 0, 0x52, 0, 6, 0, 0, 0][..], b"STUDY "].concat();
    let uid = if uid.len().is_multiple_of(2) { uid.to_owned() } else { format!("{uid}\0") };
    let length = u32::try_from(uid.len()).expect("a UID").to_le_bytes();
    [level, [0x20, 0, 0x0d, 0].to_vec(), length.to_vec(), uid.into_bytes()].concat()
}

/// What a C-MOVE to this destination is answered with, by the proxy or by the archive.
fn moved_to(requestor: &mut Peer, destination: &str) -> Vec<u8> {
    let padded = format!("{destination:<16}");
    let command = Command::new(0x0021)
        .uid(0x0002, MOVE)
        .us(0x0110, 1)
        .us(0x0700, 0)
        .us(0x0800, 1)
        .bytes(0x0600, padded.into_bytes());
    requestor.send_message(1, &command, Some(&study("2.25.4711")), 16384);
    let answered = requestor.message();
    assert_ne!(answered.command.number(STATUS), Some(0));
    answered.command.encode()
}

#[test]
fn nothing_of_one_tenant_can_be_told_by_another_from_what_is_not_there_whichever_pair_they_are() {
    let archives: Vec<Upstream> = (0..3).map(|_| Upstream::bind()).collect();
    let names = ["one", "two", "three"];
    let tenants: Vec<Tenant> = names
        .iter()
        .zip(&archives)
        .map(|(name, archive)| Tenant {
            listener: "user-identity = \"accept\"",
            more: crate::gate::leaked(format!(
                "[[issuer]]\nname = \"login\"\ntenant = \"{name}\"\nissuer = \"https://{name}.example\"\naudience = \"{name}\"\n\
                 algorithms = [\"ES256\"]\nkeys = \"conf/login.jwks\"\n"
            )),
            ..Tenant::new(name, archive.address)
        })
        .collect();
    let site = site(&names);
    tokens::make_keys(&site);
    let mut gate = Gate::start_with(site, &file(&tenants, free_address(), ""), "");
    let token = |of: &str| {
        let claims = json!({ "iss": format!("https://{of}.example"), "aud": of });
        let token = tokens::claiming(&gate.site, &claims);
        let length = u16::try_from(token.len()).expect("a field that fits");
        upper::item(0x58, &[&[5, 1], &length.to_be_bytes()[..], token.as_bytes(), &[0, 0]].concat())
    };
    let tokens: Vec<Vec<u8>> = names.iter().chain(&["nobody"]).map(|name| token(name)).collect();
    let nobody = || tokens.last().expect("one").clone();
    for (one, attacker) in tenants.iter().enumerate() {
        let archive = &archives[one];
        let (ct, pacs) = (attacker.ae("CT"), attacker.ae("PACS"));
        // What it may do, it can: by its certificate alone, and by its own server name.
        for server in ["127.0.0.1", "localhost", &format!("{}.dicom.example", attacker.name)] {
            let request = verification(&ct, &pacs).user_item(token(attacker.name));
            let (mut requestor, mut acceptor) =
                raw::open(&target(&gate, attacker.name, server), archive, &request, 16384);
            raw::echo(&mut requestor, &mut acceptor);
            raw::release(requestor, acceptor);
        }
        let (mut requestor, _acceptor) = open(&gate, attacker, archive, MOVE);
        let unknown = moved_to(&mut requestor, "NOBODY_WS");
        for (two, victim) in tenants.iter().enumerate().filter(|(two, _)| *two != one) {
            let own = of(&gate, attacker);
            // Certificate: at the name of the other, as anybody's.
            let named = format!("{}.dicom.example", victim.name);
            let request = verification(&victim.ae("CT"), &victim.ae("PACS"));
            let by = |client: &str| answer(&target(&gate, client, &named), &request);
            assert_eq!(by(attacker.name), by("nobody"), "{} at {}", attacker.name, victim.name);
            // AE titles, calling and called.
            let calling = |ae: &str| answer(&own, &verification(ae, &pacs));
            assert_eq!(calling(&victim.ae("CT")), calling("NOBODY_CT"));
            let called = |ae: &str| answer(&own, &verification(&ct, ae));
            assert_eq!(called(&victim.ae("PACS")), called("NOBODY_PACS"));
            // Both together, as the other would.
            assert_eq!(answer(&own, &request), answer(&own, &verification("NOBODY_CT", "NOBODY_PACS")));
            // Token.
            let bearing = |token: &[u8]| answer(&own, &verification(&ct, &pacs).user_item(token.to_vec()));
            assert_eq!(bearing(&tokens[two]), bearing(&nobody()));
            // Move destination.
            assert_eq!(moved_to(&mut requestor, &victim.ae("WS")), unknown);
            archives[two].expect_nobody();
        }
        // UIDs: those of another's studies reach its own archive, and no other.
        let (mut asking, mut asked) = open(&gate, attacker, archive, FIND);
        let command = Command::new(0x0020).uid(0x0002, FIND).us(0x0110, 1).us(0x0700, 0).us(0x0800, 1);
        asking.send_message(1, &command, Some(&study("2.25.4711")), 16384);
        assert_eq!(asked.message().data_set, Some(study("2.25.4711")));
        archives.iter().for_each(Upstream::expect_nobody);
    }
    assert!(gate.stop().success(), "{}", gate.output());
    for (one, tenant) in tenants.iter().enumerate() {
        let records = trail(&gate, tenant);
        assert!(records.iter().all(|record| record["tenant"] == tenant.name), "{records:#?}");
        let text = format!("{records:?}");
        for (two, other) in tenants.iter().enumerate().filter(|(two, _)| *two != one) {
            for theirs in [
                format!("modality-of-{}", other.name),
                format!("audit-{}", other.name),
                format!("\"{}\"", other.name),
                archives[two].address.to_string(),
            ] {
                assert!(!text.contains(&theirs), "{} of {}: {text}", theirs, tenant.name);
            }
        }
        // Who came by the certificate of another has left no trace but here, at the name that they asked for.
        let refused: Vec<&Value> =
            records.iter().filter(|record| record["event"] == "connection-refused").collect();
        assert!(
            refused.iter().all(|record| record["reason"] == "tls-handshake-failed"
                || record["reason"].as_str().is_some_and(|reason| reason.contains("certificate"))),
            "{refused:#?}"
        );
    }
    let machine = gate.records();
    assert!(machine.iter().all(|record| record["tenant"] == Value::Null));
    // The machine knows of no association.
    assert_eq!(gate.count("association-opened") + gate.count("association-rejected"), 0);
}

#[test]
fn dcmtk_orthanc_and_pynetdicom_are_tenants_at_one_address_and_reach_nobody_but_their_own() {
    let [storescp, orthanc] = [peers::storescp(&[]), peers::orthanc()];
    let python = PythonArchive::start(&[]);
    let tenants = [
        Tenant::new("dcmtk", storescp.address),
        Tenant::new("orthanc", orthanc.address),
        Tenant::new("pynetdicom", python.address()),
    ];
    let mut gate = start(&tenants, "");
    let object = Object::ct(64);
    let (_folder, files) = peers::files_of(std::slice::from_ref(&object));
    let dcmtk = |client: &str, of: &Tenant| {
        let [key, certificate, ca] =
            [format!("certs/{client}.key"), format!("certs/{client}.pem"), "certs/ca.pem".into()]
                .map(|file| gate.site.text(&file));
        let (ct, pacs) = (of.ae("CT"), of.ae("PACS"));
        let options = ["-aet", &ct, "-aec", &pacs, "+tls", &key, &certificate, "+cf", &ca];
        peers::requestor("storescu", gate.address, &options, &[&files[0]])
    };
    let pynetdicom = |client: &str, of: &Tenant| {
        let [key, certificate, ca] =
            [format!("certs/{client}.key"), format!("certs/{client}.pem"), "certs/ca.pem".into()]
                .map(|file| gate.site.text(&file));
        let (ct, pacs) = (of.ae("CT"), of.ae("PACS"));
        let options =
            ["--calling", &ct, "--called", &pacs, "--ca", &ca, "--certificate", &certificate, "--key", &key];
        peers::scu("echo", gate.address, &options)["established"] == json!(true)
    };
    for tenant in &tenants {
        dcmtk(tenant.name, tenant).expect_success();
        assert!(pynetdicom(tenant.name, tenant), "{}", tenant.name);
        recorded(&gate, tenant, "a stored object", |record| {
            record["operation"] == "C-STORE" && record["status"] == "0x0000"
        });
        for other in tenants.iter().filter(|other| other.name != tenant.name) {
            assert!(!dcmtk(tenant.name, other).success, "{} as {}", tenant.name, other.name);
            assert!(!pynetdicom(tenant.name, other), "{} as {}", tenant.name, other.name);
        }
        assert!(!dcmtk("nobody", tenant).success);
    }
    assert!(gate.stop().success(), "{}", gate.output());
    for tenant in &tenants {
        let opened = |record: &&Value| record["event"] == "association-opened";
        assert_eq!(trail(&gate, tenant).iter().filter(opened).count(), 2, "{}", tenant.name);
    }
    assert_eq!(storescp.files().len(), 1);
}

/// A request to the interface of a tenant, and its answer.
fn asked(gate: &Gate, tenant: &Tenant, method: &str, path: &str, content: &str) -> Answer {
    let socket = gate.site.path(&format!("{}.sock", tenant.name));
    let mut stream = UnixStream::connect(socket).expect("the socket");
    exchange(&mut stream, method, path, "", content)
}

/// The same, of what is no JSON.
fn read(gate: &Gate, tenant: &Tenant, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream =
        UnixStream::connect(gate.site.path(&format!("{}.sock", tenant.name))).expect("the socket");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_interface_of_a_tenant_shows_and_changes_its_own_and_nothing_of_the_process() {
    let archives = [Upstream::bind(), Upstream::bind()];
    let [ward, clinic] = [("ward", &archives[0]), ("clinic", &archives[1])]
        .map(|(name, archive)| Tenant::new(name, archive.address));
    let with_interface = |tenant: &Tenant| {
        let own = format!("[tenant.admin]\nlisten = \"unix:{}.sock\"\n[[listener]]", tenant.name);
        tenant.toml(SHARED).replacen("[[listener]]", &own, 1)
    };
    let address = free_address();
    let text = file(&[], address, "") + &[with_interface(&ward), with_interface(&clinic)].concat();
    let text = text.replace(&SHARED.to_string(), &address.to_string());
    let mut gate = Gate::start_with(site(&["ward", "clinic"]), &text, "");
    let (mut seen, mut sees) = open(&gate, &ward, &archives[0], upper::VERIFICATION);
    let id = wait::until("the association", || {
        let listed = asked(&gate, &ward, "GET", "/api/v1/associations", "").body;
        listed[0]["id"].as_str().map(str::to_owned)
    });
    // A refusal, and a block.
    raw::rejection(&of(&gate, &ward), &verification("NOBODY", "NOBODY"));
    let block = r#"{"of": "address:192.0.2.7", "reason": "a scan"}"#;
    let blocked = asked(&gate, &ward, "POST", "/api/v1/blocks", block);
    assert_eq!(blocked.status, 201, "{}", blocked.body);
    let paths = [
        "associations",
        "refusals",
        "blocks",
        "peers",
        "upstreams",
        "status",
        "limits",
        "configuration",
        "certificates",
        "issuers",
        "users",
        "notifications",
    ]
    .map(|path| format!("/api/v1/{path}"));
    // Where something stands in the file would tell how much of others is there.
    for path in &paths {
        let told = read(&gate, &ward, path);
        assert!(!told.contains("\"line\"") && !told.contains(" in line "), "{path}: {told}");
    }
    for path in paths.iter().map(String::as_str).chain(["/metrics"]) {
        let told = read(&gate, &clinic, path);
        for theirs in ["ward", "WARD", "NOBODY", "192.0.2.7", &id, &archives[0].address.to_string()] {
            assert!(!told.contains(theirs), "{theirs} in {path}: {told}");
        }
        assert!(told.starts_with("HTTP/1.1 200"), "{path}: {told}");
    }
    // What is another's is answered as what is not there.
    let gone = |id: &str| asked(&gate, &clinic, "GET", &format!("/api/v1/associations/{id}"), "");
    let [theirs, nobodys] = [gone(&id), gone("0000000000000000-1")];
    assert_eq!((theirs.status, nobodys.status), (404, 404));
    assert_eq!(
        theirs.body.to_string().replace(&id, ""),
        nobodys.body.to_string().replace("0000000000000000-1", "")
    );
    let aborted =
        |id: &str| asked(&gate, &clinic, "POST", &format!("/api/v1/associations/{id}/abort"), "{}").status;
    assert_eq!([aborted(&id), aborted("0000000000000000-1")], [404, 404]);
    let unblocked =
        |number: &str| asked(&gate, &clinic, "DELETE", &format!("/api/v1/blocks/{number}"), "").status;
    assert_eq!([unblocked("1"), unblocked("77")], [404, 404]);
    // Nor is the whole process one tenant's.
    for (method, path, content) in [
        ("POST", "/api/v1/reload", ""),
        ("POST", "/api/v1/drain", ""),
        ("PUT", "/api/v1/log-level", r#"{"level": "trace"}"#),
    ] {
        let refused = asked(&gate, &clinic, method, path, content);
        assert!((400..500).contains(&refused.status), "{path}: {}", refused.status);
        assert!(refused.body.to_string().contains("all tenants of the machine"), "{path}: {}", refused.body);
    }
    raw::echo(&mut seen, &mut sees);
    let (status, told) = told(&gate.site, &["status", "-c", "dimsegate.toml", "--tenant", "clinic"]);
    assert!(status == 0 && !told.contains("ward"), "{told}");
    // Blocks are one tenant's, and no other's.
    let everybody = r#"{"of": "address:127.0.0.1", "reason": "all of us"}"#;
    assert_eq!(asked(&gate, &clinic, "POST", "/api/v1/blocks", everybody).status, 201);
    raw::echo(&mut seen, &mut sees);
    let (other, archive) = open(&gate, &ward, &archives[0], upper::VERIFICATION);
    raw::release(other, archive);
    let shut_out = answer(&of(&gate, &clinic), &verification(&clinic.ae("CT"), &clinic.ae("PACS")));
    assert!(!shut_out.starts_with("[02"), "{shut_out}");
    archives[1].expect_nobody();
    raw::release(seen, sees);
    assert!(gate.stop().success(), "{}", gate.output());
}

#[test]
fn the_load_of_one_takes_its_share_of_the_limits_and_no_more() {
    let archives = [Upstream::bind(), Upstream::bind()];
    let [busy, calm] = [("busy", &archives[0]), ("calm", &archives[1])]
        .map(|(name, archive)| Tenant { share: "0.5", ..Tenant::new(name, archive.address) });
    let mut gate = start(&[busy.clone(), calm.clone()], "max-associations = 8");
    let open = |tenant: &Tenant, archive: &Upstream| open(&gate, tenant, archive, upper::VERIFICATION);
    let taken: Vec<_> = (0..4).map(|_| open(&busy, &archives[0])).collect();
    let fifth = raw::rejection(&of(&gate, &busy), &verification(&busy.ae("CT"), &busy.ae("PACS")));
    assert_eq!(fifth, [0, 2, 3, 2], "local limit exceeded");
    let others: Vec<_> = (0..4).map(|_| open(&calm, &archives[1])).collect();
    for (requestor, acceptor) in taken.into_iter().chain(others) {
        raw::release(requestor, acceptor);
    }
    assert!(gate.stop().success());
    let refused = |tenant: &Tenant| {
        let refused = |record: &&Value| record["reason"] == "too-many-associations";
        trail(&gate, tenant).iter().filter(refused).count()
    };
    assert_eq!([refused(&busy), refused(&calm)], [1, 0]);
}

#[test]
fn a_reload_adds_changes_and_removes_tenants_and_the_others_go_on() {
    let archives: Vec<Upstream> = (0..3).map(|_| Upstream::bind()).collect();
    let [stays, goes, comes] =
        [("stays", 0), ("goes", 1), ("comes", 2)].map(|(name, at)| Tenant::new(name, archives[at].address));
    let (address, names) = (free_address(), ["stays", "goes", "comes"]);
    let both = [stays.clone(), goes.clone()];
    let mut gate = Gate::start_with(site(&names), &file(&both, address, ""), "");
    let (mut kept, mut keeps) = open(&gate, &stays, &archives[0], upper::VERIFICATION);
    let (lost, _archive) = open(&gate, &goes, &archives[1], upper::VERIFICATION);
    let unknown = answer(&target(&gate, "nobody", "127.0.0.1"), &verification("X", "Y"));
    assert_eq!(answer(&of(&gate, &comes), &verification("X", "Y")), unknown);
    gate.reload(&file(&[stays.clone(), comes.clone()], address, ""));
    let loaded = |record: &Value| record["event"] == "configuration-loaded";
    let reloaded =
        recorded(&gate, &stays, "the reload", |record| loaded(record) && record["changed"].is_array());
    let begun = recorded(&gate, &stays, "the start", loaded);
    // Of its own nothing has changed.
    assert_eq!(reloaded["changed"], json!([]), "{reloaded}");
    assert_eq!(reloaded["configuration"], begun["configuration"]);
    let closed = recorded(&gate, &goes, "the end of it", |record| record["event"] == "association-closed");
    let why = closed["reason"].as_str().expect("a reason");
    assert!(why.starts_with("policy-changed: ") && why.ends_with("the tenant is there no more"), "{closed}");
    recorded(&gate, &goes, "the end of its trail", |record| record["event"] == "stopped");
    drop(lost);
    raw::echo(&mut kept, &mut keeps);
    raw::release(kept, keeps);
    let (mut requestor, mut acceptor) = open(&gate, &comes, &archives[2], upper::VERIFICATION);
    raw::echo(&mut requestor, &mut acceptor);
    raw::release(requestor, acceptor);
    assert_eq!(answer(&of(&gate, &goes), &verification(&goes.ae("CT"), &goes.ae("PACS"))), unknown);
    // What is wrong with one leaves all as they are, and is told to nobody but the machine.
    let broken =
        Tenant { more: "[[role]]\nname = \"x\"\ntenant = \"comes\"\noperations = [\"C-STOR\"]\n", ..comes };
    gate.reload(&file(&[stays.clone(), broken], address, ""));
    let refused = recorded(&gate, &stays, "the refusal", |record| record["event"] == "configuration-refused");
    assert_eq!((&refused["errors"], &refused["problems"]), (&json!(0), &json!([])), "{refused}");
    assert!(gate.event("configuration-refused").to_string().contains("C-STOR"));
    let (requestor, acceptor) = open(&gate, &comes, &archives[2], upper::VERIFICATION);
    raw::release(requestor, acceptor);
    assert!(gate.stop().success(), "{}", gate.output());
}

/// The limit of the size of files, which is a disk that is full for whoever has one as long.
fn limit_files(gate: &Gate, bytes: &str) {
    let arguments = ["--pid", &gate.pid().to_string(), &format!("--fsize={bytes}:unlimited")];
    assert!(std::process::Command::new("prlimit").args(arguments).status().expect("prlimit").success());
}

#[test]
fn the_full_disk_of_one_tenant_holds_up_no_reload_and_it_is_told_all_once_there_is_room() {
    let archives = [Upstream::bind(), Upstream::bind()];
    let [fine, full] = [("fine", 0), ("full", 1)].map(|(name, at)| Tenant::new(name, archives[at].address));
    // Each waits until the disk has kept what it records.
    let careful = |tenant: &Tenant, address| {
        let trail = format!("directory = \"audit-{}\"", tenant.name);
        tenant.toml(address).replacen(&trail, &format!("{trail}\ndurability = \"every-record\""), 1)
    };
    let address = free_address();
    let text = file(&[], address, "") + &[careful(&fine, address), careful(&full, address)].concat();
    let mut gate = Gate::start_with(site(&["fine", "full"]), &text, "trap '' XFSZ; exec \"$@\"");
    for _ in 0..20 {
        let (requestor, acceptor) = open(&gate, &full, &archives[1], upper::VERIFICATION);
        raw::release(requestor, acceptor);
    }
    let length = || {
        let folder = fs::read_dir(gate.site.path("audit-full")).expect("the folder");
        let files =
            folder.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "jsonl"));
        files.map(|entry| entry.metadata().expect("a file").len()).max().expect("a trail")
    };
    wait::until("all records", || {
        let closed = |record: &&Value| record["event"] == "association-closed";
        (trail(&gate, &full).iter().filter(closed).count() == 20).then_some(())
    });
    limit_files(&gate, &length().to_string());
    let loaded = |tenant: &Tenant| {
        let trail = trail(&gate, tenant);
        trail.iter().filter(|record| record["event"] == "configuration-loaded").count()
    };
    for count in 2..=4 {
        gate.reload(&format!("{text}\n# {count}\n"));
        wait::until("a reload", || {
            (loaded(&fine) == count && gate.count("configuration-loaded") == count).then_some(())
        });
    }
    gate.reload("[[tenant]]\n");
    recorded(&gate, &fine, "a refusal", |record| record["event"] == "configuration-refused");
    gate.event("configuration-refused");
    let (requestor, acceptor) = open(&gate, &fine, &archives[0], upper::VERIFICATION);
    raw::release(requestor, acceptor);
    assert_eq!(loaded(&full), 1);
    limit_files(&gate, "unlimited");
    recorded(&gate, &full, "the refusal, once there is room", |record| {
        record["event"] == "configuration-refused"
    });
    assert_eq!(loaded(&full), 4);
    assert!(gate.stop().success());
}

#[test]
fn a_chain_that_two_tenants_trust_is_refused_by_name_too_and_check_refuses_cas_that_signed_each_other() {
    let archives = [Upstream::bind(), Upstream::bind()];
    let [one, two] = [("one", 0), ("two", 1)].map(|(name, at)| Tenant::new(name, archives[at].address));
    let site = site(&["one", "two"]);
    site.organisations_of_one_root("one", "two");
    let address = free_address();
    let mut gate = Gate::start_with(site, &file(&[one.clone(), two.clone()], address, ""), "");
    let request = verification(&one.ae("CT"), &one.ae("PACS"));
    for server in ["127.0.0.1", "one.dicom.example"] {
        let by = |client: &str| target(&gate, client, server);
        let (mut requestor, mut acceptor) = raw::open(&by("one"), &archives[0], &request, 16384);
        raw::echo(&mut requestor, &mut acceptor);
        raw::release(requestor, acceptor);
        let refused = answer(&by("one-crossed"), &request);
        assert!(!refused.starts_with("[02"), "{server}: {refused}");
        archives.iter().for_each(Upstream::expect_nobody);
    }
    let refused = recorded(&gate, &one, "the refusal", |record| record["event"] == "connection-refused");
    assert_eq!(refused["reason"], "certificate-unknown-ca", "{refused}");
    assert!(refused["certificate"]["subject"].is_string(), "{refused}");
    // One that nobody can ask for but by name vouches, too.
    let optional = two.toml(address).replace("client-ca", "client-authentication = \"optional\"\nclient-ca");
    gate.reload(&(file(std::slice::from_ref(&one), address, "") + &optional));
    recorded(&gate, &two, "the reload", |record| {
        record["event"] == "configuration-loaded"
            && record["changed"] != json!([])
            && record["changed"].is_array()
    });
    let refused = answer(&target(&gate, "one-crossed", "127.0.0.1"), &request);
    assert!(!refused.starts_with("[02"), "{refused}");
    archives.iter().for_each(Upstream::expect_nobody);
    let (requestor, acceptor) = raw::open(&target(&gate, "one", "127.0.0.1"), &archives[0], &request, 16384);
    raw::release(requestor, acceptor);
    let crossed = file(&[one, two], address, "").replace("certs/one-ca.pem", "certs/one-crossed-ca.pem");
    fs::write(gate.site.path("crossed.toml"), crossed).expect("a configuration");
    let (status, said) = told(&gate.site, &["check", "-c", "crossed.toml"]);
    assert!(status == 78 && said.contains("has a CA that signed one of another tenant"), "{status}: {said}");
    assert!(gate.stop().success());
}

#[test]
fn a_made_up_ca_by_the_name_of_a_listed_one_is_a_stranger_at_a_common_address() {
    let archives = [Upstream::bind(), Upstream::bind()];
    let tenants = [("one", 0), ("two", 1)].map(|(name, at)| Tenant::new(name, archives[at].address));
    let site = site(&["one", "two"]);
    site.impostor("impostor", "two");
    let mut gate = Gate::start_with(site, &file(&tenants, free_address(), ""), "");
    let by = |client: &str| answer(&target(&gate, client, "127.0.0.1"), &verification("X", "Y"));
    assert_eq!(by("impostor"), by("nobody"));
    let refused = wait::until("both refusals", || {
        let refused: Vec<Value> =
            gate.records().into_iter().filter(|record| record["event"] == "connection-refused").collect();
        (refused.len() == 2).then_some(refused)
    });
    assert!(refused.iter().all(|record| record["reason"] == "certificate-unknown-ca"), "{refused:#?}");
    assert_eq!(refused[0]["alert"], refused[1]["alert"]);
    assert!(gate.stop().success());
}

#[test]
fn an_address_that_no_tenant_lets_in_is_closed_before_tls_and_so_is_one_that_the_named_tenant_does_not() {
    use std::io::Read;
    let [one, two] = ["one", "two"].map(|name| Tenant::new(name, free_address()));
    let address = free_address();
    let elsewhere = |tenant: &Tenant| tenant.toml(address).replace("127.0.0.0/8", "192.0.2.0/24");
    let text = file(&[], address, "") + &[elsewhere(&one), elsewhere(&two)].concat();
    let mut gate = Gate::start_with(site(&["one", "two"]), &text, "");
    // It says nothing, and is closed all the same.
    let mut silent = std::net::TcpStream::connect(address).expect("a connection");
    silent.set_read_timeout(Some(wait::PATIENCE)).expect("a timeout");
    assert_eq!(silent.read(&mut [0; 1]).unwrap_or(0), 0);
    gate.because("address-not-allowed");
    // One of them lets it in.
    gate.reload(&(file(std::slice::from_ref(&one), address, "") + &elsewhere(&two)));
    recorded(&gate, &one, "the reload", |record| {
        record["event"] == "configuration-loaded"
            && record["changed"].as_array().is_some_and(|all| !all.is_empty())
    });
    let named = target(&gate, "two", "two.dicom.example").connect();
    assert!(named.is_err(), "TLS was answered");
    let refused = recorded(&gate, &two, "the refusal", |record| record["event"] == "connection-refused");
    assert_eq!(refused["reason"], "address-not-allowed", "{refused}");
    assert!(!refused.to_string().contains(" in line "), "{refused}");
    let association = refused["association"].as_str().expect("an id").to_owned();
    assert!(gate.stop().success());
    let log = gate.output();
    let its: Vec<&str> = log.lines().filter(|line| line.contains(&association)).collect();
    let whose = format!("tenant=two association={association}");
    assert!(!its.is_empty() && its.iter().all(|line| line.contains(&whose)), "{its:#?}");
}

#[test]
fn a_tenant_is_told_of_its_own_files_that_have_changed_and_of_no_others() {
    let tenants =
        [("one", 104), ("two", 105)].map(|(name, port)| Tenant::new(name, ([127, 0, 0, 1], port).into()));
    let site = site(&["one", "two"]);
    let mut gate = Gate::start_with(site, &file(&tenants, free_address(), "reload-files = \"50ms\""), "");
    let own = "certs/one-ca.pem";
    let text = fs::read_to_string(gate.site.path(own)).expect("a certificate");
    for (instead, event) in
        [(format!("changed\n{text}"), "configuration-loaded"), ("nothing".into(), "configuration-refused")]
    {
        fs::write(gate.site.path("certs/next"), instead).expect("a file");
        fs::rename(gate.site.path("certs/next"), gate.site.path(own)).expect("its name");
        let by_itself = |record: &Value| record["event"] == event && record["process-id"].is_number();
        let told = tenants.each_ref().map(|tenant| recorded(&gate, tenant, event, by_itself));
        assert_eq!(told[0]["watched-files"], json!([own]), "{told:#?}");
        assert!(!told[1].to_string().contains("certs/one"), "{told:#?}");
    }
    assert!(gate.stop().success());
}

#[test]
fn commands_are_about_one_tenant_and_say_so_where_none_is_named() {
    let tenants =
        [("one", 104), ("two", 105)].map(|(name, port)| Tenant::new(name, ([127, 0, 0, 1], port).into()));
    let site = site(&["one", "two"]);
    fs::write(site.path("dimsegate.toml"), file(&tenants, free_address(), "")).expect("a configuration");
    let explain = |more: &[&str]| {
        let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
        let asks = ["--calling", "ONE_CT", "--called", "ONE_PACS", "--certificate", "certs/one.pem"];
        told(&site, &[&fixed[..], &asks, more].concat())
    };
    let (status, told_all) = explain(&[]);
    assert!(
        status == 78 && told_all.contains("has tenants, say which with --tenant: one, two"),
        "{told_all}"
    );
    assert_eq!(explain(&["--tenant", "one"]).0, 0);
    assert_eq!(explain(&["--tenant", "two"]).0, 3);
    let (status, misspelt) = explain(&["--tenant", "tow"]);
    assert!(
        status == 78 && misspelt.contains("no [[tenant]] is called \"tow\", write one of one, two"),
        "{misspelt}"
    );
    for command in [
        &["user", "list", "-c", "dimsegate.toml"][..],
        &["crosswalk", "show", "-c", "dimsegate.toml"],
        &["rewrite", "-c", "dimsegate.toml", "--rewrite", "w", "x", "-o", "y"],
        &["review", "-c", "dimsegate.toml"],
    ] {
        let (status, said) = told(&site, command);
        assert!(status == 78 && said.contains("say which with --tenant"), "{command:?}: {said}");
    }
    let (status, clean) = told(&site, &["check", "-c", "dimsegate.toml"]);
    assert_eq!(status, 0, "{clean}");
}
