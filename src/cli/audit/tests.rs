//! What the commands print, letter for letter.

use std::fs;
use std::ops::ControlFlow;

use clap::Parser;
use time::macros::datetime;

use super::command::Line;
use super::row::Row;
use super::search::{Newest, print};
use super::{report, search, show};
use crate::audit::Record;
use crate::audit::reading::{figures::Period, figures::figures, files, search as find};
use crate::cli::demo::story::Style;
use crate::scratch::Scratch;

const LINES: &str = r#"{"time":"2026-03-01T08:30:00.000000Z","event":"association-opened","sequence":2,"association":"a-1","listener":"remote","peer":"lyon","address":"203.0.113.7","port":40000,"tls":{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384","group":"X25519MLKEM768","subject":"CN=lyon","san":["dns:gw.lyon.example"],"fingerprint":"aa11"},"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","implementation":{"class-uid":"1.2.3","version-name":"SW_1"},"upstream":{"name":"pacs","address":"10.0.0.5:104","called-ae-title":"PACS","calling-ae-title":"GATE"},"contexts":[{"id":1,"abstract-syntax":"1.2.840.10008.1.1","result":0,"transfer-syntax":"1.2.840.10008.1.2"},{"id":3,"abstract-syntax":"1.2.3.4","result":1}],"rewrite":null,"configuration":"6ff0f8ab20fe8914655749dec739c258"}
{"time":"2026-03-01T08:30:01.500000Z","event":"operation","sequence":3,"association":"a-1","operation":"C-STORE","message-id":1,"direction":"from-peer","sop-class":"1.2.840.10008.5.1.4.1.1.2","sop-instance":"2.25.1","study":"2.25.9","new-study":"2.25.99","status":"0xA700","bytes":1500,"duration-ms":3}
{"time":"2026-03-01T08:31:00.000000Z","event":"association-closed","sequence":4,"association":"a-1","listener":"remote","peer":"lyon","address":"203.0.113.7","port":40000,"tls":{"version":"1.3"},"calling-ae-title":"LYON_CT1","called-ae-title":"PACS","upstream":{"name":"pacs","address":"10.0.0.5:104"},"contexts":[{"id":1,"abstract-syntax":"1.2.840.10008.1.1","result":0,"transfer-syntax":"1.2.840.10008.1.2"},{"id":3,"abstract-syntax":"1.2.3.4","result":1}],"operations":{"C-STORE":{"success":0,"warning":0,"failure":1,"refused":0}},"bytes":{"in":1800,"out":200},"rewrite":{"name":"cross-border","elements":7},"duration-ms":60000,"ended":"lost-upstream","reason":"the connection to the upstream was lost: reset"}
{"time":"2026-03-01T09:00:00.000000Z","event":"association-rejected","sequence":5,"association":"a-2","listener":"remote","peer":null,"address":"192.0.2.9","port":2,"tls":null,"calling-ae-title":"<script>\u001b[2J","called-ae-title":"PACS","rejection":{"result":1,"source":1,"reason":3},"reason":"calling-ae-title-unknown","explanation":"peer \"lyon\" (line 61): calling-ae-titles"}
"#;

fn folder() -> Scratch {
    let folder = Scratch::new();
    fs::write(folder.path().join("audit-2026-03-01.jsonl"), LINES).unwrap();
    folder
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: search::Args,
}

fn table(options: &str, width: usize) -> String {
    let folder = folder();
    let line = format!("search {} {options}", folder.path().display());
    let args = Command::try_parse_from(line.split_whitespace()).unwrap().args;
    let mut newest = Newest::of(args.limit.unwrap_or(100));
    let files = files(folder.path()).unwrap();
    find(&files, &args.filter().unwrap(), |line| newest.take(line));
    let mut out = Vec::new();
    print(&newest, &files, &mut out, width, Style::PLAIN).unwrap();
    String::from_utf8(out).unwrap()
}

