//! A configuration for tests: a listener, a peer that may store through it, and an upstream. Its listener has a port of its own, and
//! all that it writes is in the folder of its file.

use std::fs;
use std::path::Path;

use super::{Loaded, load};

const TEXT: &str = r#"
[audit]
directory = "HOME/records"
[[listener]]
name = "remote"
address = "127.0.0.1:0"
upstream = "pacs"
[[upstream]]
name = "pacs"
addresses = ["127.0.0.1:104"]
[[role]]
name = "r"
operations = ["C-STORE"]
sop-classes = ["storage"]
[[peer]]
name = "lyon"
networks = ["127.0.0.1"]
calling-ae-titles = ["*"]
role = "r"
"#;
/// RFC 8037, appendix A.2.
const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// More for [`read`]: an administration interface.
pub(crate) const INTERFACE: &str = "[admin]\nlisten = \"unix:HOME/admin.sock\"\n";
/// More for [`read`]: an issuer, whose keys are there.
pub(crate) const ISSUER: &str = "[[issuer]]\nname = \"login\"\nissuer = \"https://login.hospital.example\"\n\
    audience = \"dimsegate\"\nalgorithms = [\"EdDSA\"]\nkeys = \"HOME/login.jwks\"\n";

/// A role by which it is counted how many patients somebody sees.
pub(crate) const COUNTING: &str = "[[role]]\nname = \"reader\"\noperations = [\"C-FIND\"]\n\
    sop-classes = [\"query-retrieve\"]\ntransfer-syntaxes = [\"all\"]\nmax-patients-per-day = 5\n";

/// Writes it into a folder, with more behind it, and reads it. `HOME` is the folder.
pub(crate) fn read(home: &Path, more: &str) -> Loaded {
    let file = home.join("dimsegate.toml");
    fs::write(home.join("login.jwks"), KEYS).unwrap();
    fs::write(&file, format!("{TEXT}{more}").replace("HOME", home.to_str().unwrap())).unwrap();
    let mut loaded = load(&file).unwrap();
    loaded.settings.state_directory = home.join("state");
    loaded
}
