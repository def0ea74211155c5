//! `[limits]`.

use std::num::NonZeroU32;
use std::time::Duration;

use super::section::Section;
use super::settings::Limits;
use super::share::Share;
use crate::policy::KeyLines;
use crate::policy::limits::{Limits as Counts, REQUEST_PIECE};
use crate::rewrite::FrameMemory;

const DEFAULT: Limits = Limits {
    counts: Counts {
        max_associations: 500,
        max_associations_per_address: 50,
        connections_per_minute_per_address: NonZeroU32::MIN.saturating_add(119),
        associations_per_minute: None,
        associations_per_minute_per_address: None,
        request_pieces: 1024,
    },
    associate_timeout: Duration::from_secs(10),
    dimse_timeout: Duration::from_secs(60),
    min_bytes_per_second: 100,
    response_timeout: Duration::from_secs(3600),
    idle_timeout: Duration::from_secs(300),
    release_timeout: Duration::from_secs(5),
    max_pdu_length: 131_072,
    max_associate_length: 1_048_576,
    max_command_length: 65_536,
    grace: Duration::from_secs(30),
    reload_files: Some(Duration::from_secs(5)),
    decoding_memory: FrameMemory { decoding: 0, lying: 0, pixels: 0 },
    held_data_sets: 256 << 20,
    held_data_set: 16 << 20,
};

/// What frames may take whose pixels are decoded, where the largest does not need more.
const DECODING_MEMORY: u64 = 512 << 20;

/// Keys that refuse a connection or an association.
const LIMITING: [&str; 7] = [
    "max-associations",
    "max-associations-per-address",
    "connections-per-minute-per-address",
    "associations-per-minute",
    "associations-per-minute-per-address",
    "associate-timeout",
    "max-associate-length",
];

const MANY: u32 = 1_000_000;

/// One address gets a quarter, and a request waits until all of it has room.
fn memory_risk(section: &Section<'_>, limits: &Limits) {
    let share = u64::from(limits.counts.request_pieces / 4) * REQUEST_PIECE as u64;
    if share < u64::from(limits.max_associate_length) {
        let problem = "is less than four times max-associate-length: requests of that length are never read";
        section.report.risk(&section.place_of("request-memory"), problem, "raise it, or lower the other");
    }
}

/// What grows takes a quarter more room than it fills.
fn held_risk(section: &Section<'_>, limits: &Limits) {
    let one = limits.held_data_set.saturating_add(limits.held_data_set / 4);
    if limits.held_data_sets < one {
        let key = if section.has("held-data-sets") { "held-data-sets" } else { "held-data-set" };
        let problem =
            "leaves no room for one data set that waits with held-data-set bytes and a quarter more";
        section.report.risk(&section.place_of(key), problem, "raise held-data-sets, or lower held-data-set");
    }
}

fn pieces(section: &Section<'_>) -> Option<u32> {
    let size = section.size("request-memory", 1 << 20..=1 << 40)?;
    u32::try_from(size / REQUEST_PIECE as u64).ok()
}

/// Where the limits stand that refuse somebody.
pub(super) fn limit_keys(root: &Section<'_>) -> KeyLines {
    root.table("limits").map(|section| section.lines_of(&LIMITING)).unwrap_or_default()
}