const ENDED: &str = "lost-upstream, the connection to the upstream was lost: reset, 1 C-STORE, 1.8 kB in, 200 B out, 1 min 00 s";

#[test]
fn a_table_lines_up_and_an_operation_has_what_its_association_has() {
    let shown = table("--peer lyon", 220);
    let lines: Vec<&str> = shown.lines().collect();
    let columns = |line: &str| {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        columns(lines[0]),
        ["time (UTC)", "event", "what", "peer", "from", "AE titles", "association"]
    );
    let of_association = ["lyon", "203.0.113.7", "LYON_CT1 to PACS", "a-1"];
    let row = |time: &str, event: &str, what: &str| {
        [time, event, what].iter().chain(&of_association).map(|cell| (*cell).to_owned()).collect::<Vec<_>>()
    };
    let stored = "C-STORE 0xA700 CTImageStorage 2.25.1 of study 2.25.9 1.5 kB 3 ms";
    assert_eq!(
        columns(lines[1]),
        row("2026-03-01 08:30:00.000", "association-opened", "upstream pacs, TLS 1.3")
    );
    assert_eq!(columns(lines[2]), row("2026-03-01 08:30:01.500", "operation", stored));
    assert_eq!(columns(lines[3]), row("2026-03-01 08:31:00.000", "association-closed", ENDED));
    assert_eq!(lines[4], "3 records");
    let begins = |line: &str| line.find("lyon").unwrap();
    assert_eq!((begins(lines[1]), begins(lines[1])), (begins(lines[2]), begins(lines[3])));
}

