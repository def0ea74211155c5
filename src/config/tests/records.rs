//! `[audit]`: the keys that protect records.

use super::material::{GOOD, Material, errors};

#[test]
fn audit_hashes_need_a_secret() {
    let found = errors(&format!("{GOOD}[audit]\npatient-identifiers = \"keyed-hash\"\n"));
    assert!(found.len() == 1 && found[0].contains("audit.secret-file: is missing"), "{found:?}");
}

#[test]
fn the_keys_that_protect_records_are_checked() {
    let material = Material::new();
    let good = "[audit]\nsigning-key = \"conf/audit-signing.key\"\nretention-days = 2190\n\
        encrypt-to = [\"age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa\"]\n";
    assert_eq!(material.risks(&format!("{GOOD}{good}")), Vec::<String>::new());
    material.secret("conf/open.key", b"x", 0o640);
    for (key, expected) in [
        ("signing-key = \"conf/audit.key\"", "is not the PEM of an Ed25519 private key"),
        ("signing-key = \"conf/none.key\"", "dimsegate audit key"),
        ("signing-key = \"conf/open.key\"", "can be read by others (mode 0640)"),
        ("encrypt-to = [\"age1x\"]", "audit.encrypt-to[0]: is not a public key of age"),
        ("durability = \"always\"", "audit.durability: \"always\" is not known"),
        ("retention-days = 0", "audit.retention-days: is out of range"),
        ("checkpoint-records = 0", "audit.checkpoint-records: is out of range"),
    ] {
        let found = material.errors(&format!("{GOOD}[audit]\n{key}\n"));
        assert!(found.len() == 1 && found[0].contains(expected), "{key}: {found:?}");
    }
}
