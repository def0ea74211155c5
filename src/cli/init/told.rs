//! What is said about what was made: what it is, what the site gets, and what comes next.

use super::answers::Answers;
use super::folder::Folder;

pub(super) fn told(folder: &Folder, answers: &Answers) -> String {
    let Answers { name, pacs, pacs_ae_title, site, site_ae_title, site_network, listen, user, admin_port } =
        answers;
    let file = |name: &str| folder.file(name).display().to_string();
    let configuration = folder.configuration().display().to_string();
    let ([ca, certificate, key], ca_key) = (
        ["ca.pem", &format!("{site}.pem"), &format!("{site}.key")].map(|end| file(&format!("certs/{end}"))),
        file("certs/ca.key"),
    );
    let width =
        [&ca, &certificate, &key].map(|path| path.chars().count()).into_iter().max().unwrap_or_default();
    format!(
        "made {configuration}: from {site} ({site_network}) over TLS to the PACS at {pacs}
keep {ca_key} secret, best on another machine: whoever has it can be anyone

give to {site}, in a way that nobody else can read:
  {ca:width$}  the CA: by it the proxy is known
  {certificate:width$}  the certificate of {site}
  {key:width$}  its key; remove it here when it is there
and tell them to enter:
  host {name}, port {port}, TLS with client certificate
  called AE title {pacs_ae_title}, calling (their own) AE title {site_ae_title}

{page}

next:
{next}
",
        page = page(*admin_port, user),
        port = listen.port(),
        next = next(&configuration, &file("certs")),
    )
}

/// Where the first user logs in, while it runs.
fn page(port: u16, user: &str) -> String {
    match port {
        // The system chooses it.
        0 => format!("while it runs, {user} logs in at the address that its log names"),
        _ => format!("while it runs, {user} logs in at http://127.0.0.1:{port}/ on this machine"),
    }
}

/// Three commands, with what each is for.
fn next(configuration: &str, certs: &str) -> String {
    let steps = [
        (format!("dimsegate echo -c {configuration} --upstream pacs"), "does the PACS answer?"),
        (format!("dimsegate run -c {configuration}"), "the proxy"),
        (format!("dimsegate certs crl {certs}"), "once a week; the proxy takes it by itself"),
    ];
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    steps.map(|(command, meaning)| format!("  {command:width$}   {meaning}")).join("\n")
}