#[test]
fn at_80_columns_nothing_is_cut() {
    for width in [80, 40] {
        let shown = table("--peer lyon", width);
        assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
        assert!(!shown.contains('…'), "{shown}");
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        for told in
            [ENDED, "of study 2.25.9", "peer lyon", "from 203.0.113.7", "LYON_CT1 to PACS", "association a-1"]
        {
            assert!(words.contains(told), "{told} in {shown}");
        }
    }
    let told = story("a-1", 80);
    assert!(told.lines().all(|line| line.chars().count() <= 80) && !told.contains("a700…"), "{told}");
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "SOP class CTImageStorage",
        "study 2.25.9",
        "(user-rejection): by the role of the peer, or by the upstream",
    ] {
        assert!(words.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_table_cannot_be_made_to_move_the_cursor_and_says_what_it_left_out() {
    let shown = table("--limit 1", 200);
    assert!(shown.contains("<script>\\u{1b}[2J to PACS"), "{shown}");
    assert!(shown.ends_with("the newest 1 of 4 records; --limit shows more\n"), "{shown}");
    assert_eq!(table("--peer nobody", 100), "no record\n");
    assert!(table("--certificate sha256:AA:1*", 300).ends_with("2 records\n"));
}

fn story(id: &str, width: usize) -> String {
    let records: Vec<Record> = LINES.lines().map(|line| Record::read(line.as_bytes()).unwrap()).collect();
    let records: Vec<Record> =
        records.into_iter().filter(|record| record.association() == Some(id)).collect();
    let now = datetime!(2026-03-02 0:00 UTC);
    let screen = show::story::Screen { style: Style::PLAIN, width, now };
    show::story::tell(&records, id, "audit", screen).join("\n")
}

#[test]
fn an_association_is_told_from_its_begin_to_what_its_end_means() {
    assert_eq!(
        story("a-1", 140),
        "\
Association a-1: lost-upstream after 1 min 00 s
2026-03-01 08:30:00.000 UTC

Who came
  AE title LYON_CT1 from 203.0.113.7 port 40000, at listener \"remote\", calling PACS
  software SW_1, 1.2.3
  TLS 1.3, TLS_AES_256_GCM_SHA384, key exchange X25519MLKEM768
  certificate CN=lyon (dns:gw.lyon.example), SHA-256 aa11

Why it was let in
  every condition of peer \"lyon\" held, under the configuration with digest 6ff0f8ab20fe8914655749dec739c258
  passed on to upstream \"pacs\" at 10.0.0.5:104, as GATE calling PACS

What was agreed (presentation contexts)
  id  abstract syntax                   answer
  1   Verification (1.2.840.10008.1.1)  accepted, ImplicitVRLittleEndian (1.2.840.10008.1.2)
  3   1.2.3.4                           refused (user-rejection): by the role of the peer, or by the upstream

What it did
  after  operation  id  took  outcome         bytes   SOP class       SOP instance  study
  1.5 s  C-STORE    1   3 ms  failure 0xA700  1.5 kB  CTImageStorage  2.25.1        2.25.9

What was rewritten
  \"cross-border\" changed, removed or added 7 elements
  study 2.25.9 became 2.25.99

How it ended
  lost-upstream: the upstream's connection ended without a release
  reason: the connection to the upstream was lost: reset
  1.8 kB came from the requestor, 200 B went to it
  look at: the PACS, and the network path to it"
    );
}

#[test]
fn a_refusal_is_told_with_its_nearest_miss() {
    assert_eq!(
        story("a-2", 140),
        "\
Association a-2: refused
2026-03-01 09:00:00.000 UTC

Who came
  AE title <script>\\u{1b}[2J from 192.0.2.9 port 2, at listener \"remote\", calling PACS
  over plain TCP: nothing proved who it was, and anybody on the way could read along

Why it was refused
  calling-ae-title-unknown: no peer that fits the address has this calling AE title
  nearest miss: peer \"lyon\" (line 61): calling-ae-titles
  the requestor was told A-ASSOCIATE-RJ 1/1/3, rejected permanently: calling AE title not recognized
  look at: calling-ae-titles of [[peer]]"
    );
}

#[test]
fn a_page_holds_figures_and_commands_and_no_markup_of_others() {
    let folder = folder();
    let period = Period { from: datetime!(2026-03-01 0:00 UTC), to: datetime!(2026-03-02 0:00 UTC) };
    let figures = figures(&files(folder.path()).unwrap(), period);
    let page = report::page::page(&figures, "my audit", datetime!(2026-03-02 0:00 UTC));
    assert!(!page.contains("<script") && !page.contains("http:") && !page.contains("https:"), "{page}");
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    assert!(page.contains("&lt;script&gt;\\u{1b}[2J to PACS"), "{page}");
    for command in [
        "dimsegate audit search &#39;my audit&#39; --from 2026-03-01T00:00:00.000000Z --to 2026-03-02T00:00:00.000000Z \
         --event association-rejected,connection-refused --reason calling-ae-title-unknown",
        "--event association-opened --peer lyon",
        "--event association-closed --outcome ended=lost-upstream",
        "--event operation --status 0xA700",
        "--event association-opened --certificate aa11",
        "dimsegate audit show &#39;my audit&#39; a-1",
    ] {
        assert!(page.contains(command), "{command} in {page}");
    }
}

/// A page of these lines, as it is written on the day after.
fn page(lines: &str) -> String {
    let folder = Scratch::new();
    fs::write(folder.path().join("audit-2026-03-01.jsonl"), lines).unwrap();
    let period = Period { from: datetime!(2026-03-01 0:00 UTC), to: datetime!(2026-03-02 0:00 UTC) };
    let figures = figures(&files(folder.path()).unwrap(), period);
    report::page::page(&figures, "audit", datetime!(2026-03-02 0:00 UTC))
}

#[test]
fn users_are_told_by_what_they_proved_and_by_who_only_said_their_name() {
    let record = |sequence: u32, event: &str, user: &str, identity: &str| {
        format!(
            "{{\"time\":\"2026-03-01T08:0{sequence}:00.000Z\",\"event\":\"{event}\",\"sequence\":{sequence},\"association\":\"a-{sequence}\",\
             \"peer\":\"lyon\",\"address\":\"192.0.2.9\",\"port\":2,\"listener\":\"remote\",\"calling-ae-title\":\"CT\",\"called-ae-title\":\"PACS\",\
             \"user\":\"{user}\",\"user-identity\":\"{identity}\",\"factors\":[],\"reason\":\"user-identity-wrong\"}}\n"
        )
    };
    let lines = [
        record(0, "association-opened", "login/anna", "proven"),
        record(1, "association-opened", "login/anna", "proven"),
        record(2, "association-opened", "bob", "claimed"),
        record(3, "association-rejected", "bob", "claimed"),
    ];
    let page = page(&lines.concat());
    let (_, section) = page.split_once("<section id=\"users\">").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    let bars: Vec<&str> = section.split("<details").skip(1).collect();
    assert_eq!(bars.len(), 2, "{section}");
    assert!(bars[0].contains("login/anna</span>") && bars[0].contains("bar good"), "{}", bars[0]);
    assert!(bars[0].contains("<span class=\"figure\">2</span>"), "{}", bars[0]);
    assert!(bars[1].contains("bob <small>1 by the name alone, 1 refusal</small>"), "{}", bars[1]);
    assert!(bars[1].contains("--event association-opened,association-rejected --user bob"), "{}", bars[1]);
}

/// The words of a page without its markup.
fn words(page: &str) -> Vec<String> {
    let body = page.split("</style>").nth(1).unwrap();
    let text =
        body.split('<').filter_map(|piece| piece.split_once('>').map(|(_, text)| text)).collect::<Vec<_>>();
    text.join(" ").split_whitespace().map(str::to_owned).collect()
}

#[test]
fn one_of_a_thing_is_not_said_as_many() {
    let words = words(&page(LINES));
    let nouns = [
        "associations",
        "refusals",
        "peers",
        "reasons",
        "records",
        "operations",
        "alerts",
        "hours",
        "days",
        "times",
        "lines",
    ];
    let wrong: Vec<_> =
        words.windows(2).filter(|two| two[0] == "1" && nouns.contains(&two[1].as_str())).collect();
    assert!(wrong.is_empty() && words.windows(2).any(|two| two == ["1", "peer"]), "{wrong:?}");
}

#[test]
fn each_drawing_has_a_scale_of_its_own_and_says_it() {
    let page = page(LINES);
    assert_eq!(page.matches("<figure class=\"timeline\">").count(), 2);
    let words = words(&page).join(" ");
    assert!(
        words.contains("at most 1 association an hour") && words.contains("at most 1 refusal an hour"),
        "{words}"
    );
    assert!(!words.contains("two scales"));
}

#[test]
fn certificates_that_have_ended_or_end_soon_stand_out() {
    let ending = |end: &str| {
        LINES
            .replace("\"fingerprint\":\"aa11\"", &format!("\"fingerprint\":\"aa11\",\"not-after\":\"{end}\""))
    };
    let of = |end: &str| page(&ending(end));
    let ended = of("2026-03-01T22:00:00Z");
    assert!(ended.contains("certificate bad\"><summary>") && ended.contains("ended 2 hours ago"));
    assert!(ended.contains("<b>Certificate has ended</b>"));
    let soon = of("2026-03-12T00:00:00Z");
    assert!(soon.contains("certificate warn\"><summary>") && soon.contains("ends in 10 days"));
    assert!(soon.contains("<b>Certificate ends soon</b>"));
    let later = of("2027-03-12T00:00:00Z");
    assert!(later.contains("certificate later\"><summary>") && !later.contains("<b>Certificate"));
    // Of an upstream too.
    let upstream = r#""upstream":{"name":"pacs","tls":{"version":"1.3","subject":"CN=pacs","fingerprint":"bb22","not-after":"2026-03-04T00:00:00Z"},"#;
    let of_upstream = page(&LINES.replace(r#""upstream":{"name":"pacs","#, upstream));
    assert!(of_upstream.contains("CN=pacs, upstream pacs, ends in 2 days (2026-03-04)."), "{of_upstream}");
    // In the story of an association, by the day on which it is read.
    let records: Vec<Record> =
        ending("2026-03-01T22:00:00Z").lines().map(|line| Record::read(line.as_bytes()).unwrap()).collect();
    let screen = show::story::Screen { style: Style::PLAIN, width: 200, now: datetime!(2026-03-02 0:00 UTC) };
    let told = show::story::tell(&records[..3], "a-1", "audit", screen).join("\n");
    assert!(told.contains("valid until 2026-03-01 22:00:00 (ended 2 hours ago)"), "{told}");
}

#[test]
fn a_certificate_that_was_renewed_does_not_stand_out_and_one_in_use_beside_it_does() {
    let shown = |minute: u8, peer: &str, title: &str, fingerprint: &str, end: &str| {
        let opened = LINES.lines().next().unwrap().replace("08:30:00", &format!("08:{minute}:00"));
        let of = format!("\"fingerprint\":\"{fingerprint}\",\"not-after\":\"{end}\"");
        let opened = opened.replace("\"fingerprint\":\"aa11\"", &of).replace("LYON_CT1", title);
        opened.replace("\"peer\":\"lyon\"", &format!("\"peer\":\"{peer}\"")) + "\n"
    };
    let (soon, later) = ("2026-03-12T00:00:00Z", "2027-03-12T00:00:00Z");
    let told = |lines: &[String]| page(&lines.concat()).contains("<b>Certificate ends soon</b>");
    let old = shown(10, "lyon", "LYON_CT1", "aa11", soon);
    assert!(told(std::slice::from_ref(&old)));
    // Whatever its peer calls itself.
    assert!(!told(&[old.clone(), shown(20, "lyon", "LYON_CT2", "bb22", later)]));
    assert!(told(&[old.clone(), shown(20, "geneva", "LYON_CT1", "bb22", later)]));
    let again = shown(30, "lyon", "LYON_CT1", "aa11", soon);
    assert!(told(&[old, shown(20, "lyon", "LYON_CT2", "bb22", later), again]), "both are in use");
}

#[test]
fn the_head_counts_the_findings_that_are_drawn() {
    let lines = [
        r#"{"time":"2026-03-01T08:00:00.000000Z","event":"trail-continued","sequence":1,"files":1,"last":9,"unsigned":0,"ended":true,"head":"cut","recovered":false}"#,
        r#"{"time":"2026-03-01T08:00:00.000001Z","event":"security-alert","sequence":2,"reason":"trail-changed","explanation":"cut"}"#,
        r#"{"time":"2026-03-01T08:00:00.000002Z","event":"security-alert","sequence":3,"reason":"records-lost","explanation":"lost"}"#,
    ];
    for lines in [&lines[..], &lines[1..], &lines[..1]] {
        let page = page(&lines.join("\n"));
        let drawn = page.matches("<details class=\"finding ").count();
        assert!(page.contains(&format!("href=\"#unusual\"><b>{drawn}</b>")), "{drawn} in {page}");
    }
}

#[test]
fn a_story_says_how_many_operations_a_record_stands_for() {
    let lines = LINES.replace("\"operation\":\"C-STORE\",", "\"operation\":\"C-STORE\",\"count\":499,");
    let records: Vec<Record> =
        lines.lines().take(3).map(|line| Record::read(line.as_bytes()).unwrap()).collect();
    let screen = show::story::Screen { style: Style::PLAIN, width: 200, now: datetime!(2026-03-02 0:00 UTC) };
    let story = show::story::tell(&records, "a-1", "audit", screen).join("\n");
    assert!(story.contains("1.5 s  C-STORE (499 times)  1 "), "{story}");
}

#[test]
fn what_is_wrong_with_the_trail_stands_out_and_what_is_not_does_not() {
    let run = |more: &str| {
        page(&format!(
            r#"{{"time":"2026-03-01T08:00:00.000000Z","event":"trail-continued","sequence":1,"files":1,"last":9,{more},"recovered":false}}"#
        ))
    };
    let finding = |page: &str, name: &str| page.contains(&format!("\"><summary><b>{name}</b>"));
    let cut =
        run(r#""unsigned":0,"ended":true,"head":"cut","explanation":"the end of the trail was cut off""#);
    assert!(finding(&cut, "The trail was changed"), "{cut}");
    assert!(cut.contains("--event trail-continued --reason cut --outcome failure"), "{cut}");
    let crash = run(r#""unsigned":1,"ended":false,"head":"fits""#);
    assert!(finding(&crash, "A run began after a crash") && crash.contains("1 record taken over"));
    let orderly = run(r#""unsigned":0,"ended":true,"head":"fits""#);
    assert!(!finding(&orderly, "A run began") && orderly.contains("A run began"));
    assert!(orderly.contains("nobody signed these records"));
}

#[test]
fn faults_and_what_was_tolerated_are_told_in_words() {
    let told = r#""fault":{"element":"(0040,0275)[1].(0040,0009)","problem":"its length is odd","expected":"an even one"},"tolerated":["data-set-order","response-command-element-00080058"],"status":"0xA700""#;
    let lines = LINES.replace(r#""status":"0xA700""#, told);
    let record = Record::read(lines.lines().nth(1).unwrap().as_bytes()).unwrap();
    let what = Row::of(&record, None).what;
    for part in [
        "fault: (0040,0275)[1].(0040,0009), its length is odd, expected: an even one",
        "tolerated: elements of the data set were out of order; in a response: element (0008,0058) does not belong",
    ] {
        assert!(what.contains(part), "{part} in {what}");
    }
    let records: Vec<Record> =
        lines.lines().take(3).map(|line| Record::read(line.as_bytes()).unwrap()).collect();
    let screen = show::story::Screen { style: Style::PLAIN, width: 200, now: datetime!(2026-03-02 0:00 UTC) };
    let story = show::story::tell(&records, "a-1", "audit", screen).join("\n");
    for part in [
        "fault in message 1: (0040,0275)[1].(0040,0009), its length is odd, expected: an even one",
        "tolerated in message 1: data-set-order: elements of the data set were out of order",
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
}

/// Each kind of record stands in a figure of the page, with what it tells.
#[test]
fn every_kind_of_record_is_shown_on_the_page() {
    for (name, line) in crate::audit::tests::kinds::lines() {
        let page = page(&format!("{line}\n"));
        let time = Record::read(line.as_bytes()).unwrap().time.get(11..23).unwrap().to_owned();
        let row = format!("2026-03-01 {time}<td>{name}<");
        assert!(page.contains(&row), "{name} is in no figure: {row}");
    }
}

#[test]
fn a_record_of_every_kind_says_more_than_its_name() {
    for (name, line) in crate::audit::tests::kinds::lines() {
        let record = Record::read(line.as_bytes()).unwrap();
        let what = Row::of(&record, None).what;
        assert!(!what.is_empty() && what != name, "{name}: {what:?}");
    }
}

/// What a page's commands find is what its figures count.
#[test]
fn a_command_finds_a_value_that_cannot_be_typed() {
    let folder = folder();
    let line = Line::new("search", "x").with("calling", "<script>\u{1b}[2J");
    assert_eq!(line.to_string(), "dimsegate audit search x --calling '<script>?[2J'");
    let words =
        ["search", &folder.path().display().to_string(), "--calling", "<script>?[2J"].map(str::to_owned);
    let args = Command::try_parse_from(words).unwrap().args;
    let mut count = 0;
    find(&files(folder.path()).unwrap(), &args.filter().unwrap(), |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(count, 1);
}

#[test]
fn one_word_of_a_shell_stays_one() {
    let line = Line::new("show", "audit").argument("it's; rm -rf $HOME").argument("").argument("-x");
    assert_eq!(line.to_string(), r"dimsegate audit show audit 'it'\''s; rm -rf $HOME' '' '-x'");
}
