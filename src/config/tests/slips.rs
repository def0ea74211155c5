//! Slips of the pen: what follows from one is not told.

use super::material::{GOOD, errors, errors_with};

#[test]
fn syntax_errors_are_reported_line_by_line_and_alone() {
    let found = errors("[limits]\nidle-timeout = \n[[peer]\nname = \"x\ngrace = 5 6\n");
    let lines: Vec<&str> = found.iter().filter_map(|error| error.split(':').next()).collect();
    assert!(lines.len() >= 2 && found.iter().all(|error| error.contains("is not TOML")), "{found:?}");
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{found:?}");
    assert!(errors("a = 1\na = 2")[0].starts_with("2:1: is not TOML: duplicate key"));
}

#[test]
fn tables_that_are_right_alone_and_not_together_are_told_of() {
    for (text, expected) in [
        (
            "[audit]\nrepository = \"x\"\n[audit.repository.tls]\nca = \"y\"\n",
            "3:8: is not TOML: cannot extend value of type string with a dotted key, see https://toml.io",
        ),
        (
            "[limits]\ngrace = \"5s\"\n[log]\nlevel = \"info\"\n[limits]\nidle-timeout = \"5m\"\n",
            "5:2: is not TOML: duplicate key, remove one of the two, or write the header above it if another table begins here",
        ),
        (
            "[audit.repository]\nname = \"x\"\n[audit]\nrepository.address = \"y:1\"\n",
            "4:1: is not TOML: duplicate key, remove one of the two, or write the header above it if another table begins here",
        ),
        (
            "[log]\nlevel = \"info\"\n[log.level]\nx = 1\n[log.level.y]\nz = 2\n",
            "3:6: is not TOML: duplicate key, remove one of the two, or write the header above it if another table begins here",
        ),
    ] {
        assert_eq!(errors(text), [expected], "{text}");
    }
}

#[test]
fn what_follows_a_bracket_that_is_not_closed_is_told_of_no_other_table() {
    let found = errors(
        "[limits]\ngrace = [\"5s\"\nidle-timeout = \"5m\"\n[[peer]]\nname = \"p\"\n[log]\nlevel = x y\n",
    );
    let lines: Vec<&str> = found.iter().filter_map(|error| error.split(':').next()).collect();
    assert_eq!(lines, ["3", "7"], "{found:?}");
    assert!(found.iter().all(|error| error.contains("is not TOML")), "{found:?}");
}

#[test]
fn a_header_that_is_missing_or_misspelt_is_told_once() {
    let limits = format!("{GOOD}max-associations = 5\nidle-timeout = \"5m\"\ngrace = \"1s\"\n");
    assert_eq!(
        errors(&limits),
        [
            "19:1: [[peer]] \"p\" idle-timeout: is a key of [limits], as is one key after it, write that header above it"
        ]
    );
    assert_eq!(
        errors_with("[[role]]", "[[rolle]]"),
        ["9:3: rolle: is not a key of this table, did you mean \"role\"?"]
    );
    let twice = errors_with("[[role]]", "");
    assert!(
        twice.len() == 1
            && twice[0].starts_with(
                "10:1: is not TOML: duplicate key, write [[agreement]] or [[role]] above it, or remove one of"
            ),
        "{twice:?}"
    );
    let two = |first: &str, second: &str| {
        errors(&format!(
            "{first}\nname = \"a\"\n[listener.tls]\nprofile = \"tls13\"\n{second}\nname = \"b\"\n"
        ))
    };
    for (first, second, expected) in [
        (
            "[[listner]]",
            "[[listener]]",
            "1:3: listner: is not a key of this table, did you mean \"listener\"?",
        ),
        (
            "[listener]",
            "[[listener]]",
            "1:1: listener: is a table, write tables, each under its own [[listener]]",
        ),
        (
            "[[listener]]",
            "[listener]",
            "5:1: listener: is a table, write tables, each under its own [[listener]]",
        ),
    ] {
        assert_eq!(two(first, second), [expected]);
    }
    let tables = errors_with("[[role]]", "[[xyzzy]]");
    assert!(
        tables.len() == 1
            && tables[0].starts_with("9:3: xyzzy: is not a table that there is, write one of [log]")
    );
}

