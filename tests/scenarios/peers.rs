//! Independent implementations: DCMTK, Orthanc, pynetdicom. tests/run installs them; without them a scenario fails.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::object::Object;
use crate::process::{self, Finished, Process};
use crate::scratch::Scratch;
use crate::site::Site;
use crate::wait;

/// A running acceptor with the folder that it keeps objects in.
pub struct Archive {
    pub process: Process,
    pub address: SocketAddr,
    pub folder: Scratch,
}

/// A DCMTK program. Its sockets have Nagle off, as its documentation advises (40 ms a message are not what is tested).
pub fn dcmtk(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("TCP_NODELAY", "1");
    command
}

/// A DCMTK requestor: `program options… 127.0.0.1 port rest…`.
pub fn requestor(program: &str, address: SocketAddr, options: &[&str], rest: &[&str]) -> Finished {
    let mut command = dcmtk(program);
    command.args(["-ta", "20", "-td", "20"]).args(options);
    command.args([&address.ip().to_string(), &address.port().to_string()]).args(rest);
    Finished::run(command)
}

/// The options with which a DCMTK requestor does TLS with the site's client certificate.
pub fn dcmtk_tls(site: &Site) -> Vec<String> {
    let [key, certificate, ca] =
        ["certs/client.key", "certs/client.pem", "certs/ca.pem"].map(|file| site.text(file));
    vec!["+tls".into(), key, certificate, "+cf".into(), ca]
}

/// storescp, writing each data set as it came.
pub fn storescp(options: &[&str]) -> Archive {
    let folder = Scratch::new();
    let (process, address) = process::listening(&log_beside(&folder), |port| {
        let mut command = dcmtk("storescp");
        command.args(["-v", "+B", "-od"]).arg(folder.path()).args(options).arg(port.to_string());
        command
    });
    Archive { process, address, folder }
}

/// dcmqrscp with the AE title `QR`; C-MOVE knows `DESTINATION` at `destination`.
pub fn dcmqrscp(destination: SocketAddr) -> Archive {
    dcmqrscp_of(destination, 16)
}

/// As [`dcmqrscp`], with at most so many associations at a time.
pub fn dcmqrscp_of(destination: SocketAddr, most: u32) -> Archive {
    let folder = Scratch::new();
    let database = folder.path().join("QR");
    fs::create_dir(&database).expect("a new folder");
    let settings = folder.path().join("dcmqrscp.cfg");
    fs::write(&settings, dcmqrscp_settings(&database, destination, most)).expect("a file written");
    let (process, address) = process::listening(&log_beside(&folder), |port| {
        let mut command = dcmtk("dcmqrscp");
        command.args(["-v", "-c"]).arg(&settings).arg(port.to_string());
        command
    });
    Archive { process, address, folder }
}

fn dcmqrscp_settings(database: &Path, destination: SocketAddr, most: u32) -> String {
    let database = database.display();
    format!(
        "NetworkTCPPort = 104\nMaxPDUSize = 16384\nMaxAssociations = {most}\n\
         HostTable BEGIN\ndestination = (DESTINATION, 127.0.0.1, {})\nHostTable END\n\
         VendorTable BEGIN\nVendorTable END\n\
         AETable BEGIN\nQR {database} RW (50, 100mb) ANY\nAETable END\n",
        destination.port()
    )
}

/// Orthanc with the AE title `ORTHANC`, without HTTP.
pub fn orthanc() -> Archive {
    orthanc_with(&json!({}))
}

/// As [`orthanc`], knowing where the AE titles of `modalities` are: `{"NAME": ["AE", host, port]}`.
pub fn orthanc_with(modalities: &Value) -> Archive {
    let folder = Scratch::new();
    let storage = folder.path().join("storage");
    let settings = folder.path().join("orthanc.json");
    let (process, address) = process::listening(&log_beside(&folder), |port| {
        let value = json!({
            "Name": "test", "StorageDirectory": storage, "IndexDirectory": storage, "Plugins": [],
            "HttpServerEnabled": false, "DicomServerEnabled": true, "DicomAet": "ORTHANC", "DicomPort": port,
            "DicomAlwaysAllowEcho": true, "DicomAlwaysAllowStore": true, "DicomAlwaysAllowFind": true,
            "DicomAlwaysAllowGet": true, "DicomAlwaysAllowMove": true, "DicomCheckCalledAet": false,
            "UnknownSopClassAccepted": true, "StorageCompression": false, "DicomModalities": modalities,
        });
        fs::write(&settings, value.to_string()).expect("a file written");
        let mut command = Command::new("Orthanc");
        command.env("TCP_NODELAY", "1").arg("--verbose").arg(&settings);
        command
    });
    Archive { process, address, folder }
}

/// An Orthanc with its REST interface, which speaks DICOM over TLS as requestor and as acceptor. It shows `own.pem` and trusts
/// `trusted.pem` of the site; it calls the AE title `GATE` at `gate`.
pub struct SecureOrthanc {
    pub archive: Archive,
    rest: SocketAddr,
}

