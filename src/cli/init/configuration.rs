//! The configuration that is written: short, and with what each thing is for.

use super::answers::Answers;

/// The text of `dimsegate.toml`.
pub(super) fn text(answers: &Answers) -> String {
    let Answers { name, pacs, pacs_ae_title, site, site_ae_title, site_network, listen, admin_port, .. } =
        answers;
    format!(
        r#"# dimsegate at {name}, before the PACS at {pacs}. Whoever is not named here is not let in.
#
#   dimsegate check --strict -c FILE    after every change; SIGHUP takes it into force

relative-to = "file"                 # paths are relative to this file

[admin]                              # how it is seen and steered while it runs: commands, and a browser on this machine
listen = ["unix:state/admin.sock", "127.0.0.1:{admin_port}"]
state-directory = "state"            # what is decided there and outlives a restart

[users]                              # who may log in there; one more: dimsegate user add
file = "keys/users.toml"
key-file = "keys/users.key"

[audit]                              # the records: who did what, when, and what came of it
directory = "audit"
patient-identifiers = "keyed-hash"   # a patient is found by who knows the identifier, and is not named
secret-file = "keys/audit.key"
signing-key = "keys/audit-signing.key"   # its .pub is for whoever reviews the records

[[listener]]                         # where remote sites connect
name = "remote"
address = "{listen}"
upstream = "pacs"

[listener.tls]
certificate-chain = "certs/server.pem"
private-key = "certs/server.key"
client-ca = "certs/ca.pem"
revocation-lists = ["certs/ca.crl.pem"]   # dimsegate certs crl, at least every 30 days

[[upstream]]                         # what they reach
name = "pacs"
addresses = ["{pacs}"]

[[peer]]                             # who they are; one for each site
name = "{site}"
networks = ["{site_network}"]
calling-ae-titles = ["{site_ae_title}"]
called-ae-titles = ["{pacs_ae_title}"]
certificates = ["dns:{site}"]        # what dimsegate certs issue wrote into its certificate
role = "modality"

[[role]]                             # what they may do: send images
name = "modality"
operations = ["C-ECHO", "C-STORE"]
sop-classes = ["Verification", "storage"]
"#
    )
}
