//! The configuration of each proxy: TLS 1.3 with a required client certificate in front, certificates on EC P-256.

use std::net::SocketAddr;
use std::path::Path;

use crate::setups::{Out, Setup};

const RULES: &str = include_str!("../twenty.toml");
/// The whole profile.
const PROFILE: &str = include_str!("../profile.toml");

/// How many tags [`RULES`] names.
pub const TAGS: u64 = 20;

pub fn haproxy(port: u16, to: SocketAddr, out: Out, large: bool) -> String {
    let buffers = if large { "tune.bufsize 131072" } else { "" };
    let tls = match out {
        Out::Plain => "",
        Out::Tls => {
            "ssl ca-file certs/pacs-ca.pem crt certs/client-both.pem verify required verifyhost localhost \
             ssl-min-ver TLSv1.3"
        }
    };
    format!(
        "global
  {buffers}
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
listen dicom
  bind 127.0.0.1:{port} ssl crt certs/server-both.pem ca-file certs/ca.pem verify required ssl-min-ver TLSv1.3
  server pacs {to} {tls}
"
    )
}

/// Debian builds the stream module as a loadable one, and its default of 768 connections is too few for the idle load.
pub fn nginx(root: &Path, port: u16, to: SocketAddr, out: Out, large: bool) -> String {
    let root = root.display();
    let buffers = if large { "proxy_buffer_size 128k;" } else { "" };
    let tls = match out {
        Out::Plain => String::new(),
        Out::Tls => format!(
            "proxy_ssl on; proxy_ssl_protocols TLSv1.3; proxy_ssl_verify on; proxy_ssl_name localhost;
    proxy_ssl_trusted_certificate {root}/certs/pacs-ca.pem;
    proxy_ssl_certificate {root}/certs/client.pem; proxy_ssl_certificate_key {root}/certs/client.key;"
        ),
    };
    format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
user root;
worker_processes auto;
pid {root}/nginx-{port}.pid;
events {{ worker_connections 16384; }}
stream {{
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_protocols TLSv1.3;
    ssl_certificate {root}/certs/server.pem; ssl_certificate_key {root}/certs/server.key;
    ssl_client_certificate {root}/certs/ca.pem; ssl_verify_client on;
    {buffers}
    {tls}
    proxy_pass {to};
  }}
}}
"
    )
}

/// With TLS as `tls` says; `None` is plain on both sides. Records are on, for each operation.
pub fn dimsegate(name: &str, port: u16, to: SocketAddr, tls: Option<Out>, setup: Setup) -> String {
    let listener_tls = match tls {
        None => "",
        Some(_) => {
            "[listener.tls]
certificate-chain = \"certs/server.pem\"
private-key = \"certs/server.key\"
client-authentication = \"required\"
client-ca = \"certs/ca.pem\"
profile = \"tls13\""
        }
    };
    let upstream_tls = match tls {
        Some(Out::Tls) => {
            "[upstream.tls]
ca = \"certs/pacs-ca.pem\"
server-name = \"localhost\"
certificate-chain = \"certs/client.pem\"
private-key = \"certs/client.key\"
profile = \"tls13\""
        }
        _ => "",
    };
    let (rewrite, rules) = match setup {
        Setup::Rewriting => ("rewrite = \"twenty\"", RULES),
        Setup::DeIdentifying => ("rewrite = \"profile\"", PROFILE),
        _ => ("", ""),
    };
    format!(
        "[audit]
directory = \"audit-{name}\"
secret-file = \"conf/audit.key\"
[limits]
max-associations = 20000
max-associations-per-address = 20000
connections-per-minute-per-address = 1000000
[[listener]]
name = \"remote\"
address = \"127.0.0.1:{port}\"
upstream = \"pacs\"
{listener_tls}
[[upstream]]
name = \"pacs\"
addresses = [\"{to}\"]
{upstream_tls}
[[peer]]
name = \"site\"
networks = [\"127.0.0.0/8\"]
calling-ae-titles = [\"*\"]
called-ae-titles = [\"*\"]
role = \"all\"
{rewrite}
[[role]]
name = \"all\"
operations = [\"all\"]
sop-classes = [\"all\"]
transfer-syntaxes = [\"all\"]
{rules}
"
    )
}