impl SecureOrthanc {
    pub fn start(site: &Site, own: &str, trusted: &str, gate: SocketAddr) -> Self {
        let folder = Scratch::new();
        let (storage, settings) = (folder.path().join("storage"), folder.path().join("orthanc.json"));
        let file = |name: &str, end: &str| site.text(&format!("certs/{name}.{end}"));
        let mut rest = process::free_address();
        let (process, address) = process::listening(&log_beside(&folder), |port| {
            rest = process::free_address();
            let value = json!({
                "Name": "test", "StorageDirectory": storage, "IndexDirectory": storage, "Plugins": [],
                "HttpServerEnabled": true, "HttpPort": rest.port(), "AuthenticationEnabled": false,
                "DicomServerEnabled": true, "DicomAet": "ORTHANC", "DicomPort": port, "DicomCheckCalledAet": false,
                "DicomAlwaysAllowEcho": true, "DicomAlwaysAllowStore": true, "DicomTlsEnabled": true,
                "DicomTlsCertificate": file(own, "pem"), "DicomTlsPrivateKey": file(own, "key"),
                "DicomTlsTrustedCertificates": file(trusted, "pem"),
                "DicomModalities": {"gate": {
                    "AET": "GATE", "Host": gate.ip(), "Port": gate.port(), "UseDicomTls": true,
                }},
            });
            fs::write(&settings, value.to_string()).expect("a file written");
            let mut command = Command::new("Orthanc");
            command.env("TCP_NODELAY", "1").arg("--verbose").arg(&settings);
            command
        });
        Self { archive: Archive { process, address, folder }, rest }
    }

    /// POST of `body` to a path of the REST interface, which listens some time after DICOM does. The body of an answer with status
    /// 200.
    pub fn post(&self, path: &str, body: &[u8]) -> Option<Value> {
        let mut stream = wait::until("Orthanc's REST interface", || TcpStream::connect(self.rest).ok());
        stream.set_read_timeout(Some(wait::PATIENCE)).expect("a socket");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("a request sent");
        let mut answer = Vec::new();
        // The connection may be reset behind the answer.
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200").then(|| serde_json::from_str(body).unwrap_or(Value::Null))
    }
}

impl Archive {
    /// The objects that storescp kept, in no order; waits for `count` of them.
    pub fn stored(&self, count: usize) -> Vec<Object> {
        let files = wait::until(&format!("{count} stored objects"), || {
            Some(self.files()).filter(|files| files.len() >= count)
        });
        files.iter().map(|file| Object::from_file(file).expect("a file that storescp wrote")).collect()
    }

    /// The files in the archive's folder, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).expect("the archive's folder");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|file| file.is_file() && file.extension().is_none_or(|end| end != "log"));
        files.sort();
        files
    }
}

/// The pynetdicom acceptor of tests/peers/scp.py.
pub struct PythonArchive {
    pub archive: Archive,
}

impl PythonArchive {
    pub fn start(options: &[&str]) -> Self {
        let folder = Scratch::new();
        let mut command = python("scp.py");
        command.arg("--folder").arg(folder.path()).args(options);
        let mut process = Process::start(command, &log_beside(&folder));
        let port = wait::until("the pynetdicom acceptor", || {
            assert!(process.ended().is_none(), "{}", process.output());
            let output = process.output();
            output.lines().find_map(|line| line.strip_prefix("listening ")?.parse::<u16>().ok())
        });
        Self { archive: Archive { process, address: SocketAddr::from(([127, 0, 0, 1], port)), folder } }
    }

    pub fn address(&self) -> SocketAddr {
        self.archive.address
    }

    /// What happened so far.
    pub fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.archive.folder.path().join("log.jsonl")).unwrap_or_default();
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        complete.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// The first event of that name; waits for it.
    pub fn event(&self, name: &str) -> Value {
        wait::until(name, || self.events().into_iter().find(|event| event["event"] == name))
    }

    /// The bytes of the data set that came with an event.
    pub fn data_set(&self, event: &Value) -> Vec<u8> {
        let name = event["file"].as_str().unwrap_or_else(|| panic!("no data set in {event}"));
        fs::read(self.archive.folder.path().join(name)).expect("the data set's file")
    }
}

/// The pynetdicom requestor of tests/peers/scu.py: what it printed, whether it was accepted or not.
pub fn scu(service: &str, address: SocketAddr, options: &[&str]) -> Value {
    let mut command = python("scu.py");
    command.args([service, &address.port().to_string()]).args(options);
    let finished = Finished::run(command);
    let line = finished.output.lines().find(|line| line.starts_with('{'));
    let line = line.unwrap_or_else(|| panic!("scu.py {service}: {}", finished.output));
    serde_json::from_str(line).expect("a JSON line")
}

/// The options with which scu.py does TLS with the site's client certificate.
pub fn scu_tls(site: &Site) -> Vec<String> {
    let files = [("--ca", "ca.pem"), ("--certificate", "client.pem"), ("--key", "client.key")];
    files
        .iter()
        .flat_map(|(option, file)| [option.to_string(), site.text(&format!("certs/{file}"))])
        .collect()
}

pub fn python(script: &str) -> Command {
    let mut command = Command::new(peers_folder().join("venv/bin/python"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script));
    command
}

/// `$DIMSEGATE_PEERS`, or where tests/run puts it.
pub fn peers_folder() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers");
    std::env::var_os("DIMSEGATE_PEERS").map_or(default, PathBuf::from)
}

fn log_beside(folder: &Scratch) -> PathBuf {
    folder.path().join("output.log")
}

/// Writes objects as files `000000.dcm`… of a new folder.
pub fn files_of(objects: &[Object]) -> (Scratch, Vec<String>) {
    let folder = Scratch::new();
    let mut names = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        let path = folder.path().join(format!("{index:06}.dcm"));
        let mut file = fs::File::create(&path).expect("a new file");
        file.write_all(&object.to_part10()).expect("a file written");
        names.push(path.display().to_string());
    }
    (folder, names)
}