/// `largest` is the largest frame that a rewrite decodes, in bytes of pixels.
pub(super) fn limits(root: &Section<'_>, largest: u64, share: Share) -> Limits {
    let Some(section) = root.table("limits") else {
        let whole = share.of(enough(largest)).max(FrameMemory::least(largest));
        let decoding_memory = FrameMemory::divide(whole, largest);
        let held_data_sets = share.of(DEFAULT.held_data_sets);
        return Limits { counts: part_of(DEFAULT.counts, share), decoding_memory, held_data_sets, ..DEFAULT };
    };
    let rate = |key| section.count(key, 1..=MANY).and_then(NonZeroU32::new);
    let bytes = |key, range, default| {
        section.size(key, range).and_then(|size| u32::try_from(size).ok()).unwrap_or(default)
    };
    let limits = Limits {
        counts: counts(&section, rate),
        associate_timeout: section.duration("associate-timeout", DEFAULT.associate_timeout),
        dimse_timeout: section.duration("dimse-timeout", DEFAULT.dimse_timeout),
        min_bytes_per_second: bytes("min-bytes-per-second", 0..=1 << 20, DEFAULT.min_bytes_per_second),
        response_timeout: section.duration("response-timeout", DEFAULT.response_timeout),
        idle_timeout: section.duration("idle-timeout", DEFAULT.idle_timeout),
        release_timeout: section.duration("release-timeout", DEFAULT.release_timeout),
        max_pdu_length: bytes("max-pdu-length", 4096..=16 << 20, DEFAULT.max_pdu_length),
        max_associate_length: bytes("max-associate-length", 4096..=16 << 20, DEFAULT.max_associate_length),
        max_command_length: bytes("max-command-length", 1024..=1 << 20, DEFAULT.max_command_length),
        grace: section.duration_or_zero("grace", DEFAULT.grace),
        reload_files: section.duration_or_off("reload-files", Duration::from_secs(5)),
        decoding_memory: decoding_memory(&section, largest, share),
        held_data_sets: share
            .of(section.size("held-data-sets", 1 << 20..=1 << 40).unwrap_or(DEFAULT.held_data_sets)),
        held_data_set: section.size("held-data-set", 64 << 10..=1 << 30).unwrap_or(DEFAULT.held_data_set),
    };
    held_risk(&section, &limits);
    let limits = Limits { counts: part_of(limits.counts, share), ..limits };
    memory_risk(&section, &limits);
    limits
}

/// What of them is counted of all together. What is counted for one address stays what it is.
fn part_of(counts: Counts, share: Share) -> Counts {
    let part = |count: u32| u32::try_from(share.of(count.into())).unwrap_or(count);
    let rate = |rate: NonZeroU32| NonZeroU32::new(part(rate.get())).unwrap_or(rate);
    Counts {
        max_associations: part(counts.max_associations),
        associations_per_minute: counts.associations_per_minute.map(rate),
        request_pieces: part(counts.request_pieces),
        ..counts
    }
}

fn enough(largest: u64) -> u64 {
    DECODING_MEMORY.max(FrameMemory::enough(largest))
}

fn decoding_memory(section: &Section<'_>, largest: u64, share: Share) -> FrameMemory {
    let whole = share.of(section.size("decoding-memory", 1 << 20..=1 << 40).unwrap_or(enough(largest)));
    let least = FrameMemory::least(largest);
    if whole < least {
        let problem = format!("is less than the {least} bytes that the largest frame of a rewrite takes");
        let remedy = "write more, or a smaller largest-frame in [[rewrite]]";
        section.report.error(&section.place_of("decoding-memory"), problem, remedy);
    }
    let refused = if whole < FrameMemory::enough(largest) {
        Some(
            "is less than eight times largest-frame: of JPEG Lossless with 8 bits and of JPEG 2000, large frames are refused",
        )
    } else {
        (whole < FrameMemory::enough_for_jpeg_2000(largest)).then_some(
            "is less than twenty times largest-frame and 512 KiB: of JPEG 2000, large frames are refused",
        )
    };
    let is_written = section.has("decoding-memory");
    if let Some(problem) = refused.filter(|_| is_written && whole >= least) {
        let remedy = "write more, or a smaller largest-frame";
        section.report.risk(&section.place_of("decoding-memory"), problem, remedy);
    }
    FrameMemory::divide(whole, largest)
}

fn counts(section: &Section<'_>, rate: impl Fn(&'static str) -> Option<NonZeroU32>) -> Counts {
    let default = DEFAULT.counts;
    let count = |key, default| section.count(key, 1..=MANY).unwrap_or(default);
    let counts = Counts {
        max_associations: count("max-associations", default.max_associations),
        max_associations_per_address: count(
            "max-associations-per-address",
            default.max_associations_per_address,
        ),
        connections_per_minute_per_address: rate("connections-per-minute-per-address")
            .unwrap_or(default.connections_per_minute_per_address),
        associations_per_minute: rate("associations-per-minute"),
        associations_per_minute_per_address: rate("associations-per-minute-per-address"),
        request_pieces: pieces(section).unwrap_or(default.request_pieces),
    };
    if counts.max_associations_per_address > counts.max_associations
        && section.has("max-associations-per-address")
    {
        let place = section.place_of("max-associations-per-address");
        section.report.risk(&place, "is more than max-associations", "one address can take every place");
    }
    counts
}
