//! Files for reviewers, both ways between dimsegate and the reference implementation of age.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use dimsegate::age::{self, Identity};

use crate::scratch::Scratch;

/// Around the ends of chunks.
const LENGTHS: [usize; 6] = [0, 1, 65_535, 65_536, 65_537, 200_000];

#[test]
fn age_opens_what_dimsegate_encrypted_for_several() {
    let (folder, made) = reviewer();
    let (ours, secret) = Identity::generate().expect("an identity");
    fs::write(folder.path().join("ours.txt"), &*secret).expect("a file");
    assert_eq!(
        run(folder.path(), "age-keygen", &["-y", "ours.txt"]).trim_ascii(),
        ours.public().to_string().as_bytes()
    );
    for length in LENGTHS {
        let recipients = [made.public().clone(), ours.public().clone()];
        let mut encryptor = age::encrypt(Vec::new(), &recipients).expect("a header");
        encryptor.write_all(&numbers(length)).expect("chunks");
        fs::write(folder.path().join("records.age"), encryptor.finish().expect("an end")).expect("a file");
        for identity in ["made.txt", "ours.txt"] {
            let plain = run(folder.path(), "age", &["--decrypt", "-i", identity, "records.age"]);
            assert!(plain == numbers(length), "{length} bytes with {identity}");
        }
    }
}

#[test]
fn dimsegate_opens_what_age_encrypted() {
    let (folder, made) = reviewer();
    let other = Identity::generate().expect("an identity").0;
    for length in LENGTHS {
        fs::write(folder.path().join("plain"), numbers(length)).expect("a file");
        let (first, second) = (other.public().to_string(), made.public().to_string());
        let file = run(folder.path(), "age", &["-r", &first, "-r", &second, "plain"]);
        for identity in [&made, &other] {
            let mut plain = Vec::new();
            let opened = age::decrypt(&*file, std::slice::from_ref(identity));
            opened.expect("an age file").read_to_end(&mut plain).expect("chunks");
            assert!(plain == numbers(length), "{length} bytes");
        }
    }
}

/// A folder with an identity that `age-keygen` made, in `made.txt`.
fn reviewer() -> (Scratch, Identity) {
    let folder = Scratch::new();
    run(folder.path(), "age-keygen", &["-o", "made.txt"]);
    let text = fs::read_to_string(folder.path().join("made.txt")).expect("an identity file");
    let identity = text.lines().find_map(|line| line.parse().ok()).expect("an identity");
    (folder, identity)
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn numbers(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}
