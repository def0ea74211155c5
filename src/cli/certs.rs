//! `dimsegate certs`: a private CA for sites that have none, and a readable view of certificates.

mod readers;

use super::tenant::OfTenant;
use crate::tls::authority::{Authority, AuthorityError, Directory, KeyType, Request, SubjectName};
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use time::{Duration, OffsetDateTime};

/// Make and show certificates.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, a proxy and one remote site:
  dimsegate certs init certs
  dimsegate certs issue certs server --server --san proxy.example --san 10.0.0.4
  dimsegate certs issue certs lyon --client --san gw.lyon.example
  dimsegate certs show certs/lyon.pem")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(Init),
    Issue(Issue),
    Revoke(Revoke),
    Crl(Crl),
    Show(Show),
}

/// Make a private CA (EC P-256, ten years) and its first, empty revocation list.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dimsegate certs init certs")]
struct Init {
    /// Where ca.pem, ca.key and ca.crl.pem go; made where it is missing.
    dir: PathBuf,
    /// The name of the CA; the default has today's date and a random part in it.
    #[arg(long)]
    name: Option<String>,
}

/// Issue a certificate into NAME.pem and its key into NAME.key; never overwrites.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dimsegate certs issue certs lyon --client --san gw.lyon.example")]
struct Issue {
    /// The directory of the CA.
    dir: PathBuf,
    /// The common name, and the name of the files.
    name: String,
    /// dns:HOST, ip:ADDRESS, uri:URI, email:ADDRESS, or just a host or an address; may be repeated.
    #[arg(long = "san", required = true, value_name = "NAME")]
    san: Vec<SubjectName>,
    /// For a TLS server; the default is both roles.
    #[arg(long)]
    server: bool,
    /// For a TLS client; the default is both roles.
    #[arg(long)]
    client: bool,
    /// How long it is valid.
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    #[arg(long, value_enum, default_value_t)]
    key_type: KeyType,
}

/// Put the certificate NAME.pem on the revocation list, and sign the list anew for 30 days.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dimsegate certs revoke certs lyon -c FILE

A running dimsegate takes the new list by itself (with reload-files = \"off\": on SIGHUP).

With -c it says which listeners of that configuration read the list; exit status 1 where one trusts the CA and does not.")]
struct Revoke {
    /// The directory of the CA.
    dir: PathBuf,
    /// As it was issued.
    name: String,
    /// The configuration of the proxy: say which of its listeners read the list
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    of: OfTenant,
}

/// Sign the revocation list anew, for another 30 days.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, once a week:\n  dimsegate certs crl certs

A running dimsegate takes the new list by itself (with reload-files = \"off\": on SIGHUP).")]
struct Crl {
    /// The directory of the CA.
    dir: PathBuf,
}

/// Show what certificates, revocation lists and keys say; a key itself is never shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  dimsegate certs show certs/lyon.pem")]
struct Show {
    /// PEM or DER.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Why a command failed: what to say, and the exit code (sysexits).
type Failure = (String, u8);

const DATA_ERROR: u8 = 65;
const CANNOT_CREATE: u8 = 73;
/// It was revoked, and somebody will let it in all the same.
const UNREAD: u8 = 1;

/// Runs the command; errors go to standard error, one a line.
pub(super) fn run(args: &Args) -> ExitCode {
    let done = match &args.command {
        Command::Init(init) => init.run().map_err(|error| failure(&error)),
        Command::Issue(issue) => issue.run().map_err(|error| failure(&error)),
        Command::Revoke(revoke) => revoke.run(),
        Command::Crl(crl) => crl.run().map_err(|error| failure(&error)),
        Command::Show(show) => show.run(),
    };
    match done {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err((message, code)) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(code)
        }
    }
}

fn failure(error: &AuthorityError) -> Failure {
    let code = match error {
        AuthorityError::Exists { .. } | AuthorityError::Io { .. } => CANNOT_CREATE,
        _ => DATA_ERROR,
    };
    (error.to_string(), code)
}

