use super::{at, key, secret};
use crate::users::{OneTimeSecret, matching};

#[test]
fn codes_are_those_of_rfc_6238() {
    // Appendix B, the last six of its eight digits.
    for (seconds, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(matching(&secret(), code, at(seconds)), Some(seconds / 30), "{code}");
    }
}

#[test]
fn clocks_may_differ_by_one_step_and_not_by_two() {
    let counts = |seconds| matching(&secret(), "287082", at(seconds));
    assert_eq!([29, 30, 59, 60, 89].map(counts), [Some(1); 5].map(|step: Option<i64>| step));
    assert_eq!([-31, -1, 90, 3_600].map(counts), [None; 4]);
    assert_eq!(matching(&secret(), "287 082", at(59)), Some(1));
    for wrong in ["", "28708", "2870822", "287083", "٢٨٧٠٨٢", "287082287082287082"] {
        assert_eq!(matching(&secret(), wrong, at(59)), None, "{wrong}");
    }
}

#[test]
fn an_app_gets_the_secret_in_base_32_within_a_uri() {
    assert_eq!(secret().base32().as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(
        secret().uri("gate 7", "anna@lyon").as_str(),
        "otpauth://totp/gate%207:anna%40lyon?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=gate%207"
    );
}

#[test]
fn a_sealed_secret_opens_for_its_user_and_with_its_key_only() {
    let sealed = key().seal("anna", &secret()).unwrap();
    let opened = |key: crate::users::Key, name| key.open(name, &sealed).map(|one| one.base32().to_string());
    assert_eq!(opened(key(), "anna"), Some(secret().base32().to_string()));
    assert_eq!(opened(key(), "bert"), None);
    assert_eq!(opened(crate::users::Key::new(&[8; 48]).unwrap(), "anna"), None);
    let again = key().seal("anna", &secret()).unwrap();
    assert!(again != sealed, "two seals of one secret are alike");
    assert!(OneTimeSecret::generate().unwrap().base32() != OneTimeSecret::generate().unwrap().base32());
}

#[test]
fn nothing_secret_shows_where_a_program_prints_what_it_has() {
    let one = super::User { one_time: key().seal("anna", &secret()).ok(), ..super::user("anna") };
    let shown = format!("{one:?} {:?} {:?}", key(), secret());
    assert!(!shown.contains("argon2") && !shown.contains("$") && !shown.contains("1234"), "{shown}");
}
