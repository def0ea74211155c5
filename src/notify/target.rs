//! `[[notify]]`, with its certificates and its key read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::Occasion;

/// A `[[notify]]`: somebody who is told, of what, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// Of the table.
    pub name: Arc<str>,
    /// How.
    pub way: Way,
    /// What they want to be told of.
    pub when: BTreeSet<Occasion>,
    /// How long the same is not told again.
    pub repeat: Duration,
    /// Signs what is sent.
    pub key: Option<hmac::Key>,
    /// Another one where anything of the table, of its files or of its key is changed.
    pub fingerprint: String,
}

/// How a message is brought to somebody.
#[derive(Clone, Debug)]
pub enum Way {
    /// A POST.
    Hook(Hook),
    /// A program and its arguments, run without a shell, with the message on its standard input.
    Command(Vec<String>),
}

/// Where a message is posted.
#[derive(Clone, Debug)]
pub struct Hook {
    /// `host:port` to connect to.
    pub address: String,
    /// The Host header.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Absent: plain HTTP, to this machine.
    pub tls: Option<Tls>,
}

/// What a TLS handshake with a hook needs.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Whom it trusts, and what it shows.
    pub config: Arc<ClientConfig>,
    /// What the hook's certificate has to be for.
    pub server_name: ServerName<'static>,
}
