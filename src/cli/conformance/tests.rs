//! A statement says what the configuration says, and nothing else.

use time::macros::datetime;

use super::{SECTIONS, statement};
use crate::config::{Settings, sample};
use crate::evidence::tests::rich::Home;
use crate::scratch::Scratch;
use crate::vocabulary::{Answer, Cause};

/// Headings, in the order of PS3.2 Annex A.
const ORDERED: [&str; 40] = [
    "<h1>DICOM conformance statement",
    "<h2>1 ",
    "<h2>2 ",
    "<h2>3 ",
    "<h3>3.1 Audience",
    "<h3>3.2 Remarks",
    "<h3>3.3 Terms",
    "<h2>4 ",
    "<h3>4.1 Implementation model",
    "<h4>4.1.1 Application data flow",
    "<h4>4.1.2 Functional definition of AEs",
    "<h4>4.1.3 Sequencing of real-world activities",
    "<h3>4.2 AE specifications",
    "<h4>4.2.1 Association policies: general",
    "<h4>4.2.2 Number of associations",
    "<h4>4.2.3 Asynchronous nature",
    "<h4>4.2.4 Implementation identifying information",
    "<h4>4.2.5 Association initiation policy",
    "<h4>4.2.6 Association acceptance policy",
    "<h4>4.2.7 SOP specific conformance",
    "<h3>4.3 Network interfaces",
    "<h4>4.3.1 Physical network interface",
    "<h4>4.3.2 Additional protocols",
    "<h4>4.3.3 IPv4 and IPv6 support",
    "<h3>4.4 Configuration",
    "<h4>4.4.1 AE title and presentation address mapping",
    "<h4>4.4.2 Parameters",
    "<h2>5 ",
    "<h2>6 ",
    "<h2>7 ",
    "<h3>7.1 Security profiles",
    "<h3>7.2 Association level security",
    "<h3>7.3 Application level security",
    "<h2>8 ",
    "<h3>8.1 IOD contents",
    "<h3>8.2 Data dictionary of private attributes",
    "<h3>8.3 Coded terminology and templates",
    "<h3>8.4 Grayscale image consistency",
    "<h3>8.5 Standard extended, specialized and private SOP classes",
    "<h3>8.6 Private transfer syntaxes",
];

fn of(settings: &Settings) -> String {
    let page = statement(settings, datetime!(2026-03-01 0:00 UTC));
    page.replace("&#39;", "'").replace("&quot;", "\"")
}

fn smallest() -> String {
    let folder = Scratch::new();
    of(&sample::read(folder.path(), "").settings)
}

/// What stands between the cells of a row that begins so.
fn row<'p>(page: &'p str, first: &str) -> &'p str {
    let from = page.find(&format!("<tr><td>{first}<td>")).unwrap_or_else(|| panic!("no row {first}"));
    let rest = &page[from + 4..];
    &rest[..rest.find("<tr>").or_else(|| rest.find("</tbody>")).unwrap()]
}

#[test]
fn the_sections_are_those_of_ps3_2_annex_a_in_their_order() {
    let titles = SECTIONS.map(|(_, title, _)| title);
    assert_eq!(
        titles,
        [
            "1 Conformance statement overview",
            "2 Table of contents",
            "3 Introduction",
            "4 Networking",
            "5 Media interchange",
            "6 Support of character sets",
            "7 Security",
            "8 Annexes",
        ]
    );
    for page in [smallest(), of(&Home::new().settings(&[]))] {
        let places = ORDERED.map(|heading| page.find(heading).unwrap_or_else(|| panic!("no {heading}")));
        assert!(places.is_sorted(), "{places:?}");
        // The table of contents names what has a heading.
        let contents = page.split("<h2>2 ").nth(1).and_then(|rest| rest.split("</section>").next()).unwrap();
        for listed in contents.split("<li>").skip(1).filter_map(|item| item.split('<').next()) {
            assert!(
                listed.is_empty() || listed.starts_with("0 ") || page.contains(&format!("<h3>{listed}")),
                "{listed}"
            );
        }
    }
}

