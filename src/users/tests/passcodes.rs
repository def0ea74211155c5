use super::{HASH, PASSCODE};
use crate::users::{Hash, WeakPasscode, made, refused};

#[test]
fn long_passcodes_are_taken_whatever_they_are_made_of() {
    for good in [PASSCODE, "aaaaaaaaaaab", "zwölf Zeichen", "               x", "correct horse battery"] {
        assert_eq!(refused(good, "anna"), Ok(()), "{good}");
    }
}

#[test]
fn what_anybody_would_try_is_refused() {
    for (passcode, name, why) in [
        ("elevenchars", "anna", WeakPasscode::Short),
        ("ééééééééééé", "anna", WeakPasscode::Short),
        ("PasswordPassword", "anna", WeakPasscode::Common),
        ("pppppppppppppppp", "anna", WeakPasscode::Common),
        ("Anna-anna-anna-7", "anna", WeakPasscode::Name),
        ("anna.dupont2026", "Anna.Dupont", WeakPasscode::Name),
        ("a passcode\nof two lines", "anna", WeakPasscode::Control),
    ] {
        assert_eq!(refused(passcode, name), Err(why), "{passcode}");
    }
    assert_eq!(refused(&"x y ".repeat(257), "anna"), Err(WeakPasscode::Long));
}

#[test]
fn made_passcodes_differ_and_are_good() {
    let (one, other) = (made().unwrap(), made().unwrap());
    assert_ne!(one, other);
    assert_eq!((one.len(), refused(&one, "anna")), (24, Ok(())));
}

#[test]
fn a_hash_is_argon2id_with_its_parameters_and_a_salt_of_its_own() {
    let text = HASH.text();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
    let read = Hash::parse(&text).unwrap();
    assert!(read.is_of(PASSCODE) && !read.is_of("seven quiet heron") && !read.is_of(""));
    assert_ne!(Hash::of(PASSCODE).unwrap(), read);
}

#[test]
fn a_hash_that_is_weak_dear_or_another_kind_is_not_read() {
    let text = HASH.text();
    let with = |from: &str, to: &str| Hash::parse(&text.replace(from, to)).unwrap_err();
    assert!(with("m=19456", "m=8192").contains("weaker than m=19456,t=2"), "{}", with("m=19456", "m=8192"));
    assert!(with("t=2", "t=1").contains("weaker"));
    assert!(with("m=19456", "m=4194304").contains("more than verifying may cost"));
    assert!(with("t=2", "t=4294967295").contains("more than verifying may cost"));
    for (from, to) in [("argon2id", "argon2i"), ("v=19", "v=16"), ("$v=19$", "$"), ("$argon2id$", "$2b$")] {
        assert!(with(from, to).contains("is no argon2id hash"), "{to}");
    }
    for broken in ["", "x", "$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ"] {
        assert!(Hash::parse(broken).unwrap_err().contains("is no argon2id hash"), "{broken}");
    }
}

/// What the reference implementation made: `printf passcode | argon2 saltsaltsalt -id -m 15 -t 2 -p 1 -e` (Debian's argon2).
#[test]
fn hashes_of_the_reference_implementation_are_read() {
    let text = "$argon2id$v=19$m=32768,t=2,p=1$c2FsdHNhbHRzYWx0$KxxpzAtxgCTs65TrlvIu8BOsFIIEN+6h013FbyARoqk";
    assert!(Hash::parse(text).unwrap().is_of(PASSCODE));
}