impl Init {
    fn run(&self) -> Result<String, AuthorityError> {
        let name = self.name.clone().map_or_else(Authority::unique_name, Ok)?;
        let ca = Directory::create(&self.dir, &name)?;
        let (dir, list) = (self.dir.display(), ca.file("ca.crl.pem"));
        Ok(format!(
            "made the CA \"{name}\":
  {ca_pem}  give it to every peer: they trust what it signed
  {ca_key}  keep it secret, best on another machine than the proxy; whoever has it can be anyone
  {list}  the revocation list; sign it anew within 30 days: dimsegate certs crl {dir}

next, a certificate for the proxy and one for each remote site:
  dimsegate certs issue {dir} server --server --san NAME-OR-ADDRESS-OF-THE-PROXY
  dimsegate certs issue {dir} SITE --client --san NAME-OF-THE-SITE

then, in the configuration:
  [listener.tls]
  certificate-chain = \"{dir}/server.pem\"
  private-key = \"{dir}/server.key\"
  client-authentication = \"required\"
  client-ca = \"{dir}/ca.pem\"
  revocation-lists = [\"{dir}/ca.crl.pem\"]
",
            ca_pem = ca.file("ca.pem").display(),
            ca_key = ca.file("ca.key").display(),
            list = list.display(),
        ))
    }
}

impl Issue {
    fn run(&self) -> Result<String, AuthorityError> {
        let ca = Directory::open(&self.dir)?;
        let both = self.server == self.client;
        let mut request = Request::new(&self.name, self.san.clone());
        request.server = both || self.server;
        request.client = both || self.client;
        request.not_after = OffsetDateTime::now_utc().saturating_add(Duration::days(i64::from(self.days)));
        request.key_type = self.key_type;
        ca.issue(&self.name, &request)?;
        let certificate = ca.file(&format!("{}.pem", self.name));
        let key = ca.file(&format!("{}.key", self.name));
        let shown = described(&certificate).unwrap_or_default();
        Ok(format!("{}\n{} (secret)\n\n{shown}", certificate.display(), key.display()))
    }
}

impl Revoke {
    fn run(&self) -> Result<String, Failure> {
        let ca = Directory::open(&self.dir).map_err(|error| failure(&error))?;
        let new = ca.revoke(&self.name).map_err(|error| failure(&error))?;
        let what = if new { "is revoked" } else { "was revoked before; the list is signed anew" };
        let list = ca.file("ca.crl.pem");
        let done = format!("{} {what}\n{} counts for 30 days\n", self.name, list.display());
        let Some(file) = &self.config else {
            return Ok(format!(
                "{done}a running dimsegate takes it by itself (with reload-files = \"off\": on SIGHUP), where its \
                 configuration names it in revocation-lists; -c FILE says whether it does\n"
            ));
        };
        let loaded = crate::config::load_of(file, self.of.name())
            .map_err(|problems| (format!("{done}{problems}"), super::exit::BAD_CONFIGURATION))?;
        let (told, unread) = readers::readers(&loaded.settings, &list, &ca.file("ca.pem"));
        if unread { Err((format!("{done}{told}"), UNREAD)) } else { Ok(format!("{done}{told}")) }
    }
}

impl Crl {
    fn run(&self) -> Result<String, AuthorityError> {
        let ca = Directory::open(&self.dir)?;
        let revoked = ca.renew_list()?;
        let list = ca.file("ca.crl.pem");
        Ok(format!(
            "{} ({revoked} revoked) counts for another 30 days; a running dimsegate takes it by itself (with reload-files = \
             \"off\": on SIGHUP)\n",
            list.display()
        ))
    }
}

impl Show {
    fn run(&self) -> Result<String, Failure> {
        let mut shown = Vec::new();
        for file in &self.files {
            let text = described(file).map_err(|message| (message, DATA_ERROR))?;
            shown.push(format!("{}:\n{text}", file.display()));
        }
        Ok(shown.join("\n"))
    }
}

fn described(file: &Path) -> Result<String, String> {
    crate::tls::describe(file, OffsetDateTime::now_utc()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
