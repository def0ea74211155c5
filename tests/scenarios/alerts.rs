//! What is shipped for Prometheus, Alertmanager and Grafana, held to what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use regex::Regex;
use serde_json::Value;

use crate::command::{Command, STATUS};
use crate::gate::{self, Gate, Setup};
use crate::monitoring::{ask, get, watched};
use crate::object::Object;
use crate::process::{self, Finished, Process};
use crate::raw::{self, Peer, Upstream, verification};
use crate::scratch::Scratch;
use crate::upper::Request;
use crate::wait;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/monitoring").join(name)
}

#[test]
fn the_shipped_rules_fire_when_they_should_and_not_otherwise() {
    for arguments in [["check", "rules", "rules.yml"], ["test", "rules", "rules-test.yml"]] {
        let mut command = Program::new("promtool");
        command.current_dir(shipped("")).args(arguments);
        Finished::run(command).expect_success();
    }
    let rules = fs::read_to_string(shipped("rules.yml")).expect("rules");
    let tests = fs::read_to_string(shipped("rules-test.yml")).expect("tests");
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let tested = |alert: &&&str| !tests.contains(&format!("alertname: {alert}\n"));
    assert_eq!(
        alerts.iter().filter(tested).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "alerts without a test"
    );
}

/// Everything that Grafana and Prometheus are told to ask for.
fn queries() -> Vec<String> {
    let text = fs::read_to_string(shipped("dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut queries = Vec::new();
    collect(&dashboard, &mut queries);
    let filled = |query: String| query.replace("$instance", ".*").replace("$__rate_interval", "1m");
    queries.into_iter().map(filled).collect()
}

fn collect(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            queries.extend(map.get("expr").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, queries));
        }
        Value::Array(all) => all.iter().for_each(|value| collect(value, queries)),
        _ => {}
    }
}

/// The labels of each metric of a scrape, its buckets and sums under their own names.
fn labels_of(scrape: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut metrics = BTreeMap::<_, BTreeSet<String>>::new();
    let key = Regex::new(r#"(\w+)=""#).expect("a pattern");
    for line in scrape.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        let keys = key.captures_iter(line).map(|found| found[1].to_owned());
        metrics.entry(name.to_owned()).or_default().extend(keys);
    }
    metrics
}

