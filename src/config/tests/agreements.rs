//! Agreements that no association could be under, and what is risky in the others.

use super::material::{GOOD, Material, errors};

const AGREEMENT: &str = r#"
[policy]
country = "CH"
[[agreement]]
id = "fr"
parties = ["p"]
country = "FR"
mechanism = "scc"
reference = "contract"
purpose = "reporting"
from = "2020-01-01"
until = "2099-12-31"
"#;

/// The configuration with a peer in France, and an agreement in which a text stands for another one.
fn with(from: &str, to: &str) -> String {
    assert!(AGREEMENT.contains(from), "{from}");
    format!("{GOOD}country = \"FR\"\n{}", AGREEMENT.replace(from, to))
}

fn whole() -> String {
    with("", "")
}

#[test]
fn an_agreement_that_can_open_a_route_is_taken_without_a_word() {
    assert_eq!(errors(&whole()), [""; 0]);
    let told = Material::shared().risks(&whole()).join("\n");
    assert!(!told.contains("agreement") && !told.contains("is refused"), "{told}");
}

#[test]
fn an_agreement_that_opens_nothing_is_refused_with_the_place() {
    for (from, to, expected) in [
        ("parties = [\"p\"]", "parties = [\"q\"]", "no [[peer]] and no [[upstream]] is called \"q\""),
        (
            "country = \"FR\"\nmech",
            "country = \"DE\"\nmech",
            "is with DE, and none of its routes has an end there",
        ),
        ("country = \"FR\"\nmech", "country = \"XX\"\nmech", "\"XX\" is no country of ISO 3166-1"),
        ("\"scc\"", "\"domestic\"", "is \"domestic\", and each of its routes crosses a border"),
        ("2099-12-31", "2019-12-31", "until: is not behind from"),
        ("2099-12-31", "soon", "until: \"soon\" is no date"),
        (
            "reference = \"contract\"",
            "reference = \" \"",
            "reference: is empty, too long or has a control character",
        ),
        ("purpose = \"reporting\"\n", "", "purpose"),
        ("id = \"fr\"", "id = \"fr\"\nrewrite = \"none\"", "no [[rewrite]] is called \"none\""),
        ("id = \"fr\"", "id = \"fr\"\noperations = [\"C-STOR\"]", "\"C-STOR\" is not a DIMSE operation"),
        ("country = \"CH\"", "country = \"FR\"", "is \"scc\", and each of its routes stays in a country"),
    ] {
        let found = errors(&with(from, to));
        assert!(found.len() == 1 && found[0].contains(expected), "{to}: {found:?}");
    }
}

#[test]
fn two_agreements_about_a_route_hold_one_after_the_other() {
    let second = AGREEMENT.replace("[policy]\ncountry = \"CH\"", "").replace("id = \"fr\"", "id = \"next\"");
    let both = |first_until: &str| {
        format!("{}{}", with("2099-12-31", first_until), second.replace("2020-01-01", "2030-01-01"))
    };
    assert_eq!(errors(&both("2029-12-31")), [""; 0]);
    let found = errors(&both("2030-01-01"));
    assert!(
        found.len() == 1
            && found[0]
                .contains("is about peer \"p\" and upstream \"u\" at the same time as agreement \"fr\""),
        "{found:?}"
    );
    let same = format!("{}{}", whole(), second.replace("id = \"next\"", "id = \"fr\""));
    assert!(errors(&same)[0].contains("id: is taken by the agreement in line"), "{:?}", errors(&same));
}

#[test]
fn who_would_be_refused_is_told_before_anybody_comes() {
    let risks = |text: &str| Material::shared().risks(text).join("\n");
    let over = risks(&with("2099-12-31", "2020-12-31"));
    assert!(over.contains("is over: agreement \"fr\" opens no route any more"), "{over}");
    assert!(over.contains("\"p\": is refused whenever it is led to \"u\": "), "{over}");
    let none = risks(&format!("{GOOD}country = \"FR\"\n[policy]\ncountry = \"CH\"\n"));
    assert!(none.contains("no agreement is about this route"), "{none}");
    let unknown = risks(&format!("{GOOD}country = \"FR\"\n"));
    assert!(unknown.contains("from FR to ?"), "{unknown}");
    let soon = time::OffsetDateTime::now_utc().date() + time::Duration::days(3);
    let ending = risks(&with("2099-12-31", &soon.to_string()));
    assert!(ending.contains("is less than 30 days away"), "{ending}");
}