#[test]
fn a_header_that_is_there_is_not_asked_for_again() {
    let grace = "is a key of [limits], move it under the [limits] of line 4";
    let found = errors("[log]\nlevel = \"info\"\ngrace = \"5s\"\n[limits] # of all\nidle-timeout = \"5m\"\n");
    assert!(found.contains(&format!("3:1: log.grace: {grace}")), "{found:?}");
    let found = errors("[log]\ngrace = \"5s\"\nidle-timeout = \"5m\"\n[limits]\n");
    assert!(
        found.iter().any(|error| error.ends_with(
            "is a key of [limits], as is one key after it, move them under the [limits] of line 4"
        )),
        "{found:?}"
    );
    // There is one in each of the tables around it.
    let listener = |name: &str, stray: &str, tls: &str| {
        format!("[[listener]]\nname = \"{name}\"\n{stray}{tls}\nclient-authentication = \"none\"\n")
    };
    let (stray, tls) = ("profile = \"tls13\"\n", "[listener.tls]");
    let remedy = |text: &str| {
        let found = errors(text);
        let error = found.iter().find(|error| error.contains("profile: is a key of")).cloned();
        error.unwrap_or_else(|| panic!("{found:?}"))
    };
    let found = remedy(&(listener("a", stray, tls) + &listener("b", "", tls)));
    assert!(found.ends_with("[listener.tls], move it under the [listener.tls] of line 4"), "{found}");
    let found = remedy(&(listener("a", "", tls) + &listener("b", stray, "")));
    assert!(found.ends_with("write that header above it"), "{found}");
}

#[test]
fn a_stray_key_hides_nothing_that_is_there_twice() {
    let text = "[log]\ngrace = \"5s\"\n[limits]\nidle-timeout = \"5m\"\nidle-timeout = \"6m\"\n[audit]\ncompress = 1\ncompress = 2\n";
    let twice =
        "duplicate key, remove one of the two, or write the header above it if another table begins here";
    assert_eq!(
        errors(text),
        [
            "2:1: log.grace: is a key of [limits], move it under the [limits] of line 3".to_owned(),
            format!("5:1: is not TOML: {twice}"),
            format!("8:1: is not TOML: {twice}"),
        ]
    );
    // For want of one header, there is another one twice.
    let text = "[[listener]]\nname = \"a\"\naddress = \"0.0.0.0:1\"\n[listener.tls]\nprofile = \"tls13\"\nhealth-checks-from = []\n[listener.tls]\nprofile = \"tls13\"\n";
    let found = errors(text);
    assert!(found.len() == 1 && found[0].starts_with("6:1: "), "{found:?}");
}

#[test]
fn what_follows_from_a_value_that_cannot_be_read_is_not_told() {
    let table = |keys: &str| {
        errors(&format!(
            "{GOOD}rewrite = \"w\"\ntwo-way = true\nrewrite-direction = \"to-peer\"\n[[rewrite]]\nname = \"w\"\n{keys}"
        ))
    };
    for (keys, expected) in [
        ("profile = 1\noptions = [\"retain-uids\"]\nkeep-times = true", "profile: is an integer"),
        (
            "profile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\noptions = 1\nkeep-times = true",
            "options: is an integer",
        ),
        (
            "profile = \"basic\"\nsecret-file = \"conf/pseudonym.key\"\nburned-in = \"masc\"\nmasks = []",
            "\"masc\" is not known",
        ),
        (
            "secret-file = \"conf/pseudonym.key\"\nrules = []\ncrosswalk = \"x\"",
            "no [[crosswalk]] is called \"x\"",
        ),
    ] {
        let found = table(keys);
        assert!(found.len() == 1 && found[0].contains(expected), "{keys}: {found:?}");
    }
}

#[test]
fn of_very_many_wrong_names_the_first_are_compared_with_the_right_ones() {
    let peer = |at: usize| {
        format!(
            "[[peer]]\nname = \"p{at}\"\nnetworks = [\"11.0.0.0/8\"]\ncalling-ae-titles = [\"A\"]\nrole = \"x{at}\"\n"
        )
    };
    let found = errors(&(GOOD.to_owned() + &(0..150).map(peer).collect::<String>()));
    let compared = found
        .iter()
        .filter(|error| error.ends_with("write one of r") || error.contains("did you mean"))
        .count();
    assert_eq!((found.len(), compared), (150, 100));
    assert!(
        found[149].ends_with("no [[role]] is called \"x149\", write the name of a [[role]]"),
        "{}",
        found[149]
    );
}