#[test]
fn a_rich_configuration_has_its_facts() {
    let page = of(&Home::new().settings(&[]));
    assert!(row(&page, "CTImageStorage").contains("1.2.840.10008.5.1.4.1.1.2<td>yes<td>yes<td>geneva, lyon"));
    assert!(
        row(&page, "listener remote").contains("1.3, 1.2<td>required<td>checked<td>TLS_AES_256_GCM_SHA384")
    );
    assert!(row(&page, "listener remote").contains("X25519MLKEM768, X25519"));
    assert!(row(&page, "upstream pacs").contains("1.3, 1.2<td>not shown<td>none<td>"));
    assert!(row(&page, "idle-timeout").contains("300 s"));
    assert!(row(&page, "max-pdu-length").contains("131072 bytes"));
    assert!(row(&page, "pacs").contains("30 s"), "how often it is asked");
    assert!(row(&page, "simultaneous associations").contains("<td>500"));
    assert!(page.contains("<tr><td>remote<td>0.0.0.0<td>2762<td>yes"));
    assert!(page.contains("<tr><td>remote<td>required<td>2 (user name and passcode)"));
    assert!(page.contains("<tr><td>lyon<td>LYON<td>any<td>203.0.113.0/24"));
    assert!(page.contains("2.25.306219733018373408243868563437294853425<td>DIMSEGATE"));
    for profile in [
        "(PS3.15 B.12)<td>server and client",
        "(PS3.15 B.5)<td>acceptor",
        "(PS3.15 A.5)<td>sender",
        "(PS3.15 A.6)<td>sender",
    ] {
        assert!(page.contains(profile), "{profile}");
    }
    assert!(page.contains("(PS3.15 E)<td>de-identifier, for: lyon, geneva"));
    assert!(row(&page, "Clean Descriptors Option").contains("113105<td>no"));
    for status in Cause::WORDS.iter().filter_map(|word| match word.answer {
        Answer::Status(status) => Some((status, word.label)),
        _ => None,
    }) {
        assert!(page.contains(&format!("<td>0x{:04X}<td>{}", status.0, status.1)), "{status:?}");
    }
    assert!(page.contains("<td>1/1/3 ") && page.contains("<td>calling-ae-title-unknown<td>"));
}

#[test]
fn the_smallest_configuration_claims_nothing_that_it_does_not_have() {
    let page = smallest();
    for said in [
        "No security profile of PS3.15 is claimed.",
        "No data set is rewritten.",
        "Records are sent nowhere.",
        "No profile of PS3.15 Annex E is applied.",
        "The proxy opens no association to see whether an upstream answers.",
        "The proxy writes no codes, and uses no templates.",
        "Nothing: no peer has a rewrite.",
        "<tr><td>listener remote<td>no TLS<td>",
        "<tr><td>remote<td>127.0.0.1<td>chosen by the system<td>no",
        "records are chained and not signed",
    ] {
        assert!(page.contains(said), "{said}");
    }
    for absent in ["B.12", "B.5)", "A.6)", "TLS_AES", "CID 7050"] {
        assert!(!page.contains(absent), "{absent}");
    }
}

#[test]
fn a_fact_that_changes_in_the_configuration_changes_in_the_statement() {
    let home = Home::new();
    let before = of(&home.settings(&[]));
    for (from, to, told) in [
        ("\"5m\"", "\"7m\"", "420 s"),
        ("0.0.0.0:2762", "0.0.0.0:2763", "<td>2763<td>"),
        ("client-authentication", "profile = \"tls13\"\nclient-authentication", "<td>1.3<td>required"),
        ("client-authentication", "profile = \"tls13\"\nclient-authentication", "(PS3.15 B.12)<td>client<"),
        ("\"require\"", "\"accept\"", "one that is there has to be right"),
        ("\"C-STORE\"", "\"C-STORE\", \"C-ECHO\"", "C-STORE, C-ECHO"),
        ("[\"storage\"]", "[\"storage\", \"1.2.840.113619.4.26\"]", "<td>1.2.840.113619.4.26<td>"),
        ("burned-in = \"refuse\"", "burned-in = \"pass\"", "burned-in text: passed"),
        ("profile = \"basic\"", "profile = \"basic\"\noptions = [\"clean-descriptors\"]", "113105<td>yes"),
        (
            "transport = \"tls\"\n[audit.repository.tls]\nca = \"HOME/certs/ca.pem\"\n",
            "transport = \"udp\"\n",
            "PS3.15 A.7)",
        ),
        ("\"GENEVA\"", "\"GVA*\"", "<td>GVA*<td>"),
        ("[limits]", "[limits]\nmax-pdu-length = 16384", "16384 bytes"),
        (
            "health = { echo = \"30s\" }",
            "health = { echo = \"45s\" }\ncalling-ae-title = \"GATE\"",
            "<td>GATE<td>",
        ),
        (
            "rewrite = \"cross\"\n[[peer]]",
            "rewrite = \"bare\"\nrewrite-direction = \"to-peer\"\n[[peer]]",
            "<td>bare<td>to the peer<td>no",
        ),
    ] {
        assert!(!before.contains(told), "{told} was there");
        let changes: &'static [(&str, &str)] = Box::leak(Box::new([(from, to)]));
        assert!(of(&home.settings(changes)).contains(told), "{told}");
    }
}

#[test]
fn no_secret_no_user_and_no_path_is_in_it() {
    let home = Home::new();
    let page = of(&home.settings(&[]));
    let folder = home.path().to_str().unwrap();
    for hidden in [folder, ".key", ".pem", "users.toml", "/hook", "admin.sock"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    assert!(!page.contains("<script") && !page.contains("url("));
}
