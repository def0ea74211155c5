//! Commands to copy, with this demonstration's certificates and ports.

use std::net::SocketAddr;
use std::path::Path;

use super::super::site::{ARCHIVE, LISTENER, MODALITY, REWRITE, Site};
use super::super::stranger::STRANGER;

/// What the commands need to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next<'a> {
    pub site: &'a Site,
    /// Where the proxy listens.
    pub listener: SocketAddr,
    /// Where its page is.
    pub page: &'a str,
    /// How this program was called.
    pub program: &'a Path,
}

impl Next<'_> {
    /// Why, and the command.
    pub(crate) fn suggestions(&self) -> Vec<(&'static str, String)> {
        let modality = self.site.modality();
        let tls = format!(
            "+tls {} {} +cf {}",
            quoted(&modality.private_key),
            quoted(&modality.certificate_chain),
            quoted(&modality.ca)
        );
        let (ip, port) = (self.listener.ip(), self.listener.port());
        let program = quoted(self.program);
        let configuration = quoted(&self.site.configuration());
        let study = quoted(&self.site.study());
        vec![
            ("what the proxy is at, and who is refused and why, in a browser", self.page.to_owned()),
            (
                "verify, then send the study again, with DCMTK (apt-get install dcmtk)",
                format!(
                    "echoscu {tls} -v \\\n      -aet {MODALITY} -aec {ARCHIVE} {ip} {port}\n\
                     storescu {tls} -v \\\n      -aet {MODALITY} -aec {ARCHIVE} {ip} {port} {study}/*.dcm"
                ),
            ),
            (
                "the same certificate under an AE title that is not on the list: rejected, in DICOM's own words",
                format!("echoscu {tls} \\\n      -aet {STRANGER} -aec {ARCHIVE} {ip} {port}"),
            ),
            (
                "no certificate and no TLS: closed",
                format!("echoscu -aet {MODALITY} -aec {ARCHIVE} {ip} {port}"),
            ),
            (
                "why that name would be rejected, without a connection",
                format!(
                    "{program} explain -c {configuration} --listener {LISTENER} --from 127.0.0.1 \\\n      \
                     --calling {STRANGER} --called {ARCHIVE} --certificate {}",
                    quoted(&modality.certificate_chain)
                ),
            ),
            ("the records as they come", format!("tail -F {}/*.jsonl", quoted(&self.site.records()))),
            (
                "what the rules would do, on files",
                format!(
                    "{program} rewrite -c {configuration} --rewrite {REWRITE} {study}/ct-1.dcm \\\n      -o {} --diff",
                    quoted(&self.site.folder().join("rewritten"))
                ),
            ),
        ]
    }
}

/// A path as a POSIX shell reads it back.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:,@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use std::path::Path;

    #[test]
    fn a_shell_reads_paths_back() {
        for path in ["/tmp/a-b_c.d", "/tmp/it's $HOME here", "/tmp/a;b", "~"] {
            let shown = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(Path::new(path)))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(shown.stdout).unwrap(), path);
        }
    }
}
