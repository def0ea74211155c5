#![no_main]

#[path = "../deframer.rs"]
mod deframer;

libfuzzer_sys::fuzz_target!(|input: &[u8]| deframer::check(input));
