//! Hours against the clock on the wall, over changes of daylight saving too.

use proptest::prelude::*;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::{Hours, HoursError};

fn hours(text: &str) -> Hours {
    Hours::new(text.split(';')).unwrap()
}

fn at(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

#[test]
fn a_range_is_open_from_its_first_minute_to_before_its_last() {
    let office = hours("mon-fri 07:00-19:00 Europe/Paris");
    for (moment, expected) in [
        ("2026-11-30T06:59:59+01:00", false),
        ("2026-11-30T07:00:00+01:00", true),
        ("2026-11-30T18:59:59.9+01:00", true),
        ("2026-11-30T19:00:00+01:00", false),
        ("2026-11-29T12:00:00+01:00", false),
        ("2026-12-04T17:59:59Z", true),
    ] {
        assert_eq!(office.are_open(at(moment)), expected, "{moment}");
    }
    assert_eq!(office.next_opening(at("2026-11-28T12:00:00Z")).unwrap(), "Mon 2026-11-30 07:00 Europe/Paris");
    assert_eq!(office.next_opening(at("2026-11-30T12:00:00Z")), None);
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let night = hours("fri,sun 22:00-06:00 UTC");
    for (moment, expected) in [
        ("2026-12-04T21:59:00Z", false),
        ("2026-12-04T22:00:00Z", true),
        ("2026-12-05T05:59:00Z", true),
        ("2026-12-05T06:00:00Z", false),
        ("2026-12-05T23:00:00Z", false),
        ("2026-12-07T01:00:00Z", true),
        ("2026-12-04T01:00:00Z", false),
    ] {
        assert_eq!(night.are_open(at(moment)), expected, "{moment}");
    }
    assert!(hours("sat-mon 00:00-24:00 UTC").are_open(at("2026-12-06T23:59:59Z")));
    assert!(!hours("sat-mon 00:00-24:00 UTC").are_open(at("2026-12-08T00:00:00Z")));
}

/// In Paris the clock goes from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
#[test]
fn hours_follow_the_clock_on_the_wall_over_a_change_of_daylight_saving() {
    let night = hours("sun 02:15-02:45 Europe/Paris");
    let gone = at("2026-03-29T00:30:00Z");
    assert!((0..180).all(|minute| !night.are_open(gone + Duration::minutes(minute))), "it does not come");
    assert_eq!(night.next_opening(gone).unwrap(), "Sun 2026-04-05 02:15 Europe/Paris");
    assert!(night.are_open(at("2026-10-25T00:30:00Z")) && night.are_open(at("2026-10-25T01:30:00Z")));
    assert!(!night.are_open(at("2026-10-25T01:00:00Z")), "between the two");
    assert_eq!(night.next_change(at("2026-10-25T00:30:00Z")), Some(at("2026-10-25T00:45:00Z")));
    assert_eq!(night.next_change(at("2026-10-25T00:50:00Z")), Some(at("2026-10-25T01:15:00Z")));
    let office = hours("mon-fri 07:00-19:00 Europe/Paris");
    assert_eq!(office.next_change(at("2026-03-27T20:00:00Z")), Some(at("2026-03-30T05:00:00Z")), "summer");
    assert_eq!(office.next_change(at("2026-10-23T20:00:00Z")), Some(at("2026-10-26T06:00:00Z")), "winter");
}

#[test]
fn what_never_closes_has_no_change() {
    assert_eq!(hours("mon-sun 00:00-24:00 UTC").next_change(at("2026-11-30T00:00:00Z")), None);
    let two = hours("mon-sun 00:00-12:00 Asia/Tokyo;mon-sun 12:00-24:00 Asia/Tokyo");
    assert_eq!(two.next_change(at("2026-11-30T00:00:00Z")), None);
}

#[test]
fn what_is_no_range_is_refused_for_what_is_wrong_with_it() {
    let error = |text: &str| Hours::new([text]).unwrap_err();
    assert_eq!(error("mon-fri 07:00-19:00"), HoursError::Shape);
    assert_eq!(error("mon-fry 07:00-19:00 UTC"), HoursError::Day("fry".into()));
    for times in ["7-19", "07:00", "07:60-08:00", "24:00-07:00", "07:00-24:01", "+7:00-08:00", "99:99-99:99"]
    {
        assert_eq!(error(&format!("mon {times} UTC")), HoursError::Time(times.into()));
    }
    assert_eq!(error("mon 07:00-07:00 UTC"), HoursError::Empty);
    for zone in ["Europe/Lyon", "../../etc/passwd", "", "CET-1CEST,M3.5.0,M10.5.0/3"] {
        assert!(Hours::new([format!("mon 07:00-08:00 {zone}").as_str()]).is_err(), "{zone}");
    }
    assert_eq!(Hours::new([]), Err(HoursError::Shape));
}

const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
];

fn range() -> impl Strategy<Value = String> {
    let day = || prop::sample::select(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"][..]);
    let parts = (day(), day(), 0..96_u16, 1..97_u16, prop::sample::select(&ZONES[..]));
    parts.prop_filter_map("it begins when it ends", |(first, last, from, to, zone)| {
        let time = |quarter: u16| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        (from != to).then(|| format!("{first}-{last} {}-{} {zone}", time(from), time(to)))
    })
}

/// Around changes of many zones: March 2026, October 2026, and the end of 2011, when Samoa left a day out.
fn moment() -> impl Strategy<Value = OffsetDateTime> {
    let begins = prop::sample::select(&[1_772_323_200_i64, 1_790_812_800, 1_325_030_400][..]);
    (begins, 0..2_880_i64)
        .prop_map(|(begin, quarter)| OffsetDateTime::from_unix_timestamp(begin + quarter * 900).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every quarter of an hour of the next days is looked at.
    #[test]
    fn the_next_change_is_the_first_moment_at_which_it_is_otherwise(
        texts in prop::collection::vec(range(), 1..3),
        now in moment(),
    ) {
        let hours = Hours::new(texts.iter().map(String::as_str)).unwrap();
        let open = hours.are_open(now);
        let quarters = (1..=14 * 96).map(|quarter| now + Duration::minutes(15 * quarter));
        let expected = { quarters.into_iter().find(|then| hours.are_open(*then) != open) };
        let found = hours.next_change(now).filter(|change| *change <= now + Duration::days(14));
        prop_assert_eq!(found, expected, "{}", hours);
    }

    #[test]
    fn wider_hours_are_open_whenever_those_are_that_they_cover(
        wide in range(),
        narrow in range(),
        same in any::<bool>(),
        now in moment(),
    ) {
        let zone = |text: &str| text.rsplit(' ').next().unwrap().to_owned();
        let narrow = if same { narrow.replace(&zone(&narrow), &zone(&wide)) } else { narrow };
        let (wide, narrow) = (hours(&wide), hours(&narrow));
        prop_assert!(!(wide.cover(&narrow) && narrow.are_open(now) && !wide.are_open(now)), "{wide} | {narrow}");
        prop_assert!(wide.cover(&wide));
    }
}