#[test]
fn drawings_and_rules_ask_for_metrics_and_labels_that_there_are() {
    let upstream = Upstream::bind();
    let (_socket, repository) = process::closed_address();
    let forwarding =
        format!("[[audit.repository]]\nname = \"arr\"\naddress = \"{repository}\"\ntransport = \"udp\"\n");
    let setup = Setup { audit: gate::leaked(forwarding), ..Setup::tls(upstream.address) };
    let (gate, metrics) = watched(&setup);
    let _open = raw::open(&gate.tls(), &upstream, &verification("SITE", "PACS"), 16384);
    store(&gate, &upstream);
    Peer::plain(gate.address).send_until_closed(&verification("SITE", "PACS").encode());
    gate.event("connection-refused");
    let (_, scrape) = get(metrics, "/metrics");
    let known = labels_of(&scrape);
    let rules = fs::read_to_string(shipped("rules.yml")).expect("rules");
    let mut asked = queries();
    asked.push(rules);
    let name = Regex::new(r"dimsegate_\w+").expect("a pattern");
    let selector = Regex::new(r#"(dimsegate_\w+)\{([^}]*)\}"#).expect("a pattern");
    let key = Regex::new(r#"(\w+)\s*[!=]~?""#).expect("a pattern");
    for query in &asked {
        for found in name.find_iter(query) {
            assert!(known.contains_key(found.as_str()), "there is no {} in\n{scrape}", found.as_str());
        }
        for found in selector.captures_iter(query) {
            let keys = key.captures_iter(&found[2]).map(|key| key[1].to_owned());
            let unknown: Vec<String> =
                keys.filter(|key| key != "instance" && !known[&found[1]].contains(key)).collect();
            assert_eq!(unknown, Vec::<String>::new(), "{query}");
        }
        grouped(query, &known, &name);
    }
}

/// What is summed by labels has them.
fn grouped(query: &str, known: &BTreeMap<String, BTreeSet<String>>, name: &Regex) {
    let by = Regex::new(r"by \(([^)]*)\) \(").expect("a pattern");
    for found in by.captures_iter(query) {
        let after = &query[found.get(0).expect("all of it").end()..];
        let metric = name.find(after).expect("a metric").as_str();
        let wanted = found[1].split(',').map(|key| key.trim().to_owned());
        let missing: Vec<String> =
            wanted.filter(|key| key != "instance" && !known[metric].contains(key)).collect();
        assert_eq!(missing, Vec::<String>::new(), "{query}");
    }
}

/// One object goes through.
fn store(gate: &Gate, upstream: &Upstream) {
    let object = Object::ct(2_000);
    let request = Request::new("SITE", "PACS").context(&object.sop_class, &[&object.transfer_syntax]);
    let (mut requestor, mut acceptor) = raw::open(&gate.tls(), upstream, &request, 16384);
    let command = Command::c_store_rq(1, &object.sop_class, &object.sop_instance);
    requestor.send_message(1, &command, Some(&object.data_set), 16384);
    let message = acceptor.message();
    acceptor.send_message(1, &message.command.response(0), None, 16384);
    assert_eq!(requestor.message().command.number(STATUS), Some(0));
    raw::release(requestor, acceptor);
    gate.event("association-closed");
}

/// Prometheus as the shipped snippet configures it, in a hurry.
fn prometheus(folder: &Path, metrics: SocketAddr, alertmanager: SocketAddr) -> (Process, SocketAddr) {
    fs::copy(shipped("rules.yml"), folder.join("rules.yml")).expect("a copy");
    let scrape = scrape_of(metrics);
    let alerting =
        format!("alerting:\n  alertmanagers:\n    - static_configs: [{{targets: [\"{alertmanager}\"]}}]\n");
    scraping(folder, &format!("global: {{evaluation_interval: 1s}}\n{alerting}{scrape}"))
}

/// The shipped snippet for these metrics, in a hurry.
pub fn scrape_of(metrics: SocketAddr) -> String {
    let scrape = fs::read_to_string(shipped("scrape.yml")).expect("the snippet");
    scrape.replace("127.0.0.1:9108", &metrics.to_string()).replace("15s", "1s")
}

/// Prometheus with this configuration.
pub fn scraping(folder: &Path, text: &str) -> (Process, SocketAddr) {
    fs::write(folder.join("prometheus.yml"), text).expect("a configuration written");
    process::listening(&folder.join("prometheus.log"), |port| {
        let mut command = Program::new("prometheus");
        command.current_dir(folder).args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command
    })
}

fn alertmanager(folder: &Path, hook: SocketAddr) -> (Process, SocketAddr) {
    let text = format!(
        "route: {{receiver: hook, group_by: [alertname], group_wait: 0s}}\n\
         receivers: [{{name: hook, webhook_configs: [{{url: \"http://{hook}/\"}}]}}]\n"
    );
    fs::write(folder.join("alertmanager.yml"), text).expect("a configuration written");
    process::listening(&folder.join("alertmanager.log"), |port| {
        let mut command = Program::new("prometheus-alertmanager");
        command.current_dir(folder).args(["--config.file=alertmanager.yml", "--storage.path=alerts"]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--cluster.listen-address=");
        command
    })
}

/// What comes next to a hook.
fn hooked(hook: &TcpListener) -> String {
    let (mut stream, _) = hook.accept().expect("a connection");
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, content)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if length.is_some_and(|length| content.len() >= length.parse().expect("a length")) {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .expect("an answer");
                return content.to_owned();
            }
        }
        let mut more = [0; 4096];
        let count = stream.read(&mut more).expect("a request");
        assert_ne!(count, 0, "cut short: {text}");
        read.extend(&more[..count]);
    }
}

/// The result of a query, where Prometheus takes it for one.
pub fn queried(prometheus: SocketAddr, query: &str) -> Value {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, content) = get(prometheus, &format!("/api/v1/query?query={encoded}"));
    assert!(status.contains(" 200 "), "{query}: {content}");
    serde_json::from_str::<Value>(&content).expect("JSON")["data"]["result"].take()
}

#[test]
fn prometheus_scrapes_it_draws_it_and_an_alert_arrives_where_it_should() {
    let upstream = Upstream::bind();
    let (gate, metrics) = watched(&Setup::tls(upstream.address));
    let hook = TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = Scratch::new();
    let (_alertmanager, alerts) = alertmanager(folder.path(), hook.local_addr().expect("its address"));
    let (_prometheus, prometheus) = prometheus(folder.path(), metrics, alerts);
    store(&gate, &upstream);
    wait::until("a scrape", || {
        let (_, content) = ask(prometheus, "/api/v1/query?query=dimsegate_operations_total").ok()?;
        content.contains("C-STORE").then_some(())
    });
    assert_eq!(queried(prometheus, "up{job=\"dimsegate\"}")[0]["value"][1], "1");
    for query in queries() {
        queried(prometheus, &query);
    }
    assert_eq!(queried(prometheus, "sum(dimsegate_configuration_reloads_total)")[0]["value"][1], "0");
    gate.reload("[limits]\nmax-associations = \"many\"\n");
    let told: Value = serde_json::from_str(&hooked(&hook)).expect("JSON");
    let alert = &told["alerts"][0];
    assert_eq!(alert["labels"]["alertname"], "DimsegateConfigurationRefused", "{told}");
    let summary = format!("a configuration was refused at {metrics}; the one before is in force");
    assert_eq!(alert["annotations"]["summary"].as_str(), Some(&*summary));
}
